// CQLValue.swift — one value of a CQL type in Swift's terms.

/// A value bound to a marker or read from a row.
///
/// Literals make bound values short: `["sess_1", 42, true, nil]`. An integer literal fits any integer column and
/// `timestamp` (milliseconds); a value out of a column's range is refused when it is bound.
///
/// `==` is Swift's, not CQL's: a NaN equals nothing, 1.0 is not 1.00, and texts that Unicode holds to be the same are equal
/// where a store, which compares bytes, tells them apart.
public enum CQLValue: Hashable, Sendable {
    /// Writes a tombstone; in a result, a column without a value.
    case null
    /// A bound marker that is left out: the column keeps what it has.
    case unset
    /// The value without bytes that most types of fixed length have beside their others.
    case empty
    case boolean(Bool)
    case tinyint(Int8)
    case smallint(Int16)
    case int(Int32)
    /// `bigint` and `counter`.
    case bigint(Int64)
    case varint(CQLInteger)
    case decimal(CQLDecimal)
    case float(Float)
    case double(Double)
    /// `text`, `varchar` and `ascii`.
    case text(String)
    case blob([UInt8])
    /// `uuid` and `timeuuid`.
    case uuid(CQLUUID)
    /// Milliseconds since 1970-01-01 00:00 UTC.
    case timestamp(Int64)
    /// Days since 1970-01-01.
    case date(Int32)
    /// Nanoseconds since midnight.
    case time(Int64)
    /// Four or sixteen bytes in network order.
    case inet([UInt8])
    case list([CQLValue])
    /// In the order of the element type.
    case set([CQLValue])
    /// In the order of the key type.
    case map([Entry])
    case duration(CQLDuration)
    /// Elements may be null.
    case tuple([CQLValue])
    /// A value of a user-defined type: its fields in order, some of them null.
    case userDefined([Field])
    case vector([CQLValue])

    public struct Entry: Hashable, Sendable {
        public var key: CQLValue
        public var value: CQLValue

        public init(key: CQLValue, value: CQLValue) {
            self.key = key
            self.value = value
        }
    }

    /// A field of a user-defined type.
    public struct Field: Hashable, Sendable {
        public var name: String
        public var value: CQLValue

        public init(_ name: String, _ value: CQLValue) {
            self.name = name
            self.value = value
        }
    }

    /// The field of a user-defined type; null where there is none.
    public subscript(field name: String) -> CQLValue {
        guard case .userDefined(let fields) = self else { return .null }
        return fields.first { $0.name == name }?.value ?? .null
    }

    public static func timestamp(_ instant: StorageInstant) -> CQLValue { .timestamp(instant.milliseconds) }

    public var isNull: Bool { self == .null }
}

extension CQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .bigint(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: CQLValue...) { self = .list(elements) }

    public init(dictionaryLiteral elements: (CQLValue, CQLValue)...) {
        self = .map(elements.map { Entry(key: $0.0, value: $0.1) })
    }
}

extension CQLValue: CustomStringConvertible {
    /// CQL's literal of a number that has no digits.
    private static func name(ofInfinite value: Double) -> String {
        value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }

    /// The value as a CQL literal.
    public var description: String {
        switch self {
        case .null: "null"
        case .unset: "unset"
        case .empty: "''"
        case .varint(let value): "\(value)"
        case .decimal(let value): "\(value)"
        case .duration(let value): "\(value)"
        case .tuple(let elements): "(\(Self.joined(elements)))"
        case .vector(let elements): "[\(Self.joined(elements))]"
        case .userDefined(let fields):
            "{\(fields.map { "\(CQLName.quotedIfNeeded($0.name)): \($0.value)" }.joined(separator: ", "))}"
        case .boolean(let value): value ? "true" : "false"
        case .tinyint(let value): "\(value)"
        case .smallint(let value): "\(value)"
        case .int(let value): "\(value)"
        case .bigint(let value): "\(value)"
        case .float(let value): value.isFinite ? "\(value)" : Self.name(ofInfinite: Double(value))
        case .double(let value): value.isFinite ? "\(value)" : Self.name(ofInfinite: value)
        case .text(let value): Self.quoted(value)
        case .blob(let value): value.cqlHexadecimal
        case .uuid(let value): "\(value)"
        case .timestamp(let value): "'\(CalendarText.timestamp(milliseconds: value))'"
        case .date(let value): "'\(CalendarText.date(days: Int64(value)))'"
        case .time(let value): "'\(CalendarText.time(nanoseconds: value))'"
        case .inet(let value): "'\(InternetAddress.text(value))'"
        case .list(let elements): "[\(Self.joined(elements))]"
        case .set(let elements): "{\(Self.joined(elements))}"
        case .map(let entries): "{\(entries.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        }
    }

    /// Single quotes around the text, those inside doubled.
    static func quoted(_ text: String) -> String { text.quoted(by: UInt8(ascii: "'")) }

    private static func joined(_ elements: [CQLValue]) -> String {
        elements.map(\.description).joined(separator: ", ")
    }
}
