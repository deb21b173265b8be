// GarbagePicker.swift — what may go for other reasons than size: tables of which nothing is needed any more, dropped
// unread, and tables that deletions, expired entries or what is left of dropped keyspaces fill too much of.
//
// A table is dropped unread if
// (1) none of the tree's keyspaces has keys in its span; or
// (2) all its entries are deletions, or all have expired for every reader there is and will be, and no older table that
//     stays meets it: nothing older can reappear; or
// (3) range deletes cover its whole span, are newer than all of it, and no snapshot sees any of it without them.

struct GarbagePicker {
    /// A range delete costs reads about as much as this many deletions.
    private static let rangeTombstoneWeight = 64.0
    /// A table with so many deletions among 128 entries has a run of them, as a queue leaves it: every scan from its front
    /// walks over them all. Then each counts for as much as this many.
    private static let denseDeleteCount = 112
    private static let denseDeleteWeight = 4.0

    let tree: TreeDescription

    init(_ tree: TreeDescription) {
        self.tree = tree
    }

    // MARK: Dropping unread

    /// All tables that may be dropped unread; nil if there are none.
    func drop() -> CompactionPlan? {
        var dropped: Set<UInt64> = []
        var reason: CompactionPlan.Reason?
        // From the oldest to the newest: what is dropped below a table no longer keeps it.
        for level in tree.levels.indices.reversed() {
            for index in tree.levels[level].indices.reversed() {
                let table = tree.levels[level][index]
                guard let why = reasonToDrop(table, level, index, dropped) else { continue }
                dropped.insert(table.number)
                reason = why
            }
        }
        guard let reason else { return nil }
        let inputs = tree.levels.enumerated().compactMap { level, tables in
            let chosen = tables.filter { dropped.contains($0.number) }
            return chosen.isEmpty ? nil : CompactionPlan.Input(level: level, tables: chosen)
        }
        return CompactionPlan(
            action: .drop, reason: reason, inputs: inputs, outputLevel: inputs.first?.level ?? 0, tableByteCount: .max)
    }

    private func reasonToDrop(
        _ table: TableMetadata, _ level: Int, _ index: Int, _ dropped: Set<UInt64>
    ) -> CompactionPlan.Reason? {
        if isForeign(table) { return .droppedKeyspace }
        if isOnlyGarbage(table) {
            let older = tree.older(than: table, level: level, index: index)
            if older.allSatisfy({ dropped.contains($0.number) }) { return .expired }
        }
        return isCovered(table) ? .rangeDelete : nil
    }

    /// Whether no keyspace of the tree has keys in the table's span.
    private func isForeign(_ table: TableMetadata) -> Bool {
        let ids = table.keyspaceIDs
        return !tree.keyspaces.contains { ids.contains($0) }
    }

    private func isOnlyGarbage(_ table: TableMetadata) -> Bool {
        if table.deleteCount == table.entryCount { return true }
        return table.latestExpiry <= tree.purgeTime.microseconds
    }

    private func isCovered(_ table: TableMetadata) -> Bool {
        guard let rangeTombstones = tree.rangeTombstones, !rangeTombstones.isEmpty else { return false }
        var reached = table.smallestKey
        for fragment in rangeTombstones.fragments(from: reached) {
            guard compareBytes(fragment.lower, reached) <= 0, fragment.sequences.contains(where: { hides(table, $0) })
            else { return false }
            reached = fragment.upper
            let order = compareBytes(table.largestKey, reached)
            if table.largestKeyIsExclusive ? order <= 0 : order < 0 { return true }
        }
        return false
    }

    /// Whether everybody who sees anything of the table sees a range delete of that sequence too.
    private func hides(_ table: TableMetadata, _ sequence: UInt64) -> Bool {
        sequence > table.largestSequence
            && !tree.snapshots.contains { $0 >= table.smallestSequence && $0 < sequence }
    }

    // MARK: Rewriting

    /// The compaction that gets rid of the most garbage for what it reads; nil if no table has enough of it.
    func rewrite() -> CompactionPlan? {
        var best: (fraction: Double, plan: CompactionPlan)?
        for level in tree.levels.indices {
            for index in tree.levels[level].indices {
                let table = tree.levels[level][index]
                let fraction = garbageFraction(table)
                guard fraction >= tree.garbageThreshold, fraction > best?.fraction ?? 0,
                    let plan = plan(for: table, level, index)
                else { continue }
                best = (fraction, plan)
            }
        }
        return best?.plan
    }

