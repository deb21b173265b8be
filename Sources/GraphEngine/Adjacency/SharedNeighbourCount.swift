// SharedNeighbourCount.swift — three hops and a count: x → p ← v → o. What "recommended for you" is made of.
//
// Nodes that x leads to itself are of no interest, so paths that use a relationship twice need no care: they end in
// such a node.

struct SharedNeighbourCount {
    let view: AdjacencyView
    let type: UInt32
    /// Counts each v once, however many p it shares and however many relationships lead on.
    let isDistinct: Bool

    /// The nodes that `node` leads to.
    func owned(by node: NodeID) -> Set<UInt32> {
        var owned: Set<UInt32> = []
        _ = view.table(type, .outgoing).forEach(node.rawValue) { edge in
            owned.insert(edge.neighbour)
            return true
        }
        return owned
    }

    /// First weighs each v by the paths that lead to it, then counts on from each v once.
    func run(
        from node: NodeID, weights: inout UnsafeCounterScratch,
        _ scratch: inout UnsafeCounterScratch
    ) {
        weights.reserve(view.nodeBound)
        scratch.reserve(view.nodeBound)
        let outgoing = view.table(type, .outgoing)
        let incoming = view.table(type, .incoming)
        _ = outgoing.forEach(node.rawValue) { shared in
            incoming.countNeighbours(of: shared.neighbour, &weights)
            return true
        }
        weights.subtract(node.rawValue, weights.count(of: node.rawValue))
        outgoing.countNeighbours(of: weights, isDistinct: isDistinct, &scratch)
    }
}
