import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Nothing traps on any text")
struct FuzzTests {
    private static let words: [String] =
        [
            "SELECT", "INSERT", "INTO", "UPDATE", "DELETE", "FROM", "WHERE", "SET", "VALUES", "BEGIN", "BATCH", "APPLY",
            "CREATE", "ALTER", "DROP", "TABLE", "TYPE", "INDEX", "KEYSPACE", "MATERIALIZED", "VIEW", "AS", "AND", "IN",
            "CONTAINS", "KEY", "IF", "NOT", "EXISTS", "JSON", "DISTINCT", "GROUP", "BY", "ORDER", "LIMIT", "PER",
            "PARTITION", "ALLOW", "FILTERING", "USING", "TTL", "TIMESTAMP", "CAST", "token", "writetime", "count",
            "max",
            "null", "NaN", "true", "frozen", "list", "map", "tuple", "vector", "int", "text", "t", "k", "c", "v", "l",
            "m",
            "u", "ks", "PRIMARY", "WITH", "ADD", "RENAME", "TO", "STATIC", "DESCRIBE", "IS", "DEFAULT", "UNSET", "ON",
        ] + [
            "(", ")", "[", "]", "{", "}", "<", ">", "=", "!=", "<=", ",", ";", ":", ".", "..", "?", "*", "+", "-", "/",
            "%",
        ]
        + [
            "1", "-5", "0", "99999999999999999999", "1.5", "1e9", "'a'", "\"Q\"", "0xCAFE", "1d", "P1Y", "$$x$$", ":n",
            "'",
        ]

    private static let statements = [
        "SELECT k, m['a'..'b'], l, u.x, max(v) + 1 FROM t WHERE k = 1 AND c IN (1, 2) GROUP BY k LIMIT 5 ALLOW FILTERING",
        "UPDATE t USING TTL 5 SET l = [1] + l, m['x'] = 2, u.x = 3 WHERE k = 1 AND c = 2 IF v = 3 AND l[0] IN (1, 2)",
        "INSERT INTO t (k, c, u, l) VALUES (1, 2, {x: 1}, [1, (int) 2]) IF NOT EXISTS USING TIMESTAMP 5",
        "CREATE TABLE x (a int, b frozen<map<text, list<int>>>, PRIMARY KEY ((a), b)) WITH CLUSTERING ORDER BY (b DESC)",
        "BEGIN BATCH INSERT INTO t (k, c) VALUES (1, 2); DELETE m['a'] FROM t WHERE k = 1 AND c = 1 APPLY BATCH",
        "SELECT JSON CAST(v AS text), (k, v), {k: v}, [v] FROM t WHERE token(k) > 5 AND (c, d) >= (1, 2)",
        "ALTER TABLE t ADD (q list<int>, r text STATIC)", "CREATE INDEX i ON t (entries(m))",
    ]

    @Test("soups of tokens, and statements with tokens changed, end in a result or an error with a code")
    func tokens() throws {
        let seed: UInt64 = 77
        var random = SeededRandom(seed: seed)
        let store = try makeStore()
        try store.execute("CREATE TYPE p (x int, y text)")
        try store.execute(
            "CREATE TABLE t (k int, c int, d int, v int, l list<int>, m map<text, int>, u p, PRIMARY KEY (k, c, d))")
        try store.execute("INSERT INTO t (k, c, d, v, l, m, u) VALUES (1, 1, 1, 1, [1], {'a': 1}, {x: 1})")
        for _ in 0..<4000 {
            var tokens: [String]
            if Bool.random(using: &random) {
                tokens = (0..<Int.random(in: 1...25, using: &random)).map { _ in
                    Self.words.randomElement(using: &random) ?? ""
                }
            } else {
                let statement = Self.statements.randomElement(using: &random) ?? ""
                tokens = Self.split(statement)
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let index = Int.random(in: 0..<tokens.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: tokens[index] = Self.words.randomElement(using: &random) ?? ""
                    case 1: tokens.insert(Self.words.randomElement(using: &random) ?? "", at: index)
                    default: if tokens.count > 1 { tokens.remove(at: index) }
                    }
                }
            }
            run(tokens.joined(separator: " "), store)
        }
        if !store.keyspaceNames.contains("ks") { Issue.record("the keyspace is gone") }
    }

    private static func split(_ statement: String) -> [String] {
        var tokens: [String] = []
        for word in statement.split(separator: " ") {
            var current = ""
            for character in word {
                if "()[]{},;=<>.:".contains(character) {
                    if !current.isEmpty { tokens.append(current) }
                    tokens.append(String(character))
                    current = ""
                } else {
                    current.append(character)
                }
            }
            if !current.isEmpty { tokens.append(current) }
        }
        return tokens
    }

    private func run(_ cql: String, _ store: WideColumnStore) {
        // Dropping the schema would end the test early; everything else may happen.
        guard !cql.uppercased().contains("DROP") else { return }
        do {
            let statement = try store.prepare(cql)
            try statement.execute(statement.markers.map { _ in .null })
        } catch is CQLError {
        } catch { Issue.record("\(cql): \(error)") }
    }

    @Test("random bytes are parsed or refused")
    func bytes() {
        var random = SeededRandom(seed: 78)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let text = "SELECT " + String(decoding: bytes, as: UTF8.self)
            #expect(throws: CQLError.self) { try Parser.parse(text + "\u{1}") }
        }
    }

    @Test("values of every type are decoded or refused, whatever the bytes")
    func values() throws {
        var random = SeededRandom(seed: 79)
        let user = UserType(
            keyspace: "ks", name: "u", fields: [.init(name: "a", type: .int), .init(name: "b", type: .varint)])
        let types: [CQLType] = [
            .varint, .decimal, .duration, .inet, .tuple([.int, .text]), .userType(user), .vector(.float, 2),
            .vector(.text, 2), .list(.tuple([.decimal])), .map(.text, .set(.int)), .timeuuid, .boolean,
        ]
        for _ in 0..<4000 {
            let type = types.randomElement(using: &random) ?? .int
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0...3, using: &random) : UInt8.random(in: 0...255, using: &random)
            }
            _ = try? type.value(of: bytes)
            var key: [UInt8] = []
            var back: [UInt8] = []
            var offset = 0
            if type != .duration { _ = try? OrderedComponent.append(bytes.rawSpan, type, to: &key) }
            _ = try? OrderedComponent.decode(bytes.rawSpan, at: &offset, type, descending: false, into: &back)
        }
    }
}
