import StorageTypes
import Testing

@testable import WideColumnEngine

// [CA] doc cql/indexes.adoc; cql3/statements/schema/CreateIndexStatement.java.

@Suite("Secondary indexes")
struct IndexTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_700_000_000))

    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore(clock)
        try store.execute(
            """
            CREATE TABLE t (k int, c int, s text STATIC, v text, w int, l list<int>, e set<text>, m map<text, int>,
            f frozen<list<int>>, PRIMARY KEY (k, c))
            """)
        return store
    }

    private func fill(_ store: WideColumnStore) throws {
        for k in 1...3 {
            try store.execute("INSERT INTO t (k, s) VALUES (?, ?)", [.int(Int32(k)), .text(k == 2 ? "even" : "odd")])
            for c in 1...4 {
                try store.execute(
                    "INSERT INTO t (k, c, v, w, l, e, m, f) VALUES (?, ?, ?, ?, [1, ?], {'x', ?}, {'a': ?, 'b': 0}, [?])",
                    [
                        .int(Int32(k)), .int(Int32(c)), .text(c.isMultiple(of: 2) ? "even" : "odd"), .int(Int32(k * c)),
                        .int(Int32(c)), .text("\(c)"), .int(Int32(c)), .int(Int32(c)),
                    ])
            }
        }
    }

    private static let indexes = [
        "CREATE INDEX ON t (v)", "CREATE INDEX by_static ON t (s)", "CREATE INDEX by_c ON t (c)",
        "CREATE INDEX by_list ON t (l)", "CREATE INDEX by_set ON t (values(e))", "CREATE INDEX by_key ON t (keys(m))",
        "CREATE INDEX by_value ON t (values(m))", "CREATE INDEX by_entry ON t (entries(m))",
        "CREATE INDEX by_full ON t (full(f))",
    ]

    @Test("an index answers the same whether it was made before the rows or after", arguments: [false, true])
    func answers(isFirst: Bool) throws {
        let store = try makeTable()
        if isFirst { for cql in Self.indexes { try store.execute(cql) } }
        try fill(store)
        if !isFirst { for cql in Self.indexes { try store.execute(cql) } }
        for (condition, rows) in [
            ("v = 'even'", ["1 2", "1 4", "2 2", "2 4", "3 2", "3 4"]),
            ("s = 'even'", ["2 1", "2 2", "2 3", "2 4"]),
            ("c = 3", ["1 3", "2 3", "3 3"]),
            ("l CONTAINS 4", ["1 4", "2 4", "3 4"]),
            ("e CONTAINS '2'", ["1 2", "2 2", "3 2"]),
            ("m CONTAINS KEY 'a' AND k = 1 AND c = 2", ["1 2"]),
            ("m CONTAINS 3", ["1 3", "2 3", "3 3"]),
            ("m['a'] = 4", ["1 4", "2 4", "3 4"]),
            ("f = [2]", ["1 2", "2 2", "3 2"]),
            ("v = 'odd' AND k = 2", ["2 1", "2 3"]),
            ("v = 'nosuch'", []),
        ] {
            let result = try store.execute(
                "SELECT k, c FROM t WHERE \(condition)\(condition.contains("AND c") ? " ALLOW FILTERING" : "")")
            #expect(result.map { "\($0[0]) \($0[1])" }.sorted() == rows, "\(condition)")
        }
        #expect(
            try store.execute("SELECT * FROM t WHERE v = 'even'").trace == ["Executing read on t using index t_v_idx"])
        #expect(try store.execute("SELECT k FROM t WHERE v = 'even' AND w > 3 ALLOW FILTERING").count == 5)
        expectInvalid(WhereClause.filteringMessage) { try store.execute("SELECT k FROM t WHERE v = 'even' AND w > 3") }
        expectInvalid(WhereClause.filteringMessage) { try store.execute("SELECT k FROM t WHERE v > 'even'") }
        expectInvalid("ORDER BY with 2ndary indexes is not supported.") {
            try store.execute("SELECT k FROM t WHERE v = 'even' AND k = 1 ORDER BY c DESC")
        }
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("pages of an index's rows fit together, found by rows or by static rows")
    func paging() throws {
        let store = try makeTable()
        for cql in Self.indexes { try store.execute(cql) }
        try fill(store)
        for condition in ["v = 'odd'", "s = 'odd'", "s = 'odd' AND w > 2", "c = 1"] {
            let statement = try store.prepare("SELECT k, c FROM t WHERE \(condition) ALLOW FILTERING")
            let all = try statement.execute().map(\.description)
            for pageSize in 1...5 {
                let rows = try statement.pages(size: pageSize).map(\.description)
                #expect(rows == all, "\(condition), page size \(pageSize)")
            }
        }
        #expect(try store.execute("SELECT k FROM t WHERE v = 'odd' PER PARTITION LIMIT 1").count == 3)
        #expect(try store.execute("SELECT k FROM t WHERE v = 'odd' LIMIT 4").count == 4)
        #expect(try store.lines("SELECT count(*) FROM t WHERE v = 'odd'") == ["6"])
    }

    @Test("entries follow updates, deletions of all kinds, times to live, and conditions")
    func maintenance() throws {
        let store = try makeTable()
        for cql in Self.indexes { try store.execute(cql) }
        try fill(store)
        func keys(_ condition: String) throws -> [String] {
            try store.execute("SELECT k, c FROM t WHERE \(condition)").map { "\($0[0]) \($0[1])" }.sorted()
        }
        try store.execute("UPDATE t SET v = 'new' WHERE k = 1 AND c = 1")
        try store.execute("UPDATE t SET v = 'late' WHERE k = 1 AND c = 2")
        try store.execute("UPDATE t USING TIMESTAMP 1 SET v = 'stale' WHERE k = 1 AND c = 2")
        #expect(try keys("v = 'new'") == ["1 1"] && keys("v = 'late'") == ["1 2"] && keys("v = 'stale'") == [])
        try store.execute("DELETE v FROM t WHERE k = 1 AND c = 1")
        try store.execute("DELETE FROM t WHERE k = 1 AND c = 2")
        #expect(try keys("v = 'new'") == [] && keys("v = 'late'") == [])
        try store.execute("DELETE FROM t WHERE k = 2 AND c >= 2")
        #expect(try keys("l CONTAINS 3") == ["1 3", "3 3"])
        try store.execute("DELETE FROM t WHERE k = 3")
        #expect(try keys("s = 'odd'") == ["1 1", "1 3", "1 4"])
        try store.execute("UPDATE t SET e = e - {'x'}, m['a'] = 77 WHERE k = 1 AND c = 3")
        #expect(try keys("e CONTAINS 'x'") == ["1 1", "1 4", "2 1"] && keys("m['a'] = 77") == ["1 3"])
        try store.execute("UPDATE t USING TTL 10 SET v = 'brief' WHERE k = 1 AND c = 3")
        #expect(try keys("v = 'brief'") == ["1 3"])
        #expect(try store.storage.verify().problems.isEmpty)
        clock.advance(by: .seconds(11))
        #expect(try keys("v = 'brief'") == [])
        #expect(try store.execute("UPDATE t SET v = 'won' WHERE k = 1 AND c = 3 IF w = 3").wasApplied)
        #expect(try keys("v = 'won'") == ["1 3"])
        #expect(try store.storage.verify().problems.isEmpty)
        try store.execute("TRUNCATE t")
        #expect(try keys("v = 'won'") == [] && store.storage.verify().problems.isEmpty)
    }

    @Test("a column that goes takes the entries of rows that lived by it alone")
    func droppedColumn() throws {
        let store = try makeTable()
        try store.execute("CREATE INDEX by_c ON t (c)")
        try store.execute("UPDATE t SET w = 1 WHERE k = 1 AND c = 7")
        try store.execute("UPDATE t SET v = 'x' WHERE k = 1 AND c = 8")
        try store.execute("ALTER TABLE t DROP w")
        #expect(try store.execute("SELECT * FROM t WHERE c = 7").isEmpty)
        #expect(try store.execute("SELECT * FROM t WHERE c = 8").count == 1)
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("an index is always what a scan finds, over random writes, flushes and compactions")
    func random() throws {
        let seed: UInt64 = 20_251_124
        var random = SeededRandom(seed: seed)
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute(
            "CREATE TABLE t (k int, c int, s int STATIC, v int, e set<int>, m map<int, int>, PRIMARY KEY (k, c))")
        for target in ["v", "s", "c", "e", "entries(m)"] { try disk.store.execute("CREATE INDEX ON t (\(target))") }
        func small() -> CQLValue { .int(Int32.random(in: 0..<4, using: &random)) }
        let statements = [
            "INSERT INTO t (k, c, v, e, m) VALUES (?, ?, ?, {1, 2}, {1: 1}) USING TIMESTAMP ?",
            "UPDATE t USING TIMESTAMP :t SET v = :v WHERE k = :k AND c = :c",
            "UPDATE t USING TTL 20 SET e = e + {3}, m[2] = :v WHERE k = :k AND c = :c",
            "UPDATE t USING TIMESTAMP :t SET s = :v WHERE k = :k",
            "DELETE v, e FROM t USING TIMESTAMP :t WHERE k = :k AND c = :c",
            "DELETE FROM t USING TIMESTAMP :t WHERE k = :k AND c = :c",
            "DELETE FROM t USING TIMESTAMP :t WHERE k = :k AND c < :c",
            "DELETE FROM t USING TIMESTAMP :t WHERE k = :k", "UPDATE t SET e = {4}, m = {3: 3} WHERE k = :k AND c = :c",
            "DELETE FROM t WHERE k = :k AND c = :c", "DELETE v, m FROM t WHERE k = :k AND c = :c",
        ]
        // Rounds that changed something: what comes too late for that is of less use.
        var effectiveCount = 0
        var rows: [String] = []
        for round in 0..<600 {
            let statement = try disk.store.prepare(statements.randomElement(using: &random) ?? statements[0])
            // Some rounds before or behind this one.
            clock.advance(by: .microseconds(10))
            let now = clock.now.microseconds
            let values = statement.markers.map { marker -> CQLValue in
                marker.type == .bigint ? .bigint(now + Int64.random(in: -60...60, using: &random)) : small()
            }
            try statement.execute(values)
            let changed = try disk.store.lines("SELECT * FROM t")
            if changed != rows { effectiveCount += 1 }
            rows = changed
            if round % 150 == 149 {
                try disk.flushAndCompact()
                clock.advance(by: .seconds(15))
                try disk.reopen()
            }
            guard round % 20 == 0 else { continue }
            for condition in ["v = 1", "s = 2", "c = 3", "e CONTAINS 2", "e CONTAINS 4", "m[2] = 1", "m[1] = 1"] {
                let byIndex = try disk.store.lines("SELECT * FROM t WHERE \(condition)")
                let scanned = try disk.store.execute("SELECT * FROM t").filter { try Self.matches($0, condition) }
                    .map { $0.values.map(\.description).joined(separator: " ") }
                #expect(byIndex == scanned, "seed \(seed), round \(round), \(condition)")
            }
            #expect(try disk.store.storage.verify().problems.isEmpty, "seed \(seed), round \(round)")
        }
        #expect(effectiveCount > 300)
    }

    private static func matches(_ row: Row, _ condition: String) throws -> Bool {
        switch condition {
        case "v = 1": row["v"] == .int(1)
        case "s = 2": row["s"] == .int(2)
        case "c = 3": row["c"] == .int(3)
        case "e CONTAINS 2": try row["e"].element(at: .int(2), .int) == .int(2)
        case "e CONTAINS 4": try row["e"].element(at: .int(4), .int) == .int(4)
        case "m[2] = 1": try row["m"].element(at: .int(2), .int) == .int(1)
        default: try row["m"].element(at: .int(1), .int) == .int(1)
        }
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            ("CREATE INDEX ON t (nosuch)", "Column 'nosuch' doesn't exist"),
            ("CREATE INDEX ON t (k)", "Cannot create secondary index on the only partition key column k"),
            (
                "CREATE INDEX ON t (keys(v))",
                "Cannot create keys() index on v. Non-collection columns only support simple indexes"
            ),
            ("CREATE INDEX ON t (full(m))", "full() indexes can only be created on frozen collections"),
            ("CREATE INDEX ON t (keys(l))", "Cannot create index on keys of column l with non-map type"),
            (
                "CREATE INDEX ON t (f)",
                "Cannot create values() index on frozen column f. Frozen collections are immutable and must be fully "
                    + "indexed by using the 'full(f)' modifier"
            ),
            ("CREATE CUSTOM INDEX ON t (v)", "CUSTOM index requires specifying the index class"),
            ("CREATE CUSTOM INDEX ON t (v) USING 'x.Y'", "Unable to find custom indexer class 'x.Y'"),
            ("CREATE INDEX ON t (v, w)", "Only CUSTOM indexes support multiple columns"),
            ("DROP INDEX nosuch", "Index 'ks.nosuch' doesn't exist"),
            ("ALTER TABLE t DROP w", "Cannot drop column w because it has dependent secondary indexes (w_index)"),
            ("CREATE INDEX w_index ON t (v)", "Index 'w_index' already exists"),
            ("CREATE INDEX again ON t (w)", "Index again is a duplicate of existing index w_index"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeTable()
        try store.execute("CREATE INDEX w_index ON t (w)")
        try store.execute("CREATE INDEX IF NOT EXISTS w_index ON t (w)")
        expectInvalid(message) { try store.execute(cql) }
        try store.execute("DROP INDEX w_index")
        try store.execute("DROP INDEX IF EXISTS w_index")
        #expect(store.storage.keyspaceNames.filter { $0.hasSuffix("w_index") } == [])
    }
}
