// Storage+Open.swift — from a directory to a storage.
//
// 1. Lock the directory; read the manifest that CURRENT names; see that every table it lists is there.
// 2. Replay the log into memtables, skipping what `flushedThrough` says is in tables.
// 3. Write the memtables to tables; start a new log segment; write a new manifest that lists those tables and starts the
//    log there; make it current.
// 4. Remove what nothing refers to any more: old segments (with an archive, once it has them), old manifests, tables of a flush
//    that did not finish.
// A crash before the last step of 3 leaves the old manifest and the old log as they were: the next opening does it again.
// Nothing is ever appended to a file of an earlier run. Read-only opening does 1 and 2.

internal import Synchronization

/// What an opening finds and makes.
struct OpenedParts {
    var lock: (any FileLock)?
    var commits: CommitState
    var catalog: Catalog
    var tableCache: TableCache
    var nextFileNumber: UInt64
    var log: LogWriter?
    var manifest: ManifestWriter?
    var purgeFloor: PurgeFloor
    /// Up to when expired entries may have been purged by earlier runs.
    var purgedThrough = StorageInstant.distantPast
    var latch = FailureLatch()
    var sqlite: SQLiteEngine?
    /// Commits that were in the log and not in tables.
    var replayedCommitCount = 0
}

extension Storage {
    /// Opens the storage in a directory, or creates one there.
    ///
    /// - Throws: `StorageError`: `.locked` if it is open elsewhere, `.corruption` naming file and offset,
    ///   `.unsupportedFormat` for files of a newer version, `.ioFailure`, `.diskFull`.
    public static func open(at directory: String, options: StorageOptions = StorageOptions()) throws -> Storage {
        try open(try StorageOpening(directory: directory, options: options).open(), directory, options)
    }

    static func open(
        _ makeParts: @autoclosure () throws -> OpenedParts, _ directory: String, _ options: StorageOptions
    ) throws -> Storage {
        let start = options.clock.monotonicNanoseconds
        let parts = try makeParts()
        let storage = Storage(parts, options: options, directory: directory)
        storage.traceOpening(parts, since: start)
        if options.backgroundWork == .threads, !options.isReadOnly { try storage.startThreads() }
        return storage
    }

    /// A storage that lives in memory and goes with its last reference; for tests and examples.
    ///
    /// SHOPSTREAM_ENGINE=sqlite in the environment puts it on one SQLite file, so that the tests of what stands on a
    /// storage can be run on both engines.
    public static func inMemory(clock: any StorageClock = SystemClock()) throws -> Storage {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        options.clock = clock
        let usesSQLite = SystemEnvironment.value(of: "SHOPSTREAM_ENGINE") == "sqlite"
        return try open(usesSQLite ? .sqlite("/memory") : .directory("/memory"), options: options)
    }

    /// Starts the threads for sync, the log, flush, compaction and the removal of files. They hold the storage only while they
    /// work. Nobody waits for the last four, unless their work is so far behind that writers stand still and leave them the
    /// processors; so they let writers and readers go first. The log's thread, woken by a writer, would else take the writer's
    /// processor from it where the others are busy: calls of 2 to 6 ms at 33,333 events a second on two of them.
    private func startThreads() throws {
        let gate = self.gate
        let background = self.background
        let nanoseconds = UInt64(max(options.syncInterval / .nanoseconds(1), 1_000_000))
        try Self.start("shop-sync", background) { gate.run(interval: nanoseconds) }
        if let log {
            try Self.start("shop-log", background) {
                BackgroundThread.letOthersGoFirst()
                log.runTending()
            }
        }
        try Self.start("shop-flush", background) { [weak self] in
            BackgroundThread.letOthersGoFirst()
            while background.waitForRequest(.flush) {
                if !Self.workOff(self, background, .flush, { try $0.flushOne() }) { return }
            }
        }
        for _ in 0..<max(options.compactionThreadCount, 1) {
            try Self.start("shop-compaction", background) { [weak self] in
                BackgroundThread.letOthersGoFirst()
                // Now and then unasked: entries expire without anybody writing.
                while background.waitForRequest(.compaction, nanoseconds: 10_000_000_000) {
                    if !Self.workOff(self, background, .compaction, { try $0.compactOne() }) { return }
                }
            }
        }
        if log != nil, options.logArchive != nil {
            try Self.start("shop-archive", background) { [weak self] in
                BackgroundThread.letOthersGoFirst()
                // Also unasked: a segment may have come to its end before it was on the device.
                while background.waitForRequest(.archive, nanoseconds: 1_000_000_000) {
                    if !Self.workOff(self, background, .archive, { try $0.archiveOne() }) { return }
                }
            }
            background.request(.archive)
        }
        if sqlite == nil { try startRemovals() }
        for tree in catalog.withLock({ $0.persistentTrees }) { updatePressure(of: tree) }
        background.request(.compaction)
    }

