// LogSegment.swift — a file that records are appended to, by writing or by storing into a mapping.
//
// Invariants:
// (1) A mapped segment's space is allocated to the last byte before it takes a record, so that a full disk shows when the
//     segment is made and never as a store that ends the process.
// (2) Bytes from `endOffset` on are never relied upon: zeros, or records of the segment that the file was before.

internal import Synchronization

/// How records get into the log's files.
public enum LogWriting: Sendable, Hashable {
    /// Mapped where that was measured to dirty no more than writing (ext4 on Linux), written elsewhere.
    case automatic
    /// One system call for each record.
    case written
    /// Stored into mapped files, wherever the file system can map; written where it can't.
    case mapped
}

/// One file of the log. One thread appends (the writer lane); any thread may sync.
final class LogSegment: Sendable {
    let number: UInt64
    let path: String
    let salt: UInt32
    /// A written segment takes records until it is at least as long; a mapped one none beyond.
    let capacity: Int64
    private let file: any StorageFile
    private let mapping: (any FileMapping)?
    private let end = Atomic<Int64>(Int64(LogSegmentHeader.byteCount))
    private let last = Atomic<UInt64>(0)
    private let broken = Atomic<Bool>(false)
    private let stores = Atomic<Bool>(false)

    /// Records of this size and more are written, into a mapped file too: a system call for many pages costs less than a
    /// page fault for each.
    private static let writtenByteCount = 4096

    /// - Parameters:
    ///   - file: Holds the header, on the device and under its name.
    ///   - mapping: The first `capacity` bytes of the file.
    init(_ header: LogSegmentHeader, path: String, capacity: Int64, file: any StorageFile, mapping: (any FileMapping)?)
    {
        number = header.number
        salt = header.salt
        self.path = path
        self.capacity = capacity
        self.file = file
        self.mapping = mapping
    }

    /// Where the next record goes.
    var endOffset: Int64 { end.load(ordering: .acquiring) }
    /// The sequence of the newest record; 0 if there is none.
    var lastSequence: UInt64 { last.load(ordering: .acquiring) }
    /// Whether an append failed in a way that leaves the end unknown.
    var isBroken: Bool { broken.load(ordering: .acquiring) }
    var isMapped: Bool { mapping != nil }
    /// Whether the newest record was stored through the mapping.
    var storesRecords: Bool { stores.load(ordering: .relaxed) }

    /// Whether a record of this size belongs into this segment.
    func takes(_ recordByteCount: Int) -> Bool {
        let end = end.load(ordering: .relaxed)
        return mapping == nil ? end < capacity : end + Int64(recordByteCount) <= capacity
    }

    /// Appends a sealed record. After an error the segment is as it was, or can't be used any more (`isBroken`).
    func append(_ record: UnsafeRawBufferPointer, sequence: UInt64) throws {
        let offset = end.load(ordering: .relaxed)
        do {
            if let mapping, record.count < Self.writtenByteCount {
                stores.store(true, ordering: .relaxed)
                unsafe try mapping.store(record, at: offset)
                // The next record is as large, as a rule.
                mapping.prefetch(from: offset + Int64(record.count), byteCount: Int64(min(record.count, 1024)))
            } else {
                stores.store(false, ordering: .relaxed)
                unsafe try file.write(record, at: offset)
            }
        } catch {
            takeBack(to: offset, after: error)
            throw error
        }
        last.store(sequence, ordering: .releasing)
        end.store(offset + Int64(record.count), ordering: .releasing)
    }

    /// A full disk has not taken the whole record. After other failures it may be there or not, and nothing may be written
    /// where it was: the caller could not tell which of the two survives.
    private func takeBack(to offset: Int64, after error: any Error) {
        let isPartial = (error as? StorageError)?.code == .diskFull
        // What follows the end of a mapped segment is never relied upon, and the file must keep its length.
        if mapping != nil { return broken.store(!isPartial, ordering: .releasing) }
        do {
            try file.truncate(to: offset)
            if !isPartial { broken.store(true, ordering: .releasing) }
        } catch {
            broken.store(true, ordering: .releasing)
        }
    }

    func sync() throws { try file.sync() }

    func close() throws { try file.close() }

    // MARK: Ahead of the writer, and behind it

    /// Asks the system to begin writing what was appended in a range.
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        mapping?.detach(from: offset, byteCount: byteCount)
        file.startWriteBack(from: offset, byteCount: byteCount)
    }

    /// Brings a mapped range in place for the records to come.
    func populate(from offset: Int64, byteCount: Int64) {
        // A hint: where it fails, the store that needs the page brings it in.
        try? mapping?.populate(from: offset, byteCount: byteCount, forStores: true)
    }
}
