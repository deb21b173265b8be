// RowMergeOperator.swift — how the storage reconciles what was written without reading.

/// The merge operator of every table's keyspace: rows by `RowFragment`, kind 0 entries by `PartitionTombstones`; the
/// first byte tells which.
final class RowMergeOperator: MergeOperator {
    let name = "WideColumnRow"
    /// How long deletions are kept.
    let graceSeconds: Int64
    /// For a view whose rows live only with their marker: they may go as soon as it has expired.
    let needsMarker: Bool

    init(graceSeconds: Int64, needsMarker: Bool = false) {
        self.graceSeconds = graceSeconds
        self.needsMarker = needsMarker
    }

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
        guard row.purge(now: now, graceSeconds: graceSeconds) else { return .keep }
        if row.isEmpty { return .drop }
        row.encode(from: value, into: &result)
        return .replace(result)
    }

    private static func holdsTombstones(_ value: RawSpan) -> Bool {
        guard value.byteCount > 0 else { return false }
        return unsafe value.unsafeLoad(fromByteOffset: 0, as: UInt8.self) & RowFragmentFlags.partitionTombstones != 0
    }
}
