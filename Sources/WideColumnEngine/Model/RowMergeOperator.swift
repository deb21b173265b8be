// RowMergeOperator.swift — how the storage reconciles what was written without reading.

internal import Synchronization

/// The merge operator of every table's keyspace: rows by `RowFragment`, kind 0 entries by `PartitionTombstones`; the
/// first byte tells which.
final class RowMergeOperator: MergeOperator {
    let name = "WideColumnRow"
    private let grace: Atomic<Int64>
    /// The numbers of dropped columns, whose cells compaction removes.
    private let deadColumns = Mutex<Set<UInt16>>([])
    /// For a view whose rows live only with their marker: they may go as soon as it has expired.
    let needsMarker: Bool

    init(graceSeconds: Int64, needsMarker: Bool = false) {
        grace = Atomic(graceSeconds)
        self.needsMarker = needsMarker
    }

    /// The operator of a table, or of a view of `base`.
    convenience init(_ definition: TableDefinition, base: TableDefinition?) {
        guard let base else {
            self.init(graceSeconds: definition.options.graceSeconds)
            return
        }
        let keyNames = Set((base.partitionKey + base.clustering).map(\.name))
        let hasKeyCell = (definition.partitionKey + definition.clustering).contains { !keyNames.contains($0.name) }
        // A view's rows are replaced whole, so it has no deletions to keep.
        self.init(graceSeconds: 0, needsMarker: hasKeyCell)
    }

    /// Takes over what ALTER changes.
    func follow(_ definition: TableDefinition) {
        if definition.view == nil { grace.store(definition.options.graceSeconds, ordering: .relaxed) }
        deadColumns.withLock { $0 = Set(definition.droppedColumns.map(\.id)) }
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
        if Self.holdsTombstones(value) {
            return try PartitionTombstones(value).droppableAfter(graceSeconds: graceSeconds)
        }
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
        (try? decision(value, now: now.seconds)) ?? .keep
    }

    private func decision(_ value: RawSpan, now: Int64) throws -> PurgeDecision {
        var result: [UInt8] = []
        if Self.holdsTombstones(value) {
            var tombstones = try PartitionTombstones(value)
            guard tombstones.purge(now: now, graceSeconds: graceSeconds) else { return .keep }
            if tombstones.isEmpty { return .drop }
            tombstones.encode(into: &result)
            return .replace(result)
        }
        var row = try RowFragment(value)
        if needsMarker, !(row.marker?.isLive(at: now) ?? false) { return .drop }
        let dead = deadColumns.withLock { $0 }
        let hasDead = !dead.isEmpty && row.removeCells(of: dead)
        guard row.purge(now: now, graceSeconds: graceSeconds) || hasDead else { return .keep }
        if row.isEmpty { return .drop }
        row.encode(from: value, into: &result)
        return .replace(result)
    }

    private static func holdsTombstones(_ value: RawSpan) -> Bool {
        guard value.byteCount > 0 else { return false }
        return unsafe value.unsafeLoad(fromByteOffset: 0, as: UInt8.self) & RowFragmentFlags.partitionTombstones != 0
    }
}
