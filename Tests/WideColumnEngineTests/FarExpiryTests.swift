// FarExpiryTests.swift — times to live that end where other stores' seconds do: past 2038, 2106, and any 32 bits.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Expiries far ahead")
struct FarExpiryTests {
    /// The last second that 31 and 32 bits hold.
    private static let lastSeconds: [Int64] = [Int64(Int32.max), Int64(UInt32.max)]

    @Test("an expiry past what 32 bits hold survives flush, compaction and restart", arguments: lastSeconds)
    func expiry(lastSecond: Int64) throws {
        let clock = ManualClock(now: StorageInstant(seconds: lastSecond - 100))
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int, c int, s int STATIC, v int, m set<int>, PRIMARY KEY (k, c))")
        try disk.store.execute(
            """
            CREATE MATERIALIZED VIEW w AS SELECT k, c, v, m FROM t WHERE v IS NOT NULL AND c IS NOT NULL AND k IS NOT NULL
            PRIMARY KEY (v, k, c)
            """)
        try disk.store.execute("CREATE INDEX ON t (v)")
        try disk.store.execute("INSERT INTO t (k, c, v, m) VALUES (1, 1, 5, {7}) USING TTL 500")
        try disk.store.execute("INSERT INTO t (k, c, v) VALUES (1, 2, 5) USING TTL 630720000")
        try disk.store.execute("UPDATE t USING TTL 90 SET v = 5 WHERE k = 1 AND c = 3")
        func expect(_ rows: [String], _ times: [String]) throws {
            for _ in 0..<2 {
                #expect(try disk.store.lines("SELECT c, v FROM t WHERE k = 1") == rows)
                #expect(try disk.store.lines("SELECT c, v FROM w WHERE v = 5") == rows)
                #expect(try disk.store.lines("SELECT c, v FROM t WHERE v = 5") == rows)
                #expect(try disk.store.lines("SELECT ttl(v) FROM t WHERE k = 1") == times)
                #expect(try disk.store.storage.verify().problems.isEmpty)
                try disk.flushAndCompact()
                try disk.reopen()
            }
        }
        try expect(["1 5", "2 5", "3 5"], ["500", "630720000", "90"])
        clock.advance(by: .seconds(99))
        try expect(["1 5", "2 5"], ["401", "630719901"])
        clock.advance(by: .seconds(400))
        try expect(["1 5", "2 5"], ["1", "630719501"])
        #expect(try disk.store.lines("SELECT m FROM t WHERE k = 1 AND c = 1") == ["{7}"])
        clock.advance(by: .seconds(1))
        try expect(["2 5"], ["630719500"])
        clock.advance(by: .seconds(630_719_499))
        try expect(["2 5"], ["1"])
        clock.advance(by: .seconds(1))
        try expect([], [])
    }
}
