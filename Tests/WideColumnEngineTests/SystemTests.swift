import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("System tables, DESCRIBE, tracing")
struct SystemTests {
    private func makeSchema() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute("CREATE TYPE address (street text, zips frozen<list<int>>)")
        try store.execute(
            "CREATE TABLE t (k int, c text, s int STATIC, v frozen<address>, l list<int>, PRIMARY KEY ((k), c)) WITH CLUSTERING ORDER BY (c DESC)"
        )
        try store.execute("CREATE INDEX by_l ON t (l)")
        try store.execute("CREATE TABLE b (k int PRIMARY KEY, v int)")
        try store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT k, v FROM b WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)")
        return store
    }

    @Test("what cassandra-driver and cqlsh ask at connection is answered")
    func driverQueries() throws {
        let store = try makeSchema()
        // cassandra/cluster.py, cassandra/metadata.py (SchemaParserV4), cqlsh.
        for query in [
            "SELECT * FROM system.local WHERE key='local'", "SELECT * FROM system.peers",
            "SELECT * FROM system.peers_v2",
            "SELECT peer, data_center, host_id, rack, release_version, rpc_address, schema_version, tokens FROM system.peers",
            "SELECT schema_version FROM system.local WHERE key='local'",
            "SELECT release_version FROM system.local WHERE key = 'local'",
            "SELECT cluster_name, data_center, host_id, partitioner, rack, tokens FROM system.local WHERE key='local'",
            "SELECT * FROM system_schema.keyspaces", "SELECT * FROM system_schema.tables",
            "SELECT * FROM system_schema.columns", "SELECT * FROM system_schema.types",
            "SELECT * FROM system_schema.functions", "SELECT * FROM system_schema.aggregates",
            "SELECT * FROM system_schema.triggers", "SELECT * FROM system_schema.indexes",
            "SELECT * FROM system_schema.views", "SELECT * FROM system_virtual_schema.keyspaces",
            "SELECT * FROM system_virtual_schema.tables", "SELECT * FROM system_virtual_schema.columns",
            "SELECT keyspace_name FROM system_schema.keyspaces", "SELECT * FROM system_views.settings",
            "SELECT * FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name = 't'",
        ] {
            _ = try store.execute(query)
        }
        let local = try store.execute("SELECT * FROM system.local WHERE key='local'")[0]
        #expect(local["partitioner"] == "org.apache.cassandra.dht.Murmur3Partitioner" && local["host_id"] != nil)
    }

    @Test("the schema's tables follow every change")
    func schemaTables() throws {
        let store = try makeSchema()
        let columns = try store.prepare(
            "SELECT column_name, clustering_order, kind, position, type FROM system_schema.columns WHERE keyspace_name = 'ks' AND table_name = 't'"
        )
        #expect(
            try columns.execute().map { $0.values.map(\.description).joined(separator: " ") } == [
                "'c' 'desc' 'clustering' 0 'text'", "'k' 'none' 'partition_key' 0 'int'",
                "'l' 'none' 'regular' -1 'list<int>'", "'s' 'none' 'static' -1 'int'",
                "'v' 'none' 'regular' -1 'frozen<address>'",
            ])
        let version = try store.lines("SELECT schema_version FROM system.local")
        try store.execute("ALTER TABLE t ADD w uuid")
        #expect(try columns.execute().count == 6)
        #expect(try store.lines("SELECT schema_version FROM system.local") != version)
        #expect(
            try store.lines(
                "SELECT view_name, base_table_name, include_all_columns, where_clause FROM system_schema.views") == [
                    "'m' 'b' false 'v IS NOT NULL AND k IS NOT NULL'"
                ])
        #expect(
            try store.lines("SELECT index_name, options FROM system_schema.indexes") == [
                "'by_l' {'target': 'values(l)'}"
            ])
        #expect(try store.lines("SELECT field_types FROM system_schema.types") == ["['text', 'frozen<list<int>>']"])
        try store.execute("DROP MATERIALIZED VIEW m")
        #expect(try store.lines("SELECT * FROM system_schema.views") == [])
    }

    @Test("names that no row of a system table could have are refused; those that fit are shown")
    func longNames() throws {
        let store = try makeStore()
        let (longest, longer) = (
            String(repeating: "n", count: SchemaName.maximumColumnByteCount),
            String(repeating: "n", count: SchemaName.maximumColumnByteCount + 1)
        )
        let table = String(repeating: "t", count: 48)
        let message = "Column and field names must not be more than 65280 bytes long (got 65281)"
        try store.execute(
            "CREATE TABLE \(table) (k int, c int, \(longest) int MASKED WITH DEFAULT, PRIMARY KEY (k, c))")
        try store.execute("CREATE INDEX ON \(table) (\(longest))")
        try store.execute("CREATE TYPE u (a int)")
        for cql in [
            "CREATE TABLE x (k int PRIMARY KEY, \(longer) int)", "ALTER TABLE \(table) ADD \(longer) int",
            "ALTER TABLE \(table) RENAME c TO \(longer)", "CREATE TYPE y (\(longer) int)",
            "ALTER TYPE u ADD \(longer) int", "ALTER TYPE u RENAME a TO \(longer)",
        ] {
            expectInvalid(message) { try store.execute(cql) }
        }
        for (name, count) in [("columns", 3), ("column_masks", 1), ("indexes", 1), ("dropped_columns", 0)] {
            #expect(try store.lines("SELECT * FROM system_schema.\(name) WHERE keyspace_name = 'ks'").count == count)
        }
        try store.execute("ALTER TABLE \(table) ADD gone int")
        try store.execute("ALTER TABLE \(table) DROP gone")
        #expect(try store.lines("SELECT * FROM system_schema.dropped_columns WHERE keyspace_name = 'ks'").count == 1)
    }

    @Test("a schema of more rows than a commit holds is shown by several")
    func severalCommits() throws {
        let store = try makeSchema()
        let tables = try SystemTables(
            clock: ManualClock(), hostID: CQLUUID(mostSignificantBits: 1, leastSignificantBits: 2),
            limits: StatementLimits())
        try tables.show(store.catalog.schema, commitByteCount: 1000)
        for name in ["keyspaces", "tables", "columns", "types", "views", "indexes"] {
            let cql = "SELECT * FROM system_schema.\(name) WHERE keyspace_name = 'ks'"
            #expect(try tables.store.lines(cql) == store.lines(cql), "\(name)")
        }
        let version = "SELECT schema_version FROM system.local"
        #expect(try tables.store.lines(version) == store.lines(version))
        var rows = SystemRows(commitByteCount: 1000)
        for byteCount in [100, 100, 100, 3000, 0, 0] {
            rows.add("t", [("v", .text(String(repeating: "x", count: byteCount)))])
        }
        #expect(rows.commits.map(\.count) == [2, 1, 1, 2])
    }

    @Test("virtual tables are described in a schema of their own, and only there")
    func virtualSchema() throws {
        let store = try makeSchema()
        #expect(
            try store.lines("SELECT * FROM system_virtual_schema.keyspaces").sorted()
                == ["'system_views'", "'system_virtual_schema'"])
        let tables = try store.lines("SELECT keyspace_name, table_name, comment FROM system_virtual_schema.tables")
        #expect(tables.contains("'system_views' 'clients' 'currently connected clients'"))
        #expect(tables.contains("'system_virtual_schema' 'columns' 'virtual column definitions'"))
        let columns = try store.lines(
            """
            SELECT column_name, clustering_order, kind, position, type FROM system_virtual_schema.columns
            WHERE keyspace_name = 'system_views' AND table_name = 'disk_usage'
            """)
        #expect(
            columns == [
                "'keyspace_name' 'none' 'partition_key' 0 'text'", "'mebibytes' 'none' 'regular' -1 'bigint'",
                "'table_name' 'asc' 'clustering' 0 'text'",
            ])
        for table in ["keyspaces", "tables", "columns"] {
            for keyspace in ["system_views", "system_virtual_schema"] {
                let stored = "SELECT * FROM system_schema.\(table) WHERE keyspace_name = '\(keyspace)'"
                #expect(try store.execute(stored).isEmpty)
            }
        }
        #expect(try store.execute("DESCRIBE TABLE system_views.clients").count == 1)
    }

    @Test("the size of tables on disk is shown in mebibytes, with their indexes")
    func diskUsage() throws {
        let disk = try StoreOnDisk(ManualClock())
        try disk.store.execute(
            "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try disk.store.execute("CREATE TABLE ks.t (k int PRIMARY KEY, v blob) WITH compression = {'enabled': false}")
        try disk.store.execute("CREATE TABLE ks.u (k int PRIMARY KEY)")
        var random = SeededRandom(seed: 1)
        func shown() throws -> [String] { try disk.store.lines("SELECT * FROM system_views.disk_usage").sorted() }
        #expect(try shown() == ["'ks' 't' 0", "'ks' 'u' 0"])
        for k in 0..<30 {
            let blob = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            try disk.store.execute("INSERT INTO ks.t (k, v) VALUES (?, ?)", [.int(Int32(k)), .blob(blob)])
        }
        try disk.store.execute("INSERT INTO ks.u (k) VALUES (1)")
        try disk.flushAndCompact()
        #expect(try shown() == ["'ks' 't' 3", "'ks' 'u' 1"])
        try disk.store.execute("DROP TABLE ks.t")
        #expect(try shown() == ["'ks' 'u' 1"])
    }

    @Test("system keyspaces can be used, and not changed")
    func protection() throws {
        let store = try makeSchema()
        let session = try store.session()
        try session.execute("USE system_schema")
        #expect(try session.execute("SELECT keyspace_name FROM keyspaces WHERE keyspace_name = 'ks'").count == 1)
        for cql in [
            "INSERT INTO system.local (key) VALUES ('x')", "TRUNCATE system.local", "DROP TABLE system.local",
            "CREATE TABLE system.x (a int PRIMARY KEY)", "DROP KEYSPACE system",
            "DELETE FROM system.peers WHERE peer = '1.1.1.1'",
            "BEGIN BATCH INSERT INTO system.local (key) VALUES ('x') APPLY BATCH",
        ] {
            #expect(throws: CQLError(.unauthorized, "system keyspace is not user-modifiable."), "\(cql)") {
                try store.execute(cql)
            }
        }
        #expect(throws: CQLError(.unauthorized, "system_schema keyspace is not user-modifiable.")) {
            try session.execute("BEGIN BATCH DELETE FROM tables WHERE keyspace_name = 'ks' APPLY BATCH")
        }
    }

    @Test("DESCRIBE gives statements that make the same schema again")
    func describe() throws {
        let store = try makeSchema()
        let table = try #require(store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        #expect(
            table.hasPrefix(
                """
                CREATE TABLE ks.t (
                    k int,
                    c text,
                    s int static,
                    l list<int>,
                    v frozen<address>,
                    PRIMARY KEY (k, c)
                ) WITH CLUSTERING ORDER BY (c DESC)
                    AND additional_write_policy = '99p'
                """))
        let statements = try store.execute("DESCRIBE KEYSPACE ks").compactMap {
            $0["create_statement", as: String.self]
        }
        #expect(statements.count == 6)
        #expect(statements[1] == "CREATE TYPE ks.address (\n    street text,\n    zips frozen<list<int>>\n);")
        let other = try WideColumnStore(storage: .inMemory())
        for statement in statements { try other.execute(statement) }
        #expect(
            try other.execute("DESCRIBE SCHEMA").compactMap { $0["create_statement", as: String.self] } == statements)
        #expect(try store.lines("DESCRIBE TABLES") == ["'ks' 'table' 'b'", "'ks' 'table' 't'"])
        #expect(try store.lines("DESC TYPES") == ["'ks' 'type' 'address'"])
        #expect(try store.execute("DESCRIBE m")[0]["type"] == "materialized_view")
        #expect(
            try store.lines("DESCRIBE INDEX by_l") == ["'ks' 'index' 'by_l' 'CREATE INDEX by_l ON ks.t (values(l));'"])
        expectInvalid("'nosuch' not found in keyspace 'ks'") { try store.execute("DESCRIBE nosuch") }
        #expect(try store.execute("DESCRIBE system").count > 3)
        // All of it can be run: what no statement makes is in comments.
        let all = try store.execute("DESCRIBE FULL SCHEMA").compactMap { $0["create_statement", as: String.self] }
        #expect(all.contains { $0.contains("Table system_views.settings is a virtual table and cannot be recreated") })
        #expect(all.allSatisfy { $0.contains("VIRTUAL ") == $0.contains("/*\nWarning: ") })
    }

    @Test("the compaction that is shown is the one in effect", arguments: [0, 7_776_000, 90_000, 1_000])
    func compaction(timeToLive: Int) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int) WITH default_time_to_live = \(timeToLive)")
        try store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE k IS NOT NULL AND v IS NOT NULL PRIMARY KEY (v, k)")
        let statements = try store.execute("DESCRIBE KEYSPACE ks").compactMap {
            $0["create_statement", as: String.self]
        }
        let other = try WideColumnStore(storage: .inMemory())
        for statement in statements { try other.execute(statement) }
        func strategies(_ store: WideColumnStore) -> [CompactionStrategy?] {
            ["t", "m"].map { store.catalog.schema.table(.init(keyspace: "ks", name: $0))?.storage.options.strategy }
        }
        if timeToLive == 1_000 {
            // No clause has a window of 33 seconds.
            let minute = CompactionStrategy.timeWindow(TimeWindowOptions(window: .seconds(60)))
            #expect(strategies(other) == [minute, minute])
        } else {
            #expect(strategies(other) == strategies(store))
        }
        let shown = "SELECT compaction['class'] FROM system_schema"
        let name =
            "'org.apache.cassandra.db.compaction.\(timeToLive == 0 ? "Leveled" : "TimeWindow")CompactionStrategy'"
        #expect(try store.lines("\(shown).tables WHERE keyspace_name = 'ks'") == [name])
        #expect(try store.lines("\(shown).views WHERE keyspace_name = 'ks'") == [name])
    }

    @Test("WITH INTERNALS tells of dropped columns: how they were, when they went and what has their names since")
    func droppedColumns() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, w text, x int)")
        try store.execute("ALTER TABLE t DROP v USING TIMESTAMP 5")
        try store.execute("ALTER TABLE t ADD v int")
        try store.execute("ALTER TABLE t DROP v USING TIMESTAMP 3000")
        try store.execute("ALTER TABLE t DROP w USING TIMESTAMP 4000")
        try store.execute("ALTER TABLE t ADD w text MASKED WITH DEFAULT")
        // The last drop of each name.
        #expect(
            try store.execute("SELECT column_name, dropped_time, type FROM system_schema.dropped_columns")
                .map { $0.values } == [["v", .timestamp(3), "int"], ["w", .timestamp(4), "text"]])
        let plain = try #require(store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        #expect(
            plain.hasPrefix(
                "CREATE TABLE ks.t (\n    k int PRIMARY KEY,\n    w text MASKED WITH system.mask_default(),\n"))
        #expect(!plain.contains("DROP"))
        let whole = try #require(
            store.execute("DESCRIBE TABLE t WITH INTERNALS")[0]["create_statement", as: String.self])
        #expect(
            whole.hasPrefix(
                "CREATE TABLE ks.t (\n    k int PRIMARY KEY,\n    x int,\n    v int,\n    w text\n) WITH ID = "))
        #expect(
            whole.split(separator: "\n").suffix(3).map(String.init) == [
                "ALTER TABLE ks.t DROP v USING TIMESTAMP 3000;", "ALTER TABLE ks.t DROP w USING TIMESTAMP 4000;",
                "ALTER TABLE ks.t ADD w text MASKED WITH system.mask_default();",
            ])
        try store.execute("DROP TABLE t")
        for statement in whole.split(separator: ";") { try store.execute(String(statement)) }
        #expect(
            try store.execute("DESCRIBE TABLE t WITH INTERNALS")[0]["create_statement", as: String.self] == whole)
    }

    @Test("a view has no default time to live of its own, and thresholds are those of the strategies that have them")
    func optionsByKind() throws {
        let store = try makeSchema()
        func described(_ name: String) throws -> String {
            try #require(store.execute("DESCRIBE \(name)")[0]["create_statement", as: String.self])
        }
        #expect(try described("b").contains("    AND default_time_to_live = 0\n"))
        #expect(try !described("m").contains("default_time_to_live"))
        try store.execute(
            "ALTER TABLE b WITH compaction = {'class': 'TimeWindowCompactionStrategy', 'min_threshold': 6}")
        #expect(
            try described("b").contains(
                "compaction = {'class': 'org.apache.cassandra.db.compaction.TimeWindowCompactionStrategy', "
                    + "'max_threshold': '32', 'min_threshold': '6'}"))
        try store.execute("ALTER TABLE b WITH compaction = {'class': 'LeveledCompactionStrategy'}")
        #expect(try !described("b").contains("threshold'"))
    }

    @Test(
        "policies of retries are shown in one form",
        arguments: [
            ("99p", "99p"), ("99.90PERCENTILE", "99.9p"), ("99.12345p", "99.1234p"), ("50.7MS", "50ms"),
            ("99999999999ms", "2147483647ms"), ("None", "NEVER"), ("always", "ALWAYS"),
            ("min(50ms, 99.0p)", "MIN(99p,50ms)"), ("MAX(75p,1.5ms)", "MAX(75p,1ms)"),
        ])
    func retryPolicies(given: String, shown: String) throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (k int PRIMARY KEY) WITH speculative_retry = '\(given)' AND additional_write_policy = '\(given)'"
        )
        let query =
            "SELECT speculative_retry, additional_write_policy FROM system_schema.tables WHERE keyspace_name = 'ks'"
        #expect(try store.lines(query) == ["'\(shown)' '\(shown)'"])
        let described = try #require(store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        #expect(described.contains("AND speculative_retry = '\(shown)'"))
    }

    @Test("snapshots, backups and extensions are shown as they were given")
    func givenOptions() throws {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY) WITH allow_auto_snapshot = false AND incremental_backups = false
            AND extensions = {'b': 'text', 'a': 0x0102} AND cdc = TRUE
            """)
        let columns = "allow_auto_snapshot, incremental_backups, extensions, cdc"
        let query = "SELECT \(columns) FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name = 't'"
        #expect(try store.lines(query) == ["false false {'a': 0x0102, 'b': 0x74657874} true"])
        let described = try #require(store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        for option in [
            "allow_auto_snapshot = false", "incremental_backups = false", "extensions = {'a': 0x0102, 'b': 0x74657874}",
            "cdc = true",
        ] { #expect(described.contains("AND \(option)\n"), "\(option)") }
        try store.execute("DROP TABLE t")
        try store.execute(described)
        #expect(try store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self] == described)
        try store.execute("CREATE TABLE plain (k int PRIMARY KEY)")
        let plain = "SELECT \(columns) FROM system_schema.tables WHERE keyspace_name = 'ks' AND table_name = 'plain'"
        #expect(try store.lines(plain) == ["true true {} false"])
    }

    @Test("a traced statement leaves its steps in system_traces")
    func tracing() throws {
        let store = try makeSchema()
        var options = ExecutionOptions()
        options.isTracing = true
        let result = try store.execute("SELECT * FROM t WHERE k = 1", options: options)
        let trace = try #require(result.statementTrace)
        #expect(trace.events.map(\.activity).contains("Executing single-partition query on t"))
        let session = "SELECT request, client, parameters FROM system_traces.sessions WHERE session_id = ?"
        let query = "'query': 'SELECT * FROM t WHERE k = 1'"
        #expect(try store.lines(session, [.uuid(trace.id)]) == ["'Execute CQL3 query' '127.0.0.1' {\(query)}"])
        // A server tells who asked, and how.
        options.traceContext = TraceContext(
            .preparedQuery, clientAddress: "10.0.0.7", parameters: ["page_size": "100", "query": "is the statement's"])
        let other = try store.execute("SELECT * FROM t WHERE k = 1", options: options).statementTrace
        #expect(
            try store.lines(session, [.uuid(try #require(other).id)])
                == ["'Execute CQL3 prepared query' '10.0.0.7' {'page_size': '100', \(query)}"])
        #expect(
            try store.execute("SELECT activity FROM system_traces.events WHERE session_id = ?", [.uuid(trace.id)])
                .count == trace.events.count)
    }

    @Test("prepared statements tell markers, partition key and result columns")
    func metadata() throws {
        let store = try makeSchema()
        try store.execute("CREATE TABLE p (a int, b text, c int, v list<int>, PRIMARY KEY ((a, b), c))")
        let insert = try store.prepare("INSERT INTO p (v, b, c, a) VALUES (?, ?, ?, ?)")
        #expect(insert.partitionKeyMarkers == [3, 1])
        #expect(insert.markers.map(\.name) == ["v", "b", "c", "a"] && insert.markers[0].type == .list(.int))
        #expect(insert.markers.allSatisfy { $0.keyspace == "ks" && $0.table == "p" })
        let select = try store.prepare("SELECT v, c AS x FROM p WHERE a = ? AND b = 'x' LIMIT ?")
        #expect(select.partitionKeyMarkers == [] && select.markers.map(\.name) == ["a", "[limit]"])
        let batch = try store.prepare(
            """
            BEGIN BATCH USING TIMESTAMP ? INSERT INTO p (a, b, c) VALUES (?, 'x', 1);
            DELETE FROM b WHERE k = ? APPLY BATCH
            """)
        #expect(batch.markers.map(\.name) == ["[timestamp]", "a", "k"])
        #expect(batch.markers.map(\.table) == ["", "p", "b"])
        #expect(select.resultColumns.map(\.name) == ["v", "x"] && select.resultColumns[0].table == "p")
        #expect(try store.prepare("UPDATE p SET v = ? WHERE a = :a AND b = :b AND c = 1 IF EXISTS").isConditional)
    }
}
