import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Parser")
struct ParserTests {
    private func select(_ text: String) throws -> SelectStatement {
        guard case .select(let statement) = try Parser.parse(text).statement else {
            throw CQLError.invalid("not a SELECT")
        }
        return statement
    }

    private func modification(_ text: String) throws -> ModificationStatement {
        guard case .modification(let statement) = try Parser.parse(text).statement else {
            throw CQLError.invalid("not a modification")
        }
        return statement
    }

    @Test("a table with compound key, static column, clustering order and options")
    func createTable() throws {
        let text = """
            CREATE TABLE IF NOT EXISTS ks.t (a int, b text, c timestamp, s blob STATIC, v frozen<map<text, int>>,
              PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x'
              AND compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': 6};
            """
        guard case .createTable(let statement) = try Parser.parse(text).statement else {
            Issue.record("not CREATE TABLE")
            return
        }
        #expect(statement.table == TableName(keyspace: "ks", name: "t"))
        #expect(statement.ifNotExists)
        #expect(statement.columns.map(\.name) == ["a", "b", "c", "s", "v"])
        #expect(statement.columns.map(\.type) == [.int, .text, .timestamp, .blob, .frozen(.map(.text, .int))])
        #expect(statement.columns.filter(\.isStatic).map(\.name) == ["s"])
        #expect(statement.primaryKeys == [PrimaryKeyClause(partitionKey: ["a", "b"], clustering: ["c"])])
        #expect(statement.clusteringOrder == [ClusteringOrderClause(column: "c", isDescending: true)])
        #expect(
            statement.properties == [
                Property(name: "comment", value: .scalar("x")),
                Property(
                    name: "compaction",
                    value: .map(["class": "SizeTieredCompactionStrategy", "min_threshold": "6"])),
            ])
    }

    @Test("markers are numbered in the order of the text and keep their names")
    func markers() throws {
        let parsed = try Parser.parse("UPDATE t USING TTL ? SET a = :value WHERE k = ? AND c IN ?")
        #expect(parsed.markers == [nil, "value", nil, nil])
        let statement = try modification("UPDATE t USING TTL ? SET a = :value WHERE k = ? AND c IN ?")
        #expect(statement.using.timeToLive == .marker(0))
        #expect(statement.relations[1].isListMarker)
    }

    @Test("every clause of SELECT")
    func selectClauses() throws {
        let statement = try select(
            """
            SELECT a, writetime(b) AS w, ttl(b), count(*) FROM t WHERE k = 1 AND token(k) > 5 AND (c, d) >= (1, 2)
            AND e IN (1, 2) ORDER BY c DESC, d PER PARTITION LIMIT 2 LIMIT 10 ALLOW FILTERING
            """)
        #expect(
            statement.selectors.map(\.expression) == [
                .column("a"), .writetime(.column("b")), .timeToLive(.column("b")), .count,
            ])
        #expect(statement.selectors[1].alias == "w")
        #expect(
            statement.relations.map(\.target) == [.column("k"), .token(["k"]), .columns(["c", "d"]), .column("e")])
        #expect(statement.orderings.map(\.isDescending) == [true, false])
        #expect(statement.perPartitionLimit == .constant(.integer("2")))
        #expect(statement.limit == .constant(.integer("10")))
        #expect(statement.allowsFiltering)
    }

    @Test("a batch holds its statements with or without semicolons, and may be empty")
    func batch() throws {
        let text =
            "BEGIN UNLOGGED BATCH USING TIMESTAMP 5 INSERT INTO t (a) VALUES (1); DELETE b FROM t WHERE a = 1 APPLY BATCH;"
        guard case .batch(let batch) = try Parser.parse(text).statement else {
            Issue.record("not a batch")
            return
        }
        #expect(batch.statements.count == 2)
        #expect(batch.using.timestamp == .constant(.integer("5")))
        _ = try Parser.parse("BEGIN BATCH APPLY BATCH")
    }

    @Test(
        "syntax errors carry line, column and the offending input",
        arguments: [
            ("SELCT * FROM t", "line 1:0 no viable alternative at input 'SELCT' ([SELCT]...)"),
            ("SELECT FROM t", "line 1:7 no viable alternative at input 'FROM' (SELECT [FROM]...)"),
            ("SELECT * FROM t WHERE", "line 1:21 no viable alternative at input '<EOF>' (SELECT * FROM t WHERE)"),
            ("SELECT * FROM t\nLIMIT x", "line 2:6 no viable alternative at input 'x' (SELECT * FROM t\nLIMIT [x])"),
            ("USE a b", "line 1:6 mismatched input 'b' expecting EOF (USE a [b])"),
            (
                "INSERT INTO t (a VALUES (1)",
                "line 1:17 mismatched input 'VALUES' expecting ')' (INSERT INTO t (a [VALUES]...)"
            ),
        ])
    func syntaxErrors(text: String, message: String) {
        #expect(throws: CQLError(.syntaxException, message)) { try Parser.parse(text) }
    }

    @Test("a function may have the name of the column that it sets")
    func functionsNamedAsColumns() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE f (k int PRIMARY KEY, uuid uuid, now timeuuid, system timeuuid, l list<int>)")
        try store.execute("UPDATE f SET uuid = uuid(), now = now(), system = system.now(), l = [1] WHERE k = 1")
        #expect(try store.execute("SELECT uuid, now, system FROM f")[0].values.allSatisfy { !$0.isNull })
        try store.execute("UPDATE f SET l = l + [2] WHERE k = 1")
        try store.execute("UPDATE f SET l = [0] + l WHERE k = 1")
        #expect(try store.lines("SELECT l FROM f") == ["[0, 1, 2]"])
    }

    @Test(
        "relations may stand in parentheses",
        arguments: [
            "(k = 1) AND (c > 2)", "((k = 1)) AND (c) > (2)", "(k IN (1)) AND ((c, d) > (2, 9))",
            "(token(k) = token(1))",
        ])
    func parentheses(relations: String) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE p (k int, c int, d int, PRIMARY KEY (k, c, d))")
        for row in ["1, 2, 1", "1, 3, 1"] { try store.execute("INSERT INTO p (k, c, d) VALUES (\(row))") }
        #expect(try store.lines("SELECT * FROM p WHERE \(relations)").last == "1 3 1")
        #expect(throws: CQLError.self) { try store.execute("SELECT * FROM p WHERE (k = 1 AND c = 2)") }
    }

    @Test("types are read as they are written; names that are no native types are looked up later")
    func types() throws {
        #expect(try Parser.parseType("map<text, frozen<list<int>>>") == .map(.text, .frozen(.list(.int))))
        #expect(try Parser.parseType("tuple<int, vector<float, 3>>") == .tuple([.int, .vector(.float, 3)]))
        let address = CQLType.userType(UserType(keyspace: "ks", name: "address", fields: []))
        #expect(try Parser.parseType("frozen<ks.address>") == .frozen(address))
    }

    @Test("deep nesting is an error, not a crash")
    func nesting() {
        let term = String(repeating: "[", count: 100_000)
        #expect(throws: CQLError.self) { try Parser.parse("INSERT INTO t (a) VALUES (\(term)") }
        for chain in [
            "SELECT " + String(repeating: "1+", count: 100_000) + "1 FROM t",
            "SELECT a" + String(repeating: "*a", count: 100_000) + " FROM t",
            "SELECT a" + String(repeating: ".b", count: 100_000) + " FROM t",
            "SELECT a" + String(repeating: "[1]", count: 100_000) + " FROM t",
            "SELECT " + String(repeating: "-", count: 100_000) + "a FROM t",
            "UPDATE t SET a = 1" + String(repeating: "/1", count: 100_000),
        ] { #expect(throws: CQLError.self) { try Parser.parse(chain) } }
        #expect(throws: Never.self) { try Parser.parse("SELECT a" + String(repeating: " + 1", count: 200) + " FROM t") }
        let type = String(repeating: "frozen<", count: 100_000)
        #expect(throws: CQLError.self) { try Parser.parse("CREATE TABLE t (a \(type)") }
        for prefix in ["frozen<list<", "list<", "tuple<int,", "map<int,frozen<", "vector<"] {
            let type = String(repeating: prefix, count: 100_000)
            #expect(throws: CQLError.self, "\(prefix)") { try Parser.parseType(type) }
        }
        let relation = String(repeating: "(", count: 100_000)
        #expect(throws: CQLError.self) { try Parser.parse("SELECT * FROM t WHERE \(relation)k = 1") }
    }

    @Test("no byte sequence makes the parser trap")
    func garbage() {
        let words = [
            "SELECT", "*", "FROM", "t", "WHERE", "(", ")", "[", "]", "{", "}", ",", "?", ":a", "'x'", "1", "-", "1.5",
            "IN", "=", "AND", "INSERT", "INTO", "VALUES", "CREATE", "TABLE", "PRIMARY", "KEY", "<", ">", "0x1", "$$",
            "\"",
            "BEGIN", "BATCH", "UPDATE", "SET", "USING", "TTL", "é", ";", "--", "/*", "count", "token", "map",
        ]
        var random = SeededRandom(seed: 42)
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 1...12, using: &random)).map { _ in words.randomElement(using: &random) ?? ""
            }
            _ = try? Parser.parse(text.joined(separator: " "))
        }
    }
}
