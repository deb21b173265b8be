// TreeDescription.swift — all that choosing a compaction may know of a tree: its tables as they are, and what may be purged
// now. A value: choosing is a pure function of it.

/// Sizes that the strategies work with.
struct CompactionSettings: Sendable, Equatable {
    /// Tables in level 0 that call for a compaction.
    var levelZeroTableCount = 4
    /// What the first level below 0 may hold at most.
    var levelOneByteCount: Int64 = 64 << 20
    /// How many times a level holds what the one above it does.
    var multiplier: Int64 = 10
    /// A leveled compaction cuts its output at this size.
    var tableByteCount = 16 << 20

    /// The most that a table moved or written may overlap in the level below its own; more would make its own compaction
    /// expensive. Where levels grow slowly, it is what it is where they grow tenfold: tables are not cut small for that.
    var maximumOverlapByteCount: Int64 { Int64(tableByteCount).multipliedClamped(by: max(multiplier, 10)) }
    /// The most that a compaction takes to spare another one.
    var maximumExpandedByteCount: Int64 { Int64(tableByteCount).multipliedClamped(by: 25) }

    /// These, but what a keyspace has of its own.
    func adopting(_ strategy: CompactionStrategy) -> CompactionSettings {
        guard case .leveled(let options) = strategy else { return self }
        var settings = self
        settings.multiplier = Int64(min(max(options.multiplier, 1), 1000))
        if let byteCount = options.tableByteCount {
            settings.tableByteCount = max(byteCount, 1)
            settings.levelOneByteCount = max(
                levelOneByteCount, Int64(settings.tableByteCount).multipliedClamped(by: 4))
        }
        return settings
    }
}

extension Int64 {
    func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

/// What a table has of keyspaces that are gone.
struct DroppedPart: Sendable, Equatable {
    var entryCount = 0
    /// Keys and values before coding.
    var rawByteCount = 0
}

/// A tree as the choice of a compaction sees it.
struct TreeDescription: Sendable {
    /// By level. Level 0 is newest first; deeper ones are in key order and share no key.
    var levels: [[TableMetadata]]
    var strategy = CompactionStrategy.leveled()
    /// From which part of its entries on a table is rewritten for its garbage.
    var garbageThreshold = TreeOptions.garbageThreshold
    /// Whether tables are merged and rewritten without being asked for.
    var compactsAutomatically = true
    var settings = CompactionSettings()
    var compression = CompressionOptions()
    /// What is known of the clock: entries that expire by then are expired for every reader there is and will be.
    var purgeTime = StorageInstant.distantPast
    var now = StorageInstant.distantPast
    /// Sequences that snapshots read at, ascending; the last is the newest durable commit.
    var snapshots: [UInt64] = [.max]
    /// The ids of the keyspaces that live in the tree, ascending.
    var keyspaces: [UInt32] = []
    /// Range deletes in the tree's tables, fragmented; `nil` where nobody has to look at them.
    var rangeTombstones: RangeTombstoneSet?
    /// What is left of dropped keyspaces in tables that others have a part in, by the table's number.
    var dropped: [UInt64: DroppedPart] = [:]
    /// Tables that were rewritten in vain: what makes them look worth it could not go.
    var exhausted: Set<UInt64> = []

    /// The deepest level that holds a table; 0 if none does.
    var deepest: Int { levels.lastIndex { !$0.isEmpty } ?? 0 }

    func byteCount(_ level: Int) -> Int64 { levels[level].reduce(0) { $0 + $1.byteCount } }

    /// The tables of a level that may hold something of what `tables` span together.
    func overlapping(_ level: Int, _ tables: [TableMetadata]) -> [TableMetadata] {
        guard let span = KeySpan(tables) else { return [] }
        return level == 0 ? levels[0].filter { span.overlaps($0) } : Array(overlapping(level, span))
    }

    /// The tables of a level below 0 that may hold something of a span.
    func overlapping(_ level: Int, _ span: KeySpan) -> ArraySlice<TableMetadata> {
        let start = levels[level].partitioningIndex { !span.begins(behind: $0) }
        let end = levels[level].partitioningIndex { span.ends(before: $0) }
        return levels[level][start..<max(start, end)]
    }

    /// Tables that lie below the one at `index` of `level`, and may hold a key of it.
    func older(than table: TableMetadata, level: Int, index: Int) -> [TableMetadata] {
        let sameLevel = level == 0 ? levels[0][(index + 1)...].filter { $0.overlaps(table) } : []
        let span = KeySpan(table)
        return sameLevel + levels.indices.dropFirst(level + 1).flatMap { overlapping($0, span) }
    }

    /// Whether every version in the table is in the lowest stripe: what may go at the bottom goes in one rewriting.
    func isBelowSnapshots(_ table: TableMetadata) -> Bool {
        table.largestSequence <= snapshots.first ?? 0
    }
}

/// From the smallest to the largest key of some tables.
struct KeySpan {
    private(set) var smallest: [UInt8]
    private(set) var largest: [UInt8]
    private(set) var isExclusive: Bool

    init(_ table: TableMetadata) {
        smallest = table.smallestKey
        largest = table.largestKey
        isExclusive = table.largestKeyIsExclusive
    }

    /// Nil if there are no tables.
    init?(_ tables: [TableMetadata]) {
        guard let first = tables.first else { return nil }
        self.init(first)
        for table in tables.dropFirst() { formUnion(table) }
    }

    mutating func formUnion(_ table: TableMetadata) {
        if compareBytes(table.smallestKey, smallest) < 0 { smallest = table.smallestKey }
        let order = compareBytes(table.largestKey, largest)
        if order > 0 || order == 0 && !table.largestKeyIsExclusive {
            largest = table.largestKey
            isExclusive = table.largestKeyIsExclusive
        }
    }

    func overlaps(_ table: TableMetadata) -> Bool { !ends(before: table) && !begins(behind: table) }

    /// Whether every key of the span is below those of a table.
    func ends(before table: TableMetadata) -> Bool {
        let order = compareBytes(table.smallestKey, largest)
        return isExclusive ? order >= 0 : order > 0
    }

    /// Whether every key of the span is above those of a table.
    func begins(behind table: TableMetadata) -> Bool {
        let order = compareBytes(smallest, table.largestKey)
        return table.largestKeyIsExclusive ? order >= 0 : order > 0
    }
}
