// TableFooter.swift — the last bytes of a table: where everything else is found, and whether this version may read it.
//
// Layout and the order of the checks: Docs/FORMATS.md, "Footer".

internal import CStorage
internal import StorageTypes

struct TableFooter: Equatable, Sendable {
    static let byteCount = 80
    /// Magic, checksum, version and size keep their place in all versions.
    private static let stableByteCount = 24
    private static let largestByteCount = 4096

    /// Bits of `incompatibleFeatures` that have a name.
    private static let featureNames = ["encrypted blocks", "zstd dictionaries"]
    static let dictionaryFeature: UInt64 = 1 << 1
    /// The bits that this program can read.
    private static let knownFeatures = dictionaryFeature

    var metaIndex: BlockHandle
    var fileByteCount: UInt64
    var fileNumber: UInt64
    var salt: UInt64
    var compatibleFeatures: UInt64 = 0
    var incompatibleFeatures: UInt64 = 0
    var formatVersion = TableFormat.version

    /// The header that goes with this footer.
    var header: TableHeader { TableHeader(fileNumber: fileNumber, salt: salt, formatVersion: formatVersion) }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(reservingCapacity: Self.byteCount)
        writer.u64(metaIndex.offset)
        writer.u64(metaIndex.byteCount)
        writer.u64(fileByteCount)
        writer.u64(fileNumber)
        writer.u64(salt)
        writer.u64(compatibleFeatures)
        writer.u64(incompatibleFeatures)
        writer.u32(UInt32(Self.byteCount))
        writer.u32(formatVersion)
        writer.u32(0)
        writer.u32(Self.checksum(writer.bytes))
        let magic = TableHeader.magic
        writer.raw(magic.rawSpan)
        return writer.bytes
    }

    /// Reads the footer of a file that should have the given number.
    ///
    /// - Throws: `StorageError.Code.corruption`; `.unsupportedFormat` for a file of a newer version or with features that
    ///   this version lacks.
    static func read(_ file: any StorageFile, path: String, fileNumber: UInt64) throws -> TableFooter {
        let fileByteCount = try file.byteCount()
        guard fileByteCount >= Int64(byteCount) else {
            throw StorageError.corruption("The table is too short to hold a footer.", file: path, offset: fileByteCount)
        }
        let stable = try readTail(stableByteCount, of: file, fileByteCount, path: path)
        var reader = ByteReader(stable.rawSpan, file: path, offset: fileByteCount - Int64(stableByteCount))
        let declaredByteCount = try Int(reader.u32())
        let version = try reader.u32()
        let zero = try reader.u32()
        let checksum = try reader.u32()
        let magic = TableHeader.magic
        guard reader.remaining.equals(magic.rawSpan) else {
            throw reader.corruption("The file does not end like a table", at: reader.offset)
        }
        guard byteCount...largestByteCount ~= declaredByteCount, Int64(declaredByteCount) <= fileByteCount else {
            throw reader.corruption("The table's footer has an impossible size", at: 0)
        }
        let bytes = try readTail(declaredByteCount, of: file, fileByteCount, path: path)
        guard Self.checksum(Array(bytes.dropLast(12))) == checksum else {
            throw reader.corruption("The table's footer fails its checksum", at: 12)
        }
        guard version == TableFormat.version else {
            throw unsupported(version: version, path)
        }
        guard declaredByteCount == byteCount, zero == 0 else {
            throw reader.corruption("The table's footer has an impossible size", at: 0)
        }
        let footer = try decode(bytes, path: path, offset: fileByteCount - Int64(byteCount))
        guard footer.fileByteCount == UInt64(fileByteCount), footer.fileNumber == fileNumber else {
            throw StorageError.corruption(
                "The table's footer belongs to file \(footer.fileNumber) of \(footer.fileByteCount) bytes, "
                    + "not to file \(fileNumber) of \(fileByteCount) bytes.",
                file: path, offset: fileByteCount - Int64(byteCount))
        }
        return footer
    }

    private static func decode(_ bytes: [UInt8], path: String, offset: Int64) throws -> TableFooter {
        var reader = ByteReader(bytes.rawSpan, file: path, offset: offset)
        let metaIndex = try BlockHandle(offset: reader.u64(), byteCount: reader.u64())
        let footer = try TableFooter(
            metaIndex: metaIndex, fileByteCount: reader.u64(), fileNumber: reader.u64(), salt: reader.u64(),
            compatibleFeatures: reader.u64(), incompatibleFeatures: reader.u64())
        let unknown = footer.incompatibleFeatures & ~knownFeatures
        guard unknown == 0 else { throw unsupported(describe(unknown), path) }
        return footer
    }

    private static func readTail(
        _ count: Int, of file: any StorageFile, _ fileByteCount: Int64, path: String
    ) throws -> [UInt8] {
        let offset = fileByteCount - Int64(count)
        let bytes = unsafe try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = unsafe try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        guard bytes.count == count else {
            throw StorageError.corruption("The table ends while its footer is read.", file: path, offset: offset)
        }
        return bytes
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        maskedChecksum(unsafe bytes.withUnsafeBytes { unsafe cstorage_crc32c(0, $0.baseAddress, $0.count) })
    }

    static func unsupported(version: UInt32, _ path: String) -> StorageError {
        unsupported("format version \(version); this program reads version \(TableFormat.version)", path)
    }

    private static func unsupported(_ what: String, _ path: String) -> StorageError {
        StorageError(
            .unsupportedFormat, "The table needs \(what). Open it with the version that wrote it, or a newer one.",
            file: path)
    }

    private static func describe(_ features: UInt64) -> String {
        let bits = (0..<64).filter { features >> UInt64($0) & 1 == 1 }
        let names = bits.map { $0 < featureNames.count ? featureNames[$0] : "unknown feature \($0)" }
        return names.joined(separator: ", ") + ", which this program lacks"
    }
}
