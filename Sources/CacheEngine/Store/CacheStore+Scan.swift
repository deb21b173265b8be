// CacheStore+Scan.swift — KEYS, SCAN and FLUSHALL.

/// Where a scan goes on. It stays valid whatever happens to the cache in between.
public struct CacheCursor: Sendable, Hashable {
    /// Shard in the upper half, position in hash order in the lower.
    public let rawValue: UInt64

    public static let start = CacheCursor(rawValue: 0)

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(shard: Int, position: UInt32) {
        rawValue = UInt64(shard) << 32 | UInt64(position)
    }

    var shard: Int { Int(rawValue >> 32) }
    var position: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

extension CacheStore {
    /// Some of the keys, about `count`, and the cursor for the next call, `nil` at the end (SCAN).
    ///
    /// A key that is there from the first call to the last is returned at least once; one that comes or goes in between
    /// may or may not be. Expired keys are not returned.
    public func scan(
        from cursor: CacheCursor = .start, matching pattern: String? = nil, type: CacheValueType? = nil,
        count: Int = 10
    ) -> (keys: [[UInt8]], next: CacheCursor?) {
        let glob = pattern.map { GlobPattern(Array($0.utf8)) }
        var found: [[UInt8]] = []
        var visited = 0
        var cursor: CacheCursor? = cursor
        while let position = cursor, visited < max(1, count) {
            guard position.shard < shards.count else { return (found, nil) }
            let (keys, visitedHere, next) = shards[position.shard].read { state in
                state.scan(from: position.position, count: max(1, count) - visited, type: type)
            }
            found.append(contentsOf: keys.filter { glob?.matches($0) ?? true })
            visited += visitedHere
            cursor = following(position, next)
        }
        return (found, cursor)
    }

    /// All keys that match (KEYS).
    public func keys(matching pattern: String = "*") -> [[UInt8]] {
        let glob = GlobPattern(Array(pattern.utf8))
        return shards.flatMap { shard in
            shard.read { $0.scan(from: 0, count: .max, type: nil).keys }
        }.filter { glob.matches($0) }
    }

    /// Removes everything (FLUSHALL).
    public func removeAll() throws(CacheError) {
        for shard in shards { try shard.withState { state throws(CacheError) in state.removeAll() } }
        try writeThrough()
    }

    private func following(_ cursor: CacheCursor, _ next: UInt32?) -> CacheCursor? {
        if let next { return CacheCursor(shard: cursor.shard, position: next) }
        return cursor.shard + 1 < shards.count ? CacheCursor(shard: cursor.shard + 1, position: 0) : nil
    }
}

extension ShardState {
    /// Live keys of whole homes until at least `count` entries were visited.
    fileprivate func scan(
        from start: UInt32, count: Int, type wanted: CacheValueType?
    ) -> (keys: [[UInt8]], visited: Int, next: UInt32?) {
        let now = now
        var keys: [[UInt8]] = []
        var visited = 0
        var cursor: UInt32? = start
        while let position = cursor, visited < count {
            cursor = table.scan(from: position) { reference in
                let block = table.arena.block(reference)
                visited += 1
                guard block.expiry == 0 || block.expiry > now else { return }
                if let wanted, type(of: block) != wanted { return }
                keys.append(block.key.array())
            }
        }
        return (keys, visited, cursor)
    }

    fileprivate mutating func removeAll() {
        while let reference = table.randomEntry(using: &random) {
            let hash = UInt32(hasher.hash(table.arena.block(reference).key) >> 32)
            guard let index = table.index(of: reference, hash: hash) else { return }
            remove(at: index)
        }
    }
}
