// GraphReader.swift — reads of the graph, as of a snapshot or inside an open transaction.
//
// Relationships of a node come from memory if the reader has an adjacency view that fits its snapshot, otherwise from
// graph/adjacency: inside a transaction always, because only the storage knows its own writes.

struct GraphReader {
    let store: GraphStore
    let view: ReadView
    let adjacency: AdjacencyView?

    // MARK: - Nodes

    func exists(_ node: NodeID) throws -> Bool {
        try view.contains(store.nodes, GraphKeys.node(node).rawSpan)
    }

    func record(of node: NodeID) throws -> NodeRecord? {
        try view.withValue(store.nodes, GraphKeys.node(node).rawSpan) { try RecordReader.node($0) }
    }

    /// - Throws: `EntityNotFound` if the node was deleted.
    func requireRecord(of node: NodeID) throws -> NodeRecord {
        guard let record = try record(of: node) else { throw Self.deleted("Node", node.rawValue) }
        return record
    }

    private static func deleted<ID>(_ what: String, _ id: ID) -> CypherError {
        CypherError(
            .entityNotFound, "DeletedEntityAccess", "\(what) with id \(id) has been deleted in this transaction")
    }

    func labels(of node: NodeID) throws -> [String] {
        let tokens = try view.withValue(store.nodes, GraphKeys.node(node).rawSpan) { try RecordReader.labels($0) }
        guard let tokens else { throw Self.deleted("Node", node.rawValue) }
        return try names(of: tokens)
    }

    /// Whether an existing node has a label.
    func hasLabel(_ name: String, _ node: NodeID) throws -> Bool {
        guard let adjacency else { return try labels(of: node).contains(name) }
        guard let token = try store.tokens.token(.label, name, in: view) else { return false }
        return adjacency.hasLabel(token, node.rawValue)
    }

    private func names(of labels: [UInt32]) throws -> [String] {
        try labels.map { try store.tokens.name(.label, $0, in: view) }
    }

    func property(_ key: String, of node: NodeID) throws -> GraphValue {
        let token = try store.tokens.token(.propertyKey, key, in: view)
        let value = try view.withValue(store.nodes, GraphKeys.node(node).rawSpan) { bytes in
            try token.flatMap { try RecordReader.property($0, ofNode: bytes) } ?? .null
        }
        guard let value else { throw Self.deleted("Node", node.rawValue) }
        return value
    }

    func properties(of node: NodeID) throws -> [String: GraphValue] {
        try map(requireRecord(of: node).properties)
    }

    private func map(_ properties: PropertyList) throws -> [String: GraphValue] {
        var result: [String: GraphValue] = [:]
        for (key, value) in properties.entries {
            result[try store.tokens.name(.propertyKey, key, in: view)] = value
        }
        return result
    }

    func forEachNode(_ body: (NodeID) throws -> Bool) throws {
        var cursor = try view.cursor(store.nodes)
        try cursor.seekToFirst()
        while cursor.isValid {
            guard try body(GraphKeys.nodeID(of: cursor.key)) else { return }
            try cursor.next()
        }
    }

    func forEachNode(label: String, _ body: (NodeID) throws -> Bool) throws {
        guard let token = try store.tokens.token(.label, label, in: view) else { return }
        var cursor = try view.cursor(store.labels, .prefix(GraphKeys.labelPrefix(token)))
        try cursor.seekToFirst()
        while cursor.isValid {
            guard try body(GraphKeys.nodeID(of: cursor.key, at: 4)) else { return }
            try cursor.next()
        }
    }

    /// The node with a value of a uniquely constrained property.
    func node(_ constraint: UniqueConstraint, _ value: GraphValue) throws -> NodeID? {
        guard value.isStorable else { return nil }
        let key = ConstraintCatalog.key(constraint.id, value)
        return try view.withValue(store.unique, key.rawSpan) { try GraphKeys.nodeID(of: $0) }
    }

    // MARK: - Relationships

    func record(of relationship: RelationshipID) throws -> RelationshipRecord? {
        try view.withValue(store.relationships, GraphKeys.relationship(relationship).rawSpan) {
            try RecordReader.relationship($0)
        }
    }

    func requireRecord(of relationship: RelationshipID) throws -> RelationshipRecord {
        guard let record = try record(of: relationship) else {
            throw Self.deleted("Relationship", relationship.rawValue)
        }
        return record
    }

    func property(_ key: String, of relationship: RelationshipID) throws -> GraphValue {
        let token = try store.tokens.token(.propertyKey, key, in: view)
        let value = try view.withValue(store.relationships, GraphKeys.relationship(relationship).rawSpan) { bytes in
            try token.flatMap { try RecordReader.property($0, ofRelationship: bytes) } ?? .null
        }
        guard let value else { throw Self.deleted("Relationship", relationship.rawValue) }
        return value
    }

