// TermTests.swift — type hints, literals, functions and CAST in the terms of modifications and conditions, and beside
// columns and markers in SELECT lists ([CA] antlr/Parser.g, cql3/terms/Constants.java, cql3/functions/FunctionResolver.java).

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Terms")
struct TermTests {
    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (k int PRIMARY KEY, i int, bi bigint, va varint, fl float, dou double, de decimal, te text,
            ts timestamp, da date, bl blob, uu uuid, m map<int, int>, s set<int>)
            """)
        return store
    }

    /// What is stored for a term, or why it is refused.
    private func answer(_ store: WideColumnStore, _ column: String, _ term: String, _ values: [CQLValue]) throws
        -> String
    {
        do {
            try store.execute("INSERT INTO t (k, \(column)) VALUES (1, \(term))", values)
            return try store.lines("SELECT \(column) FROM t WHERE k = 1")[0]
        } catch let error as CQLError { return error.message }
    }

    @Test(
        "a type hint is of what stands next to it alone",
        arguments: [
            ("i", "(int)10 - (int)3 - (int)2", "5"), ("i", "2 * (int)3 + 4", "10"), ("i", "-(int)5 + 3", "-2"),
            ("i", "(int)7 / 2 * 2", "6"), ("i", "(int)(1 + 2) * 3", "9"), ("i", "(int)-5 + 1", "-4"),
            ("dou", "(int)7 / 2.0", "3.5"), ("fl", "(int)7 / 2.0", "3.5"), ("de", "(int)7 / 2.0", "3.5"),
            ("bi", "(int)7 / 2", "3"), ("bi", "((int)3 + (int)4) * 2", "14"), ("i", "(int)(int)5", "5"),
            (
                "i", "(int)7 / 2.0",
                "Type error: cannot assign result of function system._divide (type double) to i (type int)"
            ),
        ])
    func hints(column: String, term: String, expected: String) throws {
        #expect(try answer(makeTable(), column, term, []) == expected)
    }

    @Test("a marker with a hint has its type")
    func hintedMarkers() throws {
        let store = try makeTable()
        let insert = try store.prepare("INSERT INTO t (k, i, dou) VALUES (1, (int)? + 1, ? * (int)2)")
        #expect(insert.markers.map(\.type) == [.int, .double])
        try insert.execute([4, 1.5])
        #expect(try store.lines("SELECT i, dou FROM t") == ["5 3.0"])
    }

    @Test("hints may be nested as deep as anything else")
    func deepHints() throws {
        let store = try makeTable()
        let message = #expect(throws: CQLError.self) {
            try store.execute("INSERT INTO t (k, i) VALUES (1, \(String(repeating: "(int)", count: 5000))1)")
        }
        #expect(message?.code == .syntaxException)
    }

    @Test(
        "a literal with a fraction takes the type of what it is for, and is exact where no double is",
        arguments: [
            ("de", "0.1 + 0.2", "0.3"), ("de", "1.23456789012345678901 * 10", "12.34567890123456789010"),
            ("de", "1 + 0.1 - -0.2", "1.3"), ("fl", "5.0 / 2", "2.5"), ("fl", "0.5 + 0.25", "0.75"),
            ("dou", "5.0 / 2", "2.5"), ("dou", "0.1 + 0.2", "0.30000000000000004"), ("de", "round(2.5)", "3"),
            ("fl", "abs(2.5)", "2.5"), ("bl", "doubleAsBlob(1.00000000000000000001)", "0x3ff0000000000000"),
            ("bl", "floatAsBlob(1.5)", "0x3fc00000"),
            ("te", "to_json(1.23456789012345678901)", "'1.23456789012345678901'"),
            ("te", "to_json(1.5)", "'1.5'"),
            (
                "i", "1.5 + 2",
                "Type error: cannot assign result of function system._add (type double) to i (type int)"
            ),
        ])
    func fractions(column: String, term: String, expected: String) throws {
        #expect(try answer(makeTable(), column, term, []) == expected)
    }

    @Test("a literal of a SELECT list is a double, or a decimal where no double is written so")
    func selectedLiterals() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, de, dou) VALUES (1, 1, 1)")
        let result = try store.execute(
            "SELECT de + 1.23456789012345678901, dou + 0.1, dou + 1.00000000000000000001, 1e400, doubleAsBlob(1.00000000000000000001) FROM t"
        )
        #expect(result.columns.map(\.type) == [.decimal, .double, .decimal, .decimal, .blob])
        #expect(result[0].values[0].description == "2.23456789012345678901")
        #expect(result[0].values[1] == .double(1.1))
    }

    private static func misfit(_ function: String, _ type: String, _ column: String, _ wanted: String) -> String {
        "Type error: cannot assign result of function system.\(function) (type \(type)) to \(column) (type \(wanted))"
    }

    @Test(
        "the result of a function that fits many types is of the type that is wanted",
        arguments: [
            ("i", "round(2.5)", misfit("round", "double", "i", "int")),
            ("dou", "abs((bigint)5)", misfit("abs", "bigint", "dou", "double")),
            ("i", "abs((bigint)5)", misfit("abs", "bigint", "i", "int")),
            ("i", "to_json((int)5)", misfit("to_json", "text", "i", "int")),
            ("s", "map_values((map<int, int>){1: 2})", misfit("map_values", "list<int>", "s", "set<int>")),
            ("s", "map_keys((map<int, int>){1: 2})", "{1}"), ("bi", "abs((bigint)-5)", "5"),
            ("te", "to_json((int)5)", "'5'"),
            ("bi", "collection_count((list<int>)[1, 2])", misfit("collection_count", "int", "bi", "bigint")),
            ("i", "collection_max((list<int>)[1, 2])", "2"), ("i", "from_json('7')", "7"),
            ("te", "mask_default((int)5)", misfit("mask_default", "int", "te", "text")),
            ("bl", "abs((int)-5)", "0x00000005"),
        ])
    func results(column: String, term: String, expected: String) throws {
        #expect(try answer(makeTable(), column, term, []) == expected)
    }

    @Test("also in keys, in WHERE, in UPDATE and in IF")
    func resultsElsewhere() throws {
        let store = try makeTable()
        for (cql, function, type, column, wanted) in [
            ("INSERT INTO t (k) VALUES (round(2.5))", "round", "double", "k", "int"),
            ("SELECT * FROM t WHERE k = abs((bigint)5)", "abs", "bigint", "k", "int"),
            ("UPDATE t SET dou = abs((bigint)5) WHERE k = 1", "abs", "bigint", "dou", "double"),
            ("UPDATE t SET i = 1 WHERE k = 1 IF i = abs((bigint)5)", "abs", "bigint", "i", "int"),
            ("INSERT INTO t (k, i) VALUES (1, abs(round(2.5)))", "abs", "double", "i", "int"),
        ] { expectInvalid(Self.misfit(function, type, column, wanted)) { try store.execute(cql) } }
        try store.execute("CREATE TABLE n (k int PRIMARY KEY, n counter)")
        try store.execute("UPDATE n SET n = n + abs((bigint)-5) WHERE k = 1")
        try store.execute("UPDATE n SET n = n + abs(-2) WHERE k = 1")
        #expect(try store.lines("SELECT n FROM n") == ["7"])
    }

    private static let unfitting =
        "Invalid call to function abs, none of its type signatures match (known type signatures: "
        + ["tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "varint"]
        .map { "system.abs : (\($0)) -> \($0), " }.joined() + "system.abs : (counter) -> bigint)"

    @Test(
        "literals and markers that functions of numbers have take the type of what these are for",
        arguments: [
            ("i", "abs(-5)", [], "5"), ("bi", "abs(?)", [-5], "5"), ("dou", "exp(?)", [0.0], "1.0"),
            ("dou", "exp(0)", [], "1.0"), ("de", "log10(100)", [], "2"), ("va", "round(7)", [], "7"),
            ("i", "abs(abs(round(-7)))", [], "7"), ("i", "abs(-5) + ?", [1], "6"), ("i", "abs(-5 + 1)", [], "4"),
            ("te", "abs(-5)", [], unfitting),
        ] as [(String, String, [CQLValue], String)])
    func numbers(column: String, term: String, values: [CQLValue], expected: String) throws {
        #expect(try answer(makeTable(), column, term, values) == expected)
    }

    @Test("so does a marker in WHERE")
    func numberInWhere() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, i) VALUES (3, 1)")
        let select = try store.prepare("SELECT i FROM t WHERE k = abs(?)")
        #expect(select.markers.map(\.type) == [.int])
        #expect(try select.execute([-3]).count == 1)
    }

    @Test("what moves a time is a duration, also where it is a marker")
    func movedTimes() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, ts, da, i) VALUES (1, 86400000, '2020-02-01', 5)")
        let select = try store.prepare("SELECT ts - ?, ts + ?, da + ?, i - ? FROM t")
        #expect(select.markers.map(\.type) == [.duration, .duration, .duration, .int])
        let day = CQLValue.duration(CQLDuration(months: 0, days: 1, nanoseconds: 0))
        #expect(
            try select.execute([day, day, day, 2])[0].values
                == [.timestamp(0), .timestamp(172_800_000), .date(18_294), .int(3)])
    }

    @Test(
        "CAST converts terms too",
        arguments: [
            ("i", "CAST(1.9 AS int)", [], "1"), ("te", "CAST(5 AS text)", [], "'5'"),
            ("de", "CAST((int)5 AS decimal)", [], "5"),
            ("te", "cast(1 + 2 as text)", [], "'3'"), ("i", "CAST(? AS int) + 1", [4], "5"),
            ("da", "CAST((timestamp)0 AS date)", [], "'1970-01-01'"),
            ("bi", "CAST(CAST(7.5 AS int) AS bigint)", [], "7"), ("te", "CAST(abs(-5) AS text)", [], "'5'"),
            ("bi", "CAST(1 AS int)", [], misfit("castasint", "int", "bi", "bigint")),
            ("i", "CAST('a' AS int)", [], "text cannot be cast to int"),
            (
                "i", "CAST(1 AS nosuch)", [],
                "line 1:42 no viable alternative at input 'nosuch' (..., CAST(1 AS [nosuch]...)"
            ),
            ("i", "CAST(1 int)", [], "line 1:39 mismatched input 'int' expecting K_AS (...1, CAST(1 [int]...)"),
        ] as [(String, String, [CQLValue], String)])
    func casts(column: String, term: String, values: [CQLValue], expected: String) throws {
        #expect(try answer(makeTable(), column, term, values) == expected)
    }

    @Test("a view may be restricted by hints and casts, and is read again as it was written")
    func viewText() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))")
        try store.execute(
            """
            CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE k IS NOT NULL AND c > (int)2 + CAST(1.5 AS int)
            PRIMARY KEY (c, k)
            """)
        try store.execute("ALTER TABLE t RENAME k TO key")
        for c in 2...5 { try store.execute("INSERT INTO t (key, c, v) VALUES (1, \(c), 0)") }
        #expect(try store.lines("SELECT key, c FROM m").sorted() == ["1 4", "1 5"])
    }

    @Test(
        "a function that fails is named",
        arguments: [
            ("SELECT 1 / 0 FROM t", "_divide", ["int", "int"]),
            ("SELECT de / 0 FROM t", "_divide", ["decimal", "int"]),
            ("SELECT i % 0 FROM t", "_modulo", ["int", "int"]),
            ("INSERT INTO t (k, i) VALUES (1, fromJson('{'))", "fromjson", ["text"]),
            ("INSERT INTO t (k, i) VALUES (1, from_json('[]'))", "from_json", ["text"]),
            ("SELECT log(de) FROM t", "log", ["decimal"]), ("SELECT exp(va) FROM t", "exp", ["varint"]),
        ])
    func failures(cql: String, name: String, types: [String]) throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, i, de, va) VALUES (1, 1, -1, 1000000000000)")
        let error = #expect(throws: CQLError.self) { try store.execute(cql) }
        #expect(error?.code == .functionFailure)
        #expect(error?.failedFunction == .init(keyspace: "system", name: name, argumentTypes: types))
    }
}
