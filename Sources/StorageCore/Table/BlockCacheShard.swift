// BlockCacheShard.swift — one shard of the block cache: S3-FIFO (Yang and others, "FIFO queues are all you need for cache
// eviction", SOSP 2023).
//
// A new block enters the small queue. If it was asked for more than once by the time it reaches the end, it moves to the
// main queue; otherwise it leaves, and its hash is remembered for a while: a block that comes back that soon enters the
// main queue directly. So blocks that a scan reads once never displace the ones in use.
//
// Invariants: every occupied slot is in exactly one queue and in the chain of its bucket; `byteCount` is the sum of the
// queues' and never exceeds the capacity.

// A look-up costs what it misses in the processor's cache. So what it reads of a slot lies together, in front, and it asks
// for the block's lines before it counts a reference, which waits for the first of them.

internal import CStorage

/// Plain state; the cache holds it behind a lock.
@safe
struct BlockCacheShard {
    @safe private struct Slot {
        var key: BlockCacheKey
        /// The memory of the block in `blocks` at the same index; copying a slot so counts nothing.
        var memory: Unmanaged<UnsafeBlockMemory>?
        var chain: Int32
        var visits: UInt8
        var isMain: Bool
        /// Neighbours in the queue; `newer` also links the free slots.
        var newer: Int32
        var older: Int32
        var cost: Int
    }

    private struct Queue {
        var newest = none
        var oldest = none
        var byteCount = 0

        mutating func enqueue(_ index: Int32, _ slots: inout [Slot]) {
            slots[Int(index)].newer = none
            slots[Int(index)].older = newest
            if newest == none { oldest = index } else { slots[Int(newest)].newer = index }
            newest = index
            byteCount += slots[Int(index)].cost
        }

        mutating func dequeue(_ index: Int32, _ slots: inout [Slot]) {
            let newer = slots[Int(index)].newer
            let older = slots[Int(index)].older
            if newer == none { newest = older } else { slots[Int(newer)].older = older }
            if older == none { oldest = newer } else { slots[Int(older)].newer = newer }
            byteCount -= slots[Int(index)].cost
        }
    }

    private static let none: Int32 = -1
    /// About what a slot, its bucket and its block object take besides the contents.
    private static let slotByteCount = 160
    private static let largestVisits: UInt8 = 3

    /// Whoever makes it smaller calls ``shrink(atMost:evicted:)`` afterwards.
    var byteCapacity: Int
    private var slots: [Slot] = []
    /// Keeps the slots' blocks alive.
    private var blocks: [Block?] = []
    private var buckets: [Int32]
    private var free = none
    private var small = Queue()
    private var main = Queue()
    /// Hashes of blocks that left the small queue, each at the place its low bits name.
    private var ghosts: [UInt64]
    private var hitCount = 0
    private var missCount = 0
    private var blockCount = 0

    init(byteCapacity: Int) {
        self.byteCapacity = byteCapacity
        buckets = Array(repeating: Self.none, count: 64)
        var ghostCount = 64
        while ghostCount < byteCapacity / 8192 { ghostCount *= 2 }
        ghosts = Array(repeating: 0, count: ghostCount)
    }

    var statistics: BlockCache.Statistics {
        BlockCache.Statistics(
            hitCount: hitCount, missCount: missCount, blockCount: blockCount,
            byteCount: small.byteCount + main.byteCount)
    }

    mutating func find(
        _ key: BlockCacheKey, _ hash: UInt64, isUse: Bool = true, countsMiss: Bool = true
    ) -> Block? {
        let index = slot(key, hash)
        guard index != Self.none else {
            if isUse && countsMiss { missCount &+= 1 }
            return nil
        }
        guard let memory = unsafe slots[Int(index)].memory else { return nil }
        if isUse {
            unsafe Block.prefetch(memory)
            hitCount &+= 1
            if slots[Int(index)].visits < Self.largestVisits { slots[Int(index)].visits &+= 1 }
        }
        return unsafe Block(memory.takeUnretainedValue())
    }

