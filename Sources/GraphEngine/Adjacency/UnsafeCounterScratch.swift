// UnsafeCounterScratch.swift — direct-indexed counters with a list of those touched, used again and again.
//
// Invariant: between uses every counter is zero; only touched ones are cleared, so a query costs what it visits and
// not what the graph holds.

/// A node and how often it was reached.
public struct NodeCount: Sendable, Hashable {
    public let node: NodeID
    public let count: Int

    public init(node: NodeID, count: Int) {
        self.node = node
        self.count = count
    }
}

/// Owns its memory. Every node that is counted must lie below the reserved bound: the caller sizes it by the view whose
/// rows it counts.
@safe
struct UnsafeCounterScratch: ~Copyable {
    private var counts: UnsafeMutableBufferPointer<UInt32>
    private var touched: UnsafeMutableBufferPointer<UInt32>
    /// For distinct counts: the last source from which the node was counted, plus one.
    private var stamps: UnsafeMutableBufferPointer<UInt32>
    private(set) var touchedCount = 0

    init() {
        unsafe counts = .allocate(capacity: 0)
        unsafe touched = .allocate(capacity: 0)
        unsafe stamps = .allocate(capacity: 0)
    }

    deinit {
        unsafe counts.deallocate()
        unsafe touched.deallocate()
        unsafe stamps.deallocate()
    }

    /// Makes room for nodes below a bound. Nothing may be counted yet.
    mutating func reserve(_ bound: Int) {
        guard unsafe counts.count < bound else { return }
        unsafe Self.replace(&counts, bound)
        unsafe Self.replace(&touched, bound)
        unsafe Self.replace(&stamps, bound)
    }

    private static func replace(_ buffer: inout UnsafeMutableBufferPointer<UInt32>, _ bound: Int) {
        unsafe buffer.deallocate()
        unsafe buffer = .allocate(capacity: bound)
        unsafe buffer.initialize(repeating: 0)
    }

    // MARK: - Counting

    @inline(__always)
    private mutating func count(_ node: UInt32, weight: UInt32 = 1) {
        let index = Int(node)
        let old = unsafe counts[index]
        if old == 0 {
            unsafe touched[touchedCount] = node
            touchedCount += 1
        }
        unsafe counts[index] = old &+ weight
    }

    mutating func add(_ node: UInt32, weight: UInt32 = 1) { count(node, weight: weight) }

    /// Counts a node once for each source.
    mutating func add(_ node: UInt32, onceFor source: UInt32) {
        guard unsafe stamps[Int(node)] != source &+ 1 else { return }
        unsafe stamps[Int(node)] = source &+ 1
        count(node)
    }

    /// Counts every node of a run. The inner loop of "also bought".
    mutating func add(_ nodes: Span<UInt32>, weight: UInt32 = 1) {
        for index in 0..<nodes.count { count(unsafe nodes[unchecked: index], weight: weight) }
    }

    /// Counts the nodes of an ascending run, each once.
    mutating func addOnce(ascending nodes: Span<UInt32>) {
        var last = UInt32.max
        for index in 0..<nodes.count {
            let node = unsafe nodes[unchecked: index]
            if node == last { continue }
            last = node
            count(node)
        }
    }

    /// Counts the nodes of a run, each once for the source.
    mutating func add(_ nodes: Span<UInt32>, onceFor source: UInt32) {
        for index in 0..<nodes.count { add(unsafe nodes[unchecked: index], onceFor: source) }
    }

    /// Takes counts back; the node was counted at least that often.
    mutating func subtract(_ node: UInt32, _ count: UInt32) {
        let index = Int(node)
        guard unsafe index < counts.count, unsafe counts[index] >= count else { return }
        unsafe counts[index] -= count
    }

    // MARK: - Reading

    /// The node touched at a place of the list, and its count, which may have been taken back to zero.
    func touched(at index: Int) -> (node: UInt32, count: UInt32) {
        precondition(index < touchedCount, "Only \(touchedCount) nodes were touched.")
        let node = unsafe touched[index]
        return (node, unsafe counts[Int(node)])
    }

    func count(of node: UInt32) -> UInt32 { unsafe Int(node) < counts.count ? counts[Int(node)] : 0 }

    func forEachTouched(_ body: (UInt32, UInt32) -> Void) {
        for index in 0..<touchedCount {
            let (node, count) = touched(at: index)
            if count > 0 { body(node, count) }
        }
    }

    /// The nodes counted, the most frequent first when popped.
    func candidates() -> CandidateHeap {
        var entries: [UInt64] = []
        entries.reserveCapacity(touchedCount)
        forEachTouched { entries.append(CandidateHeap.entry($0, $1)) }
        return CandidateHeap(entries)
    }

    /// The `limit` most frequent nodes that are wanted, ties by identity. Asks only about nodes that would be among
    /// the best so far.
    func top(_ limit: Int, where isWanted: (UInt32) -> Bool) -> [NodeCount] {
        guard limit < touchedCount, limit > 0 else { return popped(limit, where: isWanted) }
        // The complements of the entries: the greatest of the heap is the worst of the best.
        var best = CandidateHeap([])
        for index in 0..<touchedCount {
            let (node, count) = touched(at: index)
            let entry = ~CandidateHeap.entry(node, count)
            if best.count == limit, let worst = best.greatest, entry >= worst { continue }
            guard count > 0, isWanted(node) else { continue }
            if best.count == limit { best.replaceGreatest(with: entry) } else { best.push(entry) }
        }
        return best.entries.sorted().map { CandidateHeap.nodeCount(~$0) }
    }

    private func popped(_ limit: Int, where isWanted: (UInt32) -> Bool) -> [NodeCount] {
        var heap = candidates()
        var result: [NodeCount] = []
        while result.count < limit, let next = heap.pop() {
            if isWanted(next.node.rawValue) { result.append(next) }
        }
        return result
    }

    /// Back to all zero.
    mutating func clear() {
        for index in 0..<touchedCount {
            let node = unsafe Int(touched[index])
            unsafe counts[node] = 0
            unsafe stamps[node] = 0
        }
        touchedCount = 0
    }
}
