import GraphEngine
import Testing

@Suite("Cypher syntax")
struct ParserTests {
    private let graph: GraphStore

    init() throws {
        graph = try GraphStore(storage: Storage.inMemory())
    }

    private func error(_ cypher: String) -> CypherError? {
        do {
            try graph.execute(cypher)
            return nil
        } catch {
            return error as? CypherError
        }
    }

    private func value(_ expression: String) throws -> GraphValue {
        try graph.execute("RETURN \(expression) AS value").rows[0]["value"]
    }

    @Test("a syntax error names what was found, what was expected and where")
    func errorText() {
        #expect(
            error("MATCH (n RETURN n")?.description
                == "Neo.ClientError.Statement.SyntaxError: Invalid input 'RETURN': expected ':', 'IS', '{', 'WHERE' or ')' "
                + "(line 1, column 10 (offset: 9))")
        #expect(error("RETRN 1")?.message.hasPrefix("Invalid input 'RETRN': expected 'CREATE', ") == true)
        #expect(error("RETRN 1")?.message.hasSuffix("(line 1, column 1 (offset: 0))") == true)
        #expect(error("RETURN 1 +\n  *")?.message.hasSuffix("(line 2, column 3 (offset: 13))") == true)
    }

    @Test("an unknown variable is refused before anything runs")
    func undefinedVariable() throws {
        #expect(
            error("CREATE (a) RETURN b")?.description
                == "Neo.ClientError.Statement.SyntaxError: Variable `b` not defined (line 1, column 19 (offset: 18))")
        #expect(error("MATCH (a) RETURN a") == nil)
        #expect(try graph.execute("MATCH (a) RETURN count(a) AS n").rows[0]["n"] == 0)
    }

    @Test(
        "operators bind as openCypher says",
        arguments: [
            ("1 + 2 * 3 ^ 2", 19.0), ("-2 ^ 2", 4.0), ("2 - 3 - 4", -5), ("7 / 2 * 2", 6), ("NOT true OR true", true),
            ("true XOR true AND false", true), ("1 < 2 < 3", true), ("1 < 3 < 2", false), ("1 = 1 = true", false),
            ("[1, 2, 3][1..]", [2, 3]), ("{a: {b: 5}}.a.b", 5), ("'ab' STARTS WITH 'a' AND 'ab' ENDS WITH 'b'", true),
            ("null IS NULL = true", true), ("2 IN [1] + [2]", true), ("NOT 1 = 2", true), ("1 + null", nil),
            ("null AND false", false), ("null OR true", true), ("null XOR true", nil), ("'a' + 1", "a1"),
            ("-9223372036854775808", .integer(.min)), ("0x1F + 0o17", 46), ("1e3", 1000.0),
            ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"), ("CASE WHEN null THEN 1 ELSE 2 END", 2),
            ("[x IN range(1, 5) WHERE x % 2 = 1 | x * x]", [1, 9, 25]), ("reduce(s = 0, x IN [1, 2, 3] | s + x)", 6),
            ("all(x IN [1, null] WHERE x > 0)", nil), ("any(x IN [1, null] WHERE x > 0)", true),
            ("none(x IN [] WHERE x)", true), ("single(x IN [1, 2] WHERE x = 2)", true), ("'\\u0041\\n'", "A\n"),
            ("substring('hello', 1, 3)", "ell"), ("split('a,b', ',')", ["a", "b"]),
            ("toInteger('12') + size('äö')", 14),
            ("coalesce(null, 3)", 3), ("'abc' =~ 'a.*'", true), ("head([])", nil), ("10 % 4", 2),
            ("[1, 2] || [3]", [1, 2, 3]),
        ] as [(String, GraphValue)])
    func expressions(expression: String, expected: GraphValue) throws {
        #expect(try value(expression) == expected)
    }

    @Test("integer arithmetic never wraps and never traps")
    func overflow() throws {
        for expression in [
            "9223372036854775807 + 1", "-9223372036854775808 - 1", "9223372036854775807 * 2", "-(-9223372036854775808)",
            "-9223372036854775808 / -1", "abs(-9223372036854775808)",
        ] {
            #expect(
                error("RETURN \(expression)")?.description == "Neo.ClientError.Statement.ArithmeticError: long overflow"
            )
        }
        #expect(error("RETURN 1 / 0")?.message == "/ by zero")
        #expect(error("RETURN 1 % 0")?.message == "/ by zero")
        #expect(try value("-9223372036854775808 % -1") == 0)
        #expect(error("RETURN 9223372036854775808")?.detail == "IntegerOverflow")
        #expect(error("RETURN 1.0e999")?.detail == "FloatingPointOverflow")
        #expect(error("RETURN 12ab")?.detail == "InvalidNumberLiteral")
    }

    @Test("nesting beyond the limit is an error, not a crash")
    func nesting() {
        let deep = 100_000
        for (open, close) in [
            ("(", ")"), ("[", "]"), ("{a:", "}"), ("NOT ", ""), ("-", ""), ("- ", ""), ("size(", ")"),
        ] {
            let text = String(repeating: open, count: deep) + "1" + String(repeating: close, count: deep)
            #expect(error("RETURN \(text)")?.kind == .syntax, "\(open)")
        }
        #expect(error("RETURN 1" + String(repeating: " IS NULL", count: deep))?.kind == .syntax)
        #expect(error("RETURN x" + String(repeating: ".a", count: deep))?.kind == .syntax)
        #expect(error("MATCH (a)" + String(repeating: "-->(a)", count: deep) + " RETURN a") != nil)
        #expect(error("MATCH (:" + String(repeating: "!", count: deep) + "A) RETURN 1")?.kind == .syntax)
    }

    @Test("nesting up to the limit works")
    func nestingWithinLimit() throws {
        let text = String(repeating: "(", count: 60) + "1" + String(repeating: ")", count: 60)
        #expect(try value(text) == 1)
        #expect(try value(String(repeating: "1 + ", count: 2_000) + "1") == 2_001)
    }

    @Test("random text is answered with an error or a result, never a trap")
    func randomText() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        let words = [
            "MATCH", "(", ")", "-", "[", "]", ">", "<", "n", ":A", "RETURN", "*", "1", "..", "{", "}", "'x", "'",
            "CREATE",
            "MERGE", ",", "=", "WHERE", "count(", "$p", "UNWIND", "AS", "|", ".", "\"", "`", "\u{1F600}", "\\", "IN",
            "CASE",
            "0x", "1e", "DELETE", "SET", "WITH", "ORDER BY", "LIMIT", "OPTIONAL", "NOT", "IS NULL", "any(", "//", "/*",
        ]
        for _ in 0..<1_000 {
            let count = Int.random(in: 1...14, using: &random)
            let text = (0..<count).map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
            if let error = error(text) { #expect(!error.message.isEmpty, "seed \(seed): \(text)") }
        }
    }

    @Test("column names are the text of the expression unless there is an alias")
    func columns() throws {
        let result = try graph.execute("MATCH (n) RETURN n.name, count( * ),n AS x, 1+ 2")
        #expect(result.columns == ["n.name", "count( * )", "x", "1+ 2"])
        #expect(result.rows.isEmpty)
    }
}
