// BuildFailureTests.swift — views and indexes over rows that they can't have, and builds that fail or are overtaken.
//
// A build that failed once left its definition behind: every later schema statement failed too, the rows could not be
// deleted any more, and after a restart the store could not be opened.

import Dispatch
import StorageCore
import StorageTypes
import Synchronization
import Testing

@testable import WideColumnEngine

@Suite("Builds that fail")
struct BuildFailureTests {
    private let clock = ManualClock(now: StorageInstant(seconds: 1_741_618_800))

    private func text(_ count: Int, _ character: Character = "x") -> CQLValue {
        .text(String(repeating: character, count: count))
    }

    private func makeTable(_ store: WideColumnStore) throws {
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v text, w int)")
        try store.execute("INSERT INTO t (k, v, w) VALUES (1, ?, 1)", [text(70_000)])
        try store.execute("INSERT INTO t (k, v, w) VALUES (2, 'short', 1)")
        try store.execute("INSERT INTO t (k, v, w) VALUES (3, ?, 1)", [text(300_000)])
    }

    private static let view =
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY "

    @Test("a row whose key in a view would be too long has none there, and may be changed and deleted")
    func longPartitionKeys() throws {
        let store = try makeStore(clock)
        try makeTable(store)
        try store.execute(Self.view + "(v, k)")
        #expect(try store.lines("SELECT k FROM m") == ["2"])
        try store.execute("UPDATE t SET w = 2 WHERE k = 1")
        let update = try store.prepare("UPDATE t SET w = ? WHERE k = ?")
        try update.execute([3, 3])
        #expect(try store.lines("SELECT w FROM t").sorted() == ["1", "2", "3"])
        let message = "Key length of 70000 is longer than maximum of 65535"
        expectInvalid(message) { try store.execute("UPDATE t SET v = ? WHERE k = 1", [text(70_000, "y")]) }
        let insert = try store.prepare("INSERT INTO t (k, v, w) VALUES (?, ?, ?)")
        expectInvalid(message) { try insert.execute([4, text(70_000), 1]) }
        expectInvalid(message) { try insert.execute([2, text(70_000), 1]) }
        #expect(try store.lines("SELECT v, k FROM m") == ["'short' 2"])
        try store.execute("UPDATE t SET v = 'now short' WHERE k = 1")
        #expect(try store.lines("SELECT k FROM m").sorted() == ["1", "2"])
        try store.execute("DELETE FROM t WHERE k = 3")
        try store.execute("DELETE FROM t WHERE k = 1")
        #expect(try store.lines("SELECT k FROM t") == ["2"])
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("a value too long for a view's clustering key is as one too long for its partition key")
    func longClusteringKeys() throws {
        let store = try makeStore(clock)
        try makeTable(store)
        try store.execute(Self.view + "(k, v)")
        #expect(try store.lines("SELECT k FROM m").sorted() == ["1", "2"])
        let insert = try store.prepare("INSERT INTO t (k, v) VALUES (?, ?)")
        #expect(throws: CQLError.self) { try insert.execute([4, text(300_000)]) }
        #expect(throws: CQLError.self) { try insert.execute([2, text(300_000)]) }
        try store.prepare("UPDATE t SET w = ? WHERE k = ?").execute([5, 3])
        #expect(try store.storage.verify().problems.isEmpty)
        for k in 1...3 { try store.execute("DELETE FROM t WHERE k = ?", [.int(Int32(k))]) }
        #expect(try store.execute("SELECT * FROM m").isEmpty)
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("a value too long for an index has no entry, and is refused where it is new")
    func longValues() throws {
        let store = try makeStore(clock)
        try makeTable(store)
        try store.execute("CREATE INDEX i ON t (v)")
        #expect(try store.lines("SELECT k FROM t WHERE v = 'short'") == ["2"])
        try store.execute("UPDATE t SET w = 9 WHERE k = 3")
        try store.execute("UPDATE t USING TTL 1000 SET w = 9 WHERE k = 1")
        for (count, new) in [(65_535, "65535"), (300_000, "300000")] {
            expectInvalid(
                "Cannot index value of size \(new) for index i on ks.t(v) (maximum allowed size=65535)"
            ) { try store.execute("INSERT INTO t (k, v) VALUES (4, ?)", [text(count, "z")]) }
        }
        try store.execute("INSERT INTO t (k, v) VALUES (4, ?)", [text(65_534)])
        #expect(try store.lines("SELECT k FROM t WHERE v = ?", [text(65_534)]) == ["4"])
        expectInvalid("Index expression values may not be larger than 64K") {
            try store.execute("SELECT k FROM t WHERE v = ?", [text(70_000)])
        }
        #expect(try store.storage.verify().problems.isEmpty)
        for k in 1...4 { try store.execute("DELETE FROM t WHERE k = ?", [.int(Int32(k))]) }
        #expect(try store.execute("SELECT * FROM t").isEmpty)
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("keys of maps that are indexed have the same limit, measured as they are and not as they are stored")
    func longMapKeys() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, m map<blob, int>)")
        try store.execute("CREATE INDEX i ON t (keys(m))")
        let zeros = CQLValue.blob(Array(repeating: 0, count: 40_000))
        try store.execute("UPDATE t SET m[?] = 1 WHERE k = 1", [zeros])
        #expect(try store.lines("SELECT k FROM t WHERE m CONTAINS KEY ?", [zeros]) == ["1"])
        expectInvalid("Cannot index value of size 66000 for index i on ks.t(m) (maximum allowed size=65535)") {
            try store.execute("UPDATE t SET m[?] = 1 WHERE k = 2", [.blob(Array(repeating: 7, count: 66_000))])
        }
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test("a refusal leaves nothing of the statement, also where the transaction goes on")
    func refusalInTransaction() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v text, w int)")
        try store.execute(
            "CREATE MATERIALIZED VIEW a AS SELECT * FROM t WHERE w IS NOT NULL AND k IS NOT NULL PRIMARY KEY (w, k)")
        try store.execute(Self.view + "(v, k)")
        try store.execute("CREATE INDEX i ON t (w)")
        try store.storage.write { transaction in
            #expect(throws: CQLError.self) {
                try store.execute("INSERT INTO t (k, v, w) VALUES (1, ?, 1)", [text(70_000)], in: transaction)
            }
        }
        #expect(try store.execute("SELECT * FROM a").isEmpty)
        #expect(try store.storage.verify().problems.isEmpty)
    }

    // MARK: Builds

    /// A table with a row that can't be read.
    private func makeDamagedTable(_ store: WideColumnStore) throws -> (key: [UInt8], value: [UInt8]) {
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
        for k in 0..<5 { try store.execute("INSERT INTO t (k, v) VALUES (?, 'a')", [.int(Int32(k))]) }
        let table = try store.table("t")
        var cursor = try store.storage.snapshot().view.cursor(table.storage)
        try cursor.seekToFirst()
        try cursor.next()
        let (key, value) = (cursor.key.array(), cursor.value.array())
        try damage(store, key, [1])
        return (key, value)
    }

    private func damage(_ store: WideColumnStore, _ key: [UInt8], _ value: [UInt8]) throws {
        let table = try store.table("t")
        try store.storage.write { try $0.put(table.storage, key.rawSpan, value.rawSpan) }
    }

    @Test("a view or index that can't be built is taken away again")
    func failedCreation() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        let (key, value) = try makeDamagedTable(disk.store)
        for cql in [Self.view + "(v, k)", "CREATE INDEX i ON t (v)"] {
            #expect(throws: StorageError.self) { try disk.store.execute(cql) }
            #expect(disk.store.catalog.schema.definitions.unbuilt.isEmpty)
            #expect(!disk.store.storage.keyspaceNames.contains { $0 == "wide/ks.m" || $0 == "wide/ks.t/i" })
        }
        try disk.reopen()
        let change = try disk.store.execute("CREATE TABLE u (k int PRIMARY KEY)").schemaChange
        #expect(change?.name == "u")
        try damage(disk.store, key, value)
        try disk.store.execute(Self.view + "(v, k)")
        #expect(try disk.store.execute("SELECT * FROM m WHERE v = 'a'").count == 5)
    }

    @Test("what can't be completed at an opening keeps neither the store nor its schema from being used")
    func failedCompletion() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        let (key, value) = try makeDamagedTable(disk.store)
        try damage(disk.store, key, value)
        try disk.store.execute(Self.view + "(v, k)")
        try disk.store.execute("CREATE INDEX i ON t (v)")
        try setUnbuilt(disk.store)
        try damage(disk.store, key, [1])
        try disk.reopen()
        #expect(disk.store.catalog.schema.definitions.unbuilt.count == 2)
        let changes = LockedList()
        let stop = disk.store.observeSchemaChanges { changes.append($0.name ?? "") }
        defer { stop() }
        try disk.store.execute("CREATE TABLE u (k int PRIMARY KEY, v int)")
        try disk.store.execute("CREATE INDEX j ON u (v)")
        #expect(changes.values == ["u", "u"])
        try damage(disk.store, key, value)
        try disk.reopen()
        #expect(disk.store.catalog.schema.definitions.unbuilt.isEmpty)
        #expect(try disk.store.execute("SELECT * FROM m WHERE v = 'a'").count == 5)
        #expect(try disk.store.execute("SELECT * FROM t WHERE v = 'a'").count == 5)
        #expect(try disk.store.storage.verify().problems.isEmpty)
    }

    @Test("a storage that may not be written is opened with what is unbuilt")
    func readOnly() throws {
        let disk = try StoreOnDisk(clock)
        try disk.createKeyspace()
        try disk.store.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
        try disk.store.execute("INSERT INTO t (k, v) VALUES (1, 'a')")
        try disk.store.execute(Self.view + "(v, k)")
        try setUnbuilt(disk.store)
        try disk.reopen(isReadOnly: true)
        #expect(try disk.store.execute("SELECT * FROM t").count == 1)
        #expect(disk.store.catalog.schema.definitions.unbuilt.count == 1)
        try disk.reopen()
        #expect(disk.store.catalog.schema.definitions.unbuilt.isEmpty)
        #expect(try disk.store.lines("SELECT k FROM m WHERE v = 'a'") == ["1"])
    }

    /// As if the program had ended before anything was built.
    private func setUnbuilt(_ store: WideColumnStore) throws {
        var definitions = store.catalog.schema.definitions
        for (identifier, table) in definitions.tables {
            if table.view != nil { definitions.tables[identifier]?.view?.isBuilt = false }
            for index in table.indexes.indices { definitions.tables[identifier]?.indexes[index].isBuilt = false }
        }
        try store.catalog.publish(definitions)
        for table in store.catalog.schema.allTables {
            try store.storage.write { transaction in
                for view in table.views { try transaction.deleteRange(view.storage, .all) }
                for index in table.indexes { try transaction.deleteRange(index.storage, .all) }
            }
        }
    }

    @Test("a build goes on with the schema as it is then, and ends with what it is of")
    func changesMeanwhile() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))")
        for k in 0..<600 { try store.execute("INSERT INTO t (k, c, v) VALUES (?, 1, 2)", [.int(Int32(k))]) }
        let (table, view) = (TableIdentifier(keyspace: "ks", name: "t"), TableIdentifier(keyspace: "ks", name: "m"))
        func begin(_ key: String) throws -> DependentBuilder {
            try store.execute(
                "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE c IS NOT NULL AND k IS NOT NULL PRIMARY KEY \(key)"
            )
            try setUnbuilt(store)
            let base = try #require(store.catalog.schema.table(table))
            return DependentBuilder(table: base, target: .view(base.views[0]))
        }
        let name = BuildName(table: view)
        var builder = try begin("(c, k)")
        #expect(try store.catalog.buildChunk(&builder, name))
        try store.execute("ALTER TABLE t ADD w int")
        try store.execute("UPDATE t SET w = 3 WHERE k = 599 AND c = 1")
        #expect(try !store.catalog.buildChunk(&builder, name))
        #expect(try store.execute("SELECT * FROM m WHERE c = 1").count == 600)
        #expect(try store.lines("SELECT w FROM m WHERE c = 1 AND k = 599") == ["3"])
        try store.execute("DROP MATERIALIZED VIEW m")

        builder = try begin("(c, k)")
        #expect(try store.catalog.buildChunk(&builder, name))
        try store.execute("DROP MATERIALIZED VIEW m")
        #expect(try !store.catalog.buildChunk(&builder, name))
        var other = try begin("(k, c)")
        // The first builder is of a view that is gone, though one of its name is there again.
        #expect(try !store.catalog.buildChunk(&builder, name))
        #expect(try store.execute("SELECT * FROM m").isEmpty)
        while try store.catalog.buildChunk(&other, name) {}
        #expect(try store.execute("SELECT * FROM m").count == 600)
    }

    @Test("schema statements, builds and writes at the same time leave what they are about whole")
    func concurrency() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, v int, PRIMARY KEY (k, c))")
        let insert = try store.prepare("INSERT INTO t (k, c, v) VALUES (?, ?, ?)")
        for k in 0..<1500 { try insert.execute([.int(Int32(k)), 1, .int(Int32(k % 9))]) }
        let failures = LockedList()
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            do {
                for round in 0..<6 {
                    switch thread {
                    case 0:
                        try store.execute(Self.view(of: round.isMultiple(of: 2) ? "(v, k, c)" : "(c, k)"))
                        if round < 5 { try store.execute("DROP MATERIALIZED VIEW m") }
                    case 1:
                        try store.execute("CREATE INDEX i ON t (v)")
                        if round < 5 { try store.execute("DROP INDEX i") }
                    case 2:
                        try store.execute("CREATE TABLE IF NOT EXISTS u (k int PRIMARY KEY)")
                        try store.execute("ALTER TABLE t ADD w\(round) int")
                        try store.execute("DROP TABLE u")
                    default:
                        for k in 0..<300 { try insert.execute([.int(Int32(k + round * 300)), 1, .int(Int32(k % 7))]) }
                        try store.execute("DELETE FROM t WHERE k = ?", [.int(Int32(round))])
                    }
                }
            } catch { failures.append("\(thread): \(error)") }
        }
        #expect(failures.values == [])
        let table = try store.table("t")
        #expect(table.views.map(\.name) == ["m"] && table.indexes.map(\.definition.name) == ["i"])
        #expect(store.catalog.schema.definitions.unbuilt.isEmpty)
        let rows = try store.execute("SELECT k FROM t")
        #expect(rows.count > 1500)
        #expect(try store.execute("SELECT k FROM m").count == rows.count)
        #expect(try store.storage.verify().problems == [])
    }

    private static func view(of key: String) -> String {
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM t WHERE v IS NOT NULL AND c IS NOT NULL AND k IS NOT NULL PRIMARY KEY \(key)"
    }
}

/// Names from several threads.
private final class LockedList: Sendable {
    private let list = Mutex<[String]>([])

    var values: [String] { list.withLock { $0 } }

    func append(_ name: String) { list.withLock { $0.append(name) } }
}
