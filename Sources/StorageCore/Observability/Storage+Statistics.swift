// Storage+Statistics.swift — gathering the statistics of a storage.

internal import Synchronization

extension Storage {
    /// What the storage looks like now, and what it has done since it was opened. Costs a walk over the list of tables, and
    /// holds nobody up. Of a table that several keyspaces share it reads once what that has of each; otherwise it reads no
    /// file. Callable at any time, after closing too.
    public var statistics: StorageStatistics {
        let (trees, keyspaces) = catalog.withLock { ($0.trees.values.sorted { $0.id < $1.id }, $0.keyspaces.values) }
        let groups = Dictionary(grouping: keyspaces, by: \.tree.id)
        var statistics = StorageStatistics()
        statistics.trees = trees.map {
            self.statistics(of: $0, keyspaces: groups[$0.id, default: []].map(\.name).sorted())
        }
        statistics.keyspaceCount = keyspaces.count
        let treesByID = Dictionary(uniqueKeysWithValues: statistics.trees.map { ($0.id, $0) })
        statistics.keyspaces = groups.flatMap { self.statistics(of: $1, in: treesByID[$0]) }.sorted {
            $0.name < $1.name
        }
        statistics.commits = CommitStatistics(
            count: counters.commits.count, entryCount: counters.entries.count,
            userByteCount: counters.userBytes.count, visibleSequence: visibleSequence,
            durableSequence: durableSequence)
        statistics.log = logStatistics
        statistics.syncs = LatencySummary(counters.syncs.withLock { $0 })
        statistics.stalls = LatencySummary(counters.stalls.withLock { $0 })
        statistics.delays = LatencySummary(counters.delays.withLock { $0 })
        statistics.stalledWriterCount = counters.stalledWriters.load(ordering: .relaxed)
        statistics.blockCache = blockCacheStatistics
        statistics.openTables = tableCache.statistics
        statistics.snapshots = snapshotStatistics
        statistics.memtableByteBudget = memory.memtables
        statistics.uptime = .nanoseconds(Int64(clamping: clock.monotonicNanoseconds &- openedAt))
        return statistics
    }

    private var logStatistics: LogStatistics {
        let segments = log?.segments(from: 0) ?? []
        let unarchived = log?.unarchived ?? (count: 0, byteCount: 0)
        return LogStatistics(
            byteCount: segments.reduce(0) { $0 + $1.byteCount }, byteBudget: options.logByteBudget,
            segmentCount: segments.count, appendedByteCount: counters.logBytes.count,
            unarchivedSegmentCount: unarchived.count, unarchivedByteCount: unarchived.byteCount)
    }

    private var blockCacheStatistics: BlockCacheStatistics {
        let blocks = tableCache.blocks.statistics
        return BlockCacheStatistics(
            hitCount: blocks.hitCount, missCount: blocks.missCount, blockCount: blocks.blockCount,
            byteCount: blocks.byteCount, byteCapacity: tableCache.blocks.byteCapacity)
    }

    private var snapshotStatistics: SnapshotStatistics {
        let (count, oldest) = registry.census
        return SnapshotStatistics(
            count: count,
            oldestAge: oldest.map { .microseconds(max(clock.now.microseconds - $0.microseconds, 0)) })
    }

    private func statistics(of tree: Tree, keyspaces: [String]) -> TreeStatistics {
        let state = tree.state
        var statistics = TreeStatistics()
        statistics.id = tree.id
        statistics.keyspaces = keyspaces
        statistics.isVolatile = tree.isVolatile
        if !state.levels.isEmpty {
            statistics.levels = (0...state.levels.deepest).map { LevelStatistics(state.levels[$0]) }
        }
        statistics.memtable = MemtableStatistics(
            byteCount: state.memtable.byteCount, entryCount: state.memtable.entryCount,
            immutableCount: state.immutables.count,
            immutableByteCount: state.immutables.reduce(0) { $0 + $1.byteCount })
        statistics.writtenEntryCount = tree.counters.entries.count
        statistics.userByteCount = tree.counters.userBytes.count
        statistics.flushes = tree.counters.flushes.statistics
        statistics.compactions = tree.counters.compactions.statistics
        statistics.unreadTableCount = tree.counters.unreadTables.load(ordering: .relaxed)
        statistics.compactionDebtByteCount = compactionDebt(of: tree).byteCount
        statistics.writePressure = tree.pacer.pressure
        statistics.lookups = tree.counters.lookups.statistics
        statistics.largestRunByteCount = CompactionPicker.largestRunByteCount(of: description(of: tree, state.levels))
        return statistics
    }

    /// - Parameters:
    ///   - keyspaces: All of one tree.
    ///   - tree: Nil where there are no trees.
    private func statistics(of keyspaces: [Keyspace], in tree: TreeStatistics?) -> [KeyspaceStatistics] {
        guard let state = keyspaces.first?.tree.state else { return [] }
        let census = KeyspaceCensus([state.levels] + (state.inherited.map { [$0.levels] } ?? []))
        return keyspaces.map { keyspace in
            var statistics = KeyspaceStatistics()
            statistics.name = keyspace.name
            statistics.id = keyspace.id
            statistics.isVolatile = keyspace.isVolatile
            statistics.writtenEntryCount = keyspace.life.counters.entries.count
            statistics.userByteCount = keyspace.life.counters.userBytes.count
            guard let tree else { return statistics }
            statistics.tree = tree.id
            statistics.neighbourCount = keyspaces.count - 1
            census.fill(&statistics)
            if keyspaces.count == 1 {
                statistics.writeAmplification = tree.writeAmplification
                statistics.spaceAmplification = tree.spaceAmplification
                statistics.readAmplification = tree.readAmplification
            }
            return statistics
        }
    }
}

extension LevelStatistics {
    init(_ tables: [TableFile]) {
        for metadata in tables.lazy.map(\.metadata) {
            tableCount += 1
            byteCount += metadata.byteCount
            entryCount += Int(clamping: metadata.entryCount)
            tombstoneCount += Int(clamping: metadata.deleteCount) + Int(clamping: metadata.rangeTombstoneCount)
        }
    }
}
