import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("SELECT")
struct SelectTests {
    private func makeRows() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (k int, a int, b text, v int, PRIMARY KEY (k, a, b)) WITH CLUSTERING ORDER BY (a DESC, b ASC)"
        )
        let insert = try store.prepare("INSERT INTO t (k, a, b, v) VALUES (?, ?, ?, ?)")
        for k in 1...3 {
            for a in 1...3 {
                for b in ["x", "y"] {
                    try insert.execute([.int(Int32(k)), .int(Int32(a)), .text(b), .int(Int32(k * a))])
                }
            }
        }
        return store
    }

    @Test(
        "restrictions on the clustering key, in a descending table",
        arguments: [
            ("k = 1", ["3 'x'", "3 'y'", "2 'x'", "2 'y'", "1 'x'", "1 'y'"]),
            ("k = 1 AND a = 2", ["2 'x'", "2 'y'"]),
            ("k = 1 AND a > 2", ["3 'x'", "3 'y'"]),
            ("k = 1 AND a >= 2 AND a < 3", ["2 'x'", "2 'y'"]),
            ("k = 1 AND a <= 1", ["1 'x'", "1 'y'"]),
            ("k = 1 AND a IN (1, 3, 1)", ["3 'x'", "3 'y'", "1 'x'", "1 'y'"]),
            ("k = 1 AND a IN (1, 3) AND b > 'x'", ["3 'y'", "1 'y'"]),
            ("k = 1 AND a = 2 AND b = 'y'", ["2 'y'"]),
            ("k = 1 AND (a, b) = (2, 'x')", ["2 'x'"]),
            ("k = 1 AND (a, b) IN ((1, 'x'), (3, 'y'))", ["3 'y'", "1 'x'"]),
            ("k = 1 AND a > 5", []),
            ("k = 1 AND a > 2 AND a < 2", []),
            ("k = 9", []),
        ])
    func restrictions(condition: String, rows: [String]) throws {
        let store = try makeRows()
        #expect(try store.lines("SELECT a, b FROM t WHERE \(condition)") == rows)
        let reversed = try store.lines("SELECT a, b FROM t WHERE \(condition) ORDER BY a ASC, b DESC")
        #expect(reversed == rows.reversed())
    }

    @Test("LIMIT, PER PARTITION LIMIT and ORDER BY over several partitions")
    func limits() throws {
        let store = try makeRows()
        #expect(try store.lines("SELECT a, b FROM t WHERE k = 1 LIMIT 3") == ["3 'x'", "3 'y'", "2 'x'"])
        #expect(try store.lines("SELECT a, b FROM t WHERE k = 1 ORDER BY a ASC LIMIT 1") == ["1 'y'"])
        #expect(try store.lines("SELECT k FROM t PER PARTITION LIMIT 1").sorted() == ["1", "2", "3"])
        #expect(try store.execute("SELECT k FROM t PER PARTITION LIMIT 2 LIMIT 5").count == 5)
        #expect(
            try store.lines("SELECT a FROM t WHERE k IN (1, 2) ORDER BY a DESC LIMIT 5") == ["3", "3", "3", "3", "2"])
        #expect(
            try store.lines("SELECT a FROM t WHERE k IN ? AND a = ? ORDER BY a LIMIT ?", [[1, 3], 2, 3]) == [
                "2", "2", "2",
            ])
        expectInvalid("LIMIT must be strictly positive") { try store.execute("SELECT * FROM t LIMIT 0") }
    }

    @Test("count, aliases, functions, writetime of nothing, token")
    func selection() throws {
        let store = try makeRows()
        #expect(try store.lines("SELECT count(*) FROM t") == ["18"])
        #expect(try store.lines("SELECT count(*) FROM t WHERE k = 9") == ["0"])
        #expect(try store.lines("SELECT count(*) FROM t WHERE k = 1 LIMIT 2") == ["6"])
        let result = try store.execute("SELECT v AS value, intAsBlob(v), token(k) FROM t WHERE k = 1 LIMIT 1")
        #expect(result.columns.map(\.name) == ["value", "system.intasblob(v)", "system.token(k)"])
        let tokenOfOne = token([0, 0, 0, 1])
        #expect(result[0].values == [.int(3), .blob([0, 0, 0, 3]), .bigint(tokenOfOne)])
        #expect(try store.lines("SELECT DISTINCT k FROM t").sorted() == ["1", "2", "3"])
    }

    @Test("scans follow the ring, and token() cuts it")
    func tokens() throws {
        let store = try makeRows()
        let all = try store.execute(
            "SELECT DISTINCT k, token(k) FROM t PER PARTITION LIMIT 1".replacing("DISTINCT ", with: ""))
        let tokens = all.compactMap { $0["system.token(k)", as: Int64.self] }
        #expect(tokens.count == 3 && tokens == tokens.sorted())
        let middle = CQLValue.bigint(tokens[1])
        #expect(try store.execute("SELECT k FROM t WHERE token(k) > ?", [middle]).count == 6)
        #expect(try store.execute("SELECT k FROM t WHERE token(k) >= ?", [middle]).count == 12)
        #expect(
            try store.execute("SELECT k FROM t WHERE token(k) > ? AND token(k) <= ?", [.bigint(.min), middle]).count
                == 12)
        #expect(try store.execute("SELECT k FROM t WHERE token(k) <= ?", [.bigint(.max)]).count == 18)
        #expect(try store.execute("SELECT k FROM t WHERE token(k) > ?", [.bigint(.max)]).isEmpty)
    }

    @Test("filtering tests rows one by one")
    func filtering() throws {
        let store = try makeRows()
        #expect(try store.lines("SELECT k, a FROM t WHERE v = 9 ALLOW FILTERING") == ["3 3", "3 3"])
        #expect(try store.execute("SELECT k FROM t WHERE b = 'x' ALLOW FILTERING").count == 9)
        #expect(try store.lines("SELECT b FROM t WHERE k = 1 AND a > 1 AND b = 'y' ALLOW FILTERING") == ["'y'", "'y'"])
        #expect(try store.execute("SELECT k FROM t WHERE k > 1 ALLOW FILTERING").count == 12)
        try store.execute("CREATE TABLE c (k int PRIMARY KEY, l frozen<list<int>>, m frozen<map<text, int>>)")
        try store.execute("INSERT INTO c (k, l, m) VALUES (1, [1, 2], {'a': 1})")
        #expect(try store.lines("SELECT k, l, m FROM c WHERE l CONTAINS 2 ALLOW FILTERING") == ["1 [1, 2] {'a': 1}"])
        #expect(try store.lines("SELECT k FROM c WHERE m CONTAINS KEY 'b' ALLOW FILTERING") == [])
        #expect(try store.lines("SELECT k FROM c WHERE m CONTAINS 1 ALLOW FILTERING") == ["1"])
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            ("SELECT * FROM t WHERE v = 1", WhereClause.filteringMessage),
            ("SELECT * FROM t WHERE a = 1", WhereClause.filteringMessage),
            (
                "SELECT * FROM t WHERE k > 1",
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function)"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND b = 'x'",
                "PRIMARY KEY column \"b\" cannot be restricted as preceding column \"a\" is not restricted"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND a > 1 AND b = 'x'",
                "Clustering column \"b\" cannot be restricted (preceding column \"a\" is restricted by a non-EQ relation)"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND k = 2",
                "k cannot be restricted by more than one relation if it includes an Equal"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND a > 1 AND a > 2",
                "More than one restriction was found for the start bound on a"
            ),
            (
                "SELECT * FROM t WHERE k = 1 AND (k) > (1)",
                "Multi-column relations can only be applied to clustering columns but was applied to: k"
            ),
            ("SELECT * FROM t WHERE x = 1", "Undefined column name x in table ks.t"),
            ("SELECT x FROM t", "Undefined column name x in table ks.t"),
            (
                "SELECT * FROM t ORDER BY a",
                "ORDER BY is only supported when the partition key is restricted by an EQ or an IN."
            ),
            (
                "SELECT * FROM t WHERE k = 1 ORDER BY v",
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got v"
            ),
            ("SELECT * FROM t WHERE k = 1 ORDER BY a ASC, b ASC", "Unsupported order by relation"),
            (
                "SELECT count(*) FROM t PER PARTITION LIMIT 1",
                "PER PARTITION LIMIT is not allowed with aggregate queries."
            ),
            (
                "SELECT DISTINCT v FROM t",
                "SELECT DISTINCT queries must only request partition key columns and/or static columns (not v)"
            ),
            ("SELECT writetime(k) FROM t", "Cannot use selection function writetime on PRIMARY KEY part k"),
            ("SELECT nosuch(k) FROM t", "Unknown function 'nosuch'"),
            ("SELECT * FROM t WHERE k = ?", "there were 1 markers(?) in CQL but 0 bound variables"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeRows()
        expectInvalid(message) { try store.execute(cql) }
    }

    @Test("pages join to the whole result, for one partition, either way, and for the ring")
    func paging() throws {
        let store = try makeRows()
        try store.execute("DELETE FROM t WHERE k = 2 AND a = 2")
        for cql in [
            "SELECT k, a, b FROM t", "SELECT k, a, b FROM t WHERE k = 1", "SELECT k, a, b FROM t WHERE k IN (1, 2, 3)",
            "SELECT k, a, b FROM t WHERE k = 1 ORDER BY a ASC", "SELECT k, a, b FROM t LIMIT 7",
            "SELECT k, a, b FROM t PER PARTITION LIMIT 2", "SELECT DISTINCT k FROM t",
        ] {
            let whole = try store.lines(cql)
            let statement = try store.prepare(cql)
            for pageSize in 1...4 {
                let rows = try statement.pages(size: pageSize)
                    .map { $0.values.map(\.description).joined(separator: " ") }
                #expect(rows == whole, "\(cql), pages of \(pageSize)")
            }
        }
        #expect(throws: CQLError.self) { try PagingState(bytes: [1, 2, 3]) }
    }

    @Test("a paging state of another query is refused, or begins where that one's rows would")
    func foreignPagingStates() throws {
        let store = try makeRows()
        try store.execute("CREATE TABLE other (k text, a text, b text, PRIMARY KEY ((k, a), b))")
        try store.execute("INSERT INTO other (k, a, b) VALUES ('key', 'a', 'b')")
        try store.execute("CREATE TABLE lone (k blob PRIMARY KEY)")
        for key in ["0x01", "0x02"] { try store.execute("INSERT INTO lone (k) VALUES (\(key))") }
        try store.execute("INSERT INTO other (k, a, b) VALUES ('key', 'a', 'c')")
        func state(_ cql: String) throws -> PagingState {
            try #require(try store.prepare(cql).execute(pageSize: 1).pagingState)
        }
        let invalid = CQLError(.protocolError, "Invalid value for the paging state")
        for from in ["other", "lone"] {
            let state = try state("SELECT * FROM \(from)")
            for cql in ["SELECT * FROM t", "SELECT * FROM t WHERE k = 1", "SELECT * FROM t WHERE k IN (1, 2)"] {
                #expect(throws: invalid, "\(cql) after \(from)") {
                    try store.prepare(cql).execute(pageSize: 1, pagingState: state)
                }
            }
        }
        let ofRows = try state("SELECT * FROM t")
        #expect(throws: invalid) { try store.prepare("SELECT * FROM other").execute(pageSize: 1, pagingState: ofRows) }
        // The token does not fit the key.
        var bytes = ofRows.bytes
        bytes[18] ^= 1
        let moved = try PagingState(bytes: bytes)
        #expect(throws: invalid) { try store.prepare("SELECT * FROM t").execute(pageSize: 1, pagingState: moved) }
        // A part of the ring stays that part.
        let tokens = try store.execute("SELECT DISTINCT token(k) FROM t").map { $0[0] }
        let later = try store.prepare("SELECT k FROM t WHERE token(k) > ?")
        #expect(
            try later.execute([tokens[0]], pageSize: .max, pagingState: ofRows).count
                == later.execute([tokens[0]]).count)
        let last = try #require(
            try store.prepare("SELECT * FROM t WHERE token(k) > ?").execute([tokens[1]], pageSize: 1).pagingState)
        let earlier = try store.prepare("SELECT k FROM t WHERE token(k) <= ?")
        #expect(try earlier.execute([tokens[0]], pageSize: .max, pagingState: last).isEmpty)
    }

    @Test("composite partition keys, and keys of every type")
    func keys() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE m (a text, b int, c timestamp, v int, PRIMARY KEY ((a, b), c))")
        try store.execute("INSERT INTO m (a, b, c, v) VALUES ('x', 1, '2025-01-01', 1)")
        try store.execute("INSERT INTO m (a, b, c, v) VALUES ('x', 2, '2025-01-01', 2)")
        #expect(try store.lines("SELECT v FROM m WHERE a = 'x' AND b IN (1, 2)").sorted() == ["1", "2"])
        expectInvalid(WhereClause.filteringMessage) { try store.execute("SELECT * FROM m WHERE a = 'x'") }
        #expect(
            try store.lines("SELECT a, b, c FROM m WHERE a = 'x' AND b = 2") == ["'x' 2 '2025-01-01 00:00:00.000+0000'"]
        )
        let types: [(String, String)] = [
            ("ascii", "'a'"), ("bigint", "-5"), ("blob", "0x00ff00"), ("boolean", "true"), ("date", "'2025-03-10'"),
            ("double", "-1.5"), ("float", "2.5"), ("inet", "'10.0.0.1'"), ("int", "7"), ("smallint", "-7"),
            ("text", "'te''xt'"), ("time", "'08:12:54.123000000'"), ("timestamp", "'2025-03-10 14:00:00.000+0000'"),
            ("timeuuid", "c8a1e3d0-5a1f-11ee-8c99-0242ac120002"), ("tinyint", "-1"),
            ("uuid", "123e4567-e89b-42d3-a456-426614174000"), ("frozen<list<int>>", "[1, 2]"),
            ("frozen<set<text>>", "{'a', 'b'}"), ("frozen<map<text, int>>", "{'a': 1}"),
        ]
        for (index, (type, literal)) in types.enumerated() {
            try store.execute(
                "CREATE TABLE ty\(index) (k \(type), c \(type), d \(type), v \(type), PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c ASC, d DESC)"
            )
            try store.execute(
                "INSERT INTO ty\(index) (k, c, d, v) VALUES (\(literal), \(literal), \(literal), \(literal))")
            let rows = try store.lines(
                "SELECT * FROM ty\(index) WHERE k = \(literal) AND c = \(literal) AND d = \(literal)")
            #expect(rows == [Array(repeating: literal, count: 4).joined(separator: " ")], "\(type)")
            #expect(try store.lines("SELECT * FROM ty\(index)") == rows, "\(type)")
        }
    }
}

