// Storage.swift — an open directory of keyspaces with one log, one commit order and one snapshot of them all.

internal import Synchronization

/// An embedded, durable, ordered key-value store with atomic batches over any number of keyspaces.
///
/// - Atomic: a batch is there whole or not at all, after any crash.
/// - Isolated: writers run one at a time; a snapshot sees one commit and all before it.
/// - Durable: as ``Durability`` says. Survivors of a crash are a prefix of the commit order.
/// - Ordered: commits are numbered without gaps by ``SequenceNumber`` in the order in which they became visible.
public final class Storage: Sendable {
    let options: StorageOptions
    let directory: String
    let lane = WriterLane()
    let registry = SnapshotRegistry()
    let catalog: Mutex<Catalog>
    let visible = Atomic<UInt64>(0)
    let lastCommitTime = Atomic<Int64>(0)
    let visibleWaiters = CommitWaiters()
    let crossChecks = Mutex<[CrossCheck]>([])

    struct CrossCheck: Sendable {
        var name: String
        var check: @Sendable (Snapshot) throws -> [String]
    }

    /// Time for this storage and everything above it.
    public var clock: any StorageClock { options.clock }

    /// The keyspaces and trees there are.
    struct Catalog {
        var keyspaces: [String: Keyspace] = [:]
        var trees: [UInt32: Tree] = [:]
        var nextKeyspaceID: UInt32 = 1
        var nextTreeID: UInt32 = 1
    }

    init(directory: String, options: StorageOptions) {
        self.directory = directory
        self.options = options
        catalog = Mutex(Catalog())
    }

    /// The newest commit that readers see.
    public var visibleSequence: SequenceNumber { SequenceNumber(visible.load(ordering: .acquiring)) }

    /// A snapshot of every keyspace.
    public func snapshot(_ level: SnapshotLevel = .visible) -> Snapshot {
        registry.register(readTime: readTime) { visible.load(ordering: .acquiring) }
    }

    /// Now, but not before any commit.
    private var readTime: StorageInstant {
        max(clock.now, StorageInstant(microseconds: lastCommitTime.load(ordering: .relaxed)))
    }

    /// A storage that lives in memory and goes with its last reference; for tests and examples.
    public static func inMemory(clock: any StorageClock = SystemClock()) throws -> Storage {
        var options = StorageOptions()
        options.clock = clock
        return Storage(directory: "", options: options)
    }

    /// The newest commit that a power cut can't take back.
    public var durableSequence: SequenceNumber { visibleSequence }

    /// Suspends until a commit newer than `sequence` can be read at `level`; returns the newest.
    /// - Throws: `CancellationError`; `StorageError.closed`.
    public func waitForCommit(
        after sequence: SequenceNumber, _ level: SnapshotLevel = .visible
    ) async throws -> SequenceNumber {
        try await visibleWaiters.wait(after: sequence.rawValue) { self.visible.load(ordering: .acquiring) }
        return visibleSequence
    }

    /// Adds a check of one structure against another that ``verify()`` runs; it returns a line for each problem.
    public func registerCrossCheck(_ name: String, _ check: @escaping @Sendable (Snapshot) throws -> [String]) {
        crossChecks.withLock { $0.append(CrossCheck(name: name, check: check)) }
    }

    /// Runs the cross-checks.
    public func verify() throws -> VerificationReport {
        var report = VerificationReport()
        let snapshot = snapshot()
        for crossCheck in crossChecks.withLock({ $0 }) {
            report.crossChecks.append(crossCheck.name)
            report.problems += try crossCheck.check(snapshot).map { "\(crossCheck.name): \($0)" }
        }
        return report
    }
}
