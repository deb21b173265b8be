// RowContext+Load.swift — one row by its key: what conditions and read-before-write need.

extension RowContext {
    /// Reads a partition's deletions and static row, and one of its rows.
    ///
    /// - Parameter clustering: `nil`: the static row alone.
    /// - Returns: whether the row, or the static row alone, lives.
    mutating func load(
        _ storage: Keyspace, partition prefix: [UInt8], clustering: [UInt8]?, _ view: ReadView
    ) throws -> Bool {
        let tombstoneKey = prefix + [RecordKind.partitionTombstones.rawValue]
        try enter(try StorageKey.Parts(tombstoneKey.rawSpan))
        if let value = try view.get(storage, tombstoneKey.rawSpan) { try setTombstones(value.rawSpan) }
        let staticKey = prefix + [RecordKind.staticRow.rawValue]
        if let value = try view.get(storage, staticKey.rawSpan) { try setStaticRow(value.rawSpan) }
        headTombstoneCount = tombstoneCount
        guard let clustering else { return hasLiveStaticRow }
        let key = prefix + [RecordKind.row.rawValue] + clustering
        guard let value = try view.get(storage, key.rawSpan) else {
            clearRow()
            return false
        }
        // A row that does not live keeps its dead cells: a counter that was deleted stays so.
        return try setRow(key: key.rawSpan, clusteringOffset: prefix.count + 1, value: value.rawSpan)
    }

    /// Finds the first row that lives in the partition whose deletions have been loaded; no row is the current one then.
    ///
    /// - Parameter check: called with the stored key of each row that does not.
    /// - Returns: the context at that row.
    mutating func firstLiveRow(
        _ storage: Keyspace, partition prefix: [UInt8], _ view: ReadView, check: (RowContext, RawSpan) throws -> Void
    ) throws -> RowContext? {
        let rows = prefix + [RecordKind.row.rawValue]
        var cursor = try view.cursor(storage, KeyRange(lower: rows, upper: StorageKey.successor(ofPrefix: rows)))
        try cursor.seekToFirst()
        defer { clearRow() }
        while cursor.isValid {
            if try setRow(key: cursor.key, clusteringOffset: rows.count, value: cursor.value) { return self }
            try check(self, cursor.key)
            try cursor.next()
        }
        return nil
    }
}
