// CacheStore+Keys.swift — what concerns a key whatever its type: DEL, EXISTS, TYPE, EXPIRE, TTL, PERSIST.

extension CacheStore {
    /// Deletes a key (DEL). Returns whether it was there.
    @discardableResult
    public func delete(_ key: some CacheBytes) throws(CacheError) -> Bool {
        let existed = try withShard(of: key) { state, key throws(CacheError) in state.remove(key) }
        if existed { try writeThrough() }
        return existed
    }

    /// Deletes keys one after the other. Returns how many were there.
    @discardableResult
    public func delete(_ keys: [some CacheBytes]) throws(CacheError) -> Int {
        var count = 0
        for key in keys where try delete(key) { count += 1 }
        return count
    }

    /// EXISTS.
    public func exists(_ key: some CacheBytes) -> Bool {
        type(of: key) != nil
    }

    /// The type of the value, `nil` if the key is absent (TYPE).
    public func type(of key: some CacheBytes) -> CacheValueType? {
        key.withBytes { bytes in
            let hash = hasher.hash(bytes)
            return shard(of: hash).read { state in
                state.lookup(CacheKey(bytes, hash: UInt32(hash >> 32))).map {
                    state.type(of: state.table.arena.block($0))
                }
            }
        }
    }

    /// Keys in the cache (DBSIZE), expired ones that have not been reclaimed yet included.
    public var count: Int {
        shards.reduce(0) { total, shard in total + shard.read { $0.table.count } }
    }

    // MARK: Expiry

    /// Lets a key expire after a time (EXPIRE, PEXPIRE). A time that is not positive deletes it.
    ///
    /// Returns whether the expiry was set: not if the key is absent or the condition does not hold.
    @discardableResult
    public func expire(
        _ key: some CacheBytes, after duration: Duration, when condition: CacheExpiryCondition? = nil
    ) throws(CacheError) -> Bool {
        try expire(key, at: options.clock.now.advanced(by: duration), when: condition)
    }

    /// Lets a key expire at an instant (EXPIREAT, PEXPIREAT). An instant that has passed deletes it.
    @discardableResult
    public func expire(
        _ key: some CacheBytes, at instant: StorageInstant, when condition: CacheExpiryCondition? = nil
    ) throws(CacheError) -> Bool {
        let milliseconds = instant.roundedUpMilliseconds
        let changed = try withShard(of: key) { state, key throws(CacheError) -> Bool in
            guard let reference = state.lookup(key) else { return false }
            let current = state.table.arena.block(reference).expiry
            guard condition?.holds(current: current, new: milliseconds) ?? true else { return false }
            state.renew(key, until: milliseconds)
            return true
        }
        if changed { try writeThrough() }
        return changed
    }

    /// Clears the expiry of a key (PERSIST). Returns whether it had one.
    @discardableResult
    public func persist(_ key: some CacheBytes) throws(CacheError) -> Bool {
        let changed = try withShard(of: key) { state, key throws(CacheError) -> Bool in
            guard let reference = state.lookup(key), state.table.arena.block(reference).expiry != 0 else {
                return false
            }
            state.setExpiry(reference, 0)
            return true
        }
        if changed { try writeThrough() }
        return changed
    }

    /// How long a key has still to live (TTL, PTTL).
    public func timeToLive(of key: some CacheBytes) -> CacheTimeToLive {
        guard let expiry = rawExpiry(of: key) else { return .absent }
        guard expiry != 0 else { return .persistent }
        return .remaining(.milliseconds(expiry - options.clock.now.milliseconds))
    }

    /// When a key expires; `nil` if it is absent or does not (EXPIRETIME, PEXPIRETIME).
    public func expiry(of key: some CacheBytes) -> StorageInstant? {
        rawExpiry(of: key).flatMap { $0 == 0 ? nil : StorageInstant(milliseconds: $0) }
    }

    private func rawExpiry(of key: some CacheBytes) -> Int64? {
        key.withBytes { bytes in
            let hash = hasher.hash(bytes)
            return shard(of: hash).read { state in
                state.lookup(CacheKey(bytes, hash: UInt32(hash >> 32))).map { state.table.arena.block($0).expiry }
            }
        }
    }
}

extension CacheExpiryCondition {
    /// `current` is 0 where there is no expiry, which counts as infinitely late.
    fileprivate func holds(current: Int64, new: Int64) -> Bool {
        switch self {
        case .ifPersistent: current == 0
        case .ifVolatile: current != 0
        case .ifLater: current != 0 && new > current
        case .ifEarlier: current == 0 || new < current
        }
    }
}
