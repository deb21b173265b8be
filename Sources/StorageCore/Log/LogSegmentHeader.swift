// LogSegmentHeader.swift — the first 64 bytes of a log segment.
//
//    0  8 B  magic "SSLOGSEG"
//    8  u32  format version: 1
//   12  u32  incompatible feature bits: a reader that does not know one refuses the file
//   16  u64  segment number
//   24  u64  identity of the storage
//   32  u32  salt of the segment's checksums
//   36  24 B zeros
//   60  u32  CRC-32C of bytes 0..<60

internal import CStorage

struct LogSegmentHeader: Equatable {
    static let byteCount = 64
    static let magic: [UInt8] = Array("SSLOGSEG".utf8)
    static let formatVersion: UInt32 = 1

    var number: UInt64
    var identity: UInt64
    var salt: UInt32

    var bytes: [UInt8] {
        var writer = ByteWriter(reservingCapacity: Self.byteCount)
        writer.raw(Self.magic.rawSpan)
        writer.u32(Self.formatVersion)
        writer.u32(0)
        writer.u64(number)
        writer.u64(identity)
        writer.u32(salt)
        writer.raw(Array(repeating: 0, count: 24).rawSpan)
        writer.u32(checksum(of: writer.bytes.rawSpan))
        return writer.bytes
    }

    /// The header of a segment; nil if the bytes are not a whole header (the file was being created).
    /// - Throws: `.unsupportedFormat` for a newer version or an unknown feature.
    static func parse(_ bytes: RawSpan, path: String) throws -> LogSegmentHeader? {
        guard bytes.byteCount >= byteCount else { return nil }
        var reader = ByteReader(bytes.extracting(first: byteCount), file: path)
        let magic = try reader.raw(8).array()
        let version = try reader.u32()
        let features = try reader.u32()
        let header = LogSegmentHeader(number: try reader.u64(), identity: try reader.u64(), salt: try reader.u32())
        _ = try reader.raw(24)
        guard try reader.u32() == checksum(of: bytes.extracting(first: 60)), magic == Self.magic else { return nil }
        guard version == formatVersion, features == 0 else {
            throw StorageError(
                .unsupportedFormat,
                "The log segment has format version \(version) and features \(features); this version reads 1 and none.",
                file: path)
        }
        return header
    }
}

/// CRC-32C of bytes, from a seed of zero unless given one.
func checksum(of bytes: RawSpan, seed: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe cstorage_crc32c(seed, $0.baseAddress, $0.count) }
}
