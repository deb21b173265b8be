// CacheShard.swift — a shard's state behind its lock, and the memory that all shards use together.

internal import Synchronization

/// Figures since the cache was opened.
public struct CacheStatistics: Sendable, Hashable {
    public var hits = 0
    public var misses = 0
    /// Expired entries that a command came upon.
    public var lazilyExpired = 0
    /// Expired entries that maintenance removed.
    public var activelyExpired = 0
    public var evicted = 0

    static func += (total: inout CacheStatistics, part: CacheStatistics) {
        total.hits += part.hits
        total.misses += part.misses
        total.lazilyExpired += part.lazilyExpired
        total.activelyExpired += part.activelyExpired
        total.evicted += part.evicted
    }
}

/// Bytes that all shards use together.
final class MemoryGauge: Sendable {
    private let byteCount = Atomic<Int>(0)

    var current: Int { byteCount.load(ordering: .relaxed) }

    func add(_ difference: Int) {
        byteCount.add(difference, ordering: .relaxed)
    }
}

final class CacheShard: Sendable {
    private let state: Mutex<ShardState>
    private let gauge: MemoryGauge

    init(_ state: consuming sending ShardState, gauge: MemoryGauge) {
        self.gauge = gauge
        gauge.add(state.usedByteCount)
        self.state = Mutex(state)
    }

    /// Runs a command alone on the shard. `body` must not call back into the cache or the storage.
    @inline(__always)
    func withState<R: Sendable>(
        _ body: (inout ShardState) throws(CacheError) -> R
    ) throws(CacheError) -> R {
        try state.withLock { state throws(CacheError) -> R in
            let before = state.usedByteCount
            defer {
                let after = state.usedByteCount
                if after != before { gauge.add(after - before) }
            }
            return try body(&state)
        }
    }

    /// The same for a command that can't be refused.
    @inline(__always)
    func read<R: Sendable>(_ body: (inout ShardState) -> R) -> R {
        state.withLock { state -> R in
            let before = state.usedByteCount
            defer {
                let after = state.usedByteCount
                if after != before { gauge.add(after - before) }
            }
            return body(&state)
        }
    }
}
