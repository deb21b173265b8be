// ByteComparison.swift — memcmp order over the forms in which keys travel inside the tree.

internal import CStorage

/// The order of `memcmp`, a prefix before what it is a prefix of: negative, zero or positive.
@inline(__always)
func compareBytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let order = unsafe cstorage_compare(left.baseAddress, right.baseAddress, min(left.count, right.count))
    return order != 0 ? Int(order) : left.count - right.count
}

@inline(__always)
func compareBytes(_ left: [UInt8], _ right: UnsafeRawBufferPointer) -> Int {
    unsafe left.withUnsafeBytes { unsafe compareBytes($0, right) }
}

@inline(__always)
func compareBytes(_ left: [UInt8], _ right: [UInt8]) -> Int {
    unsafe left.withUnsafeBytes { left in unsafe right.withUnsafeBytes { unsafe compareBytes(left, $0) } }
}

/// The bytes from `offset` on, as many as a number has, as a big-endian number, filled up with zeros. Where those of two keys
/// that are alike in front of `offset` differ, the keys compare as the numbers do; where they are equal, nothing is known.
@inline(__always)
func leadingNumber<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ key: UnsafeRawBufferPointer, from offset: Int = 0
) -> Number {
    guard let base = key.baseAddress else { return 0 }
    let width = MemoryLayout<Number>.size
    if key.count &- offset >= width {
        return unsafe Number(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
    var number: Number = 0
    for place in 0..<width where offset &+ place < key.count {
        let byte = unsafe base.load(fromByteOffset: offset &+ place, as: UInt8.self)
        number |= Number(byte) &<< Number((width &- 1 &- place) &* 8)
    }
    return number
}

@inline(__always)
func leadingNumber<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ key: [UInt8], from offset: Int = 0
) -> Number {
    unsafe key.withUnsafeBytes { unsafe leadingNumber($0, from: offset) }
}

/// The order of the tree: key ascending, then sequence descending.
@inline(__always)
func compareEntries(
    _ leftKey: UnsafeRawBufferPointer, _ leftSequence: UInt64, _ rightKey: UnsafeRawBufferPointer,
    _ rightSequence: UInt64
) -> Int {
    let order = unsafe compareBytes(leftKey, rightKey)
    if order != 0 { return order }
    return leftSequence == rightSequence ? 0 : (leftSequence > rightSequence ? -1 : 1)
}

/// The smallest byte string after every string that starts with `prefix`; nil if there is none.
func upperBound(ofPrefix prefix: [UInt8]) -> [UInt8]? {
    var bound = prefix
    while let last = bound.popLast() {
        if last < 0xFF {
            bound.append(last + 1)
            return bound
        }
    }
    return nil
}
