// Storage+Flush.swift — from memory to disk.
//
// A flush of a memtable: sync the log through its last sequence → write the table, sync it and its name → one edit of the
// manifest adds the table, says that the tree is flushed through that sequence, and from where the log is still needed →
// the memtable goes, old segments are removed. A crash in between leaves either the memtable's log or its table, never a
// half of both: replay skips what `flushedThrough` covers.

internal import Synchronization

extension Storage {
    /// Writes every memtable to disk and returns when that is done.
    public func flush() throws {
        try checkWritable()
        try background.working {
            try finishOpening()
            lane.enter()
            for tree in catalog.withLock({ $0.persistentTrees }) where !tree.state.memtable.isEmpty { rotate(tree) }
            lane.leave()
            while try flushOne() {}
        }
    }

    /// Does one unit of background work, a flush before a segment for the archive before a compaction; false if there is nothing to do.
    @discardableResult
    public func step() throws -> Bool {
        try checkWritable()
        return try background.working { try stepWorking() }
    }

    private func stepWorking() throws -> Bool {
        if try flushOne() { return true }
        if let sqlite { return try maintain(sqlite) }
        var failure: (any Error)?
        do {
            if try archiveOne() { return true }
        } catch {
            // An archive that is out of reach keeps nothing from being compacted.
            failure = error
        }
        let isDone = try compactOne()
        if let failure, !isDone { throw failure }
        return isDone
    }

    /// Flushes the oldest immutable memtable of one tree; false if there is none.
    func flushOne() throws -> Bool {
        let flushed = try flushTurn.withLock { _ in
            if try finishOpeningInTurn() {
                surveyMemtables()
                return true
            }
            let trees = catalog.withLock { Array($0.trees.values) }
            let waiting = trees.filter { !$0.state.immutables.isEmpty }
            guard let tree = treeToFlush(among: waiting) else { return try noteLogSegment() }
            if tree.isVolatile {
                try compactInMemory(tree)
            } else if let memtable = tree.state.immutables.last {
                // Writers go on meanwhile, and may fill another one.
                lendMemory(besides: memory.memtable)
                try observingFlush(of: memtable, tree) { try flush(memtable, of: tree) }
                updatePressure(of: tree)
                lendMemory()
            }
            return true
        }
        background.setFailure(nil, of: .flush)
        if flushed {
            if options.logArchive != nil { background.request(.archive) }
            background.madeProgress()
            background.request(.compaction)
        }
        return flushed
    }

    /// Tells the manifest of a log segment that has been begun, so that an opening misses it if it is gone, or what it was
    /// begun after; false if there is none.
    private func noteLogSegment() throws -> Bool {
        guard let manifest, let log else { return false }
        let newest = log.newestSegment
        guard newest.number > manifest.manifest.newestSegment else { return false }
        try gate.wait(for: newest.previousSequence)
        try manifest.edit { _ in
            var edit = VersionEdit()
            noteProgress(in: &edit)
            return (edit, ())
        }
        return true
    }

    /// The tree whose oldest immutable memtable is flushed next; nil if none waits.
    ///
    /// Each tree was looked at in another moment, so a keyspace may have left a shared one in between: what it has committed
    /// there is flushed first, since a replay takes all before what is in its own tree's tables for flushed too. Whoever sees
    /// an immutable memtable of its own tree sees all those from before the cut.
    func treeToFlush(among waiting: [Tree]) -> Tree? {
        guard let tree = waiting.min(by: { oldestSequence($0) < oldestSequence($1) }) else { return nil }
        let shared = tree.former.flatMap { former in catalog.withLock { $0.trees[former] } }
        guard let shared, oldestSequence(shared) <= tree.cut.load(ordering: .acquiring) else { return tree }
        return shared
    }

    private func oldestSequence(_ tree: Tree) -> UInt64 { tree.state.immutables.last?.firstSequence ?? .max }

    private func flush(_ memtable: Memtable, of tree: Tree) throws -> [TableMetadata] {
        guard let manifest, let log else { return [] }
        try gate.wait(for: memtable.lastSequence)
        // Snapshots to come are not older than what is durable, so they see all of the memtable.
        let tombstones = RangeTombstoneSet(memtable.rangeTombstones(seenAt: registry.sequences))
        let tables = unsafe try write(
            [.memtable(memtable.makeCursor())], tombstones: tombstones, of: tree,
            compression: tree.options.compression.upper, splitter: OutputSplitter(tableByteCount: .max),
            origin: origin(of: tree, level: 0, memtable: memtable), commitTimes: memtable.commitTimes,
            isBottommost: { _ in false }, isRangeBottommost: { _, _ in false })
        try removingTablesIfFull(tables) {
            try install(tables, of: memtable, tree, manifest)
        }
        try log.removeSegments(below: manifest.manifest.logStart)
        return tables
    }

    private func install(
        _ tables: [TableMetadata], of memtable: Memtable, _ tree: Tree, _ manifest: ManifestWriter
    ) throws {
        try manifest.edit { state in
            var edit = VersionEdit()
            let isDropped = state.trees[tree.id] == nil
            if !isDropped {
                edit.newTables = tables.map { VersionEdit.NewTable(tree: tree.id, level: 0, metadata: $0) }
                edit.flushed = [VersionEdit.Flushed(tree: tree.id, through: memtable.lastSequence)]
                edit.flushed += alsoFlushed(memtable, of: tree, state)
            }
            noteProgress(in: &edit, flushing: memtable)
            return (edit, isDropped)
        } commit: { isDropped in
            let files = tables.map { TableFile($0, cache: tableCache) }
            guard !isDropped else { return files.forEach { $0.markObsolete() } }
            tree.update { state in
                var levels = state.levels
                for file in files { levels.add(file, level: 0) }
                return state.replacing(immutables: state.immutables.filter { $0 !== memtable }, levels: levels)
            }
            refreshHeirs(of: tree)
        }
    }

