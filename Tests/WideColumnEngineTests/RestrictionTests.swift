import StorageTypes
import Testing

@testable import WideColumnEngine

// [CA] cql3/restrictions; doc cql/dml.adoc "The WHERE clause".

@Suite("Restrictions")
struct RestrictionTests {
    private func makeRows() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (p int, q text, a int, b int, c int, s int STATIC, v int, d duration, PRIMARY KEY ((p, q), a, b, c))"
        )
        for a in 1...2 {
            for b in 1...2 {
                for c in 1...2 {
                    try store.execute(
                        "INSERT INTO t (p, q, a, b, c, v) VALUES (1, 'x', ?, ?, ?, ?)",
                        [.int(Int32(a)), .int(Int32(b)), .int(Int32(c)), .int(Int32(a * 100 + b * 10 + c))])
                }
            }
        }
        try store.execute("INSERT INTO t (p, q, s) VALUES (2, 'y', 5)")
        return store
    }

    @Test(
        "relations of several columns",
        arguments: [
            ("p = 1 AND q = 'x' AND a = 1 AND (b, c) > (1, 1)", [112, 121, 122]),
            ("p = 1 AND q = 'x' AND (a, b, c) >= (1, 2, 2) AND (a, b) < (2, 2)", [122, 211, 212]),
            ("p = 1 AND q = 'x' AND (a, b) IN ((2, 2), (1, 1), (2, 2))", [111, 112, 221, 222]),
            ("p = 1 AND q = 'x' AND a = 2 AND (b, c) = (1, 2)", [212]),
            ("(a, b) = (1, 2) ALLOW FILTERING", [121, 122]),
            ("(a, b) > (1, 2) ALLOW FILTERING", [211, 212, 221, 222]),
            ("p IN (1, 2) AND q IN ('x', 'z') AND a IN (2, 1) AND b = 2 AND c >= 2", [122, 222]),
            ("p = 1 AND q = 'x' AND a > 1 AND b = 1 ALLOW FILTERING", [211, 212]),
            ("p = 1 AND q = 'x' AND c = 2 ALLOW FILTERING", [112, 122, 212, 222]),
            ("p = 1 ALLOW FILTERING", [111, 112, 121, 122, 211, 212, 221, 222]),
        ])
    func multiColumn(condition: String, values: [Int32]) throws {
        let store = try makeRows()
        let rows = try store.execute("SELECT v FROM t WHERE \(condition)").filter { !$0[0].isNull }
        #expect(rows.map { $0[0] } == values.map { .int($0) })
    }

    @Test("markers stand for lists, tuples and lists of tuples")
    func markers() throws {
        let store = try makeRows()
        let whole = try store.prepare("SELECT v FROM t WHERE p = 1 AND q = 'x' AND (a, b) > ? LIMIT 1")
        #expect(whole.markers[0].type == .tuple([.int, .int]))
        #expect(try whole.execute([.tuple([.int(1), .int(2)])])[0][0] == .int(211))
        let each = try store.prepare("SELECT v FROM t WHERE p = 1 AND q = 'x' AND (a, b) IN (?, (2, ?))")
        #expect(try each.execute([.tuple([.int(1), .int(1)]), .int(2)]).count == 4)
    }

    @Test("a token relation leaves of the partitions that are named those in its part of the ring")
    func tokensOfNamedPartitions() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE two (p int, q text, c int, PRIMARY KEY ((p, q), c))")
        for p in 0..<20 {
            try store.execute("INSERT INTO two (p, q, c) VALUES (?, 'x', 1)", [.int(Int32(p))])
            try store.execute("INSERT INTO two (p, q, c) VALUES (?, 'y', 1)", [.int(Int32(p))])
        }
        func rows(_ condition: String, _ values: [CQLValue] = []) throws -> [String] {
            try store.lines("SELECT p, q FROM two WHERE \(condition)", values)
        }
        let ring = try store.lines("SELECT p, q FROM two")
        let place = try #require(ring.firstIndex(of: "5 'x'"))
        let list = (0..<20).map(String.init).joined(separator: ", ")
        let after = Array(ring.dropFirst(place + 1))
        let named = "p IN (\(list)) AND q IN ('x', 'y')"
        #expect(try rows("token(p, q) > token(5, 'x') AND \(named)") == after)
        #expect(try rows("\(named) AND token(p, q) <= token(?, 'x')", [.int(5)]) == Array(ring.prefix(place + 1)))
        #expect(try rows("p = 5 AND q = 'x' AND token(p, q) >= token(5, 'x') AND c = 1") == ["5 'x'"])
        #expect(try rows("p = 5 AND q = 'x' AND token(p, q) > token(5, 'x')") == [])
        #expect(try rows("p = 5 AND q = 'x' AND token(p, q) = ?", [.bigint(0)]) == [])
        #expect(
            try rows("q = 'y' AND token(p, q) > token(5, 'x') ALLOW FILTERING") == after.filter { $0.hasSuffix("'y'") })
        #expect(
            try rows("p > 9 AND token(p, q) > token(5, 'x') ALLOW FILTERING")
                == after.filter { $0.split(separator: " ")[0].count == 2 })
    }

    @Test("tokens of keys bound a read, as constants and as markers")
    func tokens() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE one (k int PRIMARY KEY, v bigint)")
        try store.execute("CREATE TABLE two (p int, q text, PRIMARY KEY ((p, q)))")
        for k in 0..<20 {
            try store.execute("INSERT INTO one (k) VALUES (?)", [.int(Int32(k))])
            try store.execute("INSERT INTO two (p, q) VALUES (?, ?)", [.int(Int32(k)), .text("q\(k)")])
        }
        let ring = try store.execute("SELECT k FROM one").map { $0[0] }
        let place = try #require(ring.firstIndex(of: .int(5)))
        let next = Array(ring.dropFirst(place + 1))
        #expect(try store.execute("SELECT k FROM one WHERE token(k) > token(5)").map { $0[0] } == next)
        #expect(try store.execute("SELECT k FROM one WHERE token(k) >= token(2 + 3)").map { $0[0] } == [.int(5)] + next)
        #expect(
            try store.execute("SELECT k FROM one WHERE token(k) <= token(?)", [.int(5)]).map { $0[0] }
                == Array(ring.prefix(place + 1)))
        #expect(try store.lines("SELECT k FROM one WHERE token(k) = token((int) 7)") == ["7"])
        let between = try store.prepare(
            "SELECT p FROM two WHERE token(p, q) >= token(?, 'q3') AND token(p, q) < token(?, :q)")
        #expect(between.markers.map(\.type) == [.int, .int, .text])
        let pairs = try store.execute("SELECT p FROM two").map { $0[0] }
        let lower = try #require(pairs.firstIndex(of: .int(3)))
        let upper = try #require(pairs.firstIndex(of: .int(8)))
        let expected = lower < upper ? Array(pairs[lower..<upper]) : []
        #expect(try between.execute([.int(3), .int(8), .text("q8")]).map { $0[0] } == expected)
        try store.execute("UPDATE one SET v = token(5) WHERE k = 5")
        #expect(try store.lines("SELECT k FROM one WHERE v = token(5) ALLOW FILTERING") == ["5"])
        expectInvalid("Invalid number of arguments in call to function system.token: 2 required but 1 provided") {
            try store.execute("SELECT p FROM two WHERE token(p, q) > token(1)")
        }
        expectInvalid("Type error: cannot assign result of function system.token (type bigint) to k (type int)") {
            try store.execute("SELECT k FROM one WHERE k = token(5)")
        }
        expectInvalid("Invalid null token value") {
            try store.execute("SELECT k FROM one WHERE token(k) > token(null)")
        }
    }

    @Test("the lowest token is the end of the ring as an upper bound: a ring that is read part by part is read whole")
    func lowestToken() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        for k in 0..<50 { try store.execute("INSERT INTO t (k, v) VALUES (?, 1)", [.int(Int32(k))]) }
        let ring = try store.execute("SELECT k FROM t").map { $0[0] }
        for (condition, values) in [
            ("token(k) > ? AND token(k) <= ?", [CQLValue.bigint(.min), .bigint(.min)]),
            ("token(k) >= ? AND token(k) < ?", [.bigint(.min), .bigint(.min)]),
            ("token(k) <= ?", [.bigint(.min)]), ("token(k) < ?", [.bigint(.min)]),
        ] {
            #expect(try store.execute("SELECT k FROM t WHERE \(condition)", values).map { $0[0] } == ring)
        }
        #expect(try store.execute("SELECT k FROM t WHERE token(k) = ?", [.bigint(.min)]).isEmpty)
        let bounds: [Int64] = [.min, -6_000_000_000_000_000_000, 0, 5_000_000_000_000_000_000, .min]
        var parts: [CQLValue] = []
        for (lower, upper) in zip(bounds, bounds.dropFirst()) {
            parts += try store.execute(
                "SELECT k FROM t WHERE token(k) > ? AND token(k) <= ?", [.bigint(lower), .bigint(upper)]
            ).map { $0[0] }
        }
        #expect(parts == ring)
        try store.execute("CREATE INDEX ON t (v)")
        let behind = try store.execute("SELECT k FROM t WHERE token(k) > 0").map { $0[0] }
        #expect(!behind.isEmpty && behind.count < 50)
        for (cql, values) in [
            ("SELECT k FROM t WHERE v = 1 AND token(k) > 0 AND token(k) <= ?", [CQLValue.bigint(.min)]),
            ("SELECT k FROM t WHERE k IN ? AND token(k) > 0 AND token(k) <= ?", [.list(ring), .bigint(.min)]),
        ] {
            #expect(try store.execute(cql, values).map { $0[0] } == behind, "\(cql)")
        }
    }

    @Test("a static row answers alone where no clustering column is restricted, be it by filtering")
    func staticRows() throws {
        let store = try makeRows()
        #expect(try store.lines("SELECT a, s FROM t WHERE p = 2 AND q = 'y'") == ["null 5"])
        #expect(try store.lines("SELECT a, s FROM t WHERE s = 5 ALLOW FILTERING") == ["null 5"])
        #expect(try store.lines("SELECT a, s FROM t WHERE s = 5 AND a = 1 ALLOW FILTERING") == [])
        #expect(try store.execute("SELECT DISTINCT p, q, s FROM t").count == 2)
    }

    @Test("IN filters by columns that are no keys")
    func filteringIn() throws {
        let store = try makeRows()
        let all = try store.execute("SELECT v FROM t WHERE p = 1 AND q = 'x'").map { $0[0] }
        func values(_ condition: String, _ markers: [CQLValue] = []) throws -> [CQLValue] {
            try store.execute("SELECT v FROM t WHERE \(condition) ALLOW FILTERING", markers).map { $0[0] }
        }
        #expect(try values("v IN (221, 7, 111, 221)") == [.int(111), .int(221)])
        #expect(try values("p = 1 AND q = 'x' AND a = 1 AND v IN (221, 112)") == [.int(112)])
        #expect(try values("v IN ?", [.list([.int(121), .int(212)])]) == [.int(121), .int(212)])
        #expect(try values("v IN ()") == [])
        #expect(try values("s IN (4, 5)") == [.null])
        try store.execute("INSERT INTO t (p, q, s) VALUES (1, 'x', 4)")
        #expect(try values("s IN (3, 4) AND v IN (111, 222)") == [.int(111), .int(222)])
        #expect(try values("s IN (4)") == all)
        try store.execute("CREATE INDEX ON t (v)")
        #expect(try values("v IN (221, 111)") == [.int(111), .int(221)])
        #expect(try values("v = 221 AND s IN (4, 6)") == [.int(221)])
    }

    @Test("long IN lists are as quick to test rows by as short ones", .timeLimit(.minutes(20)))
    func longLists() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE l (k int, c int, d int, v int, PRIMARY KEY (k, c))")
        try store.execute("CREATE INDEX ON l (d)")
        let insert = try store.prepare("INSERT INTO l (k, c, d, v) VALUES (1, ?, 1, ?)")
        let rowCount: Int32 = 4_000
        try store.storage.write { transaction in
            for row in 0..<rowCount { try insert.execute([.int(row), .int(row)], in: transaction) }
        }
        let list = CQLValue.list((0..<60_000).map { .int($0 * 2 % 60_000) })
        for condition in ["v IN ?", "d = 1 AND c IN ? AND k = 1", "d = 1 AND v IN ?"] {
            let count = try store.execute("SELECT count(*) FROM l WHERE \(condition) ALLOW FILTERING", [list])[0][0]
            #expect(count == .bigint(Int64(rowCount / 2)), "\(condition)")
        }
    }

    @Test(
        "ORDER BY may leave out columns that = gives one value",
        arguments: [
            ("a = 1 ORDER BY b DESC", [122, 121, 112, 111]),
            ("a = 1 ORDER BY b ASC", [111, 112, 121, 122]),
            ("a = 1 AND b = 2 ORDER BY c DESC", [122, 121]),
            ("(a, b) = (2, 1) ORDER BY c DESC", [212, 211]),
            ("a = 2 AND b > 1 ORDER BY b DESC, c DESC", [222, 221]),
            ("a > 0 AND b = 2 ORDER BY a DESC, c DESC ALLOW FILTERING", [222, 221, 122, 121]),
        ])
    func ordering(rest: String, values: [Int32]) throws {
        let store = try makeRows()
        let rows = try store.execute("SELECT v FROM t WHERE p = 1 AND q = 'x' AND \(rest)")
        #expect(rows.map { $0[0] } == values.map { .int($0) })
        let merged = try store.execute("SELECT v FROM t WHERE p IN (1, 2) AND q = 'x' AND \(rest)")
        #expect(merged.map { $0[0] } == values.map { .int($0) })
    }

    private static let wrongOrder =
        "Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY"

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            ("SELECT * FROM t WHERE p = 1", WhereClause.filteringMessage),
            ("SELECT * FROM t WHERE p = 1 AND q = 'x' AND v = 1", WhereClause.filteringMessage),
            (
                "SELECT * FROM t WHERE token(p) > 1",
                "The token() function must be applied to all partition key components or none of them"
            ),
            (
                "SELECT * FROM t WHERE token(q, p) > 1",
                "The token function arguments must be in the partition key order: p, q"
            ),
            ("SELECT * FROM t WHERE token(p, q) > 1 AND p = 1", WhereClause.filteringMessage),
            (
                "SELECT * FROM t WHERE token(p, q) > 1 AND p > 1 AND q = 'x'",
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function)"
            ),
            (
                "SELECT * FROM t WHERE p = 1 AND q = 'x' AND (b, c) > (1, 1)",
                "PRIMARY KEY column \"b\" cannot be restricted as preceding column \"a\" is not restricted"
            ),
            (
                "SELECT * FROM t WHERE p = 1 AND q = 'x' AND (a, c) > (1, 1)",
                "Clustering columns must appear in the PRIMARY KEY order in multi-column relations: (a, c) > (1, 1)"
            ),
            (
                "SELECT * FROM t WHERE (a, v) > (1, 1)",
                "Multi-column relations can only be applied to clustering columns but was applied to: v"
            ),
            ("SELECT * FROM t WHERE v IN (1, 2)", WhereClause.filteringMessage),
            ("SELECT * FROM t WHERE p = 1 AND q = 'x' AND s IN (1, 2)", WhereClause.filteringMessage),
            ("SELECT * FROM t WHERE v IN (1, null) ALLOW FILTERING", "Invalid null value for column v"),
            ("SELECT * FROM t WHERE p = 1 AND q = 'x' ORDER BY b", wrongOrder),
            ("SELECT * FROM t WHERE p = 1 AND q = 'x' AND a IN (1, 2) ORDER BY b", wrongOrder),
            ("SELECT * FROM t WHERE p = 1 AND q = 'x' AND a = 1 ORDER BY c", wrongOrder),
            ("SELECT * FROM t WHERE p = 1 AND q = 'x' AND a = 1 ORDER BY b, a", wrongOrder),
            (
                "SELECT * FROM t WHERE d > 1h ALLOW FILTERING",
                "Slice restrictions are not supported on duration columns"
            ),
            (
                "SELECT * FROM t WHERE p = 1 AND q = 'x' AND a > 1 AND a > 2",
                "More than one restriction was found for the start bound on a"
            ),
            ("SELECT * FROM t WHERE v CONTAINS 1", "Cannot use CONTAINS on non-collection column v"),
            ("SELECT * FROM t WHERE v['a'] = 1", "Column v cannot be used as a map"),
            (
                "SELECT * FROM t ORDER BY a",
                "ORDER BY is only supported when the partition key is restricted by an EQ or an IN."
            ),
            (
                "SELECT DISTINCT p FROM t",
                "SELECT DISTINCT queries must request all the partition key columns (missing q)"
            ),
            ("SELECT * FROM t WHERE p = 1 AND q = 'x' LIMIT 0", "LIMIT must be strictly positive"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeRows()
        expectInvalid(message) { try store.execute(cql) }
    }

    @Test("an aggregation over many partitions has a warning")
    func warnings() throws {
        let store = try makeRows()
        #expect(
            try store.execute("SELECT count(*) FROM t").warnings == ["Aggregation query used without partition key"])
        #expect(try store.execute("SELECT count(*) FROM t WHERE p = 1 AND q = 'x'").warnings == [])
        #expect(
            try store.execute("SELECT max(v) FROM t WHERE p IN (1, 2) AND q = 'x'").warnings == [
                "Aggregation query used on multiple partition keys (IN restriction)"
            ])
        // What is restricted counts, not how the rows are found.
        try store.execute("CREATE INDEX ON t (v)")
        let (without, several) = (
            ["Aggregation query used without partition key"],
            ["Aggregation query used on multiple partition keys (IN restriction)"]
        )
        for (cql, expected) in [
            ("SELECT count(*) FROM t WHERE token(p, q) > 0", []),
            ("SELECT count(*) FROM t WHERE p = 1 ALLOW FILTERING", []),
            ("SELECT count(*) FROM t WHERE p IN (1) AND q = 'x'", []),
            ("SELECT count(*) FROM t WHERE p IN (1, 1) AND q = 'x'", several),
            ("SELECT count(*) FROM t WHERE p IN (1, 2) ALLOW FILTERING", several),
            ("SELECT count(*) FROM t WHERE v = 1", without),
            ("SELECT count(*) FROM t WHERE v = 1 AND p = 1 AND q = 'x'", []),
            ("SELECT p FROM t GROUP BY p, q", without),
            ("SELECT p FROM t WHERE p IN (1, 2) AND q = 'x' GROUP BY p, q", several),
            ("SELECT p FROM t", []),
        ] { #expect(try store.execute(cql).warnings == expected, "\(cql)") }
    }

    @Test("an index answers what the keys leave, also where another index is on a key")
    func indexesBesideKeys() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE i (k int, c int, v int, PRIMARY KEY (k, c))")
        for v in 0..<4 { try store.execute("INSERT INTO i (k, c, v) VALUES (1, ?, 3)", [.int(Int32(v))]) }
        try store.execute("CREATE INDEX by_c ON i (c)")
        expectInvalid(WhereClause.filteringMessage) {
            try store.execute("SELECT * FROM i WHERE k = 1 AND c = 2 AND v = 3")
        }
        try store.execute("CREATE INDEX by_v ON i (v)")
        let result = try store.execute("SELECT * FROM i WHERE k = 1 AND c = 2 AND v = 3")
        #expect(result.map { $0.values.map(\.description) } == [["1", "2", "3"]])
        #expect(result.accessPath == .index(table: "i", index: "by_v"))
        #expect(try store.execute("SELECT * FROM i WHERE c = 2").accessPath == .index(table: "i", index: "by_c"))
        expectInvalid(WhereClause.filteringMessage) { try store.execute("SELECT * FROM i WHERE c = 2 AND v = 3") }
    }

    @Test("the key of a map's entry is no null")
    func entryKeys() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE e (k int PRIMARY KEY, m map<text, int>)")
        try store.execute("INSERT INTO e (k, m) VALUES (1, {'a': 1})")
        let cql = "SELECT k FROM e WHERE m[?] = ?"
        for index in [false, true] {
            if index { try store.execute("CREATE INDEX ON e (entries(m))") }
            let filtering = index ? cql : cql + " ALLOW FILTERING"
            #expect(try store.lines(filtering, ["a", 1]) == ["1"])
            expectInvalid("Unsupported null map key for column m") { try store.execute(filtering, [.null, 1]) }
            expectInvalid("Unsupported unset map key for column m") { try store.execute(filtering, [.unset, 1]) }
        }
    }

    @Test("the empty value comes first, and is a value")
    func emptyValues() throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE e (k int, c int, v bigint, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)")
        try store.execute("INSERT INTO e (k, c, v) VALUES (1, blobAsInt(0x), blobAsBigint(0x))")
        for c in [Int32.min, 0, .max] { try store.execute("INSERT INTO e (k, c) VALUES (1, ?)", [.int(c)]) }
        #expect(
            try store.execute("SELECT c FROM e WHERE k = 1").map { $0[0] } == [.int(.max), .int(0), .int(.min), .empty])
        #expect(try store.lines("SELECT v FROM e WHERE k = 1 AND c = ?", [.empty]) == ["''"])
        #expect(try store.execute("SELECT c FROM e WHERE k = 1 AND c < 0").count == 2)
    }

    @Test("rows are read as Swift types of all kinds, and as the protocol's bytes")
    func swiftTypes() throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE r (k int PRIMARY KEY, m map<text, int>, s set<int>, n varint, d decimal, u duration, x vector<float, 2>)"
        )
        try store.execute(
            "INSERT INTO r (k, m, s, n, d, u, x) VALUES (1, {'a': 1}, {2, 3}, 12345678901234567890, 1.50, 1h, [1, 2])")
        struct Record: Decodable {
            var k: Int
            var m: [String: Int]
            var s: Set<Int>
        }
        let result = try store.execute("SELECT * FROM r")
        let record = try result[0].decode(Record.self)
        #expect(record.m == ["a": 1] && record.s == [2, 3])
        #expect(result[0]["n", as: CQLInteger.self]?.description == "12345678901234567890")
        #expect(result[0]["d", as: CQLDecimal.self]?.description == "1.50")
        #expect(result[0]["u", as: CQLDuration.self]?.description == "1h")
        #expect(result[0]["x", as: [Float].self] == [1, 2])
        for (index, column) in result.columns.enumerated() {
            let bytes = result[0].wireBytes(index)
            #expect(try CQLValue(wire: bytes, type: column.type).wire(as: column.type) == bytes, "\(column.name)")
        }
        #expect(throws: CQLError.self) { try CQLValue(wire: [1], type: .int) }
        #expect(
            try CQLType("map<text, frozen<list<int>>>", in: store, keyspace: "ks") == .map(.text, .frozen(.list(.int))))
    }

    @Test("a part of the key with a value can't be looked into by what is written")
    func containsInWrites() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k frozen<list<int>>, j int, v int, PRIMARY KEY ((k, j)))")
        for (relations, word) in [
            ("k = [1] AND k CONTAINS 2", "Equal"), ("k CONTAINS 2 AND k = [1]", "Equal"),
            ("k IN ([1], [2]) AND k CONTAINS 2", "IN"),
        ] {
            for verb in ["DELETE FROM t", "UPDATE t SET v = 1"] {
                expectInvalid(
                    "k cannot be restricted by more than one relation if it includes a\(word == "IN" ? "" : "n") \(word)"
                ) {
                    try store.execute("\(verb) WHERE j = 1 AND \(relations)")
                }
            }
        }
        #expect(try store.execute("SELECT * FROM t").isEmpty)
    }
}
