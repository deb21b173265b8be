// SQLiteConnection.swift — one connection to the database, with its prepared statements.

internal import CSQLite
internal import Synchronization

/// The statements that a connection runs again and again.
enum SQLiteQuery: String, Hashable {
    case begin = "BEGIN"
    case beginWriting = "BEGIN IMMEDIATE"
    case commit = "COMMIT"
    case rollback = "ROLLBACK"
    case progress = "SELECT sequence, commit_time FROM meta"
    case setProgress = "UPDATE meta SET sequence = ?1, commit_time = ?2"
    case setPurged = "UPDATE meta SET purged_through = max(coalesce(purged_through, ?1), ?1)"
    case find = "SELECT value, expiry FROM entries WHERE key = ?1"
    case put = "REPLACE INTO entries (key, value, expiry) VALUES (?1, ?2, ?3)"
    case add = "INSERT OR IGNORE INTO entries (key, value, expiry) VALUES (?1, ?2, ?3)"
    case delete = "DELETE FROM entries WHERE key = ?1"
    case deleteRange = "DELETE FROM entries WHERE key >= ?1 AND key < ?2"
    case scan = "SELECT key, value, expiry FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key"
    case scanBackward = "SELECT key, value, expiry FROM entries WHERE key >= ?1 AND key <= ?2 ORDER BY key DESC"
}

/// A connection to the database. Every call happens under its lock, in `locked`.
@safe final class SQLiteConnection: @unchecked Sendable {  // guarded by `lock`
    private let database: OpaquePointer
    private let files: SQLiteFiles
    let path: String
    private var statements: [SQLiteQuery: [SQLiteStatement]] = [:]
    private let lock = Mutex<Void>(())
    private(set) var isClosed = false

    init(path: String, files: SQLiteFiles) throws {
        var database: OpaquePointer?
        let access = files.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        let result = unsafe sqlite3_open_v2(path, &database, access | SQLITE_OPEN_NOMUTEX, files.name)
        guard result == SQLITE_OK, let database = unsafe database else {
            let error = unsafe Self.error(result, "The database can't be opened", database, files, path)
            _ = unsafe sqlite3_close_v2(database)
            throw error
        }
        unsafe self.database = database
        self.files = files
        self.path = path
        _ = unsafe sqlite3_extended_result_codes(database, 1)
    }

    deinit { close() }

    /// Ends every statement, also of cursors that are still around, and closes the connection. In `locked`, or when
    /// nobody else knows the connection.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        statements.removeAll()
        while let statement = unsafe sqlite3_next_stmt(database, nil) { _ = unsafe sqlite3_finalize(statement) }
        _ = unsafe sqlite3_close_v2(database)
    }

    /// Runs `body` alone on this connection. `body` must not call anything that waits for the same connection.
    /// - Throws: `StorageError.closed`, and what the body throws.
    func locked<R>(_ body: () throws -> R) throws -> R {
        try lock.withLock { _ in
            guard !isClosed else { throw StorageError(.closed, "The storage was closed.") }
            return try body()
        }
    }

    /// Runs `body` alone, whether the connection is open or not.
    func lockedAlways<R>(_ body: () throws -> R) rethrows -> R { try lock.withLock { _ in try body() } }

    // MARK: Running

    /// Runs statements that need no parameters and give no rows.
    func execute(_ sql: String) throws {
        let result = unsafe sqlite3_exec(database, sql, nil, nil, nil)
        guard result == SQLITE_OK else { throw error(result, "\"\(sql)\" failed") }
    }

    /// Runs a prepared statement to its end.
    func run(_ query: SQLiteQuery, _ bind: (SQLiteStatement) throws -> Void = { _ in }) throws {
        try with(query) { statement in
            try bind(statement)
            while try statement.step() {}
        }
    }

    /// Lends a prepared statement for the time of `body`.
    func with<R>(_ query: SQLiteQuery, _ body: (SQLiteStatement) throws -> R) throws -> R {
        let statement = try take(query)
        defer { giveBack(statement, query) }
        return try body(statement)
    }

    /// A prepared statement that nobody else uses now; it goes back with `giveBack`.
    func take(_ query: SQLiteQuery) throws -> SQLiteStatement {
        if let free = statements[query]?.popLast() { return free }
        return try prepare(query.rawValue)
    }

    func giveBack(_ statement: SQLiteStatement, _ query: SQLiteQuery) {
        guard !isClosed else { return }
        statement.reset()
        statements[query, default: []].append(statement)
    }

    func prepare(_ sql: String) throws -> SQLiteStatement {
        var pointer: OpaquePointer?
        let result = unsafe sqlite3_prepare_v3(database, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, nil)
        guard result == SQLITE_OK, let pointer = unsafe pointer else {
            throw error(result, "\"\(sql)\" can't be prepared")
        }
        return unsafe SQLiteStatement(pointer, connection: self)
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool { unsafe sqlite3_get_autocommit(database) == 0 }

    /// The rows that the last statement changed.
    var changeCount: Int { unsafe Int(sqlite3_changes(database)) }

    /// Leaves the log alone when this connection closes last.
    func keepLogOnClose() { _ = unsafe csqlite_keep_log_on_close(database) }

    // MARK: Errors

    /// What a failed call means to the storage's user.
    func error(_ result: Int32, _ what: String) -> StorageError {
        unsafe Self.error(result, what, database, files, path)
    }

    private static func error(
        _ result: Int32, _ what: String, _ database: OpaquePointer?, _ files: SQLiteFiles, _ path: String
    ) -> StorageError {
        let text =
            unsafe database.flatMap { unsafe sqlite3_errmsg($0) }.map { unsafe String(cString: $0) } ?? "no memory"
        let cause = files.takeFailure()
        let code: StorageError.Code
        switch result & 0xFF {
        case SQLITE_FULL: code = .diskFull
        case SQLITE_CORRUPT, SQLITE_NOTADB: code = .corruption
        case SQLITE_BUSY, SQLITE_LOCKED: code = .locked
        case SQLITE_READONLY: code = .readOnly
        case SQLITE_TOOBIG: code = .valueTooLarge
        default: code = cause?.code == .notFound ? .notFound : .ioFailure
        }
        return StorageError(code, "\(what): \(text).", file: cause?.location?.file ?? path, cause: cause)
    }
}
