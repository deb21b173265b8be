// SQLiteEngine.swift — the keyspaces of a storage in one SQLite database.
//
// One connection writes, in the writer lane: each commit is one SQLite transaction that changes rows, folds merges into
// them, and notes its sequence and time. Snapshots are read transactions of connections of their own. Durability is the
// storage's: SQLite commits into its log without a sync (`synchronous = NORMAL`), and the gate syncs the log for
// everyone who waits. What that rests on:
//
// (1) A commit is durable once the log is synced after its frames were written, since recovery replays every whole
//     transaction from the start of the log.
// (2) A checkpoint syncs the log before it copies pages into the database, and the database before the log may start
//     again at its beginning. So a sync of the log as it is now covers what was in it before it started again.
// (3) The name of the log is synced with it.
// (4) After a failed sync or write nothing more is written, not even by the checkpoint that closing would do.

internal import Synchronization

/// The removal of expired rows, which goes round the keyspaces as commits go on.
struct SQLitePurge {
    /// Rows to look at before the next copy of the log.
    var rowCount = 0
    /// The tree key to go on from; empty at the start of a round.
    var next: [UInt8] = []
}

final class SQLiteEngine: Sendable {
    let path: String
    let files: SQLiteFiles
    /// The lane's connection.
    let writer: SQLiteConnection
    let laneReader: SQLiteReader
    let readers: SQLiteReaderPool
    /// Held from the commit of a transaction until its sequence is published. A reader that saw a commit before it was
    /// published waits here.
    let publication = Mutex<Void>(())
    /// Dropped keyspaces whose rows are still there.
    let removable = Mutex<[UInt32]>([])
    /// The tree that handles of keyspaces point to, where no entry ever is.
    let emptyTree = Tree(id: 0, options: TreeOptions(), state: TreeState(memtable: Memtable()))
    /// The length of the log when it was last copied into the database.
    let copiedLogByteCount = Atomic<Int64>(0)
    /// How far the removal of expired rows has got.
    let purge = Mutex(SQLitePurge())
    let unfinishedReason = Mutex<StorageError?>(nil)
    private let failure = Mutex<StorageError?>(nil)

    init(path: String, files: SQLiteFiles, writer: SQLiteConnection, cacheByteCount: Int, lock: (any FileLock)?) {
        self.path = path
        self.files = files
        self.writer = writer
        laneReader = SQLiteReader(lane: writer)
        readers = SQLiteReaderPool(path: path, files: files, cacheByteCount: cacheByteCount, lock: lock)
    }

    var logPath: String { path + "-wal" }

    /// Why nothing is written any more; nil if that is not so.
    var writeFailure: StorageError? { files.syncFailure ?? failure.withLock { $0 } }

    func noteFailure(_ error: StorageError) { failure.withLock { $0 = $0 ?? error } }

    // MARK: Committing

    /// Changes the rows that a batch is about and notes how far commits have got. In the lane, with `publication` held.
    ///
    /// If it throws, nothing was changed.
    func commit(_ batch: borrowing WriteBatch, sequence: UInt64, commitTime: StorageInstant) throws {
        try writing { connection in
            for rangeDelete in batch.rangeDeletes { try connection.delete(rangeDelete) }
            for position in batch.entries.indices where batch.entries[position].isLive {
                unsafe try batch.withKey(of: position) { key in
                    unsafe try batch.withValue(of: position) { value in
                        unsafe try connection.apply(batch, position, key, value)
                    }
                }
            }
            try connection.run(.setProgress) { statement in
                statement.bind(1, Int64(clamping: sequence))
                statement.bind(2, commitTime.microseconds)
            }
        }
    }

    /// Runs `body` in a transaction that writes; it is there whole or not at all. In the lane.
    func writing<R>(_ body: (SQLiteConnection) throws -> R) throws -> R {
        try writer.locked {
            do {
                if !writer.isInTransaction { try writer.run(.beginWriting) }
                let result = try body(writer)
                try commit()
                return result
            } catch {
                rollBack()
                throw error
            }
        }
    }

    /// A commit that the disk had no room for was not written whole. What became of one that failed otherwise is
    /// unknown until the log is read again.
    private func commit() throws {
        do {
            try writer.run(.commit)
        } catch let error as StorageError where error.code != .diskFull {
            noteFailure(error)
            throw error
        }
    }

    private func rollBack() {
        guard writer.isInTransaction else { return }
        do {
            try writer.run(.rollback)
        } catch {
            noteFailure(StorageError(wrapping: error))
        }
    }

    /// Ends the transaction that reads of an open body have begun.
    func endReading() { writer.lockedAlways { if !writer.isClosed { rollBack() } } }

    /// Makes every commit so far durable.
    func sync() throws {
        if let failure = files.syncFailure { throw failure }
        do {
            try files.existingNode(logPath)?.sync(files.fileSystem)
        } catch {
            files.noteSyncFailure(StorageError(wrapping: error))
            throw error
        }
    }
}

extension SQLiteConnection {
    fileprivate func delete(_ rangeDelete: WriteBatch.RangeDelete) throws {
        unsafe try rangeDelete.lower.withUnsafeBytes { lower in
            unsafe try rangeDelete.upper.withUnsafeBytes { upper in
                try run(.deleteRange) { statement in
                    unsafe statement.bind(1, borrowing: lower)
                    unsafe statement.bind(2, borrowing: upper)
                }
            }
        }
    }

    fileprivate func apply(
        _ batch: borrowing WriteBatch, _ position: Int, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws {
        let entry = batch.entries[position]
        switch entry.kind {
        case .delete: try run(.delete) { unsafe $0.bind(1, borrowing: key) }
        case .put: unsafe try put(key, value, entry.expiry)
        case .merge:
            try batch.slots.withKeyspace(entry.keyspace) { unsafe try merge($0, key, value, entry.expiry) }
        }
    }

    func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ expiry: Int64) throws {
        try run(.put) { statement in
            unsafe statement.bind(1, borrowing: key)
            unsafe statement.bind(2, borrowing: value)
            if unsafe expiry == UnsafeEntry.noExpiry { statement.bindNull(3) } else { statement.bind(3, expiry) }
        }
    }

    /// Folds an operand into the row there is.
    private func merge(
        _ keyspace: Keyspace, _ key: UnsafeRawBufferPointer, _ operand: UnsafeRawBufferPointer, _ expiry: Int64
    ) throws {
        guard let older = unsafe try find(key), let mergeOperator = keyspace.options.mergeOperator else {
            return unsafe try put(key, operand, expiry)
        }
        let merged = unsafe try keyspace.fold(operands: [older.bytes, Array(operand)], key: key)
        let bound = mergeOperator.droppableAfter(
            merged: merged.rawSpan, older: StorageInstant(entryExpiry: older.expiry),
            newer: StorageInstant(entryExpiry: expiry))
        unsafe try merged.withUnsafeBytes {
            unsafe try put(key, $0, bound?.microseconds ?? UnsafeEntry.noExpiry)
        }
    }
}
