// Storage+Compaction.swift — leveled compaction.
//
// Level 0 is due at a number of tables, level 1 at a size, each deeper level at ten times the size of the one above. What
// is most overdue goes first. From level 0 all tables are taken, from a deeper level one table at a time, round and
// round; with them go the tables of the next level inside their span. A table that meets none there is moved by the
// manifest alone.

internal import Synchronization

/// Tables that are rewritten into a level.
struct Compaction {
    var tree: Tree
    /// Of one level, or of several for a compaction of everything.
    var inputs: [TableFile]
    /// The tables of the output level that the inputs' span meets.
    var overlapped: [TableFile]
    var outputLevel: Int
    /// Inputs are in level 0, or in several levels: each is a source of its own.
    var isOverlapping: Bool

    var all: [TableFile] { inputs + overlapped }
}

extension Storage {
    /// Rewrites every tree so that what was overwritten, deleted or has expired is gone from disk, as far as no
    /// snapshot sees it.
    public func compact() throws {
        if let sqlite { return try compact(sqlite) }
        try flush()
        for tree in catalog.withLock({ $0.persistentTrees }) {
            _ = try compactionTurn.withLock { _ in
                let levels = tree.state.levels
                guard !levels.isEmpty else { return }
                try run(
                    Compaction(
                        tree: tree, inputs: levels.all, overlapped: [], outputLevel: max(1, levels.deepest),
                        isOverlapping: true))
            }
        }
        background.setFailure(nil, of: .compaction)
    }

    /// Writes every memtable to disk and returns when no compaction is due any more.
    public func settle() throws {
        try flush()
        while try compactOne() {}
    }

    /// Does the most urgent compaction; false if none is due.
    func compactOne() throws -> Bool {
        if let sqlite { return try maintain(sqlite) }
        let done = try compactionTurn.withLock { pointers in
            guard let compaction = mostUrgent(&pointers) else { return false }
            try run(compaction)
            return true
        }
        background.setFailure(nil, of: .compaction)
        if done { background.madeProgress() }
        return done
    }

    // MARK: Choosing

    private func mostUrgent(_ pointers: inout [UInt32: [Int: [UInt8]]]) -> Compaction? {
        var best: (score: Double, tree: Tree, level: Int)?
        for tree in catalog.withLock({ $0.persistentTrees }) {
            let levels = tree.state.levels
            for level in 0..<Levels.count - 1 {
                let score = score(levels, level)
                if score >= 1, score > best?.score ?? 0 { best = (score, tree, level) }
            }
        }
        guard let best else { return nil }
        let levels = best.tree.state.levels
        let inputs =
            best.level == 0 ? levels[0] : [nextTable(levels, best.level, best.tree, &pointers)].compactMap { $0 }
        guard let lower = inputs.map(\.metadata.smallestKey).min(by: { compareBytes($0, $1) < 0 }),
            let upper = inputs.map(\.metadata.largestKey).max(by: { compareBytes($0, $1) < 0 })
        else { return nil }
        // One byte more makes the upper bound exclusive.
        let overlapped = levels.overlapping(best.level + 1, lower: lower, upper: upper + [0])
        return Compaction(
            tree: best.tree, inputs: inputs, overlapped: overlapped, outputLevel: best.level + 1,
            isOverlapping: best.level == 0)
    }

    private func score(_ levels: Levels, _ level: Int) -> Double {
        if level == 0 { return Double(levels[0].count) / Double(max(options.levelZeroTableCount, 1)) }
        var target = Double(options.levelOneByteCount)
        for _ in 1..<level { target *= 10 }
        return Double(levels.byteCount(level)) / max(target, 1)
    }

    /// The first table after the one that was compacted last in this level, from the start again after the last.
    private func nextTable(
        _ levels: Levels, _ level: Int, _ tree: Tree, _ pointers: inout [UInt32: [Int: [UInt8]]]
    ) -> TableFile? {
        let pointer = pointers[tree.id]?[level] ?? []
        let table =
            levels[level].first { compareBytes($0.metadata.smallestKey, pointer) > 0 } ?? levels[level].first
        pointers[tree.id, default: [:]][level] = table?.metadata.smallestKey
        return table
    }

    // MARK: Running

    private func run(_ compaction: Compaction) throws {
        let tree = compaction.tree
        if compaction.overlapped.isEmpty, compaction.inputs.count == 1, !compaction.isOverlapping {
            return try install(compaction.inputs.map(\.metadata), compaction, reusing: compaction.inputs)
        }
        let levels = tree.state.levels
        let deeper = (compaction.outputLevel + 1)..<max(Levels.count, compaction.outputLevel + 1)
        let isBottom = deeper.allSatisfy { levels[$0].isEmpty }
        let tables = unsafe try write(
            sources(compaction), tombstones: RangeTombstoneSet(try rangeTombstones(compaction)), of: tree,
            compression: isBottom ? tree.options.compression.bottom : tree.options.compression.upper,
            tableByteCount: options.tableByteCount, level: compaction.outputLevel, inputs: compaction.all,
            commitTimes: compaction.all.reduce(into: .unknown) { $0.formUnion($1.metadata.commitTimes) },
            isBottommost: { key in
                deeper.allSatisfy { level in unsafe levels.table(in: level, containing: key) == nil }
            },
            isRangeBottommost: { lower, upper in
                deeper.allSatisfy { level in levels.overlapping(level, lower: lower, upper: upper).isEmpty }
            })
        try removingTablesIfFull(tables) { try install(tables, compaction, reusing: []) }
    }

    private func sources(_ compaction: Compaction) throws -> [EntrySource] {
        var sources: [EntrySource] = []
        if compaction.isOverlapping {
            for table in compaction.inputs { sources.append(.table(try table.open().makeCursor(fillCache: false))) }
        } else {
            sources.append(.level(LevelCursor(compaction.inputs, fillCache: false)))
        }
        if !compaction.overlapped.isEmpty {
            sources.append(.level(LevelCursor(compaction.overlapped, fillCache: false)))
        }
        return sources
    }

    private func rangeTombstones(_ compaction: Compaction) throws -> [RangeTombstone] {
        try compaction.all.flatMap { try $0.rangeTombstones().tombstones }
    }

    /// Replaces the inputs by the outputs, in the manifest and in the tree.
    private func install(_ tables: [TableMetadata], _ compaction: Compaction, reusing: [TableFile]) throws {
        guard let manifest else { return }
        let tree = compaction.tree
        let replaced = Set(compaction.all.map(\.number))
        try manifest.edit { state in
            var edit = VersionEdit()
            let isDropped = state.trees[tree.id] == nil
            if !isDropped {
                edit.removedTables = compaction.all.map { VersionEdit.RemovedTable(tree: tree.id, number: $0.number) }
                edit.newTables = tables.map {
                    VersionEdit.NewTable(tree: tree.id, level: compaction.outputLevel, metadata: $0)
                }
            }
            edit.nextFileNumber = fileNumbers.load(ordering: .relaxed)
            return (edit, isDropped)
        } commit: { isDropped in
            let files = reusing.isEmpty ? tables.map { TableFile($0, cache: tableCache) } : reusing
            guard !isDropped else { return files.forEach { $0.markObsolete() } }
            tree.update { state in
                var levels = state.levels
                levels.remove(numbers: replaced)
                for file in files { levels.add(file, level: compaction.outputLevel) }
                return TreeState(
                    memtable: state.memtable, immutables: state.immutables, settled: state.settled, levels: levels)
            }
        }
        if reusing.isEmpty {
            for table in compaction.all { table.markObsolete() }
        }
    }
}
