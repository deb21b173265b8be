// CoNeighbourCount.swift — two hops and a count: how many paths x – v – o lead to each o. What "also bought" is made of.
//
// The two relationships of a path differ (Cypher's isomorphism). They can coincide only in paths that return to x, so
// all paths are counted without looking and those that used one relationship twice are taken back from x.

struct CoNeighbourCount {
    let view: AdjacencyView
    let firstType: UInt32
    let firstSide: Side
    let secondType: UInt32
    let secondSide: Side
    /// Only middle nodes with this label.
    var middleLabel: UInt32?
    /// Counts the nodes in the middle, however many paths lead over each.
    var isDistinct = false

    /// Fills the scratch space with the number of paths from `node` to each node.
    func run(from node: NodeID, _ scratch: CounterScratch) {
        scratch.reserve(view.nodeBound)
        let first = view.table(firstType, firstSide)
        let second = view.table(secondType, secondSide)
        if isDistinct {
            countDistinct(node.rawValue, first, second, scratch)
        } else {
            countPaths(node.rawValue, first, second, scratch)
        }
    }

    /// Whether a first relationship is found again among the second ones of the node it leads to.
    private func isSeenAgain(_ middle: UInt32, from node: UInt32) -> Bool {
        guard firstType == secondType else { return false }
        return secondSide == firstSide.opposite || middle == node
    }

    private func isWanted(_ middle: UInt32) -> Bool {
        middleLabel.map { view.hasLabel($0, middle) } ?? true
    }

    private func countPaths(
        _ node: UInt32, _ first: AdjacencyTable, _ second: AdjacencyTable, _ scratch: CounterScratch
    ) {
        var returning: UInt32 = 0
        let isSettled = second.isSettled
        _ = first.forEach(node) { edge in
            guard isWanted(edge.neighbour) else { return true }
            if isSettled {
                scratch.add(second.rows, second.rows.row(of: edge.neighbour))
            } else {
                _ = second.forEach(edge.neighbour) { reached in
                    scratch.add(reached.neighbour)
                    return true
                }
            }
            if isSeenAgain(edge.neighbour, from: node) { returning += 1 }
            return true
        }
        scratch.subtract(node, returning)
    }

    private func countDistinct(
        _ node: UInt32, _ first: AdjacencyTable, _ second: AdjacencyTable, _ scratch: CounterScratch
    ) {
        var multiplicity: [UInt32: Int] = [:]
        _ = first.forEach(node) { edge in
            if isWanted(edge.neighbour) { multiplicity[edge.neighbour, default: 0] += 1 }
            return true
        }
        var returning: UInt32 = 0
        for (middle, count) in multiplicity {
            _ = second.forEach(middle) { reached in
                scratch.add(reached.neighbour, onceFor: middle)
                return true
            }
            // A single relationship does not lead back over itself.
            if count == 1, isSeenAgain(middle, from: node) { returning += 1 }
        }
        scratch.subtract(node, returning)
    }
}
