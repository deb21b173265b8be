// Storage+Write.swift — the commit path.
//
// In the lane, in this order: sequence and commit time → body → log → memtables → commit actions → publication.
// If the log refuses, nothing was applied. Waiting for durability and for room happens after leaving the lane, and for
// room only where the writer's own keyspaces are in debt.

internal import Synchronization

extension Storage {
    /// Runs `body` alone, commits what it wrote, and returns once the commit is as durable as asked for.
    ///
    /// The body reads its own writes. If it throws, nothing is written and its error is thrown on. The body must not
    /// write to the storage except through its transaction.
    ///
    /// A `.synced` body that wrote nothing, or that threw, waits too, for the last commit that it could have read: no
    /// answer, be it "out of stock", rests on something that a power cut may take back.
    ///
    /// - Throws: what the body throws; `StorageError`: `.diskFull` (nothing was written), `.poisoned`, `.closed`,
    ///   `.readOnly`, `.batchTooLarge`, and `.commitOutcomeUnknown` if the sync failed.
    public func write<R>(
        _ durability: Durability = .buffered, _ body: (WriteTransaction) throws -> R
    ) throws -> R {
        lane.enter()
        switch leavingLane(body) {
        case .done(let result, let commit):
            try finish(commit, durability)
            return result
        case .refused(let error, let seen):
            if durability == .synced { try gate.wait(for: seen) }
            throw error
        }
    }

    /// As the synchronous form; suspends where it has to wait, and holds no thread meanwhile.
    public func write<R>(
        _ durability: Durability = .buffered, _ body: (WriteTransaction) throws -> R
    ) async throws -> R {
        await lane.enterSuspending()
        switch leavingLane(body) {
        case .done(let result, let commit):
            try await finishSuspending(commit, durability)
            return result
        case .refused(let error, let seen):
            if durability == .synced { try await gate.waitSuspending(for: seen) }
            throw error
        }
    }

    /// Commits a batch that was made without reading.
    @discardableResult
    public func commit(_ batch: consuming WriteBatch, _ durability: Durability = .buffered) throws -> SequenceNumber {
        let batch = batch
        lane.enter()
        let commit = try leavingLane { try commitInLane(batch, commitTime: nextCommitTime(), actions: []) }
        try finish(commit, durability)
        return SequenceNumber(commit.sequence)
    }

    /// As the synchronous form; suspends where it has to wait.
    @discardableResult
    public func commit(
        _ batch: consuming WriteBatch, _ durability: Durability = .buffered
    ) async throws -> SequenceNumber {
        let batch = batch
        await lane.enterSuspending()
        let commit = try leavingLane { try commitInLane(batch, commitTime: nextCommitTime(), actions: []) }
        try await finishSuspending(commit, durability)
        return SequenceNumber(commit.sequence)
    }

    // MARK: In the lane

    /// What a commit leaves to be done outside the lane.
    struct Commit {
        var sequence: UInt64
        /// Trees of the commit whose writers have to wait for a flush.
        var crowdedTrees: [Tree] = []
        /// Whether its record is the first of a log segment.
        var startsSegment = false
    }

    /// What became of a body.
    private enum Outcome<R> {
        case done(R, Commit)
        /// The body threw, or did not get to run; what it had read was committed up to `seen`.
        case refused(any Error, seen: UInt64)
    }

    /// Runs a body in the lane, which the caller has entered, and leaves it.
    private func leavingLane<R>(_ body: (WriteTransaction) throws -> R) -> Outcome<R> {
        defer { lane.leave() }
        if let refusal = refusal() { return .refused(refusal, seen: 0) }
        do {
            let (result, commit) = try runInLane(body)
            return .done(result, commit)
        } catch {
            return .refused(error, seen: commits.visibleSequence)
        }
    }

    private func leavingLane<R>(_ body: () throws -> R) throws -> R {
        defer { lane.leave() }
        return try body()
    }

