// CompactionPicker.swift — the next compaction of a tree: first what costs nothing, then what its strategy asks for, then
// what gets rid of garbage.

enum CompactionPicker {
    /// What to do next; nil if nothing is due.
    static func plan(for tree: TreeDescription) -> CompactionPlan? {
        let garbage = GarbagePicker(tree)
        if let drop = garbage.drop() { return drop }
        guard tree.compactsAutomatically else { return nil }
        return strategicPlan(for: tree) ?? garbage.rewrite()
    }

    private static func strategicPlan(for tree: TreeDescription) -> CompactionPlan? {
        switch tree.strategy {
        case .leveled: LeveledPicker(tree).plan()
        case .sizeTiered(let options):
            SizeTieredPicker(tree, options).plan(in: tree.levels[0].indices) ?? planOfLeftovers(tree)
        case .timeWindow(let options): TimeWindowPicker(tree, options).plan()
        }
    }

    /// The tables that a tree has below level 0 because it was leveled before it was size-tiered: together they are its
    /// oldest tier, and are merged once the others have grown to their size. A time-window tree keeps them until they have
    /// expired, since they belong to no window.
    private static func planOfLeftovers(_ tree: TreeDescription) -> CompactionPlan? {
        let below = (1..<tree.levels.count).reduce(0) { $0 + tree.byteCount($1) }
        guard below > 0, tree.byteCount(0) >= below else { return nil }
        let inputs = tree.levels.enumerated().filter { !$0.element.isEmpty }
        return CompactionPlan(
            action: .rewrite, reason: .sizeTier,
            inputs: inputs.map { CompactionPlan.Input(level: $0.offset, tables: $0.element) }, outputLevel: 0,
            tableByteCount: .max)
    }

    static func debt(of tree: TreeDescription) -> CompactionDebt {
        // No writer waits for what nobody will do.
        guard tree.compactsAutomatically else { return CompactionDebt() }
        return switch tree.strategy {
        case .leveled: LeveledPicker(tree).debt
        case .sizeTiered(let options): SizeTieredPicker(tree, options).debt(in: tree.levels[0].indices)
        case .timeWindow(let options): TimeWindowPicker(tree, options).debt
        }
    }

    /// What tables would take if everything were compacted, at best: the largest sorted run, since the others may be no more
    /// than newer versions of its entries. Windows of time are never merged with one another, so each has its own.
    static func largestRunByteCount(of tree: TreeDescription) -> Int64 {
        let deeper = (1..<tree.levels.count).map { tree.byteCount($0) }.max() ?? 0
        let tables = tree.levels[0].map(\.byteCount)
        guard case .timeWindow(let options) = tree.strategy else { return max(deeper, tables.max() ?? 0) }
        return TimeWindowPicker(tree, options).windows.reduce(deeper) { $0 + (tables[$1.range].max() ?? 0) }
    }

    /// How the table that a plan writes is compressed.
    static func compression(of plan: CompactionPlan, in tree: TreeDescription) -> TableCompression {
        if case .leveled = tree.strategy { return LeveledPicker(tree).compression(of: plan.outputLevel) }
        // With the oldest data of a tree, a table stays for long.
        let inputs = Set(plan.tables.map(\.number))
        let oldest = tree.levels.last { !$0.isEmpty }?.last
        let isBottom = oldest.map { inputs.contains($0.number) } ?? true
        return isBottom && plan.tables.count > 1 || plan.reason == .window
            ? tree.compression.bottom : tree.compression.upper
    }

    // MARK: On request

    /// Compactions that rewrite everything in a range of tree keys, in this order.
    static func plans(for tree: TreeDescription, lower: [UInt8], upper: [UInt8]) -> [CompactionPlan] {
        switch tree.strategy {
        case .leveled:
            return levelsPlan(tree, lower, upper, into: tree.levels.count - 1).map { [$0] } ?? []
        case .sizeTiered:
            return levelsPlan(tree, lower, upper, into: 0).map { [$0] } ?? []
        case .timeWindow(let options):
            var leftovers = tree
            leftovers.levels[0] = []
            let deep = levelsPlan(leftovers, lower, upper, into: tree.levels.count - 1)
            return (deep.map { [$0] } ?? [])
                + TimeWindowPicker(tree, options).windows.compactMap { window in
                    let tables = tree.levels[0][window.range]
                    guard let first = tables.firstIndex(where: { $0.overlaps(lower: lower, upper: upper) }),
                        let last = tables.lastIndex(where: { $0.overlaps(lower: lower, upper: upper) })
                    else { return nil }
                    return SizeTieredPicker.merge(Array(tables[first...last]), reason: .manual)
                }
        }
    }

    /// One compaction of what overlaps a range, from the newest level to the oldest. A table of a level takes along all
    /// older ones that it overlaps: its entries end up below them.
    private static func levelsPlan(
        _ tree: TreeDescription, _ lower: [UInt8], _ upper: [UInt8], into output: Int
    ) -> CompactionPlan? {
        var span: KeySpan?
        var inputs: [CompactionPlan.Input] = []
        for level in tree.levels.indices {
            var chosen: [TableMetadata] = []
            for table in tree.levels[level]
            where table.overlaps(lower: lower, upper: upper) || span?.overlaps(table) ?? false {
                chosen.append(table)
                if level == 0, span?.formUnion(table) == nil { span = KeySpan([table]) }
            }
            for table in chosen where level > 0 {
                if span?.formUnion(table) == nil { span = KeySpan([table]) }
            }
            if !chosen.isEmpty { inputs.append(CompactionPlan.Input(level: level, tables: chosen)) }
        }
        guard !inputs.isEmpty else { return nil }
        if output == 0 { inputs = rows(tree, inputs) }
        return CompactionPlan(
            action: .rewrite, reason: .manual, inputs: inputs, outputLevel: output,
            tableByteCount: output == 0 ? .max : tree.settings.tableByteCount)
    }

    /// What one table in level 0 can take the place of: a row of neighbours there, or everything, if it reaches deeper.
    private static func rows(_ tree: TreeDescription, _ chosen: [CompactionPlan.Input]) -> [CompactionPlan.Input] {
        guard chosen.allSatisfy({ $0.level == 0 }), let tables = chosen.first?.tables,
            let first = tree.levels[0].firstIndex(where: { $0.number == tables.first?.number }),
            let last = tree.levels[0].firstIndex(where: { $0.number == tables.last?.number })
        else {
            return tree.levels.enumerated().filter { !$0.element.isEmpty }
                .map { CompactionPlan.Input(level: $0.offset, tables: $0.element) }
        }
        return [CompactionPlan.Input(level: 0, tables: Array(tree.levels[0][first...last]))]
    }
}
