// TableOptions+Compaction.swift — Cassandra's compaction options, and what the storage does for them ([CA]
// schema/CompactionParams.java, db/compaction/SizeTieredCompactionStrategyOptions.java, TimeWindowCompactionStrategyOptions.java).
//
// | class | here |
// |---|---|
// | `SizeTieredCompactionStrategy` | size-tiered, with its thresholds, buckets and least size |
// | `LeveledCompactionStrategy` | leveled |
// | `TimeWindowCompactionStrategy` | time windows, with their size and the options of size-tiered; a window is one of commit time |
// | `UnifiedCompactionStrategy` | as its scaling parameters say; see CompactionClause+Unified.swift |
//
// What is checked and has no effect, since the storage has its own or has no nodes to repair: `enabled`, `log_all`,
// `only_purge_repaired_tombstones`, `provide_overlapping_tombstones`; `tombstone_threshold`, `tombstone_compaction_interval`
// and `unchecked_tombstone_compaction` (it rewrites tables with a fifth of garbage, where that can go); `sstable_size_in_mb`,
// `fanout_size` and `single_sstable_uplevel` of leveled, and its options of size-tiered, which Cassandra has for a level 0
// that has fallen behind; `timestamp_resolution` (always microseconds), `expired_sstable_check_frequency_seconds` and
// `unsafe_aggressive_sstable_expiration` of time windows (expired tables are looked for whenever tables change, and are
// dropped only where nothing older can reappear).
//
// Without a clause, a table with a default time to live has windows of a thirtieth of it, and all others are leveled.
// What concerns whole nodes and their repair, and `enabled`, is checked and has no effect.

extension TableOptions {
    private static let windowsPerTimeToLive = 30

    /// How the storage merges the tables of a table or view.
    /// - Parameter timeToLive: The default time to live of the table, or of the table that a view is made from, in seconds.
    func compactionStrategy(timeToLive: Int32) -> CompactionStrategy {
        let clause = properties.first { $0.name == "compaction" }
        // It was checked when it was given.
        if let clause, case .map(let options) = clause.value, let strategy = try? Self.strategy(options) {
            return strategy
        }
        guard timeToLive > 0 else { return .leveled }
        let window = max(Int(timeToLive) / Self.windowsPerTimeToLive, 1)
        return .timeWindow(TimeWindowOptions(window: .seconds(window)))
    }

    /// What a compaction clause asks for; its class and the names of its options were checked.
    static func strategy(_ options: [String: String]) throws -> CompactionStrategy {
        let options = CompactionClause(options: options)
        switch options.className {
        case "SizeTieredCompactionStrategy": return .sizeTiered(try options.sizeTiered())
        case "TimeWindowCompactionStrategy":
            return .timeWindow(TimeWindowOptions(window: try options.window(), sizeTiered: try options.sizeTiered()))
        case "UnifiedCompactionStrategy": return try options.unified()
        default: return .leveled
        }
    }

    /// Checks the values that no strategy of the storage needs, but Cassandra refuses.
    static func checkValues(ofCompaction options: [String: String]) throws {
        try CompactionClause(options: options).checkCommon()
    }
}

/// A compaction clause, read option by option.
struct CompactionClause {
    let options: [String: String]

    var className: String { String((options["class"] ?? "").split(separator: ".").last ?? "") }

    func sizeTiered() throws -> SizeTieredOptions {
        let defaults = SizeTieredOptions()
        let result = SizeTieredOptions(
            minimumThreshold: try threshold("min_threshold", defaults.minimumThreshold),
            maximumThreshold: try threshold("max_threshold", defaults.maximumThreshold),
            bucketLow: try number("bucket_low", defaults.bucketLow),
            bucketHigh: try number("bucket_high", defaults.bucketHigh),
            minimumTableByteCount: try integer("min_sstable_size") ?? defaults.minimumTableByteCount)
        guard result.minimumTableByteCount >= 0 else {
            throw CQLError.configuration("min_sstable_size must be non negative: \(result.minimumTableByteCount)")
        }
        guard result.bucketHigh > result.bucketLow else {
            throw CQLError.configuration(
                "bucket_high value (\(result.bucketHigh)) is less than or equal to the bucket_low value "
                    + "(\(result.bucketLow))")
        }
        guard result.minimumThreshold >= 2 else {
            throw CQLError.configuration(
                "Min compaction threshold cannot be less than 2 (got \(result.minimumThreshold))")
        }
        guard result.minimumThreshold <= result.maximumThreshold else {
            throw CQLError.configuration(
                "Min compaction threshold (got \(result.minimumThreshold)) cannot be greater than max compaction "
                    + "threshold (got \(result.maximumThreshold))")
        }
        return result
    }

