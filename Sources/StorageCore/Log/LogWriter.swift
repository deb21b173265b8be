// LogWriter.swift — the append end of the log: the current segment, those before it, and the sync of them all.
//
// Thread safety: `append` in the writer lane only; `sync` on one thread at a time (the durability gate sees to it);
// `tend` on one thread at a time (LogWriter+Tending.swift); `removeSegments` and the counters anywhere.
//
// Invariant: a record counts as durable only once its segment and every older one were synced after it was appended.

internal import Synchronization

// Sendable: `current`, `previousSequence` and `tendingOffset` belong to the writer lane; the rest guards itself.
final class LogWriter: @unchecked Sendable {
    struct State {
        /// Oldest first; the last one takes the records.
        var segments: [LogSegment]
        /// Segments with records that no sync has covered; a suffix of `segments`.
        var firstUnsynced: UInt64
        /// The last sequence before each segment.
        var previousSequences: [UInt64: UInt64]
        var random: SeededRandom
        /// Readers of whole segments; while there are any, none is removed.
        var readerCount = 0
        /// The segment that comes after the last one, made ahead of time.
        var next: LogSegment?
        /// Somebody is making the next segment: the lane, or the thread that tends the log.
        var isMakingNext = false
        /// A file that was a segment and is not needed any more.
        var recyclable: String?
        /// Oldest first; all of them older than `segments`. Only where there is an archive.
        var retired: [RetiredLogSegment] = []
        var archivedThrough: UInt64 = 0
        var isTendingWanted = false
        var isStopped = false
    }

    let state: ConditionLock<State>
    let files: LogSegmentFiles
    let segmentByteCount: Int64
    /// Whether a segment is kept until it is archived.
    let isArchiving: Bool
    private let appended: Atomic<UInt64>
    private let durableLogged: Atomic<UInt64>
    private let broken = Atomic<Bool>(false)
    /// Where the newest sync found the end of the current segment; for `tend`.
    let synced = Atomic<Int64>(0)
    /// Whether a thread tends the log.
    let isTended = Atomic<Bool>(false)
    @exclusivity(unchecked) private var current: LogSegment
    @exclusivity(unchecked) private var previousSequence: UInt64
    /// The end of the current segment at which `tend` is called next.
    @exclusivity(unchecked) private var tendingOffset = LogWriter.tendingInterval

    static let tendingInterval: Int64 = 256 << 10
    /// Mapped segments are no larger before the log has filled one.
    private static let firstMappedByteCount: Int64 = 4 << 20

    /// Starts the log with a new segment.
    /// - Parameters:
    ///   - previousSequence: The newest sequence that an earlier log held.
    ///   - leftovers: Segments of earlier runs that may not be archived yet, oldest first; nil where nothing is archived.
    init(
        directory: String, fileSystem: any FileSystem, identity: UInt64, firstSegment: UInt64, previousSequence: UInt64,
        segmentByteCount: Int64, writing: LogWriting = .automatic, seed: UInt64, leftovers: [RetiredLogSegment]? = nil
    ) throws {
        self.segmentByteCount = segmentByteCount
        isArchiving = leftovers != nil
        files = LogSegmentFiles(directory: directory, fileSystem: fileSystem, identity: identity, writing: writing)
        var random = SeededRandom(seed: seed)
        let first = try files.make(
            firstSegment, salt: UInt32(truncatingIfNeeded: random.next()), capacity: segmentByteCount,
            mappedCapacity: min(segmentByteCount, Self.firstMappedByteCount))
        appended = Atomic(previousSequence)
        durableLogged = Atomic(previousSequence)
        unsafe current = first
        unsafe self.previousSequence = previousSequence
        state = ConditionLock(
            State(
                segments: [first], firstUnsynced: firstSegment, previousSequences: [firstSegment: previousSequence],
                random: random, retired: leftovers ?? []))
    }

    /// The newest sequence in the log.
    var appendedSequence: UInt64 { appended.load(ordering: .acquiring) }

    /// The newest sequence in the log that is on the device.
    var syncedSequence: UInt64 { durableLogged.load(ordering: .acquiring) }

