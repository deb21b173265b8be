// Storage+Open.swift — from a directory to a storage.
//
// 1. Lock the directory; read the manifest that CURRENT names; see that every table it lists is there.
// 2. Replay the log into memtables, skipping what `flushedThrough` says is in tables.
// 3. Write the memtables to tables; start a new log segment; write a new manifest that lists those tables and starts the
//    log there; make it current.
// 4. Remove what nothing refers to any more: old segments, old manifests, tables of a flush that did not finish.
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
    var latch = FailureLatch()
    var sqlite: SQLiteEngine?
}

extension Storage {
    /// Opens the storage in a directory, or creates one there.
    ///
    /// - Throws: `StorageError`: `.locked` if it is open elsewhere, `.corruption` naming file and offset,
    ///   `.unsupportedFormat` for files of a newer version, `.ioFailure`, `.diskFull`.
    public static func open(at directory: String, options: StorageOptions = StorageOptions()) throws -> Storage {
        try open(try StorageOpening(directory: directory, options: options).open(), directory, options)
    }

    static func open(_ parts: OpenedParts, _ directory: String, _ options: StorageOptions) throws -> Storage {
        let storage = Storage(parts, options: options, directory: directory)
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

    /// Starts the threads for sync, flush and compaction. They hold the storage only while they work.
    private func startThreads() throws {
        let gate = self.gate
        let background = self.background
        let nanoseconds = UInt64(max(options.syncInterval / .nanoseconds(1), 1_000_000))
        try Self.start("shop-sync", background) { gate.run(interval: nanoseconds) }
        try Self.start("shop-flush", background) { [weak self] in
            while background.waitForRequest(.flush) {
                if !Self.workOff(self, background, .flush, { try $0.flushOne() }) { return }
            }
        }
        try Self.start("shop-compaction", background) { [weak self] in
            while background.waitForRequest(.compaction) {
                if !Self.workOff(self, background, .compaction, { try $0.compactOne() }) { return }
            }
        }
        background.request(.compaction)
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
        while !storage.isClosed.load(ordering: .acquiring) {
            do {
                if try !unit(storage) { return true }
            } catch {
                background.setFailure(StorageError(wrapping: error), of: work)
                background.madeProgress()
                // Nothing that is tried again would count.
                if storage.lastingRefusal() != nil { return false }
                if !background.pause(nanoseconds: 100_000_000) { return false }
            }
        }
        return true
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
    private var fileSystem: any FileSystem { WatchedFileSystem(base: options.fileSystem, latch: latch) }
    private var logDirectory: String { directory + "/log" }
    private var tableDirectory: String { directory + "/tables" }
    /// Differs from run to run, except where runs must be deterministic.
    private var seed: UInt64 {
        options.backgroundWork == .manual
            ? options.seed : options.seed ^ UInt64(bitPattern: options.clock.now.microseconds)
    }

    func open() throws -> OpenedParts {
        guard !options.isReadOnly else { return try openReadOnly() }
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
        let end = try replayLog(found, &parts)

        try flushReplayed(&found.state, &parts)
        found.state.lastSequence = max(found.state.lastSequence, end)
        found.state.commitTimeFloor = parts.commits.lastCommitTime.microseconds
        found.state.logStart = firstSegment
        found.state.logStartPrevious = parts.commits.visibleSequence
        found.state.isClosedCleanly = false
        parts.log = try LogWriter(
            directory: logDirectory, fileSystem: fileSystem, identity: found.identity, firstSegment: firstSegment,
            previousSequence: parts.commits.visibleSequence, segmentByteCount: options.logSegmentByteCount,
            seed: seed &+ firstSegment)
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
        let found = try readManifest()
        guard found.exists else {
            throw StorageError(.notFound, "There is no storage to open read-only.", file: directory)
        }
        var parts = try restore(found.state, makeTableCache())
        _ = try replayLog(found, &parts)
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

    private struct Found {
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
                let segment = try fileSystem.open(LogFiles.path(of: number, in: logDirectory), .read)
                if try segment.byteCount() > Int64(LogSegmentHeader.byteCount) { return true }
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
            let memtable = Memtable(seed: options.seed ^ UInt64(record.id))
            catalog.trees[record.id] = Tree(
                id: record.id, options: record.options, state: TreeState(memtable: memtable, levels: levels))
        }
        for record in state.keyspaces.values {
            guard let tree = catalog.trees[record.tree] else { continue }
            // The merge operator comes with the first `keyspace(_:options:)`.
            let keyspaceOptions = KeyspaceOptions(
                expiry: record.expiry, isVolatile: tree.options.isVolatile, isDedicated: record.isDedicated,
                isArchived: record.isArchived, compression: tree.options.compression,
                filterBitsPerKey: tree.options.filterBitsPerKey)
            catalog.keyspaces[record.name] = Keyspace(
                name: record.name, id: record.id, options: keyspaceOptions, tree: tree,
                life: KeyspaceLife(mergeOperator: record.mergeOperator))
        }
        return OpenedParts(
            commits: CommitState(visible: state.lastSequence, commitTime: state.commitTimeFloor), catalog: catalog,
            tableCache: tableCache, nextFileNumber: max(state.nextFileNumber, (present.max() ?? 0) + 1),
            purgeFloor: PurgeFloor(commitTimeFloor: state.commitTimeFloor, clock: options.clock), latch: latch)
    }

    // MARK: Log

    private func firstFreeSegment(_ state: ManifestState) throws -> UInt64 {
        max(state.logStart, (try LogFiles.numbers(in: logDirectory, fileSystem).last ?? 0) + 1)
    }

    /// Applies the log to the memtables; the last sequence in it.
    private func replayLog(_ found: Found, _ parts: inout OpenedParts) throws -> UInt64 {
        let state = found.state
        guard found.exists, try fileSystem.exists(logDirectory) else { return state.lastSequence }
        let hasLog = try LogFiles.numbers(in: logDirectory, fileSystem).contains { $0 >= state.logStart }
        guard hasLog else {
            if state.isClosedCleanly { return state.lastSequence }
            throw StorageError.corruption(
                "The log is missing.", file: LogFiles.path(of: state.logStart, in: logDirectory))
        }
        let keyspaces = parts.catalog.keyspacesByID
        let recovery = LogRecovery(fileSystem: fileSystem, directory: logDirectory, identity: found.identity)
        let commits = parts.commits
        let end = try recovery.replay(from: state.logStart, previousSequence: state.logStartPrevious) {
            header, payload, file, offset in
            let replay = LogReplay(state: state, keyspaces: keyspaces, header: header)
            try replay.apply(payload, file: file, offset: offset)
            commits.visible.store(max(commits.visibleSequence, header.sequence), ordering: .relaxed)
            commits.commitTime.store(
                max(commits.lastCommitTime.microseconds, header.commitTime), ordering: .relaxed)
        }
        return end.sequence
    }

    /// Writes the replayed memtables to tables and notes them in the state of the manifest to come.
    private func flushReplayed(_ state: inout ManifestState, _ parts: inout OpenedParts) throws {
        let fileNumbers = Atomic(parts.nextFileNumber)
        for tree in parts.catalog.persistentTrees where !tree.state.memtable.isEmpty {
            let memtable = tree.state.memtable
            let output = TableOutput(
                cache: parts.tableCache,
                options: TableOutput.Options(
                    tableByteCount: .max,
                    table: options.tableOptions(for: tree, compression: tree.options.compression.upper),
                    origin: TableOrigin(of: tree, keyspaces: parts.catalog.keyspaces.values, level: 0),
                    commitTimes: memtable.commitTimes),
                tombstones: RangeTombstoneSet(memtable.rangeTombstones(seenAt: [])).tombstones,
                newNumber: { fileNumbers.add(1, ordering: .relaxed).oldValue })
            let cursor = memtable.makeCursor()
            cursor.seekToFirst()
            while cursor.isValid {
                unsafe try output.add(cursor.entry)
                cursor.next()
            }
            let tables = try output.finish()
            state.trees[tree.id]?.tables[0] += tables
            state.trees[tree.id]?.flushedThrough = memtable.lastSequence
            let cache = parts.tableCache
            tree.update { old in
                var levels = old.levels
                for table in tables { levels.add(TableFile(table, cache: cache), level: 0) }
                return TreeState(memtable: Memtable(seed: options.seed ^ memtable.lastSequence), levels: levels)
            }
        }
        parts.nextFileNumber = fileNumbers.load(ordering: .relaxed)
    }

    /// Removes what the new manifest does not refer to.
    private func removeLeftovers(_ state: ManifestState, keepingManifest manifest: UInt64) throws {
        for number in try LogFiles.numbers(in: logDirectory, fileSystem) where number < state.logStart {
            try fileSystem.remove(LogFiles.path(of: number, in: logDirectory))
        }
        for number in try ManifestFiles.numbers(in: directory, fileSystem) where number != manifest {
            try fileSystem.remove("\(directory)/\(ManifestFiles.name(number))")
        }
        let listed = state.tableNumbers
        for number in try TableFiles.numbers(in: tableDirectory, fileSystem) where !listed.contains(number) {
            try fileSystem.remove(TableFiles.path(of: number, in: tableDirectory))
        }
    }
}

/// Applies one record of the log.
private struct LogReplay {
    let state: ManifestState
    let keyspaces: [UInt32: Keyspace]
    let header: LogRecordHeader

    private var sequence: UInt64 { header.sequence }

    func apply(_ payload: RawSpan, file: String, offset: Int64) throws {
        try BatchEncoding.decode(payload, file: file, offset: offset) { lower, upper in
            guard let tree = try target(of: lower, file, offset) else { return }
            tree.state.memtable.noteCommit(time: header.commitTime)
            tree.state.memtable.insert(
                RangeTombstone(lower: lower.array(), upper: upper.array(), sequence: sequence))
        } entry: { kind, expiry, key, value in
            guard let tree = try target(of: key, file, offset) else { return }
            tree.state.memtable.noteCommit(time: header.commitTime)
            unsafe key.withUnsafeBytes { key in
                unsafe value.withUnsafeBytes { value in
                    unsafe tree.state.memtable.insert(
                        UnsafeEntry(key: key, sequence: sequence, kind: kind, expiry: expiry, value: value))
                }
            }
        }
    }

    /// The tree that the entry is missing from; nil if it is in a table, or its keyspace was dropped.
    private func target(of key: RawSpan, _ file: String, _ offset: Int64) throws -> Tree? {
        let id = (0..<Keyspace.prefixByteCount).reduce(UInt32(0)) { id, index in
            unsafe id << 8 | UInt32(key.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
        guard let keyspace = keyspaces[id] else {
            guard id < state.nextKeyspaceID else {
                throw StorageError.corruption(
                    "The log writes to keyspace \(id), which the manifest has never heard of.", file: file,
                    offset: offset)
            }
            return nil
        }
        guard let record = state.trees[keyspace.tree.id], sequence > record.flushedThrough else { return nil }
        return keyspace.tree
    }
}
