// CompactionQueue.swift — whose tree is compacted next.
//
// Fair queueing by start time (Goyal, Vin and Cheng, 1996): each tree has a virtual time that advances by the bytes its
// compactions take, divided by how urgent they are; the tree whose time is earliest goes first. So a tree that is always
// due gets its share and no more, however much it writes, and one that was idle has nothing saved up.

struct CompactionQueue {
    struct Due {
        var tree: UInt32
        var urgency: Double
        var byteCount: Int64
    }

    private var now = 0.0
    private var finish: [UInt32: Double] = [:]

    /// The position of the one to serve, which counts as served.
    mutating func next(among due: [Due]) -> Int? {
        let order = due.indices.map { (index: $0, start: max(finish[due[$0].tree] ?? 0, now), due: due[$0]) }
        guard
            let chosen = order.min(by: {
                ($0.start, -$0.due.urgency, $0.due.tree) < ($1.start, -$1.due.urgency, $1.due.tree)
            })
        else { return nil }
        now = chosen.start
        finish[chosen.due.tree] = chosen.start + Double(max(chosen.due.byteCount, 1)) / max(chosen.due.urgency, 1)
        return chosen.index
    }

    mutating func remove(_ tree: UInt32) { finish[tree] = nil }
}
