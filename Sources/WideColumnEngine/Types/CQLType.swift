// CQLType.swift — the types a column can have.

/// The type of a column, of a bound marker or of a result.
///
/// `decimal`, `varint`, `duration`, `counter`, tuples, user-defined types and vectors are refused when a statement
/// names them; so are non-frozen collections.
public indirect enum CQLType: Hashable, Sendable {
    case ascii, bigint, blob, boolean, date, double, float, inet, int, smallint, text, time, timestamp, timeuuid
    case tinyint, uuid
    /// Collections are frozen: one value, written and read whole.
    case list(CQLType)
    case set(CQLType)
    case map(CQLType, CQLType)

    /// The type with this CQL name; `varchar` is another name of `text`.
    public init?(nativeName name: String) {
        switch name {
        case "ascii": self = .ascii
        case "bigint": self = .bigint
        case "blob": self = .blob
        case "boolean": self = .boolean
        case "date": self = .date
        case "double": self = .double
        case "float": self = .float
        case "inet": self = .inet
        case "int": self = .int
        case "smallint": self = .smallint
        case "text", "varchar": self = .text
        case "time": self = .time
        case "timestamp": self = .timestamp
        case "timeuuid": self = .timeuuid
        case "tinyint": self = .tinyint
        case "uuid": self = .uuid
        default: return nil
        }
    }

    /// The number of bytes every value of the type has, or `nil` where the length varies.
    var fixedByteCount: Int? {
        switch self {
        case .boolean, .tinyint: 1
        case .smallint: 2
        case .int, .float, .date: 4
        case .bigint, .double, .time, .timestamp: 8
        case .timeuuid, .uuid: 16
        case .ascii, .blob, .inet, .text, .list, .set, .map: nil
        }
    }

    var isCollection: Bool {
        switch self {
        case .list, .set, .map: true
        default: false
        }
    }
}

extension CQLType: CustomStringConvertible {
    /// The name as CQL writes it.
    public var description: String {
        isCollection ? "frozen<\(bareDescription)>" : bareDescription
    }

    /// Inside a frozen collection everything is frozen, and not said again.
    private var bareDescription: String {
        switch self {
        case .ascii: "ascii"
        case .bigint: "bigint"
        case .blob: "blob"
        case .boolean: "boolean"
        case .date: "date"
        case .double: "double"
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
        case .list(let element): "list<\(element)>"
        case .set(let element): "set<\(element)>"
        case .map(let key, let value): "map<\(key), \(value)>"
        }
    }
}
