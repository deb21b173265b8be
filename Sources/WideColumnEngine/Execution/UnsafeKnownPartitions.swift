// UnsafeKnownPartitions.swift — what was learned of the partitions that were written to lately.
//
// Events come in the order of their times, so almost every new row lies beyond all that its partition has. Who knows where
// that ends need not look whether such a row is there already.
//
// Invariants:
// (1) Used inside the writer lane only.
// (2) A partition that was without deletions in a generation has none until the generation changes.
// (3) No row lies beyond a partition's edge. Whoever writes a row says so, by `noteRow`, or by `forgetEdges` where nobody
//     asks for edges.

/// A small table of partitions, by the low bits of their tokens.
@safe final class UnsafeKnownPartitions: @unchecked Sendable {  // guarded by the writer lane
    /// Where a partition is in the table; good until the next `slot(of:)`.
    struct Slot {
        fileprivate var offset: Int
    }

    private static let setCount = 512
    /// So many partitions of a set are known; a further one takes the place of the one that came longest ago.
    private static let slotsInSet = 4
    private static let setByteCount = slotsInSet * Layout.byteCount

    /// Of a slot, which is free where it is 0.
    private enum Layout {
        /// The length of the prefix, and the prefix. Nothing before it is needed.
        static let prefixByteCount = 0
        static let prefix = 1..<64
        /// The generation in which there are no deletions, as an `Int`; -1 where that is not known.
        static let generation = 64
        /// Whether a new row was looked for while the edge was not known.
        static let wasSearched = 72
        /// One more than the length of the edge; 0 where it is not known.
        static let edgeByteCount = 73
        /// The clustering of the row at the edge, as much of it as there is room for.
        static let edge = 74..<128
        static let byteCount = 128
    }

    @exclusivity(unchecked) private var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    @exclusivity(unchecked) private var hasEdges = false

    deinit { unsafe memory.deallocate() }

    /// - Parameter prefix: the stored keys' prefix of the partition.
    /// - Returns: a slot for the partition, a new one if need be; `nil` where the prefix is too long.
    func slot(of prefix: RawSpan) -> Slot? {
        guard let start = Self.setOffset(of: prefix) else { return nil }
        if unsafe memory.isEmpty { allocate() }
        return find(prefix, inSetAt: start) ?? add(prefix, toSetAt: start)
    }

    // MARK: Deletions

    func hasNoDeletions(_ slot: Slot, generation: Int) -> Bool {
        unsafe memory.loadUnaligned(fromByteOffset: slot.offset + Layout.generation, as: Int.self) == generation
    }

    func noteNoDeletions(_ slot: Slot, generation: Int) {
        unsafe memory.storeBytes(of: generation, toByteOffset: slot.offset + Layout.generation, as: Int.self)
    }

    // MARK: Rows

    /// Whether a partition's edge is not known and worth a search: who came with a new row will come with more, while changes
    /// of rows that are there need no edge.
    func isEdgeWanted(_ slot: Slot) -> Bool {
        unsafe edgeByteCount(slot) == nil && memory[slot.offset + Layout.wasSearched] != 0
    }

    /// A row was looked for that is not there.
    func noteSearchInVain(_ slot: Slot) {
        unsafe memory[slot.offset + Layout.wasSearched] = 1
    }

    /// Whether a row lies beyond all that the partition has. False where nothing is known.
    ///
    /// - Parameter isDescending: whether later rows come before the others.
    func isBeyondEdge(_ clustering: RawSpan, _ slot: Slot, isDescending: Bool) -> Bool {
        guard let byteCount = edgeByteCount(slot) else { return false }
        let start = slot.offset + Layout.edge.lowerBound
        let edge = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: memory[start..<start + byteCount]))
        // What is cut off never makes a row lie beyond that does not.
        let order = clustering.extracting(first: Layout.edge.count).compare(edge)
        return isDescending ? order < 0 : order > 0
    }

    /// Puts the edge where a row is, beyond which there is none.
    func setEdge(_ clustering: RawSpan, _ slot: Slot) {
        let kept = clustering.extracting(first: Layout.edge.count)
        unsafe memory[slot.offset + Layout.edgeByteCount] = UInt8(kept.byteCount + 1)
        unsafe kept.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(slot.offset + Layout.edge.lowerBound)...])
                .copyMemory(from: bytes)
        }
        unsafe hasEdges = true
    }

    /// Takes note of a row that is about to be written.
    func noteRow(_ clustering: RawSpan, ofPartition prefix: RawSpan, isDescending: Bool) {
        guard unsafe hasEdges, let start = Self.setOffset(of: prefix), let slot = find(prefix, inSetAt: start) else {
            return
        }
        if isBeyondEdge(clustering, slot, isDescending: isDescending) { setEdge(clustering, slot) }
    }

    /// Where rows are written of which nobody takes note.
    @inline(__always)
    func forgetEdges() {
        if unsafe hasEdges { forgetAllEdges() }
    }

    private func forgetAllEdges() {
        for offset in stride(from: 0, to: unsafe memory.count, by: Layout.byteCount) {
            unsafe memory[offset + Layout.edgeByteCount] = 0
        }
        unsafe hasEdges = false
    }

    private func edgeByteCount(_ slot: Slot) -> Int? {
        let stored = unsafe memory[slot.offset + Layout.edgeByteCount]
        return stored == 0 ? nil : Int(stored) - 1
    }

    // MARK: Slots

    private func find(_ prefix: RawSpan, inSetAt start: Int) -> Slot? {
        for offset in stride(from: start, to: start + Self.setByteCount, by: Layout.byteCount)
        where unsafe Int(memory[offset + Layout.prefixByteCount]) == prefix.byteCount {
            let first = offset + Layout.prefix.lowerBound
            let known = unsafe UnsafeRawBufferPointer(rebasing: memory[first..<first + prefix.byteCount])
            if unsafe RawSpan(_unsafeBytes: known).equals(prefix) { return Slot(offset: offset) }
        }
        return nil
    }

    private func add(_ prefix: RawSpan, toSetAt start: Int) -> Slot {
        let kept = Self.setByteCount - Layout.byteCount
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start + Layout.byteCount..<start + Self.setByteCount])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<start + kept]))
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + Layout.byteCount])
            .initializeMemory(as: UInt8.self, repeating: 0)
        let slot = Slot(offset: start)
        unsafe memory[start + Layout.prefixByteCount] = UInt8(prefix.byteCount)
        unsafe prefix.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(start + Layout.prefix.lowerBound)...])
                .copyMemory(from: bytes)
        }
        noteNoDeletions(slot, generation: -1)
        return slot
    }

    private func allocate() {
        unsafe memory = .allocate(byteCount: Self.setCount * Self.setByteCount, alignment: Layout.byteCount)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Where the set of a prefix begins; `nil` where it is too long.
    private static func setOffset(of prefix: RawSpan) -> Int? {
        guard (8...Layout.prefix.count).contains(prefix.byteCount) else { return nil }
        let low = unsafe prefix.unsafeLoadUnaligned(fromByteOffset: 6, as: UInt16.self)
        return Int(UInt16(bigEndian: low)) % setCount * setByteCount
    }
}
