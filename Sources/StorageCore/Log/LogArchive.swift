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
    /// After a crash the same segment may come again, with the same content; nothing must be lost by that.
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
    /// - Parameters:
    ///   - lastSequence: The last record there is; nil where only the file knows.
    ///   - time: Records of commits that were made later are left out.
    /// - Throws: `.corruption` where the records end before `lastSequence`.
    init?(
        _ content: [UInt8], number: UInt64, path: String, lastSequence: UInt64?, through time: StorageInstant? = nil
    ) throws {
        guard let header = try LogSegmentHeader.parse(content.rawSpan, path: path), header.number == number else {
            guard lastSequence == nil else {
                throw StorageError.corruption("The header of a log segment is damaged.", file: path, offset: 0)
            }
            return nil
        }
        var records: (first: LogRecordHeader, last: LogRecordHeader)?
        var offset = LogSegmentHeader.byteCount
        unsafe content.withUnsafeBytes { bytes in
            while let record = unsafe LogRecordHeader.parse(bytes, at: offset, salt: header.salt),
                record.previousSequence == records?.last.sequence ?? record.previousSequence,
                time.map({ record.commitTime <= $0.microseconds }) ?? true
            {
                records = (records?.first ?? record, record)
                offset = min(offset + record.recordByteCount, bytes.count)
            }
        }
        if let lastSequence, records?.last.sequence != lastSequence {
            throw StorageError.corruption(
                "The log segment ends before sequence \(lastSequence).", file: path, offset: Int64(offset))
        }
        guard let records else { return nil }
        storageIdentity = header.identity
        self.number = number
        firstSequence = SequenceNumber(records.first.sequence)
        self.lastSequence = SequenceNumber(records.last.sequence)
        previousSequence = SequenceNumber(records.first.previousSequence)
        firstCommitTime = StorageInstant(microseconds: records.first.commitTime)
        lastCommitTime = StorageInstant(microseconds: records.last.commitTime)
        bytes = offset < content.count ? Array(content[..<offset]) : content
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
