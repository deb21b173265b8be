// Storage+Archive.swift — handing the log to the archive.

internal import Synchronization

extension Storage {
    /// Ends the log's segment at hand and returns once every commit made before the call is in the archive.
    ///
    /// Without it, a commit is archived once its segment is full (``StorageOptions/logSegmentByteCount``), or when the storage is
    /// closed.
    /// - Throws: `.invalidArgument` if the storage was opened without a log archive; what the archive throws.
    public func archiveLog() throws {
        try checkWritable()
        try finishOpening()
        guard let log, options.logArchive != nil else {
            throw StorageError(.invalidArgument, "The storage was opened without a log archive.")
        }
        lane.checkNotReentered()
        try endLogSegment(log)
        try sync()
        while try archiveOne() {}
        // Whoever closes the storage takes the turn for good, and may have failed to archive the rest.
        if log.nextUnarchived() != nil, let refusal = refusal() { throw refusal }
    }

    private func endLogSegment(_ log: LogWriter) throws {
        lane.enter()
        defer { lane.leave() }
        // Whoever closes the storage lets go of its directory.
        if let refusal = refusal() { throw refusal }
        try log.endSegment()
    }

    /// Hands the oldest segment that waits for it to the archive; false if there is none.
    func archiveOne() throws -> Bool {
        guard let log, let archive = options.logArchive, archiveTurn.begin() else { return false }
        defer { archiveTurn.end() }
        guard let next = log.nextUnarchived() else { return false }
        if next.end != .empty {
            let segment = try LogArchiveSegment(
                options.fileSystem.readAll(next.path), number: next.number, path: next.path, end: next.end)
            if let segment { try archive.archive(segment) }
        }
        try log.markArchived(next.number)
        background.setFailure(nil, of: .archive)
        return true
    }
}

/// Whose turn it is to hand the archive a segment: one thread's, and nobody's once the storage is closed. Not a lock: the archive's
/// own code runs in a turn.
final class ArchiveTurn: Sendable {
    private let state = ConditionLock((isTaken: false, isOver: false))

    /// Waits for the turn; false if there will be none.
    func begin() -> Bool {
        state.wait { state in
            if state.isOver { return false }
            guard !state.isTaken else { return nil }
            state.isTaken = true
            return true
        }
    }

    func end() { state.withLockAndSignal { $0.isTaken = false } }

    /// Returns once nobody has the turn, and nobody will.
    func finish() {
        state.wait { state in
            state.isOver = true
            return state.isTaken ? nil : ()
        }
        state.signal()
    }
}
