// OddStatementTests.swift — statements as people type them, most of them wrong or strange, with what Cassandra 4.1 and 5.0
// answer to each. The other files of this name have the tables.

import StorageTypes
import Testing

@testable import WideColumnEngine

/// Statements that follow each other in one store, each with its answer: rows, `nothing`, `ok`, or an error with its code.
typealias StatementTable = [(cql: String, answer: String)]

@Suite("Statements as people type them")
struct OddStatementTests {
    private func makeTables() throws -> WideColumnStore {
        let store = try makeStore()
        for cql in [
            "CREATE TYPE u (a int, b text)",
            """
            CREATE TABLE t (k int, c int, d int, s int STATIC, v int, w text, l list<int>, m map<text, int>, st set<int>,
            f frozen<list<int>>, x u, fx frozen<u>, PRIMARY KEY (k, c, d))
            """,
            "CREATE TABLE two (a int, b int, c int, v int, PRIMARY KEY ((a, b), c))",
            "CREATE TABLE n (k int, c int, n counter, o counter, PRIMARY KEY (k, c))",
            "CREATE TABLE simple (k text PRIMARY KEY, v int)", "CREATE TABLE dur (k int PRIMARY KEY, d duration)",
            """
            CREATE TABLE ty (k int PRIMARY KEY, a ascii, bi bigint, bl blob, bo boolean, da date, de decimal, dou double,
            fl float, ine inet, i int, sm smallint, te text, ti time, ts timestamp, tu timeuuid, tin tinyint, uu uuid,
            va varint, vec vector<float, 3>, tup tuple<int, text>)
            """,
            "CREATE MATERIALIZED VIEW mv AS SELECT * FROM simple WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)",
        ] { try store.execute(cql) }
        return store
    }

    private func answer(_ store: WideColumnStore, _ cql: String) throws -> String {
        do {
            let result = try store.execute(cql)
            if result.columns.isEmpty { return "ok" }
            if result.isEmpty { return "nothing" }
            return result.map { $0.values.map(\.description).joined(separator: " ") }.joined(separator: "; ")
        } catch let error as CQLError {
            return "\(error.code): \(error.message)"
        }
    }

    @Test("each has Cassandra's answer", arguments: 0..<tables.count)
    func answers(table: Int) throws {
        let store = try makeTables()
        for (cql, expected) in Self.tables[table] { #expect(try answer(store, cql) == expected, "\(cql)") }
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("there are more than four hundred of them")
    func count() { #expect(Self.tables.map(\.count).reduce(0, +) > 400) }

    private static let tables: [StatementTable] = [
        texts, numbers, strings, dates, durations, keys, extremes, counters, collections, times, conditions, batches,
        documents, others, definitions, floats, signedYears,
        documentTexts, roundings, decimalCasts,
    ]
}
