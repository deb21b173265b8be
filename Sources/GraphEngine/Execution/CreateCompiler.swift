// CreateCompiler.swift — compiles the patterns of CREATE and MERGE into the elements to create, in order.

struct CreateCompiler {
    var patterns: PatternCompiler
    let verb: String
    private(set) var plan = CreatePlan(elements: [], paths: [])
    /// The pattern with its slots, for the match of a MERGE.
    private var graph = PatternGraph()
    private var pathTemplates: [(slot: Int, PathTemplate)] = []

    init(patterns: PatternCompiler, verb: String) {
        self.patterns = patterns
        self.verb = verb
    }

    mutating func add(_ part: PatternPart) throws {
        var from = try node(part.start, isAlone: part.hops.isEmpty)
        graph.addNode(from, part.start)
        var template = PathTemplate(start: from, hops: [])
        for (relationship, node) in part.hops {
            if let variable = relationship.variable, patterns.scope[variable] != nil {
                throw CypherError.syntax(
                    "VariableAlreadyBound", "Variable `\(variable)` already declared", at: relationship.position)
            }
            try check(relationship)
            // Nodes of a pattern come into being before its relationships.
            let to = try self.node(node, isAlone: false)
            graph.addNode(to, node)
            let slot = try declare(relationship, from: from, to: to)
            graph.relationships.append(
                PatternGraph.Edge(
                    slot: slot, from: from, to: to, pattern: relationship, isBound: false, isObserved: true))
            template.hops.append((slot, to, false))
            from = to
        }
        if let variable = part.variable {
            let slot = try patterns.declareNew(variable, .path, at: part.position)
            plan.paths.append((slot, template))
            pathTemplates.append((slot, template))
        }
    }

    private mutating func node(_ pattern: NodePattern, isAlone: Bool) throws -> Int {
        if let variable = pattern.variable, let binding = patterns.scope[variable] {
            guard binding.kind == .node || binding.kind == .unknown else {
                throw CypherError.syntax(
                    binding.kind == .scalar ? "VariableTypeConflict" : "VariableAlreadyBound",
                    "Variable `\(variable)` already declared", at: pattern.position)
            }
            guard !isAlone, pattern.labels == nil, pattern.properties == nil else {
                throw CypherError.syntax(
                    "VariableAlreadyBound",
                    "Can't create node `\(variable)` with labels or properties here. "
                        + "The variable is already declared in this context", at: pattern.position)
            }
            return binding.slot
        }
        let properties = try bind(pattern.properties, at: pattern.position)
        let labels = try labelNames(pattern)
        let slot: Int
        if let variable = pattern.variable {
            slot = try patterns.declareNew(variable, .node, at: pattern.position)
        } else {
            slot = patterns.slots.next()
        }
        plan.elements.append(.node(slot: slot, labels: labels, properties: properties))
        return slot
    }

    private func labelNames(_ pattern: NodePattern) throws -> [String] {
        guard let labels = pattern.labels else { return [] }
        guard let names = labels.conjunction else {
            throw CypherError.syntax(
                "UnexpectedSyntax", "Label expressions in patterns are not allowed in a \(verb) clause",
                at: pattern.position)
        }
        return names
    }

    private func bind(_ properties: Expression?, at position: SourcePosition) throws -> Expression? {
        if case .parameter? = properties, verb == "MERGE" {
            throw CypherError.syntax(
                "InvalidParameterUse",
                "Parameter maps cannot be used in `MERGE` patterns (use a literal map instead, e.g. `{id: $param.id}`)",
                at: position)
        }
        return try properties.map(patterns.binder.bind)
    }

    private func check(_ relationship: RelationshipPattern) throws {
        guard relationship.length == nil else {
            throw CypherError.syntax(
                "CreatingVarLength", "Variable length relationships cannot be used in \(verb)",
                at: relationship.position)
        }
        guard relationship.types.count == 1 else {
            throw CypherError.syntax(
                "NoSingleRelationshipType",
                "Exactly one relationship type must be specified for \(verb). Did you forget to prefix your "
                    + "relationship type with a ':'?", at: relationship.position)
        }
        guard relationship.direction != .both || verb == "MERGE" else {
            throw CypherError.syntax(
                "RequiresDirectedRelationship", "Only directed relationships are supported in CREATE",
                at: relationship.position)
        }
    }

    private mutating func declare(_ relationship: RelationshipPattern, from: Int, to: Int) throws -> Int {
        let properties = try bind(relationship.properties, at: relationship.position)
        let slot: Int
        if let variable = relationship.variable {
            slot = try patterns.declareNew(variable, .relationship, at: relationship.position)
        } else {
            slot = patterns.slots.next()
        }
        // An undirected MERGE creates from left to right.
        let isIncoming = relationship.direction == .incoming
        plan.elements.append(
            .relationship(
                slot: slot, type: relationship.types[0], from: isIncoming ? to : from, to: isIncoming ? from : to,
                properties: properties))
        return slot
    }

    /// The plan that looks for the pattern of a MERGE. `known` is the scope before the clause.
    func matchPlan(of part: PatternPart, known: Scope) throws -> MatchPlan {
        var graph = graph
        try graph.bindConditions(with: Binder(scope: patterns.scope, slots: patterns.slots, schema: patterns.schema))
        var planner = MatchPlanner(
            graph: graph, boundSlots: known.boundSlots, paths: pathTemplates, schema: patterns.schema)
        return try planner.plan()
    }
}
