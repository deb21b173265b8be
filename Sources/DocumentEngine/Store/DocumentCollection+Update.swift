// DocumentCollection+Update.swift — updateOne, updateMany, replaceOne and the findOneAnd… forms.

extension DocumentCollection {
    /// Changes the first document that matches; with `upsert` inserts one if none does.
    /// - Throws: ``DocumentError``: 9 for a bad update, 14, 28, 40 and 66 as the operators say, 121 and 11000 as for an
    ///   insert.
    @discardableResult
    public func updateOne(
        _ filter: Document, _ update: Document, upsert: Bool = false, bypassDocumentValidation: Bool = false,
        durability: Durability = .buffered
    ) throws -> UpdateResult {
        let change = try Change(filter, UpdateExpression(operators: update), upsert, bypassDocumentValidation)
        return try run(change, durability)
    }

    @discardableResult
    public func updateOne(
        _ filter: Document, _ update: Document, upsert: Bool = false, bypassDocumentValidation: Bool = false,
        in transaction: WriteTransaction
    ) throws -> UpdateResult {
        let change = try Change(filter, UpdateExpression(operators: update), upsert, bypassDocumentValidation)
        return try changeOne(change, in: transaction).result
    }

    /// Replaces the first document that matches by another, which keeps the `_id`.
    @discardableResult
    public func replaceOne(
        _ filter: Document, _ replacement: Document, upsert: Bool = false, bypassDocumentValidation: Bool = false,
        durability: Durability = .buffered
    ) throws -> UpdateResult {
        let change = try Change(filter, UpdateExpression(replacement: replacement), upsert, bypassDocumentValidation)
        return try run(change, durability)
    }

    @discardableResult
    public func replaceOne(
        _ filter: Document, _ replacement: Document, upsert: Bool = false, bypassDocumentValidation: Bool = false,
        in transaction: WriteTransaction
    ) throws -> UpdateResult {
        let change = try Change(filter, UpdateExpression(replacement: replacement), upsert, bypassDocumentValidation)
        return try changeOne(change, in: transaction).result
    }

    /// Changes every document that matches.
    ///
    /// Not atomic as a whole, as in MongoDB: documents are found as of one moment and changed in chunks, each checked
    /// again for the filter before it is changed.
    @discardableResult
    public func updateMany(
        _ filter: Document, _ update: Document, upsert: Bool = false, bypassDocumentValidation: Bool = false,
        durability: Durability = .buffered
    ) throws -> UpdateResult {
        let change = try Change(filter, UpdateExpression(operators: update), upsert, bypassDocumentValidation)
        let records = try matchingRecords(change.filter)
        guard !records.isEmpty else { return try upsertMissing(change, durability) }
        var result = UpdateResult.none
        for start in stride(from: 0, to: records.count, by: Self.chunkCount) {
            let chunk = records[start..<min(start + Self.chunkCount, records.count)]
            try store.storage.write(durability) { try changeEach(chunk, change, &result, in: $0) }
        }
        return result
    }

    /// As ``updateMany(_:_:upsert:bypassDocumentValidation:durability:)``, inside an open transaction and so atomic.
    @discardableResult
    public func updateMany(
        _ filter: Document, _ update: Document, upsert: Bool = false, bypassDocumentValidation: Bool = false,
        in transaction: WriteTransaction
    ) throws -> UpdateResult {
        let change = try Change(filter, UpdateExpression(operators: update), upsert, bypassDocumentValidation)
        var records: [RecordID] = []
        if let state = store.state(namespace) {
            try CollectionReader(state: state, view: transaction.view).forEachMatch(of: change.filter) { record, _ in
                records.append(record)
                return true
            }
        }
        guard !records.isEmpty else {
            return upsert ? try insertUpserted(change, in: transaction).result : .none
        }
        var result = UpdateResult.none
        try changeEach(records[...], change, &result, in: transaction)
        return result
    }

    /// Changes the first document by `sort` and gives it back as it was, or as it is now.
    public func findOneAndUpdate(
        _ filter: Document, _ update: Document, sort: Document? = nil, projection: Document? = nil,
        upsert: Bool = false, returning: ReturnDocument = .before, durability: Durability = .buffered
    ) throws -> Document? {
        try prepareUpsert(upsert, durability)
        return try store.storage.write(durability) {
            try findOneAndUpdate(
                filter, update, sort: sort, projection: projection, upsert: upsert, returning: returning, in: $0)
        }
    }

