// MemoryShares.swift — how the memory budget is divided, and how much of the memtables' share is in use.

internal import Synchronization

/// The parts of `StorageOptions.memoryByteBudget`.
///
/// Open tables may keep an eighth (filters, top indexes); the block cache takes what it is allowed to, at most half of the
/// rest, or a quarter of the budget where nobody says; memtables have what is left. What is kept for memtables that wait
/// for their flush is the cache's as long as none does, where nobody says how large that may be.
struct MemoryShares: Equatable {
    var tableReaders: Int
    /// What the cache has at any time.
    var blockCache: Int
    /// Whether the cache borrows what is kept for memtables that wait for their flush.
    private var lends: Bool
    /// Memtables of all trees on disk, those included that wait for their flush.
    var memtables: Int
    /// What one memtable may hold: one tree alone does not use up the share before its first flush is done.
    var memtable: Int

    init(_ options: StorageOptions) {
        let budget = max(options.memoryByteBudget, 0)
        tableReaders = budget / 8
        blockCache = min(max(options.blockCacheByteCount ?? budget / 4, 0), (budget - tableReaders) / 2)
        memtables = budget - tableReaders - blockCache
        memtable = min(options.memtableByteCount, memtables / 4)
        lends = options.blockCacheByteCount == nil
    }

    /// What the cache may hold beside so many bytes of memtables that wait for their flush.
    func blockCache(besideWaiting byteCount: Int) -> Int {
        lends ? blockCache + max(0, memtables - activeMemtables - byteCount) : blockCache
    }

    /// Memtables that still take writes hold no more than this together; the rest is for those being flushed.
    var activeMemtables: Int { memtables / 2 }

    /// What commits may add before the lane looks again at what the memtables hold.
    var surveyInterval: Int { memtables / 64 }
}

/// What the memtables of all trees on disk hold that is not in tables yet.
///
/// Memory of a flushed memtable that an old cursor still reads does not count: nothing that a writer could wait for
/// would free it.
final class MemtableUse: Sendable {
    private let total = Atomic<Int>(0)
    /// Bytes of memtables on their way to disk.
    private let waiting = Atomic<Int>(0)
    private let turn = Mutex<Void>(())

    var byteCount: Int { total.load(ordering: .relaxed) }
    var waitingByteCount: Int { waiting.load(ordering: .relaxed) }

    /// Adds up what the trees hold now. Under a lock, so that what was counted last is what is known last.
    func survey(_ trees: () -> [Tree]) {
        turn.withLock { _ in
            var active = 0
            var waiting = 0
            for state in trees().lazy.map(\.state) {
                active += state.memtable.isEmpty ? 0 : state.memtable.byteCount
                for memtable in state.immutables { waiting += memtable.byteCount }
            }
            total.store(active + waiting, ordering: .relaxed)
            self.waiting.store(waiting, ordering: .relaxed)
        }
    }
}
