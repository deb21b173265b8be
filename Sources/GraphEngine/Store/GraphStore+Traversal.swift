// GraphStore+Traversal.swift — reading the graph from Swift, without a statement.

/// The direction in which relationships are followed, seen from the node asked about.
public enum RelationshipDirection: Sendable, Hashable {
    case outgoing, incoming, both

    var sides: [Side] {
        switch self {
        case .outgoing: [.outgoing]
        case .incoming: [.incoming]
        case .both: [.outgoing, .incoming]
        }
    }
}

extension GraphStore {
    // MARK: - Nodes and relationships

    /// The node whose uniquely constrained property has a value; nil if there is none.
    ///
    /// - Throws: ``CypherError`` if there is no unique constraint on the label and property.
    public func node(label: String, key: String, value: GraphValue) throws -> GraphNode? {
        let constraint = try requireConstraint(label: label, property: key)
        return try read { reader in
            guard let id = try reader.node(constraint, value) else { return nil }
            return try reader.materialized(.node(GraphNode(id: id))).node
        }
    }

    /// The identity of such a node, without its content.
    public func nodeID(label: String, key: String, value: GraphValue) throws -> NodeID? {
        let constraint = try requireConstraint(label: label, property: key)
        return try read { try $0.node(constraint, value) }
    }

    /// A node with its content; nil if there is none.
    public func node(_ id: NodeID) throws -> GraphNode? {
        try read { reader in
            try reader.exists(id) ? try reader.materialized(.node(GraphNode(id: id))).node : nil
        }
    }

    func requireConstraint(label: String, property: String) throws -> UniqueConstraint {
        guard let constraint = constraints.schema.constraint(label: label, property: property) else {
            throw CypherError.argument(
                "ConstraintNotFound",
                "There is no unique constraint on (:\(label) {\(property)}). Create one: CREATE CONSTRAINT FOR "
                    + "(n:\(label)) REQUIRE n.\(property) IS UNIQUE")
        }
        return constraint
    }

    /// The relationships of a node, with their content; a loop appears once.
    ///
    /// - Parameter type: nil for all types.
    public func relationships(
        of node: NodeID, type: String? = nil, direction: RelationshipDirection = .both
    ) throws -> [GraphRelationship] {
        try read { reader in
            var found: [GraphRelationship] = []
            try forEach(node, type, direction, reader) { found.append(try reader.reference($0)) }
            return try found.compactMap { try reader.materialized(.relationship($0)).relationship }
        }
    }

    /// The nodes at the other ends of a node's relationships, ascending, each once.
    ///
    /// - Parameter type: nil for all types.
    public func neighbours(
        of node: NodeID, type: String? = nil, direction: RelationshipDirection = .both
    ) throws -> [NodeID] {
        try read { reader in
            var found: Set<UInt32> = []
            try forEach(node, type, direction, reader) { found.insert($0.neighbour) }
            return found.sorted().map { NodeID(rawValue: $0) }
        }
    }

    /// The number of a node's relationships.
    public func degree(
        of node: NodeID, type: String? = nil, direction: RelationshipDirection = .both
    ) throws -> Int {
        try read { reader in
            var count = 0
            try forEach(node, type, direction, reader) { _ in count += 1 }
            return count
        }
    }

    private func forEach(
        _ node: NodeID, _ type: String?, _ direction: RelationshipDirection, _ reader: GraphReader,
        _ body: (AdjacencyEntry) throws -> Void
    ) throws {
        let types = try reader.typeTokens(type.map { [$0] } ?? [])
        for side in direction.sides {
            try reader.forEachRelationship(of: node, side, types: types) { entry in
                let isSecondVisit = direction == .both && side == .incoming && entry.neighbour == entry.node
                if !isSecondVisit { try body(entry) }
                return true
            }
        }
    }

    // MARK: - Counting paths

    /// How many paths `node ← v → other` over relationships of one type lead to each other node: "viewers who bought
    /// this also bought". The most frequent first, ties by identity; `node` itself is left out.
    ///
    /// - Parameters:
    ///   - distinct: Counts the nodes in the middle instead: one who bought five times counts once.
    ///   - label: Only nodes with this label.
    public func coNeighbourCounts(
        of node: NodeID, via type: String, limit: Int, distinct: Bool = false, label: String? = nil
    ) throws -> [NodeCount] {
        try withMemory { view, reader in
            guard let token = try reader.store.tokens.token(.relationshipType, type, in: reader.view) else { return [] }
            guard let isWanted = try labelTest(label, view, reader) else { return [] }
            let count = CoNeighbourCount(
                view: view, firstType: token, firstSide: .incoming, secondType: token, secondSide: .outgoing,
                isDistinct: distinct)
            return counterPool.withScratch { scratch in
                counterPool.withScratch { count.run(from: node, middles: &$0, &scratch) }
                return scratch.top(limit) { $0 != node.rawValue && isWanted($0) }
            }
        }
    }

    /// How many paths `node → shared ← v → other` lead to each other node that `node` does not lead to itself:
    /// products bought by people who share purchases with a user, without those the user owns.
    ///
    /// - Parameters:
    ///   - distinct: Counts the people v instead of the paths.
    ///   - label: Only nodes with this label.
    public func recommendationCounts(
        for node: NodeID, via type: String, limit: Int, distinct: Bool = false, label: String? = nil
    ) throws -> [NodeCount] {
        try withMemory { view, reader in
            guard let token = try reader.store.tokens.token(.relationshipType, type, in: reader.view) else { return [] }
            guard let isWanted = try labelTest(label, view, reader) else { return [] }
            let count = SharedNeighbourCount(view: view, type: token, isDistinct: distinct)
            let owned = count.owned(by: node)
            return counterPool.withScratch { scratch in
                counterPool.withScratch { count.run(from: node, weights: &$0, &scratch) }
                return scratch.top(limit) { !owned.contains($0) && isWanted($0) }
            }
        }
    }

    private func labelTest(
        _ label: String?, _ view: AdjacencyView, _ reader: GraphReader
    ) throws -> ((UInt32) -> Bool)? {
        guard let label else { return { _ in true } }
        guard let token = try tokens.token(.label, label, in: reader.view) else { return nil }
        return { view.hasLabel(token, $0) }
    }

    /// Runs `body` on the adjacency in memory and a snapshot that fits it.
    private func withMemory<Result>(_ body: (AdjacencyView, GraphReader) throws -> Result) throws -> Result {
        while true {
            let (snapshot, view) = index.matchingView { storage.snapshot() }
            guard let view else { continue }
            return try body(view, GraphReader(store: self, view: snapshot.view, adjacency: view))
        }
    }
}
