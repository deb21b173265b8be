// A connection to the SQLite peer and its prepared statements.

#if PEER_SQLITE
    import BenchmarkKit
    import CSQLitePeer

    final class SQLiteConnection {
        private let handle: OpaquePointer

        init(_ path: String, _ settings: StoreSettings) throws {
            var opened: OpaquePointer?
            let code = sqlite3_open(path, &opened)
            guard code == SQLITE_OK, let opened else { throw PeerError(description: "SQLite: open: code \(code)") }
            handle = opened
            sqlite3_busy_timeout(handle, 60_000)
            try execute("PRAGMA page_size = 4096")
            try execute("PRAGMA journal_mode = WAL")
            try execute("PRAGMA synchronous = \(settings.isSynced ? "FULL" : "OFF")")
            try execute("PRAGMA cache_size = -\(settings.cacheByteCount >> 10)")
            try execute("PRAGMA wal_autocheckpoint = \(settings.memtableByteCount / 4096)")
        }

        deinit { sqlite3_close_v2(handle) }

        func execute(_ sql: String) throws {
            guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw lastError(sql) }
        }

        func prepare(_ sql: String) throws -> SQLiteQuery {
            var statement: OpaquePointer?
            guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
                throw lastError(sql)
            }
            return SQLiteQuery(statement, of: self)
        }

        fileprivate func lastError(_ context: String) -> PeerError {
            PeerError(description: "SQLite: \(String(cString: sqlite3_errmsg(handle))): \(context)")
        }
    }

    /// A prepared statement, used by one thread at a time.
    final class SQLiteQuery {
        private let handle: OpaquePointer
        private let connection: SQLiteConnection

        fileprivate init(_ handle: OpaquePointer, of connection: SQLiteConnection) {
            self.handle = handle
            self.connection = connection
        }

        deinit { sqlite3_finalize(handle) }

        /// Binds the keys and values, which SQLite need not copy, and calls `row` with each row.
        func run(_ key: [UInt8], _ value: [UInt8], _ row: (SQLiteRow) -> Void = { _ in }) throws {
            try key.withUnsafeBytes { key in
                try value.withUnsafeBytes { value in
                    sqlite3_bind_blob(handle, 1, key.baseAddress, Int32(key.count), nil)
                    sqlite3_bind_blob(handle, 2, value.baseAddress, Int32(value.count), nil)
                    try run(row)
                }
            }
        }

        func run(_ key: [UInt8], limit: Int? = nil, _ row: (SQLiteRow) -> Void = { _ in }) throws {
            try key.withUnsafeBytes { key in
                sqlite3_bind_blob(handle, 1, key.baseAddress, Int32(key.count), nil)
                if let limit { sqlite3_bind_int64(handle, 2, Int64(limit)) }
                try run(row)
            }
        }

        func run(_ row: (SQLiteRow) -> Void) throws {
            defer { sqlite3_reset(handle) }
            while true {
                switch sqlite3_step(handle) {
                case SQLITE_ROW: row(SQLiteRow(handle: handle))
                case SQLITE_DONE: return
                default: throw connection.lastError("step")
                }
            }
        }
    }

    /// The row that a statement stands on.
    struct SQLiteRow {
        fileprivate let handle: OpaquePointer

        func digest(column: Int32) -> UInt64 {
            let start = sqlite3_column_blob(handle, column)
            return digestOfBytes(start, Int(sqlite3_column_bytes(handle, column)))
        }

        func bytes(column: Int32) -> [UInt8] {
            let start = sqlite3_column_blob(handle, column)
            return storage_bench.bytes(start, Int(sqlite3_column_bytes(handle, column)))
        }
    }
#endif
