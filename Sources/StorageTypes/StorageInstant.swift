// StorageInstant.swift — wall-clock time as storage keeps it: commit times, read times, expiry.

/// A point in wall-clock time, in microseconds since 1970-01-01 00:00:00 UTC.
public struct StorageInstant: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let microseconds: Int64

    @inlinable
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Milliseconds since 1970; values outside the representable range are clamped.
    public init(milliseconds: Int64) {
        self.microseconds = Self.clampedProduct(milliseconds, 1000)
    }

    /// Seconds since 1970; values outside the representable range are clamped.
    public init(seconds: Int64) {
        self.microseconds = Self.clampedProduct(seconds, 1_000_000)
    }

    public static let distantPast = StorageInstant(microseconds: .min)
    public static let distantFuture = StorageInstant(microseconds: .max)

    /// Whole milliseconds since 1970, rounded down.
    public var milliseconds: Int64 { Self.floorDivide(microseconds, 1000) }

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 { Self.floorDivide(microseconds, 1_000_000) }

    @inlinable
    public static func < (left: StorageInstant, right: StorageInstant) -> Bool {
        left.microseconds < right.microseconds
    }

    /// The instant `duration` later, rounded down to a microsecond and clamped to the representable range.
    public func advanced(by duration: Duration) -> StorageInstant {
        let (whole, rest) = duration.attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        let difference = rest < 0 ? whole - 1 : whole
        return StorageInstant(microseconds: Int64(clamping: Int128(microseconds) + difference))
    }

    /// How much later `other` is; negative if it is earlier.
    public func duration(to other: StorageInstant) -> Duration {
        .microseconds(other.microseconds) - .microseconds(microseconds)
    }

    public var description: String { "\(microseconds) µs" }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func clampedProduct(_ value: Int64, _ factor: Int64) -> Int64 {
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        guard overflow else { return product }
        return value < 0 ? .min : .max
    }
}
