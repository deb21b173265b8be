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
    /// Reads the rows of a SQLite database; nil where the storage is made of trees.
    let reader: SQLiteReader?
    private let registration: Int
    private let tracing: SnapshotTracing?

    init(
        registry: SnapshotRegistry, registration: Int, sequence: SequenceNumber, readTime: StorageInstant,
        reader: SQLiteReader? = nil
    ) {
        self.registry = registry
        self.registration = registration
        self.sequence = sequence
        self.readTime = readTime
        self.reader = reader
        tracing = nil
    }

    /// A snapshot that tells of its reads; the one that it stands for stays registered as long as it lives.
    init(tracing: SnapshotTracing) {
        let origin = tracing.origin
        registry = origin.registry
        registration = origin.registration
        sequence = origin.sequence
        readTime = origin.readTime
        reader = origin.reader
        self.tracing = tracing
    }

    deinit {
        if tracing == nil { registry.release(registration) }
    }

    /// Whether no live snapshot reads an older state. Snapshots to come read none.
    public var isOldest: Bool { registry.sequences.first.map { $0 >= sequence.rawValue } ?? true }

    var traceSink: (any AccessTraceSink)? { tracing?.sink }

    /// Refuses reads of a storage that was closed.
    @inline(__always)
    func checkOpen() throws {
        if registry.isClosed { throw StorageError(.closed, "The storage was closed.") }
    }

    public var view: ReadView { ReadView(.snapshot(self)) }
}
