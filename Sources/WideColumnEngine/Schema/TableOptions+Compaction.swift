// TableOptions+Compaction.swift — Cassandra's compaction options, and what the storage does for them ([CA]
// schema/CompactionParams.java, db/compaction/SizeTieredCompactionStrategyOptions.java, TimeWindowCompactionStrategyOptions.java).
//
// | class | here |
// |---|---|
// | `SizeTieredCompactionStrategy` | size-tiered, with its thresholds, buckets and least size |
// | `LeveledCompactionStrategy` | leveled, with its fan-out and size of tables |
// | `TimeWindowCompactionStrategy` | time windows, with their size and the options of size-tiered; a window is one of commit time |
// | `UnifiedCompactionStrategy` | as its scaling parameters say; see CompactionClause+Unified.swift |
//
// Of all classes: `tombstone_threshold` is the part of garbage from which on a table is rewritten, and where `enabled` is false
// tables are merged on request only.
//
// What is checked and has no effect, since the storage has its own or has no nodes to repair: `log_all`,
// `only_purge_repaired_tombstones`, `provide_overlapping_tombstones`; `tombstone_compaction_interval` and
// `unchecked_tombstone_compaction` (it rewrites tables where it knows that their garbage can go); `single_sstable_uplevel` of
// leveled, and its options of size-tiered, which Cassandra has for a level 0 that has fallen behind; `timestamp_resolution` (always microseconds), `expired_sstable_check_frequency_seconds` and
// `unsafe_aggressive_sstable_expiration` of time windows (expired tables are looked for whenever tables change, and are
// dropped only where nothing older can reappear).
//
// Without a clause, a table with a default time to live has windows of a thirtieth of it, in whole minutes from two on, and all
// others are leveled. Tools are told the clause that says so.

/// How the storage compacts a table or view.
struct TableCompaction: Equatable {
    var strategy = CompactionStrategy.leveled()
    /// Nil: the storage's.
    var garbageThreshold: Double?
    var isAutomatic = true
}

extension TableOptions {
    private static let windowsPerTimeToLive = 30

    /// - Parameter timeToLive: The default time to live of the table, or of the table that a view is made from, in seconds.
    func compaction(timeToLive: Int32) -> TableCompaction {
        let clause = properties.first { $0.name == "compaction" }
        // It was checked when it was given.
        if let clause, case .map(let options) = clause.value, let compaction = try? Self.compaction(options) {
            return compaction
        }
        guard timeToLive > 0 else { return TableCompaction() }
        return TableCompaction(
            strategy: .timeWindow(TimeWindowOptions(window: .seconds(Self.windowSeconds(timeToLive: timeToLive)))))
    }

    private static func windowSeconds(timeToLive: Int32) -> Int {
        let seconds = max(Int(timeToLive) / windowsPerTimeToLive, 1)
        return seconds < 120 ? seconds : seconds / 60 * 60
    }

    /// The clause of what holds without one, as far as a clause can say it: the smallest window it knows is a minute.
    ///
    /// - Parameter timeToLive: as of `compaction`.
    static func standardCompaction(timeToLive: Int32) -> [String: String] {
        guard timeToLive > 0 else { return ["class": "LeveledCompactionStrategy"] }
        let units = CompactionClause.windowUnits
        let seconds = Int64(max(windowSeconds(timeToLive: timeToLive) / 60, 1) * 60)
        let unit = units.last { seconds % $0.value == 0 } ?? units[0]
        return [
            "class": "TimeWindowCompactionStrategy", "compaction_window_unit": unit.key,
            "compaction_window_size": "\(seconds / unit.value)",
        ]
    }

    /// What a compaction clause asks for; its class and the names of its options were checked.
    static func compaction(_ options: [String: String]) throws -> TableCompaction {
        let clause = CompactionClause(options: options)
        return TableCompaction(
            strategy: try clause.strategy(), garbageThreshold: options["tombstone_threshold"].flatMap { Double($0) },
            isAutomatic: options["enabled"]?.lowercased() != "false")
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

    func strategy() throws -> CompactionStrategy {
        switch className {
        case "SizeTieredCompactionStrategy": .sizeTiered(try sizeTiered())
        case "TimeWindowCompactionStrategy":
            .timeWindow(TimeWindowOptions(window: try window(), sizeTiered: try sizeTiered()))
        case "UnifiedCompactionStrategy": try unified()
        default: .leveled(try leveled())
        }
    }

    private func leveled() throws -> LeveledOptions {
        var result = LeveledOptions()
        if let value = try integer("fanout_size") { result.multiplier = Int(clamping: value) }
        if let value = try integer("sstable_size_in_mb") {
            result.tableByteCount = Int(min(max(value, 1), Int64(Int32.max))) << 20
        }
        return result
    }

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
    /// LeveledCompactionStrategy.
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

    /// Seconds, ascending.
    static let windowUnits: KeyValuePairs<String, Int64> = ["MINUTES": 60, "HOURS": 3600, "DAYS": 86_400]

    func window() throws -> Duration {
        let unit = options["compaction_window_unit"]?.uppercased() ?? "DAYS"
        guard let seconds = Self.windowUnits.first(where: { $0.key == unit })?.value else {
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
