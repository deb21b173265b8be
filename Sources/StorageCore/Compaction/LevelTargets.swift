// LevelTargets.swift — what each level should hold, reckoned from the deepest one upwards.
//
// After RocksDB's `level_compaction_dynamic_level_bytes`: the last level holds nine tenths of everything, and the targets of
// those above follow from its size, so that space amplification stays near 1.1 however much there is. Levels above the
// base level are empty; level 0 is compacted straight into it.

struct LevelTargets: Equatable {
    /// The level that level 0 is compacted into.
    private(set) var base: Int
    /// By level; 0 above the base level.
    private(set) var byteCounts: [Int64]

    /// - Parameter sizes: Bytes by level.
    init(sizes: [Int64], settings: CompactionSettings) {
        let last = sizes.count - 1
        byteCounts = Array(repeating: 0, count: sizes.count)
        base = last
        let limit = max(settings.levelOneByteCount, 1)
        let largest = sizes.dropFirst().max() ?? 0
        let firstUsed = sizes.indices.dropFirst().first { sizes[$0] > 0 } ?? last

        // What the first used level would hold if all the levels below it were full.
        var size = largest
        for _ in firstUsed..<last { size /= settings.multiplier }
        base = firstUsed
        while base > 1, size > limit {
            base -= 1
            size /= settings.multiplier
        }
        size = min(max(size, limit / settings.multiplier, 1), limit)
        for level in base...last {
            byteCounts[level] = max(size, limit / settings.multiplier)
            size = size.multipliedClamped(by: settings.multiplier)
        }
        // The last level is never too large: there is nowhere to go.
        byteCounts[last] = .max
    }

    /// How full a level is; it is due from 1 on.
    func score(_ level: Int, _ byteCount: Int64) -> Double {
        guard level < byteCounts.count - 1, byteCount > 0 else { return 0 }
        return Double(byteCount) / Double(max(byteCounts[level], 1))
    }
}
