// SQLite through its C API: one table, keyed by the key, with a write-ahead log and prepared statements.

#if PEER_SQLITE
    import BenchmarkKit
    import CSQLitePeer
    import Foundation
    import Synchronization

    /// SQLite takes one writer at a time: the sessions share a connection for writing, under a lock, which serves them
    /// better than connections that poll for their turn. Each session reads through a connection of its own.
    final class SQLiteStore: OrderedStore {
        static let name = "SQLite \(SQLITE_VERSION)"
        static let configuration =
            "a WITHOUT ROWID table, write-ahead log with a checkpoint by 64 MiB, prepared statements, page cache as "
            + "large as the others' cache, no filter or compression; synchronous OFF, or FULL for synced lines; "
            + "writers share one connection"

        /// The log takes a page for every entry: two gigabytes by then.
        static let largestLog = 300_000

        fileprivate let path: String
        fileprivate let settings: StoreSettings
        fileprivate let writer: Mutex<SQLiteWriter>

        init(directory: String, settings: StoreSettings) throws {
            path = "\(directory)/entries.sqlite"
            self.settings = settings
            writer = Mutex(try SQLiteWriter(path: path, settings: settings))
        }

        func close() throws {
            writer.withLock { $0.close() }
        }

        func makeSession() -> SQLiteSession { SQLiteSession(self) }

        /// Moves the log into the table, which is all the background work there is.
        func settle() throws {
            try writer.withLock { try $0.run("PRAGMA wal_checkpoint(TRUNCATE)") }
        }

        func compact() throws {
            try settle()
        }
    }

    /// The connection that writes. Used under the store's lock.
    struct SQLiteWriter: ~Copyable, @unchecked Sendable {  // Guarded by the store's lock; connections are serialized.
        private var connection: SQLiteConnection?
        private var insert: SQLiteQuery?
        private var remove: SQLiteQuery?

        init(path: String, settings: StoreSettings) throws {
            let connection = try SQLiteConnection(path, settings)
            try connection.execute(
                "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            insert = try connection.prepare("INSERT OR REPLACE INTO entries VALUES (?1, ?2)")
            remove = try connection.prepare("DELETE FROM entries WHERE key = ?1")
            self.connection = connection
        }

        mutating func close() {
            insert = nil
            remove = nil
            connection = nil
        }

        func run(_ sql: String) throws { try connection?.execute(sql) }

        func put(_ key: [UInt8], _ value: [UInt8]) throws {
            try insert?.run(key, value)
        }

        func delete(_ key: [UInt8]) throws {
            try remove?.run(key)
        }
    }

    final class SQLiteSession: StoreSession {
        private enum Step {
            case put(key: [UInt8], value: [UInt8])
            case delete(key: [UInt8])
        }

        private let store: SQLiteStore
        private var staged: [Step] = []
        private lazy var reader = Result { try SQLiteReader(store) }

        init(_ store: SQLiteStore) {
            self.store = store
        }

        func put(_ key: [UInt8], _ value: [UInt8]) throws {
            try store.writer.withLock { try $0.put(key, value) }
        }

        func delete(_ key: [UInt8]) throws {
            try store.writer.withLock { try $0.delete(key) }
        }

        func stagePut(_ key: [UInt8], _ value: [UInt8]) {
            staged.append(.put(key: key, value: value))
        }

        func stageDelete(_ key: [UInt8]) {
            staged.append(.delete(key: key))
        }

        func commitStaged() throws {
            try store.writer.withLock { writer in
                try writer.run("BEGIN IMMEDIATE")
                for step in staged {
                    switch step {
                    case .put(let key, let value): try writer.put(key, value)
                    case .delete(let key): try writer.delete(key)
                    }
                }
                try writer.run("COMMIT")
            }
            staged.removeAll(keepingCapacity: true)
        }

        func digest(of key: [UInt8]) throws -> UInt64? {
            var digest: UInt64?
            try reader.get().point.run(key) { digest = $0.digest(column: 0) }
            return digest
        }

        func digest(from key: [UInt8], count: Int, backwards: Bool) throws -> UInt64 {
            let reader = try reader.get()
            var digest: UInt64 = 0
            try (backwards ? reader.backwards : reader.forwards).run(key, limit: count) {
                digest &+= $0.digest(column: 0) &+ $0.digest(column: 1)
            }
            return digest
        }

        func digestOfAll() throws -> (entries: Int, digest: UInt64) {
            var digest: UInt64 = 0
            var entries = 0
            try reader.get().all.run {
                digest &+= $0.digest(column: 0) &+ $0.digest(column: 1)
                entries += 1
            }
            return (entries, digest)
        }

        func firstKey() throws -> [UInt8]? {
            var key: [UInt8]?
            try reader.get().first.run { key = $0.bytes(column: 0) }
            return key
        }
    }

    /// The connection that a session reads through.
    private struct SQLiteReader {
        let point: SQLiteQuery
        let forwards: SQLiteQuery
        let backwards: SQLiteQuery
        let all: SQLiteQuery
        let first: SQLiteQuery

        init(_ store: SQLiteStore) throws {
            let connection = try SQLiteConnection(store.path, store.settings)
            let entries = "SELECT key, value FROM entries"
            point = try connection.prepare("SELECT value FROM entries WHERE key = ?1")
            forwards = try connection.prepare("\(entries) WHERE key >= ?1 ORDER BY key LIMIT ?2")
            backwards = try connection.prepare("\(entries) WHERE key <= ?1 ORDER BY key DESC LIMIT ?2")
            all = try connection.prepare("\(entries) ORDER BY key")
            first = try connection.prepare("SELECT key FROM entries ORDER BY key LIMIT 1")
        }
    }
#endif
