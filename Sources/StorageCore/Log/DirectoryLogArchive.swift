// DirectoryLogArchive.swift — an archive of the log in a directory, one zstd file for each segment.

/// Keeps segments of the log as files `000000000012.log.zst`, which `zstd -d` reads too.
///
/// One directory serves one storage. A restored copy that goes on for itself numbers its segments like its origin did: it needs
/// a directory of its own.
public struct DirectoryLogArchive: LogArchive {
    private static let suffix = LogFiles.suffix + ".zst"

    public let directory: String
    private let fileSystem: any FileSystem
    private let level: Int

    /// - Parameters:
    ///   - directory: Made where it is absent. Best on another device than the storage.
    ///   - level: zstd's.
    public init(directory: String, fileSystem: any FileSystem = POSIXFileSystem(), level: Int = 1) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.level = level
    }

    /// Writes the segment's file, syncs it and its name.
    /// - Throws: `.alreadyExists` if there is a segment of that number with another content.
    public func archive(_ segment: LogArchiveSegment) throws {
        try fileSystem.createDirectory(directory)
        let path = path(of: segment.number)
        if try fileSystem.exists(path) {
            guard try content(of: segment.number) == segment.bytes else {
                throw StorageError(
                    .alreadyExists, "The archive has another log segment \(segment.number).", file: path)
            }
        } else {
            try fileSystem.replaceSynced(path, with: ZstdFrame.compress(segment.bytes, level: level))
        }
        // Also of a file that was there: whoever renamed it may not have got here.
        try fileSystem.syncDirectory(directory)
        try fileSystem.syncDirectory(FilePathText.parent(of: directory))
    }

    /// The numbers of the segments that are there, ascending.
    public func segmentNumbers() throws -> [UInt64] {
        guard try fileSystem.exists(directory) else { return [] }
        return try FileNumbers.list(directory, suffix: Self.suffix, fileSystem)
    }

    /// Brings a checkpoint forward: puts the archived segments into its log, so that its next opening replays them.
    ///
    /// - Parameters:
    ///   - checkpoint: A checkpoint's directory (``Storage/checkpoint(to:)``), not open. Copy it first if it is to be used again.
    ///   - time: The last moment whose commits are wanted; nil for all that is archived.
    /// - Returns: The newest commit that the opening will find, or nil if the archive has none that the checkpoint lacks.
    /// - Throws: `.notFound` if a segment is missing in between; `.invalidArgument` if the archive is that of another storage, if
    ///   the checkpoint is newer than the time asked for, or if commits wanted write to keyspaces that were created after it: that
    ///   needs a newer one. `.corruption` for damaged files.
    @discardableResult
    public func restore(into checkpoint: String, through time: StorageInstant? = nil) throws -> SequenceNumber? {
        guard let current = try ManifestFiles.current(in: checkpoint, fileSystem) else {
            throw StorageError(.notFound, "There is no checkpoint.", file: checkpoint)
        }
        let lock = try fileSystem.lock(checkpoint + "/LOCK")
        defer { lock.release() }
        let (state, identity, _) = try ManifestWriter.read(
            number: current, directory: checkpoint, fileSystem: fileSystem)
        let logDirectory = checkpoint + "/log"
        // All is checked before anything is written.
        let wanted = try wantedSegments(
            after: endOfLog(logDirectory, state, identity, time), state, identity, through: time)
        var end: SequenceNumber?
        let present = Set(try LogFiles.numbers(in: logDirectory, fileSystem))
        var next = state.logStart
        // Whatever ends this early leaves a checkpoint that opens, and that a second attempt goes on with: no name may be there
        // before those of lower numbers are for good.
        for number in wanted {
            guard let segment = try segment(number, through: time) else { continue }
            // Numbers that never got a record are not archived; an opening would miss their files.
            for gap in next..<max(next, number) where !present.contains(gap) {
                try LogFiles.writeEmpty(gap, identity: identity, in: logDirectory, fileSystem)
                try fileSystem.syncDirectory(logDirectory)
            }
            next = number + 1
            // The checkpoint may have the beginning of the segment.
            try fileSystem.replaceSynced(logDirectory + "/" + segment.fileName, with: segment.bytes)
            try fileSystem.syncDirectory(logDirectory)
            end = segment.lastSequence
        }
        return end
    }

    /// The numbers of the segments that go on from where a checkpoint's log ends.
    private func wantedSegments(
        after checkpointEnd: UInt64, _ state: ManifestState, _ identity: UInt64, through time: StorageInstant?
    ) throws -> [UInt64] {
        var end = checkpointEnd
        var wanted: [UInt64] = []
        var isIncomplete = false
        for number in try segmentNumbers() where number >= state.logStart {
            let path = path(of: number)
            guard let whole = try segment(number, through: nil) else { continue }
            guard whole.storageIdentity == identity else {
                throw StorageError(.invalidArgument, "The archive is that of another storage.", file: path)
            }
            // What the checkpoint has of a segment is its beginning, or all.
            guard whole.lastSequence.rawValue > end else { continue }
            // What a crash took back is not in the chain: the segment that goes on from its beginning comes later.
            isIncomplete = whole.previousSequence.rawValue > end
            if isIncomplete { continue }
            let segment = try time.map { try whole.through($0, path: path) } ?? whole
            if let segment, segment.lastSequence.rawValue > end {
                guard try segment.largestKeyspaceID(path: path) < state.nextKeyspaceID else {
                    throw StorageError(
                        .invalidArgument,
                        "The log writes to a keyspace that was created after the checkpoint; restore from a newer one.",
                        file: path)
                }
                wanted.append(number)
            }
            // Commit times never fall.
            if segment?.lastSequence != whole.lastSequence { break }
            end = whole.lastSequence.rawValue
        }
        guard !isIncomplete else {
            throw StorageError(.notFound, "The archive lacks the log after sequence \(end).", file: directory)
        }
        return wanted
    }

    private func segment(_ number: UInt64, through time: StorageInstant?) throws -> LogArchiveSegment? {
        let path = path(of: number)
        let whole = try LogArchiveSegment(content(of: number), number: number, path: path, end: .found)
        guard let time else { return whole }
        return try whole?.through(time, path: path)
    }

    /// The newest commit that a checkpoint's log has, or had.
    private func endOfLog(
        _ directory: String, _ state: ManifestState, _ identity: UInt64, _ time: StorageInstant?
    ) throws -> UInt64 {
        var newestTime = state.commitTimeFloor
        var end = state.logStartPrevious
        if try LogFiles.numbers(in: directory, fileSystem).contains(where: { $0 >= state.logStart }) {
            let recovery = LogRecovery(fileSystem: fileSystem, directory: directory, identity: identity)
            end = try recovery.replay(from: state.logStart, previousSequence: state.logStartPrevious) {
                header, _, _, _ in newestTime = max(newestTime, header.commitTime)
            }.sequence
        }
        if let time, newestTime > time.microseconds {
            throw StorageError(.invalidArgument, "The checkpoint is newer than the time asked for.", file: directory)
        }
        return end
    }

    private func content(of number: UInt64) throws -> [UInt8] {
        let path = path(of: number)
        guard let content = try ZstdFrame.decompress(fileSystem.readAll(path)) else {
            throw StorageError.corruption("The archived log segment can't be decompressed.", file: path, offset: 0)
        }
        return content
    }

    private func path(of number: UInt64) -> String { "\(directory)/\(FileNumbers.text(number))\(Self.suffix)" }
}
