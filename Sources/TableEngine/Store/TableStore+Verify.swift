// TableStore+Verify.swift — cross-checks that `Storage.verify()` runs: rows ↔ keys, stream ↔ table.

internal import StorageCore

extension TableStore {
    func registerCrossChecks() {
        // The storage outlives its engines and must not keep them alive.
        let reference = WeakReference(store: self)
        storage.registerCrossCheck("table rows") { try reference.problems($0) { try $0.rowProblems(in: $1) } }
        storage.registerCrossCheck("table indexes") { try reference.problems($0) { try $0.indexProblems(in: $1) } }
        storage.registerCrossCheck("table streams") { try reference.problems($0) { try $0.streamProblems(in: $1) } }
    }
}

/// A store, for as long as it lives.
private struct WeakReference: Sendable {
    weak let store: TableStore?

    func problems(_ snapshot: Snapshot, _ check: (Table, ReadView) throws -> [String]) throws -> [String] {
        guard let store else { return [] }
        return try store.openTables.flatMap { try check($0, snapshot.view) }
    }
}

extension Table {
    /// Every row is an item, and lies under its own key.
    fileprivate func rowProblems(in view: ReadView) throws -> [String] {
        var problems: [String] = []
        try view.forEachEntry(of: keyspace, .all) { key, row in
            if let problem = rowProblem(key: key, row: row) { problems.append("\(name): \(problem)") }
        }
        return problems
    }

    private func rowProblem(key: [UInt8], row: RawSpan) -> String? {
        do {
            let item = try ItemCodec.decode(row)
            guard try ItemKey.bytes(ofItem: item, schema) == key else {
                return "an item lies under another item's key: \(schema.key(of: item))"
            }
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Every entry of an index is the projection of an item, and no item lacks its entry.
    fileprivate func indexProblems(in view: ReadView) throws -> [String] {
        try indexes.flatMap { index in
            var problems: [String] = []
            var expected: [[UInt8]: [UInt8]] = [:]
            try view.forEachEntry(of: keyspace, .all) { key, row in
                let item = try ItemCodec.decode(row)
                guard let entry = try index.key(of: item, tableKey: key) else { return }
                expected[entry] = ItemCodec.encode(index.projected(item))
            }
            let place = "\(name), index \(index.definition.name)"
            try view.forEachEntry(of: index.keyspace, .all) { key, row in
                if expected.removeValue(forKey: key) != row.array() {
                    problems.append("\(place): an entry is not its item's")
                }
            }
            return problems + expected.map { _ in "\(place): an item has no entry" }
        }
    }

    /// The last record of each item in the stream tells what the table holds. It is checked while the stream is on:
    /// afterwards the table goes on without it.
    fileprivate func streamProblems(in view: ReadView) throws -> [String] {
        guard let stream = activeStream, view.sequence > stream.start else { return [] }
        var last: [Item: [UInt8]] = [:]
        let start = StreamSequenceNumber(commit: stream.start, ordinal: .max)
        try view.forEachEntry(of: streamKeyspace, KeyRange(lower: start.keyBytes)) { _, value in
            last[try StoredStreamRecord(decoding: value).keys] = value.array()
        }
        return try last.values.compactMap { try streamProblem($0, in: view) }
    }

    private func streamProblem(_ bytes: [UInt8], in view: ReadView) throws -> String? {
        let record = try StoredStreamRecord(decoding: bytes.rawSpan)
        let key = try ItemKey.bytes(ofKey: record.keys, schema)
        let row = try view.get(keyspace, key.rawSpan)
        guard (record.event != .remove) == (row != nil) else {
            let found = row == nil ? "does not exist" : "exists"
            return "\(name): the stream ends with \(record.event.rawValue) of an item that \(found): \(record.keys)"
        }
        guard record.viewType.includesNewImage, record.newRow != row else { return nil }
        return "\(name): the last image in the stream is not the item: \(record.keys)"
    }
}

extension ReadView {
    fileprivate func forEachEntry(
        of keyspace: Keyspace, _ range: KeyRange, _ body: ([UInt8], RawSpan) throws -> Void
    ) throws {
        var cursor = try cursor(keyspace, range)
        try cursor.seekToFirst()
        while cursor.isValid {
            let key = cursor.key.array()
            try body(key, cursor.value)
            try cursor.next()
        }
    }
}
