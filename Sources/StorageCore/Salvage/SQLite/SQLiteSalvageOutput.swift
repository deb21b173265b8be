// SQLiteSalvageOutput.swift — the SQLite database that a salvage writes.
//
// It has another name until it is whole, so that nobody takes a part of it for all.

internal import StorageTypes

final class SQLiteSalvageOutput {
    private let target: String
    private let path: String
    private let fileSystem: any FileSystem
    private let connection: SQLiteConnection
    private var pendingByteCount = 0
    private static let transactionByteCount = 4 << 20

    init(target: String, options: StorageOptions) throws {
        self.target = target
        path = target + "-unfinished"
        fileSystem = options.fileSystem
        try fileSystem.createDirectory(FilePathText.parent(of: target))
        try Self.remove(path, fileSystem)
        connection = try SQLiteConnection(
            path: path, files: SQLiteFiles(fileSystem, path: path, isReadOnly: false))
        do {
            connection.keepLogOnClose()
            try connection.configure(cacheByteCount: MemoryShares(options).blockCache / 2)
            try SQLiteSchema.prepare(connection, isReadOnly: false)
            try connection.run(.beginWriting)
        } catch {
            abandon()
            throw error
        }
    }

    /// Removes a database and what SQLite puts beside it.
    private static func remove(_ path: String, _ fileSystem: any FileSystem) throws {
        for file in [path, path + "-wal", path + "-journal"] where try fileSystem.exists(file) {
            try fileSystem.remove(file)
        }
    }

    /// Removes what was written; the reason is on its way to the caller.
    func abandon() {
        connection.close()
        try? Self.remove(path, fileSystem)
    }

    /// Adds an entry unless its key is there already; whether it was added.
    func add(_ entry: SQLiteEntryRecord) throws -> Bool {
        try unsafe entry.key.withUnsafeBytes { key in
            unsafe try entry.value.withUnsafeBytes { value in
                try connection.run(.add) { statement in
                    unsafe statement.bind(1, borrowing: key)
                    unsafe statement.bind(2, borrowing: value)
                    if unsafe entry.expiry == UnsafeEntry.noExpiry {
                        statement.bindNull(3)
                    } else {
                        statement.bind(3, entry.expiry)
                    }
                }
            }
        }
        let isNew = connection.changeCount == 1
        pendingByteCount += entry.key.count + entry.value.count
        if pendingByteCount >= Self.transactionByteCount {
            try commit()
            try connection.run(.beginWriting)
        }
        return isNew
    }

    /// Commits, and copies the log into the database.
    private func commit() throws {
        pendingByteCount = 0
        try connection.run(.commit)
        let statement = try connection.prepare("PRAGMA wal_checkpoint(PASSIVE)")
        guard try statement.step(), statement.integer(0) == 0, statement.integer(1) == statement.integer(2) else {
            throw StorageError(.ioFailure, "The log could not be copied into the database as a whole.", file: path)
        }
    }

    /// Adds the catalog, and gives the database its name.
    func finish(_ keyspaces: some Sequence<SQLiteKeyspaceRecord>, _ meta: SQLiteMetaRecord) throws {
        for keyspace in keyspaces { try connection.insert(keyspace) }
        let purgedThrough = meta.purgedThrough.map(String.init) ?? "NULL"
        try connection.execute(
            """
            UPDATE meta SET sequence = \(meta.sequence), commit_time = \(meta.commitTime),
                next_keyspace = \(meta.nextKeyspace), purged_through = \(purgedThrough)
            """)
        try commit()
        connection.close()
        if try fileSystem.exists(path + "-wal") { try fileSystem.remove(path + "-wal") }
        try fileSystem.rename(path, to: target)
        try fileSystem.syncDirectory(FilePathText.parent(of: target))
    }
}
