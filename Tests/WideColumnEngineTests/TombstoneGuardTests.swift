// TombstoneGuardTests.swift — reads that pass many deletions warn, then fail, as Cassandra's do.

import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Tombstone thresholds")
struct TombstoneGuardTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func makeGuardedStore(warning: Int = 5, failure: Int = 20) throws -> WideColumnStore {
        var limits = StatementLimits()
        limits.tombstoneWarningCount = warning
        limits.tombstoneFailureCount = failure
        let store = try WideColumnStore(storage: .inMemory(clock: clock), limits: limits)
        try store.makeKeyspace()
        try store.execute(
            "CREATE TABLE t (k int, c int, s int STATIC, v int, w int, m set<int>, PRIMARY KEY (k, c))")
        return store
    }

    /// How many live rows and tombstones a read passes, by its warning; twice 0 without one.
    private func count(_ store: WideColumnStore, _ cql: String) throws -> [Int] {
        let warnings = try store.execute(cql).warnings.filter { $0.contains("tombstone") }
        guard let warning = warnings.first else { return [0, 0] }
        #expect(warnings.count == 1)
        let words = warning.split(separator: " ")
        return [Int(words[1]) ?? -1, Int(words[5]) ?? -1]
    }

    @Test("the standard thresholds are Cassandra's, and the settings show them")
    func standard() throws {
        let limits = StatementLimits()
        #expect(limits.tombstoneWarningCount == 1000 && limits.tombstoneFailureCount == 100_000)
        let store = try makeGuardedStore(warning: 7, failure: 9)
        let setting = "SELECT value FROM system_views.settings WHERE name ="
        #expect(try store.lines("\(setting) 'tombstone_warn_threshold'") == ["'7'"])
        #expect(try store.lines("\(setting) 'tombstone_failure_threshold'") == ["'9'"])
    }

    @Test("more than the first threshold is a warning in Cassandra's words, the threshold itself is none")
    func warning() throws {
        let store = try makeGuardedStore()
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 100, 1)")
        for c in 0..<5 { try store.execute("DELETE FROM t WHERE k = 1 AND c = ?", [.int(Int32(c))]) }
        let select = "SELECT c, v FROM t WHERE k = 1"
        #expect(try store.execute(select).warnings == [])
        try store.execute("DELETE FROM t WHERE k = 1 AND c = 5")
        let token = try store.execute("SELECT token(k) FROM t")[0][0]
        let result = try store.execute(select)
        #expect(
            result.warnings == [
                "Read 1 live rows and 6 tombstone cells for query \(select); token \(token) (see tombstone_warn_threshold)"
            ])
        #expect(result.count == 1)
        #expect(try store.prepare(select).execute().warnings.count == 1)
        let inside = try store.storage.write { try store.execute(select, in: $0) }
        #expect(inside.warnings.count == 1)
        // A slice that has none of them, and a page that ends before most, have none.
        #expect(try store.execute("SELECT c FROM t WHERE k = 1 AND c > 5").warnings == [])
        #expect(try store.execute("SELECT c FROM t WHERE k = 1 ORDER BY c DESC LIMIT 1").warnings == [])
    }

    @Test("more than the second fails with the reason and in Cassandra's words", arguments: ["c, v", "c, v + 1", "*"])
    func failure(selection: String) throws {
        let store = try makeGuardedStore()
        for c in 0..<20 { try store.execute("DELETE FROM t WHERE k = 1 AND c = ?", [.int(Int32(c))]) }
        let select = "SELECT \(selection) FROM t WHERE k = 1"
        #expect(try store.execute(select).isEmpty)
        try store.execute("DELETE FROM t WHERE k = 1 AND c = 77")
        let error = #expect(throws: CQLError.self) { try store.execute(select) }
        #expect(error?.code == .readFailure && error?.failureReason == .tooManyTombstones)
        let key: [UInt8] = [0, 0, 0, 1]
        let token = Murmur3.token(key.rawSpan)
        #expect(
            error?.message
                == "Scanned over 21 tombstones during query '\(select)' (last scanned row token was \(token) and "
                + "partion key was ((1), 77)); query aborted")
        #expect(throws: CQLError.self) { try store.execute("SELECT \(selection) FROM t") }
        #expect(throws: CQLError.self) { try store.execute("SELECT count(*) FROM t") }
        // Partitions that are named are read one by one.
        #expect(try store.execute("SELECT \(selection) FROM t WHERE k IN (2, 3)").warnings == [])
    }

    @Test("cells count one by one, rows without dead cells and bounds of ranges once, what they cover not at all")
    func counting() throws {
        let store = try makeGuardedStore(warning: 0, failure: 1000)
        // Deleted and expired cells, in the short way of reading and in the other.
        try store.execute("INSERT INTO t (k, c, v, w) VALUES (1, 1, null, null)")
        try store.execute("UPDATE t USING TTL 5 SET v = 1, w = 2 WHERE k = 1 AND c = 2")
        #expect(try count(store, "SELECT c, v FROM t WHERE k = 1") == [2, 2])
        clock.advance(by: .seconds(6))
        for selection in ["c, v", "*", "c, v + 1"] {
            #expect(try count(store, "SELECT \(selection) FROM t WHERE k = 1") == [1, 4])
        }
        // A whole collection that is assigned has a deletion below, which is no tombstone; elements that are removed are.
        try store.execute("INSERT INTO t (k, c, m) VALUES (2, 1, {1, 2})")
        #expect(try count(store, "SELECT * FROM t WHERE k = 2") == [0, 0])
        try store.execute("UPDATE t SET m = m - {1} WHERE k = 2 AND c = 1")
        #expect(try count(store, "SELECT * FROM t WHERE k = 2") == [1, 1])
        // A row's deletion; a marker that has expired.
        try store.execute("DELETE FROM t WHERE k = 3 AND c = 1")
        try store.execute("INSERT INTO t (k, c) VALUES (3, 2) USING TTL 5")
        clock.advance(by: .seconds(6))
        #expect(try count(store, "SELECT c FROM t WHERE k = 3") == [0, 2])
        // A static column without a value.
        try store.execute("INSERT INTO t (k, s) VALUES (4, null)")
        #expect(try count(store, "SELECT s FROM t WHERE k = 4") == [0, 1])
    }

    @Test("a deleted range counts by its bounds, once its rows have been read, and a deleted partition once")
    func ranges() throws {
        let store = try makeGuardedStore(warning: 0, failure: 1000)
        for c in 0..<50 { try store.execute("INSERT INTO t (k, c, v) VALUES (1, ?, 1)", [.int(Int32(c))]) }
        try store.execute("DELETE FROM t WHERE k = 1 AND c >= 10 AND c < 20")
        try store.execute("DELETE FROM t WHERE k = 1 AND c > 40")
        #expect(try count(store, "SELECT c FROM t WHERE k = 1") == [31, 4])
        #expect(try count(store, "SELECT c FROM t") == [31, 4])
        #expect(try count(store, "SELECT c FROM t WHERE k = 1 AND c < 15") == [10, 2])
        #expect(try count(store, "SELECT c FROM t WHERE k = 1 AND c < 15 ORDER BY c DESC") == [10, 2])
        #expect(try count(store, "SELECT c FROM t WHERE k = 1 AND c > 25 AND c <= 40") == [0, 0])
        #expect(try count(store, "SELECT c FROM t WHERE k = 1 LIMIT 3") == [0, 0])
        // Ranges that touch share a bound.
        try store.execute("DELETE FROM t WHERE k = 1 AND c >= 20 AND c < 30")
        #expect(try count(store, "SELECT c FROM t WHERE k = 1") == [21, 5])
        try store.execute("DELETE FROM t WHERE k = 1")
        #expect(try count(store, "SELECT c FROM t WHERE k = 1") == [0, 1])
        #expect(try count(store, "SELECT c FROM t") == [0, 1])
    }

    @Test("each page, and each partition that is named, counts for itself; a scan counts as one")
    func reads() throws {
        let store = try makeGuardedStore(warning: 5, failure: 10)
        for k in 1...3 {
            for c in 0..<8 {
                try store.execute("DELETE FROM t WHERE k = ? AND c = ?", [.int(Int32(k)), .int(Int32(c * 2))])
                try store.execute("INSERT INTO t (k, c) VALUES (?, ?)", [.int(Int32(k)), .int(Int32(c * 2 + 1))])
            }
        }
        let several = try store.execute("SELECT c FROM t WHERE k IN (1, 2)")
        #expect(several.count == 16)
        #expect(several.warnings.count { $0.hasPrefix("Read 8 live rows and 8 tombstone cells") } == 2)
        #expect(throws: CQLError.self) { try store.execute("SELECT c FROM t") }
        let scan = try store.prepare("SELECT c FROM t")
        var state: PagingState?
        var count = 0
        repeat {
            let page = try scan.execute(pageSize: 5, pagingState: state)
            #expect(page.warnings == [])
            count += page.count
            state = page.pagingState
        } while state != nil
        #expect(count == 24)
    }

    @Test("rows that an index leads to count, each partition that is named for itself")
    func indexes() throws {
        let store = try makeGuardedStore(warning: 5, failure: 20)
        try store.execute("CREATE INDEX ON t (v)")
        for k in 1...2 {
            for c in 0..<4 {
                try store.execute(
                    "INSERT INTO t (k, c, v, w) VALUES (?, ?, 7, null)", [.int(Int32(k)), .int(Int32(c))])
            }
            for c in 4..<8 {
                try store.execute("DELETE FROM t WHERE k = ? AND c = ?", [.int(Int32(k)), .int(Int32(c))])
            }
        }
        // What no entry leads to is not read.
        #expect(try count(store, "SELECT c FROM t WHERE v = 7") == [8, 8])
        #expect(try count(store, "SELECT c FROM t WHERE v = 7 AND k = 1") == [0, 0])
        #expect(try count(store, "SELECT c FROM t WHERE v = 7 AND k IN (1, 2)") == [0, 0])
        try store.execute("INSERT INTO t (k, c, v, m) VALUES (1, 9, 7, {1, 2})")
        try store.execute("UPDATE t SET m = m - {1, 2} WHERE k = 1 AND c = 9")
        #expect(try count(store, "SELECT c FROM t WHERE v = 7 AND k IN (1, 2)") == [5, 6])
        for c in 10..<30 { try store.execute("INSERT INTO t (k, c, v, w) VALUES (3, ?, 8, null)", [.int(Int32(c))]) }
        #expect(try count(store, "SELECT c FROM t WHERE v = 8") == [20, 20])
        try store.execute("INSERT INTO t (k, c, v, w) VALUES (3, 30, 8, null)")
        let error = #expect(throws: CQLError.self) { try store.execute("SELECT c FROM t WHERE v = 8") }
        #expect(error?.code == .readFailure && error?.failureReason == .tooManyTombstones)
        // Static rows too.
        try store.execute("CREATE INDEX ON t (s)")
        try store.execute("INSERT INTO t (k, s) VALUES (2, 5)")
        #expect(try count(store, "SELECT c FROM t WHERE s = 5") == [4, 8])
    }

    @Test("what a condition reads counts: the columns it is tested by, all rows of a batch together")
    func conditions() throws {
        let store = try makeGuardedStore(warning: 0, failure: 6)
        try store.execute("INSERT INTO t (k, c, v, w) VALUES (1, 1, null, null)")
        #expect(try count(store, "UPDATE t SET w = 1 WHERE k = 1 AND c = 1 IF v = 5") == [1, 1])
        #expect(try count(store, "UPDATE t SET m = {} WHERE k = 1 AND c = 1 IF v = null") == [1, 1])
        #expect(try count(store, "INSERT INTO t (k, c) VALUES (1, 1) IF NOT EXISTS") == [1, 2])
        #expect(try count(store, "INSERT INTO t (k, c) VALUES (1, 2) IF NOT EXISTS") == [0, 0])
        try store.execute("DELETE FROM t WHERE k = 1 AND c = 3")
        #expect(try count(store, "UPDATE t SET v = 1 WHERE k = 1 AND c = 3 IF EXISTS") == [0, 1])
        try store.execute("INSERT INTO t (k, s) VALUES (1, null)")
        #expect(try count(store, "UPDATE t SET v = 1 WHERE k = 1 AND c = 3 IF EXISTS") == [0, 1])
        #expect(try count(store, "UPDATE t SET s = 1 WHERE k = 1 IF s = 5") == [0, 1])
        let batch = """
            BEGIN BATCH UPDATE t SET w = 1 WHERE k = 1 AND c = 1 IF v = 5;
            UPDATE t SET w = 1 WHERE k = 1 AND c = 3 IF v = 5 AND s = 1;
            UPDATE t SET v = 1 WHERE k = 1 AND c = 1 IF v = 5 AND w = 1; APPLY BATCH
            """
        // Once each: the static row's null, two of row 1, and row 3.
        let result = try store.execute(batch)
        #expect(!result.wasApplied)
        #expect(result.warnings.count == 1 && result.warnings[0].hasPrefix("Read 1 live rows and 4 tombstone cells"))
        // A statement that is applied warns as well, and its plain kind has nothing to warn of.
        #expect(try store.execute("UPDATE t SET w = 1 WHERE k = 1 AND c = 1 IF v = null").warnings.count == 1)
        #expect(try store.execute("UPDATE t SET w = 1 WHERE k = 1 AND c = 1").warnings == [])
        // Too many: nothing is written.
        try store.execute("UPDATE t SET m = {1, 2, 3, 4, 5, 6, 7} WHERE k = 2 AND c = 1")
        try store.execute("UPDATE t SET m = m - {1, 2, 3, 4, 5, 6, 7} WHERE k = 2 AND c = 1")
        let conditional = "UPDATE t SET v = 9 WHERE k = 2 AND c = 1 IF m = null"
        let error = #expect(throws: CQLError.self) { try store.execute(conditional) }
        #expect(error?.code == .readFailure && error?.failureReason == .tooManyTombstones)
        #expect(error?.message.hasPrefix("Scanned over 7 tombstones during query '\(conditional)'") == true)
        #expect(try store.execute("UPDATE t SET v = 9 WHERE k = 2 AND c = 1 IF v = null").wasApplied)
        #expect(throws: CQLError.self) {
            try store.execute("BEGIN BATCH UPDATE t SET v = 3 WHERE k = 2 AND c = 1 IF m = null; APPLY BATCH")
        }
        let prepared = try store.prepare(conditional)
        #expect(throws: CQLError.self) { try store.execute(StatementBatch(.logged, [(prepared, [])])) }
        // A condition on the partition alone goes past its dead rows.
        for c in 0..<7 { try store.execute("DELETE FROM t WHERE k = 3 AND c = ?", [.int(Int32(c))]) }
        #expect(throws: CQLError.self) { try store.execute("UPDATE t SET s = 1 WHERE k = 3 IF EXISTS") }
    }

    @Test("lists whose elements are looked up count, counters do not")
    func writes() throws {
        let store = try makeGuardedStore(warning: 0, failure: 3)
        try store.execute("CREATE TABLE l (k int, c int, v int, l list<int>, PRIMARY KEY (k, c))")
        try store.execute("INSERT INTO l (k, c, v, l) VALUES (1, 1, null, [1, 2, 3, 4])")
        #expect(try store.execute("UPDATE l SET l[0] = 7 WHERE k = 1 AND c = 1").warnings == [])
        #expect(try store.execute("UPDATE l SET l = l - [7] WHERE k = 1 AND c = 1").warnings == [])
        let warned = try store.execute("DELETE l[0] FROM l WHERE k = 1 AND c = 1").warnings
        #expect(
            warned.count == 1 && warned[0].hasPrefix("Read 1 live rows and 1 tombstone cells for query DELETE l[0]"))
        let batch = try store.execute("BEGIN BATCH UPDATE l SET l[0] = 7 WHERE k = 1 AND c = 1; APPLY BATCH").warnings
        #expect(batch.count == 1)
        try store.execute("UPDATE l SET l = l - [7, 4] WHERE k = 1 AND c = 1")
        #expect(throws: CQLError.self) { try store.execute("UPDATE l SET l = l - [1] WHERE k = 1 AND c = 1") }
        try store.execute("CREATE TABLE n (k int PRIMARY KEY, a counter, b counter)")
        try store.execute("UPDATE n SET a = a + 1, b = b + 1 WHERE k = 1")
        try store.execute("DELETE a, b FROM n WHERE k = 1")
        #expect(try store.execute("UPDATE n SET a = a + 1 WHERE k = 1").warnings == [])
    }
}
