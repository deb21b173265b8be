// AdjacencyIndex.swift — the graph's relationships in memory, in step with the storage.
//
// Commits change the current tables in the writer lane, before they become visible. Readers take a view: a copy (of
// copy-on-write arrays) that later commits don't touch. A view fits a snapshot if
//   1. no commit of the graph lies between them: view.sequence <= snapshot.sequence, and
//   2. the tables have not changed between taking the view and taking the snapshot.
// Why this is enough: a commit is in the tables before it is visible, so all that a snapshot sees had reached the
// tables when it was taken; by 2 it had reached the view; by 1 the view holds nothing newer. A view taken in the middle
// of a commit's actions fails 1 until the commit is visible, and 2 once its next action has run.

internal import Synchronization

/// The tables as of one commit. Immutable.
struct AdjacencyView: Sendable {
    fileprivate(set) var tables: [AdjacencyTable] = []
    /// Nodes by label, and by the unique constraint under which they have a value.
    fileprivate var labels: [NodeBits] = []
    fileprivate var keyed: [NodeBits] = []
    /// One past the highest node.
    fileprivate(set) var nodeBound = 0
    /// The last commit that changed a relationship.
    fileprivate(set) var sequence = SequenceNumber.zero
    fileprivate var version: UInt64 = 0

    private static let none = AdjacencyTable()

    func table(_ type: UInt32, _ side: Side) -> AdjacencyTable {
        let index = Int(type) * 2 + Int(side.rawValue)
        return index < tables.count ? tables[index] : Self.none
    }

    var typeCount: Int { tables.count / 2 }

    func hasLabel(_ label: UInt32, _ node: UInt32) -> Bool {
        Int(label) < labels.count && labels[Int(label)].contains(node)
    }

    func hasKey(_ constraint: UInt32, _ node: UInt32) -> Bool {
        Int(constraint) < keyed.count && keyed[Int(constraint)].contains(node)
    }

    func nodeCount(label: UInt32) -> Int { Int(label) < labels.count ? labels[Int(label)].count : 0 }

    /// The number of nodes that have a value under a unique constraint.
    func keyCount(_ constraint: UInt32) -> Int { Int(constraint) < keyed.count ? keyed[Int(constraint)].count : 0 }

    fileprivate mutating func set(
        _ bits: WritableKeyPath<AdjacencyView, [NodeBits]>, _ index: UInt32, _ node: NodeID, _ isMember: Bool
    ) {
        while self[keyPath: bits].count <= Int(index) { self[keyPath: bits].append(NodeBits()) }
        self[keyPath: bits][Int(index)].set(node.rawValue, isMember)
        nodeBound = max(nodeBound, Int(node.rawValue) + 1)
    }
}

final class AdjacencyIndex: Sendable {
    private let current: Mutex<AdjacencyView>

    /// Reads the keyspaces that memory mirrors.
    ///
    /// - Parameter nodeBound: One past the highest node identity ever given. No entry may name a node beyond it:
    ///   memory is sized by node, and counters are indexed by it unchecked.
    init(adjacency: Keyspace, labels: Keyspace, unique: Keyspace, nodeBound: UInt64, view: ReadView) throws {
        var loaded = AdjacencyView()
        loaded.tables = try Self.tables(adjacency, nodeBound, view)
        loaded.sequence = view.sequence
        loaded.nodeBound = Int(clamping: nodeBound)
        try Self.forEach(labels, view) { key, _ in
            let label = try GraphKeys.nodeID(of: key.extracting(0..<min(4, key.byteCount))).rawValue
            try Self.check(label)
            let node = try GraphKeys.nodeID(of: key, at: 4)
            try Self.check(node.rawValue, nodeBound)
            loaded.set(\.labels, label, node, true)
        }
        try Self.forEach(unique, view) { key, value in
            let constraint = try GraphKeys.nodeID(of: key.extracting(0..<min(4, key.byteCount))).rawValue
            try Self.check(constraint)
            let node = try GraphKeys.nodeID(of: value)
            try Self.check(node.rawValue, nodeBound)
            loaded.set(\.keyed, constraint, node, true)
        }
        current = Mutex(loaded)
    }

    private static func forEach(
        _ keyspace: Keyspace, _ view: ReadView, _ body: (RawSpan, RawSpan) throws -> Void
    ) throws {
        var cursor = try view.cursor(keyspace)
        try cursor.seekToFirst()
        while cursor.isValid {
            try body(cursor.key, cursor.value)
            try cursor.next()
        }
    }

