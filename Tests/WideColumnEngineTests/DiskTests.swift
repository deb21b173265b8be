import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

/// A store on a simulated disk, which can be closed and opened again.
final class StoreOnDisk {
    private let options: StorageOptions
    private(set) var store: WideColumnStore

    init(_ clock: ManualClock) throws {
        var options = StorageOptions()
        options.fileSystem = SimulatedFileSystem()
        options.clock = clock
        options.backgroundWork = .manual
        self.options = options
        store = try WideColumnStore(storage: .open(at: "/data", options: options))
    }

    /// The keyspace `ks`, in use.
    func createKeyspace() throws {
        try store.makeKeyspace()
    }

    /// As after a restart of the program.
    func reopen(isReadOnly: Bool = false) throws {
        try store.storage.close()
        var options = options
        options.isReadOnly = isReadOnly
        store = try WideColumnStore(storage: .open(at: "/data", options: options))
        if store.keyspaceNames.contains("ks") { try store.execute("USE ks") }
    }

    func flushAndCompact() throws {
        try store.storage.flush()
        try store.storage.compact()
    }

    /// Entries that a table or view still has on disk or in memory, expired ones too.
    func entryCount(_ keyspace: String, _ name: String) throws -> Int {
        let table = try #require(store.catalog.schema.table(TableIdentifier(keyspace: keyspace, name: name)))
        var cursor = try store.storage.snapshot().view.cursor(table.storage)
        try cursor.seekToFirst()
        var count = 0
        while cursor.isValid {
            count += 1
            try cursor.next()
        }
        return count
    }
}

