// LogSegment.swift — a file that records are appended to, behind a small protocol.

internal import Synchronization

/// One file of the log. One thread appends (the writer lane); any thread may sync.
protocol LogSegment: AnyObject, Sendable {
    var number: UInt64 { get }
    var path: String { get }
    var salt: UInt32 { get }
    /// Where the next record goes.
    var endOffset: Int64 { get }
    /// The sequence of the newest record; 0 if there is none.
    var lastSequence: UInt64 { get }
    /// Appends a sealed record. After an error the segment is as it was, or can't be used any more (`isBroken`).
    func append(_ record: [UInt8], sequence: UInt64) throws
    var isBroken: Bool { get }
    func sync() throws
    func close() throws
}

/// Appends with `pwrite`: the portable form.
final class WrittenLogSegment: LogSegment {
    let number: UInt64
    let path: String
    let salt: UInt32
    private let file: any StorageFile
    private let end: Atomic<Int64>
    private let last = Atomic<UInt64>(0)
    private let broken = Atomic<Bool>(false)

    var endOffset: Int64 { end.load(ordering: .acquiring) }
    var lastSequence: UInt64 { last.load(ordering: .acquiring) }
    var isBroken: Bool { broken.load(ordering: .acquiring) }

    /// Creates the segment's file; its header and its name are on the device when this returns.
    init(_ header: LogSegmentHeader, path: String, directory: String, fileSystem: any FileSystem) throws {
        number = header.number
        salt = header.salt
        self.path = path
        // A segment that could not be finished is not used again: after a failed sync its name may never become durable.
        if try fileSystem.exists(path) { try fileSystem.remove(path) }
        let file = try fileSystem.open(path, .create)
        try file.write(header.bytes, at: 0)
        try file.sync()
        try fileSystem.syncDirectory(directory)
        self.file = file
        end = Atomic(Int64(LogSegmentHeader.byteCount))
    }

    func append(_ record: [UInt8], sequence: UInt64) throws {
        let offset = endOffset
        do {
            unsafe try record.withUnsafeBytes { unsafe try file.write($0, at: offset) }
        } catch {
            // A full disk has not taken the whole record. After other failures it may be there or not, and nothing may
            // be written where it was: the caller could not tell which of the two survives.
            do {
                try file.truncate(to: offset)
                if (error as? StorageError)?.code != .diskFull { broken.store(true, ordering: .releasing) }
            } catch {
                broken.store(true, ordering: .releasing)
            }
            throw error
        }
        last.store(sequence, ordering: .releasing)
        end.store(offset + Int64(record.count), ordering: .releasing)
    }

    func sync() throws { try file.sync() }

    func close() throws { try file.close() }
}