    private func runInLane<R>(_ body: (WriteTransaction) throws -> R) throws -> (R, Commit) {
        var batch = WriteBatch()
        swap(&batch, &scratch.batch)
        batch.removeAll()
        let commitTime = registry.openTransaction(at: nextCommitTime())
        defer { registry.closeTransaction() }
        let transaction = WriteTransaction(
            sequence: visibleSequence.next, commitTime: commitTime, batch: batch, reader: sqlite?.laneReader)
        defer { sqlite?.endReading() }
        batch = WriteBatch()
        let result: R
        do {
            result = try lane.asOwner { try body(transaction) }
        } catch {
            scratch.batch = transaction.end()
            throw error
        }
        let actions = transaction.commitActions
        scratch.batch = transaction.end()
        return (result, try commitInLane(scratch.batch, commitTime: transaction.commitTime, actions: actions))
    }

    /// Strictly later than every commit before, whatever the wall clock does.
    private func nextCommitTime() -> StorageInstant {
        max(clock.now, StorageInstant(microseconds: commits.lastCommitTime.microseconds + 1))
    }

    private func commitInLane(
        _ batch: borrowing WriteBatch, commitTime: StorageInstant, actions: [(SequenceNumber) -> Void]
    ) throws -> Commit {
        if let refusal = refusal() { throw refusal }
        let last = commits.visibleSequence
        guard !batch.isEmpty else {
            run(actions, sequence: last)
            return Commit(sequence: last)
        }
        if let dropped = batch.keyspaces.first(where: \.isDropped) {
            throw StorageError(.notFound, "Keyspace \"\(dropped.name)\" was dropped.")
        }
        let sequence = last + 1
        if let sqlite { return try commit(batch, sequence, commitTime, actions, to: sqlite) }
        var commit = Commit(sequence: sequence)
        commit.startsSegment = try appendToLog(batch, sequence: sequence, commitTime: commitTime)
        makeRoom(for: batch, &commit)
        apply(batch, sequence: sequence, commitTime: commitTime)
        run(actions, sequence: sequence)
        commits.commitTime.store(commitTime.microseconds, ordering: .relaxed)
        commits.visible.store(sequence, ordering: .releasing)
        count(batch)
        shareMemory(batch, &commit)
        return commit
    }

    func run(_ actions: [(SequenceNumber) -> Void], sequence: UInt64) {
        guard !actions.isEmpty else { return }
        lane.asOwner { for action in actions { action(SequenceNumber(sequence)) } }
    }

    /// Whether a segment begins with the record.
    private func appendToLog(
        _ batch: borrowing WriteBatch, sequence: UInt64, commitTime: StorageInstant
    ) throws -> Bool {
        if scratch.record.capacity > 4 << 20 { scratch.record = [] }
        scratch.record.removeAll(keepingCapacity: true)
        scratch.record.append(contentsOf: repeatElement(0, count: LogRecordHeader.byteCount))
        guard BatchEncoding.encode(batch, into: &scratch.record), let log else { return false }
        let startsSegment = try log.append(&scratch.record, sequence: sequence, commitTime: commitTime)
        counters.logBytes.add(scratch.record.count)
        if startsSegment { flushLaggardIfLogIsLong() }
        return startsSegment
    }

    private func apply(_ batch: borrowing WriteBatch, sequence: UInt64, commitTime: StorageInstant) {
        for rangeDelete in batch.rangeDeletes {
            let memtable = batch.keyspaces[Int(rangeDelete.keyspace)].tree.state.memtable
            memtable.noteCommit(time: commitTime.microseconds)
            memtable.insert(RangeTombstone(lower: rangeDelete.lower, upper: rangeDelete.upper, sequence: sequence))
        }
        var lastKeyspace: UInt32?
        var memtable: Memtable?
        for position in batch.entries.indices where batch.entries[position].isLive {
            let entry = batch.entries[position]
            if entry.keyspace != lastKeyspace {
                lastKeyspace = entry.keyspace
                memtable = batch.keyspaces[Int(entry.keyspace)].tree.state.memtable
                memtable?.noteCommit(time: commitTime.microseconds)
            }
            unsafe batch.withKey(of: position) { key in
                unsafe batch.withValue(of: position) { value in
                    unsafe memtable?.insert(
                        UnsafeEntry(key: key, sequence: sequence, kind: entry.kind, expiry: entry.expiry, value: value))
                }
            }
        }
    }

