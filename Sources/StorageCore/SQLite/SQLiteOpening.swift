// SQLiteOpening.swift — from a file to a storage.
//
// 1. Lock the file; copy the log, if there is one, and put the synced copy in its place; open the file; make the tables,
//    or check that they are ours.
// 2. Make keyspaces of their rows; empty the volatile ones.
// 3. Sync the log and the names: what can be read after opening counts as durable.

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
            return try open(lock: nil)
        }
        let parent = FilePathText.parent(of: path)
        try fileSystem.createDirectory(parent)
        let isNew = try !fileSystem.exists(path)
        let lock = try fileSystem.lock(path)
        do {
            return try open(lock: lock)
        } catch {
            // A file whose name could not be synced is better made anew.
            if isNew { removeUnfinished() }
            lock.release()
            throw error
        }
    }

    private func open(lock: (any FileLock)?) throws -> OpenedParts {
        // Symbolic links are followed here, so that the log is found beside the file itself, however it was named.
        let path = try fileSystem.resolve(self.path)
        if !options.isReadOnly { try renewLog(of: path) }
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
            let purged = try SQLiteSchema.purgedThrough(writer, isReadOnly: options.isReadOnly)
            if !options.isReadOnly {
                try engine.removeLeftovers(of: keyspaces)
                try engine.sync()
                try syncNames(beside: path)
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

    /// Replaces the log that a run without a close has left by a synced copy.
    ///
    /// Its bytes or its name may be such that a sync has failed for, which no later sync is sure to make durable; and a
    /// log that loses its end after a checkpoint would put old pages over newer ones.
    private func renewLog(of path: String) throws {
        let log = path + "-wal"
        let copy = log + "-new"
        if try fileSystem.exists(copy) { try fileSystem.remove(copy) }
        guard try fileSystem.exists(log) else { return }
        try fileSystem.copy(log, to: copy)
        try fileSystem.rename(copy, to: log)
        try fileSystem.syncDirectory(FilePathText.parent(of: path))
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
