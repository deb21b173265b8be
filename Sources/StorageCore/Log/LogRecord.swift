// LogRecord.swift — the bytes of a log record. Docs/FORMATS.md, section "Log", is the reference.
//
// A record starts at a multiple of eight bytes:
//
//    0  u32  CRC-32C of bytes 4..<64, seeded with the segment's salt
//    4  u32  CRC-32C of the payload, seeded with the segment's salt
//    8  u32  payload byte count
//   12  u32  record type: 1 = batch (do not renumber)
//   16  u64  sequence
//   24  u64  sequence of the record before this one, across segments
//   32  i64  commit time, microseconds since 1970
//   40  u64  syncedThrough: the highest logged sequence known to be on the device when this record was appended
//   48  u32  key id; 0 = the payload is not encrypted
//   52  12 B nonce; zeros where the payload is not encrypted
//   64  payload, then zeros up to a multiple of eight bytes
//
// A record is valid if both checksums hold, its type is known, and its chain (`previousSequence`) continues the record
// before it. The salt is random for each segment, so neither user bytes nor records of a recycled file pass.

internal import CStorage

struct LogRecordHeader: Equatable {
    static let byteCount = 64
    static let alignment = 8
    static let batchType: UInt32 = 1

    var payloadByteCount: Int
    var sequence: UInt64
    var previousSequence: UInt64
    var commitTime: Int64
    var syncedThrough: UInt64

    /// The bytes that a record with this payload takes in the log.
    var recordByteCount: Int { Self.recordByteCount(payloadByteCount: payloadByteCount) }

    static func recordByteCount(payloadByteCount: Int) -> Int {
        (byteCount + payloadByteCount + alignment - 1) & ~(alignment - 1)
    }

    /// Fills in the first 64 bytes of `record`, whose payload is in place, and pads it.
    func seal(_ record: inout UnsafeByteBuilder, salt: UInt32) {
        assert(record.count == Self.byteCount + payloadByteCount)
        let padding = recordByteCount - record.count
        for _ in 0..<padding { record.append(byte: 0) }
        let base = unsafe record.base
        let payloadChecksum = unsafe cstorage_crc32c(salt, base + Self.byteCount, payloadByteCount)
        unsafe base.storeBytes(of: payloadChecksum.littleEndian, toByteOffset: 4, as: UInt32.self)
        unsafe base.storeBytes(of: UInt32(payloadByteCount).littleEndian, toByteOffset: 8, as: UInt32.self)
        unsafe base.storeBytes(of: Self.batchType.littleEndian, toByteOffset: 12, as: UInt32.self)
        unsafe base.storeBytes(of: sequence.littleEndian, toByteOffset: 16, as: UInt64.self)
        unsafe base.storeBytes(of: previousSequence.littleEndian, toByteOffset: 24, as: UInt64.self)
        unsafe base.storeBytes(of: commitTime.littleEndian, toByteOffset: 32, as: Int64.self)
        unsafe base.storeBytes(of: syncedThrough.littleEndian, toByteOffset: 40, as: UInt64.self)
        unsafe base.storeBytes(of: 0, toByteOffset: 48, as: UInt64.self)
        unsafe base.storeBytes(of: 0, toByteOffset: 56, as: UInt64.self)
        let checksum = unsafe cstorage_crc32c(salt, base + 4, Self.byteCount - 4)
        unsafe base.storeBytes(of: checksum.littleEndian, toByteOffset: 0, as: UInt32.self)
    }

    /// The header of the record that starts at `offset`, if there is a valid one with a valid payload.
    static func parse(_ bytes: UnsafeRawBufferPointer, at offset: Int, salt: UInt32) -> LogRecordHeader? {
        guard offset + byteCount <= bytes.count else { return nil }
        func u32(_ field: Int) -> UInt32 {
            unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + field, as: UInt32.self))
        }
        func u64(_ field: Int) -> UInt64 {
            unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + field, as: UInt64.self))
        }
        // The type first: it costs next to nothing where a search goes through zeros or old bytes.
        guard u32(12) == batchType, let base = bytes.baseAddress,
            unsafe cstorage_crc32c(salt, base + offset + 4, byteCount - 4) == u32(0)
        else { return nil }
        let header = LogRecordHeader(
            payloadByteCount: Int(u32(8)), sequence: u64(16), previousSequence: u64(24),
            commitTime: Int64(bitPattern: u64(32)), syncedThrough: u64(40))
        guard offset + byteCount + header.payloadByteCount <= bytes.count, u32(48) == 0,
            header.sequence > header.previousSequence, header.sequence <= SequenceNumber.max.rawValue,
            unsafe cstorage_crc32c(salt, base + offset + byteCount, header.payloadByteCount) == u32(4)
        else { return nil }
        return header
    }
}
