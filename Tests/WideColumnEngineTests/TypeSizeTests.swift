// TypeSizeTests.swift — types whose values, or whose definition written out, would not fit into memory.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Sizes of types")
struct TypeSizeTests {
    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        return store
    }

    private func expectTooLarge(_ store: WideColumnStore, _ cql: String) {
        let error = #expect(throws: CQLError.self, "\(cql)") { try store.execute(cql) }
        #expect(
            error?.code == .invalidRequest && error?.message.contains("is too large") == true,
            "\(cql): \(error?.message ?? "no error")")
    }

    @Test(
        "vectors of more elements than a value can have are refused",
        arguments: [
            "vector<vector<float, 1048576>, 1048576>",
            "vector<vector<vector<vector<float, 1048576>, 1048576>, 1048576>, 1048576>",
            "vector<vector<float, 4096>, 4096>", "frozen<list<vector<tuple<int, int>, 1000000>>>",
            "map<int, frozen<tuple<int, vector<vector<int, 2>, 1000000>>>>",
        ])
    func vectors(type: String) throws {
        let store = try makeTable()
        expectTooLarge(store, "CREATE TABLE x (k int PRIMARY KEY, v \(type))")
        expectTooLarge(store, "ALTER TABLE t ADD x \(type)")
        expectTooLarge(store, "CREATE TYPE u (f \(type))")
        expectTooLarge(store, "SELECT (\(type)) v FROM t")
        expectTooLarge(store, "SELECT mask_default((\(type)) ?) FROM t")
        expectTooLarge(store, "INSERT INTO t (k, v) VALUES (1, (\(type)) 1)")
        #expect(throws: CQLError.self) { _ = try CQLType(type, in: store, keyspace: "ks") }
    }

    @Test("vectors of a usual size are taken")
    func usualVectors() throws {
        let store = try makeTable()
        try store.execute(
            "CREATE TABLE x (k int PRIMARY KEY, v vector<float, 65536>, w vector<vector<float, 512>, 512>)")
        let vector = CQLValue.vector(Array(repeating: .float(1), count: 65_536))
        try store.execute("INSERT INTO x (k, v) VALUES (1, ?)", [vector])
        #expect(try store.execute("SELECT v FROM x")[0][0] == vector)
        let masked = try store.execute("SELECT mask_default(v) FROM x")[0][0]
        #expect(masked == .vector(Array(repeating: .float(0), count: 65_536)))
    }

    @Test("a type in Swift whose length overflows has no value, and does not trap")
    func overflow() {
        let half = CQLType.vector(.vector(.bigint, .max), .max)
        #expect(throws: (any Error).self) { try half.value(of: [0]) }
        #expect(throws: (any Error).self) { try CQLType.vector(half, 2).value(of: [0]) }
        #expect(throws: (any Error).self) { try CQLType.vector(.int, -1).value(of: [0]) }
    }

    @Test("types that double with every definition are refused when written out they have too many parts")
    func doubling() throws {
        let store = try makeTable()
        try store.execute("CREATE TYPE t0 (a int, b int)")
        var refused: Int?
        for depth in 1...27 {
            let cql = "CREATE TYPE t\(depth) (a frozen<t\(depth - 1)>, b frozen<t\(depth - 1)>)"
            do { try store.execute(cql) } catch let error as CQLError {
                #expect(error.message == "Type ks.t\(depth) is too large: written out it has more than 65536 parts")
                refused = depth
                break
            }
        }
        #expect(refused == 15)
        try store.execute("CREATE TABLE x (k int PRIMARY KEY, v frozen<t14>)")
        expectTooLarge(store, "CREATE TABLE y (k int PRIMARY KEY, v frozen<list<frozen<tuple<t14, t14>>>>)")
        #expect(try store.lines("SELECT v FROM x") == [])
    }

    @Test("types that others are made of may not grow until those are too large")
    func growing() throws {
        let store = try makeTable()
        try store.execute("CREATE TYPE inner (a int)")
        try store.execute("CREATE TYPE outer (a frozen<vector<frozen<inner>, 600000>>)")
        expectTooLarge(store, "ALTER TYPE inner ADD b int")
        try store.execute("CREATE TYPE other (a int)")
        try store.execute("CREATE TABLE x (k int PRIMARY KEY, v vector<frozen<other>, 600000>)")
        expectTooLarge(store, "ALTER TYPE other ADD b int")
        #expect(try store.execute("DESCRIBE TYPE other").isEmpty == false)
        try store.execute("DROP TABLE x")
        try store.execute("ALTER TYPE other ADD b int")
    }

    private func expectTooDeep(_ store: WideColumnStore, _ cql: String) {
        let error = #expect(throws: CQLError.self, "\(cql)") { try store.execute(cql) }
        #expect(error?.code == .invalidRequest && error?.message.contains("is nested too deeply") == true)
    }

    @Test("types that nest more deeply with every definition are refused at the depth that no stack bears")
    func depth() throws {
        let store = try makeTable()
        try store.execute("CREATE TYPE d0 (a int)")
        // Each definition adds the type and as many levels of lists as a statement may have.
        let lists = String(repeating: "list<", count: 60)
        let ends = String(repeating: ">", count: 60)
        for depth in 1...4 {
            try store.execute("CREATE TYPE d\(depth) (a frozen<\(lists)frozen<d\(depth - 1)>\(ends)>)")
        }
        expectTooDeep(store, "CREATE TYPE d5 (a frozen<\(lists)frozen<d4>\(ends)>)")
        for field in 1...10 {
            try store.execute("CREATE TYPE e\(field) (a frozen<\(field == 1 ? "d4" : "e\(field - 1)")>)")
        }
        try store.execute("CREATE TABLE x (k int PRIMARY KEY, v frozen<e10>)")
        expectTooDeep(store, "CREATE TABLE y (k int PRIMARY KEY, v frozen<list<frozen<e10>>>)")
        // What others are made of may not make them too deep either.
        expectInvalid("Type ks.e10 is nested too deeply: written out it has more than 256 levels") {
            try store.execute("ALTER TYPE d0 ADD b frozen<list<frozen<list<int>>>>")
        }
        #expect(try store.lines("SELECT v FROM x") == [])
    }

    @Test("a chain of many types is quick to look up")
    func chain() throws {
        let store = try makeTable()
        try store.execute("CREATE TYPE c0 (a int)")
        for depth in 1...60 { try store.execute("CREATE TYPE c\(depth) (a frozen<c\(depth - 1)>, b list<int>)") }
        try store.execute("CREATE TABLE x (k int PRIMARY KEY, v frozen<c60>)")
        try store.execute("INSERT INTO x (k, v) VALUES (1, {a: {b: [1]}})")
        #expect(try store.lines("SELECT v.a.b FROM x") == ["[1]"])
    }
}
