// Our side of the storage lines: StorageCore through its public interface.

import BenchmarkKit
import StorageCore

final class StorageCoreStore: OrderedStore {
    static let name = "StorageCore"
    static let configuration =
        "lz4 on every level; log mapped where the storage does so by itself, commits buffered or synced by call; everything else default"

    let storage: Storage
    let keyspace: Keyspace
    let isSynced: Bool

    init(directory: String, settings: StoreSettings) throws {
        var options = StorageOptions()
        options.memoryByteBudget = Self.memoryByteBudget(settings)
        options.memtableByteCount = settings.memtableByteCount
        options.blockCacheByteCount = settings.cacheByteCount
        // The cache is half of it at most.
        options.memoryByteBudget = max(options.memoryByteBudget, 5 * settings.cacheByteCount / 2)
        options.logByteBudget = max(options.logByteBudget, Int64(settings.memtableByteCount) * 2)
        isSynced = settings.isSynced
        storage = try Storage.open(at: "\(directory)/storage", options: options)
        keyspace = try storage.keyspace(
            "entries",
            options: KeyspaceOptions(
                isDedicated: true, compression: CompressionOptions(upper: .lz4, bottom: .lz4),
                filterBitsPerKey: settings.filterBitsPerKey))
    }

    /// As much as gives the cache and one memtable their size: an eighth goes to open tables, the cache may take half of
    /// the rest, and a memtable a quarter of what is left.
    private static func memoryByteBudget(_ settings: StoreSettings) -> Int {
        max(settings.cacheByteCount * 2, settings.cacheByteCount + settings.memtableByteCount * 4) / 7 * 8 + 1024
    }

    func close() throws {
        try storage.close()
    }

    func makeSession() -> StorageCoreSession {
        StorageCoreSession(storage, keyspace, isSynced ? .synced : .buffered)
    }

    func settle() throws {
        try storage.settle()
    }

    func compact() throws {
        try storage.compact()
    }
}

final class StorageCoreSession: StoreSession {
    private let storage: Storage
    private let keyspace: Keyspace
    private let durability: Durability
    private var batch = WriteBatch()

    init(_ storage: Storage, _ keyspace: Keyspace, _ durability: Durability) {
        self.storage = storage
        self.keyspace = keyspace
        self.durability = durability
    }

    // MARK: Writes

    func put(_ key: [UInt8], _ value: [UInt8]) throws {
        try storage.write(durability) { transaction in
            try transaction.put(keyspace, key.rawSpan, value.rawSpan)
        }
    }

    func delete(_ key: [UInt8]) throws {
        try storage.write(durability) { transaction in
            try transaction.delete(keyspace, key.rawSpan)
        }
    }

    /// The suspending form of a put, for callers that are tasks.
    func put(_ key: [UInt8], _ value: [UInt8]) async throws {
        try await storage.write(durability) { transaction in
            try transaction.put(keyspace, key.rawSpan, value.rawSpan)
        }
    }

    func stagePut(_ key: [UInt8], _ value: [UInt8]) throws {
        try batch.put(keyspace, key.rawSpan, value.rawSpan)
    }

    func stageDelete(_ key: [UInt8]) throws {
        try batch.delete(keyspace, key.rawSpan)
    }

    func commitStaged() throws {
        let full = batch
        batch = WriteBatch()
        _ = try storage.commit(full, durability)
    }

    // MARK: Reads

    // Each sees the newest state, as a peer's read does.

    func digest(of key: [UInt8]) throws -> UInt64? {
        try storage.withValue(keyspace, key.rawSpan) { $0.digest }
    }

    func digest(ofAll keys: [[UInt8]]) throws -> UInt64 {
        var digest: UInt64 = 0
        try storage.snapshot().view.multiGet(keyspace, keys) { digest &+= $1?.digest ?? 1 }
        return digest
    }

    func digest(from key: [UInt8], count: Int, backwards: Bool) throws -> UInt64 {
        var cursor = try storage.snapshot().view.cursor(keyspace)
        if backwards { try cursor.seekBackward(key.rawSpan) } else { try cursor.seek(key.rawSpan) }
        var digest: UInt64 = 0
        for _ in 0..<count where cursor.isValid {
            digest &+= cursor.key.digest &+ cursor.value.digest
            if backwards { try cursor.previous() } else { try cursor.next() }
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

    func firstKey() throws -> [UInt8]? {
        var cursor = try storage.snapshot().view.cursor(keyspace)
        try cursor.seekToFirst()
        return cursor.isValid ? cursor.key.array() : nil
    }
}
