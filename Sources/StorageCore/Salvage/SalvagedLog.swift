// SalvagedLog.swift — every record of the log that is intact, whatever lies between them.
//
// Opening a storage ends the log at the first record that is missing. Here the ones behind it are taken too: that nobody
// was told that they are durable is no reason to throw them away.

internal import StorageTypes

/// The segments of a log, from one on.
struct SalvagedLog {
    let directory: String
    let fileSystem: any FileSystem
    let firstSegment: UInt64
    /// The sequence before the first segment; nil where it is not known.
    let previousSequence: UInt64?

    /// Hands every intact record to `visit`, in order.
    /// - Parameter visit: Header, payload, file and offset of the payload.
    /// - Returns: What was damaged.
    func forEachRecord(
        _ visit: (LogRecordHeader, RawSpan, String, Int64) throws -> Void
    ) throws -> [SalvageReport.Damage] {
        guard try fileSystem.exists(directory) else { return [] }
        var damage: [SalvageReport.Damage] = []
        var previous = previousSequence
        for number in try LogFiles.numbers(in: directory, fileSystem) where number >= firstSegment {
            let path = LogFiles.path(of: number, in: directory)
            let bytes = try fileSystem.readAll(path)
            guard bytes.count > LogSegmentHeader.byteCount else { continue }
            guard let salt = try salt(bytes, path) else {
                damage.append(
                    Self.damage(path, 0..<bytes.count, "No record of the log segment could be read.", after: previous))
                continue
            }
            try unsafe bytes.withUnsafeBytes { bytes in
                damage += unsafe try read(bytes, salt: salt, path, &previous, visit)
            }
        }
        return damage
    }

    private func read(
        _ bytes: UnsafeRawBufferPointer, salt: UInt32, _ path: String, _ previous: inout UInt64?,
        _ visit: (LogRecordHeader, RawSpan, String, Int64) throws -> Void
    ) throws -> [SalvageReport.Damage] {
        var damage: [SalvageReport.Damage] = []
        var offset = LogSegmentHeader.byteCount
        var end = offset
        while offset < bytes.count {
            guard let record = unsafe LogRecordHeader.parse(bytes, at: offset, salt: salt) else {
                offset += LogRecordHeader.alignment
                continue
            }
            if offset > end || previous.map({ $0 != record.previousSequence }) ?? false {
                damage.append(Self.damage(path, end..<offset, "Log records are damaged or missing.", record, previous))
            }
            let start = offset + LogRecordHeader.byteCount
            let payload = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + record.payloadByteCount])
            try visit(record, unsafe RawSpan(_unsafeBytes: payload), path, Int64(start))
            previous = record.sequence
            offset = min(offset + record.recordByteCount, bytes.count)
            end = offset
        }
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[end...])
        if unsafe rest.contains(where: { $0 != 0 }) {
            let message = "The end of the log segment is damaged, or was being written when the power went."
            damage.append(Self.damage(path, end..<bytes.count, message, after: previous))
        }
        return damage
    }

    private static func damage(
        _ path: String, _ range: Range<Int>, _ message: String, _ record: LogRecordHeader? = nil,
        _ previous: UInt64? = nil, after: UInt64? = nil
    ) -> SalvageReport.Damage {
        var damage = SalvageReport.Damage(
            file: path, offsets: Int64(range.lowerBound)..<Int64(range.upperBound), message: message)
        if let record, let previous, previous < record.previousSequence {
            damage.sequences = SequenceNumber(previous + 1)...SequenceNumber(record.previousSequence)
        } else if record != nil, previous == record?.previousSequence {
            // The chain is whole: what lies between the records was none of the log's.
            damage.lostEntryCount = 0
        }
        if let after { damage.sequences = SequenceNumber(after + 1)...SequenceNumber.max }
        return damage
    }

    /// The salt of a segment: the header's, or the one with which a record is valid.
    private func salt(_ bytes: [UInt8], _ path: String) throws -> UInt32? {
        if let header = try LogSegmentHeader.parse(bytes.rawSpan, path: path) { return header.salt }
        for offset in stride(from: LogSegmentHeader.byteCount, to: bytes.count - LogRecordHeader.byteCount, by: 8) {
            let header = bytes.rawSpan.extracting(offset..<offset + LogRecordHeader.byteCount)
            var reader = ByteReader(header, file: path)
            let salt = ChecksumAlgebra.seed(of: header.extracting(4...), checksum: try reader.u32())
            let isRecord = unsafe bytes.withUnsafeBytes {
                unsafe LogRecordHeader.parse($0, at: offset, salt: salt) != nil
            }
            if isRecord { return salt }
        }
        return nil
    }
}
