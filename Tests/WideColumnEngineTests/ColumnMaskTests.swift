// ColumnMaskTests.swift — MASKED WITH: what users without UNMASK see ([CA] doc developing/cql/dynamic-data-masking.adoc,
// cql3/functions/masking/ColumnMask.java).

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Masked columns")
struct ColumnMaskTests {
    private func makePatients() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE patients (id timeuuid PRIMARY KEY, name text MASKED WITH mask_inner(1, null),
            birth date MASKED WITH mask_default())
            """)
        try store.execute("INSERT INTO patients (id, name, birth) VALUES (now(), 'alice', '1984-01-02')")
        try store.execute("INSERT INTO patients (id, name, birth) VALUES (now(), 'bob', '1982-02-03')")
        return store
    }

    /// What a user without UNMASK reads.
    private func masked(_ store: WideColumnStore, _ cql: String, _ values: [CQLValue] = []) throws -> [String] {
        var options = ExecutionOptions()
        options.maskedUserName = "unprivileged"
        return try store.execute(cql, values, options: options)
            .map { $0.values.map(\.description).joined(separator: " ") }
    }

    private func described(_ store: WideColumnStore, _ table: String) throws -> [String] {
        let statement = try #require(store.execute("DESCRIBE TABLE \(table)")[0]["create_statement", as: String.self])
        return statement.split(separator: "\n").filter { $0.hasPrefix("    ") && !$0.hasPrefix("    AND") }
            .map { String($0.drop { $0 == " " }) }
    }

    @Test("the documentation's example: who lacks UNMASK sees masks, all others, and programs, see values")
    func documentation() throws {
        let store = try makePatients()
        #expect(
            try store.lines("SELECT name, birth FROM patients").sorted() == [
                "'alice' '1984-01-02'", "'bob' '1982-02-03'",
            ])
        #expect(
            try masked(store, "SELECT name, birth FROM patients").sorted() == [
                "'a****' '1970-01-01'", "'b**' '1970-01-01'",
            ])
        try store.execute("ALTER TABLE patients ALTER name MASKED WITH mask_default()")
        #expect(try Set(masked(store, "SELECT name FROM patients")) == ["'****'"])
        try store.execute("ALTER TABLE patients ALTER name DROP MASKED")
        #expect(try masked(store, "SELECT name FROM patients").sorted() == ["'alice'", "'bob'"])
        #expect(try Set(masked(store, "SELECT birth FROM patients")) == ["'1970-01-01'"])
    }

    @Test("a mask is applied to a column before anything is made of it, but for times of cells")
    func selections() throws {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (k int MASKED WITH DEFAULT, c int, s int STATIC MASKED WITH mask_replace(9),
            v int MASKED WITH mask_null(), w text MASKED WITH mask_outer(1, 0, '#'), m map<int, int> MASKED WITH mask_default(),
            PRIMARY KEY (k, c))
            """)
        try store.execute("INSERT INTO t (k, c, s, v, w, m) VALUES (1, 1, 2, 3, 'text', {1: 2}) USING TIMESTAMP 7")
        try store.execute("INSERT INTO t (k, c, v, w) VALUES (1, 2, 4, 'more') USING TIMESTAMP 7")
        #expect(try masked(store, "SELECT k, c, s, v, w FROM t") == ["0 1 9 null '#ext'", "0 2 9 null '#ore'"])
        #expect(try masked(store, "SELECT * FROM t LIMIT 1") == ["0 1 9 {} null '#ext'"])
        #expect(try masked(store, "SELECT count(v), max(w), sum(k) FROM t") == ["0 '#ore' 0"])
        #expect(try masked(store, "SELECT k, count(*) FROM t GROUP BY k") == ["0 2"])
        #expect(
            try masked(store, "SELECT writetime(v), v + 1, cast(s AS text), (int) s FROM t LIMIT 1") == ["7 null '9' 9"]
        )
        #expect(try masked(store, "SELECT m[1], to_json(w) FROM t LIMIT 1") == ["null '\"#ext\"'"])
        #expect(try masked(store, "SELECT JSON k, w FROM t LIMIT 1") == [##"'{"k": 0, "w": "#ext"}'"##])
        #expect(try masked(store, "SELECT DISTINCT k, s FROM t") == ["0 9"])
        // The token would tell the key.
        let zero: [UInt8] = [0, 0, 0, 0]
        #expect(try masked(store, "SELECT token(k) FROM t LIMIT 1") == ["\(Murmur3.token(zero.rawSpan))"])
        #expect(try store.lines("SELECT k, s, v, w, m FROM t LIMIT 1") == ["1 2 3 'text' {1: 2}"])
        // Pages, and statements that were prepared before the mask was there.
        try store.execute("CREATE TABLE p (k int, c int, v int, PRIMARY KEY (k, c))")
        for c in 0..<5 { try store.execute("INSERT INTO p (k, c, v) VALUES (1, ?, 8)", [.int(Int32(c))]) }
        let select = try store.prepare("SELECT v FROM p")
        try store.execute("ALTER TABLE p ALTER v MASKED WITH system.mask_replace(5)")
        var options = ExecutionOptions()
        options.maskedUserName = "ann"
        options.pageSize = 2
        let first = try select.execute([], options: options)
        options.pagingState = first.pagingState
        #expect(first.map { $0[0] } == [.int(5), .int(5)])
        #expect(try select.execute([], options: options).map { $0[0] } == [.int(5), .int(5)])
        #expect(try select.execute().map { $0[0] } == Array(repeating: .int(8), count: 5))
    }

    @Test("a condition that does not hold shows masks; what is written is never masked")
    func conditions() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int MASKED WITH DEFAULT, w int)")
        try store.execute("INSERT INTO t (k, v, w) VALUES (1, 7, 8)")
        #expect(try masked(store, "UPDATE t SET w = 1 WHERE k = 1 IF v = 9") == ["false 0"])
        #expect(try masked(store, "INSERT INTO t (k) VALUES (1) IF NOT EXISTS") == ["false 1 0 8"])
        #expect(try store.lines("UPDATE t SET w = 1 WHERE k = 1 IF v = 9") == ["false 7"])
        var options = ExecutionOptions()
        options.maskedUserName = "ann"
        let batch = StatementBatch(.logged, [(try store.prepare("UPDATE t SET w = 1 WHERE k = 1 IF v = 9"), [])])
        #expect(try store.execute(batch, options: options)[0].values == [.boolean(false), .int(1), .int(0)])
        #expect(try masked(store, "UPDATE t SET v = 70 WHERE k = 1 IF v = 7") == ["true"])
        #expect(try store.lines("SELECT v FROM t") == ["70"])
    }

    @Test("restrictions of masked columns would tell their values, and are refused")
    func restrictions() throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (k int MASKED WITH DEFAULT, c int, v int MASKED WITH DEFAULT, PRIMARY KEY (k, c))")
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 2, 3)")
        for (condition, columns) in [
            ("k = 1", "k"), ("v = 3 ALLOW FILTERING", "v"), ("k = 1 AND v > 1 ALLOW FILTERING", "k, v"),
            ("token(k) > 0", "k"), ("k IN (1, 2)", "k"),
        ] {
            let message =
                "User ann has no UNMASK nor SELECT_UNMASK permission on table ks.t, cannot query masked columns [\(columns)]"
            var options = ExecutionOptions()
            options.maskedUserName = "ann"
            expectInvalid(message, .unauthorized) {
                try store.execute("SELECT c FROM t WHERE \(condition)", options: options)
            }
        }
        #expect(try masked(store, "SELECT k, c, v FROM t WHERE c = 2 ALLOW FILTERING") == ["0 2 0"])
    }

    @Test("a view shows the masks of its table, also those that come later")
    func views() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int MASKED WITH mask_replace(5), w text)")
        try store.execute(
            "CREATE MATERIALIZED VIEW mv AS SELECT * FROM t WHERE k IS NOT NULL AND v IS NOT NULL PRIMARY KEY (v, k)")
        try store.execute("CREATE MATERIALIZED VIEW less AS SELECT k FROM t WHERE k IS NOT NULL PRIMARY KEY (k)")
        try store.execute("INSERT INTO t (k, v, w) VALUES (1, 2, 'x')")
        #expect(try masked(store, "SELECT v, k, w FROM mv") == ["5 1 'x'"])
        try store.execute("ALTER TABLE t ALTER w MASKED WITH DEFAULT")
        try store.execute("ALTER TABLE t ADD z int MASKED WITH mask_replace(6)")
        try store.execute("UPDATE t SET z = 1 WHERE k = 1")
        #expect(try masked(store, "SELECT v, k, w, z FROM mv") == ["5 1 '****' 6"])
        #expect(try store.lines("SELECT v, k, w, z FROM mv") == ["2 1 'x' 1"])
        let masks = "SELECT column_name, function_name FROM system_schema.column_masks WHERE keyspace_name = 'ks'"
        #expect(
            try store.lines("\(masks) AND table_name = 'mv'") == [
                "'v' 'mask_replace'", "'w' 'mask_default'", "'z' 'mask_replace'",
            ])
        #expect(try store.lines("\(masks) AND table_name = 'less'") == [])
        try store.execute("ALTER TABLE t ALTER v DROP MASKED")
        #expect(try masked(store, "SELECT v FROM mv") == ["2"])
        expectInvalid("Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED VIEW instead") {
            try store.execute("ALTER TABLE mv ALTER v MASKED WITH DEFAULT")
        }
    }

    @Test("masks are described, shown in system_schema, and kept")
    func schema() throws {
        let storage = try Storage.inMemory()
        let first = try WideColumnStore(storage: storage)
        try first.makeKeyspace()
        try first.execute(
            """
            CREATE TABLE t (k int MASKED WITH mask_null() PRIMARY KEY, v text MASKED WITH system.mask_inner(1, null, '-'),
            "W" frozen<list<int>> MASKED WITH mask_replace([1, 2]), x int)
            """)
        let lines = [
            "k int MASKED WITH system.mask_null() PRIMARY KEY,",
            "\"W\" frozen<list<int>> MASKED WITH system.mask_replace([1, 2]),",
            "v text MASKED WITH system.mask_inner(1, null, '-'),", "x int",
        ]
        #expect(try described(first, "t") == lines)
        let second = try WideColumnStore(storage: storage)
        try second.execute("USE ks")
        #expect(try described(second, "t") == lines)
        #expect(
            try second.lines("SELECT * FROM system_schema.column_masks") == [
                "'ks' 't' 'W' [false] ['frozen<list<int>>'] ['[1, 2]'] 'system' 'mask_replace'",
                "'ks' 't' 'k' [] [] [] 'system' 'mask_null'",
                "'ks' 't' 'v' [false, true, false] ['int', 'int', 'text'] ['1', '', '-'] 'system' 'mask_inner'",
            ])
        let statement = try #require(second.execute("DESCRIBE TABLE t")[0]["create_statement", as: String.self])
        try second.execute("DROP TABLE t")
        try second.execute(statement)
        #expect(try described(second, "t") == lines)
        // A column that goes takes its mask along.
        try second.execute("ALTER TABLE t DROP v")
        try second.execute("ALTER TABLE t ADD v text")
        #expect(try described(second, "t")[2] == "v text,")
        try second.execute("ALTER TABLE t RENAME k TO kk")
        #expect(try described(second, "t")[0] == "kk int MASKED WITH system.mask_null() PRIMARY KEY,")
    }

    @Test("a mask follows the fields of its type where these are renamed")
    func renamedFields() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE point (x int, y int)")
        try store.execute("CREATE TYPE line (start frozen<point>, stop frozen<point>)")
        try store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY, p frozen<point> MASKED WITH mask_replace({x: 1, y: 2}),
            l frozen<list<frozen<line>>> MASKED WITH mask_replace([{start: {x: 3}, stop: {y: 4}}]))
            """)
        try store.execute(
            "CREATE MATERIALIZED VIEW mv AS SELECT * FROM t WHERE p IS NOT NULL AND k IS NOT NULL PRIMARY KEY (p, k)")
        try store.execute("INSERT INTO t (k, p, l) VALUES (1, {x: 7, y: 8}, [])")
        try store.execute("ALTER TYPE point RENAME x TO y2 AND y TO x")
        try store.execute("ALTER TYPE line RENAME stop TO \"End\"")
        #expect(try store.lines("SELECT p, l FROM t") == ["{y2: 7, x: 8} []"])
        for table in ["t", "mv"] {
            #expect(
                try masked(store, "SELECT p, l FROM \(table)") == [
                    "{y2: 1, x: 2} [{start: {y2: 3, x: null}, \"End\": {y2: null, x: 4}}]"
                ])
        }
        #expect(
            try described(store, "t") == [
                "k int PRIMARY KEY,",
                "l frozen<list<frozen<line>>> MASKED WITH system.mask_replace([{start: {y2: 3}, \"End\": {x: 4}}]),",
                "p frozen<point> MASKED WITH system.mask_replace({y2: 1, x: 2})",
            ])
    }

    @Test("a mask that can't be applied keeps none from reading who sees values")
    func unusableMask() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE point (x int, y int)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, p frozen<point> MASKED WITH mask_replace({x: 1, y: 2}))")
        try store.execute("INSERT INTO t (k, p) VALUES (1, {x: 7, y: 8})")
        // As earlier versions left it.
        var definitions = store.catalog.schema.definitions
        definitions.types["ks"]?["point"]?.fields[0].name = "z"
        try store.catalog.publish(definitions)
        #expect(try store.lines("SELECT p FROM t") == ["{z: 7, y: 8}"])
        #expect(throws: CQLError.self) { try masked(store, "SELECT p FROM t") }
    }

    @Test(
        "what can't be a mask is refused",
        arguments: [
            (
                "CREATE TABLE y (k int PRIMARY KEY, v int MASKED WITH nosuch())",
                "Unable to find masking function for v, no declared function matches the signature nosuch()"
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v int MASKED WITH ks.mask_default())",
                "Unable to find masking function for v, no declared function matches the signature ks.mask_default()"
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v int MASKED WITH abs())",
                "Not masking function abs() cannot be used for masking table columns"
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v int MASKED WITH max())",
                "Aggregate function max() cannot be used for masking table columns"
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v text MASKED WITH mask_hash('MD5'))",
                "Masking function mask_hash('MD5') return type is blob. This is different to the type of the masked column v "
                    + "of type text. Masking functions can only be attached to table columns of the same data type."
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v text MASKED WITH mask_inner(1))",
                "Invalid number of arguments for function system.mask_inner"
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v int MASKED WITH mask_inner(1, 1))",
                "Function system.mask_inner requires an argument of type [text|varchar|ascii], but found an argument of type int"
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v int MASKED WITH mask_replace('x'))",
                "Invalid STRING constant (x) for \"arg(mask_replace)\" of type int"
            ),
            (
                "CREATE TABLE y (k int PRIMARY KEY, v timeuuid MASKED WITH mask_replace(now()))",
                "The arguments of masking function mask_replace(now()) have to be constants"
            ),
            (
                "ALTER TABLE t ALTER nosuch MASKED WITH DEFAULT", "Column with name 'nosuch' doesn't exist on table 't'"
            ),
            ("ALTER TABLE t ALTER nosuch DROP MASKED", "Column with name 'nosuch' doesn't exist on table 't'"),
            ("ALTER TABLE t ALTER v TYPE bigint", "Altering column types is no longer supported"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        expectInvalid(message) { try store.execute(cql) }
        try store.execute("ALTER TABLE t ALTER IF EXISTS nosuch MASKED WITH DEFAULT")
        try store.execute("ALTER TABLE t ALTER IF EXISTS nosuch DROP MASKED")
    }

    @Test("MASKED is a column's name too")
    func name() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE masked (masked int PRIMARY KEY, v int MASKED WITH DEFAULT)")
        try store.execute("INSERT INTO masked (masked) VALUES (1)")
        #expect(try store.lines("SELECT masked FROM masked") == ["1"])
    }

    @Test("damaged masks in the catalog are refused")
    func damage() throws {
        let store = try makePatients()
        let table = try #require(store.catalog.schema.definitions.tables[.init(keyspace: "ks", name: "patients")])
        let bytes = CatalogCodec.encode(table)
        #expect(bytes[0] == 3)
        #expect(try CatalogCodec.table(bytes).masks == table.masks)
        func isRefused(_ bytes: [UInt8]) {
            #expect { _ = try CatalogCodec.table(bytes) } throws: { ($0 as? StorageError)?.code == .corruption }
        }
        for length in 1..<bytes.count { isRefused(Array(bytes.prefix(length))) }
        isRefused(bytes + [0])
        isRefused([2] + bytes.dropFirst())
        var plain = table
        plain.masks = [:]
        isRefused([3] + CatalogCodec.encode(plain).dropFirst())
        var stray = table
        stray.masks[77] = ColumnMask(function: "mask_default", arguments: [])
        isRefused(CatalogCodec.encode(stray))
    }

    @Test("a mask that can't be read any more shows nothing, and takes no table with it")
    func unreadableMask() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, d duration MASKED WITH mask_replace(P1D))")
        let table = try store.table("t")
        var bytes = CatalogCodec.encode(table.definition)
        // Earlier versions took it for a duration.
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("P1D".utf8)) })
        bytes.replaceSubrange(start..<start + 3, with: Array("p1d".utf8))
        #expect(try CatalogCodec.table(bytes).masks.values.map(\.cql) == ["system.mask_null()"])
    }
}
