// CacheStore+Batches.swift — MGET, MSET and MSETNX: several keys at one moment.

extension CacheStore {
    /// The strings of several keys as of one moment; `nil` where a key is absent or holds another type (MGET).
    public func get(_ keys: [some CacheBytes]) -> [[UInt8]?] {
        let keyBytes = keys.map(\.byteArray)
        var values = [[UInt8]?](repeating: nil, count: keys.count)
        withShards(of: keyBytes) { state, position, key in
            values[position] = try? state.withString(key) { value throws(CacheError) in value.array() }
        }
        return values
    }

    /// Sets several strings at once; nobody sees some of them set and others not (MSET). Expiries are cleared.
    public func set(_ pairs: KeyValuePairs<String, String>) throws(CacheError) {
        try set(pairs.map { (Array($0.key.utf8), Array($0.value.utf8)) })
    }

    /// Sets several strings at once (MSET); of the same key the last one counts.
    public func set(_ pairs: [(key: [UInt8], value: [UInt8])]) throws(CacheError) {
        guard pairs.allSatisfy({ $0.key.count <= UnsafeBlock.maxKeyByteCount }) else { throw .keyTooLong }
        try makeRoom()
        var failure: CacheError?
        withShards(of: pairs.map(\.key)) { state, position, key in
            do throws(CacheError) {
                let value = pairs[position].value
                try state.setString(key, value.rawSpan)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        try writeThrough()
    }

    /// Sets several strings if none of the keys is there (MSETNX). Returns whether they were set.
    @discardableResult
    public func setIfAllAbsent(_ pairs: [(key: [UInt8], value: [UInt8])]) throws(CacheError) -> Bool {
        guard pairs.allSatisfy({ $0.key.count <= UnsafeBlock.maxKeyByteCount }) else { throw .keyTooLong }
        try makeRoom()
        var failure: CacheError?
        let keys = pairs.map(\.key)
        let locked = lockOrder(of: keys)
        let written = holdingLocks(of: locked, from: 0, keys: keys, allowed: true) { state, position, key in
            state.lookup(key) == nil
        } apply: { state, position, key in
            do throws(CacheError) {
                let value = pairs[position].value
                try state.setString(key, value.rawSpan)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        if written { try writeThrough() }
        return written
    }

    private func withShards(of keys: [[UInt8]], _ apply: (inout ShardState, Int, CacheKey) -> Void) {
        _ = holdingLocks(of: lockOrder(of: keys), from: 0, keys: keys, allowed: true) { _, _, _ in
            true
        } apply: {
            state, position, key in
            apply(&state, position, key)
        }
    }

    /// Positions of the keys by shard, shards ascending: the order in which their locks are taken.
    private func lockOrder(of keys: [[UInt8]]) -> [(shard: Int, entries: [(position: Int, hash: UInt32)])] {
        var groups: [Int: [(position: Int, hash: UInt32)]] = [:]
        for (position, key) in keys.enumerated() {
            let hash = hasher.hash(key.rawSpan)
            groups[shardIndex(of: hash), default: []].append((position, UInt32(hash >> 32)))
        }
        return groups.sorted { $0.key < $1.key }.map { (shard: $0.key, entries: $0.value) }
    }

    /// Takes the locks one inside the other; tests every key on the way in, and applies on the way out if all agreed.
    private func holdingLocks(
        of groups: [(shard: Int, entries: [(position: Int, hash: UInt32)])], from first: Int, keys: [[UInt8]],
        allowed: Bool, test: (inout ShardState, Int, CacheKey) -> Bool,
        apply: (inout ShardState, Int, CacheKey) -> Void
    ) -> Bool {
        guard first < groups.count else { return allowed }
        let group = groups[first]
        return shards[group.shard].read { state in
            var agreed = allowed
            for entry in group.entries {
                let bytes = keys[entry.position]
                if !test(&state, entry.position, CacheKey(bytes.rawSpan, hash: entry.hash)) { agreed = false }
            }
            agreed = holdingLocks(
                of: groups, from: first + 1, keys: keys, allowed: agreed, test: test, apply: apply)
            guard agreed else { return false }
            for entry in group.entries {
                let bytes = keys[entry.position]
                apply(&state, entry.position, CacheKey(bytes.rawSpan, hash: entry.hash))
            }
            return true
        }
    }
}
