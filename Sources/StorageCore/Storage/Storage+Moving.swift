// Storage+Moving.swift — a keyspace leaves a shared tree for one of its own.
//
// 1. One edit of the manifest adds the tree and says that the keyspace is in it and comes from the shared one. The new
//    tree counts as flushed as far as the shared one is. From here on a replay puts the keyspace's commits into it.
// 2. The cut, in the writer lane: the shared memtable becomes immutable, commits go to the new tree, readers read that
//    tree first and the shared one as what is older.
// 3. The memtables from before the cut are flushed, into the shared tree, before any of the new tree; each flush counts for
//    both trees.
// 4. Tables that hold nothing but the keyspace are listed in the new tree instead, at their level; a table that others
//    share is written anew as two. One edit puts all of that into place and ends the move.
//
// Invariant: for any key of the keyspace, what its own tree holds is newer than what the shared one holds, and the own
// tree's `flushedThrough` covers every commit that is in tables of either. Until the move has ended neither tree is
// compacted: what the shared tree still holds would keep nothing from being purged from the other.
// A crash leaves the keyspace in the shared tree (before 1), on its way (the next opening goes on at 3), or in its own.

internal import Synchronization

extension Storage {
    /// What an edit does to a keyspace that is there.
    private struct Change {
        var edit = VersionEdit()
        var record: KeyspaceRecord
        /// What the tree of the record is written with from now on; nil if that stays as it is.
        var treeOptions: TreeOptions?
        /// The tree that is made for the keyspace; nil if it stays where it is.
        var newTree: TreeRecord?

        var isEmpty: Bool { edit == VersionEdit() }
    }

    /// Gives an existing keyspace the options (and with them the merge operator) of this opening; nil if there is none.
    ///
    /// Those that the storage keeps are durable when this returns. Where writes are refused, and on a full disk, they are left
    /// as they are: the keyspace can be read nevertheless.
    func reopen(_ name: String, _ options: KeyspaceOptions, _ manifest: ManifestWriter) throws -> Keyspace? {
        let opening = try open(name, options, manifest, anyway: refusal() != nil)
        guard case .differs = opening else { return opening.keyspace }
        do {
            return try change(name, to: options, manifest)
        } catch let error as StorageError where error.code == .diskFull {
            return try open(name, options, manifest, anyway: true).keyspace
        }
    }

    private enum Opening {
        case opened(Keyspace)
        case absent
        /// The stored options are others.
        case differs

        var keyspace: Keyspace? {
            if case .opened(let keyspace) = self { keyspace } else { nil }
        }
    }

    /// Opens a keyspace without a write.
    /// - Parameter anyway: Whether it is opened though other options are stored.
    private func open(
        _ name: String, _ options: KeyspaceOptions, _ manifest: ManifestWriter, anyway: Bool
    ) throws -> Opening {
        try manifest.whileUnchanged { state in
            guard let existing = existingKeyspace(name), let record = state.keyspaces[existing.id] else {
                return .absent
            }
            let keyspace = try reopen(existing, options)
            let isSame = change(of: record, to: options, movesAnyway: false, state).isEmpty
            guard isSame || anyway else { return .differs }
            catalog.withLock { $0.keyspaces[name] = keyspace }
            return .opened(keyspace)
        }
    }

    /// Makes the options of an existing keyspace durable; nil if there is no such keyspace.
    /// - Parameter movesAnyway: Whether it gets a tree of its own though its options don't ask for one.
    @discardableResult
    private func change(
        _ name: String, to options: KeyspaceOptions, movesAnyway: Bool = false, _ manifest: ManifestWriter
    ) throws -> Keyspace? {
        struct Gone: Error {}
        let changed: (keyspace: Keyspace, change: Change)
        do {
            changed = try manifest.edit { state in
                guard let existing = existingKeyspace(name), let record = state.keyspaces[existing.id] else {
                    throw Gone()
                }
                let change = change(of: record, to: options, movesAnyway: movesAnyway, state)
                // One that moves of itself has the options it has, and may lack its merge operator yet.
                return (change.edit, (movesAnyway ? existing : try reopen(existing, options), change))
            } commit: { (changed: (keyspace: Keyspace, change: Change)) in
                publish(changed.change, of: changed.keyspace)
            }
        } catch is Gone {
            return nil
        }
        if changed.change.newTree != nil {
            try cut(changed.keyspace, changed.change.record)
            background.request(.compaction)
        }
        return changed.keyspace
    }

