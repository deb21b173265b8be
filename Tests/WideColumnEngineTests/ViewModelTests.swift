// ViewModelTests.swift — a view equals its query at every snapshot, also while it is built and several threads write.

import StorageCore
import StorageTypes
import Synchronization
import Testing

@testable import WideColumnEngine

@Suite("Views at every snapshot")
struct ViewSnapshotTests {
    private static let keys: Int32 = 12
    private static let views = [
        """
        CREATE MATERIALIZED VIEW by_v AS SELECT v, k, c, w FROM t WHERE v IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL
        PRIMARY KEY (v, c, k)
        """,
        """
        CREATE MATERIALIZED VIEW by_c AS SELECT k, c, w FROM t WHERE c > 1 AND k IS NOT NULL
        PRIMARY KEY (c, k) WITH CLUSTERING ORDER BY (k DESC)
        """,
        """
        CREATE MATERIALIZED VIEW with_m AS SELECT k, c, w, m FROM t
        WHERE k IS NOT NULL AND c IS NOT NULL AND m IS NOT NULL PRIMARY KEY (c, k)
        """,
        """
        CREATE MATERIALIZED VIEW same AS SELECT k, c FROM t WHERE k IN (1, 2, 3, 4) AND c IS NOT NULL PRIMARY KEY (k, c)
        """,
    ]

    private func makeTable(_ store: WideColumnStore) throws {
        try store.execute("CREATE TABLE t (k int, c int, v int, w text, m map<int, int>, PRIMARY KEY (k, c))")
    }

    /// One random statement.
    private static func change(
        _ store: WideColumnStore, _ random: inout SeededRandom, keys: Int32 = keys
    ) throws {
        let (k, c) = (
            CQLValue.int(.random(in: 0..<keys, using: &random)), CQLValue.int(.random(in: 0..<4, using: &random))
        )
        let v = CQLValue.int(.random(in: 0..<5, using: &random))
        let w = CQLValue.text("w\(Int.random(in: 0..<3, using: &random))")
        // Before some of what was just written, and behind some of what comes next.
        let late = CQLValue.bigint(
            store.storage.newestCommitTime.microseconds + Int64.random(in: -2000...2000, using: &random))
        let ttl = CQLValue.int(.random(in: 1...20, using: &random))
        switch Int.random(in: 0..<15, using: &random) {
        case 0..<3: try store.execute("INSERT INTO t (k, c, v, w) VALUES (?, ?, ?, ?)", [k, c, v, w])
        case 3, 4: try store.execute("UPDATE t SET v = ? WHERE k = ? AND c = ?", [v, k, c])
        case 5: try store.execute("UPDATE t SET w = ? WHERE k = ? AND c = ?", [w, k, c])
        case 6: try store.execute("UPDATE t USING TIMESTAMP ? SET v = ? WHERE k = ? AND c = ?", [late, v, k, c])
        case 7: try store.execute("DELETE v FROM t WHERE k = ? AND c = ?", [k, c])
        case 8: try store.execute("UPDATE t SET m[1] = 2 WHERE k = ? AND c = ?", [k, c])
        case 9: try store.execute("DELETE FROM t WHERE k = ? AND c >= ?", [k, c])
        case 10:
            try store.execute(
                "BEGIN BATCH DELETE FROM t WHERE k = ? AND c = ?; UPDATE t SET v = 1 WHERE k = ? AND c = 0; APPLY BATCH",
                [k, c, k])
        case 11: try store.execute("INSERT INTO t (k, c, v, w) VALUES (?, ?, ?, ?) USING TTL ?", [k, c, v, w, ttl])
        case 12: try store.execute("UPDATE t USING TTL ? SET v = ?, m[3] = 4 WHERE k = ? AND c = ?", [ttl, v, k, c])
        case 13: try store.execute("DELETE FROM t USING TIMESTAMP ? WHERE k = ? AND c < ?", [late, k, c])
        default:
            try store.execute(
                Bool.random(using: &random) ? "DELETE FROM t WHERE k = ?" : "DELETE m FROM t WHERE k = ? AND c = 2", [k]
            )
        }
    }

    /// The view by its query, and the view itself.
    private static func difference(_ store: WideColumnStore, _ snapshot: Snapshot) throws -> String? {
        let queries = [
            (
                "SELECT v, c, k, w, writetime(w) FROM t", "SELECT v, c, k, w, writetime(w) FROM by_v",
                { (row: [CQLValue]) in !row[0].isNull }
            ),
            ("SELECT c, k, w FROM t", "SELECT c, k, w FROM by_c", { row in row[0] != .int(0) && row[0] != .int(1) }),
            ("SELECT c, k, w, m FROM t", "SELECT c, k, w, m FROM with_m", { row in !row[3].isNull }),
            (
                "SELECT k, c FROM t", "SELECT k, c FROM same",
                { row in [.int(1), .int(2), .int(3), .int(4)].contains(row[0]) }
            ),
        ]
        for (query, view, filter) in queries {
            let expected = try store.execute(query, on: snapshot).map(\.values).filter(filter).map { "\($0)" }.sorted()
            let rows = try store.execute(view, on: snapshot).map { "\($0.values)" }.sorted()
            if rows != expected { return "\(view): \(rows), not \(expected)" }
        }
        return nil
    }

