// IndexCrossCheck.swift — every index against the table it is of: a part of `Storage.verify()`.

/// Compares indexes with what their tables' rows stand for, at one snapshot.
struct IndexCrossCheck {
    private static let maximumProblems = 100

    private let schema: Schema
    private let view: ReadView
    private let now: Int64

    init(_ schema: Schema, _ view: ReadView) {
        self.schema = schema
        self.view = view
        now = view.readTime.seconds
    }

    /// A line for each difference.
    func problems() throws -> [String] {
        var problems: [String] = []
        for table in schema.allTables {
            for index in table.indexes where index.definition.isBuilt { problems += try self.problems(table, index) }
        }
        return problems
    }

    private func problems(_ table: Table, _ index: SecondaryIndex) throws -> [String] {
        var problems: [String] = []
        var expected: Set<[UInt8]> = []
        try forEachRow(of: table) { row, kind, key in
            for entry in try index.entries(of: row, kind, key) where entry.isStorable && entry.expiry > now {
                expected.insert(entry.key)
            }
        }
        // Rows that lived by dropped columns alone have left entries of their keys.
        let mayHaveMore =
            !table.deadColumns.isEmpty
            && table.definition.columns.contains { $0.name == index.definition.column && $0.isPrimaryKey }
        var count = 0
        var cursor = try view.cursor(index.storage)
        try cursor.seekToFirst()
        while cursor.isValid {
            let isExpected = expected.contains(cursor.key.array())
            if isExpected || !mayHaveMore { count += 1 }
            if !isExpected, !mayHaveMore, problems.count < Self.maximumProblems {
                problems.append("The index \(index.definition.name) of \(table.identifier) has an entry without a row")
            }
            try cursor.next()
        }
        if count < expected.count {
            problems.append(
                "The index \(index.definition.name) has \(count) entries where \(table.identifier) gives \(expected.count)"
            )
        }
        return problems
    }

    private func forEachRow(of table: Table, _ body: (BaseRow, RecordKind, [UInt8]) throws -> Void) throws {
        var cursor = try view.cursor(table.storage)
        try cursor.seekToFirst()
        var tombstones = PartitionTombstones()
        var partition: [UInt8] = []
        while cursor.isValid {
            let key = cursor.key.array()
            let value = cursor.value.array()
            let parts = try StorageKey.Parts(key.rawSpan)
            let prefix = Array(key[..<parts.prefixByteCount])
            if partition != prefix {
                partition = prefix
                tombstones = PartitionTombstones()
            }
            if parts.kind == .partitionTombstones {
                tombstones = try PartitionTombstones(value.rawSpan)
            } else {
                var fragment = try RowFragment(value.rawSpan)
                let clustering = key.rawSpan.extracting(parts.clusteringOffset..<key.count)
                fragment.apply(parts.kind == .row ? tombstones.deletion(of: clustering) : tombstones.partition)
                if !table.deadColumns.isEmpty { _ = fragment.removeCells(of: table.deadColumns) }
                let components = try table.definition.keyComponents(of: key.rawSpan, parts)
                try body(BaseRow(keyComponents: components, fragment: fragment, bytes: value), parts.kind, key)
            }
            try cursor.next()
        }
    }
}
