// RowMergeOperator.swift — how the storage reconciles what was written without reading.

internal import Synchronization

/// The merge operator of every table's keyspace: rows by `RowFragment`, kind 0 entries by `PartitionTombstones`; the
/// first byte tells which.
///
/// Invariant: the deletions of a partition's kind 0 entry outlive what they cover. Rows lose what is covered when a
/// compaction meets them after their partition's deletions; those go once their grace period is over and no row has
/// anything that they cover, in any state that is read now or after a power cut: what is covered only becomes less, so the
/// oldest of these states tells.
final class RowMergeOperator: MergeOperator {
    /// What compactions know beside the entry at hand.
    private struct Knowledge {
        /// The numbers of dropped columns, whose cells compaction removes.
        var deadColumns: Set<UInt16> = []
        /// The deletions that a compaction kept last, and the stored key's prefix of their partition.
        var partition: (prefix: [UInt8], tombstones: PartitionTombstones)?
        /// The table as a power cut would leave it; nil once it is closed.
        var table: (@Sendable () -> (keyspace: Keyspace, snapshot: Snapshot)?)?
        /// Keeps a timestamp for after the next opening.
        var keeper: (@Sendable (Int64, WriteTransaction) throws -> Void)?
    }

    let name = "WideColumnRow"
    private let grace: Atomic<Int64>
    private let knowledge = Mutex(Knowledge())
    /// Microseconds: of what was written so far nothing that hides older data has a later timestamp.
    private let newestHiding = Atomic<Int64>(.min)
    /// The time of the commit that wrote it, where that was in this run.
    private let newestHidingCommit = Atomic<Int64>(.min)
    /// Microseconds: later timestamps have to be kept for after the next opening, if they are beyond the clock.
    private let keptTimestamp = Atomic<Int64>(.min)
    /// Microseconds by which more is kept than was written, so that clients whose clocks are ahead make an entry a minute.
    private static let keptAhead: Int64 = 60_000_000
    /// How many deletions of partitions and ranges were written since the operator was made.
    private let deletionCount = Atomic<Int>(0)
    /// What writers know of partitions. Used inside the writer lane only.
    let partitions = UnsafeKnownPartitions()
    /// For a view whose rows live only with their marker: they may go as soon as it has expired.
    let needsMarker: Bool

    init(graceSeconds: Int64, needsMarker: Bool = false) {
        grace = Atomic(graceSeconds)
        self.needsMarker = needsMarker
    }

    /// The operator of a table, or of a view of `base`.
    convenience init(_ definition: TableDefinition, base: TableDefinition?) throws {
        guard let base else {
            self.init(graceSeconds: definition.options.graceSeconds)
            return
        }
        let requiredCells = try View.requiredCells(of: definition, base: base)
        // A view's rows are replaced whole, so it has no deletions to keep.
        self.init(graceSeconds: 0, needsMarker: !requiredCells.isEmpty)
    }

    /// Takes over what ALTER changes.
    func follow(_ definition: TableDefinition) {
        if definition.view == nil { grace.store(definition.options.graceSeconds, ordering: .relaxed) }
        knowledge.withLock { $0.deadColumns = Set(definition.droppedColumns.map(\.id)) }
    }

    /// Takes note of a write's timestamp; tells whether all deletions and expiring cells that were written before are older. The
    /// storage forgets these once they have nothing older below; what comes late, with a timestamp that they cover, lies
    /// above and would be seen then. So whoever writes such a thing must leave out what is covered.
    ///
    /// - Parameter hides: Whether what is written has deletions or expires.
    func isInOrder(_ timestamp: Int64, hides: Bool, _ transaction: WriteTransaction) throws -> Bool {
        let newest = newestHiding.load(ordering: .relaxed)
        let commitTime = transaction.commitTime.microseconds
        // Modifications come one at a time.
        if hides, timestamp > newest {
            newestHiding.store(timestamp, ordering: .relaxed)
            newestHidingCommit.store(commitTime, ordering: .relaxed)
        }
        // What was noted may be of a commit that failed.
        if hides, timestamp > commitTime { try keep(timestamp, transaction) }
        // What this commit has written itself is not forgotten yet; commits have times of their own.
        return timestamp > newest
            || timestamp == newest && newestHidingCommit.load(ordering: .relaxed) == commitTime
    }

    /// At the next opening nothing written so far is newer than the clock, but for what is kept.
    private func keep(_ timestamp: Int64, _ transaction: WriteTransaction) throws {
        guard timestamp > keptTimestamp.load(ordering: .relaxed) else { return }
        let (ahead, overflow) = timestamp.addingReportingOverflow(Self.keptAhead)
        let kept = overflow ? Int64.max : ahead
        guard let keeper = knowledge.withLock({ $0.keeper }) else { return }
        try keeper(kept, transaction)
        transaction.onCommit { [weak self] _ in _ = self?.keptTimestamp.max(kept, ordering: .relaxed) }
    }

    func keepTimestamps(_ keeper: @escaping @Sendable (Int64, WriteTransaction) throws -> Void) {
        knowledge.withLock { $0.keeper = keeper }
    }

    /// Takes note of a timestamp that was kept.
    func remember(_ timestamp: Int64) {
        newestHiding.max(timestamp, ordering: .relaxed)
        keptTimestamp.max(timestamp, ordering: .relaxed)
    }

