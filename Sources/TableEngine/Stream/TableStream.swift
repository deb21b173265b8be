// TableStream.swift — reading a table's change stream.

public import StorageCore

/// The change stream of a table, from its enabling to its disabling.
///
/// Records come in the order of the commits. They are read from durable commits unless asked otherwise, so that no
/// consumer acts on a change that a power cut may erase. Records are kept for 24 hours.
public struct TableStream: StreamReading {
    let store: TableStore
    public let tableName: String
    let definition: StreamDefinition
    let keyspace: Keyspace

    public var viewType: StreamViewType { definition.viewType }
    public var arn: String { name.arn }
    public var label: String { name.label }
    public var shardID: String { name.shardID }
    /// Whether changes are still being recorded.
    public var isEnabled: Bool { current?.isEnabled ?? false }

    var name: StreamName { StreamName(table: tableName, stream: definition) }

    /// The stream's definition as it is now; `nil` if the table or the stream is gone.
    var current: StreamDefinition? {
        let stream = store.existingTable(tableName)?.definition.stream
        return stream?.start == definition.start ? stream : nil
    }

    public func records(after position: StreamSequenceNumber?, limit: Int) throws -> [StreamRecord] {
        try records(after: position, limit: limit, level: .durable)
    }

    /// The records behind a position, oldest first.
    ///
    /// - Parameters:
    ///   - position: `nil` for the oldest record that is kept.
    ///   - limit: records at most.
    ///   - byteLimit: the records together are not larger than this, but at least one is given.
    /// - Throws: `TrimmedDataAccessException` if records behind the position were trimmed;
    ///   `ResourceNotFoundException` if the stream is gone.
    public func records(
        after position: StreamSequenceNumber?, limit: Int, level: SnapshotLevel, byteLimit: Int = .max
    ) throws -> [StreamRecord] {
        guard limit > 0 else { return [] }
        let snapshot = store.storage.snapshot(level)
        var cursor = try cursor(after: position, in: snapshot.view)
        let name = name
        var records: [StreamRecord] = []
        var byteCount = 0
        while cursor.isValid, records.count < limit {
            let stored = try StoredStreamRecord(decoding: cursor.value)
            let record = try stored.record(at: StreamSequenceNumber(decoding: cursor.key), of: name)
            byteCount += record.sizeBytes
            guard records.isEmpty || byteCount <= byteLimit else { break }
            records.append(record)
            try cursor.next()
        }
        return records
    }

    /// Suspends until there is a durable record behind the position; returns at once if there is one.
    ///
    /// - Throws: `CancellationError`; `ResourceNotFoundException` if the stream is gone;
    ///   `TrimmedDataAccessException` if records behind the position were trimmed.
    public func waitForRecords(after position: StreamSequenceNumber?) async throws {
        while true {
            let sequence = store.storage.durableSequence
            if try hasRecords(after: position) { return }
            _ = try await store.storage.waitForCommit(after: sequence, .durable)
        }
    }

    private func hasRecords(after position: StreamSequenceNumber?) throws -> Bool {
        let snapshot = store.storage.snapshot(.durable)
        let cursor = try cursor(after: position, in: snapshot.view)
        return cursor.isValid
    }

    /// The position of the newest record at a level; that of the stream's beginning if there is none.
    public func latestPosition(level: SnapshotLevel = .durable) throws -> StreamSequenceNumber {
        let snapshot = store.storage.snapshot(level)
        var cursor = try snapshot.view.cursor(keyspace, range(after: nil))
        try cursor.seekToLast()
        return try cursor.isValid ? StreamSequenceNumber(decoding: cursor.key) : beginning
    }

    /// Behind this position lie the stream's own records only.
    private var beginning: StreamSequenceNumber {
        StreamSequenceNumber(commit: definition.start, ordinal: .max)
    }

    private func range(after position: StreamSequenceNumber?) -> KeyRange {
        let lower = max(position ?? beginning, beginning).successor
        let end = current?.end.map { StreamSequenceNumber(commit: $0, ordinal: .max).keyBytes }
        return KeyRange(lower: lower.keyBytes, upper: end)
    }

    /// A cursor on the first record behind the position that is young enough.
    private func cursor(after position: StreamSequenceNumber?, in view: ReadView) throws -> Cursor {
        guard current != nil else { throw TableError.streamNotFound(arn) }
        if let position, let trimmed = try view.get(store.trimPoints, Array(tableName.utf8).rawSpan),
            try position < StreamSequenceNumber(decoding: trimmed.rawSpan), position >= beginning
        {
            throw TableError.trimmedDataAccess
        }
        let oldestKept = view.readTime.advanced(by: .zero - StreamRetention.period)
        var cursor = try view.cursor(keyspace, range(after: position))
        try cursor.seekToFirst()
        while cursor.isValid, try StoredStreamRecord.commitTime(of: cursor.value) < oldestKept {
            guard position == nil else { throw TableError.trimmedDataAccess }
            try cursor.next()
        }
        return cursor
    }
}

extension TableStore {
    /// The change stream of a table: the one that is on, or the one that was on last.
    ///
    /// - Throws: `ResourceNotFoundException` if there is no such table or it never had a stream.
    public func stream(of table: String) throws -> TableStream {
        guard let opened = existingTable(table) else { throw TableError.tableNotFound(table) }
        guard let definition = opened.definition.stream else {
            throw TableError(.resourceNotFound, "Requested resource not found: Stream of table: \(table) not found")
        }
        return TableStream(store: self, tableName: table, definition: definition, keyspace: opened.streamKeyspace)
    }
}

extension TableError {
    static func streamNotFound(_ arn: String) -> TableError {
        TableError(.resourceNotFound, "Requested resource not found: Stream: \(arn) not found")
    }

    static let trimmedDataAccess = TableError(
        .trimmedDataAccess, "The operation attempted to read past the oldest stream record in a shard.")
}
