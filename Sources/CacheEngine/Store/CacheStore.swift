// CacheStore.swift — the cache: typed values with a time to live, in memory, in the semantics of Redis 7.2.
//
// The key space is cut into shards by the lower half of a key's hash; a command locks one shard, MGET and MSET those
// they touch, in ascending order. Under a shard's lock nothing calls out of this module.

internal import Synchronization

/// A cache of typed values with time to live.
///
/// - Every command is atomic. Commands on different keys run in parallel.
/// - An expired entry is never returned; its memory is reclaimed within about a second by `step(budget:)`, which a
///   background task calls unless `CacheOptions.runsInBackground` is off.
/// - With a memory limit, entries are evicted by the chosen policy before the next command that needs memory.
/// - Calls are synchronous and may be made from any thread. In memory they never wait for anything but a shard's lock.
/// - Persistence is optional (`CachePersistence`); loss of the newest changes in a crash is bounded by the chosen kind.
public final class CacheStore: Sendable {
    let shards: [CacheShard]
    let hasher: ByteHash
    let gauge = MemoryGauge()
    public let options: CacheOptions
    private let evictionHand = Atomic<Int>(0)
    /// Where a persistent cache keeps its entries.
    let log: CacheLog?
    let maintenance = Mutex<Task<Void, Never>?>(nil)

    /// A cache that lives in memory only.
    public convenience init(options: CacheOptions = CacheOptions()) {
        self.init(options: options, log: nil)
        startMaintenance()
    }

    init(options: CacheOptions, log: CacheLog?) {
        self.options = options
        self.log = log
        var random = SeededRandom(seed: options.seed ?? .random(in: .min ... .max))
        let hasher = ByteHash(seed: random.next())
        self.hasher = hasher
        let gauge = gauge
        shards = (0..<Self.shardCount(options.shardCount)).map { _ in
            let state = ShardState(
                clock: options.clock, hasher: hasher, seed: random.next(),
                usagePolicy: UsagePolicy(options.evictionPolicy), recordsChanges: log != nil)
            return CacheShard(state, gauge: gauge)
        }
    }

    deinit {
        maintenance.withLock { $0?.cancel() }
    }

    private static func shardCount(_ wanted: Int) -> Int {
        let bounded = min(max(wanted, 1), 1024)
        return 1 << (Int.bitWidth - (bounded - 1).leadingZeroBitCount)
    }

    // MARK: Running commands

    /// Runs a command that needs no more memory on the shard of a key.
    @inline(__always)
    func withShard<R: Sendable>(
        of key: some CacheBytes, _ body: (inout ShardState, CacheKey) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        try key.withBytes { bytes throws(CacheError) -> R in
            let hash = hasher.hash(bytes)
            return try shard(of: hash).withState { state throws(CacheError) -> R in
                try body(&state, CacheKey(bytes, hash: UInt32(hash >> 32)))
            }
        }
    }

    /// Runs a command that may need memory: over the limit something is evicted first, or the command refused.
    @inline(__always)
    func withShardForWriting<R: Sendable>(
        of key: some CacheBytes, _ body: (inout ShardState, CacheKey) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        try makeRoom()
        return try withShard(of: key, body)
    }

    @inline(__always)
    func shard(of hash: UInt64) -> CacheShard {
        shards[shardIndex(of: hash)]
    }

    @inline(__always)
    func shardIndex(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (shards.count - 1)
    }

    // MARK: Memory

    /// Bytes of entries, their bookkeeping and the tables; collections are estimated.
    public var usedMemoryByteCount: Int { gauge.current }

    /// Evicts until the cache is within its limit.
    func makeRoom() throws(CacheError) {
        guard let limit = options.maxMemoryByteCount else { return }
        var fruitless = 0
        while gauge.current > limit {
            let hand = evictionHand.wrappingAdd(1, ordering: .relaxed).oldValue
            let evicted = try shards[hand & (shards.count - 1)].withState { state throws(CacheError) in
                state.evictOne(options.evictionPolicy, sampleCount: options.evictionSampleCount)
            }
            fruitless = evicted ? 0 : fruitless + 1
            if fruitless >= shards.count { throw .outOfMemory }
        }
    }

    // MARK: Figures

    public var statistics: CacheStatistics {
        var total = CacheStatistics()
        for shard in shards { total += shard.read { $0.statistics } }
        return total
    }
}
