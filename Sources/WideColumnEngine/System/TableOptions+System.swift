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

    var compactionOptions: [String: String] {
        var options = map("compaction", ["class": "SizeTieredCompactionStrategy"])
        if let name = options["class"], !name.contains(".") {
            options["class"] = "org.apache.cassandra.db.compaction.\(name)"
        }
        if options["class"]?.hasSuffix("SizeTieredCompactionStrategy") == true {
            options = ["max_threshold": "32", "min_threshold": "4"].merging(options) { $1 }
        }
        return options
    }

    var compressionOptions: [String: String] {
        var options = map("compression", [:])
        if options["enabled"] == "false" || options["sstable_compression"] == "" { return ["enabled": "false"] }
        let name = options.removeValue(forKey: "sstable_compression") ?? options["class"] ?? "LZ4Compressor"
        options["class"] = name.contains(".") ? name : "org.apache.cassandra.io.compress.\(name)"
        return ["chunk_length_in_kb": "16"].merging(options) { $1 }
    }

    private func number(_ name: String, _ standard: Double) -> Double { Double(scalar(name, "")) ?? standard }

    private func integer(_ name: String, _ standard: Int32) -> Int32 { Int32(scalar(name, "")) ?? standard }

    /// The columns of system_schema.tables and views that say the options.
    var systemColumns: [(String, CQLValue)] {
        func cql(_ map: [String: String]) -> CQLValue {
            .map(map.map { .init(key: .text($0.key), value: .text($0.value)) })
        }
        return [
            ("additional_write_policy", .text(scalar("additional_write_policy", "99p"))),
            ("allow_auto_snapshot", true), ("bloom_filter_fp_chance", .double(number("bloom_filter_fp_chance", 0.01))),
            ("caching", cql(caching)), ("cdc", .boolean(scalar("cdc", "false").lowercased() == "true")),
            ("comment", .text(comment)), ("compaction", cql(compactionOptions)),
            ("compression", cql(compressionOptions)),
            ("crc_check_chance", .double(number("crc_check_chance", 1))), ("dclocal_read_repair_chance", 0.0),
            ("default_time_to_live", .int(defaultTimeToLive)), ("extensions", .map([])),
            ("gc_grace_seconds", .int(Int32(clamping: graceSeconds))), ("incremental_backups", true),
            ("max_index_interval", .int(integer("max_index_interval", 2048))),
            ("memtable", .text(scalar("memtable", "default"))),
            ("memtable_flush_period_in_ms", .int(integer("memtable_flush_period_in_ms", 0))),
            ("min_index_interval", .int(integer("min_index_interval", 128))),
            ("read_repair", .text(scalar("read_repair", "BLOCKING"))), ("read_repair_chance", 0.0),
            ("speculative_retry", .text(scalar("speculative_retry", "99p"))),
        ]
    }

    /// The options as they stand behind WITH, in the order of their names.
    var describedOptions: [String] {
        func quoted(_ map: [String: String]) -> String {
            let entries = map.sorted { $0.key < $1.key }.map {
                "\(CQLValue.quoted($0.key)): \(CQLValue.quoted($0.value))"
            }
            return "{\(entries.joined(separator: ", "))}"
        }
        return [
            "additional_write_policy = \(CQLValue.quoted(scalar("additional_write_policy", "99p")))",
            "allow_auto_snapshot = true", "bloom_filter_fp_chance = \(number("bloom_filter_fp_chance", 0.01))",
            "caching = \(quoted(caching))", "cdc = \(scalar("cdc", "false").lowercased())",
            "comment = \(CQLValue.quoted(comment))", "compaction = \(quoted(compactionOptions))",
            "compression = \(quoted(compressionOptions))",
            "memtable = \(CQLValue.quoted(scalar("memtable", "default")))",
            "crc_check_chance = \(number("crc_check_chance", 1))", "default_time_to_live = \(defaultTimeToLive)",
            "extensions = {}", "gc_grace_seconds = \(graceSeconds)", "incremental_backups = true",
            "max_index_interval = \(integer("max_index_interval", 2048))",
            "memtable_flush_period_in_ms = \(integer("memtable_flush_period_in_ms", 0))",
            "min_index_interval = \(integer("min_index_interval", 128))",
            "read_repair = \(CQLValue.quoted(scalar("read_repair", "BLOCKING")))",
            "speculative_retry = \(CQLValue.quoted(scalar("speculative_retry", "99p")))",
        ]
    }
}
