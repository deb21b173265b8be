// ViewCrossCheck.swift — every view against the table it is of: the wide-column part of `Storage.verify()`.

/// Compares views with what their tables' rows stand for, at one snapshot.
struct ViewCrossCheck {
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
            for view in table.views where view.definition.view?.isBuilt == true {
                problems += try self.problems(table, view)
            }
        }
        return problems
    }

    private func problems(_ table: Table, _ view: View) throws -> [String] {
        var problems: [String] = []
        var expectedCount = 0
        try forEachRow(of: table) { base in
            guard let expected = try view.row(of: base), isLive(expected.row, view) else { return }
            expectedCount += 1
            guard problems.count < Self.maximumProblems else { return }
            let stored = try self.view.get(view.storage, expected.key.rawSpan)
            guard let stored else {
                problems.append("\(view.definition.identifier) lacks a row of \(table.identifier)")
                return
            }
            let row = try RowFragment(stored.rawSpan)
            if content(row, stored) != content(expected.row, base.bytes) {
                problems.append("\(view.definition.identifier) has other values in a row than \(table.identifier)")
            }
        }
        let storedCount = try liveCount(view)
        if storedCount != expectedCount {
            problems.append(
                "\(view.definition.identifier) has \(storedCount) rows where \(table.identifier) gives \(expectedCount)"
            )
        }
        return problems
    }

    private func forEachRow(of table: Table, _ body: (BaseRow) throws -> Void) throws {
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
            switch parts.kind {
            case .partitionTombstones: tombstones = try PartitionTombstones(value.rawSpan)
            case .staticRow: break
            case .row:
                var fragment = try RowFragment(value.rawSpan)
                fragment.apply(tombstones.deletion(of: key.rawSpan.extracting(parts.clusteringOffset..<key.count)))
                if !table.deadColumns.isEmpty { _ = fragment.removeCells(of: table.deadColumns) }
                let components = try table.definition.keyComponents(of: key.rawSpan)
                try body(BaseRow(keyComponents: components, fragment: fragment, bytes: value))
            }
            try cursor.next()
        }
    }

    private func liveCount(_ view: View) throws -> Int {
        var cursor = try self.view.cursor(view.storage)
        try cursor.seekToFirst()
        var count = 0
        while cursor.isValid {
            if isLive(try RowFragment(cursor.value), view) { count += 1 }
            try cursor.next()
        }
        return count
    }

    private func isLive(_ row: RowFragment, _ view: View) -> Bool {
        row.isLive(at: now, needsMarker: view.needsMarker)
    }

    /// What a reader sees of a row: expired and purged cells look alike.
    private struct Content: Equatable {
        struct SeenCell: Equatable {
            var column: UInt16
            var path: ArraySlice<UInt8>
            var timestamp: Int64
            var value: ArraySlice<UInt8>
        }

        var marker: RowMarker?
        var cells: [SeenCell]
    }

    private func content(_ row: RowFragment, _ bytes: [UInt8]) -> Content {
        Content(
            marker: row.marker.flatMap { $0.isLive(at: now) ? $0 : nil },
            cells: row.cells.filter { $0.isLive(at: now) }.map {
                Content.SeenCell(
                    column: $0.column, path: bytes[$0.path], timestamp: $0.timestamp, value: bytes[$0.value])
            })
    }
}
