import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Options of tables")
struct TableOptionTests {
    @Test(
        "values out of Cassandra's bounds are refused in its words",
        arguments: [
            (
                "compression = {'class': 'Nonsense'}",
                "Could not create Compression for type org.apache.cassandra.io.compress.Nonsense"
            ),
            (
                "compression = {'class': 'com.acme.LZ4Compressor'}",
                "Could not create Compression for type com.acme.LZ4Compressor"
            ),
            ("compression = {'chunk_length_in_kb': 16}", "Missing sub-option 'class' for the 'compression' option."),
            (
                "compression = {'class': ''}",
                "The 'class' option must not be empty. To disable compression use 'enabled' : false"
            ),
            (
                "compression = {'enabled': false, 'class': 'LZ4Compressor'}",
                "If the 'enabled' option is set to false no other options must be specified"
            ),
            (
                "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 5}",
                "chunk_length_in_kb must be a power of 2"
            ),
            (
                "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 0}",
                "Invalid negative or null chunk_length_in_kb"
            ),
            (
                "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 'x'}",
                "Invalid value for chunk_length_in_kb"
            ),
            (
                "compression = {'class': 'LZ4Compressor', 'min_compress_ratio': 0.5}",
                "min_compress_ratio can either be 0 or greater than or equal to 1"
            ),
            (
                "compression = {'class': 'LZ4Compressor', 'min_compress_ratio': -1}",
                "Invalid negative min_compress_ratio"
            ),
            (
                "compression = {'class': 'LZ4Compressor', 'crc_check_chance': 2}",
                "crc_check_chance should be between 0.0 and 1.0"
            ),
            (
                "compression = {'class': 'SnappyCompressor', 'compression_level': 3}",
                "Unknown compression options compression_level"
            ),
            ("compression = {'class': 'ZstdCompressor', 'compression_level': 23}", "compression_level=23 is invalid"),
            (
                "caching = {'keys': 'SOME'}",
                "Invalid value for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed"
            ),
            (
                "caching = {'rows_per_partition': 'SOME'}",
                "Invalid value for caching sub-option 'rows_per_partition': only 'ALL', 'NONE' and integer values are allowed"
            ),
            (
                "caching = {'rows': 'ALL'}",
                "Invalid caching sub-options [rows]: only 'keys' and 'rows_per_partition' are allowed"
            ),
            ("speculative_retry = 'SOMETIMES'", "Invalid speculative retry policy: SOMETIMES"),
            ("speculative_retry = '101p'", "Invalid value 101p for option 'speculative_retry'"),
            ("additional_write_policy = 'MIN(99p, 50p)'", "Invalid speculative retry policy: MIN(99p, 50p)"),
            (
                "read_repair = 'ASYNC'",
                "No enum constant org.apache.cassandra.service.reads.repair.ReadRepairStrategy.ASYNC"
            ),
            ("min_index_interval = 0", "min_index_interval must be greater than or equal to 1 (got 0)"),
            (
                "max_index_interval = 64",
                "max_index_interval must be greater than or equal to min_index_interval (128) (got 64)"
            ),
            (
                "min_index_interval = 9 AND max_index_interval = 8",
                "max_index_interval must be greater than or equal to min_index_interval (9) (got 8)"
            ),
            (
                "memtable_flush_period_in_ms = -1",
                "memtable_flush_period_in_ms must be greater than or equal to 0 (got -1)"
            ),
            (
                "compaction = {'class': 'LeveledCompactionStrategy', 'enabled': 'maybe'}",
                "enabled should either be 'true' or 'false', not maybe"
            ),
            (
                "compaction = {'class': 'LeveledCompactionStrategy', 'tombstone_threshold': 'x'}",
                "x is not a parsable int (base10) for tombstone_threshold"
            ),
            (
                "compaction = {'class': 'LeveledCompactionStrategy', 'tombstone_compaction_interval': -1}",
                "tombstone_compaction_interval must be greater than 0, but was -1"
            ),
            (
                "compaction = {'class': 'LeveledCompactionStrategy', 'unchecked_tombstone_compaction': 1}",
                "'unchecked_tombstone_compaction' should be either 'true' or 'false', not '1'"
            ),
            (
                "compaction = {'class': 'LeveledCompactionStrategy', 'only_purge_repaired_tombstones': 1}",
                "'only_purge_repaired_tombstones' should be either 'true' or 'false', not '1'"
            ),
            (
                "compaction = {'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': 0}",
                "sstable_size_in_mb must be larger than 0, but was 0"
            ),
            (
                "compaction = {'class': 'LeveledCompactionStrategy', 'fanout_size': 'x'}",
                "x is not a parsable int (base10) for fanout_size"
            ),
        ])
    func refusals(clause: String, message: String) throws {
        let store = try makeStore()
        expectInvalid(message, .configurationException) {
            try store.execute("CREATE TABLE t (k int PRIMARY KEY) WITH \(clause)")
        }
        try store.execute("CREATE TABLE t (k int PRIMARY KEY)")
        expectInvalid(message, .configurationException) { try store.execute("ALTER TABLE t WITH \(clause)") }
    }

