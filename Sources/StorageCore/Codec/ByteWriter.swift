// ByteWriter.swift — little-endian fields for the file formats: log records, version edits, tables.
//
// Keys never pass through here: their bytes have to compare, `KeyEncoder` writes them.

internal import StorageTypes

/// Appends little-endian fields to an array of bytes.
struct ByteWriter {
    var bytes: [UInt8]

    init(reservingCapacity capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    var count: Int { bytes.count }

    mutating func u8(_ value: UInt8) {
        bytes.append(value)
    }

    mutating func u16(_ value: UInt16) {
        append(value)
    }

    mutating func u32(_ value: UInt32) {
        append(value)
    }

    mutating func u64(_ value: UInt64) {
        append(value)
    }

    mutating func i64(_ value: Int64) {
        append(UInt64(bitPattern: value))
    }

    /// Seven bits a byte, the lowest first, the top bit set on all bytes but the last: 1 to 10 bytes.
    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// The bytes as they are.
    mutating func raw(_ value: RawSpan) {
        bytes.append(value)
    }

    /// The number of bytes as a varint, then the bytes.
    mutating func lengthPrefixed(_ value: RawSpan) {
        varint(UInt64(value.byteCount))
        bytes.append(value)
    }

    /// UTF-8, length-prefixed.
    mutating func string(_ value: String) {
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Overwrites four bytes written before, such as a length or a checksum that is known only at the end.
    mutating func replaceU32(at offset: Int, with value: UInt32) {
        precondition(offset >= 0 && offset <= bytes.count - 4, "The field to replace must have been written.")
        for index in 0..<4 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index)))
        }
    }

    private mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}
