// Storage+Close.swift — the orderly end.

internal import Synchronization

extension Storage {
    /// Writes everything to disk, so that the next opening has nothing to replay, and lets go of the directory.
    ///
    /// Commits that wait for durability are served first; later calls are refused with `.closed`, reads through snapshots and
    /// cursors that are still held included. Closing twice is fine.
    /// After a failure that poisoned the storage nothing is written any more, and closing succeeds, unless the failure was in
    /// the background and no call has been told of it yet.
    /// - Throws: `StorageError`, what keeps it from writing everything; the directory is let go of nevertheless. What the log
    ///   archive throws: nothing is lost by that, the next opening offers it what is left of the log.
    public func close() throws {
        try checkProcess()
        lane.checkNotReentered()
        lane.enter()
        let wasClosed = isClosed.exchange(true, ordering: .acquiringAndReleasing)
        lane.leave()
        guard !wasClosed else { return }
        registry.close()
        defer { lock?.release() }
        defer { archiveTurn.finish() }
        // Before the lock goes: whoever gets it next may remove tables.
        defer { tableCache.close() }
        defer {
            visibleWaiters.close()
            durableWaiters.close()
        }
        let synced = Result { try sync() }
        // Threads finish what they are at; from here on this one works alone.
        gate.stop()
        background.requestStop()
        // After that: a log that was begun just now has a thread too.
        log?.stopTending()
        background.stop()
        if let sqlite { return try close(sqlite, after: synced) }
        if let unreported = latch.unreportedRefusal { throw unreported }
        guard let manifest, let log, gate.failure == nil, latch.refusal == nil, !log.isBroken else { return }
        try synced.get()
        for tree in catalog.withLock({ $0.persistentTrees }) where !tree.state.memtable.isEmpty { rotate(tree) }
        while try flushOne() {}
        let nextSegment = try log.close()
        try manifest.edit { _ in
            var edit = VersionEdit()
            noteProgress(in: &edit)
            edit.logStart = nextSegment
            edit.logStartPrevious = log.appendedSequence
            edit.isClosedCleanly = true
            return (edit, ())
        }
        try log.removeSegments(below: nextSegment)
        let archived = Result { while try archiveOne() {} }
        try manifest.close()
        try archived.get()
    }
}
