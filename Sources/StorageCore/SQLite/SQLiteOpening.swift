// SQLiteOpening.swift — from a file to a storage.
//
// 1. Lock the file; open it; make the tables, or check that they are ours.
// 2. Make keyspaces of their rows; empty the volatile ones.
// 3. Sync the log: a process that was killed may have left commits in it that are not on the device yet, and what can be
//    read after opening counts as durable.

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
            if isNew { try fileSystem.syncDirectory(parent) }
            return try open(lock: lock)
        } catch {
            lock.release()
            throw error
        }
    }

    private func open(lock: (any FileLock)?) throws -> OpenedParts {
        // Symbolic links are followed here, so that the log is found beside the file itself, however it was named.
        let path = try fileSystem.resolve(self.path)
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
            if !options.isReadOnly {
                try engine.removeLeftovers(of: keyspaces)
                try engine.sync()
            }
            return parts(engine, keyspaces, progress, lock)
        } catch {
            writer.close()
            throw error
        }
    }

    private func parts(
        _ engine: SQLiteEngine, _ keyspaces: [Keyspace], _ progress: SQLiteProgress, _ lock: (any FileLock)?
    ) -> OpenedParts {
        OpenedParts(
            lock: lock, commits: CommitState(visible: progress.sequence, commitTime: progress.commitTime),
            catalog: Catalog(keyspaces: Dictionary(uniqueKeysWithValues: keyspaces.map { ($0.name, $0) })),
            tableCache: TableCache(
                fileSystem: fileSystem, directory: path, blocks: BlockCache(byteCapacity: 0), descriptorCount: 1,
                readerByteCapacity: 0),
            nextFileNumber: 1, purgeFloor: PurgeFloor(commitTimeFloor: progress.commitTime, clock: options.clock),
            sqlite: engine)
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
