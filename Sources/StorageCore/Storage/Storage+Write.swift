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
    @inlinable
    public func write<R>(
        _ durability: Durability = .buffered, _ body: (WriteTransaction) throws -> R
    ) throws -> R {
        var result: R?
        try perform(durability) { result = try body($0) }
        guard let result else { preconditionFailure("A body that has not thrown has given a result.") }
        return result
    }

    /// As the synchronous form; suspends where it has to wait, and holds no thread meanwhile.
    @inlinable
    public func write<R>(
        _ durability: Durability = .buffered, _ body: (WriteTransaction) throws -> R
    ) async throws -> R {
        var result: R?
        try await performSuspending(durability) { result = try body($0) }
        guard let result else { preconditionFailure("A body that has not thrown has given a result.") }
        return result
    }

    /// The body of ``write(_:_:)``; not generic, so that callers of other modules don't run it unspecialised.
    @usableFromInline
    func perform(_ durability: Durability, _ body: (WriteTransaction) throws -> Void) throws {
        try checkProcess()
        lane.enter()
        switch leavingLane(body) {
        case .done(let commit):
            try finish(commit, durability)
        case .refused(let error, let seen):
            if durability == .synced { try gate.wait(for: seen) }
            throw error
        }
    }

    @usableFromInline
    func performSuspending(_ durability: Durability, _ body: (WriteTransaction) throws -> Void) async throws {
        try checkProcess()
        await lane.enterSuspending()
        switch leavingLane(body) {
        case .done(let commit):
            try await finishSuspending(commit, durability)
        case .refused(let error, let seen):
            if durability == .synced { try await gate.waitSuspending(for: seen) }
            throw error
        }
    }

    /// Commits a batch that was made without reading.
    ///
    /// - Parameter onCommit: Runs in the writer lane, with the sequence of the commit, once the commit is certain and before
    ///   it becomes visible, so that a structure in memory matches what readers see; not at all if the commit is refused. A
    ///   batch without changes gives it the newest commit. It must be short and must not write to the storage. As
    ///   ``WriteTransaction/onCommit(_:)``.
    /// - Throws: `StorageError`: `.diskFull` (nothing was written), `.poisoned`, `.closed`, `.readOnly`, `.notFound` for a
    ///   keyspace that was dropped, and `.commitOutcomeUnknown` if the sync failed.
    @discardableResult
    public func commit(
        _ batch: consuming WriteBatch, _ durability: Durability = .buffered,
        onCommit: ((SequenceNumber) -> Void)? = nil
    ) throws -> SequenceNumber {
        let batch = batch
        try checkProcess()
        lane.enter()
        let commit = try commitLeavingLane(batch, onCommit)
        try finish(commit, durability)
        return SequenceNumber(commit.sequence)
    }

    /// As the synchronous form; suspends where it has to wait.
    @discardableResult
    public func commit(
        _ batch: consuming WriteBatch, _ durability: Durability = .buffered,
        onCommit: ((SequenceNumber) -> Void)? = nil
    ) async throws -> SequenceNumber {
        let batch = batch
        try checkProcess()
        await lane.enterSuspending()
        let commit = try commitLeavingLane(batch, onCommit)
        try await finishSuspending(commit, durability)
        return SequenceNumber(commit.sequence)
    }

    // MARK: In the lane

    /// What a commit leaves to be done outside the lane.
    struct Commit {
        var sequence: UInt64
        /// Trees of the commit whose writers have to wait for a flush.
        var crowdedTrees: [Tree] = []
        /// How long its writer is held back for the debt of its trees.
        var delayNanoseconds: UInt64 = 0
        /// Whether its record is the first of a log segment.
        var startsSegment = false
    }

    /// What became of a body.
    private enum Outcome {
        case done(Commit)
        /// The body threw, or did not get to run; what it had read was committed up to `seen`.
        case refused(any Error, seen: UInt64)
    }

    /// Runs a body in the lane, which the caller has entered, and leaves it.
    private func leavingLane(_ body: (WriteTransaction) throws -> Void) -> Outcome {
        defer { lane.leave() }
        if let refusal = refusal() { return .refused(refusal, seen: 0) }
        do {
            return .done(try runInLane(body))
        } catch {
            return .refused(error, seen: commits.visibleSequence)
        }
    }

    private func commitLeavingLane(
        _ batch: borrowing WriteBatch, _ onCommit: ((SequenceNumber) -> Void)?
    ) throws -> Commit {
        defer { lane.leave() }
        return try commitInLane(batch, commitTime: nextCommitTime(), actions: onCommit.map { [$0] } ?? [])
    }

    private func runInLane(_ body: (WriteTransaction) throws -> Void) throws -> Commit {
        let scratch = self.scratch
        let commitTime = registry.openTransaction(at: nextCommitTime())
        defer { registry.closeTransaction() }
        let transaction = scratch.beginTransaction(
            sequence: visibleSequence.next, commitTime: commitTime, reader: sqlite?.laneReader)
        defer { sqlite?.endReading() }
        var batch = WriteBatch()
        defer {
            batch.removeAll()
            unsafe swap(&batch, &scratch.batch)
        }
        do {
            try lane.asOwner { try body(transaction) }
            if let refusal = transaction.refusal { throw refusal }
        } catch {
            transaction.end(&batch, isCommitted: false)
            throw error
        }
        let actions = transaction.commitActions
        transaction.end(&batch, isCommitted: true)
        return try commitInLane(batch, commitTime: commitTime, actions: actions)
    }

    /// Strictly later than every commit before, whatever the wall clock does, unless there is no later time.
    private func nextCommitTime() -> StorageInstant {
        let last = commits.lastCommitTime.microseconds
        return max(clock.now, StorageInstant(microseconds: last == .max ? last : last + 1))
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
        if let keyspace = batch.slots.first(where: { $0.isDropped }) { throw keyspace.dropped }
        let sequence = last + 1
        if let sqlite { return try commit(batch, sequence, commitTime, actions, to: sqlite) }
        var commit = Commit(sequence: sequence)
        // Trees are looked at in place: flushes and compactions may replace their states meanwhile.
        let sections = tableCache.sections
        let section = sections.enter()
        defer { sections.leave(section) }
        // Beside the log's work; not beyond it, since a memtable may be on its way to disk after `makeRoom`.
        _ = unsafe scratch.descents.begin(batch, from: 0)
        unsafe scratch.descents.step(batch, limit: 3)
        commit.startsSegment = try appendToLog(batch, sequence: sequence, commitTime: commitTime)
        makeRoom(for: batch, &commit)
        apply(batch, sequence: sequence, commitTime: commitTime)
        run(actions, sequence: sequence)
        commits.commitTime.store(commitTime.microseconds, ordering: .relaxed)
        commits.visible.store(sequence, ordering: .releasing)
        if isLayer(batch) { batch.slots.forEachTree { rotateUnlessEmpty($0) } }
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
        let scratch = self.scratch
        if unsafe scratch.record.capacity > 4 << 20 { unsafe scratch.record = UnsafeByteBuilder() }
        unsafe scratch.record.removeAll()
        unsafe scratch.record.resize(to: LogRecordHeader.byteCount)
        guard unsafe BatchEncoding.encode(batch, into: &scratch.record) else { return false }
        unsafe scratch.descents.step(batch, limit: 1)
        let startsSegment = try journal.log.withObject { log in
            unsafe try log.append(&scratch.record, sequence: sequence, commitTime: commitTime)
        }
        guard let startsSegment else {
            throw StorageError(.diskFull, "There is no room for a log yet.", file: directory)
        }
        unsafe scratch.descents.step(batch, limit: 1)
        counters.logBytes.add(unsafe scratch.record.count)
        if startsSegment {
            flushLaggardsIfLogIsLong()
            background.request(.flush)
        }
        return startsSegment
    }

    /// Inside a section of the trees'.
    private func apply(_ batch: borrowing WriteBatch, sequence: UInt64, commitTime: StorageInstant) {
        for rangeDelete in batch.rangeDeletes {
            unsafe memtable(for: rangeDelete.keyspace, of: batch, commitTime)._withUnsafeGuaranteedRef {
                $0.insert(RangeTombstone(lower: rangeDelete.lower, upper: rangeDelete.upper, sequence: sequence))
            }
        }
        var lastKeyspace: UInt32?
        var memtable: Unmanaged<Memtable>?
        // The first of them are on their way already.
        var nextDescent = TrieDescents.limit
        unsafe batch.forEachLiveEntry { position, entry, key, value in
            if position >= nextDescent {
                nextDescent = unsafe scratch.descents.begin(batch, from: position)
                unsafe scratch.descents.step(batch, limit: .max)
            }
            if entry.keyspace != lastKeyspace {
                lastKeyspace = entry.keyspace
                unsafe memtable = unsafe self.memtable(for: entry.keyspace, of: batch, commitTime)
            }
            unsafe memtable?._withUnsafeGuaranteedRef {
                unsafe $0.insert(
                    UnsafeEntry(key: key, sequence: sequence, kind: entry.kind, expiry: entry.expiry, value: value))
            }
        }
    }

    /// The memtable that takes a commit's changes of a keyspace, once it has been told of the commit.
    private func memtable(
        for keyspace: UInt32, of batch: borrowing WriteBatch, _ commitTime: StorageInstant
    ) -> Unmanaged<Memtable> {
        let memtable = unsafe batch.slots.withTree(keyspace) { unsafe $0.memtableInSection }
        unsafe memtable._withUnsafeGuaranteedRef { $0.noteCommit(time: commitTime.microseconds) }
        return unsafe memtable
    }

    // MARK: Memtables

    /// Starts new memtables where those of the batch's trees are full, and notes which trees are crowded.
    private func makeRoom(for batch: borrowing WriteBatch, _ commit: inout Commit) {
        batch.slots.forEachTree { tree in
            unsafe tree.stateInSection._withUnsafeGuaranteedRef { makeRoom(for: batch, in: tree, $0, &commit) }
        }
    }

    @inline(__always)
    private func makeRoom(
        for batch: borrowing WriteBatch, in tree: Tree, _ state: TreeState, _ commit: inout Commit
    ) {
        if state.memtable.byteCount >= memory.memtable || isLayer(batch) {
            if !state.memtable.isEmpty { rotate(tree) }
        }
        if state.immutables.count > options.maximumImmutableMemtables { commit.crowdedTrees.append(tree) }
        if tree.pacer.pressure > 0 || !state.immutables.isEmpty {
            let delay = delay(tree, state, byteCount: batch.memtableByteCount)
            commit.delayNanoseconds = max(commit.delayNanoseconds, delay)
        }
    }

    /// Whether a batch fills a memtable by itself: then it gets one of its own, that is flushed as soon as it is there.
    private func isLayer(_ batch: borrowing WriteBatch) -> Bool { batch.memtableByteCount >= memory.memtable }

    private func rotateUnlessEmpty(_ tree: Tree) {
        if !tree.state.memtable.isEmpty { rotate(tree) }
    }

    /// Makes the memtable of a tree immutable and starts a new one. In the lane only.
    func rotate(_ tree: Tree) {
        tree.update { state in
            state.replacing(memtable: Memtable(), immutables: [state.memtable] + state.immutables)
        }
        background.request(.flush)
    }

    /// Lets go of old log segments by flushing every tree that has pinned them, be there one laggard or a thousand.
    private func flushLaggardsIfLogIsLong() {
        guard let log, log.byteCount > options.logByteBudget else { return }
        let last = log.lastSequence(overByteBudget: options.logByteBudget)
        for tree in catalog.withLock({ $0.persistentTrees }) {
            let memtable = tree.state.memtable
            if !memtable.isEmpty, memtable.firstSequence <= last { rotate(tree) }
        }
    }

    // MARK: Outside the lane

    private func finish(_ commit: Commit, _ durability: Durability) throws {
        visibleWaiters.signal(commits.visibleSequence)
        if durability == .synced {
            syncWaiterCount.value.add(1, ordering: .relaxed)
            defer { syncWaiterCount.value.subtract(1, ordering: .relaxed) }
            try gate.wait(for: commit.sequence)
        }
        if commit.startsSegment { traceSegment() }
        if commit.delayNanoseconds > 0 {
            _ = background.pause(nanoseconds: commit.delayNanoseconds)
            counters.delays.withLock { $0.record(commit.delayNanoseconds) }
        }
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
        if durability == .synced {
            syncWaiterCount.value.add(1, ordering: .relaxed)
            defer { syncWaiterCount.value.subtract(1, ordering: .relaxed) }
            try await gate.waitSuspending(for: commit.sequence)
        }
        if commit.startsSegment { traceSegment() }
        if commit.delayNanoseconds > 0 {
            await pause(nanoseconds: commit.delayNanoseconds)
            counters.delays.withLock { $0.record(commit.delayNanoseconds) }
        }
        guard var count = waitCount(commit) else { return }
        let start = stallBegan(commit)
        defer { stallEnded(commit, since: start) }
        repeat {
            await waitForProgress(after: count)
            guard let next = waitCount(commit) else { return }
            count = next
        } while true
    }

    // A task that was cancelled waits as others do: its commit stands, and the next ones would fill the memory.

    private func pause(nanoseconds: UInt64) async {
        do {
            try await Task.sleep(nanoseconds: nanoseconds)
        } catch {
            await Task { try? await Task.sleep(nanoseconds: nanoseconds) }.value
        }
    }

    private func waitForProgress(after count: UInt64) async {
        do {
            try await background.waitForProgressSuspending(after: count)
        } catch is CancellationError {
            await Task { [background] in try? await background.waitForProgressSuspending(after: count) }.value
        } catch {
            // Closed, which who waits finds out for himself.
        }
    }

    /// The progress to wait beyond; nil if there is room, or nobody will make any.
    private func waitCount(_ commit: Commit) -> UInt64? {
        guard !commit.crowdedTrees.isEmpty else { return nil }
        let count = background.progressCount
        // Nobody flushes a tree that was dropped meanwhile.
        let isCrowded = commit.crowdedTrees.contains {
            self.isCrowded($0) && !$0.isDropped.load(ordering: .acquiring)
        }
        guard isCrowded, background.refusal == nil, !isClosed.load(ordering: .acquiring) else { return nil }
        if options.backgroundWork == .manual {
            return makeProgress() ? waitCount(commit) : nil
        }
        return count
    }

    /// Does one flush; false if none is to be done. What fails is kept for the next writer, since this one's commit stands.
    private func makeProgress() -> Bool {
        do {
            return try background.working { try flushOne() }
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
