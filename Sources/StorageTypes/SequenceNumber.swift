// SequenceNumber.swift — the position of a commit in the one total order of a storage.

/// The position of a commit in the commit order of a storage: the first commit carries 1, each later one the next number.
///
/// Sequence numbers have 56 bits; at a million commits a second they last two thousand years.
public struct SequenceNumber: RawRepresentable, Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Before the first commit.
    public static let zero = SequenceNumber(0)

    /// The largest number the 56 bits of the file formats hold.
    public static let max = SequenceNumber((1 << 56) - 1)

    @inlinable
    public static func < (left: SequenceNumber, right: SequenceNumber) -> Bool {
        left.rawValue < right.rawValue
    }

    public var next: SequenceNumber { SequenceNumber(rawValue + 1) }

    public var description: String { String(rawValue) }
}
