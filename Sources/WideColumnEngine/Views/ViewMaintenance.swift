// ViewMaintenance.swift — changes to a table with views: the old row is read, and every view gets its new one in the
// same commit.

/// Writes rows of a table that has views.
struct ViewMaintenance {
    let table: Table
    let transaction: WriteTransaction

    /// Merges a fragment into the row with this stored key.
    func merge(key: [UInt8], fragment: [UInt8], expiry: StorageInstant?) throws {
        let parts = try StorageKey.Parts(key.rawSpan)
        let stored = try transaction.get(table.storage, key.rawSpan)
        let deletion = try tombstones(ofPartition: Array(key[..<parts.prefixByteCount]))
            .deletion(of: key.rawSpan.extracting(parts.clusteringOffset..<key.count))
        let components = try table.definition.keyComponents(of: key.rawSpan, parts)
        var merged = fragment
        if let stored {
            merged = []
            try RowFragment.merge(stored.rawSpan, fragment.rawSpan, into: &merged)
        }
        let before = try stored.map { try baseRow(components, $0, deletion) }
        try update(from: before, to: try baseRow(components, merged, deletion))
        try transaction.merge(table.storage, key.rawSpan, fragment.rawSpan, expiry: expiry)
    }

    /// Merges deletions into a partition. Every row they cover loses what it loses in the views too.
    func merge(tombstones new: PartitionTombstones, partition prefix: [UInt8], range: KeyRange) throws {
        let before = try tombstones(ofPartition: prefix)
        let after = before.merged(with: new)
        var cursor = try transaction.cursor(table.storage, range)
        try cursor.seekToFirst()
        while cursor.isValid {
            let key = cursor.key.array()
            let value = cursor.value.array()
            let clustering = key.rawSpan.extracting((prefix.count + 1)..<key.count)
            let components = try table.definition.keyComponents(of: key.rawSpan)
            try update(
                from: try baseRow(components, value, before.deletion(of: clustering)),
                to: try baseRow(components, value, after.deletion(of: clustering)))
            try cursor.next()
        }
    }

    /// Writes the views' rows of one row that was there already: how a view over existing data is built.
    func build(_ view: View, key: [UInt8], fragment: [UInt8], tombstones: PartitionTombstones) throws {
        let parts = try StorageKey.Parts(key.rawSpan)
        let deletion = tombstones.deletion(of: key.rawSpan.extracting(parts.clusteringOffset..<key.count))
        let components = try table.definition.keyComponents(of: key.rawSpan)
        try replace(nil, by: try view.row(of: try baseRow(components, fragment, deletion)), in: view)
    }

    func tombstones(ofPartition prefix: [UInt8]) throws -> PartitionTombstones {
        let key = prefix + [RecordKind.partitionTombstones.rawValue]
        return try transaction.withValue(table.storage, key.rawSpan) { try PartitionTombstones($0) }
            ?? PartitionTombstones()
    }

    private func baseRow(_ components: [[UInt8]], _ bytes: [UInt8], _ deletion: DeletionTime) throws -> BaseRow {
        var fragment = try RowFragment(bytes.rawSpan)
        fragment.apply(deletion)
        return BaseRow(keyComponents: components, fragment: fragment, bytes: bytes)
    }

    private func update(from before: BaseRow?, to after: BaseRow) throws {
        for view in table.views {
            let old = try before.flatMap { try view.row(of: $0) }
            try replace(old, by: try view.row(of: after), in: view)
        }
    }

    private func replace(_ old: ViewRow?, by new: ViewRow?, in view: View) throws {
        guard old != new else { return }
        if let old, old.key != new?.key { try transaction.delete(view.storage, old.key.rawSpan) }
        guard let new else { return }
        let rowOperator = view.storage.options.mergeOperator as? RowMergeOperator
        try transaction.put(
            view.storage, new.key.rawSpan, new.fragment.rawSpan, expiry: rowOperator?.droppableAfter(new.row))
    }
}
