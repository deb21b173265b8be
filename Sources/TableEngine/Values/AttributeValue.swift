// AttributeValue.swift — one value of an item: DynamoDB's ten types.

/// A value of an attribute.
///
/// Sets are given as arrays; the engine refuses empty ones and duplicates when they are stored, and keeps and returns
/// their elements in ascending order. Equality is the service's: strings by their UTF-8 bytes, sets without regard to
/// order, numbers by value.
///
/// Source: Amazon DynamoDB API reference, `AttributeValue`.
public enum AttributeValue: Sendable {
    case s(String)
    case n(TableNumber)
    case b([UInt8])
    case bool(Bool)
    case null
    case l([AttributeValue])
    case m(Item)
    case ss([String])
    case ns([TableNumber])
    case bs([[UInt8]])
}

/// The types by the names that `attribute_type` and the wire use.
public enum AttributeType: String, Sendable, Hashable, CaseIterable {
    case s = "S"
    case n = "N"
    case b = "B"
    case bool = "BOOL"
    case null = "NULL"
    case l = "L"
    case m = "M"
    case ss = "SS"
    case ns = "NS"
    case bs = "BS"

    var isSet: Bool { self == .ss || self == .ns || self == .bs }

    /// Whether values of the type have an order that `<` and its siblings use.
    var isOrdered: Bool { self == .s || self == .n || self == .b }
}

extension AttributeValue {
    public var type: AttributeType {
        switch self {
        case .s: .s
        case .n: .n
        case .b: .b
        case .bool: .bool
        case .null: .null
        case .l: .l
        case .m: .m
        case .ss: .ss
        case .ns: .ns
        case .bs: .bs
        }
    }

    /// A number of any 64-bit integer.
    public static func n(_ value: Int) -> AttributeValue {
        .n(TableNumber(value))
    }

    /// A number from its text.
    ///
    /// - Throws: `ValidationException` as ``TableNumber/init(text:)``.
    public static func number(_ text: String) throws -> AttributeValue {
        .n(try TableNumber(text: text))
    }

    public var string: String? {
        guard case .s(let value) = self else { return nil }
        return value
    }

    public var number: TableNumber? {
        guard case .n(let value) = self else { return nil }
        return value
    }

    /// The number, if it is an integer of the machine's size.
    public var int: Int? { number?.int }

    public var bytes: [UInt8]? {
        guard case .b(let value) = self else { return nil }
        return value
    }

    public var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    public var list: [AttributeValue]? {
        guard case .l(let value) = self else { return nil }
        return value
    }

    public var map: Item? {
        guard case .m(let value) = self else { return nil }
        return value
    }

    public var isNull: Bool {
        guard case .null = self else { return false }
        return true
    }
}

// No nil literal: `condition ? value : nil` would then mean NULL where absence is meant.
extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) {
        self = .s(value)
    }

    public init(integerLiteral value: Int64) {
        self = .n(TableNumber(value))
    }

    /// The shortest decimal that reads back as the literal: `1.5` is 1.5. Literals beyond the range of numbers are a
    /// mistake in the program.
    public init(floatLiteral value: Double) {
        guard let number = TableNumber(value.description) else {
            preconditionFailure("A number lies between 1E-130 and 9.99E+125; \(value) does not.")
        }
        self = .n(number)
    }

    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// A list; sets are written as `.ss([…])`, `.ns([…])` and `.bs([…])`.
    public init(arrayLiteral elements: AttributeValue...) {
        self = .l(elements)
    }

    public init(dictionaryLiteral elements: (String, AttributeValue)...) {
        self = .m(Item(elements))
    }
}
