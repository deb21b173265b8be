// BuiltinFunction.swift — the functions of Cypher expressions, by lower-case name.

struct BuiltinFunction: Sendable {
    let arity: ClosedRange<Int>
    /// Most functions answer null as soon as one argument is null.
    let propagatesNull: Bool
    let body: @Sendable ([GraphValue], ExecutionContext) throws -> GraphValue

    init(
        _ arity: ClosedRange<Int>, propagatesNull: Bool = true,
        _ body: @escaping @Sendable ([GraphValue], ExecutionContext) throws -> GraphValue
    ) {
        self.arity = arity
        self.propagatesNull = propagatesNull
        self.body = body
    }

    init(
        _ arity: Int, propagatesNull: Bool = true,
        _ body: @escaping @Sendable ([GraphValue], ExecutionContext) throws -> GraphValue
    ) {
        self.init(arity...arity, propagatesNull: propagatesNull, body)
    }

    static let all: [String: BuiltinFunction] = [entityFunctions, listFunctions, stringFunctions, numberFunctions]
        .reduce(into: [:]) { table, group in table.merge(group) { _, new in new } }
}

func wrongType(_ function: String, _ value: GraphValue, _ expected: String) -> CypherError {
    .type(
        "InvalidArgumentValue",
        "Invalid input for function '\(function)()': Expected \(expected), got: \(value.typeName)")
}

extension BuiltinFunction {
    /// Nodes, relationships, paths and maps.
    static let entityFunctions: [String: BuiltinFunction] = [
        "id": BuiltinFunction(1) { arguments, _ in
            switch arguments[0] {
            case .node(let node): return .integer(Int64(node.id.rawValue))
            case .relationship(let relationship): return .integer(Int64(clamping: relationship.id.rawValue))
            case let other: throw wrongType("id", other, "a Node or Relationship")
            }
        },
        "elementid": BuiltinFunction(1) { arguments, _ in
            switch arguments[0] {
            case .node(let node): return .string("n:\(node.id)")
            case .relationship(let relationship): return .string("r:\(relationship.id)")
            case let other: throw wrongType("elementId", other, "a Node or Relationship")
            }
        },
        "labels": BuiltinFunction(1) { arguments, context in
            guard case .node(let node) = arguments[0] else { throw wrongType("labels", arguments[0], "a Node") }
            return .list(try context.graph.labels(of: node.id).map { .string($0) })
        },
        "type": BuiltinFunction(1) { arguments, _ in
            guard case .relationship(let relationship) = arguments[0] else {
                throw wrongType("type", arguments[0], "a Relationship")
            }
            return .string(relationship.type)
        },
        "properties": BuiltinFunction(1) { arguments, context in
            .map(try properties(of: arguments[0], function: "properties", context))
        },
        "keys": BuiltinFunction(1) { arguments, context in
            let map = try properties(of: arguments[0], function: "keys", context)
            return .list(map.keys.sorted { $0.compareCodePoints(to: $1) < 0 }.map { .string($0) })
        },
        "startnode": BuiltinFunction(1) { arguments, _ in
            guard case .relationship(let relationship) = arguments[0] else {
                throw wrongType("startNode", arguments[0], "a Relationship")
            }
            return .node(GraphNode(id: relationship.start))
        },
        "endnode": BuiltinFunction(1) { arguments, _ in
            guard case .relationship(let relationship) = arguments[0] else {
                throw wrongType("endNode", arguments[0], "a Relationship")
            }
            return .node(GraphNode(id: relationship.end))
        },
        "nodes": BuiltinFunction(1) { arguments, _ in
            guard case .path(let path) = arguments[0] else { throw wrongType("nodes", arguments[0], "a Path") }
            return .list(path.nodes.map { .node($0) })
        },
        "relationships": BuiltinFunction(1) { arguments, _ in
            guard case .path(let path) = arguments[0] else { throw wrongType("relationships", arguments[0], "a Path") }
            return .list(path.relationships.map { .relationship($0) })
        },
        "length": BuiltinFunction(1) { arguments, _ in
            guard case .path(let path) = arguments[0] else { throw wrongType("length", arguments[0], "a Path") }
            return GraphValue(path.length)
        },
        "exists": BuiltinFunction(1, propagatesNull: false) { arguments, _ in .boolean(!arguments[0].isNull) },
        "coalesce": BuiltinFunction(1...255, propagatesNull: false) { arguments, _ in
            arguments.first { !$0.isNull } ?? .null
        },
    ]

    private static func properties(
        of value: GraphValue, function: String, _ context: ExecutionContext
    ) throws -> [String: GraphValue] {
        switch value {
        case .node(let node): return try context.graph.properties(of: node.id)
        case .relationship(let relationship): return try context.graph.properties(of: relationship.id)
        case .map(let map): return map
        default: throw wrongType(function, value, "a Node, Relationship or Map")
        }
    }
}
