// UpdateStages.swift — the stages that change the graph.

/// Takes in all rows, then changes the graph for each, then passes them on.
class UpdateStage: Stage {
    private var rows: [Row] = []

    final override func push(_ row: Row) throws -> Bool {
        rows.append(row)
        return true
    }

    final override func finish() throws {
        let writer = try context.requireWriter()
        var results: [Row] = []
        results.reserveCapacity(rows.count)
        for row in rows { try apply(row, writer) { results.append($0) } }
        rows = []
        try forwardAll(results)
    }

    /// Changes the graph for one row and gives out what follows from it.
    func apply(_ row: Row, _ writer: GraphWriter, _ emit: (Row) throws -> Void) throws {
        try emit(row)
    }
}

final class CreateStage: UpdateStage {
    private let plan: CreatePlan

    init(_ plan: CreatePlan, context: ExecutionContext, next: Stage?) {
        self.plan = plan
        super.init(context: context, next: next)
    }

    override func apply(_ row: Row, _ writer: GraphWriter, _ emit: (Row) throws -> Void) throws {
        try emit(try plan.create(row, writer, evaluator))
    }
}

extension CreatePlan {
    /// Creates the elements, in order, and binds them.
    func create(_ row: Row, _ writer: GraphWriter, _ evaluator: Evaluator) throws -> Row {
        var row = row
        for element in elements {
            switch element {
            case .node(let slot, let labels, let properties):
                let values = try Self.map(properties, row, evaluator)
                row[slot] = .node(GraphNode(id: try writer.createNode(labels: labels, properties: values)))
            case .relationship(let slot, let type, let from, let to, let properties):
                let values = try Self.map(properties, row, evaluator)
                let (start, end) = (try Self.end(row[from], type), try Self.end(row[to], type))
                let id = try writer.createRelationship(from: start, type: type, to: end, properties: values)
                row[slot] = .relationship(GraphRelationship(id: id, type: type, start: start, end: end))
            }
        }
        for path in paths { row[path.slot] = path.1.path(in: row).map { .path($0) } ?? .null }
        return row
    }

    private static func map(
        _ properties: Expression?, _ row: Row, _ evaluator: Evaluator
    ) throws -> [String: GraphValue] {
        guard let properties else { return [:] }
        switch try evaluator.evaluate(properties, row) {
        case .map(let map): return map
        case .null: return [:]
        case let other: throw CypherError.typeMismatch(expected: "Map", got: other)
        }
    }

    private static func end(_ value: GraphValue, _ type: String) throws -> NodeID {
        switch value {
        case .node(let node): return node.id
        case .null:
            throw CypherError(
                .semantic, "MissingNode",
                "Failed to create relationship `\(type)`, node is missing. If you prefer to simply ignore rows where a "
                    + "relationship node is missing, set 'cypher.lenient_create_relationship = true' in neo4j.conf")
        default: throw CypherError.typeMismatch(expected: "Node", got: value)
        }
    }
}

/// MERGE: every match of the whole pattern or, if there is none, the pattern created whole.
final class MergeStage: UpdateStage {
    private let plan: MergePlan

    init(_ plan: MergePlan, context: ExecutionContext, next: Stage?) {
        self.plan = plan
        super.init(context: context, next: next)
    }

    override func apply(_ row: Row, _ writer: GraphWriter, _ emit: (Row) throws -> Void) throws {
        try checkNoNulls(row)
        var matches: [Row] = []
        var matcher = Matcher(plan: plan.match, context: context)
        _ = try matcher.run(row) { match in
            matches.append(match)
            return true
        }
        if matches.isEmpty {
            let created = try plan.create.create(row, writer, evaluator)
            for item in plan.onCreate { try item.apply(created, writer, evaluator) }
            try emit(created)
        } else {
            for match in matches {
                for item in plan.onMatch { try item.apply(match, writer, evaluator) }
                try emit(match)
            }
        }
    }

    /// A null property matches nothing and can't be created: Neo4j refuses it.
    private func checkNoNulls(_ row: Row) throws {
        for element in plan.create.elements {
            let (properties, what): (Expression?, String) =
                switch element {
                case .node(_, let labels, let properties): (properties, "node" + labels.map { ":\($0)" }.joined())
                case .relationship(_, let type, _, _, let properties): (properties, "relationship:\(type)")
                }
            guard case .map(let entries)? = properties else { continue }
            for entry in entries where !entry.value.slots.contains(where: { isOwn($0) }) {
                guard try evaluator.evaluate(entry.value, row).isNull else { continue }
                throw CypherError(
                    .semantic, "MergeReadOwnWrites",
                    "Cannot merge the following \(what) because of null property value for '\(entry.key)'")
            }
        }
    }

