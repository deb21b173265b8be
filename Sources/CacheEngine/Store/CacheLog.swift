// CacheLog.swift — where a persistent cache keeps its entries: changed keys, gathered by the shards, in one batch.
//
// Invariant: batches are made and committed one after the other under `turn`, so a key's newest value is written last.
// The lock order is turn → shard → (released) and turn → writer lane: no shard is locked while the storage commits,
// so a reader inside a storage transaction can never wait for the lane it holds.

internal import Synchronization

final class CacheLog: Sendable {
    let storage: Storage
    let keyspace: Keyspace
    private let turn = Mutex<Void>(())

    /// Well below the 64 MiB that a batch may have.
    private static let batchByteCount = 1 << 20

    init(storage: Storage, name: String) throws {
        self.storage = storage
        keyspace = try storage.keyspace("cache/\(name)", options: KeyspaceOptions(expiry: .engine))
    }

    /// Writes every change made before the call. When it returns they are committed, by this call or by one it waited for.
    ///
    /// If the storage refuses, the changes stay noted and go with the next call.
    func write(changesOf shards: [CacheShard], _ durability: Durability) throws {
        try turn.withLock { _ in
            var pending = PendingChanges()
            do {
                for shard in shards {
                    for (key, record) in shard.read({ $0.takeChanges() }) {
                        pending.keys.append((shard, key))
                        try add(key, record, to: &pending.batch)
                    }
                    if pending.batch.byteCount >= Self.batchByteCount { try commit(&pending, durability) }
                }
                try commit(&pending, durability)
            } catch {
                for (shard, key) in pending.keys { shard.read { $0.noteChange(key.rawSpan) } }
                throw error
            }
        }
    }

    /// Changes taken from the shards that are not committed yet.
    private struct PendingChanges {
        var batch = WriteBatch()
        var keys: [(CacheShard, [UInt8])] = []
    }

    private func commit(_ pending: inout PendingChanges, _ durability: Durability) throws {
        guard !pending.batch.isEmpty else { return }
        try storage.commit(pending.batch, durability)
        pending = PendingChanges()
    }

    /// Calls `body` with every entry that has not expired.
    func load(now: Int64, _ body: ([UInt8], CacheRecord) throws -> Void) throws {
        let snapshot = storage.snapshot()
        var cursor = try snapshot.view.cursor(keyspace)
        try cursor.seekToFirst()
        while cursor.isValid {
            let record = try CacheRecord(decoding: cursor.value.array(), keyspace: keyspace.name)
            if record.expiry == 0 || record.expiry > now { try body(cursor.key.array(), record) }
            try cursor.next()
        }
    }

    /// Lets the storage's `verify()` read every record.
    func registerCrossCheck() {
        storage.registerCrossCheck(keyspace.name) { [keyspace] snapshot in
            var problems: [String] = []
            var cursor = try snapshot.view.cursor(keyspace)
            try cursor.seekToFirst()
            while cursor.isValid {
                do {
                    _ = try CacheRecord(decoding: cursor.value.array(), keyspace: keyspace.name)
                } catch {
                    problems.append("\(error)")
                }
                try cursor.next()
            }
            return problems
        }
    }

    /// Adds a set to a transaction of the caller's.
    func put(_ key: RawSpan, _ record: CacheRecord, in transaction: WriteTransaction) throws {
        try transaction.put(keyspace, key, record.encoded().rawSpan, expiry: record.storageExpiry)
    }

    private func add(_ key: [UInt8], _ record: CacheRecord?, to batch: inout WriteBatch) throws {
        guard let record else { return try batch.delete(keyspace, key.rawSpan) }
        let bytes = record.encoded()
        try batch.put(keyspace, key.rawSpan, bytes.rawSpan, expiry: record.storageExpiry)
    }
}

extension CacheRecord {
    fileprivate var storageExpiry: StorageInstant? {
        expiry == 0 ? nil : StorageInstant(milliseconds: expiry)
    }
}

extension ShardState {
    /// The keys changed since the last call, with what they hold now; `nil` for a key that is gone.
    mutating func takeChanges() -> [(key: [UInt8], record: CacheRecord?)] {
        guard let keys = changedKeys, !keys.isEmpty else { return [] }
        changedKeys = []
        return keys.map { ($0, record(of: $0)) }
    }

    private func record(of key: [UInt8]) -> CacheRecord? {
        let hash = UInt32(hasher.hash(key.rawSpan) >> 32)
        guard let index = table.index(of: key.rawSpan, hash: hash) else { return nil }
        let block = table.arena.block(table.reference(at: index))
        if block.kind == .inlineString {
            return CacheRecord(object: .string(block.inlineValue.array()), expiry: block.expiry)
        }
        return objects[block.payload].map { CacheRecord(object: $0, expiry: block.expiry) }
    }

    /// Puts a loaded entry in its place, without noting it as a change.
    mutating func restore(_ key: CacheKey, _ record: CacheRecord) throws(CacheError) {
        let recorded = changedKeys
        defer { changedKeys = recorded }
        changedKeys = nil
        if case .string(let bytes) = record.object {
            try setString(key, bytes.rawSpan, expiry: record.expiry)
        } else {
            try setObject(key, record.object, expiry: record.expiry)
        }
    }
}