@Suite("On disk")
struct DiskTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    @Test("schema, rows, deletions and views survive flush, compaction and restart")
    func restart() throws {
        let disk = try StoreOnDisk(clock)
        for cql in [ShopStreamCQL.keyspace, ShopStreamCQL.table, ShopStreamCQL.view] { try disk.store.execute(cql) }
        for round in 0..<4 {
            for _ in 0..<5 {
                try disk.store.execute(ShopStreamCQL.insert)
                clock.advance(by: .seconds(1))
            }
            if round == 2 {
                try disk.store.execute(
                    """
                    DELETE FROM shopstream.session_events WHERE session_id = 'sess_live_882'
                    AND occurred_at < '2025-03-10 15:00:05'
                    """)
            }
            if round.isMultiple(of: 2) { try disk.flushAndCompact() }
            try disk.reopen()
            let expected = round < 2 ? (round + 1) * 5 : round * 5
            #expect(try disk.store.execute(ShopStreamCQL.bySession).count == expected)
            #expect(try disk.store.execute(ShopStreamCQL.byUser).count == expected)
            #expect(try disk.store.storage.verify().problems.isEmpty)
        }
    }

    @Test("90 days after insertion the rows leave table and view on disk with the next compaction")
    func expiry() throws {
        let disk = try StoreOnDisk(clock)
        for cql in [ShopStreamCQL.keyspace, ShopStreamCQL.table, ShopStreamCQL.view] { try disk.store.execute(cql) }
        for _ in 0..<50 { try disk.store.execute(ShopStreamCQL.insert) }
        try disk.flushAndCompact()
        #expect(try disk.entryCount("shopstream", "session_events") == 50)
        clock.advance(by: .seconds(7_776_001))
        // Something else goes on, so that the storage's own time moves.
        try disk.store.execute(
            "CREATE KEYSPACE other WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try disk.flushAndCompact()
        #expect(try disk.entryCount("shopstream", "session_events") == 0)
        #expect(try disk.entryCount("shopstream", "user_events") == 0)
        #expect(try disk.store.storage.verify().problems.isEmpty)
    }

    @Test("a deletion stays for its grace period, so that late older writes find it")
    func grace() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int PRIMARY KEY, v int) WITH gc_grace_seconds = 3600")
        let old = clock.now.microseconds - 1
        try disk.store.execute("DELETE FROM t WHERE k = 1")
        try disk.flushAndCompact()
        try disk.store.execute("INSERT INTO t (k, v) VALUES (1, 1) USING TIMESTAMP ?", [.bigint(old)])
        #expect(try disk.store.execute("SELECT * FROM t").isEmpty)
        clock.advance(by: .seconds(3602))
        try disk.store.execute("INSERT INTO t (k, v) VALUES (2, 2)")
        try disk.flushAndCompact()
        #expect(try disk.entryCount("ks", "t") == 1)
    }

    @Test(
        "of two cells of one timestamp the one that expires later wins, whether or not a compaction has met the other")
    func tiedExpiry() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, w int)")
        try disk.store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE k IS NOT NULL AND v IS NOT NULL PRIMARY KEY (v, k)")
        try disk.store.execute("UPDATE t USING TIMESTAMP 5 AND TTL 10 SET v = 1, w = 1 WHERE k = 1")
        clock.advance(by: .seconds(11))
        // Each keeps the versions of its time apart from what comes later.
        var snapshots = [disk.store.storage.snapshot()]
        try disk.store.execute("UPDATE t USING TIMESTAMP 5 AND TTL 100 SET v = 2, w = 2 WHERE k = 1")
        for _ in 0..<2 {
            #expect(try disk.store.lines("SELECT v, w FROM t") == ["2 2"])
            #expect(try disk.store.lines("SELECT v, w FROM m") == ["2 2"])
            try disk.flushAndCompact()
            #expect(try disk.store.storage.verify().problems.isEmpty)
        }
        snapshots.removeAll()
        try disk.flushAndCompact()
        try disk.reopen()
        #expect(try disk.store.lines("SELECT v, w FROM t") == ["2 2"])
        // What has expired also stays so where it is written again.
        clock.advance(by: .seconds(101))
        try disk.store.execute("UPDATE t USING TIMESTAMP 5 AND TTL 10 SET w = 3 WHERE k = 1")
        try disk.flushAndCompact()
        #expect(try disk.store.lines("SELECT v, w FROM t") == ["null 3"])
        #expect(try disk.store.lines("SELECT * FROM m") == [])
        #expect(try disk.store.storage.verify().problems.isEmpty)
    }

    @Test("a view whose building was interrupted is completed at the next opening")
    func interruptedBuild() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int, c int, PRIMARY KEY (k, c))")
        for k in 0..<20 { try disk.store.execute("INSERT INTO t (k, c) VALUES (?, 1)", [.int(Int32(k))]) }
        try disk.store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE c IS NOT NULL AND k IS NOT NULL PRIMARY KEY (c, k)")
        // As if the program had ended after the view was named and before its first row.
        let identifier = TableIdentifier(keyspace: "ks", name: "m")
        let view = try #require(disk.store.catalog.schema.table(identifier))
        var definition = view.definition
        definition.view?.isBuilt = false
        let (key, value) = (CatalogCodec.tableKey(identifier), CatalogCodec.encode(definition))
        let catalog = try #require(disk.store.storage.existingKeyspace("wide/catalog"))
        try disk.store.storage.write { transaction in
            try transaction.put(catalog, key.rawSpan, value.rawSpan)
            try transaction.deleteRange(view.storage, .all)
        }
        try disk.reopen()
        #expect(try disk.store.execute("SELECT * FROM m WHERE c = 1").count == 20)
        #expect(disk.store.catalog.schema.table(identifier)?.definition.view?.isBuilt == true)
    }

    /// A table with rows for several chunks, and an unbuilt view and index of it, as if the program had ended after these
    /// many chunks of each.
    private func makeHalfBuilt(_ disk: StoreOnDisk, chunkCount: Int) throws {
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))")
        for k in 0..<450 {
            for c in 0..<3 {
                try disk.store.execute(
                    "INSERT INTO t (k, c, v) VALUES (?, ?, ?)", [.int(Int32(k)), .int(Int32(c)), .int(Int32(k % 7))])
            }
        }
        try disk.store.execute(
            """
            CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE v IS NOT NULL AND c IS NOT NULL AND k IS NOT NULL
            PRIMARY KEY (v, c, k)
            """)
        try disk.store.execute("CREATE INDEX i ON t (c)")
        let catalog = disk.store.catalog
        let (tableName, viewName) = (
            TableIdentifier(keyspace: "ks", name: "t"), TableIdentifier(keyspace: "ks", name: "m")
        )
        var definitions = catalog.schema.definitions
        definitions.tables[tableName]?.indexes[0].isBuilt = false
        definitions.tables[viewName]?.view?.isBuilt = false
        try catalog.publish(definitions)
        let built = try #require(catalog.schema.table(tableName))
        try disk.store.storage.write { transaction in
            try transaction.deleteRange(built.views[0].storage, .all)
            try transaction.deleteRange(built.indexes[0].storage, .all)
        }
        var viewBuilder = DependentBuilder(table: built, target: .view(built.views[0]))
        var indexBuilder = DependentBuilder(table: built, target: .index(built.indexes[0]))
        for _ in 0..<chunkCount {
            #expect(try catalog.buildChunk(&viewBuilder, BuildName(table: viewName)))
            #expect(try catalog.buildChunk(&indexBuilder, BuildName(table: tableName, index: "i")))
        }
    }

    @Test("a build that was interrupted goes on where it stopped", arguments: [0, 1, 2])
    func resumedBuild(chunkCount: Int) throws {
        let disk = try StoreOnDisk(clock)
        try makeHalfBuilt(disk, chunkCount: chunkCount)
        // What was built before counts as built: a row that has gone since stays away.
        let viewName = TableIdentifier(keyspace: "ks", name: "m")
        let viewStorage = try #require(disk.store.catalog.schema.table(viewName)?.storage)
        var early: [UInt8]?
        if chunkCount > 0 {
            let snapshot = disk.store.storage.snapshot()
            var cursor = try snapshot.view.cursor(viewStorage)
            try cursor.seekToFirst()
            let key = cursor.key.array()
            early = key
            try disk.store.storage.write { try $0.delete(viewStorage, key.rawSpan) }
        }
        try disk.reopen()
        for table in ["built_views", "\"IndexInfo\""] {
            #expect(try disk.store.execute("SELECT * FROM system.\(table)").count == 1)
        }
        for table in ["views_builds_in_progress", "view_builds_in_progress"] {
            #expect(try disk.store.execute("SELECT * FROM system.\(table)").isEmpty)
        }
        #expect(try disk.store.execute("SELECT * FROM m").count == (early == nil ? 1350 : 1349))
        #expect(try disk.store.execute("SELECT * FROM t WHERE c = 1").count == 450)
        #expect(try disk.store.catalog.progress(of: BuildName(table: viewName)) == nil)
        if let early {
            #expect(try !disk.store.storage.verify().problems.isEmpty)
            // That row is what was missing, and nothing else.
            let gone = try Set(disk.store.lines("SELECT k, c FROM t")).subtracting(
                disk.store.lines("SELECT k, c FROM m"))
            let key = try #require(gone.first?.split(separator: " ").compactMap { Int32($0) })
            try disk.store.execute("DELETE FROM t WHERE k = ? AND c = ?", [.int(key[0]), .int(key[1])])
            let storage = try #require(disk.store.catalog.schema.table(viewName)?.storage)
            #expect(try disk.store.storage.snapshot().view.get(storage, early.rawSpan) == nil)
        }
        #expect(try disk.store.storage.verify().problems.isEmpty)
    }

    @Test("views that are being built are shown with how far that has come, which is forgotten with the view")
    func buildsInProgress() throws {
        let disk = try StoreOnDisk(clock)
        try makeHalfBuilt(disk, chunkCount: 0)
        let viewName = BuildName(table: TableIdentifier(keyspace: "ks", name: "m"))
        let (legacy, rows) = (
            "SELECT * FROM system.views_builds_in_progress", "SELECT * FROM system.view_builds_in_progress"
        )
        #expect(try disk.store.lines(legacy) == ["'ks' 'm' 1 null"])
        let catalog = disk.store.catalog
        let table = try #require(catalog.schema.table(TableIdentifier(keyspace: "ks", name: "t")))
        var builder = DependentBuilder(table: table, target: .view(table.views[0]))
        #expect(try catalog.buildChunk(&builder, viewName))
        let progress = try #require(try catalog.progress(of: viewName))
        // 500 rows are 166 partitions and a part of another one.
        #expect(progress.partitionCount == 167 && progress.generation == 1)
        let token = try disk.store.lines("SELECT DISTINCT token(k) FROM t")[166]
        #expect(try disk.store.lines(legacy) == ["'ks' 'm' 1 '\(token)'"])
        let end = "'-9223372036854775808'"
        #expect(try disk.store.lines(rows) == ["'ks' 'm' \(end) \(end) 167 '\(token)'"])
        #expect(try disk.store.lines("SELECT * FROM system.built_views") == [])
        #expect(try disk.store.lines("SELECT * FROM system.\"IndexInfo\"") == [])
        // Another builder is another generation, and counts no partition twice.
        var second = DependentBuilder(table: table, target: .view(table.views[0]), after: progress)
        while try catalog.buildChunk(&second, viewName) {}
        #expect(second.progress.partitionCount == 450 && second.progress.generation == 2)
        #expect(try disk.store.lines(legacy).first?.hasPrefix("'ks' 'm' 2 ") == true)

        try disk.store.execute("DROP MATERIALIZED VIEW m")
        #expect(try disk.store.lines(legacy) == [] && disk.store.lines(rows) == [])
        #expect(try catalog.progress(of: viewName) == nil)
        // The index waits for the next opening.
        #expect(try disk.store.lines("SELECT * FROM system.\"IndexInfo\"") == [])
        try disk.reopen()
        #expect(try disk.store.lines("SELECT index_name FROM system.\"IndexInfo\"") == ["'i'"])
        #expect(try disk.store.execute("SELECT * FROM t WHERE c = 1").count == 450)
        #expect(try disk.store.storage.verify().problems.isEmpty)
    }

    @Test("damaged progress of a build is refused")
    func damagedProgress() throws {
        let progress = BuildProgress(generation: 3, partitionCount: 7, lastKey: [1, 2, 3])
        let bytes = CatalogCodec.encode(progress)
        #expect(try CatalogCodec.buildProgress(bytes) == progress)
        for damaged in [Array(bytes.dropLast()), bytes + [0], [9] + bytes.dropFirst(), []] {
            #expect(throws: StorageError.self) { try CatalogCodec.buildProgress(damaged) }
        }
    }

    @Test("the host id is the same at every opening, and every storage has its own")
    func hostID() throws {
        let disk = try StoreOnDisk(clock)
        func shown() throws -> [String] { try disk.store.lines("SELECT host_id FROM system.local") }
        let first = try shown()
        try disk.reopen()
        #expect(try shown() == first)
        try disk.store.execute(ShopStreamCQL.keyspace)
        try disk.flushAndCompact()
        try disk.reopen()
        #expect(try shown() == first)
        #expect(try StoreOnDisk(clock).store.lines("SELECT host_id FROM system.local") != first)
    }

    @Test("a damaged host id is refused")
    func damagedHostID() throws {
        let id = CQLUUID(mostSignificantBits: 1, leastSignificantBits: .max)
        let bytes = CatalogCodec.encode(hostID: id)
        #expect(try CatalogCodec.hostID(bytes) == id)
        for damaged in [Array(bytes.dropLast()), bytes + [0], [9] + bytes.dropFirst(), []] {
            #expect(throws: StorageError.self) { try CatalogCodec.hostID(damaged) }
        }
    }

    @Test("a keyspace that no catalog entry names is removed at opening")
    func orphans() throws {
        let disk = try StoreOnDisk(clock)
        let options = KeyspaceOptions(
            mergeOperator: RowMergeOperator(graceSeconds: 1), expiry: .operator, isDedicated: true)
        _ = try disk.store.storage.keyspace("wide/ks.orphan", options: options)
        try disk.reopen()
        #expect(disk.store.storage.existingKeyspace("wide/ks.orphan") == nil)
    }
}

@Suite("Life cycle")
struct LifeCycleTests {
    @Test("a store and its storage go with their last references")
    func release() throws {
        weak var store: WideColumnStore?
        weak var storage: Storage?
        do {
            let kept = try makeStore()
            try kept.execute("CREATE TABLE t (k int PRIMARY KEY)")
            try kept.execute("SELECT * FROM t")
            _ = try kept.prepare("SELECT * FROM t")
            store = kept
            storage = kept.storage
            try kept.storage.close()
        }
        #expect(store == nil)
        #expect(storage == nil)
    }
}
