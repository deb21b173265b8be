// CompactionTests.swift — what Cassandra's compaction options come to, and that expired windows go unread.

import StorageCore
import StorageTypes
import Synchronization
import Testing

@testable import WideColumnEngine

@Suite("Compaction options")
struct CompactionTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func strategy(_ clause: String, _ table: String = "t") throws -> CompactionStrategy? {
        try options(clause, table)?.strategy
    }

    private func options(_ clause: String, _ table: String = "t") throws -> KeyspaceOptions? {
        let store = try WideColumnStore(storage: .inMemory(clock: clock))
        try store.makeKeyspace()
        try store.execute("CREATE TABLE t (a int, b int, c int, PRIMARY KEY (a, b)) \(clause)")
        try store.execute(
            """
            CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL AND b IS NOT NULL
            PRIMARY KEY (b, a)
            """)
        let identifier = TableIdentifier(keyspace: "ks", name: table)
        return store.catalog.schema.table(identifier)?.storage.options
    }

    @Test("without a clause a table is leveled, and has windows of a thirtieth of its time to live if it has one")
    func defaults() throws {
        #expect(try strategy("") == .leveled())
        let windows = CompactionStrategy.timeWindow(TimeWindowOptions(window: .seconds(259_200)))
        #expect(try strategy("WITH default_time_to_live = 7776000") == windows)
        #expect(try strategy("WITH default_time_to_live = 7776000", "v") == windows)
        #expect(
            try strategy("WITH default_time_to_live = 10")
                == .timeWindow(TimeWindowOptions(window: .seconds(1))))
        #expect(
            try strategy("WITH default_time_to_live = 10 AND compaction = {'class': 'LeveledCompactionStrategy'}")
                == .leveled())
    }

    @Test("an index is compacted as its table is, also after ALTER TABLE and after the store is opened again")
    func indexes() throws {
        let storage = try Storage.inMemory(clock: clock)
        let store = try WideColumnStore(storage: storage)
        func options(_ name: String) throws -> KeyspaceOptions {
            try #require(storage.existingKeyspace("wide/ks.\(name)")).options
        }
        try store.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (k int PRIMARY KEY, v int, w int) WITH default_time_to_live = 7776000")
        try store.execute("CREATE INDEX i ON ks.t (v)")
        #expect(try options("t/i").strategy == .timeWindow(TimeWindowOptions(window: .seconds(259_200))))
        try store.execute(
            """
            ALTER TABLE ks.t WITH compaction = {'class': 'LeveledCompactionStrategy', 'fanout_size': 8,
            'tombstone_threshold': 0.4, 'enabled': false}
            """)
        try store.execute("CREATE INDEX j ON ks.t (w)")
        let reopened = try WideColumnStore(storage: storage)
        for name in ["t", "t/i", "t/j"] {
            let options = try options(name)
            #expect(options.strategy == .leveled(LeveledOptions(multiplier: 8)))
            #expect(options.garbageThreshold == 0.4 && !options.compactsAutomatically)
        }
        try reopened.execute("INSERT INTO ks.t (k, v) VALUES (1, 2)")
        #expect(try reopened.execute("SELECT k FROM ks.t WHERE v = 2").count == 1)
        #expect(try storage.verify().problems.isEmpty)
    }

    @Test("Cassandra's options reach the storage")
    func options() throws {
        let tiered = """
            WITH compaction = {'class': 'org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy',
            'min_threshold': 6, 'max_threshold': '20', 'bucket_low': 0.4, 'bucket_high': 1.2, 'min_sstable_size': 1000}
            """
        #expect(
            try strategy(tiered)
                == .sizeTiered(
                    SizeTieredOptions(
                        minimumThreshold: 6, maximumThreshold: 20, bucketLow: 0.4, bucketHigh: 1.2,
                        minimumTableByteCount: 1000)))
        let windows = """
            WITH compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS',
            'compaction_window_size': 6, 'min_threshold': 3}
            """
        #expect(
            try strategy(windows)
                == .timeWindow(
                    TimeWindowOptions(window: .seconds(21_600), sizeTiered: SizeTieredOptions(minimumThreshold: 3))))
        #expect(
            try strategy("WITH compaction = {'class': 'TimeWindowCompactionStrategy'}")
                == .timeWindow(TimeWindowOptions(window: .seconds(86_400))))
        #expect(try strategy("WITH compaction = {'class': 'UnifiedCompactionStrategy'}") == .sizeTiered())
    }

    @Test(
        "a leveled table has its fan-out and the size of its tables",
        arguments: [
            ("'fanout_size': 4", LeveledOptions(multiplier: 4)),
            ("'sstable_size_in_mb': '160'", LeveledOptions(tableByteCount: 160 << 20)),
            (
                "'fanout_size': 2147483647, 'sstable_size_in_mb': 2147483647",
                LeveledOptions(multiplier: 2_147_483_647, tableByteCount: 2_147_483_647 << 20)
            ),
        ])
    func leveled(options: String, expected: LeveledOptions) throws {
        let clause = "WITH compaction = {'class': 'LeveledCompactionStrategy', \(options)}"
        #expect(try strategy(clause) == .leveled(expected))
    }

    @Test(
        "of every class the threshold of garbage reaches the storage, and whether it compacts by itself",
        arguments: ["SizeTiered", "Leveled", "TimeWindow", "Unified"])
    func garbage(name: String) throws {
        func options(_ text: String) throws -> KeyspaceOptions {
            try #require(
                try self.options("WITH compaction = {'class': '\(name)CompactionStrategy'\(text)}"))
        }
        let plain = try options("")
        #expect(plain.garbageThreshold == nil && plain.compactsAutomatically)
        let own = try options(", 'tombstone_threshold': '0.05', 'enabled': 'False'")
        #expect(own.garbageThreshold == 0.05 && !own.compactsAutomatically)
        #expect(own.strategy == plain.strategy)
        #expect(try options(", 'enabled': true").compactsAutomatically)
    }

    @Test("a table that is not compacted by itself is so from the statement on, and again after the next")
    func enabled() throws {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        options.clock = clock
        options.backgroundWork = .manual
        let store = try WideColumnStore(storage: .open(at: "/data", options: options))
        try store.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (k int PRIMARY KEY, v int)")
        let identifier = TableIdentifier(keyspace: "ks", name: "t")
        func tableCount() throws -> Int {
            let keyspace = try #require(store.catalog.schema.table(identifier)).storage
            return store.storage.statistics.trees.filter { $0.keyspaces.contains(keyspace.name) }
                .reduce(0) { $0 + $1.tableCount }
        }
        func fill() throws {
            for number in 0..<12 {
                try store.execute("INSERT INTO ks.t (k, v) VALUES (1, \(number))")
                try store.storage.flush()
            }
            try store.storage.settle()
        }
        func alter(_ enabled: Bool) throws {
            try store.execute(
                "ALTER TABLE ks.t WITH compaction = {'class': 'LeveledCompactionStrategy', 'enabled': \(enabled)}")
        }
        try alter(false)
        try fill()
        #expect(try tableCount() == 12)
        try store.storage.compact()
        #expect(try tableCount() == 1)
        try fill()
        #expect(try tableCount() == 13)
        try alter(true)
        try store.storage.settle()
        #expect(try tableCount() < 4)
        #expect(try store.execute("SELECT v FROM ks.t")[0]["v", as: Int.self] == 11)
    }

    @Test(
        "scaling parameters are tiers of a fan factor, or levels; of several the last counts",
        arguments: [
            ("'scaling_parameters': 'T4'", 4, 32), ("'scaling_parameters': 'T8'", 8, 32),
            ("'scaling_parameters': 'N'", 2, 32), ("'scaling_parameters': '0'", 2, 32),
            ("'scaling_parameters': '+6'", 8, 32), ("'scaling_parameters': 'L2'", 2, 32),
            ("'scaling_parameters': 'T2'", 2, 32), ("'scaling_parameters': 'L10, N, T40'", 40, 40),
            ("'max_sstables_to_compact': 10", 4, 10), ("'max_sstables_to_compact': 0", 4, Int(Int32.max)),
        ])
    func unified(options: String, minimum: Int, maximum: Int) throws {
        let expected = SizeTieredOptions(minimumThreshold: minimum, maximumThreshold: maximum)
        #expect(
            try strategy("WITH compaction = {'class': 'UnifiedCompactionStrategy', \(options)}")
                == .sizeTiered(expected))
    }

    @Test(
        "negative scaling parameters are levels that grow so many times",
        arguments: zip(
            ["L10", "-8", "T8, T4, N, L4", "-2147483648"], [10, 10, 4, 2_147_483_650]))
    func unifiedLevels(parameters: String, multiplier: Int) throws {
        let clause = "WITH compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': '\(parameters)'}"
        #expect(try strategy(clause) == .leveled(LeveledOptions(multiplier: multiplier)))
    }

    @Test(
        "the target size of unified compaction is where levels cut their tables",
        arguments: zip(["96MiB", "1.5 GiB"], [96, 1536]))
    func unifiedTableSize(size: String, megabytes: Int) throws {
        let options =
            "'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'L4', 'target_sstable_size': '\(size)'"
        #expect(
            try strategy("WITH compaction = {\(options)}")
                == .leveled(LeveledOptions(multiplier: 4, tableByteCount: megabytes << 20)))
    }

    @Test("options that the storage has no use for are taken and kept")
    func withoutEffect() throws {
        let common = "'log_all': true, 'unchecked_tombstone_compaction': true"
        for (options, expected) in [
            (
                """
                'class': 'UnifiedCompactionStrategy', 'target_sstable_size': '1.5 GiB', 'min_sstable_size': '100MiB',
                'base_shard_count': 8, 'sstable_growth': '33.3%', 'flush_size_override': '64MiB',
                'overlap_inclusion_method': 'transitive', 'expired_sstable_check_frequency_seconds': 60,
                'unsafe_aggressive_sstable_expiration': false
                """, CompactionStrategy.sizeTiered()
            ),
            (
                """
                'class': 'TimeWindowCompactionStrategy', 'timestamp_resolution': 'MILLISECONDS',
                'expired_sstable_check_frequency_seconds': 0, 'unsafe_aggressive_sstable_expiration': true
                """, .timeWindow(TimeWindowOptions(window: .seconds(86_400)))
            ),
            (
                """
                'class': 'LeveledCompactionStrategy', 'single_sstable_uplevel': true, 'min_threshold': 2,
                'bucket_low': 0.2, 'tombstone_compaction_interval': 9
                """, .leveled()
            ),
        ] {
            #expect(try strategy("WITH compaction = {\(options), \(common)}") == expected)
        }
    }

    @Test(
        "values that Cassandra refuses are refused",
        arguments: [
            (
                "'class': 'SizeTieredCompactionStrategy', 'min_threshold': 1",
                "Min compaction threshold cannot be less than 2 (got 1)"
            ),
            (
                "'class': 'SizeTieredCompactionStrategy', 'min_threshold': 40",
                "Min compaction threshold (got 40) cannot be greater than max compaction threshold (got 32)"
            ),
            (
                "'class': 'SizeTieredCompactionStrategy', 'min_sstable_size': -1",
                "min_sstable_size must be non negative: -1"
            ),
            (
                "'class': 'SizeTieredCompactionStrategy', 'bucket_low': 2",
                "bucket_high value (1.5) is less than or equal to the bucket_low value (2.0)"
            ),
            (
                "'class': 'SizeTieredCompactionStrategy', 'bucket_high': 'x'",
                "x is not a parsable float for bucket_high"
            ),
            (
                "'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'WEEKS'",
                "WEEKS is not valid for compaction_window_unit"
            ),
            (
                "'class': 'TimeWindowCompactionStrategy', 'compaction_window_size': 0",
                "0 must be greater than 1 for compaction_window_size"
            ),
            (
                "'class': 'TimeWindowCompactionStrategy', 'timestamp_resolution': 'DAYS'",
                "DAYS is not valid for timestamp_resolution"
            ),
            (
                "'class': 'TimeWindowCompactionStrategy', 'expired_sstable_check_frequency_seconds': -1",
                "expired_sstable_check_frequency_seconds must not be negative, but was -1"
            ),
            (
                "'class': 'TimeWindowCompactionStrategy', 'unsafe_aggressive_sstable_expiration': 'maybe'",
                "unsafe_aggressive_sstable_expiration is not 'true' or 'false' (maybe)"
            ),
            (
                "'class': 'LeveledCompactionStrategy', 'min_threshold': 40",
                "Min compaction threshold (got 40) cannot be greater than max compaction threshold (got 32)"
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T1'",
                "Fan factor cannot be lower than 2 in T1"
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'T4,,N'",
                #"Scaling parameter  must match (N)|L(\d+)|T(\d+)|([+-]?\d+)"#
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'scaling_parameters': 'X4'",
                #"Scaling parameter X4 must match (N)|L(\d+)|T(\d+)|([+-]?\d+)"#
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'scaling_parameters': '2147483647'",
                #"Scaling parameter 2147483647 must match (N)|L(\d+)|T(\d+)|([+-]?\d+)"#
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'base_shard_count': 0",
                "Invalid configuration, base_shard_count should be positive: 0"
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'target_sstable_size': '1KiB'",
                "target_sstable_size 1KiB is not acceptable, size must be at least 1.000MiB"
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'target_sstable_size': 'big'",
                "target_sstable_size big is not a valid size in bytes: big"
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'sstable_growth': 2",
                "sstable_growth 2 must be between 0 and 1"
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'min_sstable_size': '1GiB'",
                "Invalid configuration, min_sstable_size (1GiB) should be less than the target size minimum: 759250124"
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'overlap_inclusion_method': 'ALL'",
                "Invalid overlap inclusion method ALL. The valid options are [NONE, SINGLE, TRANSITIVE]."
            ),
            (
                "'class': 'UnifiedCompactionStrategy', 'min_threshold': 4",
                "Properties specified [min_threshold] are not understood by UnifiedCompactionStrategy"
            ),
        ])
    func refusals(options: String, message: String) throws {
        #expect {
            _ = try strategy("WITH compaction = {\(options)}")
        } throws: { error in
            (error as? CQLError)?.message == message
        }
    }

    @Test("events that have expired leave table and view window by window, and no byte of them is read")
    func expiredWindows() throws {
        let disk = TableReadCounter(SimulatedFileSystem())
        var options = StorageOptions()
        options.fileSystem = disk
        options.clock = clock
        options.backgroundWork = .manual
        let store = try WideColumnStore(storage: .open(at: "/data", options: options))
        for cql in [ShopStreamCQL.keyspace, ShopStreamCQL.table, ShopStreamCQL.view] { try store.execute(cql) }
        // Three windows of three days, in a table and a view that keep events for ninety.
        for _ in 0..<3 {
            for _ in 0..<20 {
                try store.execute(ShopStreamCQL.insert)
                clock.advance(by: .seconds(1))
            }
            try store.storage.flush()
            clock.advance(by: .seconds(259_200))
        }
        try store.storage.settle()
        clock.advance(by: .seconds(84 * 86_400))
        let before = try disk.tableCount
        disk.reset()
        try store.storage.settle()
        #expect(try before - disk.tableCount == 4)
        #expect(disk.readByteCount == 0)
        #expect(try store.storage.verify().problems.isEmpty)
        #expect(try store.execute(ShopStreamCQL.bySession).count == 20)
        #expect(try store.execute(ShopStreamCQL.byUser).count == 20)
    }
}