    @Test("options of compaction and compression have Cassandra's bounds", arguments: compactions)
    func clauses(clause: String, message: String) throws { try refusals(clause: clause, message: message) }

    private static let compactions: [(String, String)] = [
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'X3'}",
            "Scaling parameter X3 must match (N)|L(\\d+)|T(\\d+)|([+-]?\\d+)"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4, L1'}",
            "Fan factor cannot be lower than 2 in L1"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'base_shard_count': 0}",
            "Invalid configuration, base_shard_count should be positive: 0"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'unsafe_aggressive_sstable_expiration': 1}",
            "unsafe_aggressive_sstable_expiration should either be 'true' or 'false', not 1"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'overlap_inclusion_method': 'some'}",
            "Invalid overlap inclusion method some. The valid options are [NONE, SINGLE, TRANSITIVE]."
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'sstable_growth': 'x'}",
            "sstable_growth x is not a valid number between 0 and 1"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'sstable_growth': '150%'}",
            "sstable_growth 150% must be between 0 and 1"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'target_sstable_size': '1KiB'}",
            "target_sstable_size 1KiB is not acceptable, size must be at least 1.000MiB"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'flush_size_override': 'x'}",
            "flush_size_override x is not a valid size in bytes: x"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'min_sstable_size': '-1B'}",
            "Invalid configuration, min_sstable_size should be greater than or equal to 0 (zero)"
        ),
        (
            "compaction = {'class': 'UnifiedCompactionStrategy', 'target_sstable_size': '2MiB', "
                + "'min_sstable_size': '2MiB'}",
            "Invalid configuration, min_sstable_size (2MiB) should be less than the target size minimum: 1482910"
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': 1}",
            "Min compaction threshold cannot be less than 2 (got 1)"
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': 9, 'max_threshold': 8}",
            "Min compaction threshold (got 9) cannot be greater than max compaction threshold (got 8)"
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'max_threshold': 0}",
            "Disabling compaction by setting compaction thresholds to 0 has been removed, set the "
                + "compaction option 'enabled' to false instead."
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'bucket_low': 1.5, 'bucket_high': 1.5}",
            "bucket_high value (1.5) is less than or equal to the bucket_low value (1.5)"
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'bucket_low': 'x'}",
            "x is not a parsable float for bucket_low"
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'min_sstable_size': -1}",
            "min_sstable_size must be non negative: -1"
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'tombstone_threshold': -1}",
            "tombstone_threshold must be greater than 0, but was -1.0"
        ),
        (
            "compaction = {'class': 'SizeTieredCompactionStrategy', 'provide_overlapping_tombstones': 'all'}",
            "Invalid value all for 'provide_overlapping_tombstones' compaction sub-option - must be "
                + "one of the following [NONE, ROW, CELL]."
        ),
        (
            "compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'WEEKS'}",
            "WEEKS is not valid for compaction_window_unit"
        ),
        (
            "compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_size': 0}",
            "0 must be greater than 1 for compaction_window_size"
        ),
        (
            "compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_size': 2147483648}",
            "2147483648 is not a parsable int (base10) for compaction_window_size"
        ),
        (
            "compaction = {'class': 'TimeWindowCompactionStrategy', 'timestamp_resolution': 'DAYS'}",
            "DAYS is not valid for timestamp_resolution"
        ),
        (
            "compaction = {'class': 'TimeWindowCompactionStrategy', 'expired_sstable_check_frequency_seconds': -1}",
            "expired_sstable_check_frequency_seconds must not be negative, but was -1"
        ),
        (
            "compaction = {'class': 'TimeWindowCompactionStrategy', 'unsafe_aggressive_sstable_expiration': 1}",
            "unsafe_aggressive_sstable_expiration is not 'true' or 'false' (1)"
        ),
        (
            "compaction = {'class': 'TimeWindowCompactionStrategy', 'min_threshold': 1}",
            "Min compaction threshold cannot be less than 2 (got 1)"
        ),
        ("compaction = {'enabled': true}", "Missing sub-option 'class' for the 'compaction' option."),
        (
            "compression = {'class': 'LZ4Compressor', 'sstable_compression': 'LZ4Compressor'}",
            "The 'sstable_compression' option must not be used if the compression algorithm is already "
                + "specified by the 'class' option"
        ),
        (
            "compression = {'sstable_compression': '', 'compression_level': 3}",
            "Unknown compression options ([compression_level]) since no compression class found"
        ),
        (
            "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 16, 'chunk_length_kb': 16}",
            "The 'chunk_length_kb' option must not be used if the chunk length is already specified by "
                + "the 'chunk_length_in_kb' option"
        ),
        (
            "compression = {'class': 'LZ4Compressor', 'min_compress_ratio': 'x'}",
            "Invalid value for min_compress_ratio"
        ),
        (
            "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 2097152}",
            "Value of chunk_length_in_kb is too large (2097152)"
        ),
        (
            "compression = {'class': 'LZ4Compressor', 'lz4_compressor_type': 'slow'}",
            "Invalid compressor type 'slow' specified for LZ4 parameter 'lz4_compressor_type'. Valid "
                + "options are [fast, high]."
        ),
        (
            "compression = {'class': 'LZ4Compressor', 'lz4_high_compressor_level': 18}",
            "Invalid value [18] for parameter 'lz4_high_compressor_level'. Value must be between 1 and 17."
        ),
        (
            "crc_check_chance = 1.5",
            "crc_check_chance must be larger than or equal to 0 and smaller than or equal to 1.0 (got 1.5)"
        ),
    ]

    @Test(
        "values that are no text, number or map where one belongs are refused",
        arguments: [
            ("comment = {'a': 'b'}", "Invalid value for property 'comment'. It should be a string"),
            (
                "compaction = 'LeveledCompactionStrategy'",
                "Invalid value for property 'compaction'. It should be a map."
            ),
            ("gc_grace_seconds = 'x'", "Invalid integer value x for 'gc_grace_seconds'"),
            ("bloom_filter_fp_chance = 'x'", "Invalid double value x for 'bloom_filter_fp_chance'"),
            ("cdc = 'maybe'", "Invalid boolean value maybe for 'cdc'"),
        ])
    func forms(clause: String, message: String) throws {
        let store = try makeStore()
        expectInvalid(message, .syntaxException) {
            try store.execute("CREATE TABLE t (k int PRIMARY KEY) WITH \(clause)")
        }
    }

    @Test(
        "values that Cassandra takes are taken",
        arguments: [
            "compression = {'class': 'org.apache.cassandra.io.compress.ZstdCompressor', 'compression_level': -5}",
            "compression = {'class': 'DeflateCompressor', 'chunk_length_in_kb': 64, 'min_compress_ratio': 1.1}",
            "compression = {'sstable_compression': 'SnappyCompressor', 'chunk_length_kb': 4, 'crc_check_chance': 0.5}",
            "compression = {'enabled': false}", "compression = {'class': 'NoopCompressor', 'enabled': 'true'}",
            "compression = {}", "compression = {'class': 'LZ4Compressor', 'lz4_compressor_type': 'high'}",
            "caching = {'keys': 'none', 'rows_per_partition': 100}", "speculative_retry = 'NEVER'",
            "speculative_retry = '99.9PERCENTILE'", "speculative_retry = '50ms'", "speculative_retry = 'always'",
            "additional_write_policy = 'MAX(99p,50ms)'", "additional_write_policy = 'min(1.5ms, 75percentile)'",
            "read_repair = 'NONE'", "read_repair = 'blocking'", "min_index_interval = 1 AND max_index_interval = 1",
            """
            compaction = {'class': 'LeveledCompactionStrategy', 'enabled': false, 'tombstone_threshold': 0.3,
            'tombstone_compaction_interval': 10, 'unchecked_tombstone_compaction': true, 'sstable_size_in_mb': 80,
            'fanout_size': 8, 'only_purge_repaired_tombstones': false, 'provide_overlapping_tombstones': 'row'}
            """,
        ])
    func accepted(clause: String) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY) WITH \(clause)")
        try store.execute("ALTER TABLE t WITH \(clause)")
        let described = try #require(store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        try store.execute("DROP TABLE t")
        try store.execute(described)
        #expect(try store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self] == described)
    }

    @Test("booleans have Cassandra's six words")
    func flags() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY)")
        for (text, value) in [
            ("true", true), ("FALSE", false), ("1", true), ("0", false), ("'yes'", true), ("'No'", false),
        ] {
            try store.execute(
                "ALTER TABLE t WITH cdc = \(text) AND allow_auto_snapshot = \(text) AND incremental_backups = \(text)")
            let row = try store.execute(
                """
                SELECT cdc, allow_auto_snapshot, incremental_backups FROM system_schema.tables
                WHERE keyspace_name = 'ks' AND table_name = 't'
                """)[0]
            #expect(row.values == [.boolean(value), .boolean(value), .boolean(value)], "\(text)")
            let described = try store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self]
            #expect(described?.contains("cdc = \(value)") == true)
        }
        expectInvalid("Invalid boolean value maybe for 'cdc'", .syntaxException) {
            try store.execute("ALTER TABLE t WITH cdc = 'maybe'")
        }
    }

    @Test("a stored table whose options would be refused today opens, and its other options change")
    func storedOptions() throws {
        let storage = try Storage.inMemory()
        let first = try WideColumnStore(storage: storage)
        try first.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try first.execute("CREATE TABLE ks.t (k int PRIMARY KEY)")
        var table = try #require(first.catalog.schema.definitions.tables[.init(keyspace: "ks", name: "t")])
        table.options.properties = [
            Property(name: "speculative_retry", value: .scalar("SOMETIMES")),
            Property(name: "compression", value: .map(["class": "Nonsense"])),
        ]
        let catalog = try storage.keyspace("wide/catalog")
        try storage.write { [table] transaction in
            try transaction.put(
                catalog, CatalogCodec.tableKey(table.identifier).rawSpan,
                CatalogCodec.encode(table).rawSpan)
        }
        let second = try WideColumnStore(storage: storage)
        try second.execute("ALTER TABLE ks.t WITH comment = 'kept'")
        let described = try #require(second.execute("DESCRIBE TABLE ks.t")[0]["create_statement", as: String.self])
        #expect(described.contains("comment = 'kept'") && described.contains("speculative_retry = 'SOMETIMES'"))
    }
}