    /// Runs `body`, and removes new tables if there was no room to list them in the manifest.
    func removingTablesIfFull(_ tables: [TableMetadata], _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as StorageError where error.code == .diskFull {
            for table in tables { tableCache.removeFile(of: table.number) }
            throw error
        }
    }

    /// Adds to an edit how far numbers, commits and the log have got.
    /// - Parameter flushing: A memtable whose content this edit puts into tables.
    func noteProgress(in edit: inout VersionEdit, flushing memtable: Memtable? = nil) {
        edit.nextFileNumber = fileNumbers.load(ordering: .relaxed)
        edit.purgedThrough = registry.purgedThrough.microseconds
        edit.commitTimeFloor = commits.lastCommitTime.microseconds
        // Read before the memtables: a commit that comes later is above it.
        let visible = commits.visibleSequence
        edit.lastSequence = visible
        guard let log else { return }
        edit.newestSegment = log.newestSegment.number
        edit.logSyncedThrough = log.syncedSequence
        var flushedThrough = visible
        for tree in catalog.withLock({ $0.persistentTrees }) {
            for waiting in tree.state.memtables where waiting !== memtable && !waiting.isEmpty {
                flushedThrough = min(flushedThrough, waiting.firstSequence - 1)
            }
        }
        (edit.logStart, edit.logStartPrevious) = log.start(afterFlushOfAllThrough: flushedThrough)
    }

    // MARK: Rewriting

    func newFileNumber() -> UInt64 { fileNumbers.add(1, ordering: .relaxed).oldValue }

    /// - Parameter tree: Whose entries are rewritten; those of keyspaces that have none there go.
    func rewriteRules(for tree: Tree) -> RewriteRules {
        let (sequences, purgeTime) = registry.horizon(purgeTime: purgeFloor.purgeTime(clock)) { gate.durableSequence }
        let keyspaces = catalog.withLock { $0.keyspaces(in: tree) }
        return RewriteRules(
            snapshots: sequences, purgeTime: purgeTime,
            keyspaces: Dictionary(uniqueKeysWithValues: keyspaces.map { ($0.id, $0) }))
    }

    /// Rewrites sources into tables, which are on the device, with their names, when this returns.
    /// - Parameters:
    ///   - rules: What is kept; nil for the rules of the tree.
    ///   - dictionary: That of the tables' data blocks; empty for none.
    ///   - origin: What the tables say of themselves.
    ///   - commitTimes: Bounds those of the entries.
    ///   - pace: Called with the number of bytes before each write.
    func write(
        _ sources: [EntrySource], tombstones: RangeTombstoneSet, of tree: Tree, rules: RewriteRules? = nil,
        compression: TableCompression, dictionary: [UInt8] = [], splitter: OutputSplitter, origin: TableOrigin,
        commitTimes: CommitTimes, pace: (@Sendable (Int) -> Void)? = nil,
        isBottommost: @escaping (UnsafeRawBufferPointer) -> Bool,
        isRangeBottommost: (_ lower: [UInt8], _ upper: [UInt8]) -> Bool
    ) throws -> [TableMetadata] {
        let rules = rules ?? rewriteRules(for: tree)
        var tableOptions = options.tableOptions(for: tree, compression: compression)
        tableOptions.clusteringLayout = rules.clusteringLayout
        tableOptions.dictionary = dictionary
        let output = TableOutput(
            cache: tableCache,
            options: TableOutput.Options(
                splitter: splitter, table: tableOptions, origin: origin, commitTimes: commitTimes,
                willWrite: pace),
            tombstones: tombstones.kept(rules, isBottommost: isRangeBottommost), newNumber: newFileNumber)
        do {
            var rewriter = unsafe EntryRewriter(
                rules: rules, tombstones: tombstones, isBottommost: isBottommost,
                emit: { unsafe try output.add($0) })
            try rewriter.run(MergingCursor(sources))
            return try output.finish()
        } catch {
            output.abandon()
            throw error
        }
    }

    /// Gives a volatile tree one memtable with what is still visible.
    private func compactInMemory(_ tree: Tree) throws {
        let state = tree.state
        // A durable snapshot to come may read at any sequence that is not durable yet; the rewriter knows of none of them.
        if let newest = state.immutables.first { try gate.wait(for: newest.lastSequence) }
        let old = state.immutables + (state.settled.map { [$0] } ?? [])
        let snapshots = registry.sequences
        let tombstones = RangeTombstoneSet(old.flatMap { $0.rangeTombstones(seenAt: snapshots) })
        let rules = rewriteRules(for: tree)
        let memtable = Memtable()
        var rewriter = unsafe EntryRewriter(
            rules: rules, tombstones: tombstones, isBottommost: { _ in true }, emit: { unsafe memtable.insert($0) })
        try rewriter.run(MergingCursor(old.map { .memtable($0.makeCursor()) }))
        let kept = tombstones.kept(rules, isBottommost: { _, _ in true })
        for tombstone in kept.sorted(by: { $0.sequence < $1.sequence }) { memtable.insert(tombstone) }
        tree.update { state in
            // Memtables that became immutable meanwhile are newer.
            let newer = state.immutables.filter { memtable in !old.contains { $0 === memtable } }
            return TreeState(memtable: state.memtable, immutables: newer, settled: memtable)
        }
    }
}