    public func findOneAndUpdate(
        _ filter: Document, _ update: Document, sort: Document? = nil, projection: Document? = nil,
        upsert: Bool = false, returning: ReturnDocument = .before, in transaction: WriteTransaction
    ) throws -> Document? {
        var change = try Change(filter, UpdateExpression(operators: update), upsert, false)
        change.sort = try sort.flatMap { try SortOrder($0) }
        let projection = try projection.flatMap { try Projection($0) }
        let outcome = try changeOne(change, in: transaction)
        let document = returning == .before ? outcome.before : outcome.after
        return document.map { projection?.apply(to: $0.view) ?? $0 }
    }
}

extension DocumentCollection {
    /// A compiled update of documents that match a filter.
    private struct Change {
        let filter: MatchExpression
        let update: UpdateExpression
        let upserts: Bool
        let bypass: Bool
        var sort: SortOrder?

        init(_ filter: Document, _ update: UpdateExpression, _ upserts: Bool, _ bypass: Bool) throws(DocumentError) {
            self.filter = try FilterParser.parse(filter)
            self.update = update
            self.upserts = upserts
            self.bypass = bypass
        }
    }

    private struct ChangeOutcome {
        var result: UpdateResult
        var before: Document?
        var after: Document?
    }

    private static let chunkCount = 500

    private func prepareUpsert(_ upsert: Bool, _ durability: Durability) throws {
        if upsert { try ensureExists(durability) }
    }

    private func run(_ change: Change, _ durability: Durability) throws -> UpdateResult {
        try prepareUpsert(change.upserts, durability)
        return try store.storage.write(durability) { try changeOne(change, in: $0).result }
    }

    private func changeOne(_ change: Change, in transaction: WriteTransaction) throws -> ChangeOutcome {
        guard let state = store.state(namespace) else {
            return change.upserts ? try insertUpserted(change, in: transaction) : ChangeOutcome(result: .none)
        }
        let reader = CollectionReader(state: state, view: transaction.view)
        guard let (record, before) = try reader.firstMatch(of: change.filter, sort: change.sort) else {
            return change.upserts ? try insertUpserted(change, in: transaction) : ChangeOutcome(result: .none)
        }
        let after = try apply(change, to: record, before, state, transaction)
        var result = UpdateResult.none
        result.count(before, after)
        return ChangeOutcome(result: result, before: before, after: after)
    }

    private func apply(
        _ change: Change, to record: RecordID, _ before: Document, _ state: CollectionState,
        _ transaction: WriteTransaction
    ) throws -> Document {
        let after = try change.update.apply(to: before, now: transaction.commitTime)
        if after != before {
            try writer(state, transaction, bypass: change.bypass).replace(record, before, with: after)
        }
        return after
    }

    private func changeEach(
        _ records: ArraySlice<RecordID>, _ change: Change, _ result: inout UpdateResult,
        in transaction: WriteTransaction
    ) throws {
        let state = try requireState()
        for record in records {
            guard let bytes = try transaction.get(state.records, record.bytes.rawSpan) else { continue }
            let before = Document(trusted: bytes)
            guard change.filter.matches(before.view) else { continue }
            let after = try apply(change, to: record, before, state, transaction)
            result.count(before, after)
        }
    }

    private func matchingRecords(_ filter: MatchExpression) throws -> [RecordID] {
        guard let (reader, snapshot) = reader() else { return [] }
        defer { _ = snapshot }
        var records: [RecordID] = []
        try reader.forEachMatch(of: filter) { record, _ in
            records.append(record)
            return true
        }
        return records
    }

    private func upsertMissing(_ change: Change, _ durability: Durability) throws -> UpdateResult {
        guard change.upserts else { return .none }
        try ensureExists(durability)
        // Someone may have inserted a match meanwhile: then that one is changed.
        return try store.storage.write(durability) { try changeOne(change, in: $0).result }
    }

    private func insertUpserted(_ change: Change, in transaction: WriteTransaction) throws -> ChangeOutcome {
        let seed = try change.update.documentToInsert(for: change.filter, now: transaction.commitTime)
        let (document, id) = identified(seed)
        let state = try requireState()
        try writer(state, transaction, bypass: change.bypass).insert(document)
        var result = UpdateResult.none
        result.upsertedID = id
        return ChangeOutcome(result: result, before: nil, after: document)
    }
}

extension UpdateResult {
    fileprivate static let none = UpdateResult(acknowledged: true, matchedCount: 0, modifiedCount: 0, upsertedID: nil)

    fileprivate mutating func count(_ before: Document, _ after: Document) {
        matchedCount += 1
        if before != after { modifiedCount += 1 }
    }
}
