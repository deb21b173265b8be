// TableStore+TransactGet.swift — several items as of one moment.

public import StorageCore

extension TableStore {
    /// Reads up to 100 items as of one moment: no write lies between any two of them.
    ///
    /// - Returns: one entry per request, in the order of the requests; `nil` for an item that does not exist.
    /// - Throws: `TransactionCanceledException` for a key that does not fit its table; `ValidationException`,
    ///   `ResourceNotFoundException` for the request as a whole.
    public func transactGetItems(_ request: TransactGetItemsRequest, at snapshot: Snapshot? = nil) throws -> [Item?] {
        try RequestConstraint.checkCount(request.items.count, 1...Self.transactionLimit, at: "transactItems")
        let reads = try prepare(request.items)
        let view = (snapshot ?? storage.snapshot()).view
        var size = 0
        return try reads.map { read in
            guard let item = try read.table.item(read.key, in: view) else { return nil }
            size += item.sizeInBytes
            guard size <= Self.transactionSizeLimit else {
                throw TableError.validation("Collection size of items in the transaction request cannot exceed 4MB")
            }
            return read.projection?.applied(to: item) ?? item
        }
    }

    private struct Read {
        let table: Table
        let key: [UInt8]
        let projection: Projection?
    }

    private func prepare(_ requests: [GetItemRequest]) throws -> [Read] {
        var keys: Set<[UInt8]> = []
        return try requests.enumerated().map { position, request in
            var expressions = try RequestExpressions(self.expressions, names: request.names, values: [:])
            let projection = try expressions.projection(request.projection)
            try expressions.finish(possible: .projection)
            let table = try table(request.table)
            let key: [UInt8]
            do {
                key = try ItemKey.bytes(ofKey: request.key, table.schema)
            } catch let error as TableError where error == .keyMismatch {
                var reasons = Array(repeating: CancellationReason.none, count: requests.count)
                reasons[position] = CancellationReason(.validationError, message: error.message)
                throw TableError.transactionCanceled(reasons)
            }
            guard keys.insert(Array(table.name.utf8) + [0] + key).inserted else {
                throw TableError.validation("Transaction request cannot include multiple operations on one item")
            }
            return Read(table: table, key: key, projection: projection)
        }
    }
}
