// UnsafePinnedBlocks.swift — the index partitions of an open table, each read once and kept.
//
// Thread safety: a place is empty or holds a block, and a block stays once it is there (first one wins), so a reader that
// holds the table needs one acquire load to use it.

internal import Synchronization

/// Blocks by position, each set at most once.
@safe
struct UnsafePinnedBlocks: ~Copyable, @unchecked Sendable {
    private let places: UnsafeMutablePointer<AtomicLazyReference<UnsafeBlockMemory>>
    private let count: Int
    private let pinnedByteCount = Atomic<Int>(0)

    init(count: Int) {
        self.count = count
        unsafe places = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (places + index).initialize(to: AtomicLazyReference()) }
    }

    deinit {
        unsafe places.deinitialize(count: count)
        unsafe places.deallocate()
    }

    var byteCount: Int { pinnedByteCount.load(ordering: .relaxed) + count * 8 }

    subscript(index: Int) -> Block? {
        index < count ? unsafe places[index].load().map { unsafe Block($0) } : nil
    }

    /// Keeps a block; if another thread was faster, its block is returned, to be used instead. Beyond the places there are,
    /// nothing is kept.
    func keep(_ block: Block, at index: Int) -> Block {
        guard index < count else { return block }
        let kept = unsafe Block(places[index].storeIfNil(block.memory))
        if unsafe kept.memory === block.memory { pinnedByteCount.add(block.byteCount, ordering: .relaxed) }
        return kept
    }
}