    private func isOwn(_ slot: Int) -> Bool { plan.match.newSlots.contains(slot) }
}

final class SetStage: UpdateStage {
    private let items: [BoundSetItem]

    init(_ items: [BoundSetItem], context: ExecutionContext, next: Stage?) {
        self.items = items
        super.init(context: context, next: next)
    }

    override func apply(_ row: Row, _ writer: GraphWriter, _ emit: (Row) throws -> Void) throws {
        for item in items { try item.apply(row, writer, evaluator) }
        try emit(row)
    }
}

extension BoundSetItem {
    func apply(_ row: Row, _ writer: GraphWriter, _ evaluator: Evaluator) throws {
        switch self {
        case .property(let owner, let key, let value):
            try Self.set([key: try evaluator.evaluate(value, row)], of: try evaluator.evaluate(owner, row), writer)
        case .replace(let slot, let value):
            try Self.set(try Self.map(value, row, evaluator), of: row[slot], writer, replacing: true)
        case .merge(let slot, let value):
            try Self.set(try Self.map(value, row, evaluator), of: row[slot], writer)
        case .labels(let slot, let labels):
            switch row[slot] {
            case .null: break
            case .node(let node): try writer.addLabels(labels, to: node.id)
            case let other: throw CypherError.typeMismatch(expected: "Node", got: other)
            }
        }
    }

    /// The properties of a map, or of another entity.
    private static func map(
        _ expression: Expression, _ row: Row, _ evaluator: Evaluator
    ) throws -> [String: GraphValue] {
        switch try evaluator.evaluate(expression, row) {
        case .map(let map): return map
        case .node(let node): return try evaluator.context.graph.properties(of: node.id)
        case .relationship(let relationship): return try evaluator.context.graph.properties(of: relationship.id)
        case .null: return [:]
        case let other: throw CypherError.typeMismatch(expected: "Map", got: other)
        }
    }

    static func set(
        _ properties: [String: GraphValue], of owner: GraphValue, _ writer: GraphWriter, replacing: Bool = false
    ) throws {
        switch owner {
        case .null: break
        case .node(let node): try writer.setProperties(properties, of: node.id, replacing: replacing)
        case .relationship(let relationship):
            try writer.setProperties(properties, of: relationship.id, replacing: replacing)
        default: throw CypherError.typeMismatch(expected: "Node or Relationship", got: owner)
        }
    }
}

final class RemoveStage: UpdateStage {
    private let items: [BoundRemoveItem]

    init(_ items: [BoundRemoveItem], context: ExecutionContext, next: Stage?) {
        self.items = items
        super.init(context: context, next: next)
    }

    override func apply(_ row: Row, _ writer: GraphWriter, _ emit: (Row) throws -> Void) throws {
        for item in items {
            switch item {
            case .property(let owner, let key):
                try BoundSetItem.set([key: .null], of: try evaluator.evaluate(owner, row), writer)
            case .labels(let slot, let labels):
                if case .node(let node) = row[slot] { try writer.removeLabels(labels, from: node.id) }
            }
        }
        try emit(row)
    }
}

final class DeleteStage: UpdateStage {
    private let expressions: [Expression]
    private let detach: Bool

    init(_ expressions: [Expression], detach: Bool, context: ExecutionContext, next: Stage?) {
        self.expressions = expressions
        self.detach = detach
        super.init(context: context, next: next)
    }

    override func apply(_ row: Row, _ writer: GraphWriter, _ emit: (Row) throws -> Void) throws {
        for expression in expressions { try delete(try evaluator.evaluate(expression, row), writer) }
        try emit(row)
    }

    private func delete(_ value: GraphValue, _ writer: GraphWriter) throws {
        switch value {
        case .null: break
        case .relationship(let relationship): try writer.delete(relationship.id)
        case .node(let node): try writer.delete(node.id, detach: detach)
        case .path(let path):
            for relationship in path.relationships { try writer.delete(relationship.id) }
            for node in path.nodes { try writer.delete(node.id, detach: detach) }
        default: throw CypherError.typeMismatch(expected: "Node, Path or Relationship", got: value)
        }
    }
}
