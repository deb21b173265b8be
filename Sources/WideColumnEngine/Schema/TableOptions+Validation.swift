// TableOptions+Validation.swift — the WITH clause of tables and views ([CA] schema/TableParams, TableAttributes).

extension TableOptions {
    init(_ properties: [Property]) throws {
        try change(by: properties)
    }

    /// These options with those in `properties` changed. The others were checked when they were given, by the rules of
    /// that time.
    func changed(by properties: [Property]) throws -> TableOptions {
        var options = self
        try options.change(by: properties)
        return options
    }

    private mutating func change(by changes: [Property]) throws {
        var names: Set<String> = []
        for property in changes {
            guard names.insert(property.name).inserted else {
                throw CQLError.syntax("Multiple definition for property '\(property.name)'")
            }
        }
        properties.removeAll { names.contains($0.name) }
        for property in changes { try add(property) }
        if names.contains("min_index_interval") || names.contains("max_index_interval") { try checkIndexIntervals() }
    }

    private mutating func add(_ property: Property) throws {
        switch property.name {
        case "default_time_to_live":
            let seconds = try Self.integer(property)
            guard seconds >= 0 else {
                throw CQLError.configuration(
                    "default_time_to_live must be greater than or equal to 0 (got \(seconds))")
            }
            guard seconds <= Int64(TimeToLive.maximum) else {
                throw CQLError.configuration(
                    "default_time_to_live must be less than or equal to \(TimeToLive.maximum) (got \(seconds))")
            }
            defaultTimeToLive = Int32(truncatingIfNeeded: seconds)
        case "gc_grace_seconds":
            graceSeconds = try Self.integer(property)
            guard (0...Int64(Int32.max)).contains(graceSeconds) else {
                throw CQLError.configuration(
                    "gc_grace_seconds must be greater than or equal to 0 (got \(graceSeconds))")
            }
        case "comment": comment = try Self.scalar(property)
        default:
            try Self.check(property)
            properties.append(property)
        }
    }

    // MARK: Properties that are kept as they were written

    private static func check(_ property: Property) throws {
        switch property.name {
        case "compaction": try checkCompaction(property)
        case "compression": try checkCompression(map(property))
        case "caching": try checkCaching(map(property))
        case "bloom_filter_fp_chance":
            let chance = try number(property)
            // The least that Cassandra's filters reach.
            guard chance > 6.71e-5, chance <= 1 else {
                throw CQLError.configuration(
                    "bloom_filter_fp_chance must be larger than 6.71E-5 and less than or equal to 1.0 (got \(chance))")
            }
        case "crc_check_chance":
            let chance = try number(property)
            guard (0...1).contains(chance) else {
                throw CQLError.configuration(
                    "crc_check_chance must be larger than or equal to 0 and smaller than or equal to 1.0 (got \(chance))"
                )
            }
        case "min_index_interval":
            let value = try integer(property)
            guard value >= 1 else {
                throw CQLError.configuration("min_index_interval must be greater than or equal to 1 (got \(value))")
            }
        case "max_index_interval": _ = try integer(property)
        case "memtable_flush_period_in_ms":
            let value = try integer(property)
            guard value >= 0 else {
                throw CQLError.configuration(
                    "memtable_flush_period_in_ms must be greater than or equal to 0 (got \(value))")
            }
        case "cdc", "allow_auto_snapshot", "incremental_backups":
            let value = try scalar(property)
            guard flag(value) != nil else {
                throw CQLError.syntax("Invalid boolean value \(value) for '\(property.name)'")
            }
        case "speculative_retry", "additional_write_policy":
            try checkSpeculativeRetry(scalar(property), of: property.name)
        case "read_repair": try checkReadRepair(scalar(property))
        case "memtable": _ = try scalar(property)
        // Of the past: they stand in the definitions of older versions, and nothing comes of them.
        case "read_repair_chance", "dclocal_read_repair_chance": break
        case "id": throw CQLError.configuration("Cannot alter table id.")
        case "extensions": _ = try map(property)
        default: throw CQLError.syntax("Unknown property '\(property.name)'")
        }
    }

    /// Whether a text is that of a boolean, for what is within an option.
    static func isFlag(_ text: String) -> Bool { ["true", "false"].contains(text.lowercased()) }