    private func startRemovals() throws {
        let background = self.background
        let tableCache = self.tableCache
        try Self.start("shop-removal", background) {
            BackgroundThread.letOthersGoFirst()
            while background.waitForRequest(.removal) { tableCache.removeObsoleteFiles() }
        }
        tableCache.deferRemovals { background.request(.removal) }
    }

    private static func start(_ name: String, _ background: Background, _ body: @escaping @Sendable () -> Void) throws {
        background.threadStarted()
        do {
            try BackgroundThread.start(name) {
                body()
                background.threadEnded()
            }
        } catch {
            background.threadEnded()
            throw error
        }
    }

    /// Repeats a unit of work until there is none left; false when the thread should end.
    private static func workOff(
        _ storage: Storage?, _ background: Background, _ work: Background.Work, _ unit: (Storage) throws -> Bool
    ) -> Bool {
        guard let storage else { return false }
        var failureCount = 0
        while !storage.isClosed.load(ordering: .acquiring) {
            do {
                if try !unit(storage) { return true }
                failureCount = 0
            } catch {
                storage.noteFailure(error, of: work)
                background.madeProgress()
                // Nothing that is tried again would count.
                if storage.latch.refusal != nil { return false }
                failureCount += 1
                if !background.pause(nanoseconds: work.retryNanoseconds(afterFailures: failureCount)) { return false }
            }
        }
        return true
    }
}

extension Background.Work {
    /// When work that has failed so many times in a row is tried again. Writers wait for a flush, so that one does not wait
    /// long. Nobody waits for the rest, and a compaction that fails again and again (a damaged table, too little space) reads
    /// and writes much each time: it comes ever later, after 25 s at most.
    func retryNanoseconds(afterFailures count: Int) -> UInt64 {
        self != .flush ? 100_000_000 << UInt64(min(max(count - 1, 0), 8)) : 100_000_000
    }
}

/// One opening of a directory.
struct StorageOpening {
    let directory: String
    let options: StorageOptions

    init(directory: String, options: StorageOptions) {
        self.directory = directory
        self.options = options
    }

    private let latch = FailureLatch()
    var fileSystem: any FileSystem { WatchedFileSystem(base: options.fileSystem, latch: latch) }
    var logDirectory: String { directory + "/log" }
    private var tableDirectory: String { directory + "/tables" }
    /// Differs from run to run, except where runs must be deterministic.
    private var seed: UInt64 {
        options.backgroundWork == .manual
            ? options.seed : options.seed ^ UInt64(bitPattern: options.clock.now.microseconds)
    }

    func open() throws -> OpenedParts {
        guard !options.isReadOnly else { return try openReadOnly() }
        if options.logArchive != nil, options.logSegmentByteCount > StorageOptions.largestArchivedSegmentByteCount {
            throw StorageError(.invalidArgument, "Log segments that are archived are limited to 1 GiB.")
        }
        try fileSystem.createDirectory(directory)
        let lock = try fileSystem.lock(directory + "/LOCK")
        do {
            try fileSystem.createDirectory(logDirectory)
            try fileSystem.createDirectory(tableDirectory)
            return try openLocked(lock)
        } catch {
            lock.release()
            throw error
        }
    }

