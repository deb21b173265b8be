// LogWriter.swift — the append end of the log: the current segment, those before it, and the sync of them all.
//
// Thread safety: `append` in the writer lane only; `sync` on one thread at a time (the durability gate sees to it);
// `removeSegments` and the counters anywhere.
//
// Invariant: a record counts as durable only once its segment and every older one were synced after it was appended.

internal import Synchronization

final class LogWriter: Sendable {
    private struct State {
        /// Oldest first; the last one takes the records.
        var segments: [any LogSegment]
        /// Segments with records that no sync has covered; a suffix of `segments`.
        var firstUnsynced: UInt64
        /// The last sequence before each segment.
        var previousSequences: [UInt64: UInt64]
        var previousSequence: UInt64
        var random: SeededRandom
        /// Readers of whole segments; while there are any, none is removed.
        var readerCount = 0
    }

    private let state: Mutex<State>
    private let fileSystem: any FileSystem
    private let directory: String
    private let identity: UInt64
    private let segmentByteCount: Int64
    private let appended: Atomic<UInt64>
    private let durableLogged: Atomic<UInt64>

    /// Starts the log with a new segment.
    /// - Parameter previousSequence: The newest sequence that an earlier log or the tables hold.
    init(
        directory: String, fileSystem: any FileSystem, identity: UInt64, firstSegment: UInt64, previousSequence: UInt64,
        segmentByteCount: Int64, seed: UInt64
    ) throws {
        self.directory = directory
        self.fileSystem = fileSystem
        self.identity = identity
        self.segmentByteCount = segmentByteCount
        var random = SeededRandom(seed: seed)
        let header = LogSegmentHeader(
            number: firstSegment, identity: identity, salt: UInt32(truncatingIfNeeded: random.next()))
        let first = try WrittenLogSegment(
            header, path: LogFiles.path(of: firstSegment, in: directory), directory: directory, fileSystem: fileSystem)
        appended = Atomic(previousSequence)
        durableLogged = Atomic(previousSequence)
        state = Mutex(
            State(
                segments: [first], firstUnsynced: firstSegment, previousSequences: [firstSegment: previousSequence],
                previousSequence: previousSequence, random: random))
    }

    /// The newest sequence in the log.
    var appendedSequence: UInt64 { appended.load(ordering: .acquiring) }

    /// Bytes of all segments.
    var byteCount: Int64 { state.withLock { $0.segments.reduce(0) { $0 + $1.endOffset } } }

    // MARK: Appending

    /// Appends one record; true if it is the first of a segment.
    /// - Parameter record: 64 bytes of room, then the payload; sealed here.
    func append(_ record: inout [UInt8], sequence: UInt64, commitTime: StorageInstant) throws -> Bool {
        let (segment, previousSequence) = try segmentForNextRecord()
        let isFirst = segment.lastSequence == 0
        let header = LogRecordHeader(
            payloadByteCount: record.count - LogRecordHeader.byteCount, sequence: sequence,
            previousSequence: previousSequence, commitTime: commitTime.microseconds,
            syncedThrough: durableLogged.load(ordering: .acquiring))
        header.seal(&record, salt: segment.salt)
        try segment.append(record, sequence: sequence)
        state.withLock { $0.previousSequence = sequence }
        appended.store(sequence, ordering: .releasing)
        return isFirst
    }

    /// Whether an append failed in a way that leaves the end of the log unknown.
    var isBroken: Bool { state.withLock { $0.segments.last?.isBroken ?? true } }

    private func segmentForNextRecord() throws -> (any LogSegment, UInt64) {
        let (current, previousSequence, salt) = state.withLock { state in
            (state.segments.last, state.previousSequence, UInt32(truncatingIfNeeded: state.random.next()))
        }
        guard let current else { throw StorageError(.closed, "The log is closed.") }
        guard current.endOffset >= segmentByteCount else { return (current, previousSequence) }
        let number = current.number + 1
        let next = try WrittenLogSegment(
            LogSegmentHeader(number: number, identity: identity, salt: salt),
            path: LogFiles.path(of: number, in: directory), directory: directory, fileSystem: fileSystem)
        state.withLock {
            $0.segments.append(next)
            $0.previousSequences[number] = previousSequence
        }
        return (next, previousSequence)
    }

