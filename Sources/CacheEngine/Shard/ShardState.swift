// ShardState.swift — one part of the key space: table, long values, expiry wheel, and the keys changed since the last
// write to storage. Guarded by the lock of its `CacheShard`.
//
// Invariant: a lookup never returns an expired entry. `usedByteCount` is exact for blocks and slots and an estimate
// for collections.

struct ShardState: ~Copyable {
    var table = EntryTable()
    var objects = ObjectPool()
    var wheel: ExpiryWheel
    var random: SeededRandom
    let hasher: ByteHash
    let clock: any StorageClock
    let usagePolicy: UsagePolicy
    /// Keys to write to storage or delete there; `nil` where the cache is not persistent.
    var changedKeys: Set<[UInt8]>?
    var statistics = CacheStatistics()

    /// Longer strings are kept outside the block.
    static let maxInlineByteCount = 448

    init(clock: any StorageClock, hasher: ByteHash, seed: UInt64, usagePolicy: UsagePolicy, recordsChanges: Bool) {
        self.clock = clock
        self.hasher = hasher
        self.usagePolicy = usagePolicy
        random = SeededRandom(seed: seed)
        wheel = ExpiryWheel(now: clock.now.milliseconds)
        changedKeys = recordsChanges ? [] : nil
    }

    var now: Int64 { clock.now.milliseconds }

    var usedByteCount: Int {
        table.arena.liveByteCount + table.slotByteCount + objects.byteCount
            + wheel.referenceCount * MemoryLayout<BlockReference>.stride
    }

    // MARK: Lookup

    /// The entry of a key, if there is one that has not expired; an expired one is removed.
    @inline(__always)
    mutating func lookup(_ key: CacheKey) -> BlockReference? {
        guard let index = table.index(of: key.bytes, hash: key.hash) else { return nil }
        let reference = table.reference(at: index)
        let expiry = table.arena.block(reference).expiry
        guard expiry == 0 || expiry > now else {
            statistics.lazilyExpired += 1
            remove(at: index)
            return nil
        }
        return reference
    }

    /// A lookup on behalf of a reader: counts a hit or a miss and records the access.
    @inline(__always)
    mutating func access(_ key: CacheKey) -> UnsafeBlock? {
        guard let reference = lookup(key) else {
            statistics.misses += 1
            return nil
        }
        statistics.hits += 1
        let block = table.arena.block(reference)
        if usagePolicy != .none { recordUsage(block) }
        return block
    }

    /// Removes an entry. Returns whether there was one.
    @discardableResult
    mutating func remove(_ key: CacheKey) -> Bool {
        guard lookup(key) != nil, let index = table.index(of: key.bytes, hash: key.hash) else { return false }
        remove(at: index)
        return true
    }

    mutating func remove(at index: Int) {
        let reference = table.reference(at: index)
        let block = table.arena.block(reference)
        noteChange(block.key)
        if block.kind == .object { objects.remove(block.payload) }
        table.remove(at: index)
        table.arena.free(reference)
    }

    // MARK: Writing

    /// Sets a string; the expiry of an entry that is there already stays unless one is given (0 clears it).
    mutating func setString(_ key: CacheKey, _ value: RawSpan, expiry: Int64? = 0) throws(CacheError) {
        if value.byteCount > Self.maxInlineByteCount {
            return try setObject(key, .string(value.array()), expiry: expiry)
        }
        let reference = try place(key, inlineByteCount: value.byteCount)
        let block = table.arena.block(reference)
        block.setInlineValue(value)
        finishWrite(reference, block, expiry: expiry)
    }

    /// Sets a value that lies outside the block.
    mutating func setObject(_ key: CacheKey, _ object: CacheObject, expiry: Int64? = 0) throws(CacheError) {
        let reference = try place(key, inlineByteCount: 0)
        let block = table.arena.block(reference)
        block.kind = .object
        block.payload = objects.insert(object)
        finishWrite(reference, block, expiry: expiry)
    }

    mutating func setExpiry(_ reference: BlockReference, _ expiry: Int64) {
        let block = table.arena.block(reference)
        block.expiry = min(max(expiry, 0), UnsafeBlock.maxExpiry)
        if block.expiry != 0 { wheel.register(reference, block) }
        noteChange(block.key)
    }

    /// A block for the key with room for an inline value: the key's own if it has the right size, else a new one that
    /// takes over its expiry. The old value is gone.
    private mutating func place(_ key: CacheKey, inlineByteCount: Int) throws(CacheError) -> BlockReference {
        guard key.bytes.byteCount <= UnsafeBlock.maxKeyByteCount else { throw .keyTooLong }
        let byteCount = UnsafeBlock.headerByteCount + key.bytes.byteCount + inlineByteCount
        guard lookup(key) != nil, let index = table.index(of: key.bytes, hash: key.hash) else {
            return try insertBlock(key, byteCount: byteCount)
        }
        let reference = table.reference(at: index)
        let block = table.arena.block(reference)
        if block.kind == .object { objects.remove(block.payload) }
        if UnsafeBlockArena.sameClass(block.byteCount, byteCount) { return reference }
        return try moveBlock(at: index, key, byteCount: byteCount)
    }

    private mutating func insertBlock(_ key: CacheKey, byteCount: Int) throws(CacheError) -> BlockReference {
        guard let reference = table.arena.allocate(byteCount: byteCount) else { throw .outOfMemory }
        let block = table.arena.block(reference)
        block.expiry = 0
        block.setKey(key.bytes)
        block.usage = initialUsage
        table.insert(reference, hash: key.hash)
        return reference
    }

    private mutating func moveBlock(at index: Int, _ key: CacheKey, byteCount: Int) throws(CacheError) -> BlockReference
    {
        let old = table.reference(at: index)
        guard let reference = table.arena.allocate(byteCount: byteCount) else {
            // The value is gone already, so the entry has to go too.
            table.remove(at: index)
            table.arena.free(old)
            throw .outOfMemory
        }
        let (block, oldBlock) = (table.arena.block(reference), table.arena.block(old))
        block.setKey(key.bytes)
        block.usage = oldBlock.usage
        block.expiry = oldBlock.expiry
        table.replace(at: index, with: reference)
        table.arena.free(old)
        return reference
    }

    private mutating func finishWrite(_ reference: BlockReference, _ block: UnsafeBlock, expiry: Int64?) {
        if let expiry { block.expiry = min(max(expiry, 0), UnsafeBlock.maxExpiry) }
        if block.expiry != 0 { wheel.register(reference, block) }
        noteChange(block.key)
    }

    @inline(__always)
    mutating func noteChange(_ key: RawSpan) {
        guard changedKeys != nil else { return }
        changedKeys?.insert(key.array())
    }
}
