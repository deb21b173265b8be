// UnsafeBytes.swift — reading integers and matching bytes through pointers, every read against a limit.

/// Reads a varint at `offset` and moves behind it; nil if it does not end before `limit` or exceeds 64 bits.
@inline(__always)
func readVarint(_ base: UnsafeRawPointer, _ offset: inout Int, _ limit: Int) -> UInt64? {
    guard offset < limit else { return nil }
    let first = unsafe base.load(fromByteOffset: offset, as: UInt8.self)
    if first < 0x80 {
        offset &+= 1
        return UInt64(first)
    }
    return unsafe readLongVarint(base, &offset, limit)
}

private func readLongVarint(_ base: UnsafeRawPointer, _ offset: inout Int, _ limit: Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < limit, shift < 64 {
        let byte = unsafe UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
        guard shift < 63 || byte <= 1 else { return nil }
        value |= (byte & 0x7F) &<< shift
        offset &+= 1
        if byte < 0x80 { return value }
        shift &+= 7
    }
    return nil
}

/// Reads a little-endian integer; the caller has checked that it lies inside.
@inline(__always)
func readInteger<Value: FixedWidthInteger & BitwiseCopyable>(
    _ base: UnsafeRawPointer, _ offset: Int, as type: Value.Type
) -> Value {
    unsafe Value(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: Value.self))
}

/// How many of the first `count` bytes of both are equal.
@inline(__always)
func commonPrefixByteCount(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Int {
    var index = 0
    while index &+ 8 <= count {
        let difference = unsafe readInteger(left, index, as: UInt64.self) ^ readInteger(right, index, as: UInt64.self)
        guard difference == 0 else { return index &+ difference.trailingZeroBitCount / 8 }
        index &+= 8
    }
    while index < count {
        let same =
            unsafe left.load(fromByteOffset: index, as: UInt8.self)
            == right.load(fromByteOffset: index, as: UInt8.self)
        guard same else { return index }
        index &+= 1
    }
    return count
}
