// StorageOpening+Writing.swift — what an opening writes: the tables of what it replayed, a log segment, a manifest.
//
// Until CURRENT names the new manifest nothing of it counts, so all of it can be done again. That is what an opening does
// which finds the disk full: first at once, with what can be removed gone; then whenever the storage is asked for work.

internal import Synchronization

extension StorageOpening {
    /// What an opening has read, and where it stands with writing.
    struct Unwritten: Sendable {
        var found: Found
        var parts: OpenedParts
        var firstSegment: UInt64
        /// Where the log that was replayed ends; nil if there was none.
        var logEnd: LogRecovery.End?
    }

    /// Does steps 3 and 4. If that fails for want of room, the directory is as if it had not been begun, but for what nobody
    /// needs, which is gone, and tables that later attempts will list.
    func write(_ rest: inout Unwritten) throws {
        do {
            try writeOnce(&rest)
        } catch let error as StorageError where error.code == .diskFull {
            try checkUnchanged(rest, after: error)
            removeUnneeded(rest)
            do {
                try writeOnce(&rest)
            } catch {
                try checkUnchanged(rest, after: error)
                removeUnneeded(rest)
                throw error
            }
        }
    }

    private func writeOnce(_ rest: inout Unwritten) throws {
        if let end = rest.logEnd { try removeSegments(behind: end, rest.found.state, rest.found.identity) }
        try flushReplayed(&rest.found.state, &rest.parts)
        let found = rest.found
        let end = rest.logEnd?.sequence ?? found.state.logStartPrevious
        var state = found.state
        state.lastSequence = max(state.lastSequence, end)
        state.commitTimeFloor = rest.parts.commits.lastCommitTime.microseconds
        state.logStart = rest.firstSegment
        // Each record goes on from the one before it, whatever sequences were lost or not logged in between.
        state.logStartPrevious = end
        state.logSyncedThrough = end
        state.newestSegment = rest.firstSegment
        state.isClosedCleanly = false
        let log = try LogWriter(
            directory: logDirectory, fileSystem: fileSystem, identity: found.identity, firstSegment: rest.firstSegment,
            previousSequence: end, segmentByteCount: options.logSegmentByteCount,
            writing: options.logWriting, seed: seed &+ rest.firstSegment,
            leftovers: leftovers(before: rest.firstSegment, found.identity))
        state.nextFileNumber = rest.parts.nextFileNumber
        do {
            let manifest = try ManifestWriter(
                number: found.nextManifest, manifest: state, identity: found.identity,
                salt: UInt32(truncatingIfNeeded: seed ^ found.nextManifest), directory: directory,
                fileSystem: fileSystem, latch: latch, reserveByteCount: options.reserveByteCount,
                replacementByteCount: options.manifestReplacementByteCount)
            rest.parts.journal.begin(log, manifest)
        } catch {
            _ = try? log.close()
            throw error
        }
        try removeLeftovers(state, keepingManifest: found.nextManifest)
    }

    // MARK: Without room

    /// Throws an error on, unless the directory is surely as it was found, now and after a crash.
    private func checkUnchanged(_ rest: Unwritten, after error: any Error) throws {
        guard rest.found.exists, latch.refusal == nil else { throw error }
        let current = try? ManifestFiles.current(in: directory, fileSystem)
        guard let current, current == rest.found.currentManifest else {
            latch.set(error)
            throw error
        }
    }

    /// Removes what the manifest that counts does not refer to: what an attempt has left half done, and what an earlier run has;
    /// and the space that was set aside for such a need.
    private func removeUnneeded(_ rest: Unwritten) {
        try? fileSystem.remove(LogFiles.path(of: rest.firstSegment, in: logDirectory))
        try? fileSystem.remove("\(directory)/\(ManifestFiles.currentName)\(UnfinishedFile.suffix)")
        try? fileSystem.remove("\(directory)/\(SpaceReserve.name)")
        guard let current = rest.found.currentManifest else { return }
        try? removeLeftovers(rest.found.state, keepingManifest: current)
    }

    /// Brings the log that was found to the device: what was replayed and can be read has to stay, though no table has it.
    func syncFoundLog(_ state: ManifestState) throws {
        for number in try LogFiles.numbers(in: logDirectory, fileSystem) where number >= state.logStart {
            let file = try fileSystem.open(LogFiles.path(of: number, in: logDirectory), .readWrite)
            defer { try? file.close() }
            try file.sync()
        }
        try fileSystem.syncDirectory(logDirectory)
    }

    // MARK: Old files

