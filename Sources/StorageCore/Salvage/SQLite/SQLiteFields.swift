// SQLiteFields.swift — the numbers in a SQLite database, which are big-endian.
//
// https://www.sqlite.org/fileformat2.html. Invariant: whatever lies outside the bytes is nil; no byte pattern traps.

extension [UInt8] {
    /// An unsigned number of up to eight bytes.
    func bigEndian(at offset: Int, byteCount: Int) -> UInt64? {
        guard offset >= 0, byteCount <= count, offset <= count - byteCount else { return nil }
        return self[offset..<offset + byteCount].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A two's complement number of up to eight bytes.
    func signedBigEndian(at offset: Int, byteCount: Int) -> Int64? {
        guard byteCount > 0, let bits = bigEndian(at: offset, byteCount: byteCount) else { return nil }
        let unused = UInt64(64 - 8 * byteCount)
        return Int64(bitPattern: bits << unused) >> Int64(unused)
    }

    func pageNumber(at offset: Int) -> UInt32? { bigEndian(at: offset, byteCount: 4).map { UInt32($0) } }

    /// A number of one to nine bytes, seven bits in each but the ninth; moves the offset behind it.
    func varint(at offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for position in 0..<9 {
            guard offset >= 0, offset < count else { return nil }
            let byte = self[offset]
            offset += 1
            if position == 8 { return value << 8 | UInt64(byte) }
            value = value << 7 | UInt64(byte & 0x7F)
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// A varint that counts bytes.
    func byteCount(at offset: inout Int) -> Int? {
        varint(at: &offset).flatMap { $0 <= UInt64(Int32.max) ? Int($0) : nil }
    }
}
