import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Materialized views")
struct ViewTests {
    private let clock = ManualClock()

    private func makeViewStore() throws -> WideColumnStore {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, u text, v int, w int, PRIMARY KEY (k, c))")
        try store.execute(
            """
            CREATE MATERIALIZED VIEW by_user AS SELECT k, c, u, v FROM t
            WHERE u IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (u, c, k) WITH CLUSTERING ORDER BY (c DESC)
            """)
        try store.execute(
            "CREATE MATERIALIZED VIEW by_c AS SELECT k, c, v FROM t WHERE c IS NOT NULL AND k IS NOT NULL PRIMARY KEY (c, k)"
        )
        return store
    }

    @Test("a new key value moves the view's row, null removes it")
    func keyChange() throws {
        let store = try makeViewStore()
        try store.execute("INSERT INTO t (k, c, u, v) VALUES (1, 1, 'a', 5)")
        #expect(try store.lines("SELECT * FROM by_user") == ["'a' 1 1 5"])
        try store.execute("UPDATE t SET u = 'b' WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user") == ["'b' 1 1 5"])
        try store.execute("UPDATE t SET v = 6 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user WHERE u = 'b'") == ["'b' 1 1 6"])
        try store.execute("DELETE u FROM t WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user") == [])
        #expect(try store.lines("SELECT * FROM by_c") == ["1 1 6"])
    }

    @Test("a late write with an older timestamp does not bring an old view row back")
    func outOfOrder() throws {
        let store = try makeViewStore()
        try store.execute("INSERT INTO t (k, c, u, v) VALUES (1, 1, 'new', 2) USING TIMESTAMP 20")
        try store.execute("INSERT INTO t (k, c, u, v) VALUES (1, 1, 'old', 1) USING TIMESTAMP 10")
        #expect(try store.lines("SELECT * FROM by_user") == ["'new' 1 1 2"])
        try store.execute("DELETE FROM t USING TIMESTAMP 15 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user") == ["'new' 1 1 2"])
        try store.execute("DELETE FROM t USING TIMESTAMP 25 WHERE k = 1")
        #expect(try store.lines("SELECT * FROM by_user") == [])
        try store.execute("UPDATE t USING TIMESTAMP 30 SET u = 'again' WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user") == ["'again' 1 1 null"])
    }

    @Test("a row that lives by a column the view lacks is in the view, as long as that column lives")
    func unselectedColumns() throws {
        let store = try makeViewStore()
        try store.execute("UPDATE t USING TTL 10 SET w = 1 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_c") == ["1 1 null"])
        clock.advance(by: .seconds(10))
        #expect(try store.lines("SELECT * FROM by_c") == [])
    }

    @Test("a view row lives as long as its key column, its cells as long as the table's")
    func timeToLive() throws {
        let store = try makeViewStore()
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 7)")
        try store.execute("UPDATE t USING TTL 10 SET u = 'a' WHERE k = 1 AND c = 1")
        try store.execute("INSERT INTO t (k, c, u) VALUES (2, 1, 'b')")
        try store.execute("UPDATE t USING TTL 5 SET v = 3 WHERE k = 2 AND c = 1")
        #expect(try store.lines("SELECT u, v FROM by_user").sorted() == ["'a' 7", "'b' 3"])
        clock.advance(by: .seconds(5))
        #expect(try store.lines("SELECT u, v FROM by_user").sorted() == ["'a' 7", "'b' null"])
        clock.advance(by: .seconds(5))
        #expect(try store.lines("SELECT u, v FROM by_user") == ["'b' null"])
        // Writing the row anew replaces what expired in the view.
        try store.execute("UPDATE t SET u = 'a' WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT u, v FROM by_user WHERE u = 'a'") == ["'a' 7"])
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("a view over existing data has all of it, over many chunks, deletions and all")
    func building() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, u text, PRIMARY KEY (k, c))")
        let insert = try store.prepare("INSERT INTO t (k, c, u) VALUES (?, ?, ?)")
        for index in 0..<1200 {
            try insert.execute([.int(Int32(index % 7)), .int(Int32(index)), .text("u\(index % 11)")])
        }
        try store.execute("DELETE FROM t WHERE k = 3")
        try store.execute("DELETE FROM t WHERE k = 4 AND c > 600")
        try store.execute("DELETE FROM t WHERE k = 5 AND c = 5")
        try store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE u IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (u, k, c)"
        )
        #expect(try store.lines("SELECT k, c, u FROM m").sorted() == store.lines("SELECT k, c, u FROM t").sorted())
        #expect(try store.storage.verify().problems.isEmpty)
        try store.execute("DROP MATERIALIZED VIEW m")
        try insert.execute([1, 1, "x"])
    }

    @Test("the WHERE clause may select part of the table")
    func filteredView() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))")
        try store.execute("CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE k = 1 AND c >= 3 PRIMARY KEY (c, k)")
        for k in 1...2 { for c in 1...4 { try store.execute("INSERT INTO t (k, c, v) VALUES (\(k), \(c), 0)") } }
        #expect(try store.lines("SELECT k, c FROM m").sorted() == ["1 3", "1 4"])
        try store.execute("TRUNCATE t")
        #expect(try store.lines("SELECT * FROM m") == [])
    }

    @Test("the WHERE clause may have terms that are always the same, and shows them as they were written")
    func termsOfConditions() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c frozen<list<int>>, u uuid, PRIMARY KEY (k, c, u))")
        let from = "AS SELECT * FROM t WHERE"
        try store.execute(
            """
            CREATE MATERIALIZED VIEW m \(from) k = blobAsInt(0x00000001) + - -1 AND c IN ([1, 2], [3])
            AND u IS NOT NULL PRIMARY KEY (k, c, u)
            """)
        for k in 1...2 {
            for list in ["[1, 2]", "[2]", "[3]"] {
                try store.execute("INSERT INTO t (k, c, u) VALUES (\(k), \(list), uuid())")
            }
        }
        #expect(try store.lines("SELECT k, c FROM m") == ["2 [1, 2]", "2 [3]"])
        #expect(try store.storage.verify().problems.isEmpty)
        let described = try store.execute("DESCRIBE MATERIALIZED VIEW m")[0]["create_statement", as: String.self]
        try store.execute("DROP MATERIALIZED VIEW m")
        try store.execute(try #require(described))
        #expect(try store.lines("SELECT k, c FROM m") == ["2 [1, 2]", "2 [3]"])
        expectInvalid("Only constants are supported in the WHERE clause of a materialized view") {
            try store.execute(
                "CREATE MATERIALIZED VIEW n \(from) k = 1 AND c IS NOT NULL AND u = uuid() PRIMARY KEY (k, c, u)")
        }
        expectInvalid("Invalid STRING constant (a) for \"k\" of type int") {
            try store.execute(
                "CREATE MATERIALIZED VIEW n \(from) k = 'a' AND c IS NOT NULL AND u IS NOT NULL PRIMARY KEY (k, c, u)")
        }
    }

    @Test("verify finds a view that does not match its table")
    func crossCheck() throws {
        let store = try makeViewStore()
        try store.execute("INSERT INTO t (k, c, u, v) VALUES (1, 1, 'a', 5)")
        #expect(try store.storage.verify().problems.isEmpty)
        let view = try store.table("by_user")
        try store.storage.write { try $0.deleteRange(view.storage, .all) }
        #expect(try !store.storage.verify().problems.isEmpty)
    }

    @Test("a view may want values of columns outside its key, and has the rows that have them, as long as they live")
    func requiredColumns() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, u text, v int, w int, m set<int>, PRIMARY KEY (k, c))")
        try store.execute(
            """
            CREATE MATERIALIZED VIEW by_c AS SELECT k, c, v FROM t
            WHERE k IS NOT NULL AND c IS NOT NULL AND v IS NOT NULL AND w IS NOT NULL PRIMARY KEY (c, k)
            """)
        try store.execute(
            """
            CREATE MATERIALIZED VIEW by_user AS SELECT k, c, u FROM t
            WHERE k IS NOT NULL AND c IS NOT NULL AND u IS NOT NULL AND m IS NOT NULL PRIMARY KEY (u, k, c)
            """)
        let shown = try store.lines("SELECT where_clause FROM system_schema.views WHERE keyspace_name = 'ks'")
        #expect(shown.first?.contains("w IS NOT NULL") == true)

        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 1)")
        #expect(try store.lines("SELECT * FROM by_c") == [])
        try store.execute("UPDATE t USING TTL 10 SET w = 5 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT c, k, v, ttl(v) FROM by_c") == ["1 1 1 null"])
        try store.execute("UPDATE t USING TTL 20 SET v = 2 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT c, k, v, ttl(v) FROM by_c") == ["1 1 2 20"])
        clock.advance(by: .seconds(10))
        #expect(try store.lines("SELECT * FROM by_c") == [])
        #expect(try store.lines("SELECT v FROM t") == ["2"])
        // With its value the row comes back, and goes with the other one.
        try store.execute("UPDATE t SET w = 6 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_c") == ["1 1 2"])
        clock.advance(by: .seconds(10))
        #expect(try store.lines("SELECT * FROM by_c") == [])
        try store.execute("UPDATE t SET v = 3 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_c") == ["1 1 3"])
        try store.execute("DELETE w FROM t WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_c") == [])

        // A collection has a value as long as its last element.
        try store.execute("UPDATE t SET u = 'a' WHERE k = 2 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user") == [])
        try store.execute("UPDATE t USING TTL 5 SET m = {1} WHERE k = 2 AND c = 1")
        try store.execute("UPDATE t USING TTL 9 SET m = m + {2} WHERE k = 2 AND c = 1")
        clock.advance(by: .seconds(8))
        #expect(try store.lines("SELECT * FROM by_user") == ["'a' 2 1"])
        clock.advance(by: .seconds(1))
        #expect(try store.lines("SELECT * FROM by_user") == [])
        try store.execute("UPDATE t SET m = m + {3} WHERE k = 2 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user") == ["'a' 2 1"])
        try store.execute("UPDATE t SET m = m - {3} WHERE k = 2 AND c = 1")
        #expect(try store.lines("SELECT * FROM by_user") == [])
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            (
                "SELECT * FROM t WHERE u IS NOT NULL AND v IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (u, v, k, c)",
                "Cannot include more than one non-primary key column in materialized view primary key (got u, v)"
            ),
            (
                "SELECT * FROM t WHERE u IS NOT NULL AND k IS NOT NULL PRIMARY KEY (u, k)",
                "Cannot create materialized view 'm' without primary key columns c from base table 't'"
            ),
            (
                "SELECT * FROM t WHERE u IS NOT NULL AND k IS NOT NULL PRIMARY KEY (u, k, c)",
                "Primary key columns c must be restricted with 'IS NOT NULL' or otherwise"
            ),
            (
                "SELECT * FROM t WHERE u = 'a' AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (u, k, c)",
                "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: u restricted illegally)"
            ),
            (
                "SELECT * FROM by_c WHERE k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (k, c)",
                "Materialized views cannot be created against other materialized views"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND k = 2 AND c IS NOT NULL PRIMARY KEY (k, c)",
                "k cannot be restricted by more than one relation if it includes an Equal"
            ),
            (
                "SELECT * FROM t WHERE k IS NOT NULL AND c > 1 AND c >= 2 PRIMARY KEY (k, c)",
                "More than one restriction was found for the start bound on c"
            ),
            (
                "SELECT * FROM t WHERE k = ? AND c IS NOT NULL PRIMARY KEY (k, c)",
                "Bind variables are not allowed in CREATE MATERIALIZED VIEW statements"
            ),
            (
                "SELECT * FROM t WHERE (k, c) > (1, 2) PRIMARY KEY (k, c)",
                "Multi-column relations can only be applied to clustering columns but was applied to: k"
            ),
            (
                "SELECT * FROM t WHERE k IS NOT NULL AND c IS NOT NULL AND (u) = ('a') PRIMARY KEY (k, c)",
                "Multi-column relations can only be applied to clustering columns but was applied to: u"
            ),
            (
                "SELECT * FROM t WHERE k IS NOT NULL AND (c) > (1, 2) PRIMARY KEY (k, c)",
                "Expected 1 elements in value tuple, but got 2: (1, 2)"
            ),
            (
                "SELECT * FROM t WHERE k IS NOT NULL AND c = 1 AND (c) > (1) PRIMARY KEY (k, c)",
                "c cannot be restricted by more than one relation if it includes an Equal"
            ),
            (
                "SELECT * FROM t WHERE k IS NOT NULL AND (c) IN ((uuid())) PRIMARY KEY (k, c)",
                "Type error: cannot assign result of function system.uuid (type uuid) to c (type int)"
            ),
            (
                "SELECT * FROM t WHERE k IS NOT NULL AND (c, c) > (1, 2) PRIMARY KEY (k, c)",
                "Column \"c\" appeared twice in a relation: (c, c) > (1, 2)"
            ),
            (
                "SELECT * FROM t WHERE k IS NOT NULL AND c IS NOT NULL AND m['a'] = 1 PRIMARY KEY (k, c)",
                "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: m restricted illegally)"
            ),
        ])
    func refusals(select: String, message: String) throws {
        let store = try makeViewStore()
        expectInvalid(message) { try store.execute("CREATE MATERIALIZED VIEW m AS \(select)") }
    }

    @Test("a table that keeps no deletions can have no view")
    func gracePeriod() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int) WITH gc_grace_seconds = 0")
        let create =
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE k IS NOT NULL AND v IS NOT NULL PRIMARY KEY (v, k)"
        expectInvalid(
            "Cannot create materialized view 'm' for base table 't' with gc_grace_seconds of 0, since this value is used "
                + "to TTL undelivered updates. Setting gc_grace_seconds too low might cause undelivered updates to expire "
                + "before being replayed."
        ) { try store.execute(create) }
        try store.execute("ALTER TABLE t WITH gc_grace_seconds = 1")
        try store.execute(create)
    }

    @Test("a view's relation of several columns is shown, outlives a restart and follows a column to its new name")
    func multiColumnRelations() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int, a int, b text, v int, PRIMARY KEY (k, a, b))")
        try disk.store.execute(
            """
            CREATE MATERIALIZED VIEW late AS SELECT * FROM t WHERE k IS NOT NULL AND (a, b) > (1, 'it''s')
            PRIMARY KEY (b, a, k)
            """)
        try disk.store.execute("ALTER TABLE t RENAME b TO \"B\"")
        try disk.reopen()
        let shown = try disk.store.execute("SELECT where_clause FROM system_schema.views WHERE keyspace_name = 'ks'")
        #expect(shown.map { $0[0] } == [.text(#"k IS NOT NULL AND (a, "B") > (1, 'it''s')"#)])
        for (a, b) in [(0, "z"), (1, "a"), (1, "it's"), (1, "it's late"), (2, "a")] {
            try disk.store.execute("INSERT INTO t (k, a, \"B\") VALUES (1, ?, ?)", [.int(Int32(a)), .text(b)])
        }
        #expect(try Set(disk.store.lines("SELECT a, \"B\" FROM late")) == ["1 'it''s late'", "2 'a'"])
    }

    @Test("views are changed only through their tables")
    func directChanges() throws {
        let store = try makeViewStore()
        expectInvalid("Cannot directly modify a materialized view") {
            try store.execute("INSERT INTO by_c (c, k) VALUES (1, 1)")
        }
        expectInvalid("Cannot TRUNCATE materialized view directly; must truncate base table instead") {
            try store.execute("TRUNCATE by_c")
        }
        expectInvalid("Cannot use DROP TABLE on a materialized view. Please use DROP MATERIALIZED VIEW instead.") {
            try store.execute("DROP TABLE by_c")
        }
        expectInvalid("Cannot drop a table when materialized views still depend on it (by_c,by_user)") {
            try store.execute("DROP TABLE t")
        }
    }
}

