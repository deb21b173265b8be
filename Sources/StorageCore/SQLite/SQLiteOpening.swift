// SQLiteOpening.swift — from a file to a storage.
//
// 1. Lock the file; copy the log, if there is one, and put the synced copy in its place; open the file; make the tables,
//    or check that they are ours.
// 2. Make keyspaces of their rows; empty the volatile ones.
// 3. Sync the log and the names: what can be read after opening counts as durable.
//
// Where the disk is too full for the copy of the log, or for emptying keyspaces, the storage is opened all the same: what is
// there can be read, volatile keyspaces show nothing, and the rest is done, without a new opening, once there is room.

/// One opening of a file.
struct SQLiteOpening {
    let path: String
    let options: StorageOptions

    private var fileSystem: any FileSystem { options.fileSystem }

    func open() throws -> OpenedParts {
        guard !options.isReadOnly else {
            guard try fileSystem.exists(path) else {
                throw StorageError(.notFound, "There is no storage to open read-only.", file: path)
            }
            return try open(lock: nil, isNew: false)
        }
        let parent = FilePathText.parent(of: path)
        try fileSystem.createDirectory(parent)
        let isNew = try !fileSystem.exists(path)
        let lock = try fileSystem.lock(path)
        do {
            return try open(lock: lock, isNew: isNew)
        } catch {
            // A file whose name could not be synced is better made anew.
            if isNew { removeUnfinished() }
            lock.release()
            throw error
        }
    }

    private func open(lock: (any FileLock)?, isNew: Bool) throws -> OpenedParts {
        // Symbolic links are followed here, so that the log is found beside the file itself, however it was named.
        let path = try fileSystem.resolve(self.path)
        var fullDisk: StorageError?
        if !options.isReadOnly { fullDisk = try unlessFull { _ = try SQLiteLogRenewal.renew(path, fileSystem) } }
        let cacheByteCount = MemoryShares(options).blockCache
        let files = SQLiteFiles(fileSystem, path: path, isReadOnly: options.isReadOnly)
        let writer = try SQLiteConnection(path: path, files: files)
        let engine = SQLiteEngine(
            path: path, files: files, writer: writer, cacheByteCount: cacheByteCount / 8,
            lock: lock)
        // What is in the log stays there until it is copied with care; a storage that is let go just ends.
        writer.keepLogOnClose()
        do {
            try writer.configure(cacheByteCount: cacheByteCount / 2)
            try SQLiteSchema.prepare(writer, isReadOnly: options.isReadOnly)
            let keyspaces = try readKeyspaces(engine)
            let progress = try writer.progress()
            let purged = try SQLiteSchema.purgedThrough(writer)
            if !options.isReadOnly {
                if fullDisk == nil { fullDisk = try unlessFull { try engine.removeStaleRows(of: keyspaces) } }
                try engine.sync()
                try syncNames(beside: path)
                if let fullDisk, isNew { throw fullDisk }
                engine.noteUnfinished(fullDisk)
            }
            return parts(engine, keyspaces, progress, purged, lock)
        } catch {
            writer.close()
            throw error
        }
    }

    private func removeUnfinished() {
        for file in [path + "-journal", path + "-wal", path] {
            // What can't be removed is an unfinished creation, which the next opening finishes.
            if (try? fileSystem.exists(file)) == true { try? fileSystem.remove(file) }
        }
    }

    /// The error if there was no room for what `body` does.
    private func unlessFull(_ body: () throws -> Void) throws -> StorageError? {
        do {
            try body()
            return nil
        } catch let error as StorageError where error.code == .diskFull {
            return error
        }
    }

    /// Makes the names of the database and its log durable: a process that was killed may have made them and no more.
    private func syncNames(beside path: String) throws {
        let parent = FilePathText.parent(of: path)
        // A parent that may be written but not read can't be synced: its owner made it so.
        guard (try? fileSystem.list(parent)) != nil else { return }
        try fileSystem.syncDirectory(parent)
    }

    private func parts(
        _ engine: SQLiteEngine, _ keyspaces: [Keyspace], _ progress: SQLiteProgress, _ purged: StorageInstant,
        _ lock: (any FileLock)?
    ) -> OpenedParts {
        OpenedParts(
            lock: lock, commits: CommitState(visible: progress.sequence, commitTime: progress.commitTime),
            catalog: Catalog(keyspaces: Dictionary(uniqueKeysWithValues: keyspaces.map { ($0.name, $0) })),
            tableCache: TableCache(
                fileSystem: fileSystem, directory: path, blocks: BlockCache(byteCapacity: 0), descriptorCount: 1,
                readerByteCapacity: 0),
            nextFileNumber: 1, purgeFloor: PurgeFloor(commitTimeFloor: progress.commitTime, clock: options.clock),
            purgedThrough: purged, sqlite: engine)
    }

    private func readKeyspaces(_ engine: SQLiteEngine) throws -> [Keyspace] {
        let statement = try engine.writer.prepare(
            "SELECT id, name, expiry, is_volatile, is_dedicated, is_archived, merge_operator FROM keyspaces")
        var keyspaces: [Keyspace] = []
        while try statement.step() {
            guard let id = UInt32(exactly: statement.integer(0)), id < .max,
                let expiry = ExpiryPolicy(rawValue: UInt8(clamping: statement.integer(2)))
            else {
                throw StorageError.corruption("The row of a keyspace makes no sense.", file: path)
            }
            let options = KeyspaceOptions(
                expiry: expiry, isVolatile: statement.integer(3) != 0, isDedicated: statement.integer(4) != 0,
                isArchived: statement.integer(5) != 0)
            keyspaces.append(
                Keyspace(
                    name: statement.text(1), id: id, options: options, tree: engine.emptyTree,
                    life: KeyspaceLife(mergeOperator: statement.text(6))))
        }
        return keyspaces
    }
}
