// OldStateTests.swift — states that are older than the newest one: of snapshots, and of what a power cut leaves.

import StorageTypes
import Testing

@testable import StorageCore
@testable import WideColumnEngine

@Suite("Old states")
struct OldStateTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    // MARK: Deletions

    @Test(
        "what a deletion covers does not come back to a snapshot when newer commits have replaced it",
        arguments: [
            "INSERT INTO t (k, c, v) VALUES (1, 1, 20)", "TRUNCATE t", "DELETE FROM t WHERE k = 1 AND c = 1",
        ], ["k = 1", "k = 1 AND c < 5"])
    func snapshots(newer: String, restriction: String) throws {
        let store = try makeStore(clock)
        try store.execute(
            "CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c)) WITH gc_grace_seconds = 100")
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 10)")
        try store.storage.flush()
        try store.execute("DELETE FROM t WHERE \(restriction)")
        try store.storage.flush()
        clock.advance(by: .seconds(102))
        let snapshot = store.storage.snapshot()
        try store.execute(newer)
        for _ in 0..<2 {
            try store.storage.compact()
            #expect(try store.execute("SELECT * FROM t", on: snapshot).isEmpty)
        }
        let newest = try store.lines("SELECT v FROM t")
        #expect(newest == (newer.hasPrefix("INSERT") ? ["20"] : []))
    }

    @Test("nor after a power cut that takes the newer commit back", arguments: [false, true])
    func powerCut(isTruncated: Bool) throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute(
            "CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c)) WITH gc_grace_seconds = 100")
        let table = try disk.store.table("t").storage
        try disk.store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 10)")
        try disk.store.storage.flush()
        try disk.store.execute("DELETE FROM t WHERE k = 1")
        try disk.store.storage.flush()
        clock.advance(by: .seconds(102))
        // What TRUNCATE does, or an INSERT, not on the device yet when the compaction looks.
        let storage = disk.store.storage
        let last = storage.durableSequence
        if isTruncated {
            try storage.write { try $0.deleteRange(table, .all) }
        } else {
            try disk.store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 20)")
        }
        let rowOperator = try #require(table.options.mergeOperator as? RowMergeOperator)
        var cursor = try storage.snapshot(.durable).view.cursor(table)
        try cursor.seekToFirst()
        try #require(storage.durableSequence == last && cursor.isValid)
        let (key, value) = (cursor.key.array(), cursor.value.array())
        let decision = rowOperator.purge(key: key.rawSpan, value: value.rawSpan, now: clock.now)
        guard case .keep = decision else {
            Issue.record("The deletion was given up while a row that it covers is on the device.")
            return
        }
    }

    // MARK: The schema

    @Test("an index or a view that is younger than a snapshot is not read on it")
    func youngerIndexes() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        try store.execute("INSERT INTO t (k, v) VALUES (1, 7)")
        let old = store.storage.snapshot()
        try store.execute("CREATE INDEX i ON t (v)")
        try store.execute(
            "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)")
        for (cql, message) in [
            (
                "SELECT k FROM t WHERE v = 7",
                "The index i is younger than the snapshot that it is read on; read without it, on a newer snapshot or by "
                    + "other columns"
            ), ("SELECT k FROM m", "The materialized view ks.m is younger than the snapshot that it is read on"),
        ] {
            expectInvalid(message) { try store.execute(cql, on: old) }
            #expect(try store.execute(cql, on: store.storage.snapshot()).map { $0[0] } == [.int(1)])
        }
        #expect(try store.execute("SELECT k FROM t", on: old).map { $0[0] } == [.int(1)])
    }

    @Test("an index of a key stays in use when a column is dropped")
    func droppedColumn() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, x int, v int, PRIMARY KEY (k, c))")
        try store.execute("CREATE INDEX i ON t (c)")
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 5, 7)")
        try store.execute("UPDATE t SET x = 1 WHERE k = 2 AND c = 5")
        let before = store.catalog.schema.version
        try store.execute("ALTER TABLE t DROP x")
        // Nothing was built anew.
        #expect(store.catalog.schema.version == before + 1)
        #expect(try store.lines("SELECT k, v FROM t WHERE c = 5") == ["1 7"])
        try store.storage.compact()
        #expect(try store.lines("SELECT k, v FROM t WHERE c = 5") == ["1 7"])
        #expect(try store.storage.verify().problems.isEmpty)
        try store.execute("UPDATE t SET v = 8 WHERE k = 2 AND c = 5")
        #expect(try store.lines("SELECT k, v FROM t WHERE c = 5").sorted() == ["1 7", "2 8"])
    }

    @Test("a view has the clustering order of its table where it says nothing else")
    func viewOrder() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)")
        let view = "AS SELECT * FROM t WHERE v IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL PRIMARY KEY (v, c, k)"
        try store.execute("CREATE MATERIALIZED VIEW m \(view)")
        try store.execute("CREATE MATERIALIZED VIEW n \(view) WITH CLUSTERING ORDER BY (c ASC, k ASC)")
        for c in 1...3 { try store.execute("INSERT INTO t (k, c, v) VALUES (1, ?, 9)", [.int(Int32(c))]) }
        #expect(try store.lines("SELECT c FROM m") == ["3", "2", "1"])
        #expect(try store.lines("SELECT c FROM n") == ["1", "2", "3"])
    }

    @Test("TRUNCATE is on the device when it returns")
    func truncate() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE ks.t (k int PRIMARY KEY)")
        try disk.store.execute("INSERT INTO ks.t (k) VALUES (1)")
        try disk.store.execute("TRUNCATE ks.t")
        #expect(disk.store.storage.durableSequence == disk.store.storage.visibleSequence)
    }
}
