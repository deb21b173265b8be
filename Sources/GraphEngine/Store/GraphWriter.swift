// GraphWriter.swift — the elementary changes of the graph inside an open transaction.
//
// Invariant: after each change, records, adjacency, label index and unique index agree, and the change of the
// in-memory adjacency is registered to happen with the commit.

final class GraphWriter {
    let store: GraphStore
    let transaction: WriteTransaction
    var counters = GraphCounters()
    /// Deleted without DETACH: they must have lost their relationships by the end of the statement.
    private var nodesToCheck: [NodeID] = []

    init(store: GraphStore, transaction: WriteTransaction) {
        self.store = store
        self.transaction = transaction
    }

    var reader: GraphReader { GraphReader(store: store, view: transaction.view, adjacency: nil) }

    // MARK: - Nodes

    func createNode(labels: [String], properties: [String: GraphValue]) throws -> NodeID {
        let number = try store.tokens.next(.node, in: transaction)
        guard let rawValue = UInt32(exactly: number), rawValue < .max else {
            throw StorageError.invalidArgument("The graph has used all \(UInt32.max) node identities.")
        }
        let id = NodeID(rawValue: rawValue)
        var record = NodeRecord()
        record.labels = try Set(labels).map { try label($0) }.sorted()
        record.properties = try propertyList(properties)
        try store.constraints.add(id, record, in: self)
        try put(id, record)
        for label in record.labels { try setLabel(label, of: id, true) }
        counters.nodesCreated += 1
        counters.labelsAdded += record.labels.count
        counters.propertiesSet += record.properties.count
        return id
    }

    private func label(_ name: String) throws -> UInt32 {
        try store.tokens.makeToken(.label, name, in: transaction)
    }

    private func key(_ name: String) throws -> UInt32 {
        try store.tokens.makeToken(.propertyKey, name, in: transaction)
    }

    private func put(_ id: NodeID, _ record: NodeRecord) throws {
        try transaction.put(store.nodes, GraphKeys.node(id).rawSpan, RecordWriter.encode(record).rawSpan)
    }

    private func put(_ id: RelationshipID, _ record: RelationshipRecord) throws {
        try transaction.put(
            store.relationships, GraphKeys.relationship(id).rawSpan, RecordWriter.encode(record).rawSpan)
    }

    /// A key that says everything.
    private func putEmpty(_ keyspace: Keyspace, _ key: [UInt8]) throws {
        let nothing: [UInt8] = []
        try transaction.put(keyspace, key.rawSpan, nothing.rawSpan)
    }

    /// Replaces the record of a node; constraints are checked on the difference.
    private func update(_ id: NodeID, _ change: (inout NodeRecord) throws -> Void) throws {
        let old = try reader.requireRecord(of: id)
        var new = old
        try change(&new)
        try store.constraints.replace(id, old, by: new, in: self)
        try put(id, new)
    }

    // MARK: - Labels

    func addLabels(_ names: [String], to id: NodeID) throws {
        try update(id) { record in
            for name in names {
                let label = try label(name)
                guard !record.labels.contains(label) else { continue }
                record.labels.append(label)
                record.labels.sort()
                try setLabel(label, of: id, true)
                counters.labelsAdded += 1
            }
        }
    }

    func removeLabels(_ names: [String], from id: NodeID) throws {
        try update(id) { record in
            for name in names {
                guard let label = try store.tokens.token(.label, name, in: transaction.view),
                    let index = record.labels.firstIndex(of: label)
                else { continue }
                record.labels.remove(at: index)
                try setLabel(label, of: id, false)
                counters.labelsRemoved += 1
            }
        }
    }

    private func setLabel(_ label: UInt32, of id: NodeID, _ isSet: Bool) throws {
        let key = GraphKeys.label(label, id)
        if isSet {
            try putEmpty(store.labels, key)
        } else {
            try transaction.delete(store.labels, key.rawSpan)
        }
        transaction.onCommit { [index = store.index] sequence in
            index.setLabel(label, of: id, isSet, at: sequence)
        }
    }

    // MARK: - Properties

    /// Null values are left out: they are never stored.
    private func propertyList(_ properties: [String: GraphValue]) throws -> PropertyList {
        var list = PropertyList()
        for (name, value) in properties where !value.isNull {
            list[try key(name)] = try Self.storable(value)
        }
        return list
    }

    private static func storable(_ value: GraphValue) throws -> GraphValue {
        guard value.isStorable else {
            throw CypherError.type(
                "InvalidPropertyType",
                "Property values can only be of primitive types or arrays thereof. Encountered: \(value.typeName)")
        }
        return value
    }