@Suite("Limits")
struct LimitTests {
    @Test("IN lists whose product would not fit into memory are refused")
    func cartesianProduct() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (a int, b int, c int, d int, PRIMARY KEY ((a, b), c, d))")
        let many = CQLValue.list((0..<1000).map { .int($0) })
        let message = "The query cannot be executed because it would generate more than 100000 keys"
        expectInvalid(message) { try store.execute("SELECT * FROM t WHERE a IN ? AND b IN ?", [many, many]) }
        expectInvalid(message) {
            try store.execute("SELECT * FROM t WHERE a = 1 AND b = 1 AND c IN ? AND d IN ?", [many, many])
        }
    }

    @Test("a scan that leaves partitions early finds what one that reads all of them finds", arguments: [1, 3, 1000])
    func leftPartitions(pageSize: Int) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE p (k int, c int, s int static, v int, PRIMARY KEY (k, c))")
        for k in 0..<40 {
            if k % 5 != 0 { try store.execute("INSERT INTO p (k, s) VALUES (?, ?)", [.int(Int32(k)), .int(Int32(k))]) }
            for c in 0..<k {
                try store.execute("INSERT INTO p (k, c, v) VALUES (?, ?, 1)", [.int(Int32(k)), .int(Int32(c))])
            }
            if k % 7 == 3 { try store.execute("DELETE FROM p WHERE k = ? AND c < 9", [.int(Int32(k))]) }
            if k == 20 { try store.storage.flush() }
        }
        func rows(_ cql: String) throws -> [[CQLValue]] {
            try store.prepare(cql).pages(size: pageSize).map(\.values)
        }
        let all = try rows("SELECT k, c, s FROM p")
        func first(_ count: Int) -> [[CQLValue]] {
            var counts: [CQLValue: Int] = [:]
            return all.filter { row in
                counts[row[0], default: 0] += 1
                return counts[row[0], default: 0] <= count
            }
        }
        #expect(try rows("SELECT DISTINCT k, s FROM p") == first(1).map { [$0[0], $0[2]] })
        for count in [1, 2, 17, 30] {
            #expect(try rows("SELECT k, c, s FROM p PER PARTITION LIMIT \(count)") == first(count), "\(count)")
            #expect(
                try rows("SELECT k, c, s FROM p PER PARTITION LIMIT \(count) LIMIT 60")
                    == Array(first(count).prefix(60)))
        }
    }
}
