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
