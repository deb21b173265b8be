// What the storage lines ask of any side, so that one driver, specialised for each, runs all of them.

import BenchmarkKit

/// The same on all sides; what else there is stays each engine's default.
struct StoreSettings {
    var memtableByteCount = 64 << 20
    /// Holds the whole settled tree, so that reads measure the engine and not the disk.
    var cacheByteCount = 768 << 20
    var filterBitsPerKey = 10
    /// Whether a commit is on disk when it returns, or with the operating system.
    var isSynced = false

    /// Nothing is flushed before the log has grown beyond a gigabyte.
    static let unflushed = StoreSettings(memtableByteCount: 2 << 30)
}

/// An ordered key-value engine with its files in one folder.
protocol OrderedStore: AnyObject, Sendable {
    associatedtype Session: StoreSession

    /// With its version.
    static var name: String { get }
    /// How the settings were given to it, for the report.
    static var configuration: String { get }
    /// How many entries, in random order, it can keep in its log within reason.
    static var largestLog: Int { get }

    init(directory: String, settings: StoreSettings) throws
    /// Stops background work and releases the files. Every session is gone by then.
    func close() throws
    /// For one thread.
    func makeSession() throws -> Session

    /// Returns when what was written is in its tables and no compaction is due.
    func settle() throws
    /// Compacts everything, as far as the engine knows how to.
    func compact() throws
}

extension OrderedStore {
    static var largestLog: Int { .max }
}

/// One thread's way into a store.
protocol StoreSession: AnyObject {
    /// Commits one entry.
    func put(_ key: [UInt8], _ value: [UInt8]) throws
    /// Commits one delete.
    func delete(_ key: [UInt8]) throws

    /// Adds to the session's batch.
    func stagePut(_ key: [UInt8], _ value: [UInt8]) throws
    func stageDelete(_ key: [UInt8]) throws
    /// Commits the batch and leaves it empty.
    func commitStaged() throws

    /// The digest of the newest value, nil if the key is absent.
    func digest(of key: [UInt8]) throws -> UInt64?
    /// The digests of the values of all keys, summed, by the engine's call for many keys at once if it has one.
    func digest(ofAll keys: [[UInt8]]) throws -> UInt64
    /// The digests of the first `count` entries from `key` on, keys and values, summed.
    func digest(from key: [UInt8], count: Int, backwards: Bool) throws -> UInt64
    /// The same over all entries, and how many there are.
    func digestOfAll() throws -> (entries: Int, digest: UInt64)
    /// The first key, nil if there is none.
    func firstKey() throws -> [UInt8]?
}

extension StoreSession {
    func digest(ofAll keys: [[UInt8]]) throws -> UInt64 {
        var digest: UInt64 = 0
        for key in keys { digest &+= try self.digest(of: key) ?? 1 }
        return digest
    }
}

/// A failure of a peer, in its own words.
struct PeerError: Error, CustomStringConvertible {
    let description: String
}

// MARK: Bytes for C interfaces

extension [UInt8] {
    func withCharacters<Result>(_ body: (UnsafePointer<CChar>?, Int) throws -> Result) rethrows -> Result {
        try withUnsafeBytes { try body($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
    }
}

func digestOfBytes(_ start: UnsafeRawPointer?, _ count: Int) -> UInt64 {
    guard let start else { return [UInt8]().span.bytes.digest }
    return RawSpan(_unsafeStart: start, byteCount: count).digest
}

func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8] {
    [UInt8](UnsafeRawBufferPointer(start: start, count: count))
}
