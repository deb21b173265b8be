// TableHeader.swift — the first bytes of a table: what its block checksums are made with, once more.
//
// Readers go by the footer. A salvage that finds the footer damaged takes number and salt from here.

internal import CStorage
internal import StorageTypes

struct TableHeader: Equatable, Sendable {
    static let byteCount = 32
    static let magic: [UInt8] = Array("SHOPSST\n".utf8)

    var fileNumber: UInt64
    var salt: UInt64
    var formatVersion = TableFormat.version

    var checksumSeed: UInt32 { tableChecksumSeed(salt: salt, fileNumber: fileNumber) }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(reservingCapacity: Self.byteCount)
        writer.raw(Self.magic.rawSpan)
        writer.u32(formatVersion)
        writer.u64(fileNumber)
        writer.u64(salt)
        writer.u32(checksum(of: writer.bytes.rawSpan))
        return writer.bytes
    }

    /// Reads the header of a table.
    /// - Throws: `.corruption`; `.unsupportedFormat` for a newer version.
    static func read(_ file: any StorageFile, path: String) throws -> TableHeader {
        let bytes = try file.read(at: 0, byteCount: byteCount)
        var reader = ByteReader(bytes.rawSpan, file: path)
        let magic = try reader.raw(Self.magic.count).array()
        let version = try reader.u32()
        let header = TableHeader(fileNumber: try reader.u64(), salt: try reader.u64(), formatVersion: version)
        guard magic == Self.magic,
            try reader.u32() == StorageCore.checksum(of: bytes.rawSpan.extracting(first: byteCount - 4))
        else { throw StorageError.corruption("The table's header is damaged.", file: path, offset: 0) }
        guard version == TableFormat.version else { throw TableFooter.unsupported(version: version, path) }
        return header
    }
}
