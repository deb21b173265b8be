// PatternCompiler.swift — declares the variables of patterns and turns patterns into plans.

/// The constraints a statement is planned with.
struct SchemaView: Sendable {
    var version: UInt64
    var constraints: [UniqueConstraint]

    func constraint(label: String, property: String) -> UniqueConstraint? {
        constraints.first { $0.label == label && $0.property == property }
    }
}

struct PatternCompiler {
    var scope: Scope
    let slots: SlotAllocator
    let schema: SchemaView

    init(scope: Scope, slots: SlotAllocator, schema: SchemaView) {
        self.scope = scope
        self.slots = slots
        self.schema = schema
    }

    var binder: Binder { Binder(scope: scope, slots: slots, schema: schema) }

    /// Compiles the patterns of one MATCH (or of a pattern inside an expression). Afterwards `scope` has its variables.
    mutating func match(_ parts: [PatternPart], predicate: Expression?) throws -> MatchPlan {
        let boundSlots = scope.boundSlots
        var graph = PatternGraph()
        var paths: [(slot: Int, PathTemplate)] = []
        var clauseRelationships: Set<String> = []
        for part in parts {
            let template = try add(part, to: &graph, &clauseRelationships)
            if let variable = part.variable {
                paths.append((try declareNew(variable, .path, at: part.position), template))
            }
        }
        try addFilters(of: parts, predicate, to: &graph)
        var planner = MatchPlanner(graph: graph, boundSlots: boundSlots, paths: paths, schema: schema)
        return try planner.plan()
    }

    // MARK: - Declaring

    private mutating func add(
        _ part: PatternPart, to graph: inout PatternGraph, _ clauseRelationships: inout Set<String>
    ) throws -> PathTemplate {
        var from = try nodeSlot(part.start)
        graph.addNode(from, part.start)
        var template = PathTemplate(start: from, hops: [])
        for (relationship, node) in part.hops {
            if let variable = relationship.variable, !clauseRelationships.insert(variable).inserted {
                throw CypherError.syntax(
                    "RelationshipUniquenessViolation",
                    "Cannot use the same relationship variable '\(variable)' for multiple relationships",
                    at: relationship.position)
            }
            let wasBound = relationship.variable.flatMap { scope[$0] }
            let slot = try relationshipSlot(relationship)
            let to = try nodeSlot(node)
            graph.addNode(to, node)
            graph.relationships.append(
                PatternGraph.Edge(
                    slot: slot, from: from, to: to, pattern: relationship, isBound: wasBound != nil,
                    isObserved: relationship.variable != nil || part.variable != nil
                        || relationship.properties != nil || relationship.predicate != nil))
            template.hops.append((slot, to, relationship.length != nil))
            from = to
        }
        return template
    }

    private mutating func nodeSlot(_ node: NodePattern) throws -> Int {
        guard let variable = node.variable else { return slots.next() }
        guard let binding = scope[variable] else { return declare(variable, .node) }
        guard binding.kind == .node || binding.kind == .unknown else {
            throw conflict(variable, binding.kind, "Node", at: node.position)
        }
        return binding.slot
    }

    private mutating func relationshipSlot(_ relationship: RelationshipPattern) throws -> Int {
        let kind = relationship.length == nil ? VariableKind.relationship : .relationshipList
        guard let variable = relationship.variable else { return slots.next() }
        guard let binding = scope[variable] else { return declare(variable, kind) }
        guard binding.kind == kind || binding.kind == .unknown else {
            throw conflict(
                variable, binding.kind, kind == .relationship ? "Relationship" : "List<Relationship>",
                at: relationship.position)
        }
        return binding.slot
    }

    private mutating func declare(_ name: String, _ kind: VariableKind) -> Int {
        let slot = slots.next()
        scope.declare(name, Binding(slot: slot, kind: kind))
        return slot
    }

