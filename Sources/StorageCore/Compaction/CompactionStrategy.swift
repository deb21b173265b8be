// CompactionStrategy.swift — how the tables of a keyspace are merged as they grow in number.

/// Which tables are merged, and when.
///
/// What every strategy keeps: versions, deletions and expired entries go only where no snapshot sees them and nothing
/// older can reappear, and a table that holds nothing but what may go is dropped without being read.
public enum CompactionStrategy: Sendable, Hashable {
    /// Levels that share no key, each ten times the one above: few tables to read, about ten bytes written for one. The
    /// default.
    case leveled(LeveledOptions = LeveledOptions())
    /// Tables of similar size are merged: few bytes written, more tables to read. For data that is written often and read
    /// seldom.
    case sizeTiered(SizeTieredOptions = SizeTieredOptions())
    /// Tables of one window of commit time are merged, those of different windows never: data that expires together goes
    /// together, unread. For series of events with a time to live.
    case timeWindow(TimeWindowOptions)
}

/// How fast levels grow, and how large their tables are.
public struct LeveledOptions: Sendable, Hashable {
    /// How many times a level holds what the one above it does. With fewer a byte is written less often on its way from one
    /// level to the next, but there are more levels to go and to read; the last one, of six, holds all that the others do not.
    /// From 1 to 1000; what is outside is taken for the nearest of them.
    public var multiplier: Int
    /// A compaction cuts its output at this size; nil: at that of the storage's options. The first level below 0 holds four
    /// such tables, if that is more than it would hold anyway.
    public var tableByteCount: Int?

    public init(multiplier: Int = 10, tableByteCount: Int? = nil) {
        self.multiplier = multiplier
        self.tableByteCount = tableByteCount
    }
}

/// When tables are of similar size, and how many of them are merged. The defaults are Cassandra's
/// (`SizeTieredCompactionStrategyOptions`).
///
/// Only tables whose commits follow one another are merged, so that of two tables one is always wholly newer than the
/// other.
public struct SizeTieredOptions: Sendable, Hashable {
    /// Similar tables that call for a compaction.
    public var minimumThreshold: Int
    /// The most tables that one compaction takes.
    public var maximumThreshold: Int
    /// A table smaller than this part of the average does not count as similar.
    public var bucketLow: Double
    /// A table larger than this multiple of the average is not similar.
    public var bucketHigh: Double
    /// Tables below this size are similar, whatever their sizes.
    public var minimumTableByteCount: Int64

    public init(
        minimumThreshold: Int = 4, maximumThreshold: Int = 32, bucketLow: Double = 0.5, bucketHigh: Double = 1.5,
        minimumTableByteCount: Int64 = 50 << 20
    ) {
        self.minimumThreshold = minimumThreshold
        self.maximumThreshold = maximumThreshold
        self.bucketLow = bucketLow
        self.bucketHigh = bucketHigh
        self.minimumTableByteCount = minimumTableByteCount
    }
}

/// How wide a window is, and how tables are merged inside the newest one.
public struct TimeWindowOptions: Sendable, Hashable {
    public var window: Duration
    public var sizeTiered: SizeTieredOptions

    public init(window: Duration, sizeTiered: SizeTieredOptions = SizeTieredOptions()) {
        self.window = window
        self.sizeTiered = sizeTiered
    }

    /// In microseconds, at least one.
    var windowMicroseconds: Int64 {
        let (seconds, attoseconds) = window.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return Int64.max }
        return max(whole.addingReportingOverflow(attoseconds / 1_000_000_000_000).partialValue, 1)
    }
}