    private func change(
        of old: KeyspaceRecord, to options: KeyspaceOptions, movesAnyway: Bool, _ state: ManifestState
    ) -> Change {
        var change = Change(record: old)
        change.record.isArchived = options.isArchived
        if !options.isVolatile, let tree = state.trees[old.tree] { place(&change, tree, options, movesAnyway, state) }
        if change.record != old { change.edit.changedKeyspaces = [change.record] }
        return change
    }

    private func place(
        _ change: inout Change, _ tree: TreeRecord, _ options: KeyspaceOptions, _ movesAnyway: Bool,
        _ state: ManifestState
    ) {
        let wanted = TreeOptions(options)
        let record = change.record
        guard wanted != tree.options || (options.isDedicated || movesAnyway) && !record.isDedicated else { return }
        let isAlone = !state.keyspaces.values.contains {
            $0.id != record.id && ($0.tree == tree.id || $0.former == tree.id)
        }
        change.record.isDedicated = true
        guard record.isDedicated || isAlone else {
            let newTree = TreeRecord(id: state.nextTreeID, options: wanted)
            change.newTree = newTree
            change.edit.newTrees = [newTree]
            change.edit.flushed = [VersionEdit.Flushed(tree: newTree.id, through: tree.flushedThrough)]
            change.edit.nextTreeID = newTree.id + 1
            change.record.tree = newTree.id
            change.record.former = tree.id
            return
        }
        guard wanted != tree.options else { return }
        change.treeOptions = wanted
        change.edit.changedTrees = [VersionEdit.ChangedTree(tree: tree.id, options: wanted)]
    }

    /// Makes known what the manifest says by now.
    private func publish(_ change: Change, of keyspace: Keyspace) {
        catalog.withLock { catalog in
            catalog.keyspaces[keyspace.name] = keyspace
            if let options = change.treeOptions { catalog.trees[change.record.tree]?.options = options }
            guard let record = change.newTree else { return }
            catalog.trees[record.id] = Tree(
                id: record.id, options: record.options, state: TreeState(memtable: Memtable()),
                former: change.record.former, sections: tableCache.sections)
        }
        // What is due may have changed with the strategy.
        guard change.treeOptions != nil else { return }
        updatePressure(of: keyspace.tree)
        background.request(.compaction)
    }

    /// From here on commits of the keyspace go to its own tree.
    /// - Throws: `StorageError.closed`: who closes the storage flushes it outside the lane. The next opening makes the cut.
    private func cut(_ keyspace: Keyspace, _ record: KeyspaceRecord) throws {
        guard let (own, shared) = trees(of: record) else { return }
        lane.enter()
        defer { lane.leave() }
        guard own.cut.load(ordering: .relaxed) == .max else { return }
        if let refusal = lastingRefusal(), refusal.code == .closed { throw refusal }
        if !shared.state.memtable.isEmpty { rotate(shared) }
        // In this order: who finds the keyspace in its own tree finds what is older, and the cut. A tree that was dropped
        // meanwhile holds on to nothing.
        own.update { own.isDropped.load(ordering: .acquiring) ? $0 : $0.inheriting(shared.state) }
        own.cut.store(commits.visibleSequence, ordering: .releasing)
        keyspace.life.move(to: own)
    }

    private func trees(of record: KeyspaceRecord) -> (own: Tree, shared: Tree)? {
        catalog.withLock { catalog in
            guard let own = catalog.trees[record.tree], let shared = record.former.flatMap({ catalog.trees[$0] })
            else { return nil }
            return (own, shared)
        }
    }

    // MARK: Steps