    /// The options of every strategy ([CA] db/compaction/AbstractCompactionStrategy.java), and those of
    /// LeveledCompactionStrategy, for which the storage has its own.
    func checkCommon() throws {
        switch className {
        case "LeveledCompactionStrategy": _ = try sizeTiered()
        case "TimeWindowCompactionStrategy": try checkTimeWindow()
        case "UnifiedCompactionStrategy": try checkUnified()
        default: break
        }
        if let text = options["enabled"], !TableOptions.isFlag(text) {
            throw CQLError.configuration("enabled should either be 'true' or 'false', not \(text)")
        }
        for name in ["log_all", "only_purge_repaired_tombstones", "unchecked_tombstone_compaction"] {
            if let text = options[name], !TableOptions.isFlag(text) {
                throw CQLError.configuration("'\(name)' should be either 'true' or 'false', not '\(text)'")
            }
        }
        if let text = options["tombstone_threshold"] {
            guard let value = Float(text) else {
                throw CQLError.configuration("\(text) is not a parsable int (base10) for tombstone_threshold")
            }
            guard value >= 0 else {
                throw CQLError.configuration("tombstone_threshold must be greater than 0, but was \(value)")
            }
        }
        if let value = try integer("tombstone_compaction_interval"), value < 0 {
            throw CQLError.configuration("tombstone_compaction_interval must be greater than 0, but was \(value)")
        }
        if let text = options["provide_overlapping_tombstones"],
            !["NONE", "ROW", "CELL"].contains(text.uppercased())
        {
            throw CQLError.configuration(
                "Invalid value \(text) for 'provide_overlapping_tombstones' compaction sub-option - must be one of the "
                    + "following [NONE, ROW, CELL].")
        }
        for name in ["sstable_size_in_mb", "fanout_size"] {
            guard let value = try integer(name) else { continue }
            guard value <= Int64(Int32.max) else {
                throw CQLError.configuration("\(value) is not a parsable int (base10) for \(name)")
            }
            guard value >= 1 else { throw CQLError.configuration("\(name) must be larger than 0, but was \(value)") }
        }
    }

    /// ([CA] db/compaction/TimeWindowCompactionStrategyOptions.java, `validateOptions`)
    private func checkTimeWindow() throws {
        if let text = options["timestamp_resolution"],
            !["MICROSECONDS", "MILLISECONDS", "SECONDS", "NANOSECONDS"].contains(text)
        {
            throw CQLError.configuration("\(text) is not valid for timestamp_resolution")
        }
        if let seconds = try integer("expired_sstable_check_frequency_seconds"), seconds < 0 {
            throw CQLError.configuration(
                "expired_sstable_check_frequency_seconds must not be negative, but was \(seconds)")
        }
        if let text = options["unsafe_aggressive_sstable_expiration"], !TableOptions.isFlag(text) {
            throw CQLError.configuration("unsafe_aggressive_sstable_expiration is not 'true' or 'false' (\(text))")
        }
    }

    func window() throws -> Duration {
        let unit = options["compaction_window_unit"]?.uppercased() ?? "DAYS"
        let unitSeconds: [String: Int64] = ["MINUTES": 60, "HOURS": 3600, "DAYS": 86_400]
        guard let seconds = unitSeconds[unit] else {
            throw CQLError.configuration("\(unit) is not valid for compaction_window_unit")
        }
        let size = try integer("compaction_window_size") ?? 1
        guard size >= 1 else {
            throw CQLError.configuration("\(size) must be greater than 1 for compaction_window_size")
        }
        guard size <= Int64(Int32.max) else {
            throw CQLError.configuration("\(size) is not a parsable int (base10) for compaction_window_size")
        }
        return .seconds(size * seconds)
    }

    private func threshold(_ name: String, _ standard: Int) throws -> Int {
        guard let value = try integer(name) else { return standard }
        guard value > 0 else {
            throw CQLError.configuration(
                "Disabling compaction by setting compaction thresholds to 0 has been removed, set the compaction option "
                    + "'enabled' to false instead.")
        }
        return Int(min(value, Int64(Int32.max)))
    }

    func integer(_ name: String) throws -> Int64? {
        guard let text = options[name] else { return nil }
        guard let value = Int64(text) else {
            throw CQLError.configuration("\(text) is not a parsable int (base10) for \(name)")
        }
        return value
    }

    private func number(_ name: String, _ standard: Double) throws -> Double {
        guard let text = options[name] else { return standard }
        guard let value = Double(text), value.isFinite else {
            throw CQLError.configuration("\(text) is not a parsable float for \(name)")
        }
        return value
    }
}
