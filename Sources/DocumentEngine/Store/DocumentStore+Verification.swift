// DocumentStore+Verification.swift — the cross-check of rows and indexes that the storage's verify() runs.

extension DocumentStore {
    /// One line for each record that is not well-formed, each missing or misdirected index entry, each stray one.
    func problems(in snapshot: Snapshot) throws -> [String] {
        var problems: [String] = []
        for state in states {
            // A collection newer than the snapshot is looked at by the next check.
            guard try snapshot.view.contains(catalog, CollectionCatalog.key(state.namespace).rawSpan) else { continue }
            let indexes = state.indexes.filter { $0.isReadable(at: snapshot.view) }
            problems += try findProblems(in: state, indexes, snapshot.view)
        }
        return problems
    }

    private func findProblems(in state: CollectionState, _ indexes: [Index], _ view: ReadView) throws -> [String] {
        var problems: [String] = []
        var expectedCounts = indexes.map { _ in 0 }
        var cursor = try view.cursor(state.records)
        try cursor.seekToFirst()
        while cursor.isValid {
            guard let record = RecordID(cursor.key) else {
                problems.append("\(state.namespace): a key is no record number")
                try cursor.next()
                continue
            }
            let name = "\(state.namespace): record \(record.rawValue)"
            if let document = try? Document(bytes: cursor.value.array()) {
                for (position, index) in indexes.enumerated() {
                    let keys = try index.specification.keys(of: document.view).keys
                    expectedCounts[position] += keys.count
                    let isComplete = try keys.allSatisfy { try isPresent($0, record, index, view) }
                    if !isComplete { problems.append("\(name) has no entry, or a wrong one, in index \(index.name)") }
                }
            } else {
                problems.append("\(name) is not BSON")
            }
            try cursor.next()
        }
        for (index, expected) in zip(indexes, expectedCounts) {
            let found = try entryCount(index, view)
            if found != expected {
                problems.append("\(state.namespace): index \(index.name) has \(found) entries, \(expected) are due")
            }
        }
        return problems
    }

    private func isPresent(_ key: [UInt8], _ record: RecordID, _ index: Index, _ view: ReadView) throws -> Bool {
        let entry = index.entryKey(key, record)
        return try view.withValue(index.keyspace, entry.rawSpan) { value in
            index.record(key: entry.rawSpan, value: value) == record
        } ?? false
    }

    private func entryCount(_ index: Index, _ view: ReadView) throws -> Int {
        var count = 0
        var cursor = try view.cursor(index.keyspace)
        try cursor.seekToFirst()
        while cursor.isValid {
            count += 1
            try cursor.next()
        }
        return count
    }
}
