// CounterScratch.swift — direct-indexed counters with a list of those touched, used again and again.
//
// Invariant: between uses every counter is zero; only touched ones are cleared, so a query costs what it visits and
// not what the graph holds.

internal import Synchronization

/// A node and how often it was reached.
public struct NodeCount: Sendable, Hashable {
    public let node: NodeID
    public let count: Int

    public init(node: NodeID, count: Int) {
        self.node = node
        self.count = count
    }
}

final class CounterScratch {
    private(set) var counts: [UInt32] = []
    private var touched: [UInt32] = []
    /// For distinct counts: the last source from which the node was counted, plus one.
    private var stamps: [UInt32] = []
    private var touchedCount = 0

    /// Makes room for nodes below a bound.
    func reserve(_ bound: Int) {
        guard counts.count < bound else { return }
        let missing = bound - counts.count
        counts.append(contentsOf: repeatElement(0, count: missing))
        stamps.append(contentsOf: repeatElement(0, count: missing))
        touched.append(contentsOf: repeatElement(0, count: missing))
    }

    /// Counts every node of a row. The inner loop of "also bought".
    func add(_ rows: CompressedRows, _ row: Range<Int>, weight: UInt32 = 1) {
        var touchedCount = self.touchedCount
        unsafe counts.withUnsafeMutableBufferPointer { counts in
            unsafe touched.withUnsafeMutableBufferPointer { touched in
                unsafe rows.neighbours.withUnsafeBufferPointer { neighbours in
                    // Rows are within `neighbours` and their nodes below the reserved bound, by construction.
                    for index in row {
                        let node = unsafe Int(neighbours[index])
                        let old = unsafe counts[node]
                        if old == 0 {
                            unsafe touched[touchedCount] = UInt32(truncatingIfNeeded: node)
                            touchedCount += 1
                        }
                        unsafe counts[node] = old &+ weight
                    }
                }
            }
        }
        self.touchedCount = touchedCount
    }

    func add(_ node: UInt32, weight: UInt32 = 1) {
        if counts[Int(node)] == 0 {
            touched[touchedCount] = node
            touchedCount += 1
        }
        counts[Int(node)] &+= weight
    }

    /// Counts a node once for each source.
    func add(_ node: UInt32, onceFor source: UInt32) {
        guard stamps[Int(node)] != source &+ 1 else { return }
        stamps[Int(node)] = source &+ 1
        add(node)
    }

    /// Takes counts back; the node was counted at least that often.
    func subtract(_ node: UInt32, _ count: UInt32) {
        guard Int(node) < counts.count, counts[Int(node)] >= count else { return }
        counts[Int(node)] -= count
    }

    /// The nodes counted and not excluded, the most frequent first when popped.
    func candidates(where isWanted: (UInt32) -> Bool) -> CandidateHeap {
        var entries: [UInt64] = []
        entries.reserveCapacity(touchedCount)
        for index in 0..<touchedCount {
            let node = touched[index]
            let count = counts[Int(node)]
            if count > 0, isWanted(node) { entries.append(CandidateHeap.entry(node, count)) }
        }
        return CandidateHeap(entries)
    }

    func forEachTouched(_ body: (UInt32, UInt32) -> Void) {
        for index in 0..<touchedCount where counts[Int(touched[index])] > 0 {
            body(touched[index], counts[Int(touched[index])])
        }
    }

    /// Back to all zero.
    func clear() {
        for index in 0..<touchedCount {
            counts[Int(touched[index])] = 0
            stamps[Int(touched[index])] = 0
        }
        touchedCount = 0
    }
}

/// Nodes by descending count, then ascending identity; taken one by one, so that only those wanted are sorted.
struct CandidateHeap {
    private var entries: [UInt64]

    /// Count above, complement of the node below: the greatest entry comes first.
    static func entry(_ node: UInt32, _ count: UInt32) -> UInt64 { UInt64(count) << 32 | UInt64(~node) }

    init(_ entries: [UInt64]) {
        self.entries = entries
        var parent = entries.count / 2 - 1
        while parent >= 0 {
            siftDown(parent)
            parent -= 1
        }
    }

    var next: NodeCount? {
        entries.first.map { NodeCount(node: NodeID(rawValue: ~UInt32(truncatingIfNeeded: $0)), count: Int($0 >> 32)) }
    }

    mutating func pop() -> NodeCount? {
        guard let result = next else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            siftDown(0)
        }
        return result
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

/// Lends scratch space: as many as run at once.
final class CounterPool: Sendable {
    private struct Lent: @unchecked Sendable {
        // Guarded by being in the pool or with one borrower, never both.
        let scratch: CounterScratch
    }

    private let free = Mutex<[Lent]>([])

    func withScratch<Result>(_ body: (CounterScratch) throws -> Result) rethrows -> Result {
        let lent = free.withLock { $0.popLast() } ?? Lent(scratch: CounterScratch())
        defer {
            lent.scratch.clear()
            free.withLock { $0.append(lent) }
        }
        return try body(lent.scratch)
    }
}
