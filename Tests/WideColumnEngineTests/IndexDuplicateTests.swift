// IndexDuplicateTests.swift — indexes on the values of lists and maps, which may hold one value several times.
//
// An entry stands for all elements with its value, so it lives as long as the last of them. It once took the expiry of
// whichever was written last, and rows whose value lived on were not found any more.

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Indexes on values that occur twice")
struct IndexDuplicateTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_700_000_000))

    @Test("a value that one element keeps for ever is found after another element with it expired")
    func lists() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, l list<int>, m map<int, int>)")
        try store.execute("CREATE INDEX ON t (l)")
        try store.execute("CREATE INDEX ON t (m)")
        try store.execute("UPDATE t SET l = l + [5], m[1] = 5 WHERE k = 1")
        try store.execute("UPDATE t USING TTL 10 SET l = l + [5], m[2] = 5 WHERE k = 1")
        // Of the other order too, and with two that expire.
        try store.execute("UPDATE t USING TTL 10 SET l = l + [6], m[3] = 6 WHERE k = 2")
        try store.execute("UPDATE t USING TTL 20 SET l = [6] + l, m[0] = 6 WHERE k = 2")
        #expect(try store.storage.verify().problems.isEmpty)
        clock.advance(by: .seconds(11))
        for column in ["l", "m"] {
            #expect(try store.lines("SELECT k FROM t WHERE \(column) CONTAINS 5") == ["1"])
            #expect(try store.lines("SELECT k FROM t WHERE \(column) CONTAINS 6") == ["2"])
        }
        #expect(try store.storage.verify().problems.isEmpty)
        clock.advance(by: .seconds(10))
        for column in ["l", "m"] {
            #expect(try store.lines("SELECT k FROM t WHERE \(column) CONTAINS 6") == [])
        }
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("an element that goes leaves the entry to the one that stays, with that one's time to live")
    func removal() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, m map<int, int>)")
        try store.execute("CREATE INDEX ON t (m)")
        try store.execute("UPDATE t SET m[1] = 5 WHERE k = 1")
        try store.execute("UPDATE t USING TTL 10 SET m[2] = 5 WHERE k = 1")
        try store.execute("DELETE m[1] FROM t WHERE k = 1")
        #expect(try store.lines("SELECT k FROM t WHERE m CONTAINS 5") == ["1"])
        #expect(try store.storage.verify().problems.isEmpty)
        clock.advance(by: .seconds(11))
        #expect(try store.lines("SELECT k FROM t WHERE m CONTAINS 5") == [])
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("an index that is built over such rows finds them as long")
    func building() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, m map<int, int>)")
        try store.execute("UPDATE t SET m[1] = 5 WHERE k = 1")
        try store.execute("UPDATE t USING TTL 10 SET m[2] = 5 WHERE k = 1")
        try store.execute("CREATE INDEX ON t (m)")
        clock.advance(by: .seconds(11))
        #expect(try store.lines("SELECT k FROM t WHERE m CONTAINS 5") == ["1"])
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("indexes on lists and maps are always what a scan finds", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let disk = try StoreOnDisk(clock)
        try disk.store.makeKeyspace()
        try disk.store.execute(
            "CREATE TABLE t (k int, c int, l list<int>, m map<int, int>, s list<int> STATIC, PRIMARY KEY (k, c))")
        for target in ["l", "m", "s"] { try disk.store.execute("CREATE INDEX ON t (\(target))") }
        func small() -> CQLValue { .int(Int32.random(in: 0..<3, using: &random)) }
        let statements = [
            "UPDATE t SET l = l + [:v] WHERE k = :k AND c = :c",
            "UPDATE t USING TTL 10 SET l = l + [:v], m[:e] = :v WHERE k = :k AND c = :c",
            "UPDATE t USING TTL 25 SET l = [:v, :v] + l WHERE k = :k AND c = :c",
            "UPDATE t SET m[:e] = :v WHERE k = :k AND c = :c",
            "UPDATE t USING TIMESTAMP :t AND TTL 15 SET m = m + {0: :v, 1: :v, 2: :v} WHERE k = :k AND c = :c",
            "UPDATE t USING TTL 12 SET s = s + [:v] WHERE k = :k", "UPDATE t SET s = s + [:v] WHERE k = :k",
            "UPDATE t SET l = l - [:v] WHERE k = :k AND c = :c", "DELETE m[:e] FROM t WHERE k = :k AND c = :c",
            "DELETE l FROM t USING TIMESTAMP :t WHERE k = :k AND c = :c", "DELETE s FROM t WHERE k = :k",
            "DELETE FROM t WHERE k = :k AND c <= :c", "DELETE FROM t USING TIMESTAMP :t WHERE k = :k",
        ]
        for round in 0..<400 {
            let statement = try disk.store.prepare(statements.randomElement(using: &random) ?? statements[0])
            let values = statement.markers.map { marker -> CQLValue in
                marker.type == .bigint ? .bigint(Int64.random(in: 1...60, using: &random)) : small()
            }
            try statement.execute(values)
            if Int.random(in: 0..<6, using: &random) == 0 { clock.advance(by: .seconds(3)) }
            if round % 130 == 129 {
                try disk.flushAndCompact()
                try disk.reopen()
            }
            guard round % 10 == 0 else { continue }
            let all = try disk.store.execute("SELECT * FROM t")
            for (column, value) in ["l", "m", "s"].flatMap({ column in (0..<3).map { (column, Int32($0)) } }) {
                let found = try disk.store.lines("SELECT * FROM t WHERE \(column) CONTAINS \(value)")
                let scanned = all.filter { Self.contains($0[column], .int(value)) }
                    .map { $0.values.map(\.description).joined(separator: " ") }
                #expect(found == scanned, "seed \(seed), round \(round), \(column) CONTAINS \(value)")
            }
            #expect(try disk.store.storage.verify().problems.isEmpty, "seed \(seed), round \(round)")
        }
    }

    private static func contains(_ collection: CQLValue, _ value: CQLValue) -> Bool {
        switch collection {
        case .list(let elements): elements.contains(value)
        case .map(let entries): entries.contains { $0.value == value }
        default: false
        }
    }
}
