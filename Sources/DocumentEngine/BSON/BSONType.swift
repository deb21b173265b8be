// BSONType.swift — the type tags of BSON: their bytes, their names in `$type`, and their place in the total order.

/// The type of a BSON value; the raw value is the tag byte of the format (bsonspec.org, version 1.1). Do not renumber.
public enum BSONType: UInt8, Sendable, Hashable, CaseIterable {
    case double = 0x01
    case string = 0x02
    case document = 0x03
    case array = 0x04
    case binary = 0x05
    case undefined = 0x06
    case objectID = 0x07
    case bool = 0x08
    case date = 0x09
    case null = 0x0A
    case regex = 0x0B
    case dbPointer = 0x0C
    case javascript = 0x0D
    case symbol = 0x0E
    case javascriptWithScope = 0x0F
    case int32 = 0x10
    case timestamp = 0x11
    case int64 = 0x12
    case decimal128 = 0x13
    case maxKey = 0x7F
    case minKey = 0xFF

    /// The name that `$type`, `bsonType` and error documents use.
    public var alias: String {
        switch self {
        case .double: "double"
        case .string: "string"
        case .document: "object"
        case .array: "array"
        case .binary: "binData"
        case .undefined: "undefined"
        case .objectID: "objectId"
        case .bool: "bool"
        case .date: "date"
        case .null: "null"
        case .regex: "regex"
        case .dbPointer: "dbPointer"
        case .javascript: "javascript"
        case .symbol: "symbol"
        case .javascriptWithScope: "javascriptWithScope"
        case .int32: "int"
        case .timestamp: "timestamp"
        case .int64: "long"
        case .decimal128: "decimal"
        case .maxKey: "maxKey"
        case .minKey: "minKey"
        }
    }

    /// The type with this alias; `number` is not a type but a set, see ``BSONTypeSet``.
    public init?(alias: String) {
        guard let type = BSONType.allCases.first(where: { $0.alias == alias }) else { return nil }
        self = type
    }

    /// The number that `$type` accepts: the tag, with -1 for minKey.
    var queryNumber: Int { self == .minKey ? -1 : Int(rawValue) }

    var isNumber: Bool {
        switch self {
        case .int32, .int64, .double, .decimal128: true
        default: false
        }
    }

    /// The rank of the type in the total order of values; types that compare with one another share a rank.
    ///
    /// The numbers are the server's canonical types; index keys store them (shifted), so do not renumber.
    /// Source: the MongoDB manual, reference/bson-type-comparison-order.
    var canonicalRank: Int {
        switch self {
        case .minKey: -1
        case .undefined: 0
        case .null: 5
        case .int32, .int64, .double, .decimal128: 10
        case .string, .symbol: 15
        case .document: 20
        case .array: 25
        case .binary: 30
        case .objectID: 35
        case .bool: 40
        case .date: 45
        case .timestamp: 47
        case .regex: 50
        case .dbPointer: 55
        case .javascript: 60
        case .javascriptWithScope: 65
        case .maxKey: 127
        }
    }
}

/// A set of types as one word of bits, for `$type` and `bsonType`.
struct BSONTypeSet: Sendable, Hashable {
    private(set) var bits: UInt64 = 0

    init() {}

    init(_ types: [BSONType]) {
        for type in types { insert(type) }
    }

    static let numbers = BSONTypeSet([.double, .int32, .int64, .decimal128])
    static let all = BSONTypeSet(BSONType.allCases)

    var isEmpty: Bool { bits == 0 }

    func contains(_ type: BSONType) -> Bool { bits & Self.bit(of: type) != 0 }

    mutating func insert(_ type: BSONType) { bits |= Self.bit(of: type) }

    mutating func formUnion(_ other: BSONTypeSet) { bits |= other.bits }

    func isSubset(of other: BSONTypeSet) -> Bool { bits & ~other.bits == 0 }

    private static func bit(of type: BSONType) -> UInt64 {
        switch type {
        case .minKey: 1 << 62
        case .maxKey: 1 << 63
        default: 1 << UInt64(type.rawValue)
        }
    }
}