    /// Goes on with a move, or begins one that is due; false if there is nothing to do, or somebody is at it.
    ///
    /// Nothing is done inside the body of a write, which may ask for background work: a move needs the lane.
    func moveOne() throws -> Bool {
        guard !lane.isOwnedByThisThread else { return false }
        return try movingTurn.withLockIfAvailable { _ in try stepOfMove() } ?? false
    }

    /// Ends all moves that have begun.
    func finishMoves() throws {
        try movingTurn.withLock { _ in while try finishMove() {} }
    }

    private func stepOfMove() throws -> Bool {
        if try finishMove() { return true }
        guard let manifest, let grown = try grownKeyspace() else { return false }
        try change(grown.name, to: grown.options, movesAnyway: true, manifest)
        return true
    }

    /// Ends a move that has begun; false if there is none.
    private func finishMove() throws -> Bool {
        guard let manifest else { return false }
        let moving = manifest.manifest.keyspaces.values.filter { $0.former != nil }
        for record in moving.sorted(by: { $0.id < $1.id }) {
            guard let keyspace = existingKeyspace(record.name), keyspace.id == record.id,
                let (own, shared) = trees(of: record)
            else { continue }
            try cut(keyspace, record)
            let last = own.cut.load(ordering: .acquiring)
            while shared.state.immutables.contains(where: { $0.firstSequence <= last }) {
                guard try flushOne() else { break }
            }
            turns.claim(shared)
            defer { turns.release(shared) }
            turns.claim(own)
            defer { turns.release(own) }
            try move(keyspace, from: shared, to: own, cut: last, manifest)
            updatePressure(of: shared)
            updatePressure(of: own)
            background.madeProgress()
            return true
        }
        return false
    }

    // MARK: Tables

    /// What becomes of the tables of a shared tree when a keyspace leaves it.
    private struct Division {
        /// Tables that are replaced, with their level; those that hold only the keyspace are listed in its tree instead.
        var moved: [(level: Int, file: TableFile)] = []
        /// Those that others share.
        var divided: [(level: Int, file: TableFile)] = []
        /// What they are written into.
        var own: [(level: Int, table: TableMetadata)] = []
        var rest: [(level: Int, table: TableMetadata)] = []

        var outputs: [TableMetadata] { (own + rest).map(\.table) }
        var inputs: [TableFile] { (moved + divided).map(\.file) }

        /// - Parameter cut: Tables that are newer hold nothing of the keyspace; 0 if that can't be told.
        init(_ levels: Levels, of keyspace: Keyspace, cut: UInt64) {
            let (lower, upper) = keyspace.treeRange(.all)
            for (level, files) in levels.tables.enumerated() {
                for file in files where file.metadata.overlaps(lower: lower, upper: upper) {
                    if cut > 0, file.metadata.smallestSequence > cut { continue }
                    if file.metadata.keyspaceIDs == keyspace.id...keyspace.id {
                        moved.append((level, file))
                    } else {
                        divided.append((level, file))
                    }
                }
            }
        }
    }

    private func move(
        _ keyspace: Keyspace, from shared: Tree, to own: Tree, cut: UInt64, _ manifest: ManifestWriter
    ) throws {
        var division = Division(shared.state.levels, of: keyspace, cut: cut)
        let inputs = division.inputs
        try observingCompaction(
            of: inputs.map(\.metadata), shared, into: 0, readsTables: !division.divided.isEmpty
        ) {
            do {
                try divide(&division, keyspace, shared, own)
            } catch {
                for table in division.outputs { tableCache.removeFile(of: table.number) }
                throw error
            }
            try removingTablesIfFull(division.outputs) {
                try install(division, keyspace, shared, own, manifest)
            }
            return division.moved.map(\.file.metadata) + division.outputs
        }
        trace(.keyspaceMoved(name: keyspace.name, id: keyspace.id))
    }

