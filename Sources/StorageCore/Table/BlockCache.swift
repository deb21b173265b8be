// BlockCache.swift — the decompressed blocks of all tables of a storage, bounded by bytes.
//
// Thread safety: each shard is one struct behind a Mutex; a block is immutable and outlives its eviction for as long as
// a reader holds it. Locks are held for a few dozen instructions, never while reading a file or freeing a block.

internal import Synchronization

/// The place of a block in a storage.
struct BlockCacheKey: Equatable, Sendable {
    let fileNumber: UInt64
    let offset: UInt64

    /// Bits well mixed: the shard comes from the upper half, the bucket from the lower.
    var hash: UInt64 {
        var mixed = fileNumber &* 0x9E37_79B9_7F4A_7C15 ^ offset
        mixed = (mixed ^ (mixed &>> 32)) &* 0xD6E8_FEB8_6659_FD93
        mixed = (mixed ^ (mixed &>> 32)) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ (mixed &>> 32)
    }
}

/// A sharded cache whose contents one long scan does not wash out (S3-FIFO; see `BlockCacheShard`).
final class BlockCache: Sendable {
    struct Statistics: Equatable, Sendable {
        var hitCount = 0
        var missCount = 0
        var blockCount = 0
        /// What counts against the capacity: contents and bookkeeping.
        var byteCount = 0
    }

    private static let largestShardCount = 16
    private static let smallestShardByteCapacity = 1 << 20

    private let capacity: Atomic<Int>
    private let resizing = Mutex<Void>(())
    private let shards: [LockedShard]

    /// Never holds more than `byteCapacity` bytes, whatever is in use by readers not counted; 0 caches nothing.
    init(byteCapacity: Int) {
        let byteCapacity = max(byteCapacity, 0)
        capacity = Atomic(byteCapacity)
        var count = 1
        while count < Self.largestShardCount, byteCapacity / (count * 2) >= Self.smallestShardByteCapacity {
            count *= 2
        }
        shards = (0..<count).map { _ in LockedShard(byteCapacity: byteCapacity / count) }
    }

    var byteCapacity: Int { capacity.load(ordering: .relaxed) }

    /// Gives the cache another size, and removes what it has no more room for. Made for sizes up to the first one.
    func resize(to byteCapacity: Int) {
        let byteCapacity = max(byteCapacity, 0)
        resizing.withLock { _ in
            guard capacity.exchange(byteCapacity, ordering: .relaxed) != byteCapacity else { return }
            for shard in shards { shard.resize(to: byteCapacity / shards.count, atOnce: Self.removalCount) }
        }
    }

    /// How many blocks are removed while readers of a shard wait.
    private static let removalCount = 64

    var statistics: Statistics {
        shards.reduce(into: Statistics()) { sum, shard in
            let statistics = shard.state.withLock { $0.statistics }
            sum.hitCount += statistics.hitCount
            sum.missCount += statistics.missCount
            sum.blockCount += statistics.blockCount
            sum.byteCount += statistics.byteCount
        }
    }

    /// - Parameters:
    ///   - isUse: False for who only passes by, such as a compaction: neither counted, nor a reason to keep the block.
    ///   - countsMiss: False for who will ask again if the block is not there.
    func block(_ key: BlockCacheKey, isUse: Bool = true, countsMiss: Bool = true) -> Block? {
        let hash = key.hash
        return shard(hash).state.withLock { $0.find(key, hash, isUse: isUse, countsMiss: countsMiss) }
    }

    /// Offers a block that was just read. If another thread was faster, its block is returned, to be used instead.
    func insert(_ block: Block, _ key: BlockCacheKey) -> Block {
        let hash = key.hash
        // Freed after the lock is released: freeing takes longer than the rest.
        var evicted: [Block] = []
        let kept = shard(hash).state.withLock { $0.insert(block, key, hash, evicted: &evicted) }
        evicted.removeAll()
        return kept
    }

    /// Forgets the blocks of a file; to be called when the file is deleted.
    func removeAll(fileNumber: UInt64) {
        for shard in shards {
            var removed: [Block] = []
            shard.state.withLock { $0.removeAll(fileNumber: fileNumber, removed: &removed) }
            removed.removeAll()
        }
    }

    private func shard(_ hash: UInt64) -> LockedShard {
        shards[Int(truncatingIfNeeded: hash &>> 48) & (shards.count &- 1)]
    }
}

private final class LockedShard: Sendable {
    let state: Mutex<BlockCacheShard>

    init(byteCapacity: Int) {
        state = Mutex(BlockCacheShard(byteCapacity: byteCapacity))
    }

    /// - Parameter count: How many blocks are removed at a time.
    func resize(to byteCapacity: Int, atOnce count: Int) {
        state.withLock { $0.byteCapacity = byteCapacity }
        var isTooLarge = true
        while isTooLarge {
            var evicted: [Block] = []
            isTooLarge = state.withLock { $0.shrink(atMost: count, evicted: &evicted) }
            evicted.removeAll()
        }
    }
}
