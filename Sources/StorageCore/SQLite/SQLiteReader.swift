// SQLiteReader.swift — the rows of one point in time, seen through one connection.

internal import Synchronization

/// What of a commit a reader sees first: its number and its time.
struct SQLiteProgress {
    var sequence: UInt64 = 0
    var commitTime: Int64 = 0
}

/// Reads rows as of the transaction that its connection has open: a snapshot's, or the lane's.
///
/// Threads that share a reader take turns.
final class SQLiteReader: Sendable {
    private enum Source {
        /// A connection of the pool, with a read transaction for as long as the reader lives.
        case snapshot(SQLiteConnection, SQLiteReaderPool)
        /// The lane's connection; the transaction begins with the first read.
        case lane(SQLiteConnection)
        /// Nothing can be read, and why.
        case failure(StorageError)
    }

    private let source: Source
    /// Read-only storages, and those that found the disk full, have not emptied what must be empty at open.
    private let hidesVolatile: Bool

    /// A reader of what is committed now.
    /// - Parameter progress: Set to the newest commit that the reader sees.
    init(pool: SQLiteReaderPool, _ progress: inout SQLiteProgress) {
        hidesVolatile = pool.hasStaleRows.load(ordering: .acquiring)
        do {
            let connection = try pool.lease()
            var found = SQLiteProgress()
            do {
                found = try connection.locked {
                    try connection.run(.begin)
                    return try connection.progress()
                }
            } catch {
                pool.giveBack(connection)
                throw error
            }
            progress = found
            source = .snapshot(connection, pool)
        } catch {
            source = .failure(StorageError(wrapping: error))
        }
    }

    init(lane connection: SQLiteConnection) {
        source = .lane(connection)
        hidesVolatile = false
    }

    init(failure: StorageError) {
        source = .failure(failure)
        hidesVolatile = false
    }

    deinit {
        if case .snapshot(let connection, let pool) = source { pool.giveBack(connection) }
    }

    /// Runs `body` with the connection, inside the transaction.
    func withConnection<R>(_ body: (SQLiteConnection) throws -> R) throws -> R {
        switch source {
        case .snapshot(let connection, _):
            return try connection.locked { try body(connection) }
        case .lane(let connection):
            return try connection.locked {
                if !connection.isInTransaction { try connection.run(.begin) }
                return try body(connection)
            }
        case .failure(let failure):
            throw failure
        }
    }

    /// Runs `body` with the connection to let go of something, if it is still open.
    func releasing(_ body: (SQLiteConnection) -> Void) {
        switch source {
        case .snapshot(let connection, _), .lane(let connection): connection.lockedAlways { body(connection) }
        case .failure: break
        }
    }

    /// Calls `body` with the value of `key`; false if the key is absent.
    ///
    /// - Parameters:
    ///   - key: The tree key: keyspace prefix and user key.
    ///   - newer: Operands of the key that lie above (an open transaction's), newest first.
    func withValue(
        of key: UnsafeRawBufferPointer, in keyspace: Keyspace, readTime: StorageInstant, newer: [[UInt8]] = [],
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        // A copy, since the body may read again, on the same connection.
        var value = isHidden(keyspace) ? nil : try unsafe find(key)
        if let found = value, keyspace.judgesExpiry, found.expiry <= readTime.microseconds { value = nil }
        if newer.isEmpty {
            guard let value else { return false }
            unsafe try value.bytes.withUnsafeBytes { unsafe try body($0) }
        } else {
            let versions = (value.map { [$0.bytes] } ?? []) + newer.reversed()
            let merged = unsafe try keyspace.fold(operands: versions, key: key)
            unsafe try merged.withUnsafeBytes { unsafe try body($0) }
        }
        return true
    }

    /// Whether nothing in the keyspace may be seen.
    func isHidden(_ keyspace: Keyspace) -> Bool { hidesVolatile && keyspace.isVolatile }

    private func find(_ key: UnsafeRawBufferPointer) throws -> SQLiteRow? {
        try withConnection { unsafe try $0.find(key) }
    }
}

/// A row of the table of entries, but for its key.
struct SQLiteRow {
    var bytes: [UInt8]
    /// As entries have it.
    var expiry: Int64
}

extension SQLiteConnection {
    func find(_ key: UnsafeRawBufferPointer) throws -> SQLiteRow? {
        try with(.find) { statement in
            unsafe statement.bind(1, borrowing: key)
            guard try statement.step() else { return nil }
            return unsafe SQLiteRow(bytes: Array(statement.bytes(0)), expiry: statement.expiry(1))
        }
    }

    func progress() throws -> SQLiteProgress {
        try with(.progress) { statement in
            guard try statement.step() else {
                throw StorageError.corruption("The row that tells how far commits have got is missing.", file: path)
            }
            return SQLiteProgress(
                sequence: UInt64(clamping: statement.integer(0)), commitTime: statement.integer(1))
        }
    }
}
