// NestedSelectionTests.swift — the time to plan a selection grows with its length, not with 2 to the power of its depth.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Nested selections")
struct NestedSelectionTests {
    private static let depth = 40

    private static func nested(_ open: String, _ inner: String, _ close: String, _ depth: Int = depth) -> String {
        String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
    }

    @Test(
        "deeply nested expressions are planned at once", .timeLimit(.minutes(20)),
        arguments: [
            nested("abs(", "v", ")"), nested("abs(round(", "v", "))", depth / 2), nested("0 + (", "v", ")", depth / 2),
            nested("collection_max([", "v", "])", depth / 2), nested("collection_max([0, ", "v", "])", depth / 2),
            nested("CAST(abs(", "v", ") AS int)", depth / 2), nested("mask_replace(", "v", ", 7)"),
        ])
    func terms(expression: String) throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        try store.execute("INSERT INTO t (k, v) VALUES (1, 7)")
        #expect(try store.lines("SELECT \(expression) FROM t") == ["7"])
    }

    @Test("markers, vectors and aggregates inside of them too", .timeLimit(.minutes(20)))
    func markers() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, f float, w vector<float, 2>)")
        try store.execute("INSERT INTO t (k, v, f, w) VALUES (1, 7, 1, [1, 1])")
        let depth = Self.depth / 2
        let sum = Self.nested("? + (", "v", ")", depth)
        #expect(try store.lines("SELECT \(sum) FROM t", Array(repeating: 1, count: depth)) == ["\(7 + depth)"])
        let vector = Self.nested("similarity_dot_product([f, ", "f", "], w)", depth)
        #expect(try store.execute("SELECT \(vector) FROM t").count == 1)
        #expect(try store.lines("SELECT \(Self.nested("abs(", "sum(v)", ")")) FROM t") == ["7"])
        #expect(try store.lines("SELECT \(Self.nested("abs(0 + ", "max(v)", ")", depth)), min(v) FROM t") == ["7 7"])
        #expect(try store.lines("SELECT sum(\(Self.nested("abs(", "v", ")"))), count(*) FROM t") == ["7 1"])
    }

    @Test("terms of modifications and conditions are no exception", .timeLimit(.minutes(20)))
    func modifications() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        try store.execute("INSERT INTO t (k, v) VALUES (1, \(Self.nested("abs(", "(int) -7", ")")))")
        #expect(try store.lines("SELECT v FROM t WHERE k = \(Self.nested("abs(", "(int) 1", ")"))") == ["7"])
    }

    @Test(
        "a literal is of a kind that its type hint has",
        arguments: [
            ("(list<int>){1: 2}", "Invalid map literal for [selection] of type list<int>"),
            ("(list<int>){1, 2}", "Invalid set literal for [selection] of type list<int>"),
            ("(set<int>)[1]", "Invalid list literal for [selection] of type set<int>"),
            ("(map<int, int>)[1, 2]", "Invalid list literal for [selection] of type map<int, int>"),
            ("(map<int, int>){1}", "Invalid set literal for [selection] of type map<int, int>"),
            ("(int)[1]", "Invalid list literal for [selection] of type int"),
            ("(list<frozen<list<int>>>)[{1}]", "Invalid set literal for [selection] of type frozen<list<int>>"),
            ("(list<int>)(1, 2)", "Invalid tuple type literal for [selection] of type list<int>"),
            (
                "(tuple<int>)(1, 2)",
                "Invalid tuple literal for [selection]: too many elements. Type frozen<tuple<int>> expects 1 but got 2"
            ),
            (
                "(vector<int, 2>)[1]",
                "Invalid vector literal for [selection] of type vector<int, 2>; expected 2 elements, but given 1"
            ),
            ("(u){1: 2}", "Invalid map literal for [selection] of type u"),
        ])
    func wrongLiterals(literal: String, message: String) throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE u (a int)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY)")
        expectInvalid(message) { try store.execute("SELECT \(literal) FROM t") }
    }

    @Test("a literal with a type hint may be empty")
    func emptyLiterals() throws {
        let store = try makeStore()
        try store.execute("CREATE TYPE u (a int)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY)")
        try store.execute("INSERT INTO t (k) VALUES (1)")
        #expect(
            try store.lines(
                "SELECT (map<int, int>){}, (set<int>){}, (list<int>)[], (tuple<int, int>)(1, 2), (u){} FROM t")
                == ["{} {} [] (1, 2) {a: null}"])
    }

    @Test("literals take the type that a function wants, and columns in them keep theirs")
    func literals() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, f float, g float, v vector<float, 2>)")
        try store.execute("INSERT INTO t (k, f, g, v) VALUES (1, 3, 4, [3, 4])")
        for arguments in [
            "v, [3, 4]", "[f, g], v", "[3.0, 4.0], v", "v, [abs(f), g]", "v, v",
        ] {
            #expect(try store.lines("SELECT similarity_euclidean(\(arguments)) FROM t") == ["1.0"], "\(arguments)")
        }
        #expect(try store.lines("SELECT similarity_euclidean(v, ?) FROM t", [[3, 4]]) == ["1.0"])
        #expect(try store.lines("SELECT to_json([f, g]), collection_count({f, g}) FROM t") == ["'[3.0, 4.0]' 2"])
    }

    @Test(
        "literals may be made of columns",
        arguments: [
            ("(p){y: w, x: v}", "{x: 7, y: 'a'}"), ("(p){x: v + 1}", "{x: 8, y: null}"),
            ("(map<text, int>){w: v}", "{'a': 7}"), ("{w: v}", "{'a': 7}"), ("{'b': 1}", "{'b': 1}"),
            ("map_keys({'b': 1})", "{'b'}"), ("w + 'b'", "'ab'"), ("'b' + w", "'ba'"), ("(ascii)'b' + w", "'ba'"),
            ("\"abs\"(v)", "7"), ("system.\"abs\"(v)", "7"), ("count(2)", "1"), ("count('x')", "1"),
        ])
    func columnsInLiterals(selection: String, expected: String) throws {
        #expect(try makeTable().lines("SELECT \(selection) FROM t") == [expected])
    }

    @Test(
        "and are refused with Cassandra's words",
        arguments: [
            ("(p){z: v}", "Unknown field 'z' in value of user defined type p"),
            ("()", "line 1:8 no viable alternative at input ')' (SELECT ([)]...)"),
            ("{nosuch: 1}", "Undefined column name nosuch in table ks.t"),
            ("\"Abs\"(v)", "Unknown function 'Abs'"),
            (
                "similarity_cosine(f, [1, 2, 3])",
                "Invalid vector literal for [selection] of type vector<float, 2>; expected 2 elements, but given 3"
            ),
            (
                "dateof(d)",
                "Type error: d cannot be passed as argument 0 of function system.dateof of type timeuuid"
            ),
            ("v + w", "the '+' operation is not supported between v and w"),
        ])
    func refusals(selection: String, message: String) throws {
        let store = try makeTable()
        let error = #expect(throws: CQLError.self) { try store.execute("SELECT \(selection) FROM t") }
        #expect(error?.message == message)
    }

    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute("CREATE TYPE p (x int, y text)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, w text, d date, f vector<float, 2>)")
        try store.execute("INSERT INTO t (k, v, w, f) VALUES (1, 7, 'a', [1, 2])")
        return store
    }

    @Test("a constant that is counted leaves its name out; a key that is looked for has one")
    func names() throws {
        let store = try makeTable()
        #expect(try store.execute("SELECT count(2) FROM t").columns.map(\.name) == ["count"])
        try store.execute("CREATE TABLE m (k int PRIMARY KEY, m map<text, int>)")
        let statement = try store.prepare("SELECT k FROM m WHERE m CONTAINS KEY ? AND m CONTAINS ? ALLOW FILTERING")
        #expect(statement.markers.map(\.name) == ["key(m)", "value(m)"])
    }

    @Test("a null in a list of the selection is a null of the result")
    func nullElements() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        try store.execute("INSERT INTO t (k) VALUES (1)")
        let row = try store.execute("SELECT [v, 1], [[v], [2]], (k, [v]) FROM t")[0]
        #expect(row.wireBytes(0) == [0, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 4, 0, 0, 0, 1])
        #expect(row.values.map(\.description) == ["[null, 1]", "[[null], [2]]", "(1, [null])"])
        #expect(try store.lines("SELECT to_json([v, 1]), collection_count([v, 1]) FROM t") == ["'[null, 1]' 2"])
        expectInvalid("null is not supported inside collections") { try store.execute("SELECT {v, 1} FROM t") }
        expectInvalid("null is not supported inside collections") {
            try store.execute("INSERT INTO t (k, v) VALUES (1, collection_max((list<int>)[1, null]))")
        }
    }
}
