// GraphCrossCheck.swift — what `verify()` checks of a graph: that everything derived agrees with the records.

struct GraphCrossCheck {
    let store: GraphStore
    let view: ReadView
    private var reader: GraphReader { GraphReader(store: store, view: view, adjacency: nil) }

    init(store: GraphStore, view: ReadView) {
        self.store = store
        self.view = view
    }

    /// One line for each contradiction.
    func run() throws -> [String] {
        try checkRelationships() + checkAdjacency() + checkLabelsAndUniqueKeys() + checkIndexes() + checkMemory()
    }

    private func forEach(_ keyspace: Keyspace, _ body: (RawSpan, RawSpan) throws -> Void) throws {
        var cursor = try view.cursor(keyspace)
        try cursor.seekToFirst()
        while cursor.isValid {
            try body(cursor.key, cursor.value)
            try cursor.next()
        }
    }

    /// Every relationship has its ends and its two adjacency entries.
    private func checkRelationships() throws -> [String] {
        var problems: [String] = []
        try forEach(store.relationships) { key, value in
            let id = try GraphKeys.relationshipID(of: key)
            let record = try RecordReader.relationship(value)
            for (side, node, neighbour) in [
                (Side.outgoing, record.start, record.end), (.incoming, record.end, record.start),
            ] {
                if try !reader.exists(node) {
                    problems.append("relationship \(id) ends in node \(node), which does not exist")
                }
                let entry = AdjacencyEntry(
                    node: node.rawValue, side: side, type: record.type, neighbour: neighbour.rawValue,
                    relationship: id.rawValue)
                if try !view.contains(store.adjacency, GraphKeys.adjacency(entry).rawSpan) {
                    problems.append("relationship \(id) lacks its \(side) adjacency entry")
                }
            }
        }
        return problems
    }

    /// Every adjacency entry has its relationship, of that type and between those nodes.
    private func checkAdjacency() throws -> [String] {
        var problems: [String] = []
        try forEach(store.adjacency) { key, _ in
            let entry = try GraphKeys.adjacencyEntry(of: key)
            let (start, end) = entry.side == .outgoing ? (entry.node, entry.neighbour) : (entry.neighbour, entry.node)
            let record = try reader.record(of: RelationshipID(rawValue: entry.relationship))
            guard let record, record.type == entry.type, record.start.rawValue == start, record.end.rawValue == end
            else {
                problems.append(
                    "the \(entry.side) adjacency of node \(entry.node) has relationship \(entry.relationship), "
                        + "which does not exist or is another")
                return
            }
        }
        return problems
    }

    private func checkLabelsAndUniqueKeys() throws -> [String] {
        var problems: [String] = []
        let definitions = store.constraints.definitions
        try forEach(store.nodes) { key, value in
            let id = try GraphKeys.nodeID(of: key)
            let record = try RecordReader.node(value)
            for label in record.labels where try !view.contains(store.labels, GraphKeys.label(label, id).rawSpan) {
                problems.append("node \(id) is missing in the index of label \(label)")
            }
            for definition in definitions where record.labels.contains(definition.label) {
                guard let value = record.properties[definition.property] else { continue }
                if try reader.node(definition.constraint, value) != id {
                    problems.append("node \(id) is missing in the index of constraint \(definition.constraint.name)")
                }
            }
        }
        return problems
    }

    private func checkIndexes() throws -> [String] {
        var problems: [String] = []
        try forEach(store.labels) { key, _ in
            let label = try GraphKeys.nodeID(of: key.extracting(0..<min(4, key.byteCount))).rawValue
            let id = try GraphKeys.nodeID(of: key, at: 4)
            if try reader.record(of: id)?.labels.contains(label) != true {
                problems.append("the index of label \(label) has node \(id), which does not have it")
            }
        }
        let definitions = store.constraints.definitions
        try forEach(store.unique) { key, value in
            let id = try GraphKeys.nodeID(of: value)
            let constraint = try GraphKeys.nodeID(of: key.extracting(0..<min(4, key.byteCount))).rawValue
            let definition = definitions.first { $0.constraint.id == constraint }
            let owned = try definition.flatMap { try reader.record(of: id)?.properties[$0.property] }
            if owned.map({ ConstraintCatalog.key(constraint, $0).rawSpan.equals(key) }) != true {
                problems.append("the index of constraint \(constraint) has node \(id) under a value it does not have")
            }
        }
        return problems
    }

    /// The adjacency in memory is that of the storage. Skipped if commits arrive meanwhile.
    private func checkMemory() throws -> [String] {
        let (snapshot, memory) = store.index.matchingView { store.storage.snapshot() }
        guard let memory, snapshot.sequence == view.sequence else { return [] }
        var problems: [String] = []
        var expected = 0
        var found = 0
        try forEach(store.adjacency) { key, _ in
            let entry = try GraphKeys.adjacencyEntry(of: key)
            expected += 1
            let isMissing = memory.table(entry.type, entry.side).forEach(entry.node, to: entry.neighbour) {
                $0.relationship != entry.relationship
            }
            if isMissing {
                problems.append("memory lacks relationship \(entry.relationship) at node \(entry.node)")
            }
        }
        for table in memory.tables { found += table.count }
        if found != expected {
            problems.append("memory has \(found) adjacency entries, the storage has \(expected)")
        }
        return problems
    }
}
