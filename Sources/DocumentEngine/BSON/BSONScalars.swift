// BSONScalars.swift — the small value types of BSON that Swift has no type of its own for.

/// Milliseconds since 1970-01-01 UTC: BSON's date, whose range is wider than that of ``StorageInstant``.
public struct BSONDate: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The instant, rounded down to a millisecond.
    public init(_ instant: StorageInstant) {
        milliseconds = instant.milliseconds
    }

    /// The date as an instant; a date beyond the range of microseconds in 64 bits is clamped.
    public var instant: StorageInstant { StorageInstant(milliseconds: milliseconds) }

    public static func < (left: BSONDate, right: BSONDate) -> Bool { left.milliseconds < right.milliseconds }

    public var description: String { ISO8601.text(milliseconds: milliseconds) ?? "\(milliseconds) ms" }
}

/// Bytes with a subtype.
public struct BSONBinary: Sendable, Hashable {
    public var subtype: UInt8
    public var bytes: [UInt8]

    public static let generic: UInt8 = 0
    /// The old generic form, which repeats its length inside.
    public static let oldGeneric: UInt8 = 2
    public static let uuid: UInt8 = 4

    public init(_ bytes: [UInt8], subtype: UInt8 = BSONBinary.generic) {
        self.bytes = bytes
        self.subtype = subtype
    }
}

/// A regular expression as data: the pattern and its options in alphabetical order.
public struct BSONRegex: Sendable, Hashable {
    public var pattern: String
    public var options: String

    public init(_ pattern: String, options: String = "") {
        self.pattern = pattern
        self.options = String(options.sorted())
    }
}

/// The replication timestamp of MongoDB: seconds since 1970 and an ordinal within the second.
public struct BSONTimestamp: Sendable, Hashable, Comparable {
    public var seconds: UInt32
    public var increment: UInt32

    public init(seconds: UInt32, increment: UInt32) {
        self.seconds = seconds
        self.increment = increment
    }

    init(rawValue: UInt64) {
        seconds = UInt32(truncatingIfNeeded: rawValue >> 32)
        increment = UInt32(truncatingIfNeeded: rawValue)
    }

    var rawValue: UInt64 { UInt64(seconds) << 32 | UInt64(increment) }

    public static func < (left: BSONTimestamp, right: BSONTimestamp) -> Bool { left.rawValue < right.rawValue }
}