    /// The segment that takes the records, and the last sequence before it.
    var newestSegment: (number: UInt64, previousSequence: UInt64) {
        state.withLock { state in
            let number = state.segments.last?.number ?? 0
            return (number, state.previousSequences[number] ?? 0)
        }
    }

    /// Bytes of all segments.
    var byteCount: Int64 { state.withLock { $0.segments.reduce(0) { $0 + $1.endOffset } } }

    /// Whether an append failed in a way that leaves the end of the log unknown.
    var isBroken: Bool { broken.load(ordering: .acquiring) }

    // MARK: Appending

    /// Appends one record; true if it is the first of a segment.
    /// - Parameter record: 64 bytes of room, then the payload; sealed here.
    func append(_ record: inout UnsafeByteBuilder, sequence: UInt64, commitTime: StorageInstant) throws -> Bool {
        let header = unsafe LogRecordHeader(
            payloadByteCount: record.count - LogRecordHeader.byteCount, sequence: sequence,
            previousSequence: previousSequence, commitTime: commitTime.microseconds,
            syncedThrough: durableLogged.load(ordering: .acquiring))
        if unsafe !current.takes(header.recordByteCount) { try startSegment(for: header.recordByteCount) }
        let segment = unsafe current
        let isFirst = segment.lastSequence == 0
        header.seal(&record, salt: segment.salt)
        do {
            unsafe try segment.append(record.bytes, sequence: sequence)
        } catch {
            if segment.isBroken { broken.store(true, ordering: .releasing) }
            throw error
        }
        unsafe previousSequence = sequence
        appended.store(sequence, ordering: .releasing)
        if unsafe segment.endOffset >= tendingOffset {
            unsafe tendingOffset = segment.endOffset + Self.tendingInterval
            requestTending()
        }
        return isFirst
    }

    /// Goes on in a new segment, unless the current one has no record yet.
    func endSegment() throws {
        if unsafe current.lastSequence > 0 { try startSegment(for: 0) }
    }

    /// Makes the next segment the current one: the one that was made ahead of time, if there is one and the record fits.
    private func startSegment(for recordByteCount: Int) throws {
        let claim = claimNext()
        defer { state.withLockAndSignal { $0.isMakingNext = false } }
        if let ready = claim.ready { enlist(ready) }
        if claim.ready?.takes(recordByteCount) != true {
            enlist(try make(claim.ready.map { $0.number + 1 } ?? claim.number, for: recordByteCount))
        }
        requestTending()
    }

    /// The segment that is ready, and the number of one that would be made now. Nobody else makes one until
    /// `isMakingNext` is taken back: two files of one number would be one file in the end.
    private func claimNext() -> (ready: LogSegment?, number: UInt64) {
        state.wait { state in
            guard !state.isMakingNext else { return nil }
            state.isMakingNext = true
            return (state.next, (state.segments.last?.number ?? 0) + 1)
        }
    }

    /// Makes a segment the current one.
    private func enlist(_ segment: LogSegment) {
        state.withLock { state in
            state.next = nil
            state.segments.append(segment)
            unsafe state.previousSequences[segment.number] = previousSequence
        }
        unsafe current = segment
        unsafe tendingOffset = Self.tendingInterval
    }

    /// Makes a segment, of a recyclable file if there is one.
    func make(_ number: UInt64, for recordByteCount: Int = 0) throws -> LogSegment {
        let (salt, old) = state.withLock { state in
            defer { state.recyclable = nil }
            return (UInt32(truncatingIfNeeded: state.random.next()), state.recyclable)
        }
        let needed = Int64(LogSegmentHeader.byteCount + recordByteCount + 4095) & ~4095
        return try files.make(
            number, salt: salt, capacity: segmentByteCount, mappedCapacity: max(segmentByteCount, needed),
            recycling: old)
    }

    // MARK: Syncing

    /// Brings every record appended before the call to the device.
    func sync() throws {
        let target = appendedSequence
        let unsynced = state.withLock { state in state.segments.filter { $0.number >= state.firstUnsynced } }
        guard let newest = unsynced.last, target > durableLogged.load(ordering: .acquiring) else { return }
        let end = newest.endOffset
        for segment in unsynced { try segment.sync() }
        state.withLock { state in
            state.firstUnsynced = max(state.firstUnsynced, newest.number)
            // Of the segment that takes the records; another one may have been begun meanwhile.
            if state.segments.last === newest { synced.store(end, ordering: .relaxed) }
        }
        durableLogged.store(target, ordering: .releasing)
        // A full segment that is synced is read by its name, if at all: its descriptor is free for a table.
        for segment in unsynced.dropLast() { try? segment.close() }
    }

