// Matcher.swift — runs a match plan: backtracking over its steps, one row at a time.
//
// Invariant: `used` holds the relationships of the clause bound so far; no relationship is in it twice. That is
// Cypher's relationship isomorphism; nodes may repeat.

struct Matcher {
    private let plan: MatchPlan
    private let context: ExecutionContext
    private let graph: GraphReader
    private let evaluator: Evaluator
    private var used: [UInt64] = []

    init(plan: MatchPlan, context: ExecutionContext) {
        self.plan = plan
        self.context = context
        graph = context.graph
        evaluator = context.evaluator
    }

    /// Calls `emit` for every match that extends `row` until it answers false; false if it did.
    mutating func run(_ row: Row, _ emit: (Row) throws -> Bool) throws -> Bool {
        var row = row
        return try step(0, &row, emit)
    }

    private mutating func step(_ index: Int, _ row: inout Row, _ emit: (Row) throws -> Bool) throws -> Bool {
        guard index < plan.steps.count else { return try emit(row) }
        switch plan.steps[index] {
        case .boundNode(let slot):
            guard try Self.node(row[slot]) != nil else { return true }
            return try step(index + 1, &row, emit)
        case .nodeByUniqueKey(let slot, let constraint, let value):
            guard let node = try graph.node(constraint, evaluator.evaluate(value, row)) else { return true }
            return try bind(node, slot, index, &row, emit)
        case .nodesByLabel(let slot, let label):
            var goesOn = true
            try graph.forEachNode(label: label) { node in
                goesOn = try bind(node, slot, index, &row, emit)
                return goesOn
            }
            return goesOn
        case .allNodes(let slot):
            var goesOn = true
            try graph.forEachNode { node in
                goesOn = try bind(node, slot, index, &row, emit)
                return goesOn
            }
            return goesOn
        case .filter(let predicate):
            guard try evaluator.holds(predicate, row) else { return true }
            return try step(index + 1, &row, emit)
        case .path(let slot, let template):
            guard let path = template.path(in: row) else { return true }
            row[slot] = .path(path)
            return try step(index + 1, &row, emit)
        case .boundRelationship(let expand):
            return try fromBoundRelationship(expand, index, &row, emit)
        case .expand(let expand):
            if expand.length != nil { return try expandVariably(expand, index, &row, emit) }
            return try self.expand(expand, index, &row, emit)
        }
    }

    private mutating func bind(
        _ node: NodeID, _ slot: Int, _ index: Int, _ row: inout Row, _ emit: (Row) throws -> Bool
    ) throws -> Bool {
        row[slot] = .node(GraphNode(id: node))
        return try step(index + 1, &row, emit)
    }

    private static func node(_ value: GraphValue) throws -> NodeID? {
        switch value {
        case .node(let node): return node.id
        case .null: return nil
        default: throw CypherError.typeMismatch(expected: "Node", got: value)
        }
    }

    // MARK: - One hop

    private mutating func expand(
        _ expand: ExpandStep, _ index: Int, _ row: inout Row, _ emit: (Row) throws -> Bool
    ) throws -> Bool {
        guard let from = try Self.node(row[expand.from]) else { return true }
        let target = try expand.toIsBound ? Self.node(row[expand.to]) : nil
        if expand.toIsBound, target == nil { return true }
        return try forEachHop(expand, from: from, to: target) { matcher, entry in
            guard try matcher.take(entry, expand, &row) else { return true }
            if !expand.toIsBound { row[expand.to] = .node(GraphNode(id: NodeID(rawValue: entry.neighbour))) }
            matcher.used.append(entry.relationship)
            defer { matcher.used.removeLast() }
            return try matcher.step(index + 1, &row, emit)
        }
    }

    /// Whether the relationship may be used; if so it is in its slot.
    private func take(_ entry: AdjacencyEntry, _ expand: ExpandStep, _ row: inout Row) throws -> Bool {
        if plan.checksUniqueness, used.contains(entry.relationship) { return false }
        if let slot = expand.relationship { row[slot] = .relationship(try graph.reference(entry)) }
        return true
    }

    /// Visits the relationships of a node in the step's direction; an undirected loop is visited once.
    private mutating func forEachHop(
        _ expand: ExpandStep, from: NodeID, to: NodeID?,
        _ body: (inout Matcher, AdjacencyEntry) throws -> Bool
    ) throws -> Bool {
        let types = try graph.typeTokens(expand.types)
        let sides: [Side] =
            switch expand.direction {
            case .outgoing: [.outgoing]
            case .incoming: [.incoming]
            case .both: [.outgoing, .incoming]
            }
        for side in sides {
            let goesOn = try graph.forEachRelationship(of: from, side, types: types, to: to) { entry in
                if expand.direction == .both, side == .incoming, entry.neighbour == entry.node { return true }
                return try body(&self, entry)
            }
            if !goesOn { return false }
        }
        return true
    }

    // MARK: - A relationship of the input row

