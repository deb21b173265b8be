// HotRowTests.swift — a row that is read before each of its updates does not grow a chain of them.

import Foundation
import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Rows that are updated again and again")
struct HotRowTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    /// The entries of a table or index with their bytes.
    private func entries(_ store: WideColumnStore, _ name: String) throws -> [[[UInt8]]] {
        let table = try store.table(name)
        var cursor = try store.storage.snapshot().view.cursor(table.storage)
        try cursor.seekToFirst()
        var entries: [[[UInt8]]] = []
        while cursor.isValid {
            entries.append([cursor.key.array(), cursor.value.array()])
            try cursor.next()
        }
        return entries
    }

    @Test(
        "a table with an index, a view or counters stores byte for byte what blind writes merge to",
        arguments: 1...6 as ClosedRange<UInt64>)
    func bytes(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (plain, indexed, viewed) = (
            try makeStore(clock), try makeStore(clock), try makeStore(clock)
        )
        for store in [plain, indexed, viewed] {
            try store.execute(
                "CREATE TABLE t (k int, c int, s text STATIC, v int, w text, m map<int, int>, PRIMARY KEY (k, c))")
        }
        try indexed.execute("CREATE INDEX ON t (v)")
        try indexed.execute("CREATE INDEX ON t (s)")
        try viewed.execute(
            """
            CREATE MATERIALIZED VIEW by_v AS SELECT k, c, v, w, m FROM t WHERE v IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL
            PRIMARY KEY (v, k, c)
            """)
        let statements = [
            "INSERT INTO t (k, c, v, w) VALUES (:k, :c, :v, :w)", "UPDATE t SET v = :v, w = :w WHERE k = :k AND c = :c",
            "UPDATE t SET w = :w WHERE k = :k AND c = :c", "UPDATE t USING TTL 5 SET v = :v WHERE k = :k AND c = :c",
            "UPDATE t SET m[:v] = 1 WHERE k = :k AND c = :c", "UPDATE t SET m = {1: 2} WHERE k = :k AND c = :c",
            "UPDATE t USING TIMESTAMP :t SET v = :v WHERE k = :k AND c = :c", "UPDATE t SET s = :w WHERE k = :k",
            "DELETE v FROM t WHERE k = :k AND c = :c", "DELETE FROM t WHERE k = :k AND c = :c",
            "DELETE FROM t USING TIMESTAMP :t WHERE k = :k AND c = :c", "DELETE m FROM t WHERE k = :k AND c = :c",
            "DELETE FROM t WHERE k = :k AND c < :c", "DELETE FROM t USING TIMESTAMP :t WHERE k = :k AND c >= :c",
            "DELETE FROM t WHERE k = :k", "UPDATE t SET w = :w WHERE k = :k AND c = :c IF v = :v",
        ]
        for round in 0..<500 {
            let cql = statements.randomElement(using: &random) ?? statements[0]
            let isLong = Int.random(in: 0..<40, using: &random) == 0
            let text = String(repeating: "x", count: isLong ? 9000 : Int.random(in: 0..<5, using: &random))
            let values = try plain.prepare(cql).markers.map { marker -> CQLValue in
                switch marker.type {
                case .text: .text(text)
                case .bigint: .bigint(.random(in: 1...1_741_618_800_000_000, using: &random))
                default: .int(.random(in: 0..<4, using: &random))
                }
            }
            // All three commit at the same time.
            clock.advance(by: .milliseconds(200))
            for store in [plain, indexed, viewed] { try store.execute(cql, values) }
            if round == 250 { try indexed.storage.flush() }
            guard round % 10 == 0 else { continue }
            let expected = try entries(plain, "t")
            #expect(try entries(indexed, "t") == expected, "seed \(seed), round \(round), \(cql)")
            #expect(try entries(viewed, "t") == expected, "seed \(seed), round \(round), \(cql)")
            #expect(try indexed.storage.verify().problems.isEmpty && viewed.storage.verify().problems.isEmpty)
        }
    }

    @Test("snapshots taken between the updates keep what they saw, with its time of writing")
    func snapshots() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE n (k int PRIMARY KEY, c counter)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, w int)")
        try store.execute("CREATE INDEX ON t (v)")
        try store.execute("INSERT INTO t (k, w) VALUES (1, 9) USING TIMESTAMP 17")
        var snapshots: [Snapshot] = []
        for value in 0..<50 {
            snapshots.append(store.storage.snapshot())
            try store.execute("UPDATE n SET c = c + 2 WHERE k = 1")
            try store.execute("UPDATE t SET v = ? WHERE k = 1", [.int(Int32(value))])
        }
        for (count, snapshot) in snapshots.enumerated() {
            let counters = try store.execute("SELECT c FROM n", on: snapshot).map { $0[0] }
            #expect(counters == (count == 0 ? [] : [.bigint(Int64(count * 2))]))
            let row = try store.execute("SELECT v, w, writetime(w) FROM t", on: snapshot)[0].values
            #expect(row == [count == 0 ? .null : .int(Int32(count - 1)), .int(9), .bigint(17)])
        }
    }

    @Test("the thousandth update of a row costs what the first ones cost", arguments: 0..<4)
    func cost(kind: Int) throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE n (k int PRIMARY KEY, c counter)")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, w int)")
        if kind == 1 { try store.execute("CREATE INDEX ON t (v)") }
        if kind == 2 {
            try store.execute(
                "CREATE MATERIALIZED VIEW x AS SELECT * FROM t WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)"
            )
        }
        try store.execute("INSERT INTO t (k, v, w) VALUES (1, 1, 0)")
        let statements = [
            "UPDATE n SET c = c + 1 WHERE k = 1", "UPDATE t SET w = ? WHERE k = 1", "UPDATE t SET w = ? WHERE k = 1",
            "UPDATE t SET w = ? WHERE k = 1 IF w = ?",
        ]
        let statement = try store.prepare(statements[kind])
        var times: [UInt64] = []
        for count in 0..<3000 {
            if count == 100 || count == 2900 { times.append(Self.threadTime()) }
            try statement.execute(
                [.int(Int32(count + 1)), .int(Int32(count))].prefix(statement.markers.count).map { $0 })
            if count == 200 { times.append(Self.threadTime()) }
        }
        times.append(Self.threadTime())
        // As far as a machine with other work can tell: a chain of them would cost twenty to thirty times as much.
        #expect(times[3] - times[2] < 10 * (times[1] - times[0]))
        let result = try store.lines(kind == 0 ? "SELECT c FROM n" : "SELECT w FROM t")
        #expect(result == ["3000"])
    }

    /// Nanoseconds of this thread's own work: what others do meanwhile does not count.
    private static func threadTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    @Test("a large row is not written whole with every small update of it")
    func largeRow() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int, w int, b blob)")
        try store.execute("CREATE INDEX ON t (v)")
        try store.execute("INSERT INTO t (k, v, b) VALUES (1, 1, ?)", [.blob(Array(repeating: 7, count: 1 << 20))])
        // All in one commit, which may be of 64 MiB.
        try store.storage.write { transaction in
            for count in 0..<200 {
                try store.execute("UPDATE t SET w = ? WHERE k = 1", [.int(Int32(count))], in: transaction)
            }
        }
        #expect(try store.lines("SELECT w FROM t") == ["199"])
    }
}
