// Storage+Tracing.swift — telling the trace sink, and counting what it is told of.
//
// Without a sink an event costs the check for one; it is not even made.

internal import Synchronization

extension Storage {
    @inline(__always)
    func trace(_ event: @autoclosure () -> StorageEvent) {
        guard let sink = options.traceSink else { return }
        sink.record(event())
    }

    func traceOpening(_ parts: OpenedParts, since start: UInt64) {
        let elapsed = clock.monotonicNanoseconds &- start
        trace(
            .opened(
                StorageEvent.Opening(
                    keyspaceCount: keyspaceNames.count,
                    tableCount: catalog.withLock { $0.trees.values.reduce(0) { $0 + $1.state.levels.all.count } },
                    replayedCommitCount: parts.replayedCommitCount, sequence: visibleSequence,
                    duration: .nanoseconds(Int64(clamping: elapsed)))))
    }

    // MARK: Commits

    /// Counts a commit. In the lane only.
    func count(_ batch: borrowing WriteBatch) {
        counters.commits.add(1)
        counters.entries.add(batch.entries.count)
        counters.userBytes.add(batch.userByteCount)
        guard batch.slots.count > 1 else {
            return batch.slots.count(0, entries: batch.entries.count, bytes: batch.userByteCount)
        }
        // Entries of a keyspace come in rows, as a rule: counted by row.
        var slot: UInt32 = 0
        var entryCount = 0
        var byteCount = 0
        for entry in batch.entries {
            if entry.keyspace != slot {
                batch.slots.count(slot, entries: entryCount, bytes: byteCount)
                (slot, entryCount, byteCount) = (entry.keyspace, 0, 0)
            }
            entryCount += 1
            byteCount += entry.keyByteCount - Keyspace.prefixByteCount + entry.valueByteCount
        }
        batch.slots.count(slot, entries: entryCount, bytes: byteCount)
        for rangeDelete in batch.rangeDeletes {
            let byteCount = rangeDelete.lower.count + rangeDelete.upper.count - 2 * Keyspace.prefixByteCount
            batch.slots.count(rangeDelete.keyspace, entries: 0, bytes: byteCount)
        }
    }

    /// Tells that the log goes on in a new segment. Outside the lane.
    func traceSegment() {
        trace(.logSegmentStarted(number: log?.segments(from: 0).last?.number ?? 0))
    }

    /// A writer begins to wait for room in the trees of its commit.
    func stallBegan(_ commit: Commit) -> UInt64 {
        counters.stalledWriters.add(1, ordering: .relaxed)
        trace(.stallBegan(keyspaces: keyspaceNames(in: commit.crowdedTrees)))
        return clock.monotonicNanoseconds
    }

    func stallEnded(_ commit: Commit, since start: UInt64) {
        let elapsed = clock.monotonicNanoseconds &- start
        counters.stalledWriters.subtract(1, ordering: .relaxed)
        counters.stalls.withLock { $0.record(elapsed) }
        trace(
            .stallEnded(
                keyspaces: keyspaceNames(in: commit.crowdedTrees), duration: .nanoseconds(Int64(clamping: elapsed))))
    }

    /// The keyspaces of trees, sorted.
    func keyspaceNames(in trees: [Tree]) -> [String] {
        let ids = Set(trees.map(\.id))
        return catalog.withLock { $0.keyspaces.values.filter { ids.contains($0.tree.id) }.map(\.name) }.sorted()
    }

    // MARK: Background work

    /// Runs a flush, which returns the tables it has written.
    func observingFlush(of memtable: Memtable, _ tree: Tree, _ body: () throws -> [TableMetadata]) throws {
        let byteCount = memtable.byteCount
        let input = StorageEvent.FlushInput(
            tree: tree.id, keyspaces: options.traceSink == nil ? [] : keyspaceNames(in: [tree]),
            entryCount: memtable.entryCount, byteCount: byteCount)
        trace(.flushBegan(input))
        try observe(tree.counters.flushes, inputByteCount: byteCount, body) { trace(.flushEnded(input, $0)) }
    }

