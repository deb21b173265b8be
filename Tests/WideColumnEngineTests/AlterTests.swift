import StorageCore
import StorageTypes
import Synchronization
import Testing

@testable import WideColumnEngine

// [CA] doc cql/ddl.adoc "ALTER TABLE", cql/types.adoc "UDT", cql/mvs.adoc.

@Suite("Changing the schema")
struct AlterTests {
    @Test("columns are added and dropped; one added again under the name is empty, on disk too")
    func columns() throws {
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute(
            "CREATE TABLE t (k int, c int, v text, l list<int>, PRIMARY KEY (k, c)) WITH gc_grace_seconds = 5")
        try disk.store.execute("INSERT INTO t (k, c, v, l) VALUES (1, 1, 'old', [1])")
        try disk.store.execute("UPDATE t SET v = 'only' WHERE k = 1 AND c = 2")
        let select = try disk.store.prepare("SELECT * FROM t")
        try disk.store.execute("ALTER TABLE t ADD (s int STATIC, w text)")
        #expect(try select.execute().columns.map(\.name) == ["k", "c", "s", "l", "v", "w"])
        try disk.store.execute("ALTER TABLE t DROP (v, l)")
        // The second row lived by its one column.
        #expect(try disk.store.lines("SELECT * FROM t") == ["1 1 null null"])
        try disk.store.execute("ALTER TABLE t ADD v text")
        try disk.reopen()
        #expect(try disk.store.lines("SELECT * FROM t") == ["1 1 null null null"])
        try disk.store.execute("UPDATE t SET v = 'new' WHERE k = 1 AND c = 2")
        try disk.flushAndCompact()
        try disk.reopen()
        #expect(try disk.store.lines("SELECT c, v FROM t") == ["1 null", "2 'new'"])
        #expect(try disk.store.storage.verify().problems.isEmpty)
        expectInvalid(
            "Cannot re-add previously dropped column 'l' of type set<int>, incompatible with previous type list<int>"
        ) {
            try disk.store.execute("ALTER TABLE t ADD l set<int>")
        }
        try disk.store.execute("ALTER TABLE t ADD l list<int>")
        #expect(try disk.store.lines("SELECT l FROM t WHERE k = 1 AND c = 1") == ["null"])
    }

