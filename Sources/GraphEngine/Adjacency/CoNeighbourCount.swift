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
    ///
    /// - Parameter middles: Scratch space for the nodes in the middle: each is expanded once, with a weight.
    func run(
        from node: NodeID, middles: inout UnsafeCounterScratch, _ scratch: inout UnsafeCounterScratch
    ) {
        middles.reserve(view.nodeBound)
        scratch.reserve(view.nodeBound)
        let first = view.table(firstType, firstSide)
        first.countNeighbours(of: node.rawValue, &middles)
        if let middleLabel {
            for index in 0..<middles.touchedCount {
                let (middle, count) = middles.touched(at: index)
                if !view.hasLabel(middleLabel, middle) { middles.subtract(middle, count) }
            }
        }
        view.table(secondType, secondSide).countNeighbours(of: middles, isDistinct: isDistinct, &scratch)
        scratch.subtract(node.rawValue, returningCount(node.rawValue, middles))
    }

    /// How many of the counted paths went back to where they came from over the relationship they came by.
    private func returningCount(_ node: UInt32, _ middles: borrowing UnsafeCounterScratch) -> UInt32 {
        guard firstType == secondType else { return 0 }
        // On the same side only a loop leads back.
        guard secondSide == firstSide.opposite else { return Self.returning(middles.count(of: node), isDistinct) }
        var total: UInt32 = 0
        for index in 0..<middles.touchedCount {
            total &+= Self.returning(middles.touched(at: index).count, isDistinct)
        }
        return total
    }

    /// Of two parallel relationships one leads back over the other, so the node in the middle counts; of one, none.
    private static func returning(_ count: UInt32, _ isDistinct: Bool) -> UInt32 {
        isDistinct ? (count == 1 ? 1 : 0) : count
    }
}