    private mutating func fromBoundRelationship(
        _ expand: ExpandStep, _ index: Int, _ row: inout Row, _ emit: (Row) throws -> Bool
    ) throws -> Bool {
        guard let slot = expand.relationship, case .relationship(let relationship) = row[slot] else { return true }
        guard expand.types.isEmpty || expand.types.contains(relationship.type) else { return true }
        guard !used.contains(relationship.id.rawValue) else { return true }
        used.append(relationship.id.rawValue)
        defer { used.removeLast() }
        var ends = [(relationship.start, relationship.end)]
        switch expand.direction {
        case .outgoing: break
        case .incoming: ends = [(relationship.end, relationship.start)]
        case .both: if relationship.start != relationship.end { ends.append((relationship.end, relationship.start)) }
        }
        let saved = (row[expand.from], row[expand.to])
        for (from, to) in ends {
            row[expand.from] = saved.0
            row[expand.to] = saved.1
            guard Self.agrees(saved.0, from), Self.agrees(saved.1, to), expand.from != expand.to || from == to else {
                continue
            }
            row[expand.from] = .node(GraphNode(id: from))
            row[expand.to] = .node(GraphNode(id: to))
            guard try step(index + 1, &row, emit) else { return false }
        }
        row[expand.from] = saved.0
        row[expand.to] = saved.1
        return true
    }

    /// A node that the row binds already must be the one found.
    private static func agrees(_ value: GraphValue, _ node: NodeID) -> Bool {
        if case .node(let bound) = value { bound.id == node } else { true }
    }

    // MARK: - Variable length

    /// One relationship of the trail under construction, and those still to try beside it.
    private struct Level {
        var candidates: [AdjacencyEntry]
        var next = 0
    }

    /// Depth first over trails, without recursion: a trail may be as long as the graph is large.
    private mutating func expandVariably(
        _ expand: ExpandStep, _ index: Int, _ row: inout Row, _ emit: (Row) throws -> Bool
    ) throws -> Bool {
        guard let from = try Self.node(row[expand.from]) else { return true }
        let target = try expand.toIsBound ? Self.node(row[expand.to]) : nil
        if expand.toIsBound, target == nil { return true }
        let length = expand.length ?? VariableLength(minimum: 1, maximum: 1)
        let usedBefore = used.count
        defer { used.removeLast(used.count - usedBefore) }
        var trail: [AdjacencyEntry] = []
        if length.minimum == 0, target == nil || target == from {
            guard try finishTrail(trail, at: from, expand, index, &row, emit) else { return false }
        }
        guard length.maximum != 0 else { return true }
        var levels = [Level(candidates: try candidates(from, expand, row))]
        while let level = levels.last {
            guard level.next < level.candidates.count else {
                levels.removeLast()
                if !trail.isEmpty {
                    trail.removeLast()
                    used.removeLast()
                }
                continue
            }
            levels[levels.count - 1].next += 1
            let entry = level.candidates[level.next]
            if used.contains(entry.relationship) { continue }
            trail.append(entry)
            used.append(entry.relationship)
            let node = NodeID(rawValue: entry.neighbour)
            if trail.count >= length.minimum, target == nil || target == node {
                guard try finishTrail(trail, at: node, expand, index, &row, emit) else { return false }
            }
            let mayGrow = length.maximum.map { trail.count < $0 } ?? true
            levels.append(Level(candidates: mayGrow ? try candidates(node, expand, row) : []))
        }
        return true
    }

    private mutating func candidates(_ node: NodeID, _ expand: ExpandStep, _ row: Row) throws -> [AdjacencyEntry] {
        let wanted = try expand.hopProperties.map { ($0.key, try evaluator.evaluate($0.value, row)) }
        var found: [AdjacencyEntry] = []
        _ = try forEachHop(expand, from: node, to: nil) { matcher, entry in
            for (key, value) in wanted {
                let actual = try matcher.graph.property(key, of: RelationshipID(rawValue: entry.relationship))
                if actual.isEqual(to: value) != true { return true }
            }
            found.append(entry)
            return true
        }
        return found
    }

    private mutating func finishTrail(
        _ trail: [AdjacencyEntry], at node: NodeID, _ expand: ExpandStep, _ index: Int, _ row: inout Row,
        _ emit: (Row) throws -> Bool
    ) throws -> Bool {
        if expand.relationship != nil || expand.boundList != nil {
            let ordered = expand.isReversed ? trail.reversed() : trail
            let list = GraphValue.list(try ordered.map { .relationship(try graph.reference($0)) })
            if let bound = expand.boundList {
                guard row[bound].isEqual(to: list) == true else { return true }
            } else if let slot = expand.relationship {
                row[slot] = list
            }
        }
        if !expand.toIsBound { row[expand.to] = .node(GraphNode(id: node)) }
        return try step(index + 1, &row, emit)
    }
}

extension PathTemplate {
    /// The path whose parts are in the row; nil if one of them is null.
    func path(in row: Row) -> GraphPath? {
        guard case .node(let first) = row[start] else { return nil }
        var nodes = [first]
        var relationships: [GraphRelationship] = []
        for hop in hops {
            switch row[hop.relationship] {
            case .relationship(let relationship):
                relationships.append(relationship)
                guard case .node(let node) = row[hop.node] else { return nil }
                nodes.append(node)
            case .list(let trail):
                for case .relationship(let relationship) in trail {
                    let last = nodes[nodes.count - 1].id
                    relationships.append(relationship)
                    nodes.append(GraphNode(id: relationship.start == last ? relationship.end : relationship.start))
                }
            default: return nil
            }
        }
        return GraphPath(nodes: nodes, relationships: relationships)
    }
}