    private func plan(for table: TableMetadata, _ level: Int, _ index: Int) -> CompactionPlan? {
        guard !tree.exhausted.contains(table.number) else { return nil }
        // Nobody reads a keyspace that is gone, be there snapshots or not, and nothing older of it could come back.
        let dropped = droppedFraction(table)
        if dropped > 0, dropped >= tree.garbageThreshold { return rewriting(table, level, .droppedKeyspace) }
        // What a snapshot still sees would only be written again.
        guard tree.isBelowSnapshots(table) else { return nil }
        if tree.older(than: table, level: level, index: index).isEmpty { return rewriting(table, level, .garbage) }
        guard case .leveled = tree.strategy else { return nil }
        // Deletions go down until they meet what they delete.
        let picker = LeveledPicker(tree)
        return level == 0 ? picker.levelZeroPlan(.garbage) : picker.plan(from: table, of: level, .garbage)
    }

    /// The compaction that puts what is left of a table in its place.
    private func rewriting(_ table: TableMetadata, _ level: Int, _ reason: CompactionPlan.Reason) -> CompactionPlan {
        CompactionPlan(
            action: .rewrite, reason: reason, inputs: [CompactionPlan.Input(level: level, tables: [table])],
            outputLevel: level, tableByteCount: level == 0 ? .max : tree.settings.tableByteCount)
    }

    /// About which part of a table is deletions, range deletes, expired entries, and what is left of dropped keyspaces.
    func garbageFraction(_ table: TableMetadata) -> Double {
        let rangeDeletes = Double(table.rangeTombstoneCount) * Self.rangeTombstoneWeight
        let isDense = table.densestDeleteCount >= Self.denseDeleteCount
        let deletes = Double(table.deleteCount) * (isDense ? Self.denseDeleteWeight : 1)
        let dropped = Double(tree.dropped[table.number]?.entryCount ?? 0)
        let garbage = deletes + expiredCount(table) + rangeDeletes + dropped
        return max(garbage / max(Double(table.entryCount), garbage, 1), droppedFraction(table))
    }

    /// Which part of a table is of dropped keyspaces: of its entries or of its bytes, whichever is more.
    private func droppedFraction(_ table: TableMetadata) -> Double {
        guard let dropped = tree.dropped[table.number] else { return 0 }
        let entries = Double(dropped.entryCount) / Double(max(table.entryCount, 1))
        let bytes = Double(dropped.rawByteCount) / Double(max(table.rawByteCount, 1))
        return min(max(entries, bytes), 1)
    }

    /// About how many entries have expired, as if the times of their expiry were spread evenly.
    private func expiredCount(_ table: TableMetadata) -> Double {
        let now = tree.purgeTime.microseconds
        guard table.earliestExpiry <= now, table.expiringCount > 0 else { return 0 }
        let latest = latestExpiry(table)
        guard latest > now else { return Double(table.expiringCount) }
        let passed = Double(now) - Double(table.earliestExpiry)
        let span = Double(latest) - Double(table.earliestExpiry)
        return Double(table.expiringCount) * min(passed / max(span, 1), 1)
    }

    /// Where some entries never expire, the last one that does is taken to have the time to live of the first.
    private func latestExpiry(_ table: TableMetadata) -> Int64 {
        guard table.latestExpiry == .max else { return table.latestExpiry }
        guard table.earliestTime != .min, table.latestTime != .max else { return table.earliestExpiry }
        let (span, overflow) = table.latestTime.subtractingReportingOverflow(table.earliestTime)
        let (latest, overflow2) = table.earliestExpiry.addingReportingOverflow(span)
        return overflow || overflow2 ? .max : latest
    }
}

extension TableMetadata {
    /// The ids of the keyspaces that the table's span touches.
    var keyspaceIDs: ClosedRange<UInt32> {
        let lowest = Keyspace.id(ofTreeKey: smallestKey)
        var highest = Keyspace.id(ofTreeKey: largestKey)
        // An exclusive bound that is nothing but a prefix: the keyspace before it is the last.
        if largestKeyIsExclusive, largestKey.count <= Keyspace.prefixByteCount, highest > lowest { highest -= 1 }
        return lowest...max(lowest, highest)
    }

    /// Whether the table's span touches several ids and some of them are no keyspace's any more.
    /// - Parameter living: The ids of all keyspaces, ascending.
    func hasDroppedIDs(living: [UInt32]) -> Bool {
        let ids = keyspaceIDs
        guard ids.count > 1 else { return false }
        let end = ids.upperBound &+ 1
        let livingCount =
            living.partitioningIndex { $0 >= end } - living.partitioningIndex { $0 >= ids.lowerBound }
        return livingCount < ids.count
    }
}
