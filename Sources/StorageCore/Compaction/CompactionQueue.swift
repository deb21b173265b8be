// CompactionQueue.swift — whose tree is compacted next.
//
// Fair queueing by start time (Goyal, Vin and Cheng, 1996): each tree has a virtual time that advances by the bytes its
// compactions take, divided by how urgent they are; the tree whose time is earliest goes first. So a tree that is always
// due gets its share and no more, however much it writes, and one that was idle has nothing saved up.
//
// A compaction that is under way lets those go first that would have been done before it, had they been due when it began:
// a merge of gigabytes does not keep a thread from a merge of megabytes.

struct CompactionQueue {
    struct Due {
        var tree: UInt32
        var urgency: Double
        var byteCount: Int64
    }

    private var now = 0.0
    private var finish: [UInt32: Double] = [:]

    /// The position of the one to serve, which counts as served, and the virtual time at which it will be done.
    /// - Parameter limit: Nobody is served who will not be done before it.
    mutating func next(among due: [Due], doneBefore limit: Double = .infinity) -> (index: Int, finish: Double)? {
        let order = due.indices.map { index in
            let start = max(finish[due[index].tree] ?? 0, now)
            let cost = Double(max(due[index].byteCount, 1)) / max(due[index].urgency, 1)
            return (index: index, start: start, finish: start + cost, due: due[index])
        }
        guard
            let chosen = order.filter({ $0.finish < limit }).min(by: {
                ($0.start, -$0.due.urgency, $0.due.tree) < ($1.start, -$1.due.urgency, $1.due.tree)
            })
        else { return nil }
        now = chosen.start
        finish[chosen.due.tree] = chosen.finish
        return (chosen.index, chosen.finish)
    }

    mutating func remove(_ tree: UInt32) { finish[tree] = nil }
}
