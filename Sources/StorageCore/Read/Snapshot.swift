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
    private let registration: UInt64

    init(registry: SnapshotRegistry, registration: UInt64, sequence: SequenceNumber, readTime: StorageInstant) {
        self.registry = registry
        self.registration = registration
        self.sequence = sequence
        self.readTime = readTime
    }

    deinit { registry.release(registration) }

    public var view: ReadView { ReadView(.snapshot(self)) }
}

/// The snapshots that live.
final class SnapshotRegistry: Sendable {
    private struct State {
        var nextRegistration: UInt64 = 0
        var active: [UInt64: (sequence: UInt64, readTime: StorageInstant)] = [:]
    }

    private let state = Mutex(State())

    /// Takes a snapshot of the sequence that `sequence` reads. It is read under the registry's lock, so a compaction
    /// either sees the registration or had already decided by a sequence that is not newer.
    func register(readTime: StorageInstant, sequence: () -> UInt64) -> Snapshot {
        let (registration, sequence) = state.withLock { state in
            let sequence = sequence()
            state.nextRegistration += 1
            state.active[state.nextRegistration] = (sequence, readTime)
            return (state.nextRegistration, sequence)
        }
        return Snapshot(
            registry: self, registration: registration, sequence: SequenceNumber(sequence), readTime: readTime)
    }

    func release(_ registration: UInt64) {
        state.withLock { _ = $0.active.removeValue(forKey: registration) }
    }

    /// The sequences that live snapshots read at, ascending without repetition, with `current` among them, and the
    /// earliest time they read at.
    func horizon(current: () -> UInt64) -> (sequences: [UInt64], earliestReadTime: StorageInstant) {
        state.withLock { state in
            var sequences = Set(state.active.values.map(\.sequence))
            sequences.insert(current())
            let earliest = state.active.values.map(\.readTime).min() ?? .distantFuture
            return (sequences.sorted(), earliest)
        }
    }

    var count: Int { state.withLock { $0.active.count } }
}
