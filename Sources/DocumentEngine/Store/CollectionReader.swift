// CollectionReader.swift — finding the documents that match, by the plan, in a snapshot or an open transaction.

/// Reads documents of one collection through a view.
struct CollectionReader {
    let state: CollectionState
    let view: ReadView

    /// The plan for a filter, by the planner or as hinted.
    func plan(_ filter: MatchExpression, hint: IndexHint?) throws(DocumentError) -> QueryPlan {
        let planner = QueryPlanner(indexes: state.indexes, view: view)
        guard let hint else { return planner.plan(filter) }
        return try planner.plan(filter, hint: hint)
    }

    /// Calls `body` with each document that matches, until it answers false. The bytes are good inside `body` only.
    func forEachMatch(
        of filter: MatchExpression, hint: IndexHint? = nil, _ body: (RecordID, BSONView) throws -> Bool
    ) throws {
        switch try plan(filter, hint: hint) {
        case .collectionScan: try scanCollection(filter, body)
        case .indexScan(let scan): try scanIndex(scan, filter, body)
        }
    }

    private func scanCollection(_ filter: MatchExpression, _ body: (RecordID, BSONView) throws -> Bool) throws {
        var cursor = try view.cursor(state.records)
        try cursor.seekToFirst()
        while cursor.isValid {
            guard let record = RecordID(cursor.key) else { throw damaged(state.records) }
            guard try offer(cursor.value, record, filter, body) else { return }
            try cursor.next()
        }
    }

    private func scanIndex(
        _ scan: IndexScan, _ filter: MatchExpression, _ body: (RecordID, BSONView) throws -> Bool
    ) throws {
        // An array gives a record several keys; it is visited once.
        var visited = Set<RecordID>()
        let mayRepeat = scan.index.isMultikey
        for range in scan.ranges {
            let goesOn = try forEachRecord(scan, range) { record in
                if mayRepeat, !visited.insert(record).inserted { return true }
                return try fetch(record, filter, body)
            }
            guard goesOn else { return }
        }
    }

    /// Calls `body` with the record of each index entry in the range, until it answers false; tells whether it did not.
    private func forEachRecord(
        _ scan: IndexScan, _ range: KeyRange, _ body: (RecordID) throws -> Bool
    ) throws -> Bool {
        let index = scan.index
        if scan.isExact, index.specification.isUnique, let key = range.lower {
            let record = try view.withValue(index.keyspace, key.rawSpan) { RecordID($0) } ?? nil
            return try record.map { try body($0) } ?? true
        }
        var cursor = try view.cursor(index.keyspace, range)
        try cursor.seekToFirst()
        while cursor.isValid {
            guard let record = index.record(key: cursor.key, value: cursor.value) else { throw damaged(index.keyspace) }
            guard try body(record) else { return false }
            try cursor.next()
        }
        return true
    }

    private func fetch(
        _ record: RecordID, _ filter: MatchExpression, _ body: (RecordID, BSONView) throws -> Bool
    ) throws -> Bool {
        try view.withValue(state.records, record.bytes.rawSpan) { try offer($0, record, filter, body) } ?? true
    }

    /// Gives the document to `body` if it matches; tells whether to go on.
    private func offer(
        _ bytes: RawSpan, _ record: RecordID, _ filter: MatchExpression, _ body: (RecordID, BSONView) throws -> Bool
    ) throws -> Bool {
        let document = BSONView(document: bytes)
        return try filter.matches(document) ? body(record, document) : true
    }

    private func damaged(_ keyspace: Keyspace) -> StorageError {
        .corruption("Keyspace '\(keyspace.name)' holds an entry that is not of its format; run verify().")
    }

    /// The first match, copied.
    func firstMatch(
        of filter: MatchExpression, sort: SortOrder? = nil, hint: IndexHint? = nil
    ) throws -> (record: RecordID, document: Document)? {
        var first: (record: RecordID, document: Document)?
        var firstKey: [UInt8] = []
        try forEachMatch(of: filter, hint: hint) { record, document in
            guard let sort else {
                first = (record, Document(trusted: document.bytes.array()))
                return false
            }
            let key = sort.key(of: document)
            if first == nil || key.lexicographicallyPrecedes(firstKey) {
                first = (record, Document(trusted: document.bytes.array()))
                firstKey = key
            }
            return true
        }
        return first
    }
}