    func properties(of relationship: RelationshipID) throws -> [String: GraphValue] {
        try map(requireRecord(of: relationship).properties)
    }

    /// The tokens of the types a pattern names; nil for all types. Types the graph never used are left out.
    func typeTokens(_ names: [String]) throws -> [UInt32]? {
        guard !names.isEmpty else { return nil }
        return try names.compactMap { try store.tokens.token(.relationshipType, $0, in: view) }
    }

    /// Calls `body` for each relationship of a node until it answers false; false if it did.
    ///
    /// - Parameters:
    ///   - types: nil for all types.
    ///   - neighbour: If given, only relationships with this node at the other end.
    @discardableResult
    func forEachRelationship(
        of node: NodeID, _ side: Side, types: [UInt32]?, to neighbour: NodeID? = nil,
        _ body: (AdjacencyEntry) throws -> Bool
    ) throws -> Bool {
        guard let adjacency else { return try scanRelationships(of: node, side, types, neighbour, body) }
        if let types {
            for type in types where try !forEach(adjacency, node, side, type, neighbour, body) { return false }
        } else {
            for type in 0..<UInt32(adjacency.typeCount)
            where try !forEach(adjacency, node, side, type, neighbour, body) { return false }
        }
        return true
    }

    private func forEach(
        _ adjacency: AdjacencyView, _ node: NodeID, _ side: Side, _ type: UInt32, _ neighbour: NodeID?,
        _ body: (AdjacencyEntry) throws -> Bool
    ) throws -> Bool {
        let table = adjacency.table(type, side)
        func visit(_ edge: AdjacencyTable.Edge) throws -> Bool {
            try body(
                AdjacencyEntry(
                    node: node.rawValue, side: side, type: type, neighbour: edge.neighbour,
                    relationship: edge.relationship))
        }
        guard let neighbour else { return try table.forEach(node.rawValue, visit) }
        return try table.forEach(node.rawValue, to: neighbour.rawValue, visit)
    }

    private func scanRelationships(
        of node: NodeID, _ side: Side, _ types: [UInt32]?, _ neighbour: NodeID?,
        _ body: (AdjacencyEntry) throws -> Bool
    ) throws -> Bool {
        let prefixes =
            types.map { types in
                types.map { GraphKeys.adjacencyPrefix(node, side, type: $0, neighbour: neighbour) }
            } ?? [GraphKeys.adjacencyPrefix(node, side)]
        for prefix in prefixes {
            var cursor = try view.cursor(store.adjacency, .prefix(prefix))
            try cursor.seekToFirst()
            while cursor.isValid {
                let entry = try GraphKeys.adjacencyEntry(of: cursor.key)
                let isWanted = neighbour.map { $0.rawValue == entry.neighbour } ?? true
                if isWanted, try !body(entry) { return false }
                try cursor.next()
            }
        }
        return true
    }

    func hasRelationships(_ node: NodeID) throws -> Bool {
        var cursor = try view.cursor(store.adjacency, .prefix(GraphKeys.adjacencyPrefix(node)))
        try cursor.seekToFirst()
        return cursor.isValid
    }

    /// A relationship found in the adjacency, as a reference.
    func reference(_ entry: AdjacencyEntry) throws -> GraphRelationship {
        let (start, end) = entry.side == .outgoing ? (entry.node, entry.neighbour) : (entry.neighbour, entry.node)
        return GraphRelationship(
            id: RelationshipID(rawValue: entry.relationship),
            type: try store.tokens.name(.relationshipType, entry.type, in: view),
            start: NodeID(rawValue: start), end: NodeID(rawValue: end))
    }

    // MARK: - Results

    /// The value with the content of every entity in it, to leave the statement with. Deleted entities are empty.
    func materialized(_ value: GraphValue) throws -> GraphValue {
        switch value {
        case .node(let node): .node(try materialized(node))
        case .relationship(let relationship): .relationship(try materialized(relationship))
        case .path(let path):
            .path(
                GraphPath(
                    nodes: try path.nodes.map(materialized), relationships: try path.relationships.map(materialized)))
        case .list(let elements): .list(try elements.map(materialized))
        case .map(let map): .map(try map.mapValues(materialized))
        case .null, .boolean, .integer, .float, .string: value
        }
    }

    private func materialized(_ node: GraphNode) throws -> GraphNode {
        guard let record = try record(of: node.id) else { return node }
        return GraphNode(id: node.id, labels: try names(of: record.labels), properties: try map(record.properties))
    }

    private func materialized(_ relationship: GraphRelationship) throws -> GraphRelationship {
        guard let record = try record(of: relationship.id) else { return relationship }
        return GraphRelationship(
            id: relationship.id, type: relationship.type, start: relationship.start, end: relationship.end,
            properties: try map(record.properties))
    }
}