    /// The boolean that an option's text stands for ([CA] cql3/statements/PropertyDefinitions.java, `parseBoolean`).
    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "true", "yes": true
        case "0", "false", "no": false
        default: nil
        }
    }

    private func checkIndexIntervals() throws {
        let (minimum, maximum) = (minimumIndexInterval, maximumIndexInterval)
        guard maximum >= minimum else {
            throw CQLError.configuration(
                "max_index_interval must be greater than or equal to min_index_interval (\(minimum)) (got \(maximum))")
        }
    }

    private static let commonCompactionOptions: Set<String> = [
        "class", "enabled", "log_all", "only_purge_repaired_tombstones", "tombstone_compaction_interval",
        "tombstone_threshold", "unchecked_tombstone_compaction", "provide_overlapping_tombstones",
    ]
    private static let sizeTieredOptions: Set<String> = [
        "bucket_high", "bucket_low", "max_threshold", "min_sstable_size", "min_threshold",
    ]
    private static let compactionOptions: [String: Set<String>] = [
        "SizeTieredCompactionStrategy": sizeTieredOptions,
        "LeveledCompactionStrategy": sizeTieredOptions.union([
            "fanout_size", "single_sstable_uplevel", "sstable_size_in_mb",
        ]),
        "TimeWindowCompactionStrategy": sizeTieredOptions.union([
            "compaction_window_size", "compaction_window_unit", "expired_sstable_check_frequency_seconds",
            "timestamp_resolution", "unsafe_aggressive_sstable_expiration",
        ]),
        "UnifiedCompactionStrategy": [
            "base_shard_count", "expired_sstable_check_frequency_seconds", "flush_size_override",
            "max_sstables_to_compact", "min_sstable_size", "overlap_inclusion_method", "scaling_parameters",
            "sstable_growth", "target_sstable_size", "unsafe_aggressive_sstable_expiration",
        ],
    ]

    private static func checkCompaction(_ property: Property) throws {
        let options = try map(property)
        guard let className = options["class"] else {
            throw CQLError.configuration("Missing sub-option 'class' for the 'compaction' option.")
        }
        let name = String(className.split(separator: ".").last ?? "")
        guard let allowed = compactionOptions[name] else {
            let full = className.contains(".") ? className : "org.apache.cassandra.db.compaction.\(className)"
            throw CQLError.configuration("Unable to find compaction strategy class '\(full)'")
        }
        for key in options.keys.sorted() where !allowed.contains(key) && !commonCompactionOptions.contains(key) {
            throw CQLError.configuration("Properties specified [\(key)] are not understood by \(name)")
        }
        try checkValues(ofCompaction: options)
        _ = try compaction(options)
    }

    // MARK: Reading values

    private static func scalar(_ property: Property) throws -> String {
        guard case .scalar(let text) = property.value else {
            throw CQLError.syntax("Invalid value for property '\(property.name)'. It should be a string")
        }
        return text
    }

    private static func map(_ property: Property) throws -> [String: String] {
        guard case .map(let map) = property.value else {
            throw CQLError.syntax("Invalid value for property '\(property.name)'. It should be a map.")
        }
        return map
    }

    private static func integer(_ property: Property) throws -> Int64 {
        let text = try scalar(property)
        guard let value = Int32(text) else {
            throw CQLError.syntax("Invalid integer value \(text) for '\(property.name)'")
        }
        return Int64(value)
    }

    private static func number(_ property: Property) throws -> Double {
        let text = try scalar(property)
        guard let value = Double(text) else {
            throw CQLError.syntax("Invalid double value \(text) for '\(property.name)'")
        }
        return value
    }
}

/// Limits of a time to live in seconds ([CA] cql3/Attributes.java).
enum TimeToLive {
    /// Twenty years.
    static let maximum: Int32 = 630_720_000

    static func checked(_ seconds: Int64) throws -> Int32 {
        guard seconds >= 0 else { throw CQLError.invalid("A TTL must be greater or equal to 0, but was \(seconds)") }
        guard seconds <= Int64(maximum) else {
            throw CQLError.invalid("ttl is too large. requested (\(seconds)) maximum (\(maximum))")
        }
        return Int32(truncatingIfNeeded: seconds)
    }
}

extension [Property] {
    /// The identity that `WITH ID` gives a new table; nil without one.
    var tableID: CQLUUID? {
        get throws {
            guard let property = first(where: { $0.name == "id" }) else { return nil }
            guard case .scalar(let text) = property.value, let id = CQLUUID(text) else {
                throw CQLError.configuration("Invalid table id")
            }
            return id
        }
    }

    var withoutID: [Property] { filter { $0.name != "id" } }
}
