// LargePartitionTests.swift — partitions with more rows than one commit can take out of views and indexes.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Deleting large partitions")
struct LargePartitionTests {
    @Test("a deletion that is too large for one commit says so, changes nothing, and goes in parts")
    func deletion() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int, c int, v text, PRIMARY KEY (k, c))")
        try store.execute("CREATE INDEX ON t (v)")
        // Each has an entry of 65 KB in the index.
        let insert = try store.prepare("INSERT INTO t (k, c, v) VALUES (1, ?, ?)")
        for c in 0..<1100 {
            try insert.execute([.int(Int32(c)), .text("\(c)" + String(repeating: "x", count: 65_000))])
        }
        for condition in ["k = 1 AND c >= 0"] {
            expectInvalid(
                "Deleting so many rows of ks.t at once takes more than one commit holds, because its views and indexes "
                    + "change with every row; delete them in several ranges of clustering keys"
            ) { try store.execute("DELETE FROM t WHERE \(condition)") }
            #expect(try store.lines("SELECT count(*) FROM t WHERE k = 1") == ["1100"])
        }
        for lower in stride(from: 0, to: 1100, by: 400) {
            try store.execute(
                "DELETE FROM t WHERE k = 1 AND c >= ? AND c < ?", [.int(Int32(lower)), .int(Int32(lower + 400))])
        }
        #expect(try store.execute("SELECT c FROM t WHERE k = 1").isEmpty)
    }
}
