// UnreadRowTests.swift — rows that are changed many times without being read.

import StorageTypes
import Testing

@testable import StorageCore
@testable import WideColumnEngine

@Suite("Rows changed without being read")
struct UnreadRowTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    /// Of the only row of `t`.
    private func changeCount(_ store: WideColumnStore) throws -> Int {
        let table = try store.table("t")
        return try store.storage.write { transaction in
            var cursor = try transaction.cursor(table.storage)
            try cursor.seekToFirst()
            return transaction.operandCount(table.storage, cursor.key, upTo: .max)
        }
    }

    @Test("a small row's changes do not pile up in memory")
    func smallRow() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, a int, b int)")
        let update = try store.prepare("UPDATE t SET a = ? WHERE k = 1")
        let insert = try store.prepare("INSERT INTO t (k, b) VALUES (1, ?)")
        var largest = 0
        for number in 0..<5000 as Range<Int32> {
            clock.advance(by: .microseconds(37))
            try update.execute([.int(number)])
            if number % 3 == 0 { try insert.execute([.int(number)]) }
            if number % 50 == 0 { largest = max(largest, try changeCount(store)) }
        }
        #expect(largest > 16 && largest < 1000)
        #expect(try store.lines("SELECT * FROM t") == ["1 4999 4998"])
    }

    @Test("a large row is written whole only where its changes come to as much")
    func largeRow() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, s set<int>, b blob)")
        try store.execute("INSERT INTO t (k, b) VALUES (1, ?)", [.blob(Array(repeating: 7, count: 60_000))])
        let before = store.storage.statistics.commits.userByteCount
        let update = try store.prepare("UPDATE t SET s = s + ? WHERE k = 1")
        for number in 0..<2000 as Range<Int32> {
            clock.advance(by: .microseconds(37))
            try update.execute([.set([.int(number)])])
        }
        #expect(store.storage.statistics.commits.userByteCount - before < 2_000_000)
        let elements = try store.lines("SELECT s FROM t")[0]
        #expect(elements.split(separator: ",").count == 2000)
    }

    @Test("statements of one commit draw for themselves, and do not read all their rows at once")
    func commits() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, a int, b blob)")
        let update = try store.prepare("UPDATE t SET a = ? WHERE k = ?")
        for k in 0..<200 as Range<Int32> {
            try store.execute("INSERT INTO t (k, b) VALUES (?, ?)", [.int(k), .blob(Array(repeating: 7, count: 2000))])
        }
        var largest = 0
        for number in 0..<40 as Range<Int32> {
            clock.advance(by: .microseconds(37))
            try store.storage.write { transaction in
                for k in 0..<200 as Range<Int32> { try update.execute([.int(number), .int(k)], in: transaction) }
                largest = max(largest, transaction.batch.byteCount)
            }
        }
        // All rows are 400,000 bytes together.
        #expect(largest > 12_000 && largest < 150_000, "\(largest)")
        #expect(try store.lines("SELECT a FROM t WHERE a = 39 ALLOW FILTERING").count == 200)
    }
}
