// SQLiteReaderPool.swift — connections for snapshots.

internal import Synchronization

/// Connections that read. A snapshot has one for itself; when it goes, the next takes it over.
final class SQLiteReaderPool: Sendable {
    private struct State {
        var idle: [SQLiteConnection] = []
        var leased: [ObjectIdentifier: SQLiteConnection] = [:]
        var isClosed = false
    }

    private static let maximumIdleCount = 8

    private let path: String
    private let files: SQLiteFiles
    private let cacheByteCount: Int
    /// Held for as long as anybody reads, also when the storage was let go without closing.
    private let lock: (any FileLock)?
    private let state = Mutex(State())
    /// Whether volatile keyspaces may have rows of an earlier run still.
    let hasStaleRows: Atomic<Bool>

    init(path: String, files: SQLiteFiles, cacheByteCount: Int, lock: (any FileLock)?) {
        self.path = path
        self.lock = lock
        self.files = files
        self.cacheByteCount = cacheByteCount
        hasStaleRows = Atomic(files.isReadOnly)
    }

    /// A connection for the caller alone, until it gives it back.
    func lease() throws -> SQLiteConnection {
        let idle = try state.withLock { state in
            guard !state.isClosed else { throw StorageError(.closed, "The storage was closed.") }
            guard let connection = state.idle.popLast() else { return SQLiteConnection?.none }
            state.leased[ObjectIdentifier(connection)] = connection
            return connection
        }
        if let idle { return idle }
        let connection = try SQLiteConnection(path: path, files: files)
        connection.keepLogOnClose()
        try connection.configure(cacheByteCount: cacheByteCount)
        try connection.execute("PRAGMA query_only = ON")
        try state.withLock { state in
            guard !state.isClosed else { throw StorageError(.closed, "The storage was closed.") }
            state.leased[ObjectIdentifier(connection)] = connection
        }
        return connection
    }

    /// Ends the transaction of a leased connection and keeps the connection for later.
    func giveBack(_ connection: SQLiteConnection) {
        connection.lockedAlways {
            guard !connection.isClosed, connection.isInTransaction else { return }
            // A transaction that can't be ended is ended by closing.
            do { try connection.run(.rollback) } catch { connection.close() }
        }
        state.withLock { state in
            state.leased[ObjectIdentifier(connection)] = nil
            guard !state.isClosed, !connection.isClosed, state.idle.count < Self.maximumIdleCount else { return }
            state.idle.append(connection)
        }
    }

    /// Closes every connection, also those that snapshots hold: reads of them are refused from now on.
    func close() {
        let connections = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle + state.leased.values
        }
        for connection in connections { connection.lockedAlways { connection.close() } }
    }
}
