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
        guard let log, options.logArchive != nil else {
            throw StorageError(.invalidArgument, "The storage was opened without a log archive.")
        }
        lane.checkNotReentered()
        lane.enter()
        let ended = Result { try log.endSegment() }
        lane.leave()
        try ended.get()
        try sync()
        while try archiveOne() {}
    }

    /// Hands the oldest segment that waits for it to the archive; false if there is none.
    func archiveOne() throws -> Bool {
        guard let log, let archive = options.logArchive else { return false }
        return try archiveTurn.withLock { _ in
            guard let next = log.nextUnarchived() else { return false }
            let segment = try LogArchiveSegment(
                options.fileSystem.readAll(next.path), number: next.number, path: next.path,
                lastSequence: next.lastSequence)
            if let segment { try archive.archive(segment) }
            try log.markArchived(next.number)
            background.setFailure(nil, of: .archive)
            return true
        }
    }
}
