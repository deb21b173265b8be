// Our side of the storage lines: StorageCore through its public interface.

import BenchmarkKit
import StorageCore

final class StorageCoreStore: OrderedStore {
    typealias Batch = WriteBatch
    static let name = "StorageCore"

    let storage: Storage
    let keyspace: Keyspace

    init(directory: String, settings: StoreSettings) throws {
        var options = StorageOptions()
        options.memtableByteCount = settings.memtableByteCount
        options.blockCacheByteCount = settings.cacheByteCount
        // The cache is half of it at most.
        options.memoryByteBudget = max(options.memoryByteBudget, 5 * settings.cacheByteCount / 2)
        storage = try Storage.open(at: "\(directory)/storage", options: options)
        keyspace = try storage.keyspace(
            "entries",
            options: KeyspaceOptions(
                isDedicated: true, compression: CompressionOptions(upper: .lz4, bottom: .lz4),
                filterBitsPerKey: settings.filterBitsPerKey))
    }

    func close() throws {
        try storage.close()
    }

    // MARK: Writes

    func put(_ key: [UInt8], _ value: [UInt8], synced: Bool) throws {
        try storage.write(synced ? .synced : .buffered) { transaction in
            try transaction.put(keyspace, key.rawSpan, value.rawSpan)
        }
    }

    func makeBatch() -> WriteBatch { WriteBatch() }

    func put(_ key: [UInt8], _ value: [UInt8], in batch: inout WriteBatch) throws {
        try batch.put(keyspace, key.rawSpan, value.rawSpan)
    }

    func commit(_ batch: inout WriteBatch) throws {
        let full = batch
        batch = WriteBatch()
        _ = try storage.commit(full)
    }

    /// The suspending form of a synced put, for callers that are tasks.
    func putSynced(_ key: [UInt8], _ value: [UInt8]) async throws {
        try await storage.write(.synced) { transaction in
            try transaction.put(keyspace, key.rawSpan, value.rawSpan)
        }
    }

    // MARK: Reads

    // A snapshot for each read, as a peer's read also sees the newest state each time.

    func digest(of key: [UInt8]) throws -> UInt64? {
        try storage.snapshot().view.withValue(keyspace, key.rawSpan) { $0.digest }
    }

    func digest(from key: [UInt8], count: Int) throws -> UInt64 {
        var cursor = try storage.snapshot().view.cursor(keyspace)
        try cursor.seek(key.rawSpan)
        var digest: UInt64 = 0
        for _ in 0..<count where cursor.isValid {
            digest &+= cursor.key.digest &+ cursor.value.digest
            try cursor.next()
        }
        return digest
    }

    func digestOfAll() throws -> (entries: Int, digest: UInt64) {
        var cursor = try storage.snapshot().view.cursor(keyspace)
        try cursor.seekToFirst()
        var digest: UInt64 = 0
        var entries = 0
        while cursor.isValid {
            digest &+= cursor.key.digest &+ cursor.value.digest
            entries += 1
            try cursor.next()
        }
        return (entries, digest)
    }

    // MARK: Background work

    func settle() throws {
        try storage.settle()
    }

    func compact() throws {
        try storage.compact()
    }
}