    @Test("threads write while others read: every snapshot shows views that equal their queries", arguments: [1, 2])
    func concurrent(seed: UInt64) throws {
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let store = try makeStore(clock)
        try makeTable(store)
        for view in Self.views { try store.execute(view) }
        let failures = Mutex<[String]>([])
        let writerCount = Atomic(2)
        performInThreads(4) { thread in
            var random = SeededRandom(seed: seed << 8 | UInt64(thread))
            do {
                if thread < 2 {
                    // However it ends, readers must not wait for it.
                    defer { writerCount.wrappingSubtract(1, ordering: .relaxed) }
                    for round in 0..<600 {
                        try Self.change(store, &random)
                        if thread == 0 { clock.advance(by: round % 20 == 0 ? .seconds(1) : .microseconds(100)) }
                    }
                } else {
                    repeat {
                        if let difference = try Self.difference(store, store.storage.snapshot()) {
                            failures.withLock { $0.append("seed \(seed): \(difference)") }
                        }
                        if thread == 3 { try store.storage.flush() }
                    } while writerCount.load(ordering: .relaxed) > 0
                }
            } catch { failures.withLock { $0.append("seed \(seed): \(error)") } }
        }
        #expect(failures.withLock { $0 }.isEmpty)
        try expectEqual(store, clock)
    }

    /// Every view is its query, now and when what expires has gone.
    private func expectEqual(_ store: WideColumnStore, _ clock: ManualClock) throws {
        #expect(try Self.difference(store, store.storage.snapshot()) == nil)
        #expect(try store.storage.verify().problems.isEmpty)
        clock.advance(by: .seconds(21))
        #expect(try Self.difference(store, store.storage.snapshot()) == nil)
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test(
        "views built over existing data while threads write equal their queries as soon as they are there",
        arguments: [3, 4])
    func building(seed: UInt64) throws {
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let store = try makeStore(clock)
        try makeTable(store)
        var random = SeededRandom(seed: seed)
        // More rows than one step of a build takes.
        for k in 0..<700 {
            try store.execute(
                "INSERT INTO t (k, c, v, w) VALUES (?, ?, ?, 'x')",
                [.int(Int32(k)), .int(.random(in: 0..<4, using: &random)), .int(.random(in: 0..<5, using: &random))])
        }
        let failures = Mutex<[String]>([])
        let isBuilding = Atomic(true)
        let writtenCount = Atomic(0)
        performInThreads(3) { thread in
            var random = SeededRandom(seed: seed << 8 | UInt64(thread))
            do {
                if thread > 0 {
                    while isBuilding.load(ordering: .relaxed) {
                        try Self.change(store, &random, keys: 700)
                        let count = writtenCount.wrappingAdd(1, ordering: .relaxed).newValue
                        if count.isMultiple(of: 20) { clock.advance(by: .seconds(1)) }
                    }
                    return
                }
                // However it ends, writers must not wait for it.
                defer { isBuilding.store(false, ordering: .relaxed) }
                for view in Self.views { try Self.create(view, store, amid: writtenCount) }
                for _ in 0..<5 {
                    if let difference = try Self.difference(store, store.storage.snapshot()) {
                        failures.withLock { $0.append("seed \(seed): \(difference)") }
                    }
                }
            } catch { failures.withLock { $0.append("seed \(seed): \(error)") } }
        }
        #expect(failures.withLock { $0 }.isEmpty)
        try expectEqual(store, clock)
    }

    /// Creates a view, again if need be, until others have written while it was built.
    private static func create(_ view: String, _ store: WideColumnStore, amid writtenCount: borrowing Atomic<Int>)
        throws
    {
        let name = view.split(separator: " ")[3]
        for _ in 0..<50 {
            let before = writtenCount.load(ordering: .relaxed)
            try store.execute(view)
            // One may have ended just before the build began, and each of two just behind it.
            if writtenCount.load(ordering: .relaxed) > before + 3 { return }
            try store.execute("DROP MATERIALIZED VIEW \(name)")
        }
        throw HarryFailure(description: "nothing was written while \(name) was built")
    }

    @Test("key cells and others that expire take their rows along, and give them back to what was below")
    func expiry() throws {
        let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))
        let store = try makeStore(clock)
        try makeTable(store)
        for view in Self.views { try store.execute(view) }
        try store.execute("UPDATE t USING TTL 10 SET v = 1 WHERE k = 1 AND c = 2")
        try store.execute("UPDATE t USING TTL 20 SET w = 'a' WHERE k = 1 AND c = 2")
        try store.execute("INSERT INTO t (k, c, v) VALUES (2, 2, 1) USING TTL 30")
        // An unselected column keeps the row of `same` and of `by_c` alive.
        try store.execute("UPDATE t USING TTL 40 SET m = {1: 1} WHERE k = 1 AND c = 2")
        for (seconds, byV, byC, same) in [(0, 2, 2, 2), (11, 1, 2, 2), (10, 1, 2, 2), (10, 0, 1, 1), (10, 0, 0, 0)] {
            clock.advance(by: .seconds(seconds))
            #expect(try store.execute("SELECT * FROM by_v").count == byV)
            #expect(try store.execute("SELECT * FROM by_c").count == byC)
            #expect(try store.execute("SELECT * FROM same").count == same)
            #expect(try Self.difference(store, store.storage.snapshot()) == nil)
        }
    }
}
