// AdjacencyTable.swift — the relationships of one type from one side: compressed rows and what changed since.
//
// Invariant: row(n) without the removed, plus added(n) without the removed, are exactly the relationships of
// graph/adjacency with this side and type under n. A relationship is in a row or in `added`, never in both.

struct AdjacencyTable: Sendable {
    /// One end of a relationship.
    struct Edge: Sendable, Hashable {
        var neighbour: UInt32
        var relationship: UInt64
    }

    /// The relationships added to one node, in chunks: appending to a copy duplicates one chunk at most.
    struct AddedRun: Sendable {
        /// Neighbours by themselves, because counting reads nothing else.
        struct Chunk: Sendable {
            fileprivate(set) var neighbours: [UInt32] = []
            fileprivate(set) var relationships: [UInt64] = []

            fileprivate func forEach(_ body: (Edge) throws -> Bool) rethrows -> Bool {
                for (neighbour, relationship) in zip(neighbours, relationships)
                where try !body(Edge(neighbour: neighbour, relationship: relationship)) { return false }
                return true
            }
        }

        private static var chunkCount: Int { 256 }
        private(set) var full: [Chunk] = []
        private(set) var tail = Chunk()

        mutating func append(_ edge: Edge) {
            tail.neighbours.append(edge.neighbour)
            tail.relationships.append(edge.relationship)
            guard tail.neighbours.count == Self.chunkCount else { return }
            full.append(tail)
            tail = Chunk()
        }

        func forEach(_ body: (Edge) throws -> Bool) rethrows -> Bool {
            for chunk in full where try !chunk.forEach(body) { return false }
            return try tail.forEach(body)
        }
    }

    private(set) var rows: CompressedRows
    private(set) var added = PagedMap<AddedRun>()
    private(set) var removed: Set<UInt64> = []
    /// The nodes with an added relationship, and those that lost one: most nodes are neither.
    private(set) var grownNodes = NodeBits()
    private(set) var shrunkNodes = NodeBits()
    /// One past the highest node with an added relationship.
    private var addedNodeBound = 0
    private(set) var addedCount = 0

    init(rows: CompressedRows = .empty) {
        self.rows = rows
    }

    /// The number of relationships.
    var count: Int { rows.count + addedCount - removed.count }

    /// Whether the rows alone are the truth.
    var isSettled: Bool { addedCount == 0 && removed.isEmpty }

    // MARK: - Changing

    mutating func add(node: UInt32, _ edge: Edge) {
        added.update(node, default: AddedRun()) { $0.append(edge) }
        grownNodes.set(node, true)
        addedNodeBound = max(addedNodeBound, Int(node) + 1)
        addedCount += 1
    }

    mutating func remove(_ relationship: UInt64, of node: UInt32) {
        removed.insert(relationship)
        shrunkNodes.set(node, true)
    }

    /// Whether the changes have grown so far that new rows are due: folding costs a pass over all relationships, so
    /// it waits for a number of changes in proportion to them.
    var wantsFolding: Bool {
        addedCount > max(4_096, rows.count / 4) || removed.count > max(4_096, rows.count / 16)
    }

    /// The same relationships, all in rows.
    func folded() -> AdjacencyTable {
        var builder = CompressedRowsBuilder()
        for index in 0..<max(rows.offsets.count - 1, addedNodeBound) {
            let node = UInt32(truncatingIfNeeded: index)
            var edges: [Edge] = []
            _ = forEach(node) { edge in
                edges.append(edge)
                return true
            }
            if added[node] != nil {
                edges.sort { ($0.neighbour, $0.relationship) < ($1.neighbour, $1.relationship) }
            }
            for edge in edges {
                builder.append(node: node, neighbour: edge.neighbour, relationship: edge.relationship)
            }
        }
        return AdjacencyTable(rows: builder.finished)
    }

    // MARK: - Reading

    /// Calls `body` for each relationship of a node until it answers false; false if it did.
    func forEach(_ node: UInt32, _ body: (Edge) throws -> Bool) rethrows -> Bool {
        try forEach(node, in: rows.row(of: node), neighbour: nil, body)
    }

    /// Calls `body` for each relationship between a node and a neighbour.
    func forEach(_ node: UInt32, to neighbour: UInt32, _ body: (Edge) throws -> Bool) rethrows -> Bool {
        try forEach(node, in: rows.row(of: node, to: neighbour), neighbour: neighbour, body)
    }

    private func forEach(
        _ node: UInt32, in row: Range<Int>, neighbour: UInt32?, _ body: (Edge) throws -> Bool
    ) rethrows -> Bool {
        for index in row {
            let edge = Edge(neighbour: rows.neighbours[index], relationship: rows.relationships[index])
            if !removed.isEmpty, removed.contains(edge.relationship) { continue }
            guard try body(edge) else { return false }
        }
        guard addedCount > 0, let run = added[node] else { return true }
        return try run.forEach { edge in
            if let neighbour, edge.neighbour != neighbour { return true }
            if !removed.isEmpty, removed.contains(edge.relationship) { return true }
            return try body(edge)
        }
    }

    /// The number of relationships of a node.
    func degree(of node: UInt32) -> Int {
        if isSettled { return rows.row(of: node).count }
        var count = 0
        _ = forEach(node) { _ in
            count += 1
            return true
        }
        return count
    }
}