    @Test(
        "a column comes back with a type that has all values of the one that was dropped",
        arguments: [
            ("frozen<u>", "frozen<u>", true), ("u", "u", true), ("list<frozen<u>>", "list<frozen<u>>", true),
            ("frozen<u>", "frozen<tuple<int, text>>", true), ("frozen<u>", "frozen<wider>", true),
            ("frozen<wider>", "frozen<u>", false), ("ascii", "text", true), ("text", "ascii", false),
            ("text", "blob", true),
            ("int", "blob", false), ("timeuuid", "uuid", true), ("uuid", "timeuuid", false),
            ("timestamp", "bigint", true),
            ("bigint", "timestamp", true), ("int", "bigint", false), ("int", "varint", false),
            ("list<int>", "blob", false),
            ("list<ascii>", "list<text>", true), ("list<int>", "set<int>", false),
            ("list<int>", "frozen<list<int>>", false), ("map<ascii, ascii>", "map<text, blob>", true),
            ("frozen<list<timeuuid>>", "frozen<list<uuid>>", true), ("set<timeuuid>", "set<uuid>", false),
        ])
    func compatibleTypes(old: String, new: String, isAccepted: Bool) throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE u (a int, b text)")
        try store.execute("CREATE TYPE wider (a int, b text, c int)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v \(old), w int)")
        try store.execute("ALTER TABLE t DROP v")
        if isAccepted {
            try store.execute("ALTER TABLE t ADD v \(new)")
            #expect(try store.execute("SELECT v FROM t").columns[0].type.description == new)
        } else {
            #expect(throws: CQLError.self) { try store.execute("ALTER TABLE t ADD v \(new)") }
        }
    }

    @Test("a table whose last counter was dropped has room for counters only")
    func lastCounter() throws {
        let disk = try StoreOnDisk(ManualClock())
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE n (k int PRIMARY KEY, a counter)")
        try disk.store.execute("ALTER TABLE n DROP a")
        try disk.reopen()
        expectInvalid(#"Cannot have a non counter column ("v") in a counter table"#) {
            try disk.store.execute("ALTER TABLE n ADD v int")
        }
        #expect(
            try disk.store.lines("SELECT flags FROM system_schema.tables WHERE keyspace_name = 'ks'") == [
                "{'compound', 'counter'}"
            ])
        try disk.store.execute("ALTER TABLE n ADD b counter")
        try disk.store.execute("UPDATE n SET b = b + 2 WHERE k = 1")
        #expect(try disk.store.lines("SELECT b FROM n") == ["2"])
    }

    @Test("key columns are renamed, with the views that have them")
    func rename() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))")
        try store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE c > 0 AND k IS NOT NULL PRIMARY KEY (c, k)")
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 2, 3)")
        try store.execute("ALTER TABLE t RENAME k TO key AND c TO \"C\"")
        #expect(try store.lines("SELECT key, \"C\", v FROM m WHERE \"C\" = 2") == ["1 2 3"])
        try store.execute("INSERT INTO t (key, \"C\", v) VALUES (4, 5, 6)")
        try store.execute("ALTER TABLE t ADD w int")
        try store.execute("UPDATE t SET w = 9 WHERE key = 4 AND \"C\" = 5")
        #expect(try store.lines("SELECT * FROM m WHERE \"C\" = 5") == ["5 4 6 9"])
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("options of tables, views and keyspaces are changed and kept")
    func options() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY) WITH comment = 'a' AND caching = {'keys': 'NONE'}")
        try store.execute("ALTER TABLE t WITH default_time_to_live = 50 AND comment = 'b'")
        let described = try #require(store.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        #expect(described.contains("comment = 'b'") && described.contains("default_time_to_live = 50"))
        #expect(described.contains("caching = {'keys': 'NONE', 'rows_per_partition': 'NONE'}"))
        try store.execute("INSERT INTO t (k) VALUES (1)")
        try store.execute("ALTER TABLE t WITH gc_grace_seconds = 77")
        #expect(store.catalog.schema.table(.init(keyspace: "ks", name: "t"))?.rowOperator.graceSeconds == 77)
        try store.execute("ALTER KEYSPACE ks WITH durable_writes = false")
        #expect(
            try store.execute("DESCRIBE ONLY KEYSPACE ks")[0]["create_statement"].description.contains(
                "durable_writes = false"))
        expectInvalid("Unknown property 'nonsense'", .syntaxException) {
            try store.execute("ALTER TABLE t WITH nonsense = 1")
        }
    }

    @Test("a type may get a collection that is not frozen as long as no column has the type without being frozen")
    func collectionsInTypes() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE u (a int, b int)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, f frozen<u>, l list<frozen<u>>)")
        try store.execute("ALTER TYPE u ADD s set<int>")
        try store.execute("INSERT INTO t (k, f) VALUES (1, {a: 1, b: 2, s: {3, 4}})")
        // Two fields may change places.
        try store.execute("ALTER TYPE u RENAME a TO b AND b TO a")
        #expect(try store.lines("SELECT f FROM t") == ["{b: 1, a: 2, s: {3, 4}}"])
    }

    @Test("a view's conditions follow the fields of their types where these are renamed")
    func renamedFieldsOfViews() throws {
        let disk = try StoreOnDisk(ManualClock())
        try disk.createKeyspace()
        try disk.store.execute("CREATE TYPE u (a int, b int)")
        try disk.store.execute("CREATE TABLE t (p int, k frozen<u>, c int, v int, PRIMARY KEY (p, k, c))")
        try disk.store.execute(
            """
            CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE p IS NOT NULL AND k = {a: 1, b: 2} AND c IS NOT NULL
            PRIMARY KEY (c, p, k)
            """)
        try disk.store.execute(
            """
            CREATE MATERIALIZED VIEW n AS SELECT * FROM t WHERE p IS NOT NULL AND (k) IN (({a: 1, b: 2})) AND (c) > (0)
            PRIMARY KEY (c, p, k)
            """)
        try disk.store.execute("INSERT INTO t (p, k, c, v) VALUES (0, {a: 1, b: 2}, 3, 4)")
        // What was the first field still is, whatever it is called.
        try disk.store.execute("ALTER TYPE u RENAME a TO b AND b TO a")
        try disk.reopen()
        try disk.store.execute("INSERT INTO t (p, k, c, v) VALUES (0, {b: 1, a: 2}, 5, 6)")
        try disk.store.execute("INSERT INTO t (p, k, c, v) VALUES (0, {b: 2, a: 1}, 5, 7)")
        for view in ["m", "n"] {
            #expect(try disk.store.lines("SELECT v FROM \(view) WHERE c IN (3, 5)").sorted() == ["4", "6"])
        }
        #expect(try disk.store.storage.verify().problems.isEmpty)
    }

    @Test("the number of the schema is that of the last change")
    func version() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        let select = try store.prepare("SELECT * FROM t")
        for change in [
            "ALTER TABLE t ADD w int", "CREATE INDEX ON t (v)", "ALTER TABLE t DROP w", "DROP INDEX t_v_idx",
        ] {
            let before = store.catalog.version
            try store.execute(change)
            #expect(store.catalog.version > before && store.catalog.version == store.catalog.schema.version)
            #expect(try select.plan().schemaVersion == store.catalog.version)
        }
        #expect(try select.execute().columns.map(\.name) == ["k", "v"])
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            ("ALTER TABLE t ADD v int", "Column with name 'v' already exists"),
            ("ALTER TABLE t DROP k", "Cannot drop PRIMARY KEY column k"),
            ("ALTER TABLE t DROP nosuch", "Column nosuch was not found in table 'ks.t'"),
            ("ALTER TABLE t RENAME v TO w", "Cannot rename non PRIMARY KEY column v"),
            ("ALTER TABLE t ALTER v TYPE text", "Altering column types is no longer supported"),
            (
                "ALTER TABLE t ADD s int STATIC",
                "Static columns are only useful (and thus allowed) if the table has at least one clustering column"
            ),
            ("ALTER TABLE t ADD n counter", "Cannot have a counter column (\"n\") in a non counter table"),
            ("ALTER TABLE nosuch ADD n int", "Table 'ks.nosuch' doesn't exist"),
            (
                "ALTER TABLE m WITH comment = 'x'",
                "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead"
            ),
            ("ALTER TABLE b DROP v", "Cannot drop column v on base table b with materialized views"),
            ("ALTER TYPE nosuch ADD a int", "Type ks.nosuch doesn't exist"),
            ("ALTER TYPE point ADD x int", "Cannot add field x to type ks.point: a field with name x already exists"),
            (
                "ALTER TYPE point ADD l frozen<list<line>>",
                "Cannot add new field l of type frozen<list<line>> to user type ks.point as it would create a circular reference"
            ),
            ("ALTER TYPE point RENAME z TO y", "Unknown field z in user type ks.point"),
            ("ALTER TYPE point RENAME x TO y", "Duplicate field name y in type ks.point"),
            (
                "ALTER TYPE point ADD s set<int>",
                "Non-frozen UDTs with nested non-frozen collections are not supported"
            ),
            ("ALTER TYPE line ADD c point", "A user type cannot contain non-frozen UDTs"),
            ("DROP TYPE point", "Cannot drop user type 'ks.point' as it is still used by user types line"),
            ("DROP TYPE line", "Cannot drop user type 'ks.line' as it is still used by tables u"),
            ("CREATE TYPE point (x int)", "A user type with name 'point' already exists"),
            ("CREATE TYPE p (x int, x int)", "Duplicate field name 'x' in type 'p'"),
            ("CREATE TYPE p (x point)", "A user type cannot contain non-frozen UDTs"),
            ("CREATE TYPE p (x counter)", "A user type cannot contain counters"),
            ("ALTER KEYSPACE nosuch WITH durable_writes = true", "Keyspace 'nosuch' doesn't exist"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE point (x int, y int)")
        try store.execute("CREATE TYPE line (a frozen<point>, b frozen<point>)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        try store.execute("CREATE TABLE u (k int PRIMARY KEY, l list<frozen<line>>)")
        try store.execute("CREATE TABLE cells (k int, c int, p point static, PRIMARY KEY (k, c))")
        try store.execute("CREATE TABLE b (k int PRIMARY KEY, v int)")
        try store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM b WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)")
        expectInvalid(message) { try store.execute(cql) }
        try store.execute("ALTER TABLE IF EXISTS nosuch ADD n int")
        try store.execute("ALTER TABLE t ADD IF NOT EXISTS v int")
        try store.execute("DROP TYPE IF EXISTS nosuch")
    }

    @Test("every change is told to observers and in the result")
    func events() throws {
        let store = try makeStore()
        let seen = SeenChanges()
        let stop = store.observeSchemaChanges { seen.append($0) }
        let first = try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        #expect(first.schemaChange == SchemaChange(kind: .created, target: .table, keyspace: "ks", name: "t"))
        try store.execute("CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)")
        try store.execute("CREATE INDEX ON t (v)")
        try store.execute("CREATE TYPE p (x int)")
        // What changes nothing is told to nobody.
        for cql in [
            "ALTER TABLE t WITH comment = ''", "ALTER TABLE t ADD IF NOT EXISTS v int",
            "ALTER KEYSPACE ks WITH durable_writes = true", "ALTER TYPE p ADD IF NOT EXISTS x int",
        ] { #expect(try store.execute(cql).schemaChange == nil, "\(cql)") }
        try store.execute("CREATE MATERIALIZED VIEW w AS SELECT * FROM t WHERE k IS NOT NULL PRIMARY KEY (k)")
        try store.execute("DROP KEYSPACE ks")
        stop()
        try store.execute("CREATE KEYSPACE x WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        #expect(
            seen.changes.map { "\($0.kind.rawValue) \($0.target.rawValue) \($0.name ?? "-")" } == [
                "CREATED TABLE t", "UPDATED TABLE t", "CREATED TYPE p", "CREATED TABLE w", "DROPPED TABLE w",
                "DROPPED TABLE t", "DROPPED TYPE p", "DROPPED KEYSPACE -",
            ])
    }

    @Test("observers are told of tables that change with a type, and of views; the result is of the statement alone")
    func viewEvents() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE p (x int)")
        try store.execute("CREATE TABLE t (k int, c int, v int, f frozen<p>, PRIMARY KEY (k, c))")
        let rest = "FROM t WHERE v IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (v, k, c)"
        try store.execute("CREATE MATERIALIZED VIEW whole AS SELECT * \(rest)")
        try store.execute("CREATE MATERIALIZED VIEW part AS SELECT v \(rest)")
        for (cql, changed, others) in [
            ("ALTER TABLE t ADD w int", "TABLE t", ["TABLE whole"]), ("ALTER TABLE t ADD s int STATIC", "TABLE t", []),
            ("ALTER TABLE t RENAME c TO d", "TABLE t", ["TABLE part", "TABLE whole"]),
            ("ALTER TABLE t ALTER w MASKED WITH DEFAULT", "TABLE t", ["TABLE whole"]),
            ("ALTER TABLE t WITH comment = 'x'", "TABLE t", []),
            ("ALTER TYPE p ADD y int", "TYPE p", ["TABLE t", "TABLE whole"]),
            ("ALTER TYPE p RENAME y TO z", "TYPE p", ["TABLE t", "TABLE whole"]),
            ("ALTER MATERIALIZED VIEW part WITH comment = 'x'", "TABLE part", []),
            ("CREATE INDEX ON t (w)", "TABLE t", []),
        ] {
            let seen = SeenChanges()
            let stop = store.observeSchemaChanges { seen.append($0) }
            let change = try store.execute(cql).schemaChange
            stop()
            let texts = seen.changes.map { "\($0.kind.rawValue) \($0.target.rawValue) \($0.name ?? "-")" }
            #expect(texts == ([changed] + others).map { "UPDATED \($0)" }, "\(cql)")
            #expect(change == seen.changes.first, "\(cql)")
        }
    }

    @Test("a catalog entry of a type is checked like the others")
    func damagedType() throws {
        let type = UserType(keyspace: "ks", name: "p", fields: [.init(name: "x", type: .frozen(.list(.int)))])
        let bytes = CatalogCodec.encode(type)
        #expect(try CatalogCodec.type(bytes) == type)
        for length in 1..<bytes.count {
            #expect(throws: StorageError.self) { try CatalogCodec.type(Array(bytes.prefix(length))) }
        }
        let own = UserType(keyspace: "ks", name: "p", fields: [.init(name: "x", type: .userType(type))])
        #expect(throws: StorageError.self) { try UserTypes(keyspace: "ks", definitions: [own]) }
    }
}

private final class SeenChanges: Sendable {
    private let seen = Mutex<[SchemaChange]>([])
    var changes: [SchemaChange] { seen.withLock { $0 } }
    func append(_ change: SchemaChange) { seen.withLock { $0.append(change) } }
}
