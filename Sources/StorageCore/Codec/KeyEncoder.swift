// KeyEncoder.swift — keys whose bytes compare by memcmp as their values do.
//
//     component   bytes                                                                      ascending
//     uint        big-endian
//     int         big-endian, the sign bit flipped
//     double      IEEE 754 bits big-endian; negative: all bits inverted, else: the sign bit set.
//                 NaN is eight zero bytes, below everything; -0 is written as 0
//     bytes       the bytes, each 00 as 00 FF, then the terminator 00 00
//     string      its UTF-8 as bytes
//     decimal     see KeyEncoder+Decimal.swift
//     raw         the bytes as they are, without an end: only as the last component
//
// Descending components are the same bytes inverted. No component's bytes are a prefix of another's of the same kind, so
// tuples compare component by component, whatever follows. A string sorts before its continuations ("a" < "a\0" < "ab"),
// after them when descending. Every value has one encoding, and the decoder accepts no other.
//
// These bytes are on disk: a change of this file is a change of every engine's format.

public import StorageTypes

/// Builds order-preserving keys, component by component.
///
/// ```swift
/// var key = KeyEncoder()
/// key.append(string: session)
/// key.append(int64: time, descending: true)
/// try storage.write { try $0.put(events, key.bytes.rawSpan, value) }
/// ```
public struct KeyEncoder: Sendable {
    /// The key so far.
    public var bytes: [UInt8]

    @inlinable
    public init() {
        bytes = []
    }

    /// Starts a new key, keeping the memory.
    @inlinable
    public mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
    }

    @inlinable
    public mutating func append(uint8 value: UInt8, descending: Bool = false) {
        bytes.append(descending ? ~value : value)
    }

    @inlinable
    public mutating func append(uint16 value: UInt16, descending: Bool = false) {
        appendBigEndian(descending ? ~value : value)
    }

    @inlinable
    public mutating func append(uint32 value: UInt32, descending: Bool = false) {
        appendBigEndian(descending ? ~value : value)
    }

    @inlinable
    public mutating func append(uint64 value: UInt64, descending: Bool = false) {
        appendBigEndian(descending ? ~value : value)
    }

    @inlinable
    public mutating func append(int32 value: Int32, descending: Bool = false) {
        append(uint32: UInt32(bitPattern: value) ^ (1 << 31), descending: descending)
    }

    @inlinable
    public mutating func append(int64 value: Int64, descending: Bool = false) {
        append(uint64: UInt64(bitPattern: value) ^ (1 << 63), descending: descending)
    }

    /// The order of IEEE 754, except that -0 equals 0 and every NaN is equal and below minus infinity.
    @inlinable
    public mutating func append(double value: Double, descending: Bool = false) {
        append(uint64: Self.orderedBits(of: value), descending: descending)
    }

    /// The order of the UTF-8 bytes, which is the order of the code points.
    @inlinable
    public mutating func append(string value: String, descending: Bool = false) {
        var value = value
        value.withUTF8 { unsafe appendEscaped(UnsafeRawBufferPointer($0), descending: descending) }
    }

    /// The order of memcmp, a prefix before its continuations.
    @inlinable
    public mutating func append(bytes value: RawSpan, descending: Bool = false) {
        unsafe value.withUnsafeBytes { unsafe appendEscaped($0, descending: descending) }
    }

    /// The order of memcmp, a prefix before its continuations.
    @inlinable
    public mutating func append(bytes value: [UInt8], descending: Bool = false) {
        unsafe value.withUnsafeBytes { unsafe appendEscaped($0, descending: descending) }
    }

    /// The bytes as they are, without a terminator: for the last component, or for bytes encoded before.
    @inlinable
    public mutating func append(raw value: RawSpan) {
        bytes.append(value)
    }

    @inlinable
    static func orderedBits(of value: Double) -> UInt64 {
        if value.isNaN { return 0 }
        // Adding zero turns -0 into 0.
        let bits = (value + 0).bitPattern
        return bits >> 63 == 1 ? ~bits : bits | 1 << 63
    }

    @inlinable
    mutating func appendBigEndian<Value: FixedWidthInteger>(_ value: Value) {
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    @inlinable
    mutating func appendEscaped(_ value: UnsafeRawBufferPointer, descending: Bool) {
        let mask: UInt8 = descending ? 0xFF : 0
        if unsafe descending || value.contains(0) {
            for index in 0..<value.count {
                let byte = unsafe value[index]
                bytes.append(byte ^ mask)
                if byte == 0 { bytes.append(0xFF ^ mask) }
            }
        } else {
            unsafe bytes.append(contentsOf: value)
        }
        bytes.append(mask)
        bytes.append(mask)
    }
}