    /// Writes what the keyspace and others share in a table into two.
    private func divide(_ division: inout Division, _ keyspace: Keyspace, _ shared: Tree, _ own: Tree) throws {
        for (level, file) in division.divided {
            var ownRules = rewriteRules(for: own)
            ownRules.keyspaces = ownRules.keyspaces.filter { $0.key == keyspace.id }
            var restRules = rewriteRules(for: shared)
            restRules.keyspaces[keyspace.id] = nil
            // Both parts are one group: a salvage takes them for the input only if it has both.
            var origin = TableOrigin(
                of: own, keyspaces: ownRules.keyspaces.values, level: level, inputs: [file.number])
            origin.isLast = false
            let ownPart = try write(file, into: own, level, ownRules, origin)
            division.own += ownPart.map { (level, $0) }
            origin = TableOrigin(
                of: shared, keyspaces: restRules.keyspaces.values, level: level, inputs: [file.number])
            origin.group = ownPart.first?.number ?? 0
            origin.position = ownPart.count
            division.rest += try write(file, into: shared, level, restRules, origin).map { (level, $0) }
        }
    }

    private func write(
        _ file: TableFile, into tree: Tree, _ level: Int, _ rules: RewriteRules, _ origin: TableOrigin
    ) throws -> [TableMetadata] {
        let compression = tree.options.compression
        return try unsafe write(
            [.table(try file.open().makeCursor(fillCache: false))],
            tombstones: RangeTombstoneSet(try file.rangeTombstones().tombstones), of: tree, rules: rules,
            compression: level == Levels.count - 1 ? compression.bottom : compression.upper,
            splitter: OutputSplitter(tableByteCount: .max), origin: origin, commitTimes: file.metadata.commitTimes,
            pace: compactionPace(), isBottommost: { _ in false }, isRangeBottommost: { _, _ in false })
    }

    private func install(
        _ division: Division, _ keyspace: Keyspace, _ shared: Tree, _ own: Tree, _ manifest: ManifestWriter
    ) throws {
        try manifest.edit { state in
            guard var record = state.keyspaces[keyspace.id] else { return (VersionEdit(), true) }
            var edit = VersionEdit()
            edit.removedTables = division.inputs.map { VersionEdit.RemovedTable(tree: shared.id, number: $0.number) }
            edit.newTables = division.moved.map {
                VersionEdit.NewTable(tree: own.id, level: $0.level, metadata: $0.file.metadata)
            }
            edit.newTables += division.own.map {
                VersionEdit.NewTable(tree: own.id, level: $0.level, metadata: $0.table)
            }
            edit.newTables += division.rest.map {
                VersionEdit.NewTable(tree: shared.id, level: $0.level, metadata: $0.table)
            }
            record.former = nil
            edit.changedKeyspaces = [record]
            edit.nextFileNumber = fileNumbers.load(ordering: .relaxed)
            edit.purgedThrough = registry.purgedThrough.microseconds
            return (edit, false)
        } commit: { isDropped in
            let ownFiles = division.own.map { ($0.level, TableFile($0.table, cache: tableCache)) }
            let restFiles = division.rest.map { ($0.level, TableFile($0.table, cache: tableCache)) }
            guard !isDropped else { return (ownFiles + restFiles).forEach { $0.1.markObsolete() } }
            let replaced = Set(division.inputs.map(\.number))
            shared.update { state in
                var levels = state.levels
                levels.remove(numbers: replaced)
                for (level, file) in restFiles { levels.add(file, level: level) }
                return state.replacing(levels: levels)
            }
            own.update { state in
                var levels = state.levels
                for (level, file) in division.moved + ownFiles { levels.add(file, level: level) }
                return state.replacing(levels: levels).inheriting(nil)
            }
            refreshHeirs(of: shared)
            for (_, file) in division.divided { file.markObsolete() }
            turns.forget(replaced, of: shared)
        }
    }

    // MARK: What others have to know of moves

    /// Lets keyspaces that are leaving a tree read it as it is now, so that what it has let go of is not kept for them.
    func refreshHeirs(of tree: Tree) {
        for heir in catalog.withLock({ $0.heirs(of: tree) }) {
            heir.update { $0.inherited == nil ? $0 : $0.inheriting(tree.state) }
        }
    }

