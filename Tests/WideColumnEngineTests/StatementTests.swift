import StorageCore
import StorageTypes
import Testing

@testable import WideColumnEngine

/// A store with the keyspace `ks`, chosen.
func makeStore(_ clock: ManualClock = ManualClock()) throws -> WideColumnStore {
    let store = try WideColumnStore(storage: .inMemory(clock: clock), randomNumbers: SeededRandom(seed: 1))
    try store.makeKeyspace()
    return store
}

extension WideColumnStore {
    /// Creates the keyspace `ks` and chooses it.
    func makeKeyspace() throws {
        try execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try execute("USE ks")
    }

    /// The table or view of this name in `ks`.
    func table(_ name: String) throws -> Table {
        try #require(catalog.schema.table(TableIdentifier(keyspace: "ks", name: name)))
    }

    /// The rows of a SELECT as lines of text.
    func lines(_ cql: String, _ values: [CQLValue] = []) throws -> [String] {
        try execute(cql, values).map { $0.values.map(\.description).joined(separator: " ") }
    }
}

extension PreparedStatement {
    /// The rows of all pages, one after another.
    func pages(_ values: [CQLValue] = [], size: Int) throws -> [Row] {
        var rows: [Row] = []
        var state: PagingState?
        repeat {
            let page = try execute(values, pageSize: size, pagingState: state)
            #expect(page.count <= size)
            rows += page
            state = try page.pagingState.map { try PagingState(bytes: $0.bytes) }
        } while state != nil
        return rows
    }
}

func expectInvalid(
    _ message: String, _ code: CQLError.Code = .invalidRequest, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    let error = #expect(throws: CQLError.self, sourceLocation: sourceLocation) { try body() }
    #expect(error?.code == code, sourceLocation: sourceLocation)
    #expect(error?.message == message, sourceLocation: sourceLocation)
}

@Suite("Modifications")
struct ModificationTests {
    private let clock = ManualClock()

