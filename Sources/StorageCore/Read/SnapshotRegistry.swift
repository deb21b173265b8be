// SnapshotRegistry.swift — what live snapshots and the open transaction can see, for those who throw versions away.

internal import Synchronization

/// The snapshots that live, and how far what has expired may be purged.
///
/// Invariant: whoever reads, snapshot or open transaction, reads at a time that is not before any purge of the past, and
/// no purge to come reaches beyond the earliest of them. So an entry never vanishes in front of a reader that could see
/// it, whatever the wall clock does.
final class SnapshotRegistry: Sendable {
    /// Snapshots that found no free slot.
    private struct Surplus {
        var nextRegistration = UnsafeSnapshotSlots.count
        var active: [Int: (sequence: UInt64, readTime: Int64)] = [:]
    }

    private let slots = UnsafeSnapshotSlots()
    private let surplus = Mutex(Surplus())
    /// Taken by those who ask for the horizon, one at a time.
    private let turn = Mutex<Void>(())
    /// The latest time up to which anything was purged; raised in the turn.
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

    /// Takes a snapshot of the sequence that `sequence` reads. It is read after the registration has begun, so a compaction
    /// either sees the registration or had already decided by a sequence that is not newer.
    /// - Parameters:
    ///   - now: What the clock says.
    ///   - reader: Called after `sequence`.
    ///   - lastCommitTime: Not before the commit time of any sequence that was read before it is called.
    @inline(__always)
    func register(
        now: StorageInstant, lastCommitTime: () -> StorageInstant, reader: () -> SQLiteReader? = { nil },
        sequence: () -> UInt64
    ) -> Snapshot {
        guard let slot = slots.claim() else {
            return registerInSurplus(now: now, lastCommitTime: lastCommitTime, reader: reader, sequence: sequence)
        }
        let sequence = sequence()
        let readTime = max(now, lastCommitTime(), purgedThrough)
        slots.fill(slot, sequence: sequence, readTime: readTime.microseconds)
        return Snapshot(
            registry: self, registration: slot, sequence: SequenceNumber(sequence), readTime: readTime,
            reader: reader())
    }

    /// The list is locked while sequence and time are read, which so happens before or after a look at it.
    private func registerInSurplus(
        now: StorageInstant, lastCommitTime: () -> StorageInstant, reader: () -> SQLiteReader?,
        sequence: () -> UInt64
    ) -> Snapshot {
        let (registration, sequence, readTime) = surplus.withLock { surplus in
            let sequence = sequence()
            let readTime = max(now, lastCommitTime(), purgedThrough)
            surplus.nextRegistration += 1
            surplus.active[surplus.nextRegistration] = (sequence, readTime.microseconds)
            return (surplus.nextRegistration, sequence, readTime)
        }
        return Snapshot(
            registry: self, registration: registration, sequence: SequenceNumber(sequence), readTime: readTime,
            reader: reader())
    }

    func release(_ registration: Int) {
        guard registration >= UnsafeSnapshotSlots.count else { return slots.release(registration) }
        surplus.withLock { _ = $0.active.removeValue(forKey: registration) }
    }

    /// The sequences that live snapshots read at, ascending without repetition, with `newest` among them, and how far
    /// expired entries may be purged: up to `purgeTime` at most.
    func horizon(
        purgeTime: StorageInstant, newest: () -> UInt64
    ) -> (sequences: [UInt64], purgeTime: StorageInstant) {
        turn.withLock { _ in
            let newest = newest()
            let bound = min(purgeTime, earliestReadTime())
            // Who opens a transaction or takes a snapshot now either reads this bound, or is seen below.
            purged.store(max(purgedThrough, bound).microseconds, ordering: .sequentiallyConsistent)
            let open = StorageInstant(microseconds: openTransaction.load(ordering: .sequentiallyConsistent))
            var sequences: Set<UInt64> = [newest]
            var earliest = min(bound, open)
            forEach { sequence, readTime in
                sequences.insert(sequence)
                earliest = min(earliest, StorageInstant(microseconds: readTime))
            }
            return (sequences.sorted(), earliest)
        }
    }

    private func earliestReadTime() -> StorageInstant {
        var earliest = StorageInstant.distantFuture
        forEach { _, readTime in earliest = min(earliest, StorageInstant(microseconds: readTime)) }
        return earliest
    }

    private func forEach(_ body: (_ sequence: UInt64, _ readTime: Int64) -> Void) {
        slots.forEach(body)
        surplus.withLock { surplus in
            for snapshot in surplus.active.values { body(snapshot.sequence, snapshot.readTime) }
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

    /// The sequences that snapshots read at, ascending.
    var sequences: [UInt64] {
        var sequences: Set<UInt64> = []
        forEach { sequence, _ in sequences.insert(sequence) }
        return sequences.sorted()
    }

    /// How many snapshots live, and the read time of the oldest.
    var census: (count: Int, oldest: StorageInstant?) {
        var count = 0
        var oldest: StorageInstant?
        forEach { _, readTime in
            count += 1
            let readTime = StorageInstant(microseconds: readTime)
            oldest = min(oldest ?? readTime, readTime)
        }
        return (count, oldest)
    }

    /// How many snapshots live.
    var count: Int {
        var count = 0
        forEach { _, _ in count += 1 }
        return count
    }
}