    // MARK: Memtables

    /// Starts new memtables where those of the batch's trees are full, and notes which trees are crowded.
    private func makeRoom(for batch: borrowing WriteBatch, _ commit: inout Commit) {
        for keyspace in batch.keyspaces {
            let tree = keyspace.tree
            let state = tree.state
            if state.memtable.byteCount >= memory.memtable { rotate(tree) }
            if state.immutables.count > options.maximumImmutableMemtables { commit.crowdedTrees.append(tree) }
        }
    }

    /// Makes the memtable of a tree immutable and starts a new one. In the lane only.
    func rotate(_ tree: Tree) {
        let seed = options.seed ^ commits.visibleSequence
        tree.update { state in
            TreeState(
                memtable: Memtable(seed: seed), immutables: [state.memtable] + state.immutables, settled: state.settled,
                levels: state.levels)
        }
        background.request(.flush)
    }

    /// Lets go of old log segments by flushing the tree that has pinned them longest.
    private func flushLaggardIfLogIsLong() {
        guard let log, log.byteCount > options.logByteBudget else { return }
        let trees = catalog.withLock { $0.persistentTrees }
        let laggard = trees.filter { !$0.state.memtable.isEmpty }
            .min { $0.state.memtable.firstSequence < $1.state.memtable.firstSequence }
        if let laggard { rotate(laggard) }
    }

    // MARK: Outside the lane

    private func finish(_ commit: Commit, _ durability: Durability) throws {
        visibleWaiters.signal(commits.visibleSequence)
        if durability == .synced { try gate.wait(for: commit.sequence) }
        if commit.startsSegment { traceSegment() }
        guard var count = waitCount(commit) else { return }
        let start = stallBegan(commit)
        defer { stallEnded(commit, since: start) }
        repeat {
            background.waitForProgress(after: count)
            guard let next = waitCount(commit) else { return }
            count = next
        } while true
    }

    private func finishSuspending(_ commit: Commit, _ durability: Durability) async throws {
        visibleWaiters.signal(commits.visibleSequence)
        if durability == .synced { try await gate.waitSuspending(for: commit.sequence) }
        if commit.startsSegment { traceSegment() }
        guard var count = waitCount(commit) else { return }
        let start = stallBegan(commit)
        defer { stallEnded(commit, since: start) }
        repeat {
            try? await background.waitForProgressSuspending(after: count)
            guard let next = waitCount(commit) else { return }
            count = next
        } while true
    }

    /// The progress to wait beyond; nil if there is room, or nobody will make any.
    private func waitCount(_ commit: Commit) -> UInt64? {
        guard !commit.crowdedTrees.isEmpty else { return nil }
        let count = background.progressCount
        // Nobody flushes a tree that was dropped meanwhile.
        let isCrowded = commit.crowdedTrees.contains {
            self.isCrowded($0) && !$0.isDropped.load(ordering: .acquiring)
        }
        guard isCrowded, background.refusal == nil, !isClosed.load(ordering: .acquiring), !Task.isCancelled else {
            return nil
        }
        if options.backgroundWork == .manual {
            return makeProgress() ? waitCount(commit) : nil
        }
        return count
    }

    /// Does one flush; false if none is to be done. What fails is kept for the next writer, since this one's commit stands.
    private func makeProgress() -> Bool {
        do {
            return try flushOne()
        } catch {
            noteFailure(error, of: .flush)
            return false
        }
    }
}

extension StorageError {
    /// The error itself, or one that has it as its cause.
    init(wrapping error: any Error) {
        if let error = error as? StorageError {
            self = error
        } else {
            self.init(.ioFailure, "Background work failed.", cause: error)
        }
    }
}
