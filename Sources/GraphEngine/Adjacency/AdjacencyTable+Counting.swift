// AdjacencyTable+Counting.swift — counting neighbours by whole rows: no call, reference or check for each relationship.
//
// A node that lost relationships is walked one by one, because the removed ones are known by identity. Of all others
// the row is counted as it lies in memory, then the chunks of what was added.

extension AdjacencyTable {
    /// Counts the neighbours of a node, parallel relationships repeatedly.
    func countNeighbours(of node: UInt32, weight: UInt32 = 1, _ scratch: inout UnsafeCounterScratch) {
        if shrunkNodes.contains(node) {
            _ = forEach(node) { edge in
                scratch.add(edge.neighbour, weight: weight)
                return true
            }
            return
        }
        let neighbours = rows.neighbours
        scratch.add(neighbours.span.extracting(rows.row(of: node)), weight: weight)
        guard grownNodes.contains(node), let run = added[node] else { return }
        for chunk in run.full { scratch.add(chunk.neighbours.span, weight: weight) }
        scratch.add(run.tail.neighbours.span, weight: weight)
    }

    /// Counts the neighbours of a node, each once.
    func countDistinctNeighbours(of node: UInt32, _ scratch: inout UnsafeCounterScratch) {
        if shrunkNodes.contains(node) {
            _ = forEach(node) { edge in
                scratch.add(edge.neighbour, onceFor: node)
                return true
            }
            return
        }
        let neighbours = rows.neighbours
        let row = neighbours.span.extracting(rows.row(of: node))
        guard grownNodes.contains(node), let run = added[node] else { return scratch.addOnce(ascending: row) }
        scratch.add(row, onceFor: node)
        for chunk in run.full { scratch.add(chunk.neighbours.span, onceFor: node) }
        scratch.add(run.tail.neighbours.span, onceFor: node)
    }

    /// Counts the neighbours of all counted nodes: as often as those were counted, or once for each of them.
    func countNeighbours(
        of middles: borrowing UnsafeCounterScratch, isDistinct: Bool, _ scratch: inout UnsafeCounterScratch
    ) {
        if isSettled { return countRows(of: middles, isDistinct: isDistinct, &scratch) }
        for index in 0..<middles.touchedCount {
            let (middle, weight) = middles.touched(at: index)
            if weight == 0 { continue }
            if isDistinct {
                countDistinctNeighbours(of: middle, &scratch)
            } else {
                countNeighbours(of: middle, weight: weight, &scratch)
            }
        }
    }

    /// The same where the rows are the truth.
    private func countRows(
        of middles: borrowing UnsafeCounterScratch, isDistinct: Bool, _ scratch: inout UnsafeCounterScratch
    ) {
        let rows = rows
        let neighbours = rows.neighbours
        for index in 0..<middles.touchedCount {
            let (middle, weight) = middles.touched(at: index)
            if weight == 0 { continue }
            let row = neighbours.span.extracting(rows.row(of: middle))
            if isDistinct { scratch.addOnce(ascending: row) } else { scratch.add(row, weight: weight) }
        }
    }
}