    mutating func declareNew(_ name: String, _ kind: VariableKind, at position: SourcePosition) throws -> Int {
        guard scope[name] == nil else {
            throw CypherError.syntax("VariableAlreadyBound", "Variable `\(name)` already declared", at: position)
        }
        return declare(name, kind)
    }

    private func conflict(
        _ name: String, _ kind: VariableKind, _ expected: String, at position: SourcePosition
    ) -> CypherError {
        let actual =
            switch kind {
            case .node: "Node"
            case .relationship: "Relationship"
            case .relationshipList: "List<Relationship>"
            case .path: "Path"
            case .scalar, .unknown: "Any"
            }
        return .syntax(
            "VariableTypeConflict",
            "Type mismatch: `\(name)` defined with conflicting type \(actual) (expected \(expected))", at: position)
    }

    // MARK: - Conditions

    private mutating func addFilters(
        of parts: [PatternPart], _ predicate: Expression?, to graph: inout PatternGraph
    ) throws {
        for part in parts {
            for node in part.nodes { try checkNoParameterMap(node.properties, at: node.position) }
            for hop in part.hops { try checkNoParameterMap(hop.relationship.properties, at: hop.relationship.position) }
        }
        let binder = binder
        try graph.bindConditions(with: binder)
        if let predicate {
            try binder.requireBoolean(predicate)
            graph.filters += try binder.bind(predicate).conjuncts
        }
    }

    private func checkNoParameterMap(_ properties: Expression?, at position: SourcePosition) throws {
        guard case .parameter? = properties else { return }
        throw CypherError.syntax(
            "InvalidParameterUse",
            "Parameter maps cannot be used in `MATCH` patterns (use a literal map instead, e.g. `{id: $param.id}`)",
            at: position)
    }
}

/// The patterns of one MATCH as one graph: parts that share a variable are connected.
struct PatternGraph {
    struct Node {
        var slot: Int
        var labels: [LabelExpression] = []
        var properties: [(key: String, value: Expression)] = []
    }

    struct Edge {
        var slot: Int
        var from: Int
        var to: Int
        var pattern: RelationshipPattern
        var isBound: Bool
        /// Whether anything reads the relationship's slot.
        var isObserved: Bool
        var hopProperties: [(key: String, value: Expression)] = []
    }

    private(set) var nodes: [Node] = []
    var relationships: [Edge] = []
    /// Conditions, one conjunct each, bound.
    var filters: [Expression] = []
    private var unboundFilters: [Expression] = []

    mutating func addNode(_ slot: Int, _ pattern: NodePattern) {
        let index = nodes.firstIndex { $0.slot == slot } ?? nodes.endIndex
        if index == nodes.endIndex { nodes.append(Node(slot: slot)) }
        if let labels = pattern.labels { nodes[index].labels.append(labels) }
        if case .map(let entries)? = pattern.properties { nodes[index].properties += entries }
        if let predicate = pattern.predicate { unboundFilters.append(predicate) }
    }

    /// Binds the conditions that stand inside the patterns, once every variable is declared.
    mutating func bindConditions(with binder: Binder) throws {
        for index in nodes.indices {
            nodes[index].properties = try nodes[index].properties.map { ($0.key, try binder.bind($0.value)) }
        }
        for index in relationships.indices {
            let edge = relationships[index]
            guard case .map(let entries)? = edge.pattern.properties else { continue }
            let bound = try entries.map { (key: $0.key, value: try binder.bind($0.value)) }
            if edge.pattern.length != nil {
                relationships[index].hopProperties = bound
            } else {
                filters += bound.map { .comparison(.property(.slot(edge.slot), $0.key), [(.equal, $0.value)]) }
            }
        }
        for edge in relationships {
            if let predicate = edge.pattern.predicate { filters += try binder.bind(predicate).conjuncts }
        }
        for predicate in unboundFilters { filters += try binder.bind(predicate).conjuncts }
    }
}
