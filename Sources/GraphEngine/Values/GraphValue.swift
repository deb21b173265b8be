// GraphValue.swift — a Cypher value.
//
// Four relations are defined on values, each in a file of its own, and they differ on purpose (CIP2016-06-14):
//   equality       `=`            three-valued; null is unknown, NaN equals nothing      GraphValue+Equality
//   comparability  `<` `<=` …     three-valued; only within one type                    GraphValue+Equality
//   orderability   ORDER BY       total over all values                                 GraphValue+Orderability
//   equivalence    DISTINCT, keys two-valued; null ~ null, NaN ~ NaN                     GraphValue+Equivalence (`==`)

/// A value of the property-graph model: what a property holds, a parameter passes and a query returns.
///
/// Swift's `==` and `Hashable` are Cypher's *equivalence*, the relation of `DISTINCT` and grouping: null equals
/// null, NaN equals NaN, `1` equals `1.0`. Cypher's `=` is ``isEqual(to:)``.
public enum GraphValue: Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case float(Double)
    case string(String)
    case list([GraphValue])
    case map([String: GraphValue])
    case node(GraphNode)
    case relationship(GraphRelationship)
    case path(GraphPath)
}

extension GraphValue {
    /// The type's name as Neo4j prints it in type errors.
    public var typeName: String {
        switch self {
        case .null: "Null"
        case .boolean: "Boolean"
        case .integer: "Integer"
        case .float: "Float"
        case .string: "String"
        case .list: "List"
        case .map: "Map"
        case .node: "Node"
        case .relationship: "Relationship"
        case .path: "Path"
        }
    }

    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    public var boolean: Bool? {
        if case .boolean(let value) = self { value } else { nil }
    }

    public var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The number as a double, whether it is an integer or a float.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .float(let value): value
        default: nil
        }
    }

    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var list: [GraphValue]? {
        if case .list(let value) = self { value } else { nil }
    }

    public var map: [String: GraphValue]? {
        if case .map(let value) = self { value } else { nil }
    }

    public var node: GraphNode? {
        if case .node(let value) = self { value } else { nil }
    }

    public var relationship: GraphRelationship? {
        if case .relationship(let value) = self { value } else { nil }
    }

    public var path: GraphPath? {
        if case .path(let value) = self { value } else { nil }
    }
}

extension GraphValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .float(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: GraphValue...) { self = .list(elements) }
    /// A repeated key keeps its last value.
    public init(dictionaryLiteral elements: (String, GraphValue)...) {
        self = .map(Dictionary(elements, uniquingKeysWith: { $1 }))
    }

    public init(_ value: Int) { self = .integer(Int64(value)) }
    public init(_ value: Int64) { self = .integer(value) }
    public init(_ value: Double) { self = .float(value) }
    public init(_ value: Bool) { self = .boolean(value) }
    public init(_ value: String) { self = .string(value) }
}
