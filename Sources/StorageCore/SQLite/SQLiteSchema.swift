// SQLiteSchema.swift — the tables of a storage in one file, and the settings of its connections.
//
//   entries    key    tree key: keyspace id (four bytes, big-endian), then the user key
//              value  bytes
//              expiry microseconds since 1970, or NULL
//   keyspaces  one row for each: id, name, expiry policy, flags, name of the merge operator
//   meta       one row: the last commit's sequence and time, the next keyspace id, up to when expired rows may have been purged
//              (NULL: none has been; files of earlier versions get the column when they are opened to be written)
//
// The application id says that the file is a storage, the user version which format it has.

internal import CSQLite

enum SQLiteSchema {
    /// "ShpS".
    static let applicationID: Int64 = 0x5368_7053
    static let version: Int64 = 1
    static let pageByteCount = 4096

    private static let tables = """
        CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL, expiry INTEGER) WITHOUT ROWID;
        CREATE TABLE keyspaces (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, expiry INTEGER NOT NULL, is_volatile INTEGER NOT NULL,
            is_dedicated INTEGER NOT NULL, is_archived INTEGER NOT NULL, merge_operator TEXT NOT NULL);
        CREATE TABLE meta (sequence INTEGER NOT NULL, commit_time INTEGER NOT NULL, next_keyspace INTEGER NOT NULL, purged_through INTEGER);
        INSERT INTO meta (sequence, commit_time, next_keyspace) VALUES (0, 0, 1);
        """

    /// Makes the tables of a new file, or checks that they are ours.
    static func prepare(_ connection: SQLiteConnection, isReadOnly: Bool) throws {
        let found = try connection.integer("PRAGMA application_id")
        let tableCount = try connection.integer("SELECT count(*) FROM sqlite_schema")
        guard found == applicationID else {
            guard tableCount == 0, found == 0 else {
                throw StorageError(
                    .unsupportedFormat, "The file is a SQLite database, but not a storage.", file: connection.path)
            }
            guard !isReadOnly else {
                throw StorageError(.notFound, "There is no storage to open read-only.", file: connection.path)
            }
            return try create(connection)
        }
        let foundVersion = try connection.integer("PRAGMA user_version")
        guard foundVersion == version else {
            throw StorageError(
                .unsupportedFormat,
                "The storage has format \(foundVersion), this version reads format \(version): open it with a newer one.",
                file: connection.path)
        }
    }

    /// Up to when expired rows may have been purged by earlier runs.
    static func purgedThrough(_ connection: SQLiteConnection) throws -> StorageInstant {
        guard try hasPurgedThrough(connection) else { return .distantPast }
        return StorageInstant(
            microseconds: try connection.integer("SELECT coalesce(purged_through, \(Int64.min)) FROM meta"))
    }

    /// Gives the file of an earlier version what this one keeps.
    static func upgrade(_ connection: SQLiteConnection) throws {
        guard try !hasPurgedThrough(connection) else { return }
        try connection.execute("ALTER TABLE meta ADD COLUMN purged_through INTEGER")
    }

    private static func hasPurgedThrough(_ connection: SQLiteConnection) throws -> Bool {
        try connection.integer("SELECT count(*) FROM pragma_table_info('meta') WHERE name = 'purged_through'") > 0
    }

    private static func create(_ connection: SQLiteConnection) throws {
        try connection.execute("PRAGMA page_size = \(pageByteCount)")
        try connection.execute("PRAGMA journal_mode = WAL")
        try connection.execute("BEGIN IMMEDIATE")
        do {
            try connection.execute(tables)
            try connection.execute("PRAGMA application_id = \(applicationID)")
            try connection.execute("PRAGMA user_version = \(version)")
            try connection.execute("COMMIT")
        } catch {
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }
}

extension SQLiteConnection {
    /// What every connection is set to.
    func configure(cacheByteCount: Int) throws {
        // NORMAL syncs the log before a checkpoint copies it, the database before the log is started again, and the
        // log's header when that happens; commits are synced by the storage.
        try execute("PRAGMA synchronous = NORMAL")
        try execute("PRAGMA temp_store = MEMORY")
        try execute("PRAGMA secure_delete = FAST")
        try execute("PRAGMA trusted_schema = OFF")
        try execute("PRAGMA wal_autocheckpoint = 0")
        try execute("PRAGMA cache_size = -\(max(cacheByteCount >> 10, 64))")
    }

    /// The integer that a query gives.
    func integer(_ sql: String) throws -> Int64 {
        let statement = try prepare(sql)
        guard try statement.step() else {
            throw StorageError.corruption("\"\(sql)\" gives no row.", file: path)
        }
        return statement.integer(0)
    }
}
