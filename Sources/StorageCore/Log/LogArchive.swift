// LogArchive.swift — where segments of the log go before they are removed.
//
// A checkpoint and the segments from it on are the storage at every moment since. What is archived is a segment's valid
// records, each checked by its checksums on the way, without what a recycled file has behind them.

/// Keeps the segments of a storage's log, so that a checkpoint can be brought forward to any later moment.
///
/// Set ``StorageOptions/logArchive``. Each segment that has come to its end and is on the device is handed over, the oldest
/// first, on a thread of the storage, and is removed or recycled only after that. Where it fails it is tried again, with growing
/// pauses; the log grows meanwhile.
public protocol LogArchive: Sendable {
    /// Keeps a segment for good. Once this returns, the storage's own copy may go.
    ///
    /// After a crash the same segment may come again, with the same content; nothing must be lost by that. It may call nothing of
    /// the storage but ``Storage/statistics``.
    func archive(_ segment: LogArchiveSegment) throws
}

/// A segment of the log as an archive keeps it.
public struct LogArchiveSegment: Sendable {
    /// The storage's; segments of other storages have others. A checkpoint has that of its origin.
    public let storageIdentity: UInt64
    /// Segments are numbered as they come. Some numbers never get a record, and are not archived.
    public let number: UInt64
    /// Its commits.
    public let firstSequence: SequenceNumber
    public let lastSequence: SequenceNumber
    /// The commit before its first one.
    public let previousSequence: SequenceNumber
    /// When its first and its last commit were made.
    public let firstCommitTime: StorageInstant
    public let lastCommitTime: StorageInstant
    /// The file's content as far as it is valid.
    public let bytes: [UInt8]

    /// The name that its file has in a log directory.
    public var fileName: String { FileNumbers.text(number) + LogFiles.suffix }
}

extension LogArchiveSegment {
    /// Reads a segment's file; nil if it holds no record.
    ///
    /// - Throws: `.corruption` where the header is damaged, or the records end before they should.
    init?(_ content: [UInt8], number: UInt64, path: String, end: LogSegmentEnd) throws {
        guard let header = try LogSegmentHeader.parse(content.rawSpan, path: path), header.number == number else {
            // One that was being created has no whole header.
            if end == .found, content.count <= LogSegmentHeader.byteCount { return nil }
            throw StorageError.corruption("The header of a log segment is damaged.", file: path, offset: 0)
        }
        let chain = Self.chain(content, header)
        if case .sequence(let last) = end, chain?.last.sequence != last {
            throw StorageError.corruption(
                "The log segment ends before sequence \(last).", file: path,
                offset: Int64(chain?.end ?? LogSegmentHeader.byteCount))
        }
        guard let chain else { return nil }
        self.init(content, header, chain)
    }

    /// What a segment holds of the commits up to a time; nil if that is nothing.
    func through(_ time: StorageInstant, path: String) throws -> LogArchiveSegment? {
        guard time < lastCommitTime else { return self }
        guard let header = try LogSegmentHeader.parse(bytes.rawSpan, path: path) else { return nil }
        let chain = Self.chain(bytes, header) { $0.commitTime <= time.microseconds }
        return chain.map { LogArchiveSegment(bytes, header, $0) }
    }

    private struct Chain {
        var first: LogRecordHeader
        var last: LogRecordHeader
        /// Where the last record ends.
        var end: Int
    }

    private init(_ content: [UInt8], _ header: LogSegmentHeader, _ chain: Chain) {
        storageIdentity = header.identity
        number = header.number
        firstSequence = SequenceNumber(chain.first.sequence)
        lastSequence = SequenceNumber(chain.last.sequence)
        previousSequence = SequenceNumber(chain.first.previousSequence)
        firstCommitTime = StorageInstant(microseconds: chain.first.commitTime)
        lastCommitTime = StorageInstant(microseconds: chain.last.commitTime)
        bytes = chain.end < content.count ? Array(content[..<chain.end]) : content
    }

    /// The records that go on from one another from the first one on; nil if there is none.
    private static func chain(
        _ content: [UInt8], _ header: LogSegmentHeader, while isWanted: (LogRecordHeader) -> Bool = { _ in true }
    ) -> Chain? {
        var chain: Chain?
        var offset = LogSegmentHeader.byteCount
        unsafe content.withUnsafeBytes { bytes in
            while let record = unsafe LogRecordHeader.parse(bytes, at: offset, salt: header.salt),
                record.previousSequence == chain?.last.sequence ?? record.previousSequence, isWanted(record)
            {
                offset = min(offset + record.recordByteCount, bytes.count)
                chain = Chain(first: chain?.first ?? record, last: record, end: offset)
            }
        }
        return chain
    }

    /// The largest id of a keyspace that the segment writes to.
    func largestKeyspaceID(path: String) throws -> UInt32 {
        var largest: UInt32 = 0
        func note(_ key: RawSpan) { largest = max(largest, Keyspace.id(ofTreeKey: key)) }
        guard let header = try LogSegmentHeader.parse(bytes.rawSpan, path: path) else { return 0 }
        var offset = LogSegmentHeader.byteCount
        while let record = unsafe bytes.withUnsafeBytes({
            unsafe LogRecordHeader.parse($0, at: offset, salt: header.salt)
        }) {
            let start = offset + LogRecordHeader.byteCount
            let payload = bytes.rawSpan.extracting(start..<start + record.payloadByteCount)
            try BatchEncoding.decode(payload, file: path, offset: Int64(start)) { lower, _ in
                note(lower)
            } entry: { _, _, key, _ in
                note(key)
            }
            offset += record.recordByteCount
        }
        return largest
    }
}
