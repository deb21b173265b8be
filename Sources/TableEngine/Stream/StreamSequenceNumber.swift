// StreamSequenceNumber.swift — the position of a record in a table's change stream.

public import StorageTypes

/// The position of a stream record: the commit that made the change, and which change of that commit it was.
///
/// The order is that of the commits, and within a commit that of its changes. The text is 28 decimal digits, a
/// constant 1, 17 digits of the commit and 10 of the ordinal, so texts order as the numbers do.
public struct StreamSequenceNumber: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let commit: SequenceNumber
    public let ordinal: UInt32

    public init(commit: SequenceNumber, ordinal: UInt32) {
        self.commit = commit
        self.ordinal = ordinal
    }

    /// Before every record.
    public static let zero = StreamSequenceNumber(commit: .zero, ordinal: 0)

    /// Reads the 28 digits back; `nil` for anything else.
    public init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 28, digits[0] == UInt8(ascii: "1"),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let commit = UInt64(text.dropFirst().prefix(17)), commit <= SequenceNumber.max.rawValue,
            let ordinal = UInt32(text.suffix(10))
        else { return nil }
        self.init(commit: SequenceNumber(commit), ordinal: ordinal)
    }

    public static func < (left: StreamSequenceNumber, right: StreamSequenceNumber) -> Bool {
        (left.commit, left.ordinal) < (right.commit, right.ordinal)
    }

    public var description: String {
        "1" + Self.padded(commit.rawValue, to: 17) + Self.padded(UInt64(ordinal), to: 10)
    }

    private static func padded(_ value: UInt64, to count: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    }
}
