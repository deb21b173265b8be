// PartitionTombstones+Purge.swift — when deletions of partitions and ranges may be forgotten: once their grace period is
// over, and what they covered is gone.
//
// The rows lie in entries of their own, which compaction may meet earlier, later or not at all. A deletion that went
// before them would bring them back.

extension PartitionTombstones {
    /// Those whose grace period is over.
    func past(now: Int64, graceSeconds: Int64) -> PartitionTombstones {
        func isPast(_ deletion: DeletionTime) -> Bool {
            let (end, overflow) = deletion.localDeletionTime.addingReportingOverflow(graceSeconds)
            return !overflow && end < now
        }
        var past = PartitionTombstones()
        if !partition.isNone, isPast(partition) { past.partition = partition }
        past.ranges = ranges.filter { isPast($0.deletion) }
        return past
    }

    mutating func remove(_ past: PartitionTombstones) {
        if !past.partition.isNone { partition = .none }
        let removed = Set(past.ranges)
        ranges.removeAll { removed.contains($0) }
    }

    /// Whether a row of the partition, or its static row, has anything that these cover.
    func coverRows(of prefix: [UInt8], _ keyspace: Keyspace, _ view: ReadView) throws -> Bool {
        for range in storedRanges(of: prefix) {
            var cursor = try view.cursor(keyspace, range)
            try cursor.seekToFirst()
            while cursor.isValid {
                var row = try RowFragment(cursor.value)
                if row.apply(self, cursor.key, prefixByteCount: prefix.count) { return true }
                try cursor.next()
            }
        }
        return false
    }

    /// The stored keys of what these may cover.
    private func storedRanges(of prefix: [UInt8]) -> [KeyRange] {
        let rows = prefix + [RecordKind.row.rawValue]
        guard partition.isNone else {
            return [
                KeyRange(
                    lower: prefix + [RecordKind.staticRow.rawValue], upper: StorageKey.successor(ofPrefix: prefix))
            ]
        }
        return ranges.map { range in
            KeyRange(
                lower: rows + range.lower, upper: range.upper.map { rows + $0 } ?? StorageKey.successor(ofPrefix: rows))
        }
    }
}

extension RowFragment {
    /// Drops what the deletions of its partition cover; tells whether there was anything.
    mutating func apply(_ tombstones: PartitionTombstones, _ key: RawSpan, prefixByteCount: Int) -> Bool {
        let isStatic =
            unsafe key.byteCount > prefixByteCount
            && key.unsafeLoad(fromByteOffset: prefixByteCount, as: UInt8.self) == RecordKind.staticRow.rawValue
        let clusteringOffset = min(prefixByteCount + 1, key.byteCount)
        let before = (hasMarker: marker != nil, cellCount: cells.count, deletion: deletion)
        apply(
            isStatic
                ? tombstones.partition : tombstones.deletion(of: key.extracting(clusteringOffset..<key.byteCount)))
        return before != (marker != nil, cells.count, deletion)
    }
}