    // MARK: Syncing

    /// Brings every record appended before the call to the device.
    func sync() throws {
        let target = appendedSequence
        let unsynced = state.withLock { state in state.segments.filter { $0.number >= state.firstUnsynced } }
        guard let newest = unsynced.last, target > durableLogged.load(ordering: .acquiring) else { return }
        for segment in unsynced { try segment.sync() }
        state.withLock { $0.firstUnsynced = max($0.firstUnsynced, newest.number) }
        durableLogged.store(target, ordering: .releasing)
        // A full segment that is synced is read by its name, if at all: its descriptor is free for a table.
        for segment in unsynced.dropLast() { try? segment.close() }
    }

    // MARK: Removing

    /// What recovery has to start from if everything up to `sequence` is in tables: the oldest segment that holds a
    /// later record (or the current one), and the last sequence before it.
    func start(afterFlushOfAllThrough sequence: UInt64) -> (segment: UInt64, previousSequence: UInt64) {
        state.withLock { state in
            let needed = state.segments.first { $0.lastSequence > sequence } ?? state.segments.last
            let number = needed?.number ?? 0
            return (number, state.previousSequences[number] ?? 0)
        }
    }

    /// Removes the segments below `number`, oldest first. The manifest no longer needs them.
    func removeSegments(below number: UInt64) throws {
        let removed: [any LogSegment] = state.withLock { state in
            guard state.readerCount == 0 else { return [] }
            let removed = state.segments.filter { $0.number < number && $0.number < state.firstUnsynced }
            state.segments.removeAll { segment in removed.contains { $0 === segment } }
            for segment in removed { state.previousSequences[segment.number] = nil }
            return removed
        }
        for segment in removed {
            try segment.close()
            try fileSystem.remove(segment.path)
        }
    }

    /// Runs `body` while no segment is removed.
    func keepingSegments<R>(_ body: () throws -> R) rethrows -> R {
        state.withLock { $0.readerCount += 1 }
        defer { state.withLock { $0.readerCount -= 1 } }
        return try body()
    }

    /// The segments from `number` on with the bytes they hold now.
    func segments(from number: UInt64) -> [(number: UInt64, path: String, byteCount: Int64)] {
        state.withLock { state in
            state.segments.filter { $0.number >= number }.map { ($0.number, $0.path, $0.endOffset) }
        }
    }

    /// Closes the files; the number that the next segment would have.
    func close() throws -> UInt64 {
        let segments = state.withLock { $0.segments }
        for segment in segments { try segment.close() }
        return (segments.last?.number ?? 0) + 1
    }
}

/// Names of log files.
enum LogFiles {
    static let suffix = ".log"

    static func path(of number: UInt64, in directory: String) -> String {
        "\(directory)/\(FileNumbers.text(number))\(suffix)"
    }

    /// The numbers of the segments in a directory, ascending.
    static func numbers(in directory: String, _ fileSystem: any FileSystem) throws -> [UInt64] {
        try FileNumbers.list(directory, suffix: suffix, fileSystem)
    }
}

/// File names that are numbers of twelve digits.
enum FileNumbers {
    /// Numbers from here on are not ours: nobody counts so far.
    private static let largest: UInt64 = 1 << 56

    static func text(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
    }

    static func list(_ directory: String, suffix: String, _ fileSystem: any FileSystem) throws -> [UInt64] {
        try fileSystem.list(directory)
            .filter { $0.hasSuffix(suffix) }
            .compactMap { UInt64($0.dropLast(suffix.count)) }
            .filter { $0 < largest }
            .sorted()
    }
}