/// Random operations of every kind on a table with views; after each step the views must equal the queries that
/// define them, computed from the table by hand, across flushes, compactions and restarts.
@Suite("Views against their queries")
struct ViewModelTests {
    @Test("a view always equals the query that defines it", arguments: [11, 22, 33] as [UInt64])
    func randomized(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let clock = ManualClock()
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute(
            "CREATE TABLE t (k int, c int, u text, v int, w int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)")
        let create = [
            "CREATE MATERIALIZED VIEW by_user AS SELECT u, k, c, v FROM t WHERE u IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (u, k, c)",
            "CREATE MATERIALIZED VIEW user_w AS SELECT u, k, c, v FROM t WHERE u IS NOT NULL AND w IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (u, k, c)",
            "CREATE MATERIALIZED VIEW by_c AS SELECT k, c, v FROM t WHERE c IS NOT NULL AND k IS NOT NULL PRIMARY KEY (c, k)",
            "CREATE MATERIALIZED VIEW c_vw AS SELECT k, c, v FROM t WHERE c IS NOT NULL AND k IS NOT NULL AND v IS NOT NULL AND w IS NOT NULL PRIMARY KEY (c, k)",
        ]
        for cql in create[..<2] { try disk.store.execute(cql) }
        for step in 0..<400 {
            if step == 200 { for cql in create[2...] { try disk.store.execute(cql) } }
            let (cql, values) = operation(&random, clock)
            try disk.store.execute(cql, values)
            if Int.random(in: 0..<10, using: &random) == 0 {
                clock.advance(by: .seconds(Int.random(in: 1...4, using: &random)))
            }
            switch Int.random(in: 0..<40, using: &random) {
            case 0: try disk.store.storage.flush()
            case 1: try disk.flushAndCompact()
            case 2: try disk.reopen()
            default: break
            }
            guard step % 5 == 0 else { continue }
            let comment: Comment = "seed \(seed), step \(step): \(cql) \(values)"
            let table = try disk.store.execute("SELECT k, c, u, v, writetime(v), w, ttl(v) FROM t")
            let byUser = table.filter { !$0["u"].isNull }.map { "\($0["u"]) \($0["k"]) \($0["c"]) \($0["v"]) \($0[4])" }
            #expect(
                try disk.store.lines("SELECT u, k, c, v, writetime(v) FROM by_user").sorted() == byUser.sorted(),
                comment)
            let userW = table.filter { !$0["u"].isNull && !$0["w"].isNull }.map {
                "\($0["u"]) \($0["k"]) \($0["c"]) \($0["v"]) \($0[6])"
            }
            #expect(
                try disk.store.lines("SELECT u, k, c, v, ttl(v) FROM user_w").sorted() == userW.sorted(), comment)
            guard step >= 200 else { continue }
            let byC = table.map { "\($0["c"]) \($0["k"]) \($0["v"]) \($0[4])" }
            #expect(try disk.store.lines("SELECT c, k, v, writetime(v) FROM by_c").sorted() == byC.sorted(), comment)
            let withBoth = table.filter { !$0["v"].isNull && !$0["w"].isNull }.map {
                "\($0["c"]) \($0["k"]) \($0["v"]) \($0[4])"
            }
            #expect(
                try disk.store.lines("SELECT c, k, v, writetime(v) FROM c_vw").sorted() == withBoth.sorted(), comment)
            #expect(try disk.store.storage.verify().problems == [], comment)
        }
    }

    @Test("a view of a range of several clustering columns always equals its query", arguments: [44, 55] as [UInt64])
    func multiColumnRelations(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let disk = try StoreOnDisk(ManualClock())
        try disk.createKeyspace()
        try disk.store.execute(
            """
            CREATE TABLE t (k int, a int, b text, c int, v int, PRIMARY KEY (k, a, b, c))
            WITH CLUSTERING ORDER BY (a ASC, b DESC, c ASC)
            """)
        let views: [(relations: String, notNull: String, key: String)] = [
            ("(a, b) > (1, 'b')", "c IS NOT NULL", "((b, a), k, c)"),
            ("(a, b, c) <= (2, 'a', 1)", "k IS NOT NULL", "(k, a, b, c)"),
            ("(a, b) >= (0, 'c') AND (a, b, c) < (2, 'b', 1)", "k IS NOT NULL", "(c, b, a, k)"),
            ("(a, b) IN ((0, 'a'), (2, 'c'), (7, '')) AND c > 0", "k IS NOT NULL", "(a, k, b, c)"),
            ("(a, b) = (1, 'b')", "c IS NOT NULL AND v IS NOT NULL", "(v, k, a, b, c)"),
            ("a = 1 AND (b, c) > ('a', 1)", "k IS NOT NULL", "(k, a, b, c)"),
        ]
        func create(_ index: Int) throws {
            let view = views[index]
            try disk.store.execute(
                "CREATE MATERIALIZED VIEW v\(index) AS SELECT k, a, b, c, v FROM t "
                    + "WHERE k IS NOT NULL AND \(view.relations) AND \(view.notNull) PRIMARY KEY \(view.key)")
        }
        for index in 0..<3 { try create(index) }
        for step in 0..<300 {
            if step == 150 { for index in 3..<views.count { try create(index) } }
            let key: [CQLValue] = [
                .int(.random(in: 1...2, using: &random)), .int(.random(in: 0...3, using: &random)),
                .text(["", "a", "b", "c"].randomElement(using: &random) ?? ""),
                .int(.random(in: 0...2, using: &random)),
            ]
            let v: CQLValue = [.int(1), .int(2), .null].randomElement(using: &random) ?? .null
            switch Int.random(in: 0..<8, using: &random) {
            case 0: try disk.store.execute("DELETE FROM t WHERE k = ? AND (a, b) >= (?, ?)", Array(key.prefix(3)))
            case 1: try disk.store.execute("DELETE FROM t WHERE k = ? AND a = ? AND b = ? AND c = ?", key)
            case 2: try disk.flushAndCompact()
            default: try disk.store.execute("INSERT INTO t (k, a, b, c, v) VALUES (?, ?, ?, ?, ?)", key + [v])
            }
            guard step % 10 == 9 else { continue }
            for (index, view) in views.enumerated().prefix(step < 150 ? 3 : views.count) {
                let query = "SELECT k, a, b, c, v FROM t WHERE k IN (1, 2) AND \(view.relations)"
                let rows = try disk.store.execute(query).map(\.values)
                let expected = rows.filter { !view.notNull.contains("v") || !$0[4].isNull }.map { "\($0)" }
                let found = try disk.store.execute("SELECT k, a, b, c, v FROM v\(index)").map { "\($0.values)" }
                #expect(found.sorted() == expected.sorted(), "seed \(seed), step \(step), \(view.relations)")
            }
            #expect(try disk.store.storage.verify().problems == [], "seed \(seed), step \(step)")
        }
    }

    private func operation(_ random: inout SeededRandom, _ clock: ManualClock) -> (String, [CQLValue]) {
        let k = CQLValue.int(Int32.random(in: 1...3, using: &random))
        let c = CQLValue.int(Int32.random(in: 1...4, using: &random))
        let u: CQLValue = ["a", "b", .null, .unset].randomElement(using: &random) ?? .null
        let v: CQLValue =
            [.int(Int32.random(in: 1...9, using: &random)), .null, .unset].randomElement(using: &random) ?? .null
        let w: CQLValue = [.int(1), .null, .unset].randomElement(using: &random) ?? .null
        var using = ""
        if Int.random(in: 0..<3, using: &random) == 0 {
            using = " USING TIMESTAMP \(clock.now.microseconds - Int64.random(in: 0...3_000_000, using: &random))"
        }
        let expiring = (using.isEmpty ? " USING" : "\(using) AND") + " TTL \(Int.random(in: 1...6, using: &random))"
        let writing = Int.random(in: 0..<3, using: &random) == 0 ? expiring : using
        switch Int.random(in: 0..<12, using: &random) {
        case 0...3: return ("INSERT INTO t (k, c, u, v, w) VALUES (?, ?, ?, ?, ?)\(writing)", [k, c, u, v, w])
        case 4...6: return ("UPDATE t\(writing) SET u = ?, v = ?, w = ? WHERE k = ? AND c = ?", [u, v, w, k, c])
        case 7: return ("DELETE u, w FROM t\(using) WHERE k = ? AND c = ?", [k, c])
        case 8: return ("DELETE FROM t\(using) WHERE k = ? AND c = ?", [k, c])
        case 9: return ("DELETE FROM t\(using) WHERE k = ? AND c >= ?", [k, c])
        case 10: return ("DELETE FROM t\(using) WHERE k = ? AND c < ?", [k, c])
        default:
            return (
                "BEGIN BATCH UPDATE t SET u = ? WHERE k = ? AND c = ?; DELETE FROM t WHERE k = ?; INSERT INTO t (k, c, u) VALUES (?, ?, ?) USING TTL 3 APPLY BATCH",
                [u, k, c, k, k, c, u]
            )
        }
    }
}
