// Snapshot.swift — every keyspace as of one sequence, and the registry that keeps what snapshots can see.

internal import Synchronization

/// Which commits a snapshot sees.
public enum SnapshotLevel: Sendable, Hashable {
    /// Every commit that is visible now.
    case visible
    /// Every commit that is on the device now: nothing that a power cut could take back.
    case durable
}

/// Every keyspace of a storage at one sequence, with one read time for expiry.
///
/// A snapshot is released with its last reference. While it lives, compaction keeps the versions it can see: an old
/// snapshot costs space, never correctness.
public final class Snapshot: Sendable {
    public let sequence: SequenceNumber
    /// Expiry is judged against this.
    public let readTime: StorageInstant
    let registry: SnapshotRegistry
    /// Reads the rows of a SQLite database; nil where the storage is made of trees.
    let reader: SQLiteReader?
    private let registration: UInt64

    init(
        registry: SnapshotRegistry, registration: UInt64, sequence: SequenceNumber, readTime: StorageInstant,
        reader: SQLiteReader? = nil
    ) {
        self.registry = registry
        self.registration = registration
        self.sequence = sequence
        self.readTime = readTime
        self.reader = reader
    }

    deinit { registry.release(registration) }

    /// Refuses reads of a storage that was closed.
    @inline(__always)
    func checkOpen() throws {
        if registry.isClosed { throw StorageError(.closed, "The storage was closed.") }
    }

    public var view: ReadView { ReadView(.snapshot(self)) }
}

/// The snapshots that live, and how far what has expired may be purged.
///
/// Invariant: whoever reads, snapshot or open transaction, reads at a time that is not before any purge of the past, and
/// no purge to come reaches beyond the earliest of them. So an entry never vanishes in front of a reader that could see
/// it, whatever the wall clock does.
final class SnapshotRegistry: Sendable {
    private struct State {
        var nextRegistration: UInt64 = 0
        var active: [UInt64: (sequence: UInt64, readTime: StorageInstant)] = [:]
    }

    private let state = Mutex(State())
    /// The latest time up to which anything was purged; written under the lock.
    private let purged: Atomic<Int64>
    /// The earliest time at which the open transaction may read; `Int64.max` where none is open.
    private let openTransaction = Atomic<Int64>(.max)
    private let closed = Atomic<Bool>(false)

    /// Whether snapshots are no longer to be read.
    var isClosed: Bool { closed.load(ordering: .relaxed) }

    func close() { closed.store(true, ordering: .relaxed) }

    /// - Parameter purgedThrough: Up to when earlier runs of the storage may have purged. Were it forgotten, a clock that
    ///   was set back in between would show again what of an expired whole happens not to have been purged yet.
    init(purgedThrough: StorageInstant = .distantPast) {
        purged = Atomic(purgedThrough.microseconds)
    }

    /// Takes a snapshot of the sequence that `sequence` reads. It is read under the registry's lock, so a compaction
    /// either sees the registration or had already decided by a sequence that is not newer.
    /// - Parameters:
    ///   - now: What the clock says.
    ///   - reader: Called after `sequence`.
    ///   - lastCommitTime: Not before the commit time of any sequence that was read before it is called.
    func register(
        now: StorageInstant, lastCommitTime: () -> StorageInstant, reader: () -> SQLiteReader? = { nil },
        sequence: () -> UInt64
    ) -> Snapshot {
        let (registration, sequence, readTime) = state.withLock { state in
            let sequence = sequence()
            let readTime = max(now, lastCommitTime(), purgedThrough)
            state.nextRegistration += 1
            state.active[state.nextRegistration] = (sequence, readTime)
            return (state.nextRegistration, sequence, readTime)
        }
        return Snapshot(
            registry: self, registration: registration, sequence: SequenceNumber(sequence), readTime: readTime,
            reader: reader())
    }

    func release(_ registration: UInt64) {
        state.withLock { _ = $0.active.removeValue(forKey: registration) }
    }

    /// The sequences that live snapshots read at, ascending without repetition, with `newest` among them, and how far
    /// expired entries may be purged: up to `purgeTime` at most.
    func horizon(
        purgeTime: StorageInstant, newest: () -> UInt64
    ) -> (sequences: [UInt64], purgeTime: StorageInstant) {
        state.withLock { state in
            var sequences = Set(state.active.values.map(\.sequence))
            sequences.insert(newest())
            let earliest = state.active.values.map(\.readTime).min() ?? .distantFuture
            let bound = min(purgeTime, earliest)
            // A transaction that opens now either sees this bound, or is seen in the next line.
            purged.store(max(purgedThrough, bound).microseconds, ordering: .sequentiallyConsistent)
            let open = StorageInstant(microseconds: openTransaction.load(ordering: .sequentiallyConsistent))
            return (sequences.sorted(), min(bound, open))
        }
    }

    /// The latest time up to which anything may have been purged.
    var purgedThrough: StorageInstant {
        StorageInstant(microseconds: purged.load(ordering: .sequentiallyConsistent))
    }

    /// Announces a transaction that reads at `time`, or later if more was purged already; the time at which it reads.
    /// In the writer lane only.
    func openTransaction(at time: StorageInstant) -> StorageInstant {
        openTransaction.store(time.microseconds, ordering: .sequentiallyConsistent)
        return max(time, purgedThrough)
    }

    func closeTransaction() { openTransaction.store(.max, ordering: .releasing) }

    var count: Int { state.withLock { $0.active.count } }

    /// The sequences that snapshots read at, ascending.
    var sequences: [UInt64] { Set(state.withLock { $0.active.values.map(\.sequence) }).sorted() }
}
