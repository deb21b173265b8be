// DependentMaintenance.swift — changes to a table with views or indexes: the old row is read, and every view and index
// gets what belongs to the new one in the same commit.

/// Writes rows of a table that has views or indexes.
struct DependentMaintenance {
    let table: Table
    let transaction: WriteTransaction

    /// Merges a fragment into the row, or the static row, with this stored key.
    func merge(key: [UInt8], fragment: [UInt8], expiry: StorageInstant?) throws {
        let parts = try StorageKey.Parts(key.rawSpan)
        let stored = try transaction.get(table.storage, key.rawSpan)
        let deletion = deletion(in: try tombstones(ofPartition: Array(key[..<parts.prefixByteCount])), key, parts)
        let components = try table.definition.keyComponents(of: key.rawSpan, parts)
        var merged = fragment
        if let stored {
            merged = []
            try RowFragment.merge(stored.rawSpan, fragment.rawSpan, into: &merged)
        }
        let before = try stored.map { try baseRow(components, $0, deletion) }
        try update(key, parts.kind, from: before, to: try baseRow(components, merged, deletion))
        if parts.kind == .row { noteRow(key.rawSpan, parts) }
        try transaction.write(
            fragment.rawSpan, expiry: expiry, key: key.rawSpan, stored: stored, to: table.storage, table.rowOperator)
    }

    private func noteRow(_ key: RawSpan, _ parts: StorageKey.Parts) {
        table.rowOperator.partitions.noteRow(
            key.extracting(parts.clusteringOffset..<key.byteCount),
            ofPartition: key.extracting(first: parts.prefixByteCount),
            isDescending: table.definition.isClusteringDescending)
    }

    /// Merges deletions into a partition. Every row they cover loses what it loses in views and indexes too.
    ///
    /// - Parameter range: the stored keys of the rows that the deletions may cover.
    func merge(tombstones new: PartitionTombstones, partition prefix: [UInt8], range: KeyRange) throws {
        let before = try tombstones(ofPartition: prefix)
        let after = before.merged(with: new)
        if !new.partition.isNone, !table.indexes.isEmpty { try deleteStaticEntries(prefix, before, after) }
        var cursor = try transaction.cursor(table.storage, range)
        try cursor.seekToFirst()
        while cursor.isValid {
            let key = cursor.key.array()
            let value = cursor.value.array()
            let clustering = key.rawSpan.extracting((prefix.count + 1)..<key.count)
            let components = try table.definition.keyComponents(of: key.rawSpan)
            try update(
                key, .row, from: try baseRow(components, value, before.deletion(of: clustering)),
                to: try baseRow(components, value, after.deletion(of: clustering)))
            try cursor.next()
        }
    }

    private func deleteStaticEntries(
        _ prefix: [UInt8], _ before: PartitionTombstones, _ after: PartitionTombstones
    ) throws {
        let key = prefix + [RecordKind.staticRow.rawValue]
        guard let value = try transaction.get(table.storage, key.rawSpan) else { return }
        let components = try table.definition.keyComponents(of: key.rawSpan)
        try update(
            key, .staticRow, from: try baseRow(components, value, before.partition),
            to: try baseRow(components, value, after.partition))
    }

    /// Writes what belongs to one row that was there already: how a view or index over existing data is built.
    func build(
        _ target: DependentBuilder.Target, key: [UInt8], fragment: [UInt8], tombstones: PartitionTombstones
    ) throws {
        let parts = try StorageKey.Parts(key.rawSpan)
        let components = try table.definition.keyComponents(of: key.rawSpan, parts)
        let row = try baseRow(components, fragment, deletion(in: tombstones, key, parts))
        switch target {
        case .view(let view):
            if parts.kind == .row { try replace(nil, by: try view.row(of: row), in: view) }
        case .index(let index): try index.replace([], by: try index.entries(of: row, parts.kind, key), transaction)
        }
    }

    func tombstones(ofPartition prefix: [UInt8]) throws -> PartitionTombstones {
        let key = prefix + [RecordKind.partitionTombstones.rawValue]
        return try transaction.withValue(table.storage, key.rawSpan) { try PartitionTombstones($0) }
            ?? PartitionTombstones()
    }

    private func deletion(
        in tombstones: PartitionTombstones, _ key: [UInt8], _ parts: StorageKey.Parts
    ) -> DeletionTime {
        guard parts.kind == .row else { return tombstones.partition }
        return tombstones.deletion(of: key.rawSpan.extracting(parts.clusteringOffset..<key.count))
    }

    private func baseRow(_ components: [[UInt8]], _ bytes: [UInt8], _ deletion: DeletionTime) throws -> BaseRow {
        var fragment = try RowFragment(bytes.rawSpan)
        fragment.apply(deletion)
        if !table.deadColumns.isEmpty { _ = fragment.removeCells(of: table.deadColumns) }
        return BaseRow(keyComponents: components, fragment: fragment, bytes: bytes)
    }

    private func update(_ key: [UInt8], _ kind: RecordKind, from before: BaseRow?, to after: BaseRow) throws {
        // All is looked at before anything is written: who catches a refusal may go on with the transaction.
        let images = try (kind == .row ? table.views : []).map { view in
            let old = try before.map { try view.image(of: $0) } ?? .none
            let new = try view.image(of: after)
            try new.check(insteadOf: old)
            return (view, old.row, new.row)
        }
        let entries = try table.indexes.map { index in
            let old = try before.map { try index.entries(of: $0, kind, key) } ?? []
            let new = try index.entries(of: after, kind, key)
            try index.check(new, insteadOf: old, storedKeyByteCount: key.count, table.identifier)
            return (index, old, new)
        }
        for (view, old, new) in images { try replace(old, by: new, in: view) }
        for (index, old, new) in entries { try index.replace(old, by: new, transaction) }
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
