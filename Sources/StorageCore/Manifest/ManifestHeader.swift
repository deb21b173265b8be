// ManifestHeader.swift — the first 64 bytes of a manifest.
//
//    0  8 B  magic "SSMANIFT"          8  u32  format version: 1
//   12  u32  incompatible feature bits: a reader that does not know one refuses the storage. Bit 0: keyspaces move and
//            options change (fields 18 and 19, and what a keyspace has behind its operator). Bit 1: strategies have
//            options of their own (the high bits of their byte)
//   16  u32  compatible feature bits   20  u32  salt of the record checksums
//   24  u64  identity of the storage   32  28 B zeros
//   60  u32  CRC-32C of bytes 0..<60

struct ManifestHeader: Equatable {
    static let byteCount = 64
    static let magic: [UInt8] = Array("SSMANIFT".utf8)
    static let formatVersion: UInt32 = 1
    /// Incompatible features that this version writes and reads. Bits are stored: do not renumber.
    static let features: UInt32 = 3

    var salt: UInt32
    var identity: UInt64

    var bytes: [UInt8] {
        var writer = ByteWriter(reservingCapacity: Self.byteCount)
        writer.raw(Self.magic.rawSpan)
        writer.u32(Self.formatVersion)
        writer.u32(Self.features)
        writer.u32(0)
        writer.u32(salt)
        writer.u64(identity)
        writer.raw(Array(repeating: 0, count: 28).rawSpan)
        writer.u32(checksum(of: writer.bytes.rawSpan))
        return writer.bytes
    }

    init(salt: UInt32, identity: UInt64) {
        self.salt = salt
        self.identity = identity
    }

    init(decoding bytes: RawSpan, file: String) throws {
        var reader = ByteReader(bytes, file: file)
        let magic = try reader.raw(8).array()
        let version = try reader.u32()
        let incompatible = try reader.u32()
        _ = try reader.u32()
        salt = try reader.u32()
        identity = try reader.u64()
        _ = try reader.raw(28)
        guard try reader.u32() == checksum(of: bytes.extracting(first: 60)), magic == Self.magic else {
            throw StorageError.corruption("The header of the manifest is damaged.", file: file, offset: 0)
        }
        guard version == Self.formatVersion, incompatible & ~Self.features == 0 else {
            throw StorageError(
                .unsupportedFormat,
                "The storage has format version \(version) and features \(incompatible); this version of the library "
                    + "reads version 1 and the features \(Self.features). Open it with a newer one.",
                file: file)
        }
    }
}
