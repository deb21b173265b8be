// GraphStore+Write.swift — changing the graph from Swift: the hot path of consumers, without a statement.

extension GraphStore {
    /// What a merge found or made.
    public struct Merged<ID: Sendable>: Sendable {
        public let id: ID
        public let isCreated: Bool
    }

    /// The node with a value of a uniquely constrained property, created if there is none. Doing it twice changes
    /// nothing.
    ///
    /// - Parameter onCreate: Further properties of a node that is created.
    /// - Throws: ``CypherError`` if there is no unique constraint on the label and property.
    @discardableResult
    public func mergeNode(
        label: String, key: String, value: GraphValue, onCreate: [String: GraphValue] = [:],
        in transaction: WriteTransaction
    ) throws -> Merged<NodeID> {
        let constraint = try requireConstraint(label: label, property: key)
        guard value.isStorable else {
            throw CypherError(
                .semantic, "MergeReadOwnWrites",
                "Cannot merge the following node:\(label) because of null property value for '\(key)'")
        }
        let writer = GraphWriter(store: self, transaction: transaction)
        if let id = try writer.reader.node(constraint, value) { return Merged(id: id, isCreated: false) }
        let properties = onCreate.merging([key: value]) { _, key in key }
        return Merged(id: try writer.createNode(labels: [label], properties: properties), isCreated: true)
    }

    /// As the form that takes a transaction, in one of its own.
    @discardableResult
    public func mergeNode(
        label: String, key: String, value: GraphValue, onCreate: [String: GraphValue] = [:],
        durability: Durability = .buffered
    ) throws -> Merged<NodeID> {
        try storage.write(durability) {
            try mergeNode(label: label, key: key, value: value, onCreate: onCreate, in: $0)
        }
    }

    /// A relationship of a type between two nodes that has these properties (and perhaps more), created if there is
    /// none: `MERGE (from)-[:TYPE {properties}]->(to)`. Doing it twice changes nothing.
    @discardableResult
    public func mergeRelationship(
        from start: NodeID, type: String, to end: NodeID, properties: [String: GraphValue] = [:],
        in transaction: WriteTransaction
    ) throws -> Merged<RelationshipID> {
        if let missing = properties.first(where: { !$0.value.isStorable }) {
            throw CypherError(
                .semantic, "MergeReadOwnWrites",
                "Cannot merge the following relationship:\(type) because of null property value for '\(missing.key)'")
        }
        let writer = GraphWriter(store: self, transaction: transaction)
        if let id = try find(start, type, end, properties, writer.reader) { return Merged(id: id, isCreated: false) }
        let id = try writer.createRelationship(from: start, type: type, to: end, properties: properties)
        return Merged(id: id, isCreated: true)
    }

    /// As the form that takes a transaction, in one of its own.
    @discardableResult
    public func mergeRelationship(
        from start: NodeID, type: String, to end: NodeID, properties: [String: GraphValue] = [:],
        durability: Durability = .buffered
    ) throws -> Merged<RelationshipID> {
        try storage.write(durability) {
            try mergeRelationship(from: start, type: type, to: end, properties: properties, in: $0)
        }
    }

    private func find(
        _ start: NodeID, _ type: String, _ end: NodeID, _ properties: [String: GraphValue], _ reader: GraphReader
    ) throws -> RelationshipID? {
        guard let types = try reader.typeTokens([type]), !types.isEmpty else { return nil }
        var found: RelationshipID?
        try reader.forEachRelationship(of: start, .outgoing, types: types, to: end) { entry in
            let id = RelationshipID(rawValue: entry.relationship)
            for (key, value) in properties where try reader.property(key, of: id).isEqual(to: value) != true {
                return true
            }
            found = id
            return false
        }
        return found
    }

    /// Creates a node.
    ///
    /// - Throws: ``CypherError`` if a unique constraint forbids it or a value can't be stored.
    @discardableResult
    public func createNode(
        labels: [String], properties: [String: GraphValue] = [:], in transaction: WriteTransaction
    ) throws -> NodeID {
        try GraphWriter(store: self, transaction: transaction).createNode(labels: labels, properties: properties)
    }

    /// Creates a relationship, whether or not there is one already.
    @discardableResult
    public func createRelationship(
        from start: NodeID, type: String, to end: NodeID, properties: [String: GraphValue] = [:],
        in transaction: WriteTransaction
    ) throws -> RelationshipID {
        try GraphWriter(store: self, transaction: transaction)
            .createRelationship(from: start, type: type, to: end, properties: properties)
    }

    /// Makes a unique constraint unless there is one on the label and property already.
    public func createUniqueConstraint(label: String, property: String, name: String? = nil) throws {
        let definition = ConstraintDefinition(name: name, label: label, property: property)
        _ = try executeSchema(.createConstraint(definition, ifNotExists: true), .buffered)
    }
}
