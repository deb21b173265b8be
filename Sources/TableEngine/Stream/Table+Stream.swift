// Table+Stream.swift — writing the change stream: a record in the commit of its change, and the trimming of old ones.
//
// Invariant: a table's stream keyspace holds exactly one record for each change since the stream was enabled, back to
// the trim point; the trim point and the removal of what lies before it are one commit.

internal import StorageCore

enum StreamRetention {
    /// How long records are kept.
    static let period = Duration.seconds(24 * 60 * 60)
    /// Records that one trimming step looks at.
    static let stepLimit = 4096
    /// A commit whose number divides by this one trims a step.
    static let stepInterval: UInt64 = 1024
}

extension Table {
    /// Adds the record of a change to the transaction that makes it.
    func appendRecord(
        of outcome: WriteOutcome, key: Item, to stream: StreamDefinition, in transaction: WriteTransaction,
        by identity: StreamRecord.UserIdentity?
    ) throws {
        let position = StreamSequenceNumber(commit: transaction.sequence, ordinal: transaction.nextOrdinal())
        let record = StoredStreamRecord(
            event: outcome.oldRow == nil ? .insert : outcome.newRow == nil ? .remove : .modify,
            viewType: stream.viewType, identity: identity, commitTime: transaction.commitTime, keys: key,
            newRow: stream.viewType.includesNewImage ? outcome.newRow : nil,
            oldRow: stream.viewType.includesOldImage ? outcome.oldRow : nil)
        try transaction.put(streamKeyspace, position.keyBytes.rawSpan, record.encode().rawSpan)
    }

    /// Removes records older than the retention, a bounded number of them.
    ///
    /// - Returns: how many were removed.
    @discardableResult
    func trimStream(_ store: TableStore, in transaction: WriteTransaction) throws -> Int {
        let oldestKept = transaction.commitTime.advanced(by: .zero - StreamRetention.period)
        var cursor = try transaction.cursor(streamKeyspace)
        var last: [UInt8]?
        var count = 0
        try cursor.seekToFirst()
        while cursor.isValid, count < StreamRetention.stepLimit {
            guard try StoredStreamRecord.commitTime(of: cursor.value) < oldestKept else { break }
            last = cursor.key.array()
            count += 1
            try cursor.next()
        }
        guard let last else { return 0 }
        let upper = try StreamSequenceNumber(decoding: last.rawSpan).successor.keyBytes
        try transaction.deleteRange(streamKeyspace, KeyRange(lower: nil, upper: upper))
        try transaction.put(store.trimPoints, Array(name.utf8).rawSpan, last.rawSpan)
        return count
    }
}

extension TableStore {
    /// Removes stream records older than 24 hours, a bounded number per table and call.
    ///
    /// Readers never see such records, whether or not they were removed; this gives their space back.
    /// - Returns: how many were removed.
    @discardableResult
    public func trimStreams() throws -> Int {
        try openTables.reduce(0) { count, table in
            count + (try storage.write { try table.trimStream(self, in: $0) })
        }
    }

    /// Trims a step now and then, in the commit of a change.
    func trimOccasionally(_ table: Table, in transaction: WriteTransaction) throws {
        guard table.activeStream != nil, transaction.sequence.rawValue.isMultiple(of: StreamRetention.stepInterval)
        else { return }
        try table.trimStream(self, in: transaction)
    }
}