    private func simpleStore() throws -> WideColumnStore {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, s text STATIC, v text, w int, PRIMARY KEY (k, c))")
        return store
    }

    @Test("INSERT makes a row that stays with nulls; a row made by UPDATE goes with its last cell")
    func markers() throws {
        let store = try simpleStore()
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 'a')")
        try store.execute("UPDATE t SET v = 'b' WHERE k = 1 AND c = 2")
        #expect(try store.lines("SELECT c, v FROM t WHERE k = 1") == ["1 'a'", "2 'b'"])
        try store.execute("DELETE v FROM t WHERE k = 1 AND c IN (1, 2)")
        #expect(try store.lines("SELECT c, v FROM t WHERE k = 1") == ["1 null"])
    }

    @Test("a null writes a tombstone, an unset value keeps what there is")
    func nullAndUnset() throws {
        let store = try simpleStore()
        let insert = try store.prepare("INSERT INTO t (k, c, v, w) VALUES (1, 1, ?, ?)")
        try insert.execute(["a", 5])
        try insert.execute([.unset, nil])
        #expect(try store.lines("SELECT v, w FROM t") == ["'a' null"])
        expectInvalid("Invalid null value for column k") {
            try store.execute("INSERT INTO t (k, c) VALUES (?, 1)", [nil])
        }
        expectInvalid("Invalid unset value for column c") {
            try store.execute("INSERT INTO t (k, c) VALUES (1, ?)", [.unset])
        }
    }

    @Test("the higher timestamp wins whatever the order of writing; at equal ones a deletion does")
    func timestamps() throws {
        let store = try simpleStore()
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 'new') USING TIMESTAMP 20")
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 'old') USING TIMESTAMP 10")
        #expect(try store.lines("SELECT v, writetime(v) FROM t") == ["'new' 20"])
        try store.execute("DELETE FROM t USING TIMESTAMP 20 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT v FROM t") == [])
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 'newer') USING TIMESTAMP 21")
        #expect(try store.lines("SELECT v FROM t") == ["'newer'"])
        expectInvalid("Out of bound timestamp, must be in [-9223372036854775807, 9223372036854775807]") {
            try store.execute("INSERT INTO t (k, c) VALUES (1, 1) USING TIMESTAMP -9223372036854775808")
        }
    }

    @Test("deletions of ranges, prefixes and partitions reach what is older, not what is newer")
    func deletions() throws {
        let store = try simpleStore()
        for c in 1...9 {
            try store.execute("INSERT INTO t (k, c, w) VALUES (1, ?, ?)", [.int(Int32(c)), .int(Int32(c))])
        }
        try store.execute("DELETE FROM t WHERE k = 1 AND c > 2 AND c <= 4")
        try store.execute("DELETE FROM t WHERE k = 1 AND c >= 8")
        try store.execute("INSERT INTO t (k, c) VALUES (1, 4)")
        #expect(try store.lines("SELECT c FROM t WHERE k = 1") == ["1", "2", "4", "5", "6", "7"])
        try store.execute("DELETE FROM t WHERE k = 1 AND c IN (1, 6)")
        #expect(try store.lines("SELECT c FROM t WHERE k = 1") == ["2", "4", "5", "7"])
        try store.execute("INSERT INTO t (k, s) VALUES (1, 'static')")
        try store.execute("DELETE FROM t WHERE k = 1")
        #expect(try store.lines("SELECT * FROM t") == [])
        try store.execute("INSERT INTO t (k, c) VALUES (1, 5)")
        #expect(try store.lines("SELECT k, c, s FROM t") == ["1 5 null"])
    }

    @Test("TTL: of an INSERT for the whole row, of an UPDATE for its cells; zero and null override the default")
    func timeToLive() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v text, w text) WITH default_time_to_live = 100")
        try store.execute("INSERT INTO t (k, v) VALUES (1, 'default')")
        try store.execute("INSERT INTO t (k, v) VALUES (2, 'ten') USING TTL 10")
        try store.execute("INSERT INTO t (k, v) VALUES (3, 'none') USING TTL 0")
        try store.execute("INSERT INTO t (k, v) VALUES (4, 'none') USING TTL ?", [nil])
        try store.execute("INSERT INTO t (k, v) VALUES (5, 'default') USING TTL ?", [.unset])
        try store.execute("UPDATE t USING TTL 5 SET w = 'short' WHERE k = 3")
        #expect(
            try store.lines("SELECT k, ttl(v), ttl(w) FROM t WHERE k IN (1, 2, 3, 4, 5)").sorted()
                == ["1 100 null", "2 10 null", "3 null 5", "4 null null", "5 100 null"])
        clock.advance(by: .seconds(5))
        #expect(try store.lines("SELECT w FROM t WHERE k = 3") == ["null"])
        clock.advance(by: .seconds(5))
        #expect(try store.lines("SELECT k FROM t").sorted() == ["1", "3", "4", "5"])
        clock.advance(by: .seconds(90))
        #expect(try store.lines("SELECT k FROM t").sorted() == ["3", "4"])
        expectInvalid("ttl is too large. requested (630720001) maximum (630720000)") {
            try store.execute("INSERT INTO t (k) VALUES (1) USING TTL 630720001")
        }
        expectInvalid("A TTL must be greater or equal to 0, but was -1") {
            try store.execute("INSERT INTO t (k) VALUES (1) USING TTL -1")
        }
    }

    @Test("the statements of a batch share a timestamp, so a deletion beats an insert; and they commit together")
    func batches() throws {
        let store = try simpleStore()
        try store.execute(
            "BEGIN BATCH INSERT INTO t (k, c) VALUES (1, 1); DELETE FROM t WHERE k = 1 AND c = 1; APPLY BATCH")
        #expect(try store.lines("SELECT * FROM t") == [])
        try store.execute(
            "BEGIN UNLOGGED BATCH USING TIMESTAMP 9 INSERT INTO t (k, c) VALUES (?, 1) UPDATE t SET v = ? WHERE k = 2 AND c = 2 APPLY BATCH",
            [3, "x"])
        #expect(try store.lines("SELECT k, c, writetime(v) FROM t").sorted() == ["2 2 9", "3 1 null"])
        try store.execute("BEGIN BATCH APPLY BATCH")
        expectInvalid("Timestamp must be set either on BATCH or individual statements") {
            try store.execute(
                "BEGIN BATCH USING TIMESTAMP 1 INSERT INTO t (k, c) VALUES (1, 1) USING TIMESTAMP 2 APPLY BATCH")
        }
        expectInvalid("Global TTL on the BATCH statement is not supported.") {
            try store.execute("BEGIN BATCH USING TTL 1 APPLY BATCH")
        }
        expectInvalid("Invalid null value for column c") {
            try store.execute(
                "BEGIN BATCH INSERT INTO t (k, c) VALUES (7, 1); INSERT INTO t (k, c) VALUES (7, ?) APPLY BATCH", [nil])
        }
        #expect(try store.lines("SELECT * FROM t WHERE k = 7") == [])
    }

    @Test("conditions answer [applied] and what stood in the way")
    func conditions() throws {
        let store = try simpleStore()
        let first = try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 'a') IF NOT EXISTS")
        #expect(first.wasApplied && first.columns.map(\.name) == ["[applied]"])
        let second = try store.execute("INSERT INTO t (k, c, v) VALUES (1, 1, 'b') IF NOT EXISTS")
        #expect(!second.wasApplied && second.columns.map(\.name) == ["[applied]", "k", "c", "s", "v", "w"])
        #expect(second[0]["v"] == "a")
        #expect(second.columns.map(\.table) == [""] + Array(repeating: "t", count: 5))
        let third = try store.execute("UPDATE t SET w = 1 WHERE k = 1 AND c = 1 IF v = 'b' AND w = null")
        #expect(third.columns.map(\.name) == ["[applied]", "v", "w"] && third[0].values == [false, "a", nil])
        #expect(try store.execute("UPDATE t SET w = 1 WHERE k = 1 AND c = 1 IF v IN ('a', 'b') AND w != 3").wasApplied)
        #expect(try store.execute("UPDATE t SET w = 2 WHERE k = 1 AND c = 1 IF w < 2").wasApplied)
        #expect(!(try store.execute("UPDATE t SET w = 2 WHERE k = 1 AND c = 9 IF EXISTS").wasApplied))
        #expect(!(try store.execute("UPDATE t SET w = 2 WHERE k = 1 AND c = 9 IF w > 0").wasApplied))
        #expect(try store.execute("DELETE FROM t WHERE k = 1 AND c = 1 IF EXISTS").wasApplied)
        #expect(try store.lines("SELECT * FROM t") == [])
        let batch =
            "BEGIN BATCH INSERT INTO t (k, c) VALUES (5, 1) IF NOT EXISTS; INSERT INTO t (k, c) VALUES (5, 2) APPLY BATCH"
        #expect(try store.execute(batch).wasApplied)
        #expect(!(try store.execute(batch).wasApplied))
        expectInvalid("Cannot provide custom timestamp for conditional updates") {
            try store.execute("INSERT INTO t (k, c) VALUES (1, 1) IF NOT EXISTS USING TIMESTAMP 1")
        }
        expectInvalid("Batch with conditions cannot span multiple partitions") {
            try store.execute(
                "BEGIN BATCH INSERT INTO t (k, c) VALUES (5, 1) IF NOT EXISTS; INSERT INTO t (k, c) VALUES (6, 2) APPLY BATCH"
            )
        }
        expectInvalid("IN on the clustering key columns is not supported with conditional updates") {
            try store.execute("UPDATE t SET v = 'x' WHERE k = 1 AND c IN (1, 2) IF EXISTS")
        }
    }

    @Test("a condition on what does not exist answers [applied] alone")
    func absentRows() throws {
        let store = try simpleStore()
        func answer(_ cql: String) throws -> [String] {
            let result = try store.execute(cql)
            return [result.columns.map(\.name).joined(separator: " ")]
                + result.map { $0.values.map(\.description).joined(separator: " ") }
        }
        let alone = ["[applied]", "false"]
        #expect(try answer("UPDATE t SET w = 2 WHERE k = 1 AND c = 9 IF w = 1") == alone)
        #expect(try answer("UPDATE t SET w = 2 WHERE k = 1 AND c = 9 IF EXISTS") == alone)
        #expect(try answer("UPDATE t SET s = 'b' WHERE k = 1 IF s = 'a'") == alone)
        // A static row is read where it is asked for or written, not otherwise.
        try store.execute("UPDATE t SET s = 'b' WHERE k = 1")
        #expect(try answer("UPDATE t SET w = 2 WHERE k = 1 AND c = 9 IF w = 1") == alone)
        #expect(
            try answer("UPDATE t SET w = 2 WHERE k = 1 AND c = 9 IF w = 1 AND s = 'b'") == [
                "[applied] w s", "false null 'b'",
            ])
        #expect(try answer("UPDATE t SET s = 'c' WHERE k = 1 IF s = 'a'") == ["[applied] s", "false 'b'"])
        // So is a partition with rows.
        try store.execute("INSERT INTO t (k, c) VALUES (2, 1)")
        #expect(try answer("UPDATE t SET s = 'b' WHERE k = 2 IF s = 'a'") == ["[applied] s", "false null"])
        try store.execute("DELETE FROM t WHERE k = 2 AND c = 1")
        #expect(try answer("UPDATE t SET s = 'b' WHERE k = 2 IF s = 'a'") == alone)
        #expect(try answer("UPDATE t SET w = 2 WHERE k = 2 AND c = 1 IF w = 1") == alone)
    }

    @Test("a batch that is not applied answers each row that exists once, in the order of the key")
    func batchAnswers() throws {
        let store = try simpleStore()
        func answer(_ statements: String...) throws -> [String] {
            let result = try store.execute("BEGIN BATCH \(statements.joined(separator: "; ")) APPLY BATCH")
            return [result.columns.map(\.name).joined(separator: " ")]
                + result.map { $0.values.map(\.description).joined(separator: " ") }
        }
        let third = "UPDATE t SET w = 2 WHERE k = 1 AND c = 3 IF w = 1"
        let second = "UPDATE t SET w = 2 WHERE k = 1 AND c = 2 IF v = 'x'"
        #expect(try answer(third, second) == ["[applied]", "false"])
        try store.execute("INSERT INTO t (k, c, w) VALUES (1, 3, 3)")
        #expect(try answer(third, second) == ["[applied] k c w v", "false 1 3 3 null"])
        try store.execute("INSERT INTO t (k, c, v) VALUES (1, 2, 'y')")
        #expect(
            try answer(third, second, "DELETE FROM t WHERE k = 1 AND c = 3 IF v = 'z'") == [
                "[applied] k c w v", "false 1 2 null 'y'", "false 1 3 3 null",
            ])
        #expect(
            try answer("UPDATE t SET w = 2 WHERE k = 1 AND c = 9 IF EXISTS", third) == [
                "[applied] k c s v w", "false 1 3 null null 3",
            ])
    }

    @Test("a condition on the partition alone is answered with the partition's first row")
    func partitionConditions() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, s int static, v int, PRIMARY KEY (k, c))")
        try store.execute("INSERT INTO t (k, c, s, v) VALUES (0, 1, 2, 0)")
        try store.execute("INSERT INTO t (k, c, v) VALUES (0, 5, 7)")
        try store.execute("INSERT INTO t (k, s) VALUES (1, 2)")
        func answer(_ statements: String..., isBatch: Bool = true) throws -> [String] {
            let text = statements.joined(separator: "; ")
            let result = try store.execute(isBatch ? "BEGIN BATCH \(text); APPLY BATCH" : text)
            return [result.columns.map(\.name).joined(separator: " ")]
                + result.map { $0.values.map(\.description).joined(separator: " ") }
        }
        let write = "UPDATE t SET v = 1 WHERE k = 0 AND c = 1"
        #expect(try answer("UPDATE t SET s = 9 WHERE k = 0 IF s = 1", write) == ["[applied] k c s", "false 0 1 2"])
        // The row that a statement names counts for nothing where it tests static columns alone.
        for c in [1, 5, 6] {
            #expect(
                try answer("UPDATE t SET v = 1 WHERE k = 0 AND c = \(c) IF s = 1") == [
                    "[applied] k c s", "false 0 1 2",
                ])
        }
        #expect(
            try answer("UPDATE t SET v = 1 WHERE k = 0 AND c = 5 IF v = 1", "\(write) IF s = 2") == [
                "[applied] k c v s", "false 0 5 7 2",
            ])
        #expect(
            try answer("UPDATE t SET v = 1 WHERE k = 0 AND c = 6 IF v = 1", "\(write) IF s = 2") == [
                "[applied] k c v s", "false 0 null null 2",
            ])
        // A partition of a static row alone.
        #expect(
            try answer("UPDATE t SET s = 9 WHERE k = 1 IF s = 1", "UPDATE t SET v = 1 WHERE k = 1 AND c = 1") == [
                "[applied] k c s", "false 1 null 2",
            ])
        #expect(
            try answer("UPDATE t SET s = 9 WHERE k = 0 IF s = 1", isBatch: false) == ["[applied] s", "false 2"])
        #expect(
            try answer("INSERT INTO t (k, s) VALUES (0, 9) IF NOT EXISTS", isBatch: false) == [
                "[applied] k c s v", "false 0 1 2 null",
            ])
        #expect(
            try answer("INSERT INTO t (k, s) VALUES (0, 9) IF NOT EXISTS", write) == [
                "[applied] k c s v", "false 0 1 2 0",
            ])
        #expect(try store.lines("SELECT k, c, s, v FROM t WHERE k = 0") == ["0 1 2 0", "0 5 2 7"])
    }

    @Test("with a condition of existence a batch answers with all columns, in their order in the table")
    func mixedConditions() throws {
        let store = try makeStore(clock)
        try store.execute("CREATE TABLE t (k int, c int, v int, a int, PRIMARY KEY (k, c))")
        try store.execute("INSERT INTO t (k, c, v, a) VALUES (0, 1, 2, 3)")
        let tests = "UPDATE t SET v = 1 WHERE k = 0 AND c = 1 IF v = 1"
        for other in [
            "UPDATE t SET v = 1 WHERE k = 0 AND c = 2 IF EXISTS", "INSERT INTO t (k, c) VALUES (0, 2) IF NOT EXISTS",
        ] {
            for statements in ["\(tests); \(other)", "\(other); \(tests)"] {
                let result = try store.execute("BEGIN BATCH \(statements); APPLY BATCH")
                #expect(result.columns.map(\.name) == ["[applied]", "k", "c", "a", "v"])
                #expect(result.map { $0.values.map(\.description) } == [["false", "0", "1", "3", "2"]])
            }
        }
    }

    @Test("rows of several partitions in one order can't come in pages; those that fit into one can be asked for")
    func mergedPages() throws {
        let store = try simpleStore()
        for (k, c) in [(1, 1), (2, 2), (1, 3), (2, 4)] {
            try store.execute("INSERT INTO t (k, c) VALUES (\(k), \(c))")
        }
        let select = "SELECT c FROM t WHERE k IN (1, 2) ORDER BY c"
        func lines(_ cql: String, _ pageSize: Int) throws -> [String] {
            let page = try store.prepare(cql).execute(pageSize: pageSize)
            #expect(page.pagingState == nil)
            return page.map { $0.values.map(\.description).joined(separator: " ") }
        }
        for cql in [select, "\(select) LIMIT 4"] {
            expectInvalid(
                "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you must either remove the "
                    + "ORDER BY or the IN and sort client side, or disable paging for this query"
            ) { _ = try lines(cql, 3) }
        }
        #expect(try lines("\(select) LIMIT 3", 3) == ["1", "2", "3"])
        #expect(try lines("\(select) DESC LIMIT 2", 100) == ["4", "3"])
        #expect(try store.lines(select) == ["1", "2", "3", "4"])
    }

    @Test("a static column belongs to the partition")
    func staticColumns() throws {
        let store = try simpleStore()
        try store.execute("UPDATE t SET s = 'one' WHERE k = 1")
        #expect(try store.lines("SELECT * FROM t WHERE k = 1") == ["1 null 'one' null null"])
        #expect(try store.lines("SELECT * FROM t WHERE k = 1 AND c = 1") == [])
        try store.execute("INSERT INTO t (k, c, s) VALUES (1, 1, 'two')")
        try store.execute("INSERT INTO t (k, c) VALUES (1, 2)")
        #expect(try store.lines("SELECT c, s FROM t") == ["1 'two'", "2 'two'"])
        #expect(try store.lines("SELECT DISTINCT k, s FROM t") == ["1 'two'"])
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            ("INSERT INTO t (c, v) VALUES (1, 'a')", "Some partition key parts are missing: k"),
            ("INSERT INTO t (k, v) VALUES (1, 'a')", "Some clustering keys are missing: c"),
            ("INSERT INTO t (k, c) VALUES (1)", "Unmatched column names/values"),
            ("INSERT INTO t (k, k) VALUES (1, 1)", "The column names contains duplicates"),
            ("INSERT INTO t (k, x) VALUES (1, 1)", "Undefined column name x in table ks.t"),
            ("INSERT INTO t (k, c) VALUES ('a', 1)", "Invalid STRING constant (a) for \"k\" of type int"),
            ("INSERT INTO t (k, c) VALUES (99999999999, 1)", "Unable to make int from '99999999999'"),
            ("UPDATE t SET k = 1 WHERE k = 1", "PRIMARY KEY part k found in SET part"),
            ("UPDATE t SET v = 'a' WHERE k = 1", "Some clustering keys are missing: c"),
            (
                "UPDATE t SET v = 'a' WHERE k = 1 AND c > 1",
                "Slice restrictions are not supported on the clustering columns in UPDATE statements"
            ),
            (
                "UPDATE t SET v = 'a' WHERE k = 1 AND c = 1 AND w = 2",
                "Non PRIMARY KEY columns found in where clause: w "
            ),
            ("UPDATE t SET w = w + 1 WHERE k = 1 AND c = 1", "Invalid operation (w = w + 1) for non counter column w"),
            ("DELETE v FROM t WHERE k = 1 AND c > 1", "Range deletions are not supported for specific columns"),
            ("DELETE FROM t WHERE c = 1", "Some partition key parts are missing: k"),
            ("DELETE FROM x WHERE c = 1", "table x does not exist"),
            ("DELETE FROM y.x WHERE c = 1", "keyspace y does not exist"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try simpleStore()
        expectInvalid(message) { try store.execute(cql) }
    }

    @Test("the number of values must be that of the markers")
    func markerCount() throws {
        let store = try simpleStore()
        expectInvalid("there were 2 markers(?) in CQL but 1 bound variables") {
            try store.execute("INSERT INTO t (k, c) VALUES (?, ?)", [1])
        }
        let named = try store.prepare("INSERT INTO t (k, c) VALUES (:key, :row)")
        try named.execute(named: ["row": 2, "key": 1])
        #expect(try store.lines("SELECT k, c FROM t") == ["1 2"])
    }
}
