// HarryPurgeTests.swift — what compaction forgets must never be missed: whatever a deletion covered stays away.

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Purging deletions")
struct HarryPurgeTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func makeDisk(_ table: String) throws -> StoreOnDisk {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute(table)
        return disk
    }

    @Test(
        "rows that a deletion of their partition or range covered do not return when its grace period is over",
        arguments: ["k = 1", "k = 1 AND c < 100", "k = 1 AND c >= 0", "k = 1 AND c > 2 AND c <= 7"])
    func coveredRows(condition: String) throws {
        let disk = try makeDisk(
            "CREATE TABLE t (k int, c int, s int STATIC, v int, PRIMARY KEY (k, c)) WITH gc_grace_seconds = 100")
        try disk.store.execute("INSERT INTO t (k, s) VALUES (1, 1)")
        for c in 0..<10 { try disk.store.execute("INSERT INTO t (k, c, v) VALUES (1, ?, 0)", [.int(Int32(c))]) }
        try disk.flushAndCompact()
        try disk.store.execute("DELETE FROM t WHERE \(condition)")
        try disk.store.execute("INSERT INTO t (k, c, v) VALUES (1, 5, 5)")
        let expected = try disk.store.lines("SELECT * FROM t WHERE k = 1")
        #expect(expected.count < 11)
        try disk.flushAndCompact()
        for _ in 0..<3 {
            clock.advance(by: .seconds(101))
            // Something else goes on, so that the storage's own time moves.
            try disk.store.execute("INSERT INTO t (k, c, v) VALUES (2, 1, 1)")
            try disk.flushAndCompact()
            #expect(try disk.store.lines("SELECT * FROM t WHERE k = 1") == expected)
        }
        // The deletion and what it covered are gone from disk by now.
        #expect(try disk.entryCount("ks", "t") == expected.count + (condition == "k = 1" ? 0 : 1) + 1)
        try disk.reopen()
        #expect(try disk.store.lines("SELECT * FROM t WHERE k = 1") == expected)
    }

    @Test(
        "a deletion stays as long as an older write that came late lies in a newer place", arguments: [true, false])
    func lateOlderWrites(ofPartition: Bool) throws {
        let disk = try makeDisk(
            "CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c)) WITH gc_grace_seconds = 100")
        let old = CQLValue.bigint(clock.now.microseconds - 1_000_000)
        try disk.store.execute("DELETE FROM t WHERE k = 1 AND c = 1")
        try disk.store.execute("DELETE v FROM t WHERE k = 1 AND c = 2")
        if ofPartition { try disk.store.execute("DELETE FROM t WHERE k = 2") }
        try disk.flushAndCompact()
        for (k, c) in [(1, 1), (1, 2), (2, 1)] where ofPartition || k == 1 {
            try disk.store.execute("UPDATE t USING TIMESTAMP ? SET v = 1 WHERE k = \(k) AND c = \(c)", [old])
        }
        clock.advance(by: .seconds(101))
        try disk.store.execute("INSERT INTO t (k, c) VALUES (9, 9)")
        #expect(try disk.store.lines("SELECT * FROM t") == ["9 9 null"])
        try disk.store.storage.settle()
        #expect(try disk.store.lines("SELECT * FROM t") == ["9 9 null"])
        try disk.flushAndCompact()
        try disk.flushAndCompact()
        #expect(try disk.store.lines("SELECT * FROM t") == ["9 9 null"])
    }

    @Test("a deletion that TRUNCATE removed covers nothing that is written later")
    func truncated() throws {
        let disk = try makeDisk("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))")
        try disk.store.execute("DELETE FROM t USING TIMESTAMP 9 WHERE k = 1")
        try disk.store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 1) USING TIMESTAMP 10")
        try disk.flushAndCompact()
        try disk.store.execute("TRUNCATE t")
        try disk.store.execute("INSERT INTO t (k, c, v) VALUES (1, 2, 2) USING TIMESTAMP 8")
        try disk.flushAndCompact()
        #expect(try disk.store.lines("SELECT * FROM t") == ["1 2 2"])
    }
}
