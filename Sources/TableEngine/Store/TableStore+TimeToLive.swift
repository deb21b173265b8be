// TableStore+TimeToLive.swift — deleting items whose time has come.
//
// Source: Amazon DynamoDB Developer Guide, "How it works: DynamoDB Time to Live (TTL)".

public import StorageCore

extension TableStore {
    /// An expiry further in the past than this is taken for a mistake and ignored.
    private static let expiryHorizon: Int64 = 5 * 365 * 86_400

    /// Deletes items whose time-to-live attribute, a number of seconds since 1970, has passed.
    ///
    /// Until they are deleted, expired items are read and written as any other. The deletions appear in the stream with
    /// a ``StreamRecord/UserIdentity/timeToLive`` identity. Values of other types, and times more than five years past,
    /// are ignored.
    /// - Parameters:
    ///   - limit: items that are looked at.
    ///   - key: where to go on; the answer of the call before.
    /// - Returns: how many items were deleted, and where to go on; `nil` at the table's end.
    /// - Throws: `ResourceNotFoundException`.
    @discardableResult
    public func deleteExpiredItems(
        in name: String, limit: Int = 1000, after key: Item? = nil, durability: Durability = .buffered
    ) throws -> (deletedCount: Int, next: Item?) {
        let page = try scan(ScanRequest(table: name, limit: limit, exclusiveStartKey: key))
        let table = try table(name)
        guard let attribute = table.definition.timeToLiveAttribute else { return (0, nil) }
        let now = storage.clock.now.seconds
        let expired = page.items.filter { Self.isExpired($0[attribute], at: now) }
        guard !expired.isEmpty else { return (0, page.lastEvaluatedKey) }
        let deletions = try expired.map { item in
            try PreparedWrite(DeleteItemRequest(table: name, key: table.schema.key(of: item)), self)
        }
        let count = try storage.write(durability) { transaction in
            try deletions.reduce(0) { count, deletion in
                // It may have been given more time, or been deleted, since it was looked at.
                let deletion = try deletion.refreshed(by: self)
                let outcome = try deletion.judge(in: transaction, needsOld: true)
                guard Self.isExpired(outcome.old?[attribute], at: now) else { return count }
                try deletion.apply(outcome, in: transaction, by: .timeToLive)
                return count + 1
            }
        }
        return (count, page.lastEvaluatedKey)
    }

    private static func isExpired(_ value: AttributeValue?, at now: Int64) -> Bool {
        guard let expiry = value?.number?.wholeSeconds else { return false }
        return expiry < now && expiry >= now - expiryHorizon
    }
}

extension TableNumber {
    /// The integer part, where 64 bits hold it.
    fileprivate var wholeSeconds: Int64? {
        if let int64 { return int64 }
        guard exponent < 0, firstDigitPosition < 18, !isNegative else { return nil }
        let (quotient, _) = coefficient.quotientAndRemainder(dividingBy: Decimal128.powerOfTen(min(38, -Int(exponent))))
        return Int64(exactly: quotient)
    }
}
