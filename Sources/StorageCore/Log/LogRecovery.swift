// LogRecovery.swift — reading the log after a crash, and telling a torn tail from damage.
//
// Records are chained by `previousSequence`. Reading stops at the first record that is not valid or not next in the
// chain; call what would have come next sequence s. A power cut may leave such a record in two ways: it was being
// written, or it was written and not synced, and unsynced sectors reach the disk in any order. Either way nobody was
// told that s is durable. So recovery reads on: a later valid record with `syncedThrough` ≥ s shows that s had been on
// the device, and what is there now is damage, which is refused. Otherwise the log ends before s.
//
// Damage to the last synced group with nothing valid after it can't be told from a torn tail.

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
    ///   - visit: Header, payload, file and offset of the payload.
    /// - Throws: `.corruption` where records that were synced are damaged or missing.
    func replay(
        from firstSegment: UInt64, previousSequence: UInt64,
        _ visit: (LogRecordHeader, RawSpan, String, Int64) throws -> Void
    ) throws -> End {
        var end = End(
            sequence: previousSequence, segment: firstSegment, droppedByteCount: 0,
            file: LogFiles.path(of: firstSegment, in: directory), offset: Int64(LogSegmentHeader.byteCount))
        var firstBad: (file: String, offset: Int64)?
        var expectedNumber = firstSegment
        var missing: UInt64?
        for number in try LogFiles.numbers(in: directory, fileSystem) where number >= firstSegment {
            let path = LogFiles.path(of: number, in: directory)
            if number != expectedNumber { missing = missing ?? expectedNumber }
            expectedNumber = number + 1
            let bytes = try fileSystem.readAll(path)
            // Openings that failed leave segments without records, and a crash any of their names.
            if let missing, bytes.count > LogSegmentHeader.byteCount {
                throw StorageError.corruption(
                    "Log segment \(missing) is missing; segment \(number) follows.",
                    file: LogFiles.path(of: missing, in: directory))
            }
            guard let header = try LogSegmentHeader.parse(bytes.rawSpan, path: path), header.number == number,
                header.identity == identity
            else {
                // A segment is used only after its header was synced: this one was being created, or it is damaged.
                guard bytes.count <= LogSegmentHeader.byteCount else {
                    throw StorageError.corruption("The header of a log segment is damaged.", file: path, offset: 0)
                }
                if firstBad == nil { firstBad = (path, 0) }
                end.droppedByteCount += bytes.count
                continue
            }
            unsafe try bytes.withUnsafeBytes { bytes in
                var offset = LogSegmentHeader.byteCount
                if firstBad == nil {
                    offset = unsafe try readChain(bytes, header, path, &end, visit)
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
                    if unsafe rest.contains(where: { $0 != 0 }) { firstBad = (path, Int64(offset)) }
                }
                if let place = firstBad {
                    end.droppedByteCount += bytes.count - offset
                    unsafe try refuseSyncedRecords(bytes, from: offset, header, after: end.sequence, place, path)
                }
            }
        }
        return end
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
