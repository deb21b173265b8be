// A trace names the partitions and the files that a statement touched.

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Tracing")
struct TracingTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func activities(_ store: WideColumnStore, _ cql: String, _ values: [CQLValue] = []) throws -> [String] {
        var options = ExecutionOptions()
        options.isTracing = true
        let result = try store.execute(cql, values, options: options)
        return try #require(result.statementTrace).events.map(\.activity)
    }

    /// The numbers that a trace says sstables have, in `prefix 12 …`.
    private func numbers(_ activities: [String], after prefix: String) -> [UInt64] {
        activities.compactMap { activity in
            guard activity.hasPrefix(prefix) else { return nil }
            return UInt64(activity.dropFirst(prefix.count).prefix { $0.isNumber })
        }
    }

    @Test("SELECT DISTINCT leaves a partition with the first row, also one that a filter rejects")
    func distinct() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, s int STATIC, PRIMARY KEY (k, c))")
        for c in 0..<100 { try store.execute("INSERT INTO t (k, c, s) VALUES (1, ?, 5)", [.int(Int32(c))]) }
        for s in [5, 6] {
            let cql = "SELECT DISTINCT k FROM t WHERE k = 1 AND s = \(s) ALLOW FILTERING"
            #expect(try store.execute(cql).count == (s == 5 ? 1 : 0))
            #expect(try activities(store, cql).contains { $0.hasPrefix("Read 1 live rows") }, "\(s)")
        }
    }

    @Test("the two reads of the scenario are single-partition reads of the files in the directory")
    func scenario() throws {
        let files = SimulatedFileSystem()
        var options = StorageOptions()
        options.fileSystem = files
        options.clock = clock
        let store = try WideColumnStore(
            storage: .open(at: "/db", options: options), randomNumbers: SeededRandom(seed: 1))
        for statement in [ShopStreamCQL.keyspace, ShopStreamCQL.table, ShopStreamCQL.view] {
            try store.execute(statement)
        }
        try store.storage.flush()
        let before = Set(try files.list("/db/tables").filter { $0.hasSuffix(".sst") })
        for _ in 0..<2 {
            for _ in 0..<10 {
                try store.execute(ShopStreamCQL.insert)
                clock.advance(by: .seconds(1))
            }
            try store.storage.flush()
        }
        try store.execute(ShopStreamCQL.insert)
        // Two flushes of table and view.
        let written = Set(try files.list("/db/tables").filter { $0.hasSuffix(".sst") }).subtracting(before)
        let numbersOnDisk = Set(written.compactMap { UInt64($0.dropLast(4)) })
        #expect(numbersOnDisk.count == 4)
        #expect(store.storage.statistics.total.tableCount == 4 + before.count)

        var seen: Set<UInt64> = []
        for (cql, table, key) in [
            (ShopStreamCQL.bySession, "session_events", "'sess_live_882'"),
            (ShopStreamCQL.byUser, "user_events", "'usr_8821'"),
        ] {
            let lines = try activities(store, cql)
            #expect(lines.first?.hasPrefix("Parsing SELECT") == true)
            #expect(lines.filter { $0 == "Executing single-partition query on \(table)" }.count == 1)
            #expect(lines.contains { $0.hasPrefix("Partition key \(key) of \(table) has token ") })
            let sstables = numbers(lines, after: "Partition index found for sstable ")
            #expect(sstables.count == 2 && numbersOnDisk.isSuperset(of: sstables))
            seen.formUnion(sstables)
            #expect(lines.filter { $0.hasPrefix("Read ") && $0.contains(" blocks of sstable ") }.count == 2)
            #expect(lines.contains("Merged data from memtables and 2 sstables"))
            #expect(lines.contains("Read 21 live rows and 0 tombstone cells"))
            #expect(lines.last == "Request complete")
        }
        // Table and view are in files of their own.
        #expect(seen == numbersOnDisk)
    }

    @Test("a read of a row that no file holds says which files its filters ruled out")
    func filters() throws {
        let store = try WideColumnStore(storage: .inMemory(clock: clock), randomNumbers: SeededRandom(seed: 2))
        try store.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (k int PRIMARY KEY, v int)")
        for key in 0..<50 { try store.execute("INSERT INTO ks.t (k, v) VALUES (?, 1)", [.int(Int32(key))]) }
        try store.storage.flush()
        let lines = try activities(store, "UPDATE ks.t SET v = 2 WHERE k = 1000 IF EXISTS")
        #expect(numbers(lines, after: "Bloom filter allows skipping sstable ").count == 1)
        #expect(lines.contains("Merged data from memtables and 0 sstables"))
        // Nothing was written.
        #expect(!lines.contains("Appending to commitlog"))
        let applied = try activities(store, "UPDATE ks.t SET v = 2 WHERE k = 7 IF EXISTS")
        #expect(numbers(applied, after: "Partition index found for sstable ").count == 1)
        #expect(applied.contains("Adding to t memtable"))
    }

    @Test("a write says which partitions of table, view and index it changes")
    func writes() throws {
        let store = try ShopStreamCQL.store(clock)
        try store.execute("CREATE INDEX by_type ON shopstream.session_events (event_type)")
        let lines = try activities(store, ShopStreamCQL.insert)
        #expect(lines.contains("Appending to commitlog"))
        for line in [
            "Partition key 'sess_live_882' of session_events has token ", "Adding to session_events memtable",
            "Partition key 'usr_8821' of user_events has token ", "Adding to user_events memtable",
            "Adding to session_events.by_type memtable",
        ] {
            #expect(lines.contains { $0.hasPrefix(line) }, "\(line)")
        }
        #expect(lines.contains("Creating materialized view mutations from base table replica"))
        let batch = StatementBatch(
            .logged, [(try store.prepare(ShopStreamCQL.insert), []), (try store.prepare(ShopStreamCQL.insert), [])])
        var options = ExecutionOptions()
        options.isTracing = true
        let trace = try #require(try store.execute(batch, options: options).statementTrace)
        #expect(trace.events.map(\.activity).contains("Adding to user_events memtable"))
    }

    @Test("tombstones and expired cells that a read goes past are counted")
    func tombstones() throws {
        let store = try WideColumnStore(storage: .inMemory(clock: clock), randomNumbers: SeededRandom(seed: 3))
        try store.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (k int, c int, v int, w int, PRIMARY KEY (k, c))")
        for row in 0..<5 { try store.execute("INSERT INTO ks.t (k, c, v, w) VALUES (1, ?, 1, 1)", [.int(Int32(row))]) }
        try store.execute("DELETE v FROM ks.t WHERE k = 1 AND c = 0")
        try store.execute("UPDATE ks.t USING TTL 5 SET w = 2 WHERE k = 1 AND c = 1")
        try store.execute("DELETE FROM ks.t WHERE k = 1 AND c = 2")
        clock.advance(by: .seconds(10))
        let lines = try activities(store, "SELECT * FROM ks.t WHERE k = 1")
        #expect(lines.contains("Read 4 live rows and 3 tombstone cells"))
        let scan = try activities(store, "SELECT * FROM ks.t")
        #expect(scan.contains("Scanned 1 partitions") && scan.contains("Read 4 live rows and 3 tombstone cells"))
        let several = try activities(store, "SELECT * FROM ks.t WHERE k IN (1, 2)")
        #expect(several.filter { $0 == "Executing single-partition query on t" }.count == 2)
        #expect(several.filter { $0.hasPrefix("Partition key ") }.count == 2)
        #expect(several.filter { $0.hasPrefix("Merged data from memtables and ") }.count == 2)
    }
}
