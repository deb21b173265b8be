// BSONValue.swift — one BSON value in Swift's hands; nested documents stay raw bytes.

/// A BSON value.
///
/// Equality and hashing are by type and content (`int32(1)` is not `double(1)`); the order and equality of MongoDB, in
/// which all numbers are one class, are ``isEqual(to:)`` and ``compare(_:)``.
public enum BSONValue: Sendable, Hashable {
    case double(Double)
    case string(String)
    case document(Document)
    case array([BSONValue])
    case binary(BSONBinary)
    case undefined
    case objectID(ObjectID)
    case bool(Bool)
    case date(BSONDate)
    case null
    case regex(BSONRegex)
    case dbPointer(namespace: String, ObjectID)
    case javascript(String)
    case symbol(String)
    case javascriptWithScope(String, Document)
    case int32(Int32)
    case timestamp(BSONTimestamp)
    case int64(Int64)
    case decimal128(Decimal128)
    case maxKey
    case minKey

    public var type: BSONType {
        switch self {
        case .double: .double
        case .string: .string
        case .document: .document
        case .array: .array
        case .binary: .binary
        case .undefined: .undefined
        case .objectID: .objectID
        case .bool: .bool
        case .date: .date
        case .null: .null
        case .regex: .regex
        case .dbPointer: .dbPointer
        case .javascript: .javascript
        case .symbol: .symbol
        case .javascriptWithScope: .javascriptWithScope
        case .int32: .int32
        case .timestamp: .timestamp
        case .int64: .int64
        case .decimal128: .decimal128
        case .maxKey: .maxKey
        case .minKey: .minKey
        }
    }
}

extension BSONValue {
    /// A 32-bit integer if the number fits, a 64-bit one otherwise.
    public static func int(_ number: Int) -> BSONValue {
        Int32(exactly: number).map(BSONValue.int32) ?? .int64(Int64(number))
    }

    public static func date(_ instant: StorageInstant) -> BSONValue { .date(BSONDate(instant)) }

    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var documentValue: Document? {
        if case .document(let document) = self { document } else { nil }
    }

    public var arrayValue: [BSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public var boolValue: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    public var objectIDValue: ObjectID? {
        if case .objectID(let id) = self { id } else { nil }
    }

    public var dateValue: BSONDate? {
        if case .date(let date) = self { date } else { nil }
    }

    /// The number, of whatever numeric type, if it is integral and in the range of `Int`.
    public var intValue: Int? {
        switch self {
        case .int32(let number): Int(number)
        case .int64(let number): Int(number)
        case .double(let number): Int(exactly: number)
        case .decimal128(let number): number.integer.map { Int($0) }
        default: nil
        }
    }

    /// The number, of whatever numeric type, as the nearest double.
    public var doubleValue: Double? {
        switch self {
        case .int32(let number): Double(number)
        case .int64(let number): Double(number)
        case .double(let number): number
        case .decimal128(let number): number.nearestDouble
        default: nil
        }
    }

    /// MongoDB's truth: everything but `false`, null, undefined and zero.
    var isTruthy: Bool {
        switch self {
        case .bool(let flag): flag
        case .null, .undefined: false
        case .int32, .int64, .double, .decimal128: doubleValue != 0
        default: true
        }
    }
}

extension BSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByStringInterpolation
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: BSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, BSONValue)...) { self = .document(Document(elements)) }
}

extension BSONValue: CustomStringConvertible {
    /// Relaxed Extended JSON.
    public var description: String { ExtendedJSON.relaxed(self) }
}
