// OlderTables.swift — the tables that a compaction leaves below its output: as long as one of them may hold a key, that
// key's deletion stays.

/// Asked for keys in ascending order, so that each level is walked once.
@safe final class OlderTables {
    private let levels: [[TableMetadata]]
    private var positions: [Int]

    /// - Parameters:
    ///   - levels: All tables of the tree.
    ///   - plan: The compaction that takes some of them.
    init(_ levels: [[TableMetadata]], below plan: CompactionPlan) {
        let deepest = max(plan.outputLevel, plan.inputs.map(\.level).max() ?? 0)
        var older = levels[(deepest + 1)...].filter { !$0.isEmpty }
        if deepest == 0, let last = plan.inputs.first?.tables.last,
            let position = levels[0].firstIndex(where: { $0.number == last.number })
        {
            // Tables of level 0 may overlap: each is a row of its own.
            older += levels[0][(position + 1)...].map { [$0] }
        }
        self.levels = older
        positions = Array(repeating: 0, count: older.count)
    }

    /// Whether one of them may hold `key`.
    func mayHold(_ key: UnsafeRawBufferPointer) -> Bool {
        for level in levels.indices {
            let tables = levels[level]
            while positions[level] < tables.count, unsafe tables[positions[level]].isBelow(key) {
                positions[level] += 1
            }
            guard positions[level] < tables.count else { continue }
            if unsafe compareBytes(tables[positions[level]].smallestKey, key) <= 0 { return true }
        }
        return false
    }

    /// Whether one of them may hold a key in a range.
    func mayHold(lower: [UInt8], upper: [UInt8]) -> Bool {
        levels.contains { tables in tables.contains { $0.overlaps(lower: lower, upper: upper) } }
    }
}
