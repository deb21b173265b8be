// Storage+CompactionRun.swift — carrying out a compaction: the outputs are on the device, with their names, before one edit
// of the manifest puts them in the place of the inputs; a crash before it leaves files that the next opening removes.

internal import Synchronization

extension Storage {
    /// Carries out a plan. The caller has claimed the tree.
    /// - Parameters:
    ///   - description: The tree as it was when the plan was made, or later.
    ///   - pace: Called with the number of bytes before each write.
    func run(
        _ plan: CompactionPlan, of tree: Tree, _ description: TreeDescription, pace: (@Sendable (Int) -> Void)?
    ) throws {
        let files = Dictionary(uniqueKeysWithValues: tree.state.levels.all.map { ($0.number, $0) })
        let inputs = plan.inputs.map { input in input.tables.compactMap { files[$0.number] } }
        let all = inputs.flatMap { $0 }
        // A keyspace that was dropped meanwhile has taken its tables along.
        guard all.count == plan.tables.count else { return }
        let readsTables = plan.action == .rewrite
        try observingCompaction(of: plan.tables, tree, into: plan.outputLevel, readsTables: readsTables) {
            switch plan.action {
            case .move:
                try install(plan.tables, of: plan, tree, replacing: all, reusing: all)
                return plan.tables
            case .drop:
                try install([], of: plan, tree, replacing: all, reusing: [])
                return []
            case .rewrite: return try rewrite(plan, of: tree, description, inputs, pace)
            }
        }
    }

    private func rewrite(
        _ plan: CompactionPlan, of tree: Tree, _ description: TreeDescription, _ inputs: [[TableFile]],
        _ pace: (@Sendable (Int) -> Void)?
    ) throws -> [TableMetadata] {
        let all = inputs.flatMap { $0 }
        let levels = tree.state.levels.tables.map { $0.map(\.metadata) }
        let older = OlderTables(levels, below: plan)
        let below = plan.outputLevel > 0 && plan.outputLevel + 1 < levels.count ? levels[plan.outputLevel + 1] : []
        let span = KeySpan(plan.tables)
        let splitter = OutputSplitter(
            tableByteCount: plan.tableByteCount, below: below.filter { span?.overlaps($0) ?? false },
            maximumOverlapByteCount: description.settings.maximumOverlapByteCount)
        let compression = CompactionPicker.compression(of: plan, in: description)
        let tables = unsafe try write(
            sources(plan, inputs),
            tombstones: RangeTombstoneSet(try all.flatMap { try $0.rangeTombstones().tombstones }), of: tree,
            compression: compression,
            dictionary: DictionaryTraining.dictionary(
                for: compression, from: all, blockByteCount: options.blockByteCount),
            splitter: splitter,
            origin: origin(of: tree, level: plan.outputLevel, inputs: all),
            commitTimes: all.reduce(into: .unknown) { $0.formUnion($1.metadata.commitTimes) }, pace: pace,
            isBottommost: { unsafe !older.mayHold($0) },
            isRangeBottommost: { lower, upper in !older.mayHold(lower: lower, upper: upper) })
        try removingTablesIfFull(tables) {
            try install(tables, of: plan, tree, replacing: all, reusing: [])
        }
        noteWhatIsLeft(tables, of: plan, tree, description)
        return tables
    }

    /// Each table of level 0 is a source of its own, each deeper level one.
    private func sources(_ plan: CompactionPlan, _ inputs: [[TableFile]]) throws -> [EntrySource] {
        var sources: [EntrySource] = []
        for (input, files) in zip(plan.inputs, inputs) {
            if input.level == 0 {
                for file in files { sources.append(.table(try file.open().makeCursor(fillCache: false))) }
            } else {
                sources.append(.level(LevelCursor(files, fillCache: false)))
            }
        }
        return sources
    }

    /// Replaces the inputs by the outputs, in the manifest and in the tree.
    private func install(
        _ tables: [TableMetadata], of plan: CompactionPlan, _ tree: Tree, replacing inputs: [TableFile],
        reusing: [TableFile]
    ) throws {
        guard let manifest else { return }
        let replaced = Set(inputs.map(\.number))
        try manifest.edit { state in
            var edit = VersionEdit()
            let isDropped = state.trees[tree.id] == nil
            if !isDropped {
                edit.removedTables = inputs.map { VersionEdit.RemovedTable(tree: tree.id, number: $0.number) }
                edit.newTables = tables.map {
                    VersionEdit.NewTable(tree: tree.id, level: plan.outputLevel, metadata: $0)
                }
            }
            edit.nextFileNumber = fileNumbers.load(ordering: .relaxed)
            edit.purgedThrough = registry.purgedThrough.microseconds
            return (edit, isDropped)
        } commit: { isDropped in
            let files = reusing.isEmpty ? tables.map { TableFile($0, cache: tableCache) } : reusing
            guard !isDropped else { return files.forEach { $0.markObsolete() } }
            tree.update { state in
                var levels = state.levels
                levels.remove(numbers: replaced)
                for file in files { levels.add(file, level: plan.outputLevel) }
                return state.replacing(levels: levels)
            }
            refreshHeirs(of: tree)
        }
        if reusing.isEmpty { for table in inputs { table.markObsolete() } }
        turns.forget(replaced, of: tree)
    }

    /// A table that was rewritten for its garbage and still looks as if it had some is left alone from now on.
    private func noteWhatIsLeft(
        _ tables: [TableMetadata], of plan: CompactionPlan, _ tree: Tree, _ description: TreeDescription
    ) {
        guard plan.reason == .garbage, plan.inputs.count == 1, plan.inputs.first?.level == plan.outputLevel else {
            return
        }
        let picker = GarbagePicker(description)
        let stubborn = tables.filter { picker.garbageFraction($0) >= description.garbageThreshold }
        turns.markExhausted(stubborn.map(\.number), of: tree)
    }
}
