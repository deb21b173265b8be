// Storage.swift — an open directory of keyspaces with one log, one commit order and one snapshot of them all.
//
// Lock order, outermost first: moving turn → writer lane → flush turn or a tree's compaction turn → manifest → catalog → a tree's published
// state → leaves (snapshot registry, table and block caches, log state, gate). Nothing waits for the lane under a lock.

internal import CStorage
internal import Synchronization

/// An embedded, durable, ordered key-value store with atomic batches over any number of keyspaces.
///
/// - Atomic: a batch is there whole or not at all, after any crash.
/// - Isolated: writers run one at a time; a snapshot sees one commit and all before it.
/// - Durable: as ``Durability`` says. Survivors of a crash are a prefix of the commit order.
/// - Ordered: commits are numbered by ``SequenceNumber`` in the order in which they became visible.
///
/// Close a storage with ``close()``. One that is let go without closing loses nothing that its durability promised.
public final class Storage: Sendable {
    let options: StorageOptions
    let directory: String
    let lock: (any FileLock)?
    let lane = WriterLane()
    let scratch = LaneScratch()
    let commits: CommitState
    let registry: SnapshotRegistry
    let catalog: Mutex<Catalog>
    let tableCache: TableCache
    let fileNumbers: Atomic<UInt64>
    let journal: Journal
    /// What the opening has left to do where the disk was full; writes are refused until it is done.
    let unfinished: UnfinishedOpening?
    let gate: DurabilityGate
    let visibleWaiters: CommitWaiters
    let durableWaiters: CommitWaiters
    let background = Background()
    let memory: MemoryShares
    let memtableUse = MemtableUse()
    let counters: StorageCounters
    /// In the clock's monotonic nanoseconds.
    let openedAt: UInt64
    let crossChecks = Mutex<[CrossCheck]>([])
    let purgeFloor: PurgeFloor
    /// The first failure that left it unknown what is on the device.
    let latch: FailureLatch
    let isClosed = Atomic<Bool>(false)
    private let forkGeneration = cstorage_fork_generation()
    let flushTurn = Mutex<Void>(())
    let turns = CompactionTurns()
    let movingTurn = Mutex<Void>(())
    let archiveTurn = ArchiveTurn()
    /// Nil where nothing limits what compactions write.
    let ioLimiter: IORateLimiter?
    /// Commits that wait for their sync now.
    let syncWaiterCount = SharedCounter()
    /// What the storage stands on where that is a SQLite database; log, manifest and trees are absent then.
    let sqlite: SQLiteEngine?

    struct CrossCheck: Sendable {
        var name: String
        var check: @Sendable (Snapshot) throws -> [String]
    }

    init(_ parts: OpenedParts, options: StorageOptions, directory: String) {
        self.options = options
        memory = MemoryShares(options)
        self.directory = directory
        lock = parts.lock
        commits = parts.commits
        catalog = Mutex(parts.catalog)
        tableCache = parts.tableCache
        fileNumbers = Atomic(parts.nextFileNumber)
        journal = parts.journal
        unfinished = parts.unfinished
        purgeFloor = parts.purgeFloor
        registry = SnapshotRegistry(purgedThrough: parts.purgedThrough)
        ioLimiter = options.backgroundWork == .manual ? nil : options.compactionByteRate.map(IORateLimiter.init)
        latch = parts.latch
        sqlite = parts.sqlite
        let sqlite = parts.sqlite
        let commits = parts.commits
        let journal = parts.journal
        openedAt = options.clock.monotonicNanoseconds
        let counters = StorageCounters()
        self.counters = counters
        let durableWaiters = CommitWaiters()
        self.durableWaiters = durableWaiters
        visibleWaiters = CommitWaiters()
        gate = DurabilityGate(
            durable: commits.visibleSequence, hasThread: options.backgroundWork == .threads && !options.isReadOnly,
            target: { commits.visibleSequence },
            sync: options.observing(counters) { try sqlite.map { try $0.sync() } ?? journal.log.load()?.sync() },
            didAdvance: { durableWaiters.signal($0) })
    }

    deinit {
        // In a fork, the threads that locks were taken by are not there.
        guard forkGeneration == cstorage_fork_generation() else { return }
        background.requestStop()
        gate.stop()
        log?.stopTending()
        visibleWaiters.close()
        durableWaiters.close()
    }

