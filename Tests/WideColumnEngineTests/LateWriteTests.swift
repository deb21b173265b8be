// LateWriteTests.swift — writes with timestamps behind what was written before, and before what will be.

import StorageTypes
import Testing

@testable import StorageCore
@testable import WideColumnEngine

@Suite("Late writes")
struct LateWriteTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func makeTable(_ options: String = "") throws -> WideColumnStore {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, a int, b blob, c int) \(options)")
        return store
    }

    /// The bytes of the values that a transaction writes.
    private func writtenByteCount(
        _ store: WideColumnStore, _ body: (WriteTransaction) throws -> Void
    ) throws -> Int {
        try store.storage.write { transaction in
            try body(transaction)
            let batch = transaction.batch
            return batch.entries.indices.filter { batch.entries[$0].isLive }
                .map { batch.withValue(of: $0) { $0.count } }.reduce(0, +)
        }
    }

    @Test("a batch of late writes is measured by what it says, not by the rows that it is about")
    func batchSize() throws {
        let store = try makeTable()
        let blob = CQLValue.blob(Array(repeating: 7, count: 60_000))
        for k in 1...2 { try store.execute("INSERT INTO t (k, b) VALUES (?, ?)", [.int(Int32(k)), blob]) }
        let batch =
            "BEGIN BATCH USING TIMESTAMP 1 UPDATE t SET a = 1 WHERE k = 1; UPDATE t SET a = 2 WHERE k = 2; APPLY BATCH"
        #expect(try store.execute(batch).warnings.isEmpty)
        #expect(try store.lines("SELECT a FROM t").sorted() == ["1", "2"])
    }

    @Test("of a late write what counts is written, and no more")
    func writtenBytes() throws {
        let store = try makeTable()
        let blob = CQLValue.blob(Array(repeating: 7, count: 1_000_000))
        try store.execute("INSERT INTO t (k, b, c) VALUES (1, ?, 1)", [blob])
        try store.execute("DELETE c FROM t WHERE k = 1")
        for (cql, expected) in [
            ("UPDATE t USING TIMESTAMP 5 SET a = 1 WHERE k = 1", 1...100),
            // All covered.
            ("UPDATE t USING TIMESTAMP 5 SET c = 1 WHERE k = 1", 0...0),
            ("UPDATE t USING TIMESTAMP 4 SET a = 1 WHERE k = 1", 0...0),
            ("DELETE b FROM t USING TIMESTAMP 5 WHERE k = 1", 0...0),
            ("INSERT INTO t (k, a, c) VALUES (1, 2, 3) USING TIMESTAMP 6", 1...100),
            ("DELETE FROM t USING TIMESTAMP 7 WHERE k = 1", 1...100),
            ("DELETE FROM t USING TIMESTAMP 7 WHERE k = 1", 0...0),
        ] {
            let byteCount = try writtenByteCount(store) { try store.execute(cql, in: $0) }
            #expect(expected.contains(byteCount), "\(cql)")
        }
        #expect(try store.lines("SELECT a, c FROM t") == ["null null"])
        #expect(try store.execute("SELECT b FROM t")[0][0] == blob)
    }

    @Test("what one commit writes with one timestamp is not late behind itself, though behind other commits")
    func oneCommit() throws {
        for offset in [nil, -5, 5] as [Int64?] {
            let store = try makeTable("WITH default_time_to_live = 100")
            let encoder = try #require(
                try store.prepare("INSERT INTO t (k, a) VALUES (?, ?)").plan().rowEncoder)
            clock.advance(by: .seconds(10))
            let timestamp = offset.map { clock.now.microseconds + $0 * 1_000_000 }
            try store.storage.write { transaction in
                for k in 0..<5 as Range<Int32> {
                    let isShort = try encoder.write([.int(k), 1], timestamp: timestamp, transaction)
                    #expect(isShort)
                }
            }
            guard let timestamp else { continue }
            clock.advance(by: .seconds(10))
            let isShort = try store.storage.write { try encoder.write([1, 2], timestamp: timestamp, $0) }
            #expect(!isShort)
        }
    }

    @Test("a write is late behind a deletion or what expires, not behind other values")
    func lateness() throws {
        for (before, isLate) in [
            ("INSERT INTO t (k, a) VALUES (9, 1)", false), ("UPDATE t SET a = 1 WHERE k = 9", false),
            ("UPDATE t SET a = null WHERE k = 9", true), ("DELETE FROM t WHERE k = 9", true),
            ("UPDATE t USING TTL 100 SET a = 1 WHERE k = 9", true),
            ("INSERT INTO t (k) VALUES (9) USING TTL 100", true),
        ] {
            let store = try makeTable()
            clock.advance(by: .seconds(10))
            let timestamp = clock.now.microseconds
            clock.advance(by: .seconds(10))
            try store.execute(before)
            let insert = try store.prepare("INSERT INTO t (k, a) VALUES (?, ?)")
            let encoder = try #require(try insert.plan().rowEncoder)
            let wasShort = try store.storage.write { try encoder.write([1, 1], timestamp: timestamp, $0) }
            #expect(wasShort != isLate, "\(before)")
        }
        let store = try makeTable("WITH default_time_to_live = 1000")
        clock.advance(by: .seconds(10))
        let insert = try store.prepare("INSERT INTO t (k, a) VALUES (?, ?)")
        let encoder = try #require(try insert.plan().rowEncoder)
        for (timestamp, isShort) in [(-5_000_000, true), (-6_000_000, false), (0, true), (-1, false)] as [(Int64, Bool)]
        {
            let time = clock.now.microseconds + timestamp
            #expect(
                try store.storage.write { try encoder.write([1, 1], timestamp: time, $0) } == isShort, "\(timestamp)")
        }
    }

    @Test("the order in which writes come makes no difference, over flushes, compactions and the ends of grace periods")
    func anyOrder() throws {
        for seed in 1...8 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let stores = try (0..<2).map { _ in try makeTable("WITH gc_grace_seconds = 1000000") }
            let writes = (0..<60).map { index -> (cql: String, values: [CQLValue]) in
                let timestamp = CQLValue.bigint(Int64(1 + index))
                let key = CQLValue.int(Int32.random(in: 1...3, using: &random))
                let value = CQLValue.int(Int32.random(in: 1...9, using: &random))
                return switch Int.random(in: 0..<6, using: &random) {
                case 0: ("DELETE FROM t USING TIMESTAMP ? WHERE k = ?", [timestamp, key])
                case 1: ("DELETE a FROM t USING TIMESTAMP ? WHERE k = ?", [timestamp, key])
                case 2: ("INSERT INTO t (k, a, c) VALUES (?, ?, ?) USING TIMESTAMP ?", [key, value, value, timestamp])
                case 3: ("UPDATE t USING TIMESTAMP ? AND TTL 100000 SET c = ? WHERE k = ?", [timestamp, value, key])
                default: ("UPDATE t USING TIMESTAMP ? SET a = ?, c = ? WHERE k = ?", [timestamp, value, value, key])
                }
            }
            for (store, order) in zip(stores, [writes, writes.shuffled(using: &random)]) {
                for (cql, values) in order {
                    try store.execute(cql, values)
                    if Int.random(in: 0..<10, using: &random) == 0 { try store.storage.flush() }
                    if Int.random(in: 0..<20, using: &random) == 0 { try store.storage.compact() }
                }
            }
            let lines = try stores.map { try $0.lines("SELECT k, a, c, writetime(a), writetime(c) FROM t").sorted() }
            #expect(lines[0] == lines[1], "seed \(seed)")
        }
    }

    // MARK: Timestamps beyond the clock

    private func makeDisk() throws -> StoreOnDisk {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int PRIMARY KEY, a int) WITH gc_grace_seconds = 60")
        return disk
    }

    private func keptTimestamp(_ store: WideColumnStore) throws -> Int64? {
        let catalog = try #require(store.storage.existingKeyspace("wide/catalog"))
        let key = CatalogCodec.timestampKey(TableIdentifier(keyspace: "ks", name: "t"))
        return try store.storage.get(catalog, key.rawSpan).map { try CatalogCodec.timestamp($0) }
    }

    @Test("what a deletion in the future covers is not written after a restart either")
    func futureDeletion() throws {
        let disk = try makeDisk()
        let day: Int64 = 86_400_000_000
        let future = clock.now.microseconds + day
        try disk.store.execute("DELETE FROM t USING TIMESTAMP ? WHERE k = 1", [.bigint(future)])
        try disk.reopen()
        let insert = try disk.store.prepare("INSERT INTO t (k, a) VALUES (?, ?)")
        for statement in [insert, try disk.store.prepare("INSERT INTO t (k, a) VALUES (?, ?) IF NOT EXISTS")] {
            try disk.store.storage.write { transaction in
                try statement.execute([1, 1], in: transaction)
                #expect(transaction.batch.isEmpty)
            }
        }
        try insert.execute([2, 2])
        clock.advance(by: .seconds(120))
        try insert.execute([3, 3])
        try disk.flushAndCompact()
        #expect(try disk.store.lines("SELECT k FROM t").sorted() == ["2", "3"])
    }

    @Test("a timestamp beyond the clock is kept with the commit that succeeds, after one that did not")
    func failedCommit() throws {
        let disk = try makeDisk()
        let cql = "DELETE FROM t USING TIMESTAMP \(clock.now.microseconds + 86_400_000_000) WHERE k = 1"
        struct Refusal: Error {}
        #expect(throws: Refusal.self) {
            try disk.store.storage.write { transaction in
                try disk.store.execute(cql, in: transaction)
                throw Refusal()
            }
        }
        #expect(try keptTimestamp(disk.store) == nil)
        try disk.store.execute(cql)
        #expect(try keptTimestamp(disk.store) != nil)
    }

    @Test("counters of one commit count all of it when the clock was ahead at the opening")
    func clockSetBack() throws {
        let disk = try makeDisk()
        try disk.store.execute("CREATE TABLE n (k int PRIMARY KEY, c counter)")
        let now = clock.now
        clock.set(now.advanced(by: .seconds(100_000)))
        try disk.reopen()
        clock.set(now.advanced(by: .seconds(50_000)))
        try disk.store.execute(
            """
            BEGIN COUNTER BATCH UPDATE n SET c = c + 5 WHERE k = 1; UPDATE n SET c = c - 3 WHERE k = 1; APPLY BATCH
            """)
        #expect(try disk.store.lines("SELECT c FROM n") == ["2"])
        // Nothing was written yet that a later write could come behind.
        try disk.store.execute("INSERT INTO t (k, a) VALUES (1, 1)")
        let table = try disk.store.table("t")
        try disk.store.storage.write { transaction in
            let timestamp = transaction.commitTime.microseconds
            let isInOrder = try table.rowOperator.isInOrder(timestamp, hides: false, transaction)
            #expect(isInOrder)
        }
    }

    @Test("only what hides older data and is beyond the clock is kept, seldom, and as long as there is the table")
    func keptTimestamps() throws {
        let disk = try makeDisk()
        let now = clock.now.microseconds
        for cql in [
            "DELETE FROM t WHERE k = 1", "DELETE FROM t USING TIMESTAMP \(now - 1) WHERE k = 1",
            "INSERT INTO t (k, a) VALUES (1, 1) USING TIMESTAMP \(now + 1_000_000_000)",
        ] { try disk.store.execute(cql) }
        #expect(try keptTimestamp(disk.store) == nil)
        try disk.store.execute("UPDATE t USING TTL 5 AND TIMESTAMP \(now + 1_000_000) SET a = 1 WHERE k = 1")
        let kept = try #require(try keptTimestamp(disk.store))
        #expect(kept > now + 1_000_000)
        try disk.store.execute("DELETE FROM t USING TIMESTAMP \(now + 2_000_000) WHERE k = 1")
        #expect(try keptTimestamp(disk.store) == kept)
        try disk.store.execute("DELETE FROM t USING TIMESTAMP \(Int64.max) WHERE k = 1")
        #expect(try keptTimestamp(disk.store) == .max)
        try disk.reopen()
        #expect(try keptTimestamp(disk.store) == .max)
        try disk.store.execute("DROP TABLE t")
        #expect(try keptTimestamp(disk.store) == nil)
        try disk.store.execute("CREATE TABLE t (k int PRIMARY KEY, a int)")
        try disk.store.execute("INSERT INTO t (k, a) VALUES (1, 1)")
        #expect(try disk.store.lines("SELECT a FROM t") == ["1"])
    }
}
