// IndexPagingTests.swift — pages of what an index finds fit together, whatever restricts the partitions beside it.
//
// A page that ended in a partition found by its static row was once continued in every partition of an IN: rows came
// twice.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Pages of indexed reads")
struct IndexPagingTests {
    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute(
            """
            CREATE TABLE t (p int, c int, s int STATIC, u int STATIC, v int, m map<int, int>, l list<int>,
            PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)
            """)
        for target in ["s", "v", "c", "keys(m)", "l"] { try store.execute("CREATE INDEX ON t (\(target))") }
        for p in 1...5 {
            let key = CQLValue.int(Int32(p))
            try store.execute("INSERT INTO t (p, s, u) VALUES (?, ?, ?)", [key, p == 4 ? 6 : 5, key])
            // The last partition has its static row alone.
            for c in 1...4 where p < 5 {
                try store.execute(
                    "INSERT INTO t (p, c, v, m, l) VALUES (?, ?, ?, {1: 1}, [7, 7])",
                    [key, .int(Int32(c)), .int(Int32(c % 2))])
            }
        }
        try store.execute("DELETE FROM t WHERE p = 2 AND c = 3")
        return store
    }

    private static let conditions = [
        "s = 5", "p IN (1, 2, 3) AND s = 5", "p IN (5, 3, 1, 4, 2) AND s = 5", "p IN (1, 4) AND s = 6",
        "p = 2 AND s = 5",
        "p = 5 AND s = 5", "v = 1", "p IN (1, 2, 3) AND v = 1", "p = 3 AND v = 0", "c = 2", "token(p) > 0 AND c = 2",
        "m CONTAINS KEY 1", "p IN (1, 2, 3, 4) AND m CONTAINS KEY 1", "l CONTAINS 7", "p IN (1, 3, 5) AND l CONTAINS 7",
        "s = 5 AND v = 1", "p IN (1, 2, 3) AND s = 5 AND v = 1", "p IN (1, 2, 3) AND s = 5 AND c > 1",
        "p IN (1, 2, 3) AND s = 5 AND c IN (1, 4)", "p IN (1, 2, 3) AND v = 1 AND c < 3", "s = 5 AND c >= 2",
        "token(p) > \(Int64.min + 1) AND s = 5", "token(p) <= token(3) AND v = 1", "s = 5 AND u IN (1, 3)",
    ]
    private static let limits = [
        "", "PER PARTITION LIMIT 1", "PER PARTITION LIMIT 2", "LIMIT 7", "PER PARTITION LIMIT 3 LIMIT 5",
    ]

    @Test("every form of an indexed SELECT has the same rows in pages as at once", arguments: conditions)
    func pages(condition: String) throws {
        let store = try makeTable()
        for limit in Self.limits {
            let statement = try store.prepare("SELECT p, c, s FROM t WHERE \(condition) \(limit) ALLOW FILTERING")
            let all = try statement.execute()
            #expect(all.trace.contains { $0.contains("using index") })
            for pageSize in 1...5 {
                var rows: [String] = []
                var state: PagingState?
                repeat {
                    let page = try statement.execute(pageSize: pageSize, pagingState: state)
                    rows += page.map(\.description)
                    #expect(page.count <= pageSize)
                    state = page.pagingState
                } while state != nil && rows.count <= 2 * all.count
                #expect(rows == all.map(\.description), "\(condition) \(limit), page size \(pageSize)")
            }
        }
    }

    @Test("the pages have the rows that a scan with the same conditions has", arguments: conditions)
    func rows(condition: String) throws {
        let store = try makeTable()
        let indexed = try store.lines("SELECT p, c, s FROM t WHERE \(condition) ALLOW FILTERING")
        for index in ["t_s_idx", "t_v_idx", "t_c_idx", "t_m_idx", "t_l_idx"] {
            try store.execute("DROP INDEX \(index)")
        }
        #expect(try store.lines("SELECT p, c, s FROM t WHERE \(condition) ALLOW FILTERING") == indexed)
    }
}
