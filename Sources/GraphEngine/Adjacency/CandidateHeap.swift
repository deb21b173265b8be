// CandidateHeap.swift — counted nodes in order, as one number each.

/// Nodes by descending count, then ascending identity; taken one by one, so that only those wanted are sorted.
struct CandidateHeap {
    private(set) var entries: [UInt64]

    /// Count above, complement of the node below: the greatest entry comes first.
    @inline(__always)
    static func entry(_ node: UInt32, _ count: UInt32) -> UInt64 { UInt64(count) << 32 | UInt64(~node) }

    static func nodeCount(_ entry: UInt64) -> NodeCount {
        NodeCount(node: NodeID(rawValue: ~UInt32(truncatingIfNeeded: entry)), count: Int(entry >> 32))
    }

    init(_ entries: [UInt64]) {
        self.entries = entries
        var parent = entries.count / 2 - 1
        while parent >= 0 {
            siftDown(parent)
            parent -= 1
        }
    }

    var count: Int { entries.count }
    var greatest: UInt64? { entries.first }

    mutating func push(_ entry: UInt64) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0, entries[(child - 1) / 2] < entries[child] {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The heap is not empty.
    mutating func replaceGreatest(with entry: UInt64) {
        entries[0] = entry
        siftDown(0)
    }

    mutating func pop() -> NodeCount? {
        guard let result = greatest else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty { replaceGreatest(with: last) }
        return Self.nodeCount(result)
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var largest = parent
            let left = 2 * parent + 1
            if left < entries.count, entries[left] > entries[largest] { largest = left }
            if left + 1 < entries.count, entries[left + 1] > entries[largest] { largest = left + 1 }
            if largest == parent { return }
            entries.swapAt(parent, largest)
            parent = largest
        }
    }
}
