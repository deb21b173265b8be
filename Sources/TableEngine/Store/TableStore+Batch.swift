// TableStore+Batch.swift — many items in one request.

public import StorageCore

extension TableStore {
    private static let batchReadLimit = 100
    private static let batchWriteLimit = 25
    /// Bytes of one answer.
    private static let batchByteLimit = 16 * 1024 * 1024

    /// Reads up to 100 items by their keys, as of one moment.
    ///
    /// Items that do not exist are left out; keys whose items no longer fit into 16 MB come back unprocessed.
    /// - Throws: `ValidationException`, `ResourceNotFoundException`.
    public func batchGetItem(
        _ request: [String: KeysAndAttributes], at snapshot: Snapshot? = nil
    ) throws -> BatchGetItemResponse {
        let count = request.values.reduce(0) { $0 + $1.keys.count }
        guard count > 0 else { throw TableError.emptyBatch }
        guard count <= Self.batchReadLimit else {
            throw TableError.validation("Too many items requested for the BatchGetItem call")
        }
        let view = (snapshot ?? storage.snapshot()).view
        var responses: [String: [Item]] = [:]
        var unprocessed: [String: KeysAndAttributes] = [:]
        var room = Self.batchByteLimit
        for (name, keys) in request.sorted(by: { $0.key < $1.key }) {
            let (items, rest) = try read(keys, from: try table(name), in: view, room: &room)
            responses[name] = items
            if !rest.isEmpty {
                unprocessed[name] = KeysAndAttributes(keys: rest, projection: keys.projection, names: keys.names)
            }
        }
        return BatchGetItemResponse(responses: responses, unprocessedKeys: unprocessed)
    }

    private func read(
        _ request: KeysAndAttributes, from table: Table, in view: ReadView, room: inout Int
    ) throws -> (items: [Item], rest: [Item]) {
        var expressions = try RequestExpressions(self.expressions, names: request.names, values: [:])
        let projection = try expressions.projection(request.projection)
        try expressions.finish(possible: .projection)
        let keys = try request.keys.map { try ItemKey.bytes(ofKey: $0, table.schema) }
        guard Set(keys).count == keys.count else { throw TableError.duplicateKeys }
        var items: [Item] = []
        for (position, key) in keys.enumerated() {
            guard let item = try table.item(key, in: view) else { continue }
            guard item.sizeInBytes <= room else { return (items, Array(request.keys[position...])) }
            room -= item.sizeInBytes
            items.append(projection?.applied(to: item) ?? item)
        }
        return (items, [])
    }

    /// Writes and removes up to 25 items without conditions.
    ///
    /// The service promises atomicity per item only; here all of them are one commit.
    /// - Throws: `ValidationException`, `ResourceNotFoundException`; then nothing was written.
    public func batchWriteItem(_ request: [String: [WriteRequest]], durability: Durability = .buffered) throws {
        let writes = try prepare(request)
        try storage.write(durability) { try execute(writes, in: $0) }
    }

    public func batchWriteItem(_ request: [String: [WriteRequest]], durability: Durability = .buffered) async throws {
        let writes = try prepare(request)
        try await storage.write(durability) { try execute(writes, in: $0) }
    }

    public func batchWriteItem(_ request: [String: [WriteRequest]], in transaction: WriteTransaction) throws {
        try execute(try prepare(request), in: transaction)
    }

    private func prepare(_ request: [String: [WriteRequest]]) throws -> [PreparedWrite] {
        let count = request.values.reduce(0) { $0 + $1.count }
        guard count > 0 else { throw TableError.emptyBatch }
        guard count <= Self.batchWriteLimit else {
            throw TableError.validation("Too many items requested for the BatchWriteItem call")
        }
        return try request.sorted { $0.key < $1.key }.flatMap { name, requests in
            let writes = try requests.map { try PreparedWrite($0, table: name, self) }
            for write in writes { if let error = write.itemError { throw error } }
            guard Set(writes.map(\.keyBytes)).count == writes.count else { throw TableError.duplicateKeys }
            return writes
        }
    }

    private func execute(_ writes: [PreparedWrite], in transaction: WriteTransaction) throws {
        let writes = try writes.map { try $0.refreshed(by: self) }
        let outcomes = try writes.map { try $0.judge(in: transaction, needsOld: false) }
        for (write, outcome) in zip(writes, outcomes) { try write.apply(outcome, in: transaction) }
    }
}

extension PreparedWrite {
    fileprivate init(_ request: WriteRequest, table: String, _ store: TableStore) throws {
        switch request {
        case .put(let item): try self.init(PutItemRequest(table: table, item: item), store)
        case .delete(let key): try self.init(DeleteItemRequest(table: table, key: key), store)
        }
    }
}

extension TableError {
    fileprivate static let duplicateKeys = TableError.validation("Provided list of item keys contains duplicates")
    fileprivate static let emptyBatch = TableError.validation(
        "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: "
            + "Member must have length greater than or equal to 1")
}
