// RequestToken.swift — what makes a transaction idempotent.
//
// A used token is stored in the commit of its transaction, so it survives exactly if the transaction does:
//
//     key = the token's UTF-8        value = fingerprint of the request (16 bytes)        expiry = commit + 10 minutes

internal import StorageCore

/// A client request token together with what it was given for.
struct RequestToken {
    private static let lifetime = Duration.seconds(600)
    private static let lengths = 1...36

    private let key: [UInt8]
    private let fingerprint: [UInt8]

    /// - Throws: `ValidationException` if the token is not 1 to 36 characters long.
    init(_ token: String, for request: TransactWriteItemsRequest) throws {
        try RequestConstraint.checkLength(of: token, Self.lengths, at: "clientRequestToken")
        key = Array(token.utf8)
        fingerprint = RequestFingerprint.bytes(of: request.items)
    }

    /// Whether the same request was carried out with this token in the last ten minutes.
    ///
    /// - Throws: `IdempotentParameterMismatchException` if another one was.
    func wasUsed(_ store: TableStore, in transaction: WriteTransaction) throws -> Bool {
        guard let known = try transaction.get(store.requestTokens, key.rawSpan) else { return false }
        guard known == fingerprint else {
            throw TableError(
                .idempotentParameterMismatch,
                "DynamoDB rejected the request because you retried a request with a different payload but with an "
                    + "idempotent token that was already used.")
        }
        return true
    }

    func save(_ store: TableStore, in transaction: WriteTransaction) throws {
        try transaction.put(
            store.requestTokens, key.rawSpan, fingerprint.rawSpan,
            expiry: transaction.commitTime.advanced(by: Self.lifetime))
    }
}

/// A request's content in 16 bytes: two independent 64-bit hashes of its canonical encoding. The order in which names
/// and values are given does not matter.
private enum RequestFingerprint {
    static func bytes(of items: [TransactWriteItem]) -> [UInt8] {
        var encoding: [UInt8] = []
        for item in items { append(item, to: &encoding) }
        var result: [UInt8] = []
        result.append(bigEndian: ItemKey.hash(of: encoding))
        encoding.append(0x5A)
        result.append(bigEndian: ItemKey.hash(of: encoding.reversed()))
        return result
    }

    private static func append(_ item: TransactWriteItem, to bytes: inout [UInt8]) {
        switch item {
        case .put(let put):
            append(1, put.table, put.item, [put.condition], put.names, put.values, to: &bytes)
            bytes.append(put.returnValuesOnConditionCheckFailure == .allOld ? 1 : 0)
        case .update(let update):
            append(
                2, update.table, update.key, [update.update, update.condition], update.names, update.values, to: &bytes)
            bytes.append(update.returnValuesOnConditionCheckFailure == .allOld ? 1 : 0)
        case .delete(let delete):
            append(3, delete.table, delete.key, [delete.condition], delete.names, delete.values, to: &bytes)
            bytes.append(delete.returnValuesOnConditionCheckFailure == .allOld ? 1 : 0)
        case .conditionCheck(let check):
            append(4, check.table, check.key, [check.condition], check.names, check.values, to: &bytes)
            bytes.append(check.returnValuesOnConditionCheckFailure == .allOld ? 1 : 0)
        }
    }

    private static func append(
        _ kind: UInt8, _ table: String, _ item: Item, _ expressions: [String?], _ names: [String: String],
        _ values: [String: AttributeValue], to bytes: inout [UInt8]
    ) {
        bytes.append(kind)
        bytes.append(lengthPrefixed: table)
        bytes.append(item: item)
        for expression in expressions { bytes.append(lengthPrefixed: expression ?? "") }
        bytes.append(item: Item(names.map { ($0.key, .s($0.value)) }))
        bytes.append(item: Item(values.map { ($0.key, $0.value.withSortedElements) }))
    }
}