    /// Nil where the storage is read-only, stands on a SQLite database, or has found no room for it yet.
    var log: LogWriter? { journal.log.load() }
    /// Nil where there is no log.
    var manifest: ManifestWriter? { journal.manifest.load() }

    /// Time for this storage and everything above it.
    public var clock: any StorageClock { options.clock }

    /// The newest commit that readers see.
    public var visibleSequence: SequenceNumber { SequenceNumber(commits.visibleSequence) }

    /// The newest commit that a power cut can't take back.
    public var durableSequence: SequenceNumber { SequenceNumber(gate.durableSequence) }

    /// The time of the newest commit that readers see. Commits to come are later, whatever the clock does meanwhile.
    public var newestCommitTime: StorageInstant { commits.lastCommitTime }

    /// A snapshot of every keyspace. Once the storage is closed, reading from one is refused with `.closed`.
    public func snapshot(_ level: SnapshotLevel = .visible) -> Snapshot {
        if let sqlite { return snapshot(level, of: sqlite) }
        return registry.register(now: clock.now, lastCommitTime: { commits.lastCommitTime }) {
            switch level {
            case .visible: commits.visibleSequence
            case .durable: gate.durableSequence
            }
        }
    }

    /// A snapshot for merge operators that look beyond the value at hand before they give something up for good: the state
    /// that a power cut would leave of what a purge rests on. Never waits.
    public func purgeSnapshot() -> Snapshot {
        // A purge of a SQLite database is a commit behind all that it has seen.
        snapshot(sqlite == nil ? .durable : .visible)
    }

    /// Suspends until a commit newer than `sequence` can be read at `level`; returns the newest.
    /// - Throws: `CancellationError`; `StorageError.closed`.
    public func waitForCommit(
        after sequence: SequenceNumber, _ level: SnapshotLevel = .visible
    ) async throws -> SequenceNumber {
        switch level {
        case .visible:
            let commits = self.commits
            try await visibleWaiters.wait(after: sequence.rawValue) { commits.visibleSequence }
            return visibleSequence
        case .durable:
            let gate = self.gate
            try await durableWaiters.wait(after: sequence.rawValue) { gate.durableSequence }
            return durableSequence
        }
    }

    /// Returns once every commit made so far is on the device.
    /// - Throws: `StorageError.commitOutcomeUnknown` if the sync fails.
    public func sync() throws {
        try gate.wait(for: commits.visibleSequence)
    }

    /// Adds a check of one structure against another that ``verify()`` runs; it returns a line for each problem.
    public func registerCrossCheck(_ name: String, _ check: @escaping @Sendable (Snapshot) throws -> [String]) {
        crossChecks.withLock { $0.append(CrossCheck(name: name, check: check)) }
    }

    /// Why writes are refused now; nil if they are not.
    func refusal() -> StorageError? { lastingRefusal() ?? background.refusal }

    /// Why writes are refused until the storage is opened again; nil if they are not, or only until a flush succeeds.
    func lastingRefusal() -> StorageError? {
        if isClosed.load(ordering: .acquiring) { return StorageError(.closed, "The storage was closed.") }
        if let sqlite, !options.isReadOnly { return sqlite.refusal(gate) }
        guard !options.isReadOnly else {
            return StorageError(.readOnly, "The storage was opened read-only.", file: directory)
        }
        if let refusal = latch.reportedRefusal { return refusal }
        if let failure = gate.failure {
            return StorageError(
                .poisoned, "An earlier sync failed; reads go on, writes are refused until the storage is opened again.",
                cause: failure)
        }
        if journal.log.withObject({ $0.isBroken }) ?? false {
            return StorageError(
                .poisoned,
                "An earlier append to the log failed; reads go on, writes are refused until the storage is opened again."
            )
        }
        return nil
    }

    /// Refuses calls in a fork of the process that opened the storage. Its parent goes on writing to the same files, its
    /// threads are not there, and locks may be held for ever: this comes before any of them is taken.
    @inline(__always)
    func checkProcess() throws {
        guard forkGeneration == cstorage_fork_generation() else { throw forked }
    }

    private var forked: StorageError {
        StorageError(
            .locked,
            "The storage was open when this process was forked, and belongs to its parent: use it there, and open no storage "
                + "before a fork that is not followed by exec.", file: directory)
    }

    /// Refuses background work where nobody may write.
    func checkWritable() throws {
        try checkProcess()
        if let refusal = lastingRefusal() { throw refusal }
    }
}
