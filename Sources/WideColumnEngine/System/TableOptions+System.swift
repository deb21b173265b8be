// TableOptions+System.swift — a table's options with Cassandra's defaults, for system_schema and DESCRIBE
// ([CA] schema/TableParams.java).

extension TableOptions {
    private func scalar(_ name: String, _ standard: String) -> String {
        for property in properties where property.name == name {
            if case .scalar(let text) = property.value { return text }
        }
        return standard
    }

    private func map(_ name: String, _ standard: [String: String]) -> [String: String] {
        for property in properties where property.name == name {
            if case .map(let map) = property.value { return map }
        }
        return standard
    }

    var caching: [String: String] {
        ["keys": "ALL", "rows_per_partition": "NONE"].merging(map("caching", [:])) { $1 }
    }

    /// - Parameter timeToLive: the default time to live of the table, or of the table that a view is made from, in seconds.
    func compactionOptions(timeToLive: Int32) -> [String: String] {
        var options = map("compaction", Self.standardCompaction(timeToLive: timeToLive))
        if let name = options["class"], !name.contains(".") {
            options["class"] = "org.apache.cassandra.db.compaction.\(name)"
        }
        if let name = options["class"], Self.strategiesWithThresholds.contains(where: name.hasSuffix) {
            options = ["max_threshold": "32", "min_threshold": "4"].merging(options) { $1 }
        }
        return options
    }

    private static let strategiesWithThresholds = ["SizeTieredCompactionStrategy", "TimeWindowCompactionStrategy"]

    var compressionOptions: [String: String] {
        var options = map("compression", [:])
        if options["enabled"] == "false" || options["sstable_compression"] == "" { return ["enabled": "false"] }
        let name = options.removeValue(forKey: "sstable_compression") ?? options["class"] ?? "LZ4Compressor"
        options["class"] = name.contains(".") ? name : "org.apache.cassandra.io.compress.\(name)"
        // The option's old name, which may not stand beside the new one.
        if let length = options.removeValue(forKey: "chunk_length_kb") { options["chunk_length_in_kb"] = length }
        return ["chunk_length_in_kb": "16"].merging(options) { $1 }
    }

    private func flag(_ name: String, _ standard: Bool) -> Bool {
        Self.flag(scalar(name, "")) ?? standard
    }

    /// Bytes by name; a value that isn't written as a blob stands for the bytes of its text.
    private var extensions: [(name: String, value: [UInt8])] {
        map("extensions", [:]).sorted { $0.key < $1.key }.map { name, text in
            let digits = text.lowercased().hasPrefix("0x") ? Hexadecimal.bytes(text.dropFirst(2)) : nil
            return (name, digits ?? Array(text.utf8))
        }
    }

    private func number(_ name: String, _ standard: Double) -> Double { Double(scalar(name, "")) ?? standard }

    private func integer(_ name: String, _ standard: Int32) -> Int32 { Int32(scalar(name, "")) ?? standard }

    var minimumIndexInterval: Int32 { integer("min_index_interval", 128) }

    var maximumIndexInterval: Int32 { integer("max_index_interval", 2048) }

    /// The columns of system_schema.tables and views that say the options.
    ///
    /// - Parameter timeToLive: as of `compactionOptions`.
    func systemColumns(timeToLive: Int32) -> [(String, CQLValue)] {
        func cql(_ map: [String: String]) -> CQLValue {
            .map(map.map { .init(key: .text($0.key), value: .text($0.value)) })
        }
        return [
            ("additional_write_policy", .text(retryPolicy("additional_write_policy"))),
            ("allow_auto_snapshot", .boolean(flag("allow_auto_snapshot", true))),
            ("bloom_filter_fp_chance", .double(number("bloom_filter_fp_chance", 0.01))),
            ("caching", cql(caching)), ("cdc", .boolean(flag("cdc", false))),
            ("comment", .text(comment)), ("compaction", cql(compactionOptions(timeToLive: timeToLive))),
            ("compression", cql(compressionOptions)),
            ("crc_check_chance", .double(number("crc_check_chance", 1))), ("dclocal_read_repair_chance", 0.0),
            ("default_time_to_live", .int(defaultTimeToLive)),
            ("extensions", .map(extensions.map { .init(key: .text($0.name), value: .blob($0.value)) })),
            ("gc_grace_seconds", .int(Int32(clamping: graceSeconds))),
            ("incremental_backups", .boolean(flag("incremental_backups", true))),
            ("max_index_interval", .int(maximumIndexInterval)),
            ("memtable", .text(scalar("memtable", "default"))),
            ("memtable_flush_period_in_ms", .int(integer("memtable_flush_period_in_ms", 0))),
            ("min_index_interval", .int(minimumIndexInterval)),
            ("read_repair", .text(scalar("read_repair", "BLOCKING"))), ("read_repair_chance", 0.0),
            ("speculative_retry", .text(retryPolicy("speculative_retry"))),
        ]
    }

    private func retryPolicy(_ name: String) -> String { Self.speculativeRetry(scalar(name, "99p")) }

    /// The options as they stand behind WITH, in the order of their names. The rows of a view live as long as those of its
    /// table.
    ///
    /// - Parameter timeToLive: as of `compactionOptions`.
    func describedOptions(ofView isView: Bool, timeToLive: Int32) -> [String] {
        func quoted(_ map: [String: String]) -> String {
            let entries = map.sorted { $0.key < $1.key }.map {
                "\(CQLValue.quoted($0.key)): \(CQLValue.quoted($0.value))"
            }
            return "{\(entries.joined(separator: ", "))}"
        }
        let extensionEntries = extensions.map { "\(CQLValue.quoted($0.name)): \($0.value.cqlHexadecimal)" }
        return [
            "additional_write_policy = \(CQLValue.quoted(retryPolicy("additional_write_policy")))",
            "allow_auto_snapshot = \(flag("allow_auto_snapshot", true))",
            "bloom_filter_fp_chance = \(number("bloom_filter_fp_chance", 0.01))",
            "caching = \(quoted(caching))", "cdc = \(flag("cdc", false))",
            "comment = \(CQLValue.quoted(comment))",
            "compaction = \(quoted(compactionOptions(timeToLive: timeToLive)))",
            "compression = \(quoted(compressionOptions))",
            "memtable = \(CQLValue.quoted(scalar("memtable", "default")))",
            "crc_check_chance = \(number("crc_check_chance", 1))", "default_time_to_live = \(defaultTimeToLive)",
            "extensions = {\(extensionEntries.joined(separator: ", "))}", "gc_grace_seconds = \(graceSeconds)",
            "incremental_backups = \(flag("incremental_backups", true))",
            "max_index_interval = \(maximumIndexInterval)",
            "memtable_flush_period_in_ms = \(integer("memtable_flush_period_in_ms", 0))",
            "min_index_interval = \(minimumIndexInterval)",
            "read_repair = \(CQLValue.quoted(scalar("read_repair", "BLOCKING")))",
            "speculative_retry = \(CQLValue.quoted(retryPolicy("speculative_retry")))",
        ].filter { !isView || !$0.hasPrefix("default_time_to_live ") }
    }
}