    /// Runs a compaction, which returns the tables in place of its inputs.
    /// - Parameter readsTables: False if they only move to another level, or are dropped.
    func observingCompaction(
        of tables: [TableMetadata], _ tree: Tree, into level: Int, readsTables: Bool,
        _ body: () throws -> [TableMetadata]
    ) throws {
        let byteCount = tables.reduce(0) { $0 + $1.byteCount }
        let input = StorageEvent.CompactionInput(
            tree: tree.id, keyspaces: options.traceSink == nil ? [] : keyspaceNames(in: [tree]),
            tableCount: tables.count, byteCount: byteCount, outputLevel: level, readsTables: readsTables)
        trace(.compactionBegan(input))
        try observe(
            tree.counters.compactions, inputByteCount: readsTables ? Int(byteCount) : nil, body
        ) { result in
            if !readsTables, result.error == nil { tree.counters.unreadTables.add(tables.count, ordering: .relaxed) }
            trace(.compactionEnded(input, result))
        }
    }

    /// Times and counts work.
    /// - Parameter inputByteCount: Nil for work that neither reads nor writes tables.
    private func observe(
        _ counters: borrowing WorkCounters, inputByteCount: Int?, _ body: () throws -> [TableMetadata],
        ended: (StorageEvent.WorkResult) -> Void
    ) throws {
        counters.running.add(1, ordering: .relaxed)
        defer { counters.running.subtract(1, ordering: .relaxed) }
        let start = clock.monotonicNanoseconds
        var result = StorageEvent.WorkResult()
        do {
            let outputs = try body()
            let elapsed = clock.monotonicNanoseconds &- start
            result.tableCount = outputs.count
            result.byteCount = outputs.reduce(0) { $0 + $1.byteCount }
            result.duration = .nanoseconds(Int64(clamping: elapsed))
            if let inputByteCount {
                counters.ended(
                    inputByteCount: inputByteCount, outputByteCount: Int(result.byteCount), nanoseconds: elapsed)
            }
        } catch {
            result.duration = .nanoseconds(Int64(clamping: clock.monotonicNanoseconds &- start))
            result.error = StorageError(wrapping: error)
            ended(result)
            throw error
        }
        ended(result)
    }

    /// Keeps the failure of background work for those who ask, and tells of it.
    func noteFailure(_ error: any Error, of work: Background.Work) {
        let error = StorageError(wrapping: error)
        background.setFailure(error, of: work)
        let failed: StorageEvent.FailedWork =
            switch work {
            case .flush: .flush
            case .archive: .archive
            case .compaction, .removal: .compaction
            }
        trace(.failed(failed, error))
    }
}

extension StorageOptions {
    /// `sync`, timed and told of.
    func observing(
        _ counters: StorageCounters, _ sync: @escaping @Sendable () throws -> Void
    ) -> @Sendable () throws -> Void {
        { [clock, traceSink, slowSyncThreshold] in
            let start = clock.monotonicNanoseconds
            do {
                try sync()
            } catch {
                traceSink?.record(.failed(.sync, StorageError(wrapping: error)))
                throw error
            }
            let elapsed = clock.monotonicNanoseconds &- start
            counters.syncs.withLock { $0.record(elapsed) }
            let duration = Duration.nanoseconds(Int64(clamping: elapsed))
            if duration > slowSyncThreshold { traceSink?.record(.slowSync(duration: duration)) }
        }
    }
}

extension UnsafeKeyspaceSlots {
    /// Counts what a commit writes to a keyspace, there and in its tree. In the writer lane.
    @inline(__always)
    fileprivate func count(_ slot: UInt32, entries: Int, bytes: Int) {
        withKeyspace(slot) { keyspace in
            keyspace.life.counters.entries.add(entries)
            keyspace.life.counters.userBytes.add(bytes)
        }
        withTree(slot) { tree in
            tree.counters.entries.add(entries)
            tree.counters.userBytes.add(bytes)
        }
    }
}