    mutating func insert(_ block: Block, _ key: BlockCacheKey, _ hash: UInt64, evicted: inout [Block]) -> Block {
        let index = slot(key, hash)
        if index != Self.none, let present = blocks[Int(index)] { return present }
        let cost = block.byteCount + Self.slotByteCount
        guard cost <= byteCapacity else { return block }
        makeRoom(cost, evicted: &evicted)
        let isMain = ghosts[ghost(hash)] == hash
        if blockCount >= buckets.count { growBuckets() }
        let chain = buckets[bucket(hash)]
        let new = unsafe takeSlot(
            Slot(
                key: key, memory: Unmanaged.passUnretained(block.memory), chain: chain, visits: 0, isMain: isMain,
                newer: Self.none, older: Self.none, cost: cost),
            block)
        buckets[bucket(hash)] = new
        enqueue(new)
        blockCount += 1
        return block
    }

    mutating func removeAll(fileNumber: UInt64, removed: inout [Block]) {
        for index in slots.indices where blocks[index] != nil && slots[index].key.fileNumber == fileNumber {
            remove(Int32(index), removed: &removed)
        }
    }

    // MARK: Eviction

    private mutating func makeRoom(_ cost: Int, evicted: inout [Block]) {
        while small.byteCount + main.byteCount + cost > byteCapacity { evict(&evicted) }
    }

    /// Removes so many blocks at most of those that are beyond the capacity; whether there are more of them.
    mutating func shrink(atMost count: Int, evicted: inout [Block]) -> Bool {
        while small.byteCount + main.byteCount > byteCapacity {
            guard evicted.count < count else { return true }
            evict(&evicted)
        }
        return false
    }

    private mutating func evict(_ evicted: inout [Block]) {
        if small.oldest != Self.none, main.oldest == Self.none || small.byteCount > byteCapacity / 10 {
            evictFromSmall(evicted: &evicted)
        } else {
            evictFromMain(evicted: &evicted)
        }
    }

    private mutating func evictFromSmall(evicted: inout [Block]) {
        let index = small.oldest
        if slots[Int(index)].visits > 1 {
            dequeue(index)
            slots[Int(index)].visits = 0
            slots[Int(index)].isMain = true
            enqueue(index)
        } else {
            let hash = slots[Int(index)].key.hash
            ghosts[ghost(hash)] = hash
            remove(index, removed: &evicted)
        }
    }

    private mutating func evictFromMain(evicted: inout [Block]) {
        let index = main.oldest
        if slots[Int(index)].visits > 0 {
            dequeue(index)
            slots[Int(index)].visits -= 1
            enqueue(index)
        } else {
            remove(index, removed: &evicted)
        }
    }

    private func ghost(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (ghosts.count - 1)
    }

    private mutating func remove(_ index: Int32, removed: inout [Block]) {
        dequeue(index)
        unchain(index)
        unsafe slots[Int(index)].memory = nil
        if let block = blocks[Int(index)].take() { removed.append(block) }
        slots[Int(index)].newer = free
        free = index
        blockCount -= 1
    }

    // MARK: Queues

    private mutating func enqueue(_ index: Int32) {
        if slots[Int(index)].isMain { main.enqueue(index, &slots) } else { small.enqueue(index, &slots) }
    }

    private mutating func dequeue(_ index: Int32) {
        if slots[Int(index)].isMain { main.dequeue(index, &slots) } else { small.dequeue(index, &slots) }
    }

    // MARK: Hash table

    private func bucket(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (buckets.count &- 1)
    }

    private func slot(_ key: BlockCacheKey, _ hash: UInt64) -> Int32 {
        var index = buckets[bucket(hash)]
        while index != Self.none, slots[Int(index)].key != key { index = slots[Int(index)].chain }
        return index
    }

    private mutating func takeSlot(_ slot: Slot, _ block: Block) -> Int32 {
        guard free != Self.none else {
            slots.append(slot)
            blocks.append(block)
            return Int32(slots.count - 1)
        }
        let index = free
        free = slots[Int(index)].newer
        slots[Int(index)] = slot
        blocks[Int(index)] = block
        return index
    }

    private mutating func unchain(_ index: Int32) {
        let home = bucket(slots[Int(index)].key.hash)
        let next = slots[Int(index)].chain
        guard buckets[home] != index else {
            buckets[home] = next
            return
        }
        var before = buckets[home]
        while slots[Int(before)].chain != index { before = slots[Int(before)].chain }
        slots[Int(before)].chain = next
    }

    private mutating func growBuckets() {
        buckets = Array(repeating: Self.none, count: buckets.count * 2)
        for index in slots.indices where blocks[index] != nil {
            let home = bucket(slots[index].key.hash)
            slots[index].chain = buckets[home]
            buckets[home] = Int32(index)
        }
    }
}
