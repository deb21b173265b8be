// StorageStatistics.swift — what a storage looks like now, and what it has done since it was opened.

/// The state of a storage, of each of its trees, and of each of its keyspaces.
///
/// Sizes and counts of files are as of now; what was read, written, waited for and timed is since opening. The parts are
/// read one after another while work goes on, so they may differ by what happened in between.
public struct StorageStatistics: Sendable, Hashable {
    /// In the order of their ids. Empty where the storage stands on a SQLite database.
    public var trees: [TreeStatistics] = []
    /// In the order of their names.
    public var keyspaces: [KeyspaceStatistics] = []
    public var keyspaceCount = 0
    public var commits = CommitStatistics()
    public var log = LogStatistics()
    /// Each `fdatasync` of the log, and whatever else a commit waits for to be durable.
    public var syncs = LatencySummary()
    /// How long writers waited, after their commit, because memtables were not flushed fast enough.
    public var stalls = LatencySummary()
    /// How long writers were held back, after their commit, because their trees are in debt: many short waits, so that
    /// there need be no long one.
    public var delays = LatencySummary()
    /// Writers that stall now.
    public var stalledWriterCount = 0
    public var blockCache = BlockCacheStatistics()
    public var openTables = OpenTableStatistics()
    public var snapshots = SnapshotStatistics()
    /// What memtables of all trees on disk may hold in memory together.
    public var memtableByteBudget = 0
    public var uptime = Duration.zero

    /// All trees together; its id and names say nothing.
    public var total: TreeStatistics {
        trees.reduce(into: TreeStatistics()) { $0.add($1) }
    }

    /// Bytes written to the log and to tables for each byte of keys and values that was committed; nil before the first
    /// commit. What a flush or compaction still owes is not in it yet.
    public var writeAmplification: Double? {
        let total = total
        return ratio(
            log.appendedByteCount + total.flushes.outputByteCount + total.compactions.outputByteCount,
            commits.userByteCount)
    }
}

public struct CommitStatistics: Sendable, Hashable {
    public var count = 0
    /// Puts, deletes and merges.
    public var entryCount = 0
    /// Their keys and values, and the bounds of range deletes.
    public var userByteCount = 0
    /// The newest commit that readers see.
    public var visibleSequence = SequenceNumber(0)
    /// The newest commit that a power cut can't take back.
    public var durableSequence = SequenceNumber(0)
}

public struct LogStatistics: Sendable, Hashable {
    /// What the segments hold now: what the next opening would have to read, at most.
    public var byteCount: Int64 = 0
    /// Over this the tree that holds the log up longest is flushed.
    public var byteBudget: Int64 = 0
    public var segmentCount = 0
    /// Records with their headers, since opening.
    public var appendedByteCount = 0
    /// Segments that have come to their end and are not in the archive yet, and what they hold; 0 without an archive.
    public var unarchivedSegmentCount = 0
    public var unarchivedByteCount: Int64 = 0
}

/// How long something took.
public struct LatencySummary: Sendable, Hashable {
    public var count = 0
    public var total = Duration.zero
    /// At most an eighth above the truth, as are the other percentiles.
    public var median = Duration.zero
    public var p99 = Duration.zero
    public var p999 = Duration.zero
    public var maximum = Duration.zero

    public init() {}
}

public struct BlockCacheStatistics: Sendable, Hashable {
    public var hitCount = 0
    public var missCount = 0
    public var blockCount = 0
    public var byteCount = 0
    public var byteCapacity = 0

    /// Nil before the first look-up.
    public var hitRate: Double? { ratio(hitCount, hitCount + missCount) }
}

public struct OpenTableStatistics: Sendable, Hashable {
    public var count = 0
    /// Filters, top indexes and properties of the open tables.
    public var byteCount = 0
    public var byteCapacity = 0
}

public struct SnapshotStatistics: Sendable, Hashable {
    public var count = 0
    /// Since the oldest one's read time; nil if there is none. What it could see is kept on disk for so long.
    public var oldestAge: Duration?
}

/// `numerator / denominator`, nil where that says nothing.
func ratio(_ numerator: Int, _ denominator: Int) -> Double? {
    denominator > 0 ? Double(numerator) / Double(denominator) : nil
}
