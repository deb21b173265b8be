// LeveledPicker.swift — leveled compaction, after LevelDB and RocksDB.
//
// Level 0 is due at a number of tables or at the size of the base level. Its oldest table goes down with all that overlap
// it; tables that are small beside what they would meet below are merged with one another first. A deeper level is due
// at its target size; of its tables the one that meets the least in the next level for its own size goes down.

struct LeveledPicker {
    let tree: TreeDescription
    let targets: LevelTargets
    private let sizes: [Int64]

    init(_ tree: TreeDescription) {
        self.tree = tree
        sizes = tree.levels.indices.map { tree.byteCount($0) }
        targets = LevelTargets(sizes: sizes, settings: tree.settings)
    }

    private var last: Int { tree.levels.count - 1 }

    /// The plan that is called for most; nil if none is.
    func plan() -> CompactionPlan? {
        let due = (0..<last).map { (level: $0, score: score($0)) }.filter { $0.score >= 1 }
        for candidate in due.sorted(by: { $0.score > $1.score }) {
            let plan = candidate.level == 0 ? levelZeroPlan() : plan(level: candidate.level)
            guard var plan else { continue }
            plan.urgency = candidate.score
            return plan
        }
        return nil
    }

    func score(_ level: Int) -> Double {
        guard level == 0 else { return targets.score(level, sizes[level]) }
        guard !tree.levels[0].isEmpty else { return 0 }
        let byCount = Double(tree.levels[0].count) / Double(max(tree.settings.levelZeroTableCount, 1))
        let bySize = Double(sizes[0]) / Double(max(tree.settings.levelOneByteCount, 1))
        // One table alone is not merged for its size.
        return tree.levels[0].count > 1 ? max(byCount, bySize) : byCount
    }

    var debt: CompactionDebt {
        var debt = CompactionDebt()
        debt.runCount = max(0, tree.levels[0].count - tree.settings.levelZeroTableCount)
        let levelZero = score(0) >= 1 ? sizes[0] : 0
        debt.byteCount = levelZero > 0 ? levelZero + sizes[targets.base] : 0
        var incoming = levelZero
        for level in targets.base..<last {
            let excess = sizes[level] + incoming - targets.byteCounts[level]
            guard excess > 0 else { break }
            let ratio = sizes[level] > 0 ? Double(sizes[level + 1]) / Double(sizes[level]) : 0
            debt.byteCount += Int64(Double(excess) * (1 + min(ratio, Double(tree.settings.multiplier))))
            incoming = excess
        }
        return debt
    }

    // MARK: Level 0

    /// The compaction of the oldest table of level 0, with all that it overlaps there.
    func levelZeroPlan(_ reason: CompactionPlan.Reason = .levelZero) -> CompactionPlan? {
        guard let oldest = tree.levels[0].last else { return nil }
        let inputs = overlappingClosure(of: oldest)
        let overlapped = tree.overlapping(targets.base, inputs)
        if let merged = levelZeroMerge(inputs, overlapped) { return merged }
        return plan(reason, inputs, of: 0, overlapped, into: targets.base)
    }

    /// The tables of level 0 that a table is connected with by overlaps. All others may stay: they share no key with them.
    private func overlappingClosure(of seed: TableMetadata) -> [TableMetadata] {
        guard var span = KeySpan([seed]) else { return [] }
        var chosen: Set<UInt64> = [seed.number]
        var grew = true
        while grew {
            grew = false
            for table in tree.levels[0] where !chosen.contains(table.number) && span.overlaps(table) {
                chosen.insert(table.number)
                span.formUnion(table)
                grew = true
            }
        }
        return tree.levels[0].filter { chosen.contains($0.number) }
    }

    /// Merges small tables inside level 0 rather than rewrite much more below for them.
    private func levelZeroMerge(_ inputs: [TableMetadata], _ overlapped: [TableMetadata]) -> CompactionPlan? {
        let incoming = inputs.reduce(0) { $0 + $1.byteCount }
        let met = overlapped.reduce(0) { $0 + $1.byteCount }
        guard inputs.count > 1, incoming.multipliedClamped(by: 4) < met else { return nil }
        let options = SizeTieredOptions(
            minimumThreshold: max(tree.settings.levelZeroTableCount, 2), minimumTableByteCount: 0)
        var plan = SizeTieredPicker(tree, options).plan(in: tree.levels[0].indices)
        plan?.reason = .levelZero
        return plan
    }

