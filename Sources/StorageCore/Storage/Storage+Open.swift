// Storage+Open.swift — from a directory to a storage.
//
// 1. Lock the directory; read the manifest that CURRENT names; see that every table it lists is there.
// 2. Replay the log into memtables, skipping what `flushedThrough` says is in tables.
// 3. Write the memtables to tables; start a new log segment; write a new manifest that lists those tables and starts the
//    log there; make it current.
// 4. Remove what nothing refers to any more: old segments (with an archive, once it has them), old manifests, tables of a flush
//    that did not finish.
// A crash before the last step of 3 leaves the old manifest and the old log as they were: the next opening does it again.
// Nothing is ever appended to a file of an earlier run. Read-only opening does 1 and 2. So does one that finds the disk full,
// and leaves 3 and 4 to whoever finds room later (StorageOpening+Writing.swift).

internal import Synchronization

/// What an opening finds and makes.
struct OpenedParts {
    var lock: (any FileLock)?
    var commits: CommitState
    var catalog: Catalog
    var tableCache: TableCache
    var nextFileNumber: UInt64
    var journal = Journal()
    /// Steps 3 and 4 where there was no room for them.
    var unfinished: UnfinishedOpening?
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
    /// One that is there opens on a full disk too: reads go on, and writes are refused with `.diskFull` until there is room,
    /// which is noticed by itself. What the log had is in memory until then, all of it.
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
        if let reason = parts.unfinished?.reason ?? parts.sqlite?.unfinished { storage.noteFailure(reason, of: .flush) }
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
        try startTendingLog()
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
        if options.logArchive != nil {
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
        if hasUnfinishedOpening { background.request(.flush) }
    }

    func startTendingLog() throws {
        guard let log else { return }
        try Self.start("shop-log", background) {
            BackgroundThread.letOthersGoFirst()
            log.runTending()
        }
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

    let latch = FailureLatch()
    var fileSystem: any FileSystem { WatchedFileSystem(base: options.fileSystem, latch: latch) }
    var logDirectory: String { directory + "/log" }
    var tableDirectory: String { directory + "/tables" }
    /// Differs from run to run, except where runs must be deterministic.
    var seed: UInt64 {
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
        var rest = Unwritten(found: found, parts: parts, firstSegment: firstSegment, logEnd: logEnd)
        do {
            try write(&rest)
        } catch let error as StorageError where error.code == .diskFull && found.exists && latch.refusal == nil {
            // Without a storage there is nothing to read either.
            try syncFoundLog(found.state)
            parts = rest.parts
            parts.unfinished = UnfinishedOpening(self, rest, reason: error)
            return parts
        }
        return rest.parts
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
            blocks: BlockCache(byteCapacity: memory.blockCache(besideWaiting: 0)),
            descriptorCount: options.tableDescriptorCount,
            readerByteCapacity: memory.tableReaders, salt: seed)
    }

    // MARK: Manifest

    struct Found {
        var state: ManifestState
        var identity: UInt64
        var exists: Bool
        /// The one that CURRENT names; nil if there is none.
        var currentManifest: UInt64?
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
        return Found(
            state: state, identity: identity, exists: true, currentManifest: current,
            nextManifest: max(next, current + 1))
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
}
