// WriteOutcome.swift — what a prepared write finds and does inside a transaction.
//
// Judging reads and decides, applying writes. A transaction of many actions judges all before it applies any, so a
// refusal leaves nothing behind, whatever else the surrounding commit holds.

internal import StorageCore

/// What a write found, and what it would make of it.
struct WriteOutcome {
    /// The row as it is stored; `nil` if there is none, or if nobody needed to know.
    var oldRow: [UInt8]?
    var old: Item?
    /// The row to be stored; `nil` to remove.
    var newRow: [UInt8]?
    var new: Item?
    /// Whether the stored row differs from the one there was. Unknown rows are taken to differ.
    var changes: Bool
}

extension PreparedWrite {
    /// Reads the item, checks the condition, and computes the new item.
    ///
    /// - Parameter needsOld: whether the caller wants to see the old item.
    /// - Throws: `ConditionalCheckFailedException`; `ValidationException` for what the item makes impossible.
    func judge(in transaction: WriteTransaction, needsOld: Bool) throws -> WriteOutcome {
        if let itemError { throw itemError }
        if !needsOld, condition == nil, !table.needsOldItems, let blind = blindOutcome { return blind }
        let oldRow = try transaction.get(table.keyspace, keyBytes.rawSpan)
        let old = try oldRow.map { try ItemCodec.decode($0.rawSpan) }
        if let condition, !condition.isMet(by: old) {
            throw TableError.conditionFailed(returnsItemOnFailure ? old : nil)
        }
        var outcome = WriteOutcome(oldRow: oldRow, old: old, changes: false)
        switch action {
        case .put(let item, let row): (outcome.new, outcome.newRow) = (item, row)
        case .update(let update):
            let item = try updated(old, by: update)
            (outcome.new, outcome.newRow) = (item, ItemCodec.encode(item))
        case .delete: break
        case .check: return outcome
        }
        // Equal items have equal rows.
        outcome.changes = outcome.newRow != oldRow
        return outcome
    }

    /// The outcome of a put or delete that need not read.
    private var blindOutcome: WriteOutcome? {
        switch action {
        case .put(let item, let row): WriteOutcome(newRow: row, new: item, changes: true)
        case .delete: WriteOutcome(changes: true)
        case .update, .check: nil
        }
    }

    private func updated(_ old: Item?, by update: BoundUpdate?) throws -> Item {
        let start = old ?? key
        guard let update else { return start }
        let item = try update.applied(to: start).storable()
        try table.checkIndexKeys(of: item)
        try item.checkSize("Item size to update has exceeded the maximum allowed size")
        return item
    }

    /// Writes what was judged, and its stream record. Nothing is written if nothing changes.
    func apply(
        _ outcome: WriteOutcome, in transaction: WriteTransaction, by identity: StreamRecord.UserIdentity? = nil
    ) throws {
        guard outcome.changes else { return }
        if let row = outcome.newRow {
            try transaction.put(table.keyspace, keyBytes.rawSpan, row.rawSpan)
        } else {
            try transaction.delete(table.keyspace, keyBytes.rawSpan)
        }
        for index in table.indexes {
            try index.update(from: outcome.old, to: outcome.new, tableKey: keyBytes, in: transaction)
        }
        if let stream = table.activeStream {
            try table.appendRecord(of: outcome, key: key, to: stream, in: transaction, by: identity)
        }
    }
}
