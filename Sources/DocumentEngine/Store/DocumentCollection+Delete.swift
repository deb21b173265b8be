// DocumentCollection+Delete.swift — deleteOne, deleteMany and findOneAndDelete.

extension DocumentCollection {
    /// Removes the first document that matches.
    @discardableResult
    public func deleteOne(_ filter: Document, durability: Durability = .buffered) throws -> DeleteResult {
        try store.storage.write(durability) { try deleteOne(filter, in: $0) }
    }

    @discardableResult
    public func deleteOne(_ filter: Document, in transaction: WriteTransaction) throws -> DeleteResult {
        let deleted = try findOneAndDelete(filter, in: transaction)
        return DeleteResult(acknowledged: true, deletedCount: deleted == nil ? 0 : 1)
    }

    /// Removes every document that matches.
    ///
    /// Not atomic as a whole, as in MongoDB: documents are found and removed in chunks.
    @discardableResult
    public func deleteMany(_ filter: Document, durability: Durability = .buffered) throws -> DeleteResult {
        let expression = try FilterParser.parse(filter)
        var result = DeleteResult(acknowledged: true, deletedCount: 0)
        while true {
            let count = try store.storage.write(durability) {
                try delete(expression, atMost: Self.deleteChunkCount, in: $0)
            }
            result.deletedCount += count
            if count < Self.deleteChunkCount { return result }
        }
    }

    /// As ``deleteMany(_:durability:)``, inside an open transaction and so atomic.
    @discardableResult
    public func deleteMany(_ filter: Document, in transaction: WriteTransaction) throws -> DeleteResult {
        let count = try delete(try FilterParser.parse(filter), atMost: .max, in: transaction)
        return DeleteResult(acknowledged: true, deletedCount: count)
    }

    /// Removes the first document by `sort` and gives it back.
    public func findOneAndDelete(
        _ filter: Document, sort: Document? = nil, projection: Document? = nil, durability: Durability = .buffered
    ) throws -> Document? {
        try store.storage.write(durability) {
            try findOneAndDelete(filter, sort: sort, projection: projection, in: $0)
        }
    }

    public func findOneAndDelete(
        _ filter: Document, sort: Document? = nil, projection: Document? = nil, in transaction: WriteTransaction
    ) throws -> Document? {
        let expression = try FilterParser.parse(filter)
        let order = try sort.flatMap { try SortOrder($0) }
        let projection = try projection.flatMap { try Projection($0) }
        guard let state = store.state(namespace) else { return nil }
        let reader = CollectionReader(state: state, view: transaction.view)
        guard let (record, document) = try reader.firstMatch(of: expression, sort: order) else { return nil }
        try writer(state, transaction).delete(record, document)
        return projection?.apply(to: document.view) ?? document
    }

    private static let deleteChunkCount = 1000

    private func delete(_ filter: MatchExpression, atMost limit: Int, in transaction: WriteTransaction) throws -> Int {
        guard let state = store.state(namespace) else { return 0 }
        var found: [(RecordID, Document)] = []
        try CollectionReader(state: state, view: transaction.view).forEachMatch(of: filter) { record, document in
            found.append((record, Document(trusted: document.bytes.array())))
            return found.count < limit
        }
        let writer = writer(state, transaction)
        for (record, document) in found { try writer.delete(record, document) }
        return found.count
    }
}
