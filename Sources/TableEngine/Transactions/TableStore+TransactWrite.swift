// TableStore+TransactWrite.swift — all-or-nothing writes of several items.
//
// The order of checks is the service's: the shape of the request, then expressions and items, then two actions on one
// item; in the writer lane the token, then every action's condition without stopping at the first that fails. An
// action that its item makes impossible ends the judging: those behind it report None.

public import StorageCore

extension TableStore {
    /// Actions of one transaction.
    static let transactionLimit = 100
    /// Bytes of all items, keys and values that a transaction mentions.
    static let transactionSizeLimit = 4 * 1024 * 1024

    /// Performs all actions, or none.
    ///
    /// Serializable: nothing else happens between the first condition that is checked and the last write.
    /// - Throws: `TransactionCanceledException` with a reason for each action, if a condition fails or an item makes an
    ///   action impossible; `IdempotentParameterMismatchException` if the token was used for another request;
    ///   `ValidationException`, `ResourceNotFoundException` for the request as a whole.
    public func transactWriteItems(_ request: TransactWriteItemsRequest, durability: Durability = .buffered) throws {
        let transaction = try PreparedTransaction(request, self)
        try storage.write(durability) { try transaction.execute(self, in: $0) }
    }

    public func transactWriteItems(
        _ request: TransactWriteItemsRequest, durability: Durability = .buffered
    ) async throws {
        let transaction = try PreparedTransaction(request, self)
        try await storage.write(durability) { try transaction.execute(self, in: $0) }
    }

    /// The actions as part of an open transaction. If this throws it has written nothing, so the caller may go on.
    public func transactWriteItems(_ request: TransactWriteItemsRequest, in transaction: WriteTransaction) throws {
        try PreparedTransaction(request, self).execute(self, in: transaction)
    }
}

/// A transaction's actions, prepared outside the writer lane.
struct PreparedTransaction {
    private let writes: [PreparedWrite]
    private let token: RequestToken?

    init(_ request: TransactWriteItemsRequest, _ store: TableStore) throws {
        try RequestConstraint.checkCount(request.items.count, 1...TableStore.transactionLimit, at: "transactItems")
        writes = try request.items.map { try PreparedWrite($0, store) }
        // Only now are the items known to be nested no deeper than an encoder may follow.
        token = try request.clientRequestToken.map { try RequestToken($0, for: request) }
        guard request.items.reduce(0, { $0 + $1.sizeInBytes }) <= TableStore.transactionSizeLimit else {
            throw TableError.validation("Collection size of items in the transaction request cannot exceed 4MB")
        }
        try checkDistinct()
    }

    /// Pair by pair: most transactions have a handful of actions, and no table of keys has to be built for them.
    private func checkDistinct() throws {
        for (position, write) in writes.enumerated() where write.itemError == nil {
            let isRepeated = writes[..<position].contains { $0.table === write.table && $0.keyBytes == write.keyBytes }
            guard !isRepeated else {
                throw TableError.validation("Transaction request cannot include multiple operations on one item")
            }
        }
    }

    func execute(_ store: TableStore, in transaction: WriteTransaction) throws {
        if let token, try token.wasUsed(store, in: transaction) { return }
        let writes = try writes.map { try $0.refreshed(by: store) }
        let outcomes = try judge(writes, in: transaction)
        for (write, outcome) in zip(writes, outcomes) { try write.apply(outcome, in: transaction) }
        for write in writes { try store.trimOccasionally(write.table, in: transaction) }
        try token?.save(store, in: transaction)
    }

    private func judge(_ writes: [PreparedWrite], in transaction: WriteTransaction) throws -> [WriteOutcome] {
        var outcomes: [WriteOutcome] = []
        outcomes.reserveCapacity(writes.count)
        var reasons: [CancellationReason] = []
        var isCancelled = false
        for write in writes {
            do {
                outcomes.append(try write.judge(in: transaction, needsOld: false))
                reasons.append(.none)
            } catch let error as TableError {
                isCancelled = true
                reasons.append(error.cancellationReason)
                if error.code == .validation { break }
            }
        }
        guard !isCancelled else {
            reasons += Array(repeating: .none, count: writes.count - reasons.count)
            throw TableError.transactionCanceled(reasons)
        }
        return outcomes
    }
}

extension PreparedWrite {
    init(_ item: TransactWriteItem, _ store: TableStore) throws {
        switch item {
        case .put(var request):
            request.returnValues = .none
            try self.init(request, store)
        case .update(let request): try self.init(request, store)
        case .delete(var request):
            request.returnValues = .none
            try self.init(request, store)
        case .conditionCheck(let check): try self.init(check, store)
        }
    }
}

extension TransactWriteItem {
    /// Bytes of the items, keys and values in the request.
    fileprivate var sizeInBytes: Int {
        switch self {
        case .put(let request): request.item.sizeInBytes + Self.size(of: request.values)
        case .update(let request): request.key.sizeInBytes + Self.size(of: request.values)
        case .delete(let request): request.key.sizeInBytes + Self.size(of: request.values)
        case .conditionCheck(let check): check.key.sizeInBytes + Self.size(of: check.values)
        }
    }

    private static func size(of values: [String: AttributeValue]) -> Int {
        values.reduce(0) { $0 + $1.key.utf8.count + $1.value.sizeInBytes }
    }
}

extension TableError {
    static func transactionCanceled(_ reasons: [CancellationReason]) -> TableError {
        let codes = reasons.map(\.code.rawValue).joined(separator: ", ")
        return TableError(
            .transactionCanceled,
            "Transaction cancelled, please refer cancellation reasons for specific reasons [\(codes)]",
            cancellationReasons: reasons)
    }

    fileprivate var cancellationReason: CancellationReason {
        code == .conditionalCheckFailed
            ? .conditionFailed(item) : CancellationReason(.validationError, message: message)
    }
}
