// LogRecovery.swift — reading the log after a crash, and telling a torn tail from damage.
//
// Records are chained by `previousSequence`. Reading stops at the first record that is not valid or not next in the
// chain, and goes on in the next segment if the chain does: a segment may end in zeros, or in records of a segment that
// its file was before. Where the chain ends for good, call what would have come next sequence s. A power cut may leave such a record in two ways: it was being
// written, or it was written and not synced, and unsynced sectors reach the disk in any order. Either way nobody was
// told that s is durable. So recovery reads on: a later valid record with `syncedThrough` ≥ s shows that s had been on
// the device, and what is there now is damage, which is refused. Otherwise the log ends before s.
//
// Damage to the last synced group with nothing valid after it can't be told from a torn tail, but for what the manifest
// knows: how far the log was synced, and which segment was the newest, at its last edit (StorageOpening+Replay.swift).

internal import CStorage

struct LogRecovery {
    let fileSystem: any FileSystem
    let directory: String
    let identity: UInt64

    /// Where a log ended.
    struct End: Equatable {
        var sequence: UInt64
        var segment: UInt64
        /// Bytes after the last valid record that were dropped.
        var droppedByteCount: Int
        /// The file of the last valid record, and where it ends.
        var file: String
        var offset: Int64
    }

    /// Hands every record from `firstSegment` on to `visit`, in order.
    ///
    /// - Parameters:
    ///   - previousSequence: The last sequence before `firstSegment`.
    ///   - ends: How far the segments of a log are read that somebody appends to meanwhile, by number: what lies behind, or in
    ///     newer segments, may be half there. Nil for a log that nobody appends to.
    ///   - visit: Header, payload, file and offset of the payload.
    /// - Throws: `.corruption` where records that were synced are damaged or missing.
    func replay(
        from firstSegment: UInt64, previousSequence: UInt64, ends: [UInt64: Int64]? = nil,
        _ visit: (LogRecordHeader, RawSpan, String, Int64) throws -> Void
    ) throws -> End {
        var end = End(
            sequence: previousSequence, segment: firstSegment, droppedByteCount: 0,
            file: LogFiles.path(of: firstSegment, in: directory), offset: Int64(LogSegmentHeader.byteCount))
        var stop: (file: String, offset: Int64)?
        var expectedNumber = firstSegment
        var missing: UInt64?
        let newest = ends.map { $0.keys.max() ?? 0 } ?? .max
        for number in try LogFiles.numbers(in: directory, fileSystem) where number >= firstSegment && number <= newest {
            let path = LogFiles.path(of: number, in: directory)
            if number != expectedNumber { missing = missing ?? expectedNumber }
            expectedNumber = number + 1
            var bytes = try fileSystem.readAll(path)
            if let end = ends?[number], end < bytes.count { bytes.removeSubrange(Int(end)...) }
            guard let header = try LogSegmentHeader.parse(bytes.rawSpan, path: path), header.number == number,
                header.identity == identity
            else {
                // A segment is used only after its header was synced: this one was being created, or it is damaged.
                guard bytes.count <= LogSegmentHeader.byteCount else {
                    throw StorageError.corruption("The header of a log segment is damaged.", file: path, offset: 0)
                }
                if stop == nil { stop = (path, 0) }
                end.droppedByteCount += bytes.count
                continue
            }
            // Openings that failed leave segments without records, and a crash any of their names.
            if let missing, Self.hasRecord(bytes, header) {
                throw StorageError.corruption(
                    "Log segment \(missing) is missing; segment \(number) follows.",
                    file: LogFiles.path(of: missing, in: directory))
            }
            unsafe try bytes.withUnsafeBytes { bytes in
                let before = end.sequence
                let offset = unsafe try readChain(bytes, header, path, &end, visit)
                if end.sequence > before { end.droppedByteCount = 0 }
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
                let place = end.sequence > before ? (path, Int64(offset)) : stop ?? (path, Int64(offset))
                stop = place
                if unsafe isZero(rest) { return }
                end.droppedByteCount += rest.count
                unsafe try refuseSyncedRecords(bytes, from: offset, header, after: end.sequence, place, path)
            }
        }
        return end
    }

    /// Whether a segment's file holds a valid record at its start.
    static func hasRecord(_ bytes: [UInt8], _ header: LogSegmentHeader) -> Bool {
        unsafe bytes.withUnsafeBytes {
            unsafe LogRecordHeader.parse($0, at: LogSegmentHeader.byteCount, salt: header.salt) != nil
        }
    }

    private func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = unsafe bytes.first, let base = bytes.baseAddress else { return true }
        // Every byte equals the one before it.
        return unsafe first == 0 && cstorage_compare(base, base + 1, bytes.count - 1) == 0
    }

    /// Reads records as long as they are valid and chained; the offset of the first byte after them.
    private func readChain(
        _ bytes: UnsafeRawBufferPointer, _ segment: LogSegmentHeader, _ path: String, _ end: inout End,
        _ visit: (LogRecordHeader, RawSpan, String, Int64) throws -> Void
    ) throws -> Int {
        var offset = LogSegmentHeader.byteCount
        while let record = unsafe LogRecordHeader.parse(bytes, at: offset, salt: segment.salt),
            record.previousSequence == end.sequence
        {
            let payloadOffset = offset + LogRecordHeader.byteCount
            let payload = unsafe UnsafeRawBufferPointer(
                rebasing: bytes[payloadOffset..<payloadOffset + record.payloadByteCount])
            try visit(record, unsafe RawSpan(_unsafeBytes: payload), path, Int64(payloadOffset))
            end.sequence = record.sequence
            end.segment = segment.number
            offset = min(offset + record.recordByteCount, bytes.count)
            end.file = path
            end.offset = Int64(offset)
        }
        return offset
    }

    /// Looks for a record that proves the one after `sequence` had been synced.
    private func refuseSyncedRecords(
        _ bytes: UnsafeRawBufferPointer, from start: Int, _ segment: LogSegmentHeader, after sequence: UInt64,
        _ place: (file: String, offset: Int64), _ path: String
    ) throws {
        var offset = (start + LogRecordHeader.alignment - 1) & ~(LogRecordHeader.alignment - 1)
        while offset + LogRecordHeader.byteCount <= bytes.count {
            defer { offset += LogRecordHeader.alignment }
            guard let record = unsafe LogRecordHeader.parse(bytes, at: offset, salt: segment.salt),
                record.syncedThrough > sequence
            else { continue }
            throw StorageError.corruption(
                "The log is damaged: the commit after sequence \(sequence) was synced (record \(record.sequence) in "
                    + "\(path) says so), but its record is not valid.",
                file: place.file, offset: place.offset)
        }
    }
}
