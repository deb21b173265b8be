// PreparedWrite.swift — a write of one item, checked and encoded before it enters the writer lane.
//
// The service has two levels of errors: those of the request, and those of an item, which in a transaction are a reason
// to cancel. Preparing throws the former; the latter wait in `itemError`, for the caller to decide.

internal import StorageCore

/// A write of one item with everything done that needs no look at the item.
struct PreparedWrite {
    enum Action {
        /// The row is the item's encoding.
        case put(Item, row: [UInt8])
        case update(BoundUpdate?)
        case delete
        case check
    }

    private(set) var table: Table
    /// The item's key as attributes.
    let key: Item
    /// The key's bytes; empty if `itemError` says why there are none.
    let keyBytes: [UInt8]
    let action: Action
    let condition: BoundCondition?
    let returnsItemOnFailure: Bool
    let itemError: TableError?

    private init(
        table: Table, key: Item, action: Action, condition: BoundCondition?,
        onFailure: ReturnValuesOnConditionCheckFailure, keyBytes: () throws -> [UInt8]
    ) throws {
        self.table = table
        self.key = key
        self.action = action
        self.condition = condition
        returnsItemOnFailure = onFailure == .allOld
        var bytes: [UInt8] = []
        var error: TableError?
        do {
            bytes = try keyBytes()
            error = try Self.itemError(of: action, table)
        } catch let refusal as TableError where refusal.isOfItem {
            error = refusal
        }
        self.keyBytes = bytes
        itemError = error
    }

    /// What is wrong with the action as such, whatever item it meets.
    private static func itemError(of action: Action, _ table: Table) throws -> TableError? {
        switch action {
        case .put(let item, _):
            try table.checkIndexKeys(of: item)
            return nil
        case .update(let update): return update?.errorWriting(keyAttributes: table.schema.names)
        case .delete, .check: return nil
        }
    }

    init(_ request: PutItemRequest, _ store: TableStore) throws {
        guard request.returnValues == .none || request.returnValues == .allOld else { throw TableError.returnValues }
        var expressions = try RequestExpressions(store.expressions, names: request.names, values: request.values)
        let condition = try expressions.condition(request.condition)
        try expressions.finish(possible: .condition)
        let table = try store.table(request.table)
        let item = try request.item.storable()
        try item.checkSize()
        try self.init(
            table: table, key: table.schema.key(of: item), action: .put(item, row: ItemCodec.encode(item)),
            condition: condition, onFailure: request.returnValuesOnConditionCheckFailure
        ) { try ItemKey.bytes(ofItem: item, table.schema) }
    }

    init(_ request: UpdateItemRequest, _ store: TableStore) throws {
        var expressions = try RequestExpressions(store.expressions, names: request.names, values: request.values)
        let update = try expressions.update(request.update)
        let condition = try expressions.condition(request.condition)
        try expressions.finish(possible: .update, .condition)
        let table = try store.table(request.table)
        try self.init(
            table: table, key: request.key, action: .update(update), condition: condition,
            onFailure: request.returnValuesOnConditionCheckFailure
        ) { try ItemKey.bytes(ofKey: request.key, table.schema) }
    }

    init(_ request: DeleteItemRequest, _ store: TableStore) throws {
        guard request.returnValues == .none || request.returnValues == .allOld else { throw TableError.returnValues }
        var expressions = try RequestExpressions(store.expressions, names: request.names, values: request.values)
        let condition = try expressions.condition(request.condition)
        try expressions.finish(possible: .condition)
        let table = try store.table(request.table)
        try self.init(
            table: table, key: request.key, action: .delete, condition: condition,
            onFailure: request.returnValuesOnConditionCheckFailure
        ) { try ItemKey.bytes(ofKey: request.key, table.schema) }
    }

    init(_ check: ConditionCheck, _ store: TableStore) throws {
        var expressions = try RequestExpressions(store.expressions, names: check.names, values: check.values)
        let condition = try expressions.condition(check.condition)
        try expressions.finish(possible: .condition)
        let table = try store.table(check.table)
        try self.init(
            table: table, key: check.key, action: .check, condition: condition,
            onFailure: check.returnValuesOnConditionCheckFailure
        ) { try ItemKey.bytes(ofKey: check.key, table.schema) }
    }
}

extension PreparedWrite {
    /// The write for the table as it is now: between preparing and the writer lane its stream may have been turned on
    /// or off, or the table deleted and made anew.
    ///
    /// - Throws: `ResourceNotFoundException` if the table is not the one that the write was prepared for.
    func refreshed(by store: TableStore) throws -> PreparedWrite {
        let current = try store.table(table.name)
        guard current !== table else { return self }
        guard current.definition.creation == table.definition.creation, current.schema == table.schema else {
            throw TableError.tableNotFound
        }
        var write = self
        write.table = current
        return write
    }
}

extension TableError {
    static let returnValues = TableError.validation("ReturnValues can only be ALL_OLD or NONE")

    /// Whether the error concerns one item rather than the request: a key that does not fit the table's schema.
    fileprivate var isOfItem: Bool {
        !message.hasPrefix("One or more parameter values are not valid. ")
    }
}
