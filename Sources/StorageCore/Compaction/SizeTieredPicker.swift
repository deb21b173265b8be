// SizeTieredPicker.swift — tables of similar size are merged, after Cassandra's SizeTieredCompactionStrategy.
//
// All tables are in level 0, newest first. A bucket is a row of neighbours there: merging tables that others lie between
// in age would leave two of which neither is wholly newer. Walking from the newest to the oldest, a table joins the bucket
// unless it is too large for it. One that is too small joins too, since it costs little and would cut the row in two,
// but it does not count towards the threshold.

struct SizeTieredPicker {
    /// A row of tables of level 0, as positions in it.
    struct Bucket: Equatable {
        var range: Range<Int>
        /// Tables of the size of the others.
        var similarCount: Int
        var byteCount: Int64

        var average: Double { Double(byteCount) / Double(max(range.count, 1)) }
    }

    let tree: TreeDescription
    let options: SizeTieredOptions

    init(_ tree: TreeDescription, _ options: SizeTieredOptions) {
        self.tree = tree
        self.options = options
    }

    private var threshold: Int { max(options.minimumThreshold, 2) }

    /// The compaction of the due bucket with the smallest tables, among the tables at `range` of level 0.
    func plan(in range: Range<Int>) -> CompactionPlan? {
        let due = buckets(in: range).filter { $0.similarCount >= threshold && $0.range.count > 1 }
        guard let bucket = due.min(by: { $0.average < $1.average }) else { return nil }
        let count = min(bucket.range.count, max(options.maximumThreshold, threshold))
        // The oldest of the bucket: what is merged of them later meets tables of its own size.
        let chosen = bucket.range.suffix(count)
        var plan = Self.merge(Array(tree.levels[0][chosen]), reason: .sizeTier)
        plan.urgency = Double(bucket.similarCount) / Double(threshold)
        return plan
    }

    func debt(in range: Range<Int>) -> CompactionDebt {
        buckets(in: range).filter { $0.similarCount >= threshold }.reduce(into: CompactionDebt()) { debt, bucket in
            debt.runCount += bucket.similarCount - threshold + 1
            debt.byteCount += bucket.byteCount
        }
    }

    func buckets(in range: Range<Int>) -> [Bucket] {
        var buckets: [Bucket] = []
        for position in range {
            let byteCount = tree.levels[0][position].byteCount
            guard var bucket = buckets.last, isAtMostSimilar(byteCount, bucket) else {
                buckets.append(Bucket(range: position..<position + 1, similarCount: 1, byteCount: byteCount))
                continue
            }
            let isSimilar = Double(byteCount) >= options.bucketLow * bucket.average || isSmall(Double(byteCount))
            bucket.range = bucket.range.lowerBound..<position + 1
            bucket.similarCount += isSimilar ? 1 : 0
            bucket.byteCount += byteCount
            buckets[buckets.count - 1] = bucket
        }
        return buckets
    }

    private func isAtMostSimilar(_ byteCount: Int64, _ bucket: Bucket) -> Bool {
        Double(byteCount) <= options.bucketHigh * bucket.average
            || isSmall(Double(byteCount)) && isSmall(bucket.average)
    }

    private func isSmall(_ byteCount: Double) -> Bool { byteCount < Double(options.minimumTableByteCount) }

    /// Merges neighbours of level 0 into one table that takes their place.
    static func merge(_ tables: [TableMetadata], reason: CompactionPlan.Reason) -> CompactionPlan {
        CompactionPlan(
            action: .rewrite, reason: reason, inputs: [CompactionPlan.Input(level: 0, tables: tables)], outputLevel: 0,
            tableByteCount: .max)
    }
}