    private func openLocked(_ lock: any FileLock) throws -> OpenedParts {
        var found = try readManifest()
        if !found.exists { try syncName() }
        let tableCache = makeTableCache()
        let firstSegment = try firstFreeSegment(found.state)
        var parts = try restore(found.state, tableCache)
        parts.lock = lock
        let logEnd = try replayLog(&found, &parts)
        let end = logEnd?.sequence ?? found.state.logStartPrevious
        if let logEnd { try removeSegments(behind: logEnd, found.state, found.identity) }
        try flushReplayed(&found.state, &parts)
        found.state.lastSequence = max(found.state.lastSequence, end)
        found.state.commitTimeFloor = parts.commits.lastCommitTime.microseconds
        found.state.logStart = firstSegment
        // Each record goes on from the one before it, whatever sequences were lost or not logged in between.
        found.state.logStartPrevious = end
        found.state.logSyncedThrough = end
        found.state.newestSegment = firstSegment
        found.state.isClosedCleanly = false
        parts.log = try LogWriter(
            directory: logDirectory, fileSystem: fileSystem, identity: found.identity, firstSegment: firstSegment,
            previousSequence: end, segmentByteCount: options.logSegmentByteCount,
            writing: options.logWriting, seed: seed &+ firstSegment,
            leftovers: leftovers(before: firstSegment, found.identity))
        found.state.nextFileNumber = parts.nextFileNumber
        parts.manifest = try ManifestWriter(
            number: found.nextManifest, manifest: found.state, identity: found.identity,
            salt: UInt32(truncatingIfNeeded: seed ^ found.nextManifest), directory: directory, fileSystem: fileSystem,
            latch: latch, reserveByteCount: options.reserveByteCount,
            replacementByteCount: options.manifestReplacementByteCount)
        try removeLeftovers(found.state, keepingManifest: found.nextManifest)
        return parts
    }

    /// Makes the name of the directory durable: a process that was killed right after it created the directory has not.
    private func syncName() throws {
        let parent = FilePathText.parent(of: directory)
        // A parent that may be written but not read can't be synced: its owner made it so.
        guard (try? fileSystem.list(parent)) != nil else { return }
        try fileSystem.syncDirectory(parent)
    }

    private func openReadOnly() throws -> OpenedParts {
        var found = try readManifest()
        guard found.exists else {
            throw StorageError(.notFound, "There is no storage to open read-only.", file: directory)
        }
        var parts = try restore(found.state, makeTableCache())
        _ = try replayLog(&found, &parts)
        return parts
    }

    private func makeTableCache() -> TableCache {
        let memory = MemoryShares(options)
        return TableCache(
            fileSystem: fileSystem, directory: tableDirectory,
            blocks: BlockCache(byteCapacity: memory.blockCache), descriptorCount: options.tableDescriptorCount,
            readerByteCapacity: memory.tableReaders, salt: seed)
    }

    // MARK: Manifest

    struct Found {
        var state: ManifestState
        var identity: UInt64
        var exists: Bool
        var nextManifest: UInt64
    }

    private func readManifest() throws -> Found {
        let numbers = try fileSystem.exists(directory) ? ManifestFiles.numbers(in: directory, fileSystem) : []
        let next = (numbers.last ?? 0) + 1
        guard let current = try ManifestFiles.current(in: directory, fileSystem) else {
            guard try !hasContent(manifests: numbers) else {
                throw StorageError.corruption(
                    "CURRENT is missing, but there is a storage.", file: directory + "/" + ManifestFiles.currentName)
            }
            var random = SeededRandom(seed: seed)
            return Found(state: ManifestState(), identity: random.next(), exists: false, nextManifest: next)
        }
        let (state, identity, _) = try ManifestWriter.read(
            number: current, directory: directory, fileSystem: fileSystem)
        return Found(state: state, identity: identity, exists: true, nextManifest: max(next, current + 1))
    }

