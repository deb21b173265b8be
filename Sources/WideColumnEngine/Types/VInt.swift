// VInt.swift — Cassandra's variable-length integers ([CA] utils/vint/VIntCoding.java): the number of ones that the first
// byte begins with is the number of bytes that follow; the rest of it and they hold the number, big-endian.

extension Array where Element == UInt8 {
    mutating func appendVInt(_ value: UInt64) {
        let bits = 64 - value.leadingZeroBitCount
        let extra = bits > 56 ? 8 : Swift.max(0, (bits - 1) / 7)
        let mask: UInt8 = extra == 0 ? 0 : ~(0xFF >> UInt8(extra))
        if extra < 8 {
            append(mask | UInt8(truncatingIfNeeded: value >> UInt64(extra * 8)))
        } else {
            append(0xFF)
        }
        for index in stride(from: extra - 1, through: 0, by: -1) {
            append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8)))
        }
    }

    /// Zigzag: 0, -1, 1, -2, …
    mutating func appendSignedVInt(_ value: Int64) {
        appendVInt(UInt64(bitPattern: value << 1 ^ value >> 63))
    }
}

extension ByteReader {
    @_lifetime(self: copy self)
    mutating func vint() throws -> UInt64 {
        let first = try uint8()
        let extra = (~first).leadingZeroBitCount
        var value = extra >= 7 ? 0 : UInt64(first & (0xFF >> UInt8(extra)))
        for _ in 0..<extra { value = value << 8 | UInt64(try uint8()) }
        return value
    }

    @_lifetime(self: copy self)
    mutating func signedVInt() throws -> Int64 {
        let value = try vint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
