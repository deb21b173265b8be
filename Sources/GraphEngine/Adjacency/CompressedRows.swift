// CompressedRows.swift — the relationships of one type seen from one side, as compressed sparse rows.
//
//     offsets        row of node n: neighbours[offsets[n] ..< offsets[n + 1]]
//     neighbours     ascending within a row; parallel relationships repeat the neighbour
//     relationships  the identities, in step with the neighbours

/// Immutable. Contiguous rows are what makes a hop cost nanoseconds: a walk reads memory in order.
final class CompressedRows: Sendable {
    let offsets: [UInt32]
    let neighbours: [UInt32]
    let relationships: [UInt64]

    static let empty = CompressedRows(offsets: [0], neighbours: [], relationships: [])

    init(offsets: [UInt32], neighbours: [UInt32], relationships: [UInt64]) {
        self.offsets = offsets
        self.neighbours = neighbours
        self.relationships = relationships
    }

    var count: Int { neighbours.count }

    /// The place of a node's row; empty for a node newer than the rows.
    @inline(__always)
    func row(of node: UInt32) -> Range<Int> {
        let index = Int(node)
        guard index + 1 < offsets.count else { return 0..<0 }
        return Int(offsets[index])..<Int(offsets[index + 1])
    }

    /// The part of a node's row that leads to one neighbour.
    func row(of node: UInt32, to neighbour: UInt32) -> Range<Int> {
        let row = row(of: node)
        let start = firstIndex(in: row) { $0 >= neighbour }
        return start..<firstIndex(in: start..<row.upperBound) { $0 > neighbour }
    }

    private func firstIndex(in range: Range<Int>, where isPast: (UInt32) -> Bool) -> Int {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if isPast(neighbours[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Builds rows from entries in order of (node, neighbour, relationship), which is the order of graph/adjacency.
struct CompressedRowsBuilder {
    private var offsets: [UInt32] = [0]
    private var neighbours: [UInt32] = []
    private var relationships: [UInt64] = []

    /// Nodes must not descend.
    mutating func append(node: UInt32, neighbour: UInt32, relationship: UInt64) {
        closeRows(before: node)
        neighbours.append(neighbour)
        relationships.append(relationship)
    }

    private mutating func closeRows(before node: UInt32) {
        while offsets.count <= Int(node) { offsets.append(UInt32(truncatingIfNeeded: neighbours.count)) }
    }

    /// The rows, the last one closed.
    var finished: CompressedRows {
        CompressedRows(
            offsets: offsets + [UInt32(truncatingIfNeeded: neighbours.count)], neighbours: neighbours,
            relationships: relationships)
    }
}
