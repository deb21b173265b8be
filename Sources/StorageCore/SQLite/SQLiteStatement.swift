// SQLiteStatement.swift — a prepared statement.

internal import CSQLite

/// A prepared statement of one connection; used under the connection's lock.
@safe final class SQLiteStatement {
    private let statement: OpaquePointer
    /// Weak, since a connection keeps its statements; whoever holds a statement holds the connection too.
    private weak let connection: SQLiteConnection?

    init(_ statement: OpaquePointer, connection: SQLiteConnection) {
        unsafe self.statement = statement
        self.connection = connection
    }

    // A connection that was closed has ended its statements.
    deinit {
        if let connection, !connection.isClosed { _ = unsafe sqlite3_finalize(statement) }
    }

    /// Moves to the next row; false if there is none.
    func step() throws -> Bool {
        let result = unsafe sqlite3_step(statement)
        switch result {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            let error = connection?.error(result, "A statement failed")
            reset()
            throw error ?? StorageError(.closed, "The storage was closed.")
        }
    }

    /// Back to before the first row; what was bound stays bound.
    func reset() { _ = unsafe sqlite3_reset(statement) }

    // MARK: Parameters, from 1

    func bind(_ index: Int32, _ value: Int64) { _ = unsafe sqlite3_bind_int64(statement, index, value) }

    func bindNull(_ index: Int32) { _ = unsafe sqlite3_bind_null(statement, index) }

    /// Binds bytes that stay where they are until the statement is reset.
    func bind(_ index: Int32, borrowing bytes: UnsafeRawBufferPointer) {
        _ = unsafe csqlite_bind_borrowed(statement, index, bytes.baseAddress, Int32(clamping: bytes.count))
    }

    /// Binds a copy of bytes.
    func bind(_ index: Int32, copying bytes: UnsafeRawBufferPointer) {
        _ = unsafe csqlite_bind_copy(statement, index, bytes.baseAddress, Int32(clamping: bytes.count))
    }

    func bind(_ index: Int32, _ text: String) {
        let bytes = Array(text.utf8)
        unsafe bytes.withUnsafeBytes {
            _ = unsafe csqlite_bind_text_copy(statement, index, $0.baseAddress, Int32(clamping: $0.count))
        }
    }

    // MARK: Columns, from 0

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

    func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(statement, column) == SQLITE_NULL }

    /// The bytes of a column, good until the statement moves.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        let pointer = unsafe sqlite3_column_blob(statement, column)
        return unsafe UnsafeRawBufferPointer(
            start: pointer, count: pointer == nil ? 0 : Int(sqlite3_column_bytes(statement, column)))
    }

    func text(_ column: Int32) -> String {
        unsafe String(decoding: bytes(column), as: UTF8.self)
    }

    /// The expiry in a column, as entries have it.
    func expiry(_ column: Int32) -> Int64 { unsafe isNull(column) ? UnsafeEntry.noExpiry : integer(column) }
}
