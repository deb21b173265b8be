// CQLDuration.swift — `duration`: months, days and nanoseconds, which no calendar can turn into each other.

/// A span of time as Cassandra's `duration` ([CA] cql3/Duration.java).
///
/// All three numbers have the same sign. Durations have no order.
public struct CQLDuration: Hashable, Sendable {
    public let months: Int32
    public let days: Int32
    public let nanoseconds: Int64

    public init(months: Int32 = 0, days: Int32 = 0, nanoseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.nanoseconds = nanoseconds
    }

    var isValid: Bool {
        (months >= 0 && days >= 0 && nanoseconds >= 0) || (months <= 0 && days <= 0 && nanoseconds <= 0)
    }

    fileprivate static let nanosecondUnits: [(symbol: String, nanoseconds: Int64)] = [
        ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000),
        ("ns", 1),
    ]
}

extension CQLDuration: CustomStringConvertible {
    /// As Cassandra writes it: `1y2mo3d4h5m6s7ms8us9ns`.
    public var description: String {
        var text = months < 0 || days < 0 || nanoseconds < 0 ? "-" : ""
        func append(_ value: some BinaryInteger, _ symbol: String) {
            if value != 0 { text += "\(value)\(symbol)" }
        }
        append(months.magnitude / 12, "y")
        append(months.magnitude % 12, "mo")
        append(days.magnitude, "d")
        var rest = nanoseconds.magnitude
        for (symbol, unit) in Self.nanosecondUnits {
            append(rest / UInt64(unit), symbol)
            rest %= UInt64(unit)
        }
        return text.isEmpty || text == "-" ? "0ns" : text
    }
}

// MARK: - Reading

extension CQLDuration {
    /// `1y2mo10d`, in upper or lower case, or ISO 8601 `P1Y2M10DT2H`, `P3W`, or `P0001-02-10T02:00:00`, in upper case, with
    /// an optional minus in front.
    public init?(_ text: String) {
        guard let duration = try? CQLDuration(reading: text) else { return nil }
        self = duration
    }

    /// - Throws: `InvalidRequest` with Cassandra's words.
    init(reading text: String) throws {
        let isNegative = text.hasPrefix("-")
        let body = isNegative ? String(text.dropFirst()) : text
        var builder = DurationBuilder()
        let isRead = try body.hasPrefix("P") ? builder.readISO(body.dropFirst()) : builder.readUnits(body)
        guard isRead, !body.isEmpty else { throw CQLError.invalid("Unable to convert '\(body)' to a duration") }
        self = builder.duration(isNegative: isNegative)
    }
}

extension CQLDuration {
    /// As CQL writes them.
    static let unitNames: Set<String> = ["y", "mo", "w", "d", "h", "m", "s", "ms", "us", "µs", "ns"]
}

/// Adds up the parts of a duration; units must come from the greater to the smaller ([CA] cql3/Duration.java, `Builder`).
private struct DurationBuilder {
    private var months: Int32 = 0
    private var days: Int32 = 0
    private var nanoseconds: Int64 = 0
    private var lastRank = -1

    private static let units = ["y", "mo", "w", "d", "h", "m", "s", "ms", "us", "ns"]
    /// What Cassandra's messages call the units.
    private static let unitTitles = [
        "years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds",
        "nanoseconds",
    ]

    func duration(isNegative: Bool) -> CQLDuration {
        isNegative
            ? CQLDuration(months: -months, days: -days, nanoseconds: -nanoseconds)
            : CQLDuration(months: months, days: days, nanoseconds: nanoseconds)
    }

    mutating func readUnits(_ text: String) throws -> Bool {
        var rest = Substring(text.lowercased())
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && $0.isNumber) }
            rest = rest.dropFirst(unit.count)
            let name = unit == "µs" ? "us" : String(unit)
            guard let value = Int64(digits), let rank = Self.units.firstIndex(of: name) else { return false }
            try add(value, rank)
        }
        return true
    }

    mutating func readISO(_ text: Substring) throws -> Bool {
        if text.contains("-") { return try readAlternative(text) }
        let halves = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard !text.isEmpty, halves.count == 1 || !halves[1].isEmpty else { return false }
        return try readISO(halves[0], units: ["Y": 0, "M": 1, "W": 2, "D": 3])
            && (halves.count == 1 || readISO(halves[1], units: ["H": 4, "M": 5, "S": 6]))
    }

    private mutating func readISO(_ text: Substring, units: [Character: Int]) throws -> Bool {
        var rest = text
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard let value = Int64(digits), let unit = rest.popFirst(), let rank = units[unit] else { return false }
            try add(value, rank)
        }
        return true
    }

    /// `YYYY-MM-DDThh:mm:ss`.
    private mutating func readAlternative(_ text: Substring) throws -> Bool {
        let parts = text.split(whereSeparator: { "-T:".contains($0) }).map { Int64($0) }
        guard parts.count == 6, text.count == 19 else { return false }
        for (part, rank) in zip(parts, [0, 1, 3, 4, 5, 6]) {
            guard let part else { return false }
            try add(part, rank)
        }
        return true
    }

    private mutating func add(_ value: Int64, _ rank: Int) throws {
        guard rank > lastRank else {
            let (last, title) = (Self.unitTitles[lastRank], Self.unitTitles[rank])
            throw CQLError.invalid(
                "Invalid duration. The \(last) "
                    + (rank == lastRank ? "are specified multiple times" : "should be after \(title)"))
        }
        lastRank = rank
        switch rank {
        case 0: try Self.add(value, 12, to: &months, "months")
        case 1: try Self.add(value, 1, to: &months, "months")
        case 2: try Self.add(value, 7, to: &days, "days")
        case 3: try Self.add(value, 1, to: &days, "days")
        default:
            try Self.add(value, CQLDuration.nanosecondUnits[rank - 4].nanoseconds, to: &nanoseconds, "nanoseconds")
        }
    }

    private static func add<Total: FixedWidthInteger>(
        _ value: Int64, _ unit: Int64, to total: inout Total, _ title: String
    ) throws {
        let (scaled, overflow) = value.multipliedReportingOverflow(by: unit)
        let (sum, sumOverflow) = Int64(total).addingReportingOverflow(scaled)
        guard !overflow, !sumOverflow, let sum = Total(exactly: sum) else {
            // Of nanoseconds too Cassandra names the greatest int, though there may be more.
            throw CQLError.invalid(
                "Invalid duration. The total number of \(title) must be less or equal to \(Int32.max)")
        }
        total = sum
    }
}

// MARK: - Bytes

extension CQLDuration {
    /// Three variable-length integers, as the native protocol (v5 specification, §6) writes them.
    init(_ bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        guard let months = Int32(exactly: try reader.signedVInt()), let days = Int32(exactly: try reader.signedVInt())
        else { throw ByteReader.tooShort }
        self.init(months: months, days: days, nanoseconds: try reader.signedVInt())
        guard reader.isAtEnd else { throw ByteReader.tooShort }
    }

    func append(to bytes: inout [UInt8]) {
        bytes.appendSignedVInt(Int64(months))
        bytes.appendSignedVInt(Int64(days))
        bytes.appendSignedVInt(nanoseconds)
    }
}