    /// The segments of earlier runs, if there is an archive that may not have them yet. They are on the device from here on: a
    /// process that was killed has left records that the replay found and a power cut would take, though tables have them.
    private func leftovers(before firstSegment: UInt64, _ identity: UInt64) throws -> [RetiredLogSegment]? {
        guard options.logArchive != nil else { return nil }
        return try LogFiles.numbers(in: logDirectory, fileSystem).filter { $0 < firstSegment }.map { number in
            let path = LogFiles.path(of: number, in: logDirectory)
            let file = try fileSystem.open(path, .readWrite)
            defer { try? file.close() }
            try file.sync()
            let start = try file.read(at: 0, byteCount: LogSegmentHeader.byteCount)
            let header = try LogSegmentHeader.parse(start.rawSpan, path: path)
            // A crash has taken the new name of a file that became another segment, after it had been archived.
            let wasRecycled = header.map { $0.identity == identity && $0.number > number } ?? false
            return RetiredLogSegment(
                number: number, path: path, byteCount: try file.byteCount(), end: wasRecycled ? .empty : .found)
        }
    }

    /// Removes the segments behind the end of the log, of whose commits a crash has taken the first. Before the opening is
    /// complete: later, nothing would tell them from those that an archive has to have.
    private func removeSegments(behind end: LogRecovery.End, _ state: ManifestState, _ identity: UInt64) throws {
        guard options.logArchive != nil else { return }
        let numbers = try LogFiles.numbers(in: logDirectory, fileSystem).filter { $0 > end.segment }
        guard !numbers.isEmpty else { return }
        for number in numbers {
            guard number <= state.newestSegment else {
                try fileSystem.remove(LogFiles.path(of: number, in: logDirectory))
                continue
            }
            // The manifest knows it, and an opening would miss it: of it stays what says that it has no record.
            try LogFiles.writeEmpty(number, identity: identity, in: logDirectory, fileSystem)
        }
        try fileSystem.syncDirectory(logDirectory)
    }

    /// Removes what the new manifest does not refer to. Some of it may go at the same time: tables that a storage of this process
    /// was not closed with are removed by its own thread.
    private func removeLeftovers(_ state: ManifestState, keepingManifest manifest: UInt64) throws {
        if options.logArchive == nil {
            for number in try LogFiles.numbers(in: logDirectory, fileSystem) where number < state.logStart {
                try removeIfThere(LogFiles.path(of: number, in: logDirectory))
            }
        }
        for path in try LogFiles.unfinished(in: logDirectory, fileSystem) { try removeIfThere(path) }
        for number in try ManifestFiles.numbers(in: directory, fileSystem) where number != manifest {
            try removeIfThere("\(directory)/\(ManifestFiles.name(number))")
        }
        let listed = state.tableNumbers
        for number in try TableFiles.numbers(in: tableDirectory, fileSystem) where !listed.contains(number) {
            try removeIfThere(TableFiles.path(of: number, in: tableDirectory))
        }
    }

    private func removeIfThere(_ path: String) throws {
        do {
            try fileSystem.remove(path)
        } catch let error as StorageError where error.code == .notFound {}
    }
}

/// The rest of an opening that found the disk full. Finished in the flush turn.
final class UnfinishedOpening: Sendable {
    let reason: StorageError
    private let opening: StorageOpening
    private let rest: Mutex<StorageOpening.Unwritten?>

    init(_ opening: StorageOpening, _ rest: StorageOpening.Unwritten, reason: StorageError) {
        self.opening = opening
        self.reason = reason
        self.rest = Mutex(rest)
    }

    var isFinished: Bool { rest.withLock { $0 == nil } }

    /// Tries again; the number of the next file.
    func finish() throws -> UInt64 {
        try rest.withLock { state in
            guard var rest = state else { return 0 }
            do {
                try opening.write(&rest)
            } catch {
                // Once there is a manifest, what could not be removed is left to the next opening.
                guard rest.parts.journal.log.load() != nil else {
                    state = rest
                    throw error
                }
            }
            state = nil
            return rest.parts.nextFileNumber
        }
    }
}

extension Storage {
    /// Whether the opening found the disk full.
    var hasUnfinishedOpening: Bool { unfinished != nil || sqlite?.unfinished != nil }

    /// Does what the opening has left to do, if it has.
    /// - Throws: `.diskFull` if there is still no room for it.
    func finishOpening() throws {
        guard hasUnfinishedOpening else { return }
        try background.working {
            try flushTurn.withLock { _ in _ = try finishOpeningInTurn() }
        }
    }

    /// The same in the flush turn; whether there was anything left to do.
    func finishOpeningInTurn() throws -> Bool {
        if let sqlite { return try finishOpening(sqlite) }
        guard let unfinished, !unfinished.isFinished else { return false }
        let nextFileNumber = try unfinished.finish()
        fileNumbers.store(nextFileNumber, ordering: .relaxed)
        background.setFailure(nil, of: .flush)
        if options.backgroundWork == .threads {
            try startTendingLog()
            // Whoever closes the storage may have looked for the log too early.
            if background.isStopping { log?.stopTending() }
            background.request(.compaction)
        }
        return true
    }
}
