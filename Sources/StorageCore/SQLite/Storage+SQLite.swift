// Storage+SQLite.swift — what the calls of a storage do where it stands on a SQLite database.

internal import Synchronization

extension Storage {
    /// Opens the storage at a location, or creates one there.
    ///
    /// - Throws: `StorageError`, as ``open(at:options:)``; `.unsupportedFormat` for a SQLite database that is none of
    ///   ours.
    public static func open(_ location: StorageLocation, options: StorageOptions = StorageOptions()) throws -> Storage {
        switch location {
        case .directory(let directory): try open(at: directory, options: options)
        case .sqlite where options.logArchive != nil:
            throw StorageError(.invalidArgument, "A SQLite database has no log segments that an archive could take.")
        case .sqlite(let path): try open(try SQLiteOpening(path: path, options: options).open(), path, options)
        }
    }

    /// What this storage's engine does beyond what all of them do.
    public var capabilities: StorageCapabilities { sqlite == nil ? .trees : .sqlite }

    // MARK: Commits

    func commit(
        _ batch: borrowing WriteBatch, _ sequence: UInt64, _ commitTime: StorageInstant,
        _ actions: [(SequenceNumber) -> Void], to sqlite: SQLiteEngine
    ) throws -> Commit {
        try sqlite.publication.withLock { _ in
            try sqlite.commit(batch, sequence: sequence, commitTime: commitTime)
            run(actions, sequence: sequence)
            commits.commitTime.store(commitTime.microseconds, ordering: .relaxed)
            commits.visible.store(sequence, ordering: .releasing)
            count(batch)
        }
        noteLength(of: sqlite)
        return Commit(sequence: sequence)
    }

    /// Sees to it that a long log is copied into the database.
    private func noteLength(of sqlite: SQLiteEngine) {
        guard sqlite.isLogLong(options) else { return }
        guard options.backgroundWork == .manual else { return background.request(.compaction) }
        do {
            try sqlite.copyLog()
            background.setFailure(nil, of: .compaction)
        } catch {
            noteFailure(error, of: .compaction)
        }
    }

    // MARK: Snapshots

    func snapshot(_ level: SnapshotLevel, of sqlite: SQLiteEngine) -> Snapshot {
        var progress = SQLiteProgress()
        var reader: SQLiteReader?
        let snapshot = registry.register(
            now: clock.now,
            lastCommitTime: { max(commits.lastCommitTime, StorageInstant(microseconds: progress.commitTime)) },
            reader: { reader }
        ) {
            progress.sequence = commits.visibleSequence
            reader = SQLiteReader(pool: sqlite.readers, &progress)
            return progress.sequence
        }
        // A commit that was met before its publication: a commit action may still be on its way. On the thread of that
        // very action there is nothing to wait for.
        if snapshot.sequence > visibleSequence, !lane.isOwnedByThisThread {
            sqlite.publication.withLock { _ in }
        }
        guard level == .durable else { return snapshot }
        do {
            // A commit action waits for no sync of its own commit, which comes after it.
            try gate.wait(for: min(snapshot.sequence, visibleSequence).rawValue)
            return snapshot
        } catch {
            // What is durable can't be told apart any more from what is not.
            let reader = SQLiteReader(failure: StorageError(wrapping: error))
            return registry.register(
                now: clock.now, lastCommitTime: { commits.lastCommitTime }, reader: { reader }
            ) { gate.durableSequence }
        }
    }

    // MARK: Keyspaces

    func openOrCreate(_ name: String, _ options: KeyspaceOptions, in sqlite: SQLiteEngine) throws -> Keyspace {
        lane.enter()
        defer { lane.leave() }
        let keyspace: Keyspace
        if let existing = existingKeyspace(name) {
            keyspace = try reopen(existing, options)
        } else {
            if let refusal = refusal() { throw refusal }
            keyspace = try sqlite.create(name, options)
        }
        catalog.withLock { $0.keyspaces[name] = keyspace }
        return keyspace
    }

    func drop(_ name: String, in sqlite: SQLiteEngine) throws {
        lane.enter()
        defer { lane.leave() }
        guard let keyspace = existingKeyspace(name) else {
            throw StorageError(.notFound, "There is no keyspace \"\(name)\".")
        }
        if let unfinished = sqlite.unfinished { throw unfinished }
        try sqlite.drop(keyspace)
        catalog.withLock { $0.keyspaces[name] = nil }
        keyspace.life.isDropped.store(true, ordering: .releasing)
        background.request(.compaction)
    }

    // MARK: Life cycle

    /// Does one unit of background work; false if there is nothing to do.
    func maintain(_ sqlite: SQLiteEngine) throws -> Bool {
        lane.enter()
        defer { lane.leave() }
        guard sqlite.unfinished == nil else { return false }
        if sqlite.isLogLong(options) {
            try sqlite.copyLog()
        } else if try !sqlite.removeDropped(limit: 1000), try !purgeSome(sqlite) {
            return false
        }
        background.setFailure(nil, of: .compaction)
        return true
    }

    /// Does what the opening has left to do where it found the disk full; whether there was anything.
    func finishOpening(_ sqlite: SQLiteEngine) throws -> Bool {
        lane.enter()
        defer { lane.leave() }
        return try sqlite.finishOpening(catalog.withLock { Array($0.keyspaces.values) })
    }

    /// Copies the database into a file of its own.
    func checkpoint(_ sqlite: SQLiteEngine, to target: String) throws {
        let fileSystem = options.fileSystem
        if try fileSystem.exists(target) {
            throw StorageError(.alreadyExists, "A checkpoint needs the name of a file that is not there.", file: target)
        }
        try fileSystem.createDirectory(FilePathText.parent(of: target))
        do {
            try sqlite.copy(to: target)
            try fileSystem.open(target, .readWrite).sync()
            try fileSystem.syncDirectory(FilePathText.parent(of: target))
        } catch {
            try? fileSystem.remove(target)
            throw error
        }
    }

    /// Copies the log into the database and removes it, so that one file is left.
    func close(_ sqlite: SQLiteEngine, after synced: Result<Void, any Error>) throws {
        defer { sqlite.close() }
        guard gate.failure == nil, sqlite.writeFailure == nil, sqlite.unfinished == nil, !options.isReadOnly else {
            return
        }
        try synced.get()
        sqlite.readers.close()
        try sqlite.copyWholeLog()
        sqlite.close()
        try options.fileSystem.remove(sqlite.logPath)
    }
}

extension SQLiteEngine {
    /// Why writes are refused until the storage is opened again; nil if they are not.
    func refusal(_ gate: DurabilityGate) -> StorageError? {
        guard let failure = gate.failure ?? writeFailure else { return nil }
        return StorageError(
            .poisoned,
            "An earlier write or sync failed; reads go on, writes are refused until the storage is opened again.",
            cause: failure)
    }
}
