// TableStream+Iterators.swift — the service's way of reading a stream: describe, get an iterator, get records.

public import StorageCore

extension TableStream {
    /// Records of one page.
    public static let pageLimit = 1000
    /// Bytes of one page.
    static let pageByteLimit = 1024 * 1024

    /// - Throws: `ResourceNotFoundException` if the stream is gone.
    public func describe() throws -> StreamDescription {
        guard let current, let table = store.existingTable(tableName) else { throw TableError.streamNotFound(arn) }
        return StreamDescription(
            streamARN: arn, streamLabel: label, tableName: tableName, keySchema: table.schema,
            streamViewType: viewType, isEnabled: current.isEnabled, creation: definition.creation, shardID: shardID,
            startingSequenceNumber: StreamSequenceNumber(commit: definition.start, ordinal: 0),
            endingSequenceNumber: current.end.map { StreamSequenceNumber(commit: $0, ordinal: .max) })
    }

    /// An iterator, valid for 15 minutes.
    ///
    /// - Throws: `ResourceNotFoundException` if the stream is gone; `TrimmedDataAccessException` for a position whose
    ///   records were trimmed.
    public func shardIterator(_ type: ShardIteratorType) throws -> ShardIterator {
        let position: StreamSequenceNumber?
        switch type {
        case .trimHorizon: position = nil
        case .latest: position = try latestPosition()
        case .afterSequenceNumber(let number): position = number
        case .atSequenceNumber(let number): position = number.predecessor
        }
        // Positions that were trimmed are refused here, not only when records are read.
        _ = try records(after: position, limit: 1)
        return iterator(at: position)
    }

    /// The records from an iterator on: at most 1,000, and at most 1 MB.
    ///
    /// - Parameter level: `.visible` also gives records that a power cut may erase.
    /// - Throws: `ExpiredIteratorException`, `TrimmedDataAccessException`, `ResourceNotFoundException`,
    ///   `ValidationException`.
    public func getRecords(
        _ iterator: ShardIterator, limit: Int = pageLimit, level: SnapshotLevel = .durable
    ) throws -> GetRecordsResponse {
        try RequestConstraint.checkLimit(limit)
        let content = try iterator.content()
        guard content.arn == arn else { throw TableError.streamNotFound(content.arn) }
        guard content.issued.duration(to: store.storage.clock.now) <= ShardIterator.lifetime else {
            throw TableError.expiredIterator
        }
        let wasOpen = isEnabled
        let records = try records(
            after: content.position, limit: min(limit, Self.pageLimit), level: level, byteLimit: Self.pageByteLimit)
        let isAtEnd = records.isEmpty && !wasOpen
        return GetRecordsResponse(
            records: records,
            nextShardIterator: isAtEnd ? nil : self.iterator(at: records.last?.sequenceNumber ?? content.position))
    }

    private func iterator(at position: StreamSequenceNumber?) -> ShardIterator {
        let content = ShardIterator.Content(arn: arn, position: position, issued: store.storage.clock.now)
        return ShardIterator(token: content.token)
    }
}

extension StreamSequenceNumber {
    /// The position right before this one.
    fileprivate var predecessor: StreamSequenceNumber {
        if ordinal > 0 { return StreamSequenceNumber(commit: commit, ordinal: ordinal - 1) }
        guard commit > .zero else { return self }
        return StreamSequenceNumber(commit: SequenceNumber(commit.rawValue - 1), ordinal: .max)
    }
}

extension TableError {
    static let expiredIterator = TableError(
        .expiredIterator,
        "The shard iterator has expired and can no longer be used to retrieve stream records. A shard iterator expires "
            + "15 minutes after it is retrieved using the GetShardIterator action.")
}
