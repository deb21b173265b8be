// CacheStore+Persistence.swift — a cache that survives a restart: opening, writing, closing.

internal import Synchronization

extension CacheStore {
    /// A cache over a storage. With `options.persistence` other than `none` it keeps its entries in the keyspace
    /// `cache/<name>` and starts with those that were there and have not expired; at most one such cache may be open for
    /// a name. Without a storage, or with `none`, it lives in memory only.
    ///
    /// Time passes while the cache is closed: an expiry is an instant, not a rest.
    /// - Throws: `StorageError`, also for a record that can't be read.
    public convenience init(
        storage: Storage?, name: String = "default", options: CacheOptions = CacheOptions()
    ) throws {
        guard let storage, options.persistence != .none else {
            self.init(options: options)
            return
        }
        let log = try CacheLog(storage: storage, name: name)
        log.registerCrossCheck()
        self.init(options: options, log: log)
        try log.load(now: options.clock.now.milliseconds) { key, record in
            let hash = hasher.hash(key.rawSpan)
            try shard(of: hash).withState { state throws(CacheError) in
                try state.restore(CacheKey(key.rawSpan, hash: UInt32(hash >> 32)), record)
            }
        }
        startMaintenance()
    }

    /// Writes every change that is not in the storage yet. Does nothing in a cache without persistence.
    public func save(_ durability: Durability = .buffered) throws {
        try log?.write(changesOf: shards, durability)
    }

    /// Stops background work and saves. The cache stays usable, in the hands of its owner.
    public func close() throws {
        maintenance.withLock {
            $0?.cancel()
            $0 = nil
        }
        try save()
    }

    /// Called at the end of every command that changed something.
    @inline(__always)
    func writeThrough() throws(CacheError) {
        guard log != nil, options.persistence == .writeThrough else { return }
        try saveNow()
    }

    private func saveNow() throws(CacheError) {
        do {
            try save()
        } catch {
            throw CacheError(message: "MISCONF Errors writing to the AOF file: \(error)")
        }
    }

    // MARK: In a transaction

    /// Sets a string as part of a transaction: it is set when and if the transaction commits, and not visible before.
    public func set(
        _ key: some CacheBytes, _ value: some CacheBytes, expiresIn duration: Duration? = nil,
        in transaction: WriteTransaction
    ) throws {
        let expiry = try (duration.map { .after($0) } ?? CacheExpiry.never).milliseconds(
            now: options.clock.now, command: "set")
        let record = CacheRecord(object: .string(value.byteArray), expiry: expiry ?? 0)
        let keyBytes = key.byteArray
        guard keyBytes.count <= UnsafeBlock.maxKeyByteCount else { throw CacheError.keyTooLong }
        try log?.put(keyBytes.rawSpan, record, in: transaction)
        transaction.onCommit { [self] _ in restore(keyBytes, record) }
    }

    /// Deletes a key as part of a transaction: it goes when and if the transaction commits.
    public func delete(_ key: some CacheBytes, in transaction: WriteTransaction) throws {
        let keyBytes = key.byteArray
        if let log { try transaction.delete(log.keyspace, keyBytes.rawSpan) }
        transaction.onCommit { [self] _ in
            let hash = hasher.hash(keyBytes.rawSpan)
            shard(of: hash).read { state in
                _ = state.remove(CacheKey(keyBytes.rawSpan, hash: UInt32(hash >> 32)))
            }
        }
    }

    /// The change is noted like any other, so that an older one still waiting to be written can't overtake it.
    private func restore(_ key: [UInt8], _ record: CacheRecord) {
        guard case .string(let bytes) = record.object else { return }
        let hash = hasher.hash(key.rawSpan)
        shard(of: hash).read { state in
            // The key's length was checked; only an arena of 64 GiB in one shard could refuse.
            try? state.setString(
                CacheKey(key.rawSpan, hash: UInt32(hash >> 32)), bytes.rawSpan, expiry: record.expiry)
        }
    }
}
