// Snapshot.swift — every keyspace as of one sequence, and which commits a snapshot sees.

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
    private let registration: Int

    init(registry: SnapshotRegistry, registration: Int, sequence: SequenceNumber, readTime: StorageInstant) {
        self.registry = registry
        self.registration = registration
        self.sequence = sequence
        self.readTime = readTime
    }

    deinit { registry.release(registration) }

    public var view: ReadView { ReadView(.snapshot(self)) }
}
