// Storage+Read.swift — reads of one key in the newest state, without a snapshot.

extension Storage {
    /// A copy of the newest value of `key`, nil if it is absent or expired.
    ///
    /// It costs less than a snapshot and a read of that, and sees every commit that was visible before the call. Two calls may
    /// see different commits; take a ``snapshot(_:)`` for reads that belong together.
    public func get(_ keyspace: Keyspace, _ key: RawSpan) throws -> [UInt8]? {
        var value: [UInt8]?
        try read(keyspace, key) { value = $0.array() }
        return value
    }

    /// Whether `key` has a value now.
    public func contains(_ keyspace: Keyspace, _ key: RawSpan) throws -> Bool {
        try read(keyspace, key) { _ in }
    }

    /// Calls `body` with the newest value of `key`, without copying it where that is possible; nil if the key is absent.
    /// The span is good inside `body` only.
    @inlinable
    public func withValue<R>(_ keyspace: Keyspace, _ key: RawSpan, _ body: (RawSpan) throws -> R) throws -> R? {
        var result: R?
        try read(keyspace, key) { result = try body($0) }
        return result
    }

    /// Calls `body` with the newest value of `key`; false if the key is absent.
    @discardableResult
    public func read(_ keyspace: Keyspace, _ key: RawSpan, _ body: (RawSpan) throws -> Void) throws -> Bool {
        if sqlite != nil { return try snapshot().view.read(keyspace, key, body) }
        guard !registry.isClosed else { throw StorageError(.closed, "The storage was closed.") }
        return try keyspace.findUnlessDropped {
            try unsafe keyspace.withTreeKey(key) { treeKey in
                unsafe try keyspace.withNewestValue(of: treeKey, storage: self) {
                    unsafe try body(RawSpan(_unsafeBytes: $0))
                }
            }
        }
    }

    /// When a read of the newest state reads: not before any commit or purge that it can see, if it has seen them already.
    var newestReadTime: StorageInstant { max(clock.now, commits.lastCommitTime, registry.purgedThrough) }
}