    /// Tokens index arrays: one that no catalog gave must not make them huge.
    private static func check(_ token: UInt32) throws {
        guard token < 1 << 20 else {
            throw StorageError.corruption("The graph uses the token \(token), which its catalog can't have given")
        }
    }

    private static func check(_ node: UInt32, _ bound: UInt64) throws {
        guard node < bound else {
            throw StorageError.corruption("The graph names node \(node), but only \(bound) were ever created")
        }
    }

    private static func tables(_ keyspace: Keyspace, _ nodeBound: UInt64, _ view: ReadView) throws -> [AdjacencyTable] {
        var builders: [CompressedRowsBuilder] = []
        try forEach(keyspace, view) { key, _ in
            let entry = try GraphKeys.adjacencyEntry(of: key)
            try check(entry.type)
            try check(max(entry.node, entry.neighbour), nodeBound)
            let index = index(entry.type, entry.side)
            while builders.count <= index { builders.append(CompressedRowsBuilder()) }
            builders[index].append(node: entry.node, neighbour: entry.neighbour, relationship: entry.relationship)
        }
        if builders.count % 2 == 1 { builders.append(CompressedRowsBuilder()) }
        return builders.map { AdjacencyTable(rows: $0.finished) }
    }

    private static func index(_ type: UInt32, _ side: Side) -> Int { Int(type) * 2 + Int(side.rawValue) }

    // MARK: - Views

    /// A view and a snapshot that show the same relationships. The view is nil if commits came so thick that no pair
    /// was found: then the caller reads relationships from the snapshot.
    func matchingView(_ takeSnapshot: () -> Snapshot) -> (snapshot: Snapshot, view: AdjacencyView?) {
        for _ in 0..<64 {
            let view = current.withLock { $0 }
            let snapshot = takeSnapshot()
            let isCurrent = current.withLock { $0.version == view.version }
            if isCurrent, view.sequence <= snapshot.sequence { return (snapshot, view) }
        }
        return (takeSnapshot(), nil)
    }

    // MARK: - Changes, in the writer lane

    func add(_ relationship: UInt64, type: UInt32, start: NodeID, end: NodeID, at sequence: SequenceNumber) {
        change(type, at: sequence, bound: Int(max(start, end).rawValue) + 1) { outgoing, incoming in
            outgoing.add(
                node: start.rawValue, AdjacencyTable.Edge(neighbour: end.rawValue, relationship: relationship))
            incoming.add(
                node: end.rawValue, AdjacencyTable.Edge(neighbour: start.rawValue, relationship: relationship))
        }
    }

    func setLabel(_ label: UInt32, of node: NodeID, _ isSet: Bool, at sequence: SequenceNumber) {
        current.withLock { view in
            view.version += 1
            view.sequence = sequence
            view.set(\.labels, label, node, isSet)
        }
    }

    func setKey(_ constraint: UInt32, of node: NodeID, _ isSet: Bool, at sequence: SequenceNumber) {
        current.withLock { view in
            view.version += 1
            view.sequence = sequence
            view.set(\.keyed, constraint, node, isSet)
        }
    }

    func remove(_ relationship: UInt64, type: UInt32, start: NodeID, end: NodeID, at sequence: SequenceNumber) {
        change(type, at: sequence) { outgoing, incoming in
            outgoing.remove(relationship, of: start.rawValue)
            incoming.remove(relationship, of: end.rawValue)
        }
    }

    private func change(
        _ type: UInt32, at sequence: SequenceNumber, bound: Int = 0,
        _ body: (inout AdjacencyTable, inout AdjacencyTable) -> Void
    ) {
        let outgoing = Self.index(type, .outgoing)
        let incoming = Self.index(type, .incoming)
        current.withLock { view in
            while view.tables.count <= incoming { view.tables.append(AdjacencyTable()) }
            view.version += 1
            view.sequence = sequence
            view.nodeBound = max(view.nodeBound, bound)
            var pair = (AdjacencyTable(), AdjacencyTable())
            swap(&pair.0, &view.tables[outgoing])
            swap(&pair.1, &view.tables[incoming])
            body(&pair.0, &pair.1)
            if pair.0.wantsFolding { pair.0 = pair.0.folded() }
            if pair.1.wantsFolding { pair.1 = pair.1.folded() }
            swap(&pair.0, &view.tables[outgoing])
            swap(&pair.1, &view.tables[incoming])
        }
    }
}
