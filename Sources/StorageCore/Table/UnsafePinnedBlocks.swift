// UnsafePinnedBlocks.swift — the index partitions of an open table, each read once and kept.
//
// Thread safety: a place is empty or holds a block, and a block stays once it is there (first one wins), so a reader that
// holds the table needs one acquire load to use it.

internal import Synchronization

/// Blocks by position, each set at most once.
@safe
struct UnsafePinnedBlocks: ~Copyable, @unchecked Sendable {
    private let places: UnsafeMutablePointer<AtomicLazyReference<UnsafeBlockMemory>>
    let count: Int
    /// About what the blocks take once all are there.
    let byteCount: Int

    /// Places for all blocks of an index, or for none.
    /// - Parameters:
    ///   - index: Leads to the blocks, one by each entry.
    ///   - byteLimit: There are no places if the blocks would take more.
    init(_ index: Block, byteLimit: Int) {
        guard index.isDense, byteLimit > 0, case let byteCount = index.expectedByteCountOfBlocks,
            byteCount <= byteLimit
        else {
            self.init()
            return
        }
        self.init(count: index.restartCount, byteCount: byteCount)
    }

    /// No places.
    init() { self.init(count: 0, byteCount: 0) }

    private init(count: Int, byteCount: Int) {
        self.count = count
        self.byteCount = byteCount
        unsafe places = .allocate(capacity: max(count, 1))
        for index in 0..<count { unsafe (places + index).initialize(to: AtomicLazyReference()) }
    }

    deinit {
        unsafe places.deinitialize(count: count)
        unsafe places.deallocate()
    }

    subscript(index: Int) -> Block? {
        index < count ? unsafe places[index].load().map { unsafe Block($0) } : nil
    }

    /// Keeps a block; if another thread was faster, its block is returned, to be used instead. Beyond the places there are,
    /// nothing is kept.
    func keep(_ block: Block, at index: Int) -> Block {
        guard index < count else { return block }
        return unsafe Block(places[index].storeIfNil(block.memory))
    }
}

extension Block {
    /// About what the blocks that an index block leads to take in memory: index entries compress to half at best.
    fileprivate var expectedByteCountOfBlocks: Int {
        var byteCount = 0
        for index in 0..<restartCount {
            guard let entry = entries.entry(atRestart: index), let handle = unsafe BlockHandle(entries.value(entry))
            else {
                continue
            }
            byteCount += 2 * Int(clamping: min(handle.byteCount, 1 << 40))
        }
        return byteCount
    }
}