    /// The last sequence of the segments that have to go for the others to fit into `byteBudget`; 0 if all of them fit. The
    /// one that takes the records can't go.
    func lastSequence(overByteBudget byteBudget: Int64) -> UInt64 {
        state.withLock { state in
            var byteCount = state.segments.reduce(0) { $0 + $1.endOffset }
            var last: UInt64 = 0
            for segment in state.segments.dropLast() {
                guard byteCount > byteBudget else { break }
                byteCount -= segment.endOffset
                last = max(last, segment.lastSequence)
            }
            return last
        }
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

    /// Removes the segments below `number`, oldest first, or keeps one's file for a segment to come. The manifest no longer
    /// needs them. Those that are not archived stay until they are.
    func removeSegments(below number: UInt64) throws {
        let removed = state.withLock { state -> [LogSegment] in
            guard state.readerCount == 0 else { return [] }
            let removed = state.segments.filter { $0.number < number && $0.number < state.firstUnsynced }
            state.segments.removeAll { segment in removed.contains { $0 === segment } }
            for segment in removed { state.previousSequences[segment.number] = nil }
            if isArchiving { state.retired += removed.map { retired($0) } }
            return removed
        }
        for segment in removed { try segment.close() }
        if isArchiving { try removeArchived() } else { try discard(removed.map { retired($0) }) }
    }

    private func retired(_ segment: LogSegment) -> RetiredLogSegment {
        RetiredLogSegment(
            number: segment.number, path: segment.path, byteCount: segment.endOffset, end: segment.knownEnd,
            isRecyclable: segment.isMapped && segment.capacity >= segmentByteCount)
    }

    /// Removes files that nothing needs any more, but the newest one that a segment to come can be made of, if none is kept yet.
    /// - Parameter segments: Oldest first.
    func discard(_ segments: [RetiredLogSegment]) throws {
        let kept = state.withLock { state -> String? in
            guard state.recyclable == nil, !state.isStopped else { return nil }
            state.recyclable = segments.last(where: \.isRecyclable)?.path
            return state.recyclable
        }
        for segment in segments where segment.path != kept { try files.remove(segment.path) }
    }

    /// Runs `body` while no segment is removed.
    func keepingSegments<R>(_ body: () throws -> R) rethrows -> R {
        state.withLock { $0.readerCount += 1 }
        defer { state.withLock { $0.readerCount -= 1 } }
        return try body()
    }

    /// The segments from `number` on with the bytes they hold now, and the newest record among these or one that is newer.
    func segments(from number: UInt64) -> [(number: UInt64, path: String, byteCount: Int64, lastSequence: UInt64)] {
        state.withLock { state in
            state.segments.filter { $0.number >= number }.map { segment in
                // In this order: whoever appends stores the sequence before the end.
                let byteCount = segment.endOffset
                return (segment.number, segment.path, byteCount, segment.lastSequence)
            }
        }
    }

    /// Closes the files and removes those that were kept ready; the number that the next segment would have.
    func close() throws -> UInt64 {
        stopTending()
        struct Rest {
            var segments: [LogSegment]
            var next: LogSegment?
            var recyclable: String?
        }
        let rest: Rest = state.wait { state in
            guard !state.isMakingNext else { return nil }
            defer { (state.next, state.recyclable) = (nil, nil) }
            return Rest(segments: state.segments, next: state.next, recyclable: state.recyclable)
        }
        for segment in rest.segments { try segment.close() }
        if let next = rest.next {
            try next.close()
            try files.remove(next.path)
        }
        if let recyclable = rest.recyclable { try files.remove(recyclable) }
        let next = (rest.next?.number ?? rest.segments.last?.number ?? 0) + 1
        // Nothing keeps the last segment either.
        if syncedSequence == appendedSequence { state.withLock { $0.firstUnsynced = next } }
        return next
    }
}