    /// The trees of keyspaces that are leaving `tree`, of which a memtable has the last commits before the cut: they are
    /// flushed through it too.
    func alsoFlushed(_ memtable: Memtable, of tree: Tree, _ state: ManifestState) -> [VersionEdit.Flushed] {
        let leaving = state.keyspaces.values.filter { $0.former == tree.id }.sorted { $0.id < $1.id }
        return leaving.compactMap { record in
            guard let own = catalog.withLock({ $0.trees[record.tree] }), let old = state.trees[record.tree],
                memtable.lastSequence <= own.cut.load(ordering: .acquiring)
            else { return nil }
            return VersionEdit.Flushed(tree: own.id, through: max(old.flushedThrough, memtable.lastSequence))
        }
    }

    /// Where the tables of a flush come from. One from after a keyspace's cut does not name it: by that a salvage knows how
    /// far its commits are in tables.
    func origin(of tree: Tree, level: Int, memtable: Memtable) -> TableOrigin {
        let keyspaces = catalog.withLock { $0.keyspaces(in: tree) }.filter { keyspace in
            let home = keyspace.tree
            return home === tree || memtable.firstSequence <= home.cut.load(ordering: .acquiring)
        }
        return TableOrigin(of: tree, keyspaces: keyspaces, level: level)
    }

    /// Where the tables of a compaction come from.
    func origin(of tree: Tree, level: Int, inputs: [TableFile]) -> TableOrigin {
        TableOrigin(
            of: tree, keyspaces: catalog.withLock { $0.keyspaces(in: tree) }, level: level,
            inputs: inputs.map(\.number))
    }

    // MARK: Growth

    /// A keyspace that takes so much of a shared tree that it should have its own; nil if there is none.
    private func grownKeyspace() throws -> Keyspace? {
        let dedicated = Set(manifest?.manifest.keyspaces.values.filter(\.isDedicated).map(\.tree) ?? [])
        let shared = catalog.withLock { catalog in
            catalog.persistentTrees.filter { !dedicated.contains($0.id) }.sorted { $0.id < $1.id }
        }
        for tree in shared {
            let levels = tree.state.levels
            let newest = levels.all.map(\.number).max() ?? 0
            guard newest > tree.surveyedThrough.load(ordering: .relaxed),
                levels.all.reduce(0, { $0 + $1.metadata.byteCount }) >= options.sharedKeyspaceByteCount
            else { continue }
            for keyspace in catalog.withLock({ $0.keyspaces.values.filter { $0.tree === tree } })
                .sorted(by: { $0.id < $1.id })
            where try byteCount(of: keyspace, in: levels) >= options.sharedKeyspaceByteCount { return keyspace }
            tree.surveyedThrough.store(newest, ordering: .relaxed)
        }
        return nil
    }

    /// About how much of the tables is a keyspace's.
    private func byteCount(of keyspace: Keyspace, in levels: Levels) throws -> Int64 {
        try levels.all.filter { $0.metadata.keyspaceIDs.contains(keyspace.id) }.reduce(0) { sum, file in
            sum + (try file.sizes().first { $0.id == keyspace.id }.map(file.byteCount) ?? 0)
        }
    }
}

extension Catalog {
    /// The trees whose keyspaces have older entries in `tree`.
    func heirs(of tree: Tree) -> [Tree] {
        trees.values.filter { $0.former == tree.id && $0.state.inherited != nil }
    }

    /// The keyspaces that a tree may have entries of.
    func keyspaces(in tree: Tree) -> [Keyspace] {
        let living = keyspaces.values.filter { $0.tree === tree }
        // Asked after the others: one that moves meanwhile is counted here, twice at worst.
        let heirs = heirs(of: tree)
        guard !heirs.isEmpty else { return living }
        let ids = Set(living.map(\.id))
        return living
            + keyspaces.values.filter { keyspace in
                !ids.contains(keyspace.id) && heirs.contains { $0 === keyspace.tree }
            }
    }
}
