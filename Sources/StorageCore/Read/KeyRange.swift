// KeyRange.swift — a half-open range of keys.

/// The keys from `lower` up to, but not including, `upper`, in memcmp order; nil is open.
public struct KeyRange: Sendable, Hashable {
    public var lower: [UInt8]?
    public var upper: [UInt8]?

    public init(lower: [UInt8]? = nil, upper: [UInt8]? = nil) {
        self.lower = lower
        self.upper = upper
    }

    public static let all = KeyRange()

    /// Every key that starts with `bytes`.
    public static func prefix(_ bytes: [UInt8]) -> KeyRange {
        KeyRange(lower: bytes, upper: upperBound(ofPrefix: bytes))
    }

    public func contains(_ key: RawSpan) -> Bool {
        if let lower, key.compare(lower.rawSpan) < 0 { return false }
        if let upper, key.compare(upper.rawSpan) >= 0 { return false }
        return true
    }
}
