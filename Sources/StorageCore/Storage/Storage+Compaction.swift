// Storage+Compaction.swift — when compactions run.
//
// What to do to a tree is decided by `CompactionPicker`, from a description and without I/O; whose turn it is by
// `CompactionQueue`; it is carried out in Storage+CompactionRun.swift.

internal import Synchronization

extension Storage {
    /// Says that the wall clock is right.
    ///
    /// What has expired is purged from disk only up to a day after the last run's newest commit, and for as long as this run
    /// goes on: a clock that was set ahead by mistake must not erase data. So a storage that was closed for a month keeps
    /// what expired meanwhile, hidden from readers, until a month has passed, or until this is called. Compactions then take
    /// it away.
    public func trustWallClock() {
        purgeFloor.trust(clock)
        background.request(.compaction)
    }

    /// Rewrites every tree so that what was overwritten, deleted or has expired is gone from disk, as far as no
    /// snapshot sees it. Tables of different time windows stay apart.
    public func compact() throws {
        if let sqlite { return try compact(sqlite) }
        try flush()
        try background.working {
            for tree in persistentTrees { try compact(tree, lower: [], upper: nil) }
        }
        background.setFailure(nil, of: .compaction)
    }

    /// Does the same to a range of one keyspace. More than the range is rewritten, as far as tables reach beyond it.
    public func compact(_ keyspace: Keyspace, _ range: KeyRange = .all) throws {
        if let sqlite { return try compact(sqlite) }
        try flush()
        let (lower, upper) = keyspace.treeRange(range)
        guard compareBytes(lower, upper) < 0, !keyspace.isVolatile else { return }
        try background.working {
            try finishMoves()
            try compact(keyspace.tree, lower: lower, upper: upper)
        }
        background.setFailure(nil, of: .compaction)
    }

    private func compact(_ tree: Tree, lower: [UInt8], upper: [UInt8]?) throws {
        var description: TreeDescription?
        repeat {
            try finishMoves()
            turns.claim(tree)
            do {
                description = try describe(tree, exhausted: [])
            } catch {
                turns.release(tree)
                throw error
            }
            if description == nil { turns.release(tree) }
        } while description == nil
        defer { turns.release(tree) }
        guard let description else { return }
        // Ids are below 2^32 - 1: no key starts like this.
        let upper = upper ?? [UInt8](repeating: 0xFF, count: Keyspace.prefixByteCount)
        for plan in CompactionPicker.plans(for: description, lower: lower, upper: upper) {
            // Whoever closes the storage waits for the compaction that is under way, and for no other.
            try checkWritable()
            try run(plan, of: tree, description, pace: compactionPace())
        }
        updatePressure(of: tree)
        background.madeProgress()
    }

    /// Writes every memtable to disk and returns when no compaction is due any more.
    public func settle() throws {
        try flush()
        try background.working {
            repeat {
                while try compactOne() { try checkWritable() }
            } while turns.waitForRelease()
        }
    }

    /// Does the compaction that is next; false if none is due that nobody else is doing.
    func compactOne() throws -> Bool {
        if let sqlite { return try maintain(sqlite) }
        guard manifest != nil else { return false }
        var failure: (any Error)?
        do {
            if try moveOne() { return true }
        } catch {
            // One that can't move keeps nobody else from being compacted.
            failure = error
        }
        let claim = try turns.claimNext(persistentTrees) { try describe($0, exhausted: $1) }
        if let claim {
            defer { turns.release(claim.tree) }
            // Another thread looks whether there is more to do.
            if options.compactionThreadCount > 1 { background.request(.compaction) }
            try run(claim)
        }
        if let failure, claim == nil { throw failure }
        background.setFailure(nil, of: .compaction)
        if claim != nil { background.madeProgress() }
        return claim != nil
    }

    private func run(_ claim: CompactionTurns.Claim) throws {
        let pace = claim.depth < Self.interruptionLimit ? compactionPace(interrupting: claim) : compactionPace()
        try run(claim.plan, of: claim.tree, claim.description, pace: pace)
        updatePressure(of: claim.tree)
    }

    /// How many compactions on one thread may have stopped, each for the next.
    private static let interruptionLimit = 3

    /// Does what comes before a compaction that is under way on this thread; false if that should not be asked again.
    func compactOthers(before claim: CompactionTurns.Claim) -> Bool {
        // Writers who are held back by a tree's debt wait for this very compaction.
        while !background.isStopping, claim.tree.pacer.pressure == 0 {
            do {
                let next = try turns.claimNext(persistentTrees, interrupting: claim) { try describe($0, exhausted: $1) }
                guard let next else { return true }
                defer { turns.release(next.tree) }
                try run(next)
                background.madeProgress()
            } catch {
                // It keeps nobody else from being compacted, and is tried again when its turn comes.
                noteFailure(error, of: .compaction)
                return false
            }
        }
        return true
    }

    /// The trees that are on disk, by id: what is done by chance must not depend on the order of a dictionary.
    private var persistentTrees: [Tree] {
        catalog.withLock { $0.persistentTrees }.sorted { $0.id < $1.id }
    }

    /// All that a choice may know of a tree now; nil while a keyspace moves into it or out of it.
    func describe(_ tree: Tree, exhausted: Set<UInt64>) throws -> TreeDescription? {
        let state = tree.state
        guard state.inherited == nil, catalog.withLock({ $0.heirs(of: tree).isEmpty }) else { return nil }
        let levels = state.levels
        let rules = rewriteRules(for: tree)
        var description = description(of: tree, levels)
        description.purgeTime = rules.purgeTime
        description.snapshots = rules.snapshots
        description.keyspaces = rules.keyspaces.keys.sorted()
        description.dropped = droppedParts(of: levels, living: description.keyspaces)
        description.exhausted = exhausted
        let rangeTombstones = try state.rangeTombstones()
        if !rangeTombstones.isEmpty { description.rangeTombstones = rangeTombstones }
        return description
    }

    /// What is left of dropped keyspaces in tables that others have a part in. Reads each of them once at most, and none where
    /// all keyspaces of its span are there still.
    /// - Parameter living: The keyspaces that the tree has, by id, ascending.
    private func droppedParts(of levels: Levels, living: [UInt32]) -> [UInt64: DroppedPart] {
        let all = catalog.withLock { $0.keyspaces.values.map(\.id) }.sorted()
        let own = Set(living)
        var parts: [UInt64: DroppedPart] = [:]
        for file in levels.all where file.metadata.hasDroppedIDs(living: all) {
            // A table that can't be read is told of by whoever needs it.
            let gone = ((try? file.sizes()) ?? []).filter { !own.contains($0.id) }
            guard !gone.isEmpty else { continue }
            parts[file.number] = gone.reduce(into: DroppedPart()) { part, size in
                part.entryCount += min(size.entryCount, file.metadata.entryCount)
                part.rawByteCount += min(size.rawByteCount, file.metadata.rawByteCount)
            }
        }
        return parts
    }

    /// What the debt of a tree follows from.
    func description(of tree: Tree, _ levels: Levels) -> TreeDescription {
        let own = tree.options
        var description = TreeDescription(levels: levels.tables.map { $0.map(\.metadata) })
        description.strategy = own.strategy
        description.garbageThreshold = own.garbageThreshold ?? TreeOptions.garbageThreshold
        description.compactsAutomatically = own.compactsAutomatically
        description.settings = options.compactionSettings.adopting(own.strategy)
        description.compression = own.compression
        description.now = clock.now
        return description
    }
}
