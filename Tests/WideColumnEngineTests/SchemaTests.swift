import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Schema")
struct SchemaTests {
    @Test(
        "refusals have Cassandra's words",
        arguments: [
            ("CREATE TABLE t (a int)", "No PRIMARY KEY specifed for table 't' (exactly one required)"),
            ("CREATE TABLE t (a int PRIMARY KEY, a text)", "Duplicate column 'a' declaration for table 't'"),
            ("CREATE TABLE t (a int, PRIMARY KEY (b))", "Unknown column 'b' referenced in PRIMARY KEY for table 't'"),
            (
                "CREATE TABLE t (a int PRIMARY KEY, s int STATIC)",
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column"
            ),
            (
                "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (c ASC)",
                "Only clustering key columns can be defined in CLUSTERING ORDER directive: [c] are not clustering columns"
            ),
            (
                "CREATE TABLE t (a int, b int, c int, PRIMARY KEY (a, b, c)) WITH CLUSTERING ORDER BY (c ASC)",
                "The order of columns in the CLUSTERING ORDER directive must match that of the clustering columns (b, c)"
            ),
            ("DROP TABLE nosuch", "Table 'ks.nosuch' doesn't exist"),
            ("DROP KEYSPACE nosuch", "Keyspace 'nosuch' doesn't exist"),
            ("USE nosuch", "Keyspace 'nosuch' does not exist"),
            ("CREATE INDEX ON t (a)", "Table 'ks.t' doesn't exist"),
            ("CREATE TABLE t (a int PRIMARY KEY, v address)", "Unknown type ks.address"),
            (
                "CREATE TABLE t (a list<int> PRIMARY KEY)",
                "Invalid non-frozen collection type list<int> for PRIMARY KEY column 'a'"
            ),
            ("CREATE TABLE t (a duration PRIMARY KEY)", "duration type is not supported for PRIMARY KEY column 'a'"),
            (
                "CREATE TABLE t (a int PRIMARY KEY, b counter, c int)",
                "Cannot mix counter and non counter columns in the same table"
            ),
            (
                "CREATE TABLE t (a int PRIMARY KEY, b list<list<int>>)",
                "Non-frozen collections are not allowed inside collections: list<list<int>>"
            ),
            (
                "CREATE TABLE t (a int PRIMARY KEY, b set<duration>)",
                "Durations are not allowed inside sets: set<duration>"
            ),
            (
                "CREATE TABLE t (a int PRIMARY KEY, b frozen<int>)",
                "frozen<> is only allowed on collections, tuples, and user-defined types (got int)"
            ),
            (
                "CREATE TABLE t (a int PRIMARY KEY, b vector<float, 0>)",
                "vectors may only have positive dimensions; given 0"
            ),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeStore()
        expectInvalid(message) { try store.execute(cql) }
    }

    @Test("a user-defined type that is not frozen has no collections that are not")
    func nestedCollections() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE c (a int, b list<int>)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v frozen<c>)")
        for cql in [
            "CREATE TABLE n (k int PRIMARY KEY, v c)", "CREATE TABLE n (k int, c int, v c STATIC, PRIMARY KEY (k, c))",
            "ALTER TABLE t ADD w c",
        ] {
            expectInvalid("Non-frozen UDTs with nested non-frozen collections are not supported") {
                try store.execute(cql)
            }
        }
        try store.execute("CREATE TYPE f (a int, b frozen<list<int>>)")
        try store.execute("ALTER TABLE t ADD w f")
    }

    @Test("only Cassandra's own keyspaces are system keyspaces")
    func systemNames() throws {
        let store = try makeStore()
        let replication = "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        try store.execute("CREATE KEYSPACE system_of_mine \(replication)")
        try store.execute("CREATE TABLE system_of_mine.t (k int PRIMARY KEY)")
        try store.execute("INSERT INTO system_of_mine.t (k) VALUES (1)")
        #expect(try store.lines("SELECT k FROM system_of_mine.t") == ["1"])
        try store.execute("DROP KEYSPACE system_of_mine")
        for name in ["system", "system_schema", "system_auth", "system_traces", "system_distributed", "system_views"] {
            expectInvalid("\(name) keyspace is not user-modifiable.", .unauthorized) {
                try store.execute("CREATE KEYSPACE \(name) \(replication)")
            }
        }
    }

    @Test(
        "more copies than nodes are worth a warning",
        arguments: [
            (
                "{'class': 'SimpleStrategy', 'replication_factor': 3}",
                ["Your replication factor 3 for keyspace x is higher than the number of nodes 1"]
            ),
            (
                "{'class': 'NetworkTopologyStrategy', 'replication_factor': 2}",
                [
                    "Your replication factor 2 for keyspace x is higher than the number of nodes 1 for datacenter datacenter1"
                ]
            ),
            ("{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}", []),
        ])
    func copies(replication: String, warnings: [String]) throws {
        let store = try makeStore()
        let create = "CREATE KEYSPACE IF NOT EXISTS x WITH replication = \(replication)"
        #expect(try store.execute(create).warnings == warnings)
        #expect(try store.execute(create).warnings == [])
    }

    @Test("codes tell kinds of refusals apart")
    func codes() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (a int PRIMARY KEY)")
        expectInvalid("Cannot add already existing table \"t\" to keyspace \"ks\"", .alreadyExists) {
            try store.execute("CREATE TABLE t (a int PRIMARY KEY)")
        }
        try store.execute("CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)")
        expectInvalid(
            "Unable to find compaction strategy class 'org.apache.cassandra.db.compaction.Nonsense'",
            .configurationException
        ) {
            try store.execute("CREATE TABLE u (a int PRIMARY KEY) WITH compaction = {'class': 'Nonsense'}")
        }
        expectInvalid("Unknown property 'nonsense'", .syntaxException) {
            try store.execute("CREATE TABLE u (a int PRIMARY KEY) WITH nonsense = 1")
        }
        expectInvalid(
            "default_time_to_live must be less than or equal to 630720000 (got 630720001)", .configurationException
        ) {
            try store.execute("CREATE TABLE u (a int PRIMARY KEY) WITH default_time_to_live = 630720001")
        }
        try store.execute(
            """
            CREATE TABLE u (a int PRIMARY KEY) WITH compaction = {'class': 'TimeWindowCompactionStrategy',
            'compaction_window_unit': 'DAYS', 'compaction_window_size': 1} AND gc_grace_seconds = 60 AND comment = 'it''s'
            AND compression = {'sstable_compression': ''} AND caching = {'keys': 'ALL'} AND speculative_retry = '99p'
            """)
        try store.execute("DROP TABLE IF EXISTS nosuch")
    }

    @Test("schema, rows and views are there after the store is opened again")
    func reopening() throws {
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let storage = try Storage.inMemory(clock: clock)
        let first = try WideColumnStore(storage: storage)
        for cql in [ShopStreamCQL.keyspace, ShopStreamCQL.table, ShopStreamCQL.view, ShopStreamCQL.insert] {
            try first.execute(cql)
        }
        let second = try WideColumnStore(storage: storage)
        #expect(second.keyspaceNames == ["shopstream"])
        #expect(second.tableNames(in: "shopstream") == ["session_events", "user_events"])
        try second.execute(ShopStreamCQL.insert)
        #expect(try second.execute(ShopStreamCQL.byUser).count == 2)
        for (table, other) in zip(first.catalog.schema.allTables, second.catalog.schema.allTables) {
            #expect(table.definition == other.definition)
        }
    }

    @Test("a table dropped and created again is empty, and old plans are made anew")
    func dropAndCreate() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (a int PRIMARY KEY, v int)")
        let insert = try store.prepare("INSERT INTO t (a, v) VALUES (1, 1)")
        try insert.execute()
        try store.execute("DROP TABLE t")
        expectInvalid("table t does not exist") { try insert.execute() }
        try store.execute("CREATE TABLE t (v int, a int PRIMARY KEY)")
        #expect(try store.lines("SELECT * FROM t") == [])
        try insert.execute()
        #expect(try store.lines("SELECT * FROM t") == ["1 1"])
        try store.execute("TRUNCATE t")
        #expect(try store.lines("SELECT * FROM t") == [])
    }

    @Test("sessions have keyspaces of their own")
    func sessions() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (a int PRIMARY KEY)")
        let session = try store.session()
        expectInvalid("No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename") {
            try session.execute("SELECT * FROM t")
        }
        try session.execute("USE ks")
        #expect(session.keyspace == "ks")
        #expect(try session.execute("SELECT * FROM t").isEmpty)
    }

    @Test("a damaged catalog entry is refused, never repaired")
    func damagedCatalog() throws {
        let keyspace = CatalogCodec.encode(
            KeyspaceDefinition(name: "shop", replication: ["class": "SimpleStrategy"], durableWrites: true))
        #expect(try CatalogCodec.keyspace(keyspace).name == "shop")
        var options = TableOptions()
        options.comment = "a comment"
        options.properties = [Property(name: "caching", value: .map(["keys": "ALL"]))]
        let definition = TableDefinition(
            identifier: TableIdentifier(keyspace: "shop", name: "events"),
            partitionKey: [ColumnDefinition(name: "k", type: .int, kind: .partitionKey, id: 0)], clustering: [],
            staticColumns: [], regularColumns: [], options: options, view: nil,
            id: CQLUUID(mostSignificantBits: 1, leastSignificantBits: 2))
        let table = CatalogCodec.encode(definition)
        #expect(try CatalogCodec.table(table) == definition)

        func isRefused(_ bytes: [UInt8], _ read: ([UInt8]) throws -> some Any) {
            #expect { _ = try read(bytes) } throws: { ($0 as? StorageError)?.code == .corruption }
        }
        for length in 1..<keyspace.count { isRefused(Array(keyspace.prefix(length)), CatalogCodec.keyspace) }
        for length in 1..<table.count { isRefused(Array(table.prefix(length)), CatalogCodec.table) }
        isRefused(keyspace + [0], CatalogCodec.keyspace)
        isRefused(table + [0], CatalogCodec.table)
        // The first letter of the name, which is behind the version and a length.
        var (notTextKeyspace, notTextTable) = (keyspace, table)
        notTextKeyspace[2] = 0xFF
        notTextTable[2] = 0xFF
        isRefused(notTextKeyspace, CatalogCodec.keyspace)
        isRefused(notTextTable, CatalogCodec.table)
        options.graceSeconds = .max
        var unending = definition
        unending.options = options
        isRefused(CatalogCodec.encode(unending), CatalogCodec.table)
    }

    @Test("a type of the greatest depth is read again, from the catalog and from what DESCRIBE shows")
    func deepTypes() throws {
        let disk = try StoreOnDisk(ManualClock())
        try disk.createKeyspace()
        let depth = Parser.maximumNesting - 2
        func type(_ open: String, _ depth: Int) -> String {
            String(repeating: open, count: depth) + "int"
                + String(repeating: ">", count: open.count { $0 == "<" } * depth)
        }
        try disk.store.execute("CREATE TABLE t (k int PRIMARY KEY, v frozen<\(type("list<", depth))>)")
        try disk.store.execute("CREATE TABLE u (k int PRIMARY KEY, v \(type("tuple<", depth)))")
        try disk.store.execute("CREATE TABLE w (k int PRIMARY KEY, v \(type("frozen<list<", depth)))")
        for text in [type("list<", 100), type("frozen<", 100), type("frozen<list<", 100)] {
            #expect(throws: CQLError.self) { try disk.store.execute("CREATE TABLE x (k int PRIMARY KEY, v \(text))") }
        }
        try disk.reopen()
        for name in ["t", "u", "w"] {
            let text = try #require(
                try disk.store.execute("DESCRIBE TABLE \(name)")[0]["create_statement", as: String.self])
            try disk.store.execute("DROP TABLE \(name)")
            try disk.store.execute(text)
        }
        try disk.reopen()
        #expect(disk.store.tableNames(in: "ks") == ["t", "u", "w"])
    }

    @Test("a column of types made of types that is dropped does not keep the store from being opened")
    func droppedTypes() throws {
        let disk = try StoreOnDisk(ManualClock())
        try disk.createKeyspace()
        try disk.store.execute("CREATE TYPE t0 (a int, b frozen<tuple<int, text>>)")
        for level in 1...70 { try disk.store.execute("CREATE TYPE t\(level) (a frozen<t\(level - 1)>)") }
        try disk.store.execute("CREATE TABLE x (k int PRIMARY KEY, u t1, v frozen<t70>, w frozen<list<frozen<t1>>>)")
        try disk.store.execute("ALTER TABLE x DROP (u, v, w)")
        let shown = [
            "SELECT column_name, type FROM system_schema.dropped_columns WHERE keyspace_name = 'ks' AND table_name = 'x'",
            "SELECT schema_version FROM system.local",
        ]
        let before = try shown.map { try disk.store.lines($0) }
        let inner = "frozen<tuple<frozen<tuple<int, frozen<tuple<int, text>>>>>>"
        #expect(before[0].count == 3 && before[0][0] == "'u' '\(inner)'")
        #expect(before[0][2] == "'w' 'frozen<list<\(inner)>>'")
        try disk.reopen()
        #expect(try shown.map { try disk.store.lines($0) } == before)
        try disk.store.execute("ALTER TABLE x ADD v frozen<t70>")
        try disk.reopen()
        #expect(try disk.store.lines("SELECT * FROM x") == [])
    }

    @Test("the type of a dropped column is read as deep as types may be, and as earlier versions wrote it")
    func droppedTypesInCatalog() throws {
        func dropped(_ type: CQLType) throws -> CQLType {
            var table = TableDefinition(
                identifier: TableIdentifier(keyspace: "ks", name: "t"), partitionKey: [], clustering: [],
                staticColumns: [], regularColumns: [], options: TableOptions(), view: nil,
                id: CQLUUID(mostSignificantBits: 1, leastSignificantBits: 2))
            table.droppedColumns = [DroppedColumn(name: "v", type: type, kind: .regular, id: 1, timestamp: 1)]
            return try #require(try CatalogCodec.table(CatalogCodec.encode(table)).droppedColumns.first).type
        }
        var (deep, old) = (CQLType.int, CQLType.int)
        for _ in 0..<254 { (deep, old) = (.tuple([deep]), .frozen(.tuple([old]))) }
        #expect(try dropped(deep) == deep)
        #expect(try dropped(old) == deep)
        let wrapped = CQLType.frozen(.frozen(.frozen(.tuple([.int, .frozen(.list(.frozen(.tuple([.text]))))]))))
        #expect(try dropped(wrapped) == .tuple([.int, .frozen(.list(.tuple([.text])))]))
        let natives: [CQLType] = [.ascii, .counter, .duration, .inet, .time, .timeuuid, .tinyint, .varint]
        for type in natives + [
            .set(.text), .map(.uuid, .frozen(.list(.date))), .frozen(.map(.int, .vector(.float, 12))),
        ] {
            #expect(try dropped(type) == type)
        }
        // What can't be read takes nothing else with it.
        let user = CQLType.userType(UserType(keyspace: "ks", name: "u", fields: []))
        for type in [
            .tuple([deep, .int]), .tuple([.tuple([deep])]), user, .list(user), .tuple([]), .frozen(.list(user)),
        ] {
            #expect(try dropped(type) == (type == .tuple([deep, .int]) ? type : .blob), "\(type)")
        }
    }

    @Test("names that look like durations are names, in the catalog too")
    func namesLikeDurations() throws {
        let disk = try StoreOnDisk(ManualClock())
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (id int PRIMARY KEY, p7d double, pt5m int, p1y text)")
        try disk.store.execute("CREATE TYPE p1d (pt1h int)")
        try disk.store.execute("CREATE TYPE \"P1D\" (a int)")
        try disk.store.execute("CREATE TABLE u (k int PRIMARY KEY, v frozen<\"p1d\">, w frozen<\"P1D\">)")
        try disk.reopen()
        try disk.store.execute("INSERT INTO t (id, p7d, pt5m, p1y) VALUES (1, 2.5, 3, 'x')")
        #expect(try disk.store.lines("SELECT p7d, pt5m, p1y FROM t") == ["2.5 3 'x'"])
        try disk.store.execute("INSERT INTO u (k, v, w) VALUES (1, {pt1h: 2}, {a: 3})")
        #expect(try disk.store.lines("SELECT v, w FROM u") == ["{pt1h: 2} {a: 3}"])
    }

    @Test("a user-defined type with the name of a native one stays what it is")
    func typesNamedAsNativeOnes() throws {
        let disk = try StoreOnDisk(ManualClock())
        try disk.createKeyspace()
        for name in ["int", "varchar", "byte", "list"] {
            try disk.store.execute("CREATE TYPE \"\(name)\" (a int, b text)")
        }
        try disk.store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY, v frozen<"int">, w "varchar", x frozen<"byte">, y frozen<map<int, frozen<"int">>>,
            z frozen<"list">)
            """)
        try disk.reopen()
        try disk.store.execute("INSERT INTO t (k, v, w, y) VALUES (1, {a: 1, b: 'x'}, {a: 2}, {3: {a: 4}})")
        #expect(
            try disk.store.lines("SELECT v, w, y FROM t")
                == ["{a: 1, b: 'x'} {a: 2, b: null} {3: {a: 4, b: null}}"])
        let table = try #require(try disk.store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        let types = try ["int", "varchar", "byte", "list"].map { name in
            try #require(try disk.store.execute("DESCRIBE TYPE \"\(name)\"")[0]["create_statement", as: String.self])
        }
        try disk.store.execute("DROP TABLE t")
        for name in ["int", "varchar", "byte", "list"] { try disk.store.execute("DROP TYPE \"\(name)\"") }
        for statement in types + [table] { try disk.store.execute(statement) }
        try disk.reopen()
        try disk.store.execute("INSERT INTO t (k, v) VALUES (1, {a: 1})")
        #expect(try disk.store.lines("SELECT v.a FROM t") == ["1"])
    }
}
