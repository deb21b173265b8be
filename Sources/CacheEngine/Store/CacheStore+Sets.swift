// CacheStore+Sets.swift — SADD, SREM and their relatives: the viewers of a stream.

extension CacheStore {
    /// Adds members (SADD). Returns how many are new.
    @discardableResult
    public func addMembers(_ members: [some CacheBytes], to key: some CacheBytes) throws(CacheError) -> Int {
        let added = try withShardForWriting(of: key) { state, key throws(CacheError) in
            try state.updateSet(key) { set throws(CacheError) in
                var count = 0
                for member in members where member.withBytes({ set.set($0, []) }) { count += 1 }
                return count
            }
        }
        try writeThrough()
        return added
    }

    /// Removes members; without its last one the key is gone (SREM). Returns how many were there.
    @discardableResult
    public func removeMembers(_ members: [some CacheBytes], from key: some CacheBytes) throws(CacheError) -> Int {
        let removed = try withShard(of: key) { state, key throws(CacheError) -> Int in
            guard try state.set(key) != nil else { return 0 }
            return try state.updateSet(key) { set throws(CacheError) in
                var count = 0
                for member in members where member.withBytes({ set.remove($0) }) { count += 1 }
                return count
            }
        }
        try writeThrough()
        return removed
    }

    /// SISMEMBER.
    public func isMember(_ member: some CacheBytes, of key: some CacheBytes) throws(CacheError) -> Bool {
        try withShard(of: key) { state, key throws(CacheError) in
            guard let set = try state.set(key) else { return false }
            return member.withBytes { set.contains($0) }
        }
    }

    /// SCARD.
    public func memberCount(of key: some CacheBytes) throws(CacheError) -> Int {
        try withShard(of: key) { state, key throws(CacheError) in try state.set(key)?.count ?? 0 }
    }

    /// SMEMBERS, in order of insertion while the set is small.
    public func members(of key: some CacheBytes) throws(CacheError) -> [[UInt8]] {
        try withShard(of: key) { state, key throws(CacheError) in try state.set(key)?.keys ?? [] }
    }
}
