// SQLiteEngine+Opening.swift — what an opening writes, at once or, where it found the disk full, once there is room.

internal import Synchronization

enum SQLiteLogRenewal {
    /// Replaces the log that a run without a close has left by a synced copy; false if there is none.
    ///
    /// Its bytes or its name may be such that a sync has failed for, which no later sync is sure to make durable; and a
    /// log that loses its end after a checkpoint would put old pages over newer ones.
    static func renew(_ path: String, _ fileSystem: any FileSystem) throws -> Bool {
        let log = path + "-wal"
        let copy = log + "-new"
        if try fileSystem.exists(copy) { try fileSystem.remove(copy) }
        guard try fileSystem.exists(log) else { return false }
        do {
            try fileSystem.copy(log, to: copy)
        } catch {
            // The next opening removes what is left of it.
            try? fileSystem.remove(copy)
            throw error
        }
        try fileSystem.rename(copy, to: log)
        try fileSystem.syncDirectory(FilePathText.parent(of: path))
        return true
    }
}

extension SQLiteEngine {
    /// Whether the opening has something left to do, for want of room.
    var unfinished: StorageError? { unfinishedReason.withLock { $0 } }

    /// Notes how the opening ended.
    func noteUnfinished(_ reason: StorageError?) {
        unfinishedReason.withLock { $0 = reason }
        if !files.isReadOnly { readers.hasStaleRows.store(reason != nil, ordering: .releasing) }
    }

    /// Empties volatile keyspaces, and finds rows of keyspaces that were dropped, in a file of this version.
    func removeStaleRows(of keyspaces: [Keyspace]) throws {
        try writer.locked { try SQLiteSchema.upgrade(writer) }
        try removeLeftovers(of: keyspaces)
    }

    /// Does what the opening has left to do; false if that is nothing. In the lane, between transactions.
    ///
    /// Nobody has written since, so the copy of the log is what connections have been reading, byte by byte.
    /// - Throws: `.diskFull` if there is still no room for it.
    func finishOpening(_ keyspaces: [Keyspace]) throws -> Bool {
        guard unfinished != nil else { return false }
        if try SQLiteLogRenewal.renew(path, files.fileSystem), let node = files.existingNode(logPath) {
            node.replaceFile(try files.fileSystem.open(logPath, .readWrite))
        }
        try removeStaleRows(of: keyspaces)
        try sync()
        noteUnfinished(nil)
        return true
    }
}
