// SQLite, the peer of the lines whose work can be said in SQL: one connection, a write-ahead log, prepared statements.

import CSQLitePeer

final class SQLiteDatabase {
    static let name = "SQLite"
    private let handle: OpaquePointer

    /// `synced`: a commit is on disk when it returns, as with our synced writes; otherwise with the operating system.
    init(directory: String, synced: Bool = false) throws {
        var opened: OpaquePointer?
        let code = sqlite3_open("\(directory)/peer.sqlite", &opened)
        guard code == SQLITE_OK, let opened else { throw SQLiteError(message: "open: code \(code)") }
        handle = opened
        try execute("PRAGMA page_size = 4096")
        try execute("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = \(synced ? "FULL" : "OFF")")
        try execute("PRAGMA cache_size = -262144")
    }

    deinit { sqlite3_close_v2(handle) }

    func execute(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw lastError(sql) }
    }

    func prepare(_ sql: String) throws -> SQLiteStatement {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw lastError(sql)
        }
        return SQLiteStatement(statement, of: self)
    }

    /// Rows that the last statement changed.
    var changes: Int { Int(sqlite3_changes(handle)) }

    fileprivate func lastError(_ context: String) -> SQLiteError {
        SQLiteError(message: "\(String(cString: sqlite3_errmsg(handle))): \(context)")
    }
}

/// A prepared statement, used by one thread.
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let database: SQLiteDatabase
    // SQLite copies what is bound with this destructor.
    private static var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    fileprivate init(_ handle: OpaquePointer, of database: SQLiteDatabase) {
        self.handle = handle
        self.database = database
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ text: String, at index: Int32) {
        sqlite3_bind_text(handle, index, text, -1, Self.transient)
    }

    func bind(_ number: Int, at index: Int32) {
        sqlite3_bind_int64(handle, index, Int64(number))
    }

    /// Runs a statement that returns no rows.
    func run() throws {
        try forEachRow {}
    }

    /// Steps through the rows, then resets the statement for the next binding.
    func forEachRow(_ body: () throws -> Void) throws {
        defer { sqlite3_reset(handle) }
        while true {
            switch sqlite3_step(handle) {
            case SQLITE_ROW: try body()
            case SQLITE_DONE: return
            default: throw database.lastError("step")
            }
        }
    }

    func integer(at column: Int32) -> Int { Int(sqlite3_column_int64(handle, column)) }

    func byteCount(at column: Int32) -> Int { Int(sqlite3_column_bytes(handle, column)) }
}

struct SQLiteError: Error, CustomStringConvertible {
    let message: String

    var description: String { "SQLite: \(message)" }
}
