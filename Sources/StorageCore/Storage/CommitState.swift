// CommitState.swift — where the commit order stands, for everyone who must know without asking the storage.

internal import Synchronization

final class CommitState: Sendable {
    /// The newest commit that readers see. Stored by the writer lane, after the commit was applied everywhere.
    let visible: Atomic<UInt64>
    /// The commit time of the newest commit, in microseconds since 1970; later ones are above it.
    let commitTime: Atomic<Int64>

    init(visible: UInt64, commitTime: Int64) {
        self.visible = Atomic(visible)
        self.commitTime = Atomic(commitTime)
    }

    // Sequentially consistent for the protocol of `UnsafeSnapshotSlots`.
    var visibleSequence: UInt64 { visible.load(ordering: .sequentiallyConsistent) }
    var lastCommitTime: StorageInstant { StorageInstant(microseconds: commitTime.load(ordering: .relaxed)) }
}

/// Memory that commits reuse. Used inside the writer lane only.
final class LaneScratch: @unchecked Sendable {  // guarded by the writer lane
    @exclusivity(unchecked) var record = UnsafeByteBuilder(capacity: 4096)
    @exclusivity(unchecked) var batch = WriteBatch()
    /// The transaction of the last body.
    @exclusivity(unchecked) private var transaction: WriteTransaction?
    /// The ways to where the next entries belong.
    @exclusivity(unchecked) var descents = TrieDescents()
    /// What commits have added to memtables since these were last looked at.
    @exclusivity(unchecked) var unsurveyedByteCount = 0

    /// An open transaction: the last one again, unless its body has kept it.
    func beginTransaction(
        sequence: SequenceNumber, commitTime: StorageInstant, reader: SQLiteReader?
    ) -> WriteTransaction {
        if unsafe isKnownUniquelyReferenced(&transaction), let transaction = unsafe transaction {
            unsafe transaction.begin(sequence: sequence, commitTime: commitTime, batch: &batch, reader: reader)
            return transaction
        }
        let new = WriteTransaction(sequence: sequence, commitTime: commitTime, reader: reader)
        unsafe transaction = new
        return new
    }
}

/// The keyspaces and trees there are.
struct Catalog {
    var keyspaces: [String: Keyspace] = [:]
    var trees: [UInt32: Tree] = [:]

    /// Trees that are on disk.
    var persistentTrees: [Tree] { trees.values.filter { !$0.isVolatile } }

    var keyspacesByID: [UInt32: Keyspace] {
        Dictionary(uniqueKeysWithValues: keyspaces.values.map { ($0.id, $0) })
    }
}
