// CQLType.swift — the types a column can have. UserType.swift has those that CREATE TYPE makes.

/// The type of a column, of a bound marker or of a result.
///
/// Collections and user-defined types that are not ``frozen(_:)`` are kept element by element; what is inside of
/// another collection, a tuple or a vector is always frozen. Values have the same form either way.
public indirect enum CQLType: Hashable, Sendable {
    case ascii, bigint, blob, boolean, counter, date, decimal, double, duration, float, inet, int, smallint, text, time
    case timestamp, timeuuid, tinyint, uuid, varint
    case list(CQLType)
    case set(CQLType)
    case map(CQLType, CQLType)
    /// Always frozen.
    case tuple([CQLType])
    case userType(UserType)
    /// So many elements, always frozen.
    case vector(CQLType, Int)
    /// One value, written and read whole.
    case frozen(CQLType)

    private static let nativeTypes: [String: CQLType] = [
        "ascii": .ascii, "bigint": .bigint, "blob": .blob, "boolean": .boolean, "counter": .counter, "date": .date,
        "decimal": .decimal, "double": .double, "duration": .duration, "float": .float, "inet": .inet, "int": .int,
        "smallint": .smallint, "text": .text, "time": .time, "timestamp": .timestamp, "timeuuid": .timeuuid,
        "tinyint": .tinyint, "uuid": .uuid, "varchar": .text, "varint": .varint,
    ]

    /// The type with this CQL name; `varchar` is another name of `text`.
    public init?(nativeName name: String) {
        guard let type = Self.nativeTypes[name] else { return nil }
        self = type
    }

    /// The number of bytes every value of the type has, or `nil` where the length varies.
    var fixedByteCount: Int? {
        switch self {
        case .boolean, .tinyint: 1
        case .smallint: 2
        case .int, .float, .date: 4
        case .bigint, .counter, .double, .time, .timestamp: 8
        case .timeuuid, .uuid: 16
        default: nil
        }
    }

    /// Whether no bytes at all are a value of the type, the empty one, which comes before all others
    /// ([CA] db/marshal, the types' `validate`).
    var allowsEmpty: Bool {
        switch self {
        case .boolean, .int, .bigint, .counter, .float, .double, .timestamp, .timeuuid, .uuid, .inet, .decimal, .varint:
            true
        default: false
        }
    }

    /// The length of an element in a vector; `nil`: each has its length in front. These are Cassandra 5's choices, not
    /// ``fixedByteCount``.
    var vectorElementByteCount: Int? {
        switch self {
        case .boolean: 1
        case .int, .float: 4
        case .bigint, .counter, .double, .timestamp: 8
        case .timeuuid, .uuid: 16
        case .vector(let element, let count):
            element.vectorElementByteCount.map { byteCount in
                // Of a length that no value has.
                let (product, overflow) = byteCount.multipliedReportingOverflow(by: count)
                return overflow ? .max : product
            }
        default: nil
        }
    }

    /// The type without `frozen` at its top.
    public var bare: CQLType {
        if case .frozen(let type) = self { return type.bare }
        return self
    }

    var isCollection: Bool {
        switch bare {
        case .list, .set, .map: true
        default: false
        }
    }

    var isUserType: Bool {
        if case .userType = bare { return true }
        return false
    }

    var isText: Bool { self == .text || self == .ascii }

    var isNumeric: Bool {
        switch self {
        case .tinyint, .smallint, .int, .bigint, .counter, .float, .double, .varint, .decimal: true
        default: false
        }
    }

    /// Whether a column of the type has a cell for each element.
    var isMultiCell: Bool {
        switch self {
        case .list, .set, .map, .userType: true
        default: false
        }
    }

    /// What the type is made of.
    var components: [CQLType] {
        switch self {
        case .list(let element), .set(let element), .vector(let element, _), .frozen(let element): [element]
        case .map(let key, let value): [key, value]
        case .tuple(let elements): elements
        case .userType(let type): type.fields.map(\.type)
        default: []
        }
    }

    /// Whether the type is or has a part that `condition` holds for.
    func contains(_ condition: (CQLType) -> Bool) -> Bool {
        condition(self) || components.contains { $0.contains(condition) }
    }

    /// The same type with each part replaced.
    private func mapComponents(_ transform: (CQLType) -> CQLType) -> CQLType {
        switch self {
        case .list(let element): return .list(transform(element))
        case .set(let element): return .set(transform(element))
        case .map(let key, let value): return .map(transform(key), transform(value))
        case .vector(let element, let count): return .vector(transform(element), count)
        case .tuple(let elements): return .tuple(elements.map(transform))
        case .userType(var type):
            for index in type.fields.indices { type.fields[index].type = transform(type.fields[index].type) }
            return .userType(type)
        case .frozen(let type): return .frozen(transform(type))
        default: return self
        }
    }

    /// The type with everything in it frozen, as CQL's `frozen<…>` makes it.
    var frozenType: CQLType {
        // What is in something frozen is so already. Types that are made of others, which are made of others, would be
        // walked through again at every level.
        if case .frozen = self { return self }
        let type = mapComponents(\.frozenType)
        return type.isMultiCell ? .frozen(type) : type
    }

    /// The type without any `frozen`: two types of the same form have values of the same form.
    var form: CQLType { bare.mapComponents(\.form) }
}

extension CQLType: CustomStringConvertible {
    /// The name as CQL writes it.
    public var description: String {
        switch self {
        case .ascii: "ascii"
        case .bigint: "bigint"
        case .blob: "blob"
        case .boolean: "boolean"
        case .counter: "counter"
        case .date: "date"
        case .decimal: "decimal"
        case .double: "double"
        case .duration: "duration"
        case .float: "float"
        case .inet: "inet"
        case .int: "int"
        case .smallint: "smallint"
        case .text: "text"
        case .time: "time"
        case .timestamp: "timestamp"
        case .timeuuid: "timeuuid"
        case .tinyint: "tinyint"
        case .uuid: "uuid"
        case .varint: "varint"
        case .list(let element): "list<\(element)>"
        case .set(let element): "set<\(element)>"
        case .map(let key, let value): "map<\(key), \(value)>"
        case .tuple(let elements): "frozen<tuple<\(elements.map(\.description).joined(separator: ", "))>>"
        case .userType(let type): CQLName.ofType(type.name)
        case .vector(let element, let count): "vector<\(element), \(count)>"
        case .frozen(let type): "frozen<\(type)>"
        }
    }
}
