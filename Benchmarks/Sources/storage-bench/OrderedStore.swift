// What the storage lines ask of either side, so that one driver, specialised for each, runs both.

import BenchmarkKit

/// The same on both sides; what else there is stays each engine's default.
struct StoreSettings {
    var memtableByteCount = 64 << 20
    /// Holds the whole settled tree, so that reads measure the engine and not the disk.
    var cacheByteCount = 768 << 20
    var filterBitsPerKey = 10
}

/// An ordered key-value engine with its files in one folder. Calls may come from several threads at once.
protocol OrderedStore: AnyObject, Sendable {
    associatedtype Batch
    static var name: String { get }

    init(directory: String, settings: StoreSettings) throws
    /// Stops background work and releases the files.
    func close() throws

    /// In the operating system's hands when it returns, on disk if `synced`.
    func put(_ key: [UInt8], _ value: [UInt8], synced: Bool) throws
    func makeBatch() -> Batch
    func put(_ key: [UInt8], _ value: [UInt8], in batch: inout Batch) throws
    /// Commits the batch and leaves it empty.
    func commit(_ batch: inout Batch) throws

    /// The digest of the newest value, nil if the key is absent.
    func digest(of key: [UInt8]) throws -> UInt64?
    /// The digests of the first `count` entries from `key` on, keys and values, summed.
    func digest(from key: [UInt8], count: Int) throws -> UInt64
    /// The same over all entries, and how many there are.
    func digestOfAll() throws -> (entries: Int, digest: UInt64)

    /// Returns when the memtables are flushed and no compaction is due.
    func settle() throws
    /// Compacts everything into the deepest level.
    func compact() throws
}

extension OrderedStore {
    /// A store in a folder of its own, closed and removed afterwards.
    static func withFresh<Result>(
        in parent: String, _ body: (Self) async throws -> Result
    ) async throws -> Result {
        let directory = try ScratchDirectory(in: parent, named: name)
        let store = try Self(directory: directory.path, settings: StoreSettings())
        let result: Result
        do {
            result = try await body(store)
        } catch {
            try? store.close()
            throw error
        }
        try store.close()
        return withExtendedLifetime(directory) { result }
    }
}
