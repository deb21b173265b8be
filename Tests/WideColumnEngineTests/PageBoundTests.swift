// PageBoundTests.swift — a page of a SELECT ends before the row by which its answer would be too large.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Pages of a bounded size")
struct PageBoundTests {
    private static let rowByteCount = 20_000

    /// Three partitions of eight rows of 20 KB, and one with a static row alone.
    private func makeRows() throws -> WideColumnStore {
        let store = try makeStore()
        for (table, statics) in [("t", "s text STATIC, "), ("plain", "")] {
            try store.execute(
                "CREATE TABLE \(table) (k int, c int, \(statics)v int, b blob, PRIMARY KEY (k, c))")
            let insert = try store.prepare("INSERT INTO \(table) (k, c, v, b) VALUES (?, ?, ?, ?)")
            for k in 1...3 {
                for c in 1...8 {
                    let bytes = [UInt8](repeating: UInt8(10 * k + c), count: Self.rowByteCount)
                    try insert.execute([.int(Int32(k)), .int(Int32(c)), .int(Int32(c % 2)), .blob(bytes)])
                }
            }
        }
        let text = String(repeating: "s", count: Self.rowByteCount)
        for k in 1...4 { try store.execute("INSERT INTO t (k, s) VALUES (?, ?)", [.int(Int32(k)), .text(text)]) }
        try store.execute("CREATE INDEX ON t (v)")
        try store.execute("CREATE INDEX ON plain (v)")
        return store
    }

    /// The rows of all pages; each page but the last is as full as it may be.
    private func pages(
        _ store: WideColumnStore, _ cql: String, pageSize: Int = 1000, maximum: Int
    ) throws -> (rows: [[CQLValue]], counts: [Int]) {
        let statement = try store.prepare(cql)
        var options = ExecutionOptions()
        options.pageSize = pageSize
        options.maximumResultByteCount = maximum
        var rows: [[CQLValue]] = []
        var counts: [Int] = []
        repeat {
            let page = try statement.execute([], options: options)
            var bytes: [UInt8] = []
            page.appendWireRows(to: &bytes)
            #expect(bytes.count <= maximum, "\(cql)")
            rows += page.map(\.values)
            counts.append(page.count)
            options.pagingState = try page.pagingState.map { try PagingState(bytes: $0.bytes) }
        } while options.pagingState != nil && counts.count < 100
        return (rows, counts)
    }

    @Test(
        "pages together are the whole result, whatever it is selected by",
        arguments: [
            "SELECT * FROM t", "SELECT * FROM t WHERE k = 1", "SELECT * FROM t WHERE k IN (1, 2, 4)",
            "SELECT * FROM t WHERE k = 1 ORDER BY c DESC", "SELECT * FROM t WHERE v = 1",
            "SELECT * FROM t WHERE k = 2 AND v = 0",
            "SELECT DISTINCT k, s FROM t", "SELECT JSON * FROM t", "SELECT * FROM t LIMIT 11",
            "SELECT * FROM t PER PARTITION LIMIT 5", "SELECT k, c, max(b), s FROM t GROUP BY k, c",
            "SELECT k, max(b) FROM t GROUP BY k", "SELECT k, c, b FROM t GROUP BY k, c PER PARTITION LIMIT 3 LIMIT 7",
            "SELECT * FROM t WHERE v = 1 AND c > 2 ALLOW FILTERING", "SELECT b, b FROM t", "SELECT s, c FROM t",
            "SELECT * FROM plain", "SELECT * FROM plain WHERE k IN (2, 3)",
            "SELECT k, b FROM plain WHERE k = 1 ORDER BY c DESC",
            "SELECT b, b, c FROM plain", "SELECT * FROM plain WHERE v = 1", "SELECT * FROM plain PER PARTITION LIMIT 2",
            "SELECT k, c FROM plain", "SELECT count(*) FROM plain",
        ])
    func wholes(cql: String) throws {
        let store = try makeRows()
        let whole = try store.execute(cql).map(\.values)
        for maximum in [100_000, 170_000, 1_000_000] {
            for pageSize in [3, 1000] {
                let paged = try pages(store, cql, pageSize: pageSize, maximum: maximum)
                #expect(paged.rows == whole, "\(maximum), \(pageSize)")
                #expect(paged.counts.allSatisfy { $0 <= pageSize })
            }
        }
    }

    @Test("a page has as many rows as fit, and what the key's bytes are in each row counts too")
    func counts() throws {
        let store = try makeRows()
        #expect(try pages(store, "SELECT * FROM plain WHERE k = 1", maximum: 100_000).counts == [4, 4])
        #expect(try pages(store, "SELECT c, b FROM t WHERE k = 1", maximum: 130_000).counts == [6, 2])
        #expect(try pages(store, "SELECT b, b FROM plain WHERE k = 1", maximum: 100_000).counts == [2, 2, 2, 2])
        try store.execute("CREATE TABLE long (k text, c int, PRIMARY KEY (k, c))")
        let key = CQLValue.text(String(repeating: "k", count: 1000))
        for c in 0..<20 { try store.execute("INSERT INTO long (k, c) VALUES (?, ?)", [key, .int(Int32(c))]) }
        #expect(try pages(store, "SELECT * FROM long", maximum: 10_500).counts == [10, 10])
    }

    @Test("one row that is too large is refused, and so is a result without pages")
    func tooLarge() throws {
        let store = try makeRows()
        for cql in [
            "SELECT * FROM t", "SELECT * FROM plain", "SELECT k, max(b) FROM t GROUP BY k",
            "SELECT * FROM t WHERE v = 1",
        ] {
            let error = #expect(throws: CQLError.self) { try pages(store, cql, maximum: 10_000) }
            #expect(error?.message.hasPrefix("Response is too big: length") == true)
            var options = ExecutionOptions()
            options.maximumResultByteCount = 30_000
            let whole = #expect(throws: CQLError.self) { try store.prepare(cql).execute([], options: options) }
            #expect(whole?.message.hasPrefix("Response is too big: length") == true)
        }
        // A row that is too large ends the page before it, and fails alone.
        let large = CQLValue.blob([UInt8](repeating: 1, count: 200_000))
        try store.execute("INSERT INTO plain (k, c, b) VALUES (1, 3, ?)", [large])
        let statement = try store.prepare("SELECT * FROM plain WHERE k = 1")
        var options = ExecutionOptions()
        options.pageSize = 100
        options.maximumResultByteCount = 100_000
        let first = try statement.execute([], options: options)
        #expect(first.count == 2)
        options.pagingState = first.pagingState
        #expect(throws: CQLError.self) { try statement.execute([], options: options) }
    }
}