/// A disk that counts the bytes read from tables.
private final class TableReadCounter: FileSystem {
    private let disk: SimulatedFileSystem
    private let read = Mutex(0)

    init(_ disk: SimulatedFileSystem) {
        self.disk = disk
    }

    var readByteCount: Int { read.withLock { $0 } }
    var tableCount: Int { get throws { try disk.list("/data/tables").count } }

    func reset() { read.withLock { $0 = 0 } }
    fileprivate func didRead(_ byteCount: Int) { read.withLock { $0 += byteCount } }

    func open(_ path: String, _ mode: FileMode) throws -> any StorageFile {
        let file = try disk.open(path, mode)
        return path.hasSuffix(".sst") ? CountedTable(file, self) : file
    }

    func exists(_ path: String) throws -> Bool { try disk.exists(path) }
    func list(_ directory: String) throws -> [String] { try disk.list(directory) }
    func createDirectory(_ path: String) throws { try disk.createDirectory(path) }
    func remove(_ path: String) throws { try disk.remove(path) }
    func removeDirectory(_ path: String) throws { try disk.removeDirectory(path) }
    func rename(_ from: String, to: String) throws { try disk.rename(from, to: to) }
    func link(_ from: String, to: String) throws { try disk.link(from, to: to) }
    func syncDirectory(_ path: String) throws { try disk.syncDirectory(path) }
    func lock(_ path: String) throws -> any FileLock { try disk.lock(path) }
    func freeByteCount(_ path: String) throws -> Int64 { try disk.freeByteCount(path) }
}

private final class CountedTable: StorageFile {
    private let file: any StorageFile
    private let counter: TableReadCounter

    init(_ file: any StorageFile, _ counter: TableReadCounter) {
        self.file = file
        self.counter = counter
    }

    var path: String { file.path }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        let count = try file.read(into: buffer, at: offset)
        counter.didRead(count)
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try file.write(bytes, at: offset) }
    func sync() throws { try file.sync() }
    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws { try file.allocate(byteCount: byteCount) }
    func startWriteBack(from offset: Int64, byteCount: Int64) {
        file.startWriteBack(from: offset, byteCount: byteCount)
    }
    func close() throws { try file.close() }
}
