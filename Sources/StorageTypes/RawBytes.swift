// RawBytes.swift — the few operations on byte spans that every layer needs.

public import CStorage

extension Array where Element == UInt8 {
    /// The array's bytes, borrowed.
    public var rawSpan: RawSpan {
        @_lifetime(borrow self)
        @inlinable
        get {
            let bytes = unsafe span.bytes
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// A copy of the span's bytes.
    @inlinable
    public init(_ bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }

    @inlinable
    public mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}

extension Span where Element == UInt8 {
    /// The span's bytes.
    public var rawSpan: RawSpan {
        @_lifetime(copy self)
        @inlinable
        get { unsafe bytes }
    }
}

extension RawSpan {
    /// A copy of the bytes.
    @inlinable
    public func array() -> [UInt8] {
        Array(self)
    }

    /// The order of `memcmp`, a shorter span before a longer one that starts with it: negative, zero or positive.
    @inlinable
    public func compare(_ other: RawSpan) -> Int {
        let common = Swift.min(byteCount, other.byteCount)
        let order = unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                unsafe Int(cstorage_compare(left.baseAddress, right.baseAddress, common))
            }
        }
        return order != 0 ? order : byteCount - other.byteCount
    }

    @inlinable
    public func equals(_ other: RawSpan) -> Bool {
        byteCount == other.byteCount && compare(other) == 0
    }

    @inlinable
    public func starts(with prefix: RawSpan) -> Bool {
        byteCount >= prefix.byteCount && extracting(first: prefix.byteCount).compare(prefix) == 0
    }
}
