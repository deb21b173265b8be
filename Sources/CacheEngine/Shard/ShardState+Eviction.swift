// ShardState+Eviction.swift — which entry goes when memory is short: Redis' sampled LRU, LFU, random and shortest TTL.
//
// The 16 usage bits of an entry hold, for LRU, the second of the last access (modulo 2^16); for LFU, eight bits of
// minute (of the last decay) and eight bits of a logarithmic counter (Morris), as in Redis' `src/evict.c`.

/// What is recorded at each access.
enum UsagePolicy: Sendable {
    case none, recency, frequency

    init(_ policy: EvictionPolicy) {
        switch policy {
        case .allKeysLRU, .volatileLRU: self = .recency
        case .allKeysLFU, .volatileLFU: self = .frequency
        case .noEviction, .allKeysRandom, .volatileRandom, .volatileTTL: self = .none
        }
    }
}

extension ShardState {
    /// New entries start at 5, so that they are not the first to go.
    private static var initialFrequency: UInt16 { 5 }
    /// Larger is slower growth: a hundred accesses count 10, a million 255.
    private static var logarithmFactor: Int { 10 }

    private var secondStamp: UInt16 { UInt16(truncatingIfNeeded: clock.now.seconds) }
    private var minuteStamp: UInt16 { UInt16(truncatingIfNeeded: clock.now.seconds / 60) & 0xFF }

    var initialUsage: UInt16 {
        switch usagePolicy {
        case .none: 0
        case .recency: secondStamp
        case .frequency: minuteStamp << 8 | Self.initialFrequency
        }
    }

    mutating func recordUsage(_ block: UnsafeBlock) {
        switch usagePolicy {
        case .none: break
        case .recency: block.usage = secondStamp
        case .frequency: block.usage = minuteStamp << 8 | incremented(frequency(block))
        }
    }

    /// The counter after one point of decay for each minute since it was last touched.
    private func frequency(_ block: UnsafeBlock) -> UInt16 {
        let minutes = (minuteStamp &- block.usage >> 8) & 0xFF
        let counter = block.usage & 0xFF
        return counter > minutes ? counter - minutes : 0
    }

    private mutating func incremented(_ counter: UInt16) -> UInt16 {
        guard counter < 255 else { return 255 }
        let above = Int(counter > Self.initialFrequency ? counter - Self.initialFrequency : 0)
        let odds = UInt64(above * Self.logarithmFactor + 1)
        return random.next() % odds == 0 ? counter + 1 : counter
    }

    /// Evicts the best candidate among `sampleCount` random entries. Returns whether there was one.
    mutating func evictOne(_ policy: EvictionPolicy, sampleCount: Int) -> Bool {
        guard policy != .noEviction, let victim = victim(policy, sampleCount: sampleCount) else { return false }
        let key = table.arena.block(victim).key
        guard let index = table.index(of: victim, hash: UInt32(hasher.hash(key) >> 32)) else { return false }
        statistics.evicted += 1
        remove(at: index)
        return true
    }

    private mutating func victim(_ policy: EvictionPolicy, sampleCount: Int) -> BlockReference? {
        var best: (reference: BlockReference, score: Int64)?
        for _ in 0..<max(1, sampleCount) {
            guard let reference = table.randomEntry(using: &random) else { return nil }
            let block = table.arena.block(reference)
            if policy.isVolatileOnly, block.expiry == 0 { continue }
            let score = evictionScore(block, policy)
            if score > best?.score ?? .min { best = (reference, score) }
        }
        if best == nil, policy.isVolatileOnly { return firstVolatileEntry() }
        return best?.reference
    }

    /// Higher goes first.
    private func evictionScore(_ block: UnsafeBlock, _ policy: EvictionPolicy) -> Int64 {
        switch policy {
        case .noEviction, .allKeysRandom, .volatileRandom: 0
        case .allKeysLRU, .volatileLRU: Int64(secondStamp &- block.usage)
        case .allKeysLFU, .volatileLFU: 255 - Int64(frequency(block))
        case .volatileTTL: -block.expiry
        }
    }

    /// Where entries with a time to live are rare, sampling misses them: search for one.
    private func firstVolatileEntry() -> BlockReference? {
        guard wheel.referenceCount > 0 else { return nil }
        var found: BlockReference?
        var cursor: UInt32? = 0
        while found == nil, let position = cursor {
            cursor = table.scan(from: position) { reference in
                if table.arena.block(reference).expiry != 0 { found = reference }
            }
        }
        return found
    }
}
