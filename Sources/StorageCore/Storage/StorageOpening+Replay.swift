// StorageOpening+Replay.swift — from the log that an earlier run has left to tables.

internal import Synchronization

extension StorageOpening {
    /// Applies the log to the memtables; where it ends, nil if there is none.
    ///
    /// That may be before the newest commit that the manifest has heard of: commits that were not synced are gone, and what is
    /// volatile alone is not logged.
    ///
    /// Where they would outgrow the memory budget, they are written to tables on the way. Nothing lists those before the
    /// manifest that ends the opening does. A read-only opening, or one that finds the disk full, has to keep them in memory.
    func replayLog(_ found: inout Found, _ parts: inout OpenedParts) throws -> LogRecovery.End? {
        let state = found.state
        guard found.exists, try fileSystem.exists(logDirectory) else { return nil }
        let hasLog = try LogFiles.numbers(in: logDirectory, fileSystem).contains { $0 >= state.logStart }
        guard hasLog else {
            if state.isClosedCleanly { return nil }
            throw StorageError.corruption(
                "The log is missing.", file: LogFiles.path(of: state.logStart, in: logDirectory))
        }
        try checkSegments(state)
        let keyspaces = parts.catalog.keyspacesByID
        let recovery = LogRecovery(fileSystem: fileSystem, directory: logDirectory, identity: found.identity)
        let commits = parts.commits
        let memory = MemoryShares(options)
        var replayedByteCount = 0
        var keepsAll = options.isReadOnly
        let end = try recovery.replay(from: state.logStart, previousSequence: state.logStartPrevious) {
            header, payload, file, offset in
            let replay = LogReplay(state: state, keyspaces: keyspaces, header: header)
            try replay.apply(payload, file: file, offset: offset)
            commits.visible.store(max(commits.visibleSequence, header.sequence), ordering: .relaxed)
            commits.commitTime.store(
                max(commits.lastCommitTime.microseconds, header.commitTime), ordering: .relaxed)
            parts.replayedCommitCount += 1
            replayedByteCount += payload.byteCount
            guard replayedByteCount > memory.surveyInterval, !keepsAll else { return }
            replayedByteCount = 0
            let byteCount = parts.catalog.persistentTrees.reduce(0) { $0 + $1.state.memtable.byteCount }
            guard byteCount > memory.memtables else { return }
            do {
                try flushReplayed(&found.state, &parts)
            } catch let error as StorageError where error.code == .diskFull && latch.refusal == nil {
                keepsAll = true
            }
        }
        guard end.sequence >= state.logSyncedThrough else {
            throw StorageError.corruption(
                "The log ends at sequence \(end.sequence), but had been synced through \(state.logSyncedThrough).",
                file: end.file, offset: end.offset)
        }
        return end
    }

    /// Refuses a log of which a segment is missing that was there when the manifest was written last: each had its header
    /// and its name on the device before it took a record.
    private func checkSegments(_ state: ManifestState) throws {
        guard state.newestSegment >= state.logStart else { return }
        let present = Set(try LogFiles.numbers(in: logDirectory, fileSystem))
        let path = LogFiles.path(of: state.newestSegment, in: logDirectory)
        guard present.contains(state.newestSegment) else {
            throw StorageError.corruption("Log segment \(state.newestSegment) is missing.", file: path)
        }
        let byteCount = try fileSystem.open(path, .read).byteCount()
        guard byteCount >= Int64(LogSegmentHeader.byteCount) else {
            throw StorageError.corruption(
                "The log segment has been cut off in its header.", file: path, offset: byteCount)
        }
    }

    /// Writes the replayed memtables to tables and notes them in the state of the manifest to come.
    func flushReplayed(_ state: inout ManifestState, _ parts: inout OpenedParts) throws {
        let fileNumbers = Atomic(parts.nextFileNumber)
        defer { parts.nextFileNumber = fileNumbers.load(ordering: .relaxed) }
        for tree in parts.catalog.persistentTrees where !tree.state.memtable.isEmpty {
            let memtable = tree.state.memtable
            let output = TableOutput(
                cache: parts.tableCache,
                options: TableOutput.Options(
                    splitter: OutputSplitter(tableByteCount: .max),
                    table: options.tableOptions(for: tree, compression: tree.options.compression.upper),
                    origin: TableOrigin(
                        of: tree, keyspaces: parts.catalog.keyspaces.values.filter { $0.tree === tree }, level: 0),
                    commitTimes: memtable.commitTimes),
                tombstones: RangeTombstoneSet(memtable.rangeTombstones(seenAt: [])).tombstones,
                newNumber: { fileNumbers.add(1, ordering: .relaxed).oldValue })
            let tables = try write(memtable, to: output)
            state.trees[tree.id]?.tables[0] += tables
            state.trees[tree.id]?.flushedThrough = memtable.lastSequence
            let cache = parts.tableCache
            tree.update { old in
                var levels = old.levels
                for table in tables { levels.add(TableFile(table, cache: cache), level: 0) }
                return old.replacing(memtable: Memtable(), levels: levels)
            }
        }
    }

    /// Writes all that a memtable has; what was written is removed if that fails.
    private func write(_ memtable: Memtable, to output: TableOutput) throws -> [TableMetadata] {
        do {
            let cursor = memtable.makeCursor()
            cursor.seekToFirst()
            while cursor.isValid {
                unsafe try output.add(cursor.entry)
                cursor.next()
            }
            return try output.finish()
        } catch {
            output.abandon()
            throw error
        }
    }
}

/// Applies one record of the log.
private struct LogReplay {
    let state: ManifestState
    let keyspaces: [UInt32: Keyspace]
    let header: LogRecordHeader

    private var sequence: UInt64 { header.sequence }

    func apply(_ payload: RawSpan, file: String, offset: Int64) throws {
        try BatchEncoding.decode(payload, file: file, offset: offset) { lower, upper in
            guard let tree = try target(of: lower, file, offset) else { return }
            tree.state.memtable.noteCommit(time: header.commitTime)
            tree.state.memtable.insert(
                RangeTombstone(lower: lower.array(), upper: upper.array(), sequence: sequence))
        } entry: { kind, expiry, key, value in
            guard let tree = try target(of: key, file, offset) else { return }
            tree.state.memtable.noteCommit(time: header.commitTime)
            unsafe key.withUnsafeBytes { key in
                unsafe value.withUnsafeBytes { value in
                    unsafe tree.state.memtable.insert(
                        UnsafeEntry(key: key, sequence: sequence, kind: kind, expiry: expiry, value: value))
                }
            }
        }
    }

    /// The tree that the entry is missing from; nil if it is in a table, or its keyspace was dropped.
    private func target(of key: RawSpan, _ file: String, _ offset: Int64) throws -> Tree? {
        let id = Keyspace.id(ofTreeKey: key)
        guard let keyspace = keyspaces[id] else {
            guard id < state.nextKeyspaceID else {
                throw StorageError.corruption(
                    "The log writes to keyspace \(id), which the manifest has never heard of.", file: file,
                    offset: offset)
            }
            return nil
        }
        guard let record = state.trees[keyspace.tree.id], sequence > record.flushedThrough else { return nil }
        return keyspace.tree
    }
}