    /// Changes with every deletion of a partition or range: until then a partition that has none goes without.
    var deletionGeneration: Int { deletionCount.load(ordering: .relaxed) }

    /// Takes note of a deletion that is about to be written.
    func noteDeletion() { deletionCount.wrappingAdd(1, ordering: .relaxed) }

    /// Tells where the rows are that deletions may cover. Until then deletions of partitions and ranges are kept.
    func search(_ keyspace: Keyspace, of storage: Storage) {
        // What earlier runs have written is not newer, as far as its timestamps are those of their commits.
        newestHiding.max(storage.newestCommitTime.microseconds, ordering: .relaxed)
        let (name, id) = (keyspace.name, keyspace.id)
        knowledge.withLock { knowledge in
            // The storage keeps this operator: it must not be kept in turn. The keyspace is looked up, because once there is
            // a weak reference to an object, counting the others takes several times as long.
            knowledge.table = { [weak storage] in
                guard let storage, let keyspace = storage.existingKeyspace(name), keyspace.id == id else { return nil }
                return (keyspace, storage.purgeSnapshot())
            }
        }
    }

    /// How long deletions are kept.
    var graceSeconds: Int64 { grace.load(ordering: .relaxed) }

    func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
        guard Self.holdsTombstones(older) else { return try RowFragment.merge(older, newer, into: &result) }
        try PartitionTombstones(older).merged(with: PartitionTombstones(newer)).encode(into: &result)
    }

    func droppableAfter(merged: RawSpan, older: StorageInstant?, newer: StorageInstant?) -> StorageInstant? {
        try? droppableAfter(merged)
    }

    /// From when on nothing in the value matters any more; `nil`: never.
    func droppableAfter(_ value: RawSpan) throws -> StorageInstant? {
        // Whether they still cover something only `purge` can find out.
        if Self.holdsTombstones(value) { return nil }
        return droppableAfter(try RowFragment(value))
    }

    func droppableAfter(_ row: RowFragment) -> StorageInstant? {
        if needsMarker, let marker = row.marker, marker.timeToLive != 0 {
            return StorageInstant(seconds: marker.expiry)
        }
        return row.droppableAfter(graceSeconds: graceSeconds)
    }

    func purge(key: RawSpan, value: RawSpan, now: StorageInstant) -> PurgeDecision {
        // What can't be read is kept, for reads and `verify` to report.
        let decision =
            try? Self.holdsTombstones(value)
            ? tombstoneDecision(key, value, now: now.seconds) : rowDecision(key, value, now: now.seconds)
        return decision ?? .keep
    }

    private func tombstoneDecision(_ key: RawSpan, _ value: RawSpan, now: Int64) throws -> PurgeDecision {
        guard key.byteCount > 0 else { return .keep }
        var tombstones = try PartitionTombstones(value)
        let prefix = key.extracting(0..<key.byteCount - 1).array()
        let past = tombstones.past(now: now, graceSeconds: graceSeconds)
        let table = knowledge.withLock { knowledge in
            knowledge.partition = (prefix, tombstones)
            return knowledge.table
        }
        guard !past.isEmpty, let table = table?(), table.snapshot.isOldest,
            !(try past.coverRows(of: prefix, table.keyspace, table.snapshot.view))
        else { return .keep }
        tombstones.remove(past)
        knowledge.withLock { $0.partition = tombstones.isEmpty ? nil : (prefix, tombstones) }
        if tombstones.isEmpty { return .drop }
        var result: [UInt8] = []
        tombstones.encode(into: &result)
        return .replace(result)
    }

    private func rowDecision(_ key: RawSpan, _ value: RawSpan, now: Int64) throws -> PurgeDecision {
        var row = try RowFragment(value)
        if needsMarker, !(row.marker?.isLive(at: now) ?? false) { return .drop }
        let (dead, partition) = knowledge.withLock { ($0.deadColumns, $0.partition) }
        var changed = !dead.isEmpty && row.removeCells(of: dead)
        if let partition, key.starts(with: partition.prefix.rawSpan),
            try remove(partition.tombstones, from: &row, key, partition.prefix)
        {
            changed = true
        }
        changed = row.purge(now: now, graceSeconds: graceSeconds) || changed
        guard changed else { return .keep }
        if row.isEmpty { return .drop }
        var result: [UInt8] = []
        row.encode(from: value, into: &result)
        return .replace(result)
    }

    /// Removes what the deletions cover, as long as the partition still has them: they may have gone since, with the
    /// whole table, and then cover nothing of what came later.
    private func remove(
        _ tombstones: PartitionTombstones, from row: inout RowFragment, _ key: RawSpan, _ prefix: [UInt8]
    ) throws -> Bool {
        let before = row
        guard row.apply(tombstones, key, prefixByteCount: prefix.count) else { return false }
        let tombstoneKey = prefix + [RecordKind.partitionTombstones.rawValue]
        if let table = knowledge.withLock({ $0.table })?(),
            let stored = try table.snapshot.view.get(table.keyspace, tombstoneKey.rawSpan)
        {
            let known = try PartitionTombstones(stored.rawSpan)
            if known.merged(with: tombstones) == known { return true }
        }
        row = before
        return false
    }

    private static func holdsTombstones(_ value: RawSpan) -> Bool {
        guard value.byteCount > 0 else { return false }
        return unsafe value.unsafeLoad(fromByteOffset: 0, as: UInt8.self) & RowFragmentFlags.partitionTombstones != 0
    }
}
