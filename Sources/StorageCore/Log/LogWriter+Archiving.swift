// LogWriter+Archiving.swift — which segments the archive still has to take, and what becomes of them then.

internal import Synchronization

/// A segment that recovery does not need any more and the archive does.
struct RetiredLogSegment: Sendable {
    var number: UInt64
    var path: String
    var byteCount: Int64
    var end: LogSegmentEnd
    /// Whether a later segment may be made of its file.
    var isRecyclable = false
}

/// What is known of where a segment's records end.
enum LogSegmentEnd: Sendable, Equatable {
    /// There is none.
    case empty
    case sequence(UInt64)
    /// Only the file knows: it is one of an earlier run.
    case found
}

extension LogSegment {
    var knownEnd: LogSegmentEnd { lastSequence == 0 ? .empty : .sequence(lastSequence) }
}

extension LogWriter {
    /// The oldest segment that has come to its end, is on the device, and is not archived; nil if there is none.
    func nextUnarchived() -> RetiredLogSegment? {
        let syncedSequence = syncedSequence
        return state.withLock { state in
            if let retired = state.retired.first(where: { $0.number > state.archivedThrough }) { return retired }
            let segment = state.segments.dropLast().first { $0.number > state.archivedThrough }
            guard let segment, segment.lastSequence <= syncedSequence else { return nil }
            return RetiredLogSegment(
                number: segment.number, path: segment.path, byteCount: segment.endOffset, end: segment.knownEnd)
        }
    }

    /// Says that the archive has a segment and all older ones; removes what was kept for it.
    func markArchived(_ number: UInt64) throws {
        state.withLock { $0.archivedThrough = max($0.archivedThrough, number) }
        try removeArchived()
    }

    /// Removes what recovery needs no more, and the archive has.
    func removeArchived() throws {
        try discard(
            state.withLock { state in
                let archived = state.retired.filter { $0.number <= state.archivedThrough }
                state.retired.removeAll { $0.number <= state.archivedThrough }
                return archived
            })
    }

    /// How many segments wait for the archive, and their bytes.
    var unarchived: (count: Int, byteCount: Int64) {
        guard isArchiving else { return (0, 0) }
        return state.withLock { state in
            let waiting = state.segments.dropLast().filter { $0.number > state.archivedThrough }
            return (
                state.retired.count + waiting.count,
                state.retired.reduce(0) { $0 + $1.byteCount } + waiting.reduce(0) { $0 + $1.endOffset }
            )
        }
    }
}
