// HalfStatementTests.swift — statements that are refused after they have begun to write, in transactions that go on.

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Statements that are refused half-way")
struct HalfStatementTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func blob(_ count: Int) -> CQLValue { .blob(Array(repeating: 7, count: count)) }

    private func makeTables() throws -> WideColumnStore {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, w int, b blob)")
        try store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT k, w FROM t WHERE w IS NOT NULL AND k IS NOT NULL PRIMARY KEY (w, k)")
        try store.execute("CREATE TABLE s (k int, c int, x int STATIC, v blob, l list<int>, PRIMARY KEY (k, c))")
        try store.execute("CREATE INDEX ON s (v)")
        return store
    }

    @Test("a transaction is not committed with half a statement in it, whoever catches the error", arguments: 0..<4)
    func halfStatements(kind: Int) throws {
        let store = try makeTables()
        let cases: [(cql: String, values: [CQLValue])] = [
            (
                "BEGIN BATCH INSERT INTO t (k, b) VALUES (1, ?); INSERT INTO t (k, b) VALUES (2, ?) APPLY BATCH",
                [blob(40_000), blob(40_000)]
            ), ("INSERT INTO s (k, c, x, v) VALUES (1, 1, 5, ?)", [blob(70_000)]),
            ("INSERT INTO t (k, w, b) VALUES (1, 2, ?)", [blob(33 << 20)]),
            (
                "BEGIN BATCH INSERT INTO t (k, w) VALUES (1, 2); UPDATE s SET l[0] = 1 WHERE k = 1 AND c = 1 APPLY BATCH",
                []
            ),
        ]
        let (cql, values) = cases[kind]
        var caught: (any Error)?
        let thrown = #expect(throws: (any Error).self) {
            try store.storage.write { transaction in
                try store.execute("INSERT INTO t (k, w) VALUES (7, 7)", in: transaction)
                do { try store.execute(cql, values, in: transaction) } catch { caught = error }
            }
        }
        #expect("\(try #require(thrown))" == "\(try #require(caught))")
        for table in ["t", "m", "s"] { #expect(try store.execute("SELECT * FROM \(table)").isEmpty, "\(table)") }
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("one that is refused before it has written anything leaves the transaction as it was")
    func wholeStatements() throws {
        let store = try makeTables()
        try store.storage.write { transaction in
            try store.execute("INSERT INTO t (k, w) VALUES (7, 7)", in: transaction)
            #expect(throws: CQLError.self) { try store.execute("INSERT INTO t (k) VALUES (null)", in: transaction) }
        }
        #expect(try store.lines("SELECT k, w FROM m") == ["7 7"])
        // The transaction's object is used again.
        try store.execute("INSERT INTO t (k, w) VALUES (8, 8)")
        #expect(try store.execute("SELECT * FROM t").count == 2)
    }

    @Test("rows that merges have made longer than a value may be are merged into, not replaced")
    func longRows() {
        for microseconds in 0..<1000 as Range<Int64> {
            let time = StorageInstant(microseconds: microseconds)
            #expect(!RowReplacement.isDue(storedByteCount: 32 << 20, fragmentByteCount: 9 << 20, at: time))
            #expect(RowReplacement.isDue(storedByteCount: 100, fragmentByteCount: 60, at: time))
        }
    }

    @Test("the least timestamp, which no deletion may have, is refused in every form")
    func leastTimestamp() throws {
        let store = try makeTables()
        var options = ExecutionOptions()
        options.timestamp = .min
        for cql in [
            "INSERT INTO t (k, w) VALUES (?, ?)", "UPDATE s SET l = [1] WHERE k = ? AND c = ?",
            "INSERT INTO t (k, w) VALUES (?, ?) USING TIMESTAMP -9223372036854775808",
        ] {
            let statement = try store.prepare(cql)
            expectInvalid("Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]") {
                try statement.execute([1, 1], options: options)
            }
        }
    }
}
