// CacheOptions.swift — limits, eviction, persistence, time and randomness of a cache.

/// Which entry has to go when the cache is over its memory limit; the names and meanings of Redis' `maxmemory-policy`.
public enum EvictionPolicy: String, Sendable, Hashable, CaseIterable {
    /// Nothing is evicted: commands that need memory are refused with `OOM`.
    case noEviction = "noeviction"
    case allKeysLRU = "allkeys-lru"
    case allKeysLFU = "allkeys-lfu"
    case allKeysRandom = "allkeys-random"
    /// The `volatile` policies choose among keys with a time to live; where there is none they act as `noEviction`.
    case volatileLRU = "volatile-lru"
    case volatileLFU = "volatile-lfu"
    case volatileRandom = "volatile-random"
    /// The key that expires soonest.
    case volatileTTL = "volatile-ttl"

    var isVolatileOnly: Bool {
        switch self {
        case .noEviction, .allKeysLRU, .allKeysLFU, .allKeysRandom: false
        case .volatileLRU, .volatileLFU, .volatileRandom, .volatileTTL: true
        }
    }
}

/// Whether a cache over a storage survives a restart, and how much a crash may lose.
public enum CachePersistence: Sendable, Hashable {
    /// In memory only.
    case none
    /// Changes are in the storage, `.buffered`, when the call that made them returns: nothing is lost when the process
    /// dies. A command must then not be called inside a storage transaction, except in the forms that take it.
    case writeThrough
    /// The background task writes changes ten times a second: a crash may lose what came after the last time.
    case writeBehind
}

public struct CacheOptions: Sendable {
    /// Bytes of keys, values and their bookkeeping; `nil` means no limit. One command may exceed it by what it writes:
    /// the limit is enforced before the next one, as in Redis.
    public var maxMemoryByteCount: Int?
    public var evictionPolicy: EvictionPolicy
    /// Entries looked at for each eviction; ten is close to true LRU (Redis' `maxmemory-samples`).
    public var evictionSampleCount: Int
    /// Independent parts of the key space, each under a lock of its own. Rounded up to a power of two, at most 1024.
    public var shardCount: Int
    /// Only for a cache that is opened over a storage.
    public var persistence: CachePersistence
    /// Where time comes from.
    public var clock: any StorageClock
    /// Seeds hashing and sampling. `nil` draws a random one, so that keys can't be chosen to collide.
    public var seed: UInt64?
    /// Whether a background task reclaims expired entries and writes behind. With `false` the owner calls `step(budget:)`.
    public var runsInBackground: Bool

    public init(
        maxMemoryByteCount: Int? = nil, evictionPolicy: EvictionPolicy = .noEviction, evictionSampleCount: Int = 5,
        shardCount: Int = 16, persistence: CachePersistence = .none, clock: any StorageClock = SystemClock(),
        seed: UInt64? = nil, runsInBackground: Bool = true
    ) {
        self.maxMemoryByteCount = maxMemoryByteCount
        self.evictionPolicy = evictionPolicy
        self.evictionSampleCount = evictionSampleCount
        self.shardCount = shardCount
        self.persistence = persistence
        self.clock = clock
        self.seed = seed
        self.runsInBackground = runsInBackground
    }
}