    // MARK: Deeper levels

    private func plan(level: Int) -> CompactionPlan? {
        guard let seed = cheapest(in: level) else { return nil }
        return plan(from: seed, of: level, .levelSize)
    }

    /// The table that meets the least below, for its size. Deletions count as size: they make room below.
    private func cheapest(in level: Int) -> TableMetadata? {
        let costs = tree.levels[level].map { cost($0, level) }
        return costs.indices.min { costs[$0] < costs[$1] }.map { tree.levels[level][$0] }
    }

    private func cost(_ table: TableMetadata, _ level: Int) -> Double {
        let met = tree.overlapping(level + 1, KeySpan(table)).reduce(0) { $0 + $1.byteCount }
        let deletes = Double(table.deleteCount) / Double(max(table.entryCount, 1))
        return Double(met) / (Double(max(table.byteCount, 1)) * (1 + deletes))
    }

    /// The compaction of a table into the next level.
    func plan(from seed: TableMetadata, of level: Int, _ reason: CompactionPlan.Reason) -> CompactionPlan {
        let output = max(level + 1, targets.base)
        let overlapped = tree.overlapping(output, [seed])
        return plan(reason, expanded([seed], overlapped, level, output), of: level, overlapped, into: output)
    }

    /// Takes more tables along where that brings no more of the next level into it.
    private func expanded(
        _ inputs: [TableMetadata], _ overlapped: [TableMetadata], _ level: Int, _ output: Int
    ) -> [TableMetadata] {
        guard !overlapped.isEmpty else { return inputs }
        let wider = tree.overlapping(level, inputs + overlapped)
        guard wider.count > inputs.count, tree.overlapping(output, wider).count == overlapped.count else {
            return inputs
        }
        let byteCount = (wider + overlapped).reduce(0) { $0 + $1.byteCount }
        return byteCount <= tree.settings.maximumExpandedByteCount ? wider : inputs
    }

    private func plan(
        _ reason: CompactionPlan.Reason, _ inputs: [TableMetadata], of level: Int, _ overlapped: [TableMetadata],
        into output: Int
    ) -> CompactionPlan {
        var sources = [CompactionPlan.Input(level: level, tables: inputs)]
        if !overlapped.isEmpty { sources.append(CompactionPlan.Input(level: output, tables: overlapped)) }
        return CompactionPlan(
            action: canMove(inputs, overlapped, to: output) ? .move : .rewrite, reason: reason, inputs: sources,
            outputLevel: output, tableByteCount: tree.settings.tableByteCount)
    }

    /// Whether a table may stay as it is in its new level: compressed as that level is, without much overlap in the level
    /// after it, and, at the bottom, without anything that a rewriting would remove.
    private func canMove(_ inputs: [TableMetadata], _ overlapped: [TableMetadata], to output: Int) -> Bool {
        guard let table = inputs.first, inputs.count == 1, overlapped.isEmpty else { return false }
        guard table.compression == compression(of: output) else { return false }
        if output < last {
            let below = tree.overlapping(output + 1, inputs).reduce(0) { $0 + $1.byteCount }
            if below > tree.settings.maximumOverlapByteCount { return false }
        }
        let isBottom = tree.levels[(output + 1)...].allSatisfy { level in !level.contains { $0.overlaps(table) } }
        let hasGarbage =
            table.deleteCount > 0 || table.rangeTombstoneCount > 0
            || table.earliestExpiry <= tree.purgeTime.microseconds
        return !(isBottom && hasGarbage && tree.isBelowSnapshots(table))
    }

    /// How the tables of a level are compressed.
    func compression(of level: Int) -> TableCompression {
        level == last ? tree.compression.bottom : tree.compression.upper
    }
}