    /// Sets properties; null removes. With `replacing`, the others are removed.
    func setProperties(_ properties: [String: GraphValue], of id: NodeID, replacing: Bool = false) throws {
        try update(id) { record in
            record.properties = try changed(record.properties, properties, replacing: replacing)
        }
    }

    func setProperties(_ properties: [String: GraphValue], of id: RelationshipID, replacing: Bool = false) throws {
        var record = try reader.requireRecord(of: id)
        record.properties = try changed(record.properties, properties, replacing: replacing)
        try put(id, record)
    }

    private func changed(
        _ old: PropertyList, _ properties: [String: GraphValue], replacing: Bool
    ) throws -> PropertyList {
        var list = old
        if replacing {
            for (key, _) in old.entries {
                let name = try store.tokens.name(.propertyKey, key, in: transaction.view)
                guard properties[name] == nil else { continue }
                list[key] = nil
                counters.propertiesSet += 1
            }
        }
        for (name, value) in properties {
            if value.isNull {
                guard let key = try store.tokens.token(.propertyKey, name, in: transaction.view), list[key] != nil
                else {
                    continue
                }
                list[key] = nil
            } else {
                list[try key(name)] = try Self.storable(value)
            }
            counters.propertiesSet += 1
        }
        return list
    }

    // MARK: - Relationships

    func createRelationship(
        from start: NodeID, type name: String, to end: NodeID, properties: [String: GraphValue]
    ) throws -> RelationshipID {
        for node in [start, end] where try !reader.exists(node) { _ = try reader.requireRecord(of: node) }
        let type = try store.tokens.makeToken(.relationshipType, name, in: transaction)
        let id = RelationshipID(rawValue: try store.tokens.next(.relationship, in: transaction))
        let list = try propertyList(properties)
        try put(id, RelationshipRecord(type: type, start: start, end: end, properties: list))
        for entry in Self.entries(id, type, start, end) {
            try putEmpty(store.adjacency, GraphKeys.adjacency(entry))
        }
        transaction.onCommit { [index = store.index] sequence in
            index.add(id.rawValue, type: type, start: start, end: end, at: sequence)
        }
        counters.relationshipsCreated += 1
        counters.propertiesSet += list.count
        return id
    }

    private static func entries(
        _ id: RelationshipID, _ type: UInt32, _ start: NodeID, _ end: NodeID
    ) -> [AdjacencyEntry] {
        [
            AdjacencyEntry(
                node: start.rawValue, side: .outgoing, type: type, neighbour: end.rawValue, relationship: id.rawValue),
            AdjacencyEntry(
                node: end.rawValue, side: .incoming, type: type, neighbour: start.rawValue, relationship: id.rawValue),
        ]
    }

    /// Nothing happens if it is deleted already.
    func delete(_ id: RelationshipID) throws {
        guard let record = try reader.record(of: id) else { return }
        try transaction.delete(store.relationships, GraphKeys.relationship(id).rawSpan)
        for entry in Self.entries(id, record.type, record.start, record.end) {
            try transaction.delete(store.adjacency, GraphKeys.adjacency(entry).rawSpan)
        }
        transaction.onCommit { [index = store.index] sequence in
            index.remove(id.rawValue, type: record.type, start: record.start, end: record.end, at: sequence)
        }
        counters.relationshipsDeleted += 1
    }

    /// Nothing happens if it is deleted already.
    ///
    /// - Parameter detach: Deletes its relationships too; otherwise ``checkDeletions()`` refuses a node that has any.
    func delete(_ id: NodeID, detach: Bool) throws {
        guard let record = try reader.record(of: id) else { return }
        if detach { try deleteRelationships(of: id) } else { nodesToCheck.append(id) }
        try store.constraints.remove(id, record, in: self)
        for label in record.labels { try setLabel(label, of: id, false) }
        try transaction.delete(store.nodes, GraphKeys.node(id).rawSpan)
        counters.nodesDeleted += 1
    }

    private func deleteRelationships(of id: NodeID) throws {
        var found: [RelationshipID] = []
        for side in Side.allCases {
            try reader.forEachRelationship(of: id, side, types: nil) { entry in
                found.append(RelationshipID(rawValue: entry.relationship))
                return true
            }
        }
        for relationship in found { try delete(relationship) }
    }

    /// At the end of a statement: no deleted node may have kept a relationship.
    func checkDeletions() throws {
        for node in nodesToCheck where try reader.hasRelationships(node) {
            throw CypherError(
                .constraintVerificationFailed, "DeleteConnectedNode",
                "Cannot delete node<\(node)>, because it still has relationships. To delete this node, you must first "
                    + "delete its relationships.")
        }
        nodesToCheck = []
    }
}