    /// Whether a directory without CURRENT holds more than what an unfinished creation leaves: a manifest without
    /// keyspaces and a log without records.
    private func hasContent(manifests: [UInt64]) throws -> Bool {
        if try fileSystem.exists(tableDirectory), try !TableFiles.numbers(in: tableDirectory, fileSystem).isEmpty {
            return true
        }
        if try fileSystem.exists(logDirectory) {
            for number in try LogFiles.numbers(in: logDirectory, fileSystem) {
                let path = LogFiles.path(of: number, in: logDirectory)
                let bytes = try fileSystem.readAll(path)
                guard let header = try LogSegmentHeader.parse(bytes.rawSpan, path: path) else {
                    if bytes.count > LogSegmentHeader.byteCount { return true }
                    continue
                }
                if LogRecovery.hasRecord(bytes, header) { return true }
            }
        }
        return manifests.contains { number in
            let manifest = try? ManifestWriter.read(number: number, directory: directory, fileSystem: fileSystem)
            return manifest.map { $0.state.nextKeyspaceID > 1 } ?? false
        }
    }

    /// Makes trees and keyspaces of what the manifest says.
    private func restore(_ state: ManifestState, _ tableCache: TableCache) throws -> OpenedParts {
        let present = try Set(
            fileSystem.exists(tableDirectory) ? TableFiles.numbers(in: tableDirectory, fileSystem) : [])
        var catalog = Catalog()
        let formers = state.keyspaces.values.reduce(into: [UInt32: UInt32]()) { $0[$1.tree] = $1.former }
        for record in state.trees.values {
            var levels = Levels()
            for (level, tables) in record.tables.enumerated() {
                for metadata in tables {
                    guard present.contains(metadata.number) else {
                        throw StorageError.corruption(
                            "A table that the manifest lists is missing.", file: tableCache.path(of: metadata.number))
                    }
                    levels.add(TableFile(metadata, cache: tableCache), level: level)
                }
            }
            let memtable = Memtable()
            // What the log still has of a keyspace that moves goes into its own tree.
            catalog.trees[record.id] = Tree(
                id: record.id, options: record.options, state: TreeState(memtable: memtable, levels: levels),
                former: formers[record.id], cut: 0, sections: tableCache.sections)
        }
        for tree in catalog.trees.values {
            guard let former = tree.former.flatMap({ catalog.trees[$0] }) else { continue }
            tree.update { $0.inheriting(former.state) }
        }
        for record in state.keyspaces.values {
            guard let tree = catalog.trees[record.tree] else { continue }
            // The merge operator comes with the first `keyspace(_:options:)`.
            let keyspaceOptions = KeyspaceOptions(
                expiry: record.expiry, isVolatile: tree.isVolatile, isDedicated: record.isDedicated,
                isArchived: record.isArchived, compression: tree.options.compression,
                filterBitsPerKey: tree.options.filterBitsPerKey, strategy: tree.options.strategy,
                garbageThreshold: tree.options.garbageThreshold,
                compactsAutomatically: tree.options.compactsAutomatically)
            catalog.keyspaces[record.name] = Keyspace(
                name: record.name, id: record.id, options: keyspaceOptions, tree: tree,
                life: KeyspaceLife(mergeOperator: record.mergeOperator))
        }
        return OpenedParts(
            commits: CommitState(visible: state.lastSequence, commitTime: state.commitTimeFloor), catalog: catalog,
            tableCache: tableCache, nextFileNumber: max(state.nextFileNumber, (present.max() ?? 0) + 1),
            purgeFloor: PurgeFloor(commitTimeFloor: state.commitTimeFloor, clock: options.clock),
            purgedThrough: StorageInstant(microseconds: state.purgedThrough), latch: latch)
    }

    // MARK: Log

    private func firstFreeSegment(_ state: ManifestState) throws -> UInt64 {
        max(state.logStart, (try LogFiles.numbers(in: logDirectory, fileSystem).last ?? 0) + 1)
    }

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
            let path = LogFiles.path(of: number, in: logDirectory)
            guard number <= state.newestSegment else {
                try fileSystem.remove(path)
                continue
            }
            // The manifest knows it, and an opening would miss it: of it stays what says that it has no record.
            let empty = LogSegmentHeader(number: number, identity: identity, salt: 0)
            try fileSystem.writeSynced(empty.bytes, to: path + LogSegmentFiles.unfinishedSuffix)
            try fileSystem.rename(path + LogSegmentFiles.unfinishedSuffix, to: path)
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
