// TableStore+Items.swift — reading and writing one item.

public import StorageCore

extension TableStore {
    // MARK: Reading

    /// The item with a key; `nil` if there is none.
    ///
    /// - Parameter snapshot: the moment to read at; now if it is `nil`.
    /// - Throws: `ValidationException`, `ResourceNotFoundException`.
    public func getItem(_ request: GetItemRequest, at snapshot: Snapshot? = nil) throws -> Item? {
        var expressions = try RequestExpressions(self.expressions, names: request.names, values: [:])
        let projection = try expressions.projection(request.projection)
        try expressions.finish(possible: .projection)
        let item = try getItem(request.key, from: request.table, at: snapshot)
        guard let item, let projection else { return item }
        return projection.applied(to: item)
    }

    /// The item with a key, whole; `nil` if there is none.
    public func getItem(_ key: Item, from table: String, at snapshot: Snapshot? = nil) throws -> Item? {
        let table = try self.table(table)
        let bytes = try ItemKey.bytes(ofKey: key, table.schema)
        return try table.item(bytes, in: (snapshot ?? storage.snapshot()).view)
    }

    /// The item as an open transaction sees it, its own changes included.
    public func getItem(_ key: Item, from table: String, in transaction: WriteTransaction) throws -> Item? {
        let table = try self.table(table)
        return try table.item(try ItemKey.bytes(ofKey: key, table.schema), in: transaction.view)
    }

    // MARK: Put

    /// Writes an item in place of the one with its key.
    ///
    /// - Returns: with `returnValues: .allOld` the item that was replaced.
    /// - Throws: `ConditionalCheckFailedException`, `ValidationException`, `ResourceNotFoundException`.
    @discardableResult
    public func putItem(_ request: PutItemRequest, durability: Durability = .buffered) throws -> Item? {
        let write = try PreparedWrite(request, self)
        return try storage.write(durability) { try execute(write, request.returnValues, in: $0) }
    }

    @discardableResult
    public func putItem(_ request: PutItemRequest, durability: Durability = .buffered) async throws -> Item? {
        let write = try PreparedWrite(request, self)
        return try await storage.write(durability) { try execute(write, request.returnValues, in: $0) }
    }

    @discardableResult
    public func putItem(_ request: PutItemRequest, in transaction: WriteTransaction) throws -> Item? {
        try execute(try PreparedWrite(request, self), request.returnValues, in: transaction)
    }

    // MARK: Update

    /// Changes attributes of an item, or makes it.
    ///
    /// - Returns: what `returnValues` asks for, if there is any.
    /// - Throws: `ConditionalCheckFailedException`, `ValidationException`, `ResourceNotFoundException`.
    @discardableResult
    public func updateItem(_ request: UpdateItemRequest, durability: Durability = .buffered) throws -> Item? {
        let write = try PreparedWrite(request, self)
        return try storage.write(durability) { try execute(write, request.returnValues, in: $0) }
    }

    @discardableResult
    public func updateItem(_ request: UpdateItemRequest, durability: Durability = .buffered) async throws -> Item? {
        let write = try PreparedWrite(request, self)
        return try await storage.write(durability) { try execute(write, request.returnValues, in: $0) }
    }

    @discardableResult
    public func updateItem(_ request: UpdateItemRequest, in transaction: WriteTransaction) throws -> Item? {
        try execute(try PreparedWrite(request, self), request.returnValues, in: transaction)
    }

    // MARK: Delete

    /// Removes an item, if it is there.
    ///
    /// - Returns: with `returnValues: .allOld` the item that was removed.
    /// - Throws: `ConditionalCheckFailedException`, `ValidationException`, `ResourceNotFoundException`.
    @discardableResult
    public func deleteItem(_ request: DeleteItemRequest, durability: Durability = .buffered) throws -> Item? {
        let write = try PreparedWrite(request, self)
        return try storage.write(durability) { try execute(write, request.returnValues, in: $0) }
    }

    @discardableResult
    public func deleteItem(_ request: DeleteItemRequest, durability: Durability = .buffered) async throws -> Item? {
        let write = try PreparedWrite(request, self)
        return try await storage.write(durability) { try execute(write, request.returnValues, in: $0) }
    }

    @discardableResult
    public func deleteItem(_ request: DeleteItemRequest, in transaction: WriteTransaction) throws -> Item? {
        try execute(try PreparedWrite(request, self), request.returnValues, in: transaction)
    }

    // MARK: One write

    private func execute(
        _ write: PreparedWrite, _ returnValues: ReturnValues, in transaction: WriteTransaction
    ) throws -> Item? {
        let write = try write.refreshed(by: self)
        let outcome = try write.judge(in: transaction, needsOld: returnValues != .none)
        try write.apply(outcome, in: transaction)
        try trimOccasionally(write.table, in: transaction)
        return write.attributes(of: outcome, returnValues)
    }
}

extension PreparedWrite {
    /// What the caller gets back; `nil` rather than an empty item.
    fileprivate func attributes(of outcome: WriteOutcome, _ returnValues: ReturnValues) -> Item? {
        switch returnValues {
        case .none: nil
        case .allOld: outcome.old
        case .allNew: outcome.new
        case .updatedOld: written(of: outcome.old)
        case .updatedNew: written(of: outcome.new)
        }
    }

    /// The parts of an item that the update wrote.
    private func written(of item: Item?) -> Item? {
        guard let item, case .update(let update?) = action else { return nil }
        let parts = Projection(update.targets).applied(to: item)
        return parts.isEmpty ? nil : parts
    }
}
