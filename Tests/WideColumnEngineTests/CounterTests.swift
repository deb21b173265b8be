import StorageTypes
import Testing

@testable import WideColumnEngine

// [CA] doc cql/counter-column.adoc, cql/dml.adoc "BATCH".

@Suite("Counters and batches")
struct CounterTests {
    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore()
        try store.execute("CREATE TABLE n (k int, c int, s counter STATIC, a counter, b counter, PRIMARY KEY (k, c))")
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
        return store
    }

    @Test("counters count up and down; one that was deleted stays deleted")
    func counting() throws {
        let store = try makeTable()
        for _ in 0..<5 { try store.execute("UPDATE n SET a = a + 2, b = b - 1, s = s + 1 WHERE k = 1 AND c = 1") }
        try store.execute("UPDATE n SET a += ?, b -= 10 WHERE k = 1 AND c = 2", [7])
        #expect(try store.lines("SELECT c, s, a, b FROM n") == ["1 5 10 -5", "2 5 7 -10"])
        #expect(try store.lines("SELECT sum(a) FROM n") == ["17"])
        try store.execute("DELETE a FROM n WHERE k = 1 AND c = 1")
        try store.execute("UPDATE n SET a = a + 1 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT a, b FROM n WHERE k = 1 AND c = 1") == ["null -5"])
        try store.execute("DELETE FROM n WHERE k = 1 AND c = 2")
        try store.execute("UPDATE n SET a = a + 1 WHERE k = 1 AND c = 2")
        #expect(try store.lines("SELECT a, b FROM n WHERE k = 1 AND c = 2") == ["1 null"])
    }

    @Test("a counter batch adds up what its statements say")
    func batches() throws {
        let store = try makeTable()
        try store.execute(
            """
            BEGIN COUNTER BATCH UPDATE n SET a = a + 1 WHERE k = 1 AND c = 1; UPDATE n SET a = a + 2 WHERE k = 1 AND c = 1;
            UPDATE n SET b = b + 3 WHERE k = 2 AND c = 1; APPLY BATCH
            """)
        #expect(try store.lines("SELECT k, a, b FROM n").sorted() == ["1 3 null", "2 null 3"])
    }

    @Test("what one commit counts several times adds up, down too, in batches, transactions and single statements")
    func countingTwice() throws {
        let store = try makeTable()
        func change(_ delta: Int, _ column: String = "a") -> String {
            "UPDATE n SET \(column) = \(column) + \(delta) WHERE k = 1" + (column == "s" ? "" : " AND c = 1")
        }
        func batch(_ statements: [String]) -> String {
            "BEGIN COUNTER BATCH \(statements.joined(separator: "; ")); APPLY BATCH"
        }
        try store.execute(change(5))
        try store.execute(batch([change(-1), change(-1)]))
        #expect(try store.lines("SELECT a FROM n") == ["3"])
        try store.execute(batch([change(1, "b"), change(-1, "b"), change(7, "a"), change(-9, "a")]))
        #expect(try store.lines("SELECT a, b FROM n") == ["1 0"])
        try store.execute(batch([change(4, "s"), change(-6, "s"), change(1, "s")]))
        #expect(try store.lines("SELECT s FROM n") == ["-1"])
        try store.storage.write { transaction in
            for delta in [10, -3, -300, 2] { try store.execute(change(delta), in: transaction) }
            #expect(try store.execute("SELECT a FROM n WHERE k = 1 AND c = 1", in: transaction)[0][0] == .bigint(-290))
        }
        #expect(try store.lines("SELECT a FROM n") == ["-290"])
        try store.execute("UPDATE n SET a = a + 1, b = b + 2, a = a + 300, a -= 20 WHERE k = 1 AND c = 1")
        #expect(try store.lines("SELECT a, b FROM n") == ["-9 2"])
        try store.storage.flush()
        try store.execute(batch((0..<100).map { _ in change(-1) } + [change(1000, "b")]))
        #expect(try store.lines("SELECT a, b, s FROM n") == ["-109 1002 -1"])
        // A deletion in the same commit counts as it does between commits of one timestamp.
        try store.storage.write { transaction in
            try store.execute(change(50), in: transaction)
            try store.execute("DELETE a FROM n WHERE k = 1 AND c = 1", in: transaction)
            try store.execute(change(50), in: transaction)
        }
        #expect(try store.lines("SELECT a, b FROM n") == ["null 1002"])
        #expect(try store.storage.verify().problems.isEmpty)
    }

    @Test(
        "refusals have Cassandra's words",
        arguments: [
            (
                "INSERT INTO n (k, c, a) VALUES (1, 1, 1)",
                "INSERT statements are not allowed on counter tables, use UPDATE instead"
            ),
            (
                "UPDATE n SET a = 5 WHERE k = 1 AND c = 1",
                "Cannot set the value of counter column a (counters can only be incremented/decremented, not set)"
            ),
            (
                "UPDATE n USING TTL 5 SET a = a + 1 WHERE k = 1 AND c = 1",
                "Cannot provide custom TTL for counter updates"
            ),
            (
                "UPDATE n USING TIMESTAMP 5 SET a = a + 1 WHERE k = 1 AND c = 1",
                "Cannot provide custom timestamp for counter updates"
            ),
            (
                "UPDATE n SET a = a + 1 WHERE k = 1 AND c = 1 IF a = 1",
                "Conditional updates are not supported on counter tables"
            ),
            (
                "BEGIN BATCH UPDATE n SET a = a + 1 WHERE k = 1 AND c = 1; APPLY BATCH",
                "Cannot include a counter statement in a logged batch"
            ),
            (
                "BEGIN COUNTER BATCH INSERT INTO t (k) VALUES (1); APPLY BATCH",
                "Cannot include non-counter statement in a counter batch"
            ),
            (
                "BEGIN UNLOGGED BATCH INSERT INTO t (k) VALUES (1); UPDATE n SET a = a + 1 WHERE k = 1 AND c = 1; APPLY BATCH",
                "Counter and non-counter mutations cannot exist in the same batch"
            ),
            ("UPDATE n SET a = a + null WHERE k = 1 AND c = 1", "Invalid null value for counter increment"),
            (
                "CREATE TABLE x (k int PRIMARY KEY, c counter) WITH default_time_to_live = 1",
                "Cannot set default_time_to_live on a table with counters"
            ),
            ("CREATE INDEX ON n (a)", "Secondary indexes on counter tables aren't supported"),
        ])
    func refusals(cql: String, message: String) throws {
        let store = try makeTable()
        expectInvalid(message) { try store.execute(cql) }
    }

    @Test("batches over several partitions have a warning beyond 5 KiB and are refused beyond 50 KiB")
    func sizes() throws {
        let store = try makeTable()
        func batch(_ byteCount: Int, _ keys: [Int]) throws -> ResultSet {
            let rows = keys.map { "INSERT INTO t (k, v) VALUES (\($0), '\(String(repeating: "x", count: byteCount))')" }
            return try store.execute("BEGIN BATCH \(rows.joined(separator: "; ")) APPLY BATCH")
        }
        #expect(try batch(1000, [1, 2]).warnings.isEmpty)
        let warned = try batch(3000, [1, 2])
        #expect(warned.warnings.count == 1 && warned.warnings[0].hasPrefix("Batch for [ks.t] is of size 5."))
        #expect(try batch(60_000, [1, 1]).warnings.isEmpty)
        // One key in two tables of a keyspace is one partition.
        try store.execute("CREATE TABLE u (k int PRIMARY KEY, v text)")
        let text = String(repeating: "x", count: 30_000)
        func pair(_ key: Int) throws -> ResultSet {
            try store.execute(
                "BEGIN BATCH INSERT INTO t (k, v) VALUES (1, '\(text)'); INSERT INTO u (k, v) VALUES (\(key), '\(text)') APPLY BATCH"
            )
        }
        #expect(try pair(1).warnings.isEmpty)
        expectInvalid("Batch too large") { _ = try pair(2) }
        expectInvalid("Batch too large") { _ = try batch(30_000, [7, 8]) }
        #expect(try store.execute("SELECT * FROM t WHERE k = 7").isEmpty)
        let unlogged = (0..<12).map { "INSERT INTO t (k) VALUES (\($0))" }.joined(separator: "; ")
        #expect(try store.execute("BEGIN UNLOGGED BATCH \(unlogged) APPLY BATCH").warnings.count == 1)
    }

    @Test("a batch of prepared statements is one commit, with the client's timestamp")
    func prepared() throws {
        let store = try makeTable()
        let insert = try store.prepare("INSERT INTO t (k, v) VALUES (?, ?)")
        var options = ExecutionOptions()
        options.timestamp = 42
        try store.execute(StatementBatch(.logged, [(insert, [1, "a"]), (insert, [2, "b"])]), options: options)
        #expect(try store.lines("SELECT k, v, writetime(v) FROM t").sorted() == ["1 'a' 42", "2 'b' 42"])
        try insert.execute(
            [1, "old"],
            options: {
                var options = ExecutionOptions(); options.timestamp = 41; return options
            }())
        #expect(try store.lines("SELECT v FROM t WHERE k = 1") == ["'a'"])
        expectInvalid("Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.") {
            try store.execute(StatementBatch(.logged, [(try store.prepare("SELECT * FROM t"), [])]))
        }
    }
    @Test("all members of a conditional batch take the commit's timestamp, whatever the client's is")
    func conditionalTimestamps() throws {
        let store = try makeTable()
        try store.execute("CREATE TABLE u (k int, c int, v text, PRIMARY KEY (k, c))")
        var options = ExecutionOptions()
        options.timestamp = 42
        let plain = "INSERT INTO u (k, c, v) VALUES (?, 2, 'b')"
        let conditional = "INSERT INTO u (k, c, v) VALUES (?, 1, 'a') IF NOT EXISTS"
        try store.execute("BEGIN BATCH \(plain); \(conditional) APPLY BATCH", [1, 1], options: options)
        let members = [(try store.prepare(plain), [CQLValue.int(2)]), (try store.prepare(conditional), [.int(2)])]
        #expect(try store.execute(StatementBatch(.logged, members), options: options).wasApplied)
        for k in 1...2 {
            let times = try store.execute("SELECT writetime(v) FROM u WHERE k = \(k)").map { $0[0] }
            #expect(times.count == 2 && times[0] == times[1] && times[0] != .bigint(42))
        }
    }

    @Test("a batch of prepared statements with conditions is refused as its text is")
    func conditionalRefusals() throws {
        let store = try makeTable()
        try store.execute("CREATE TABLE u (k int PRIMARY KEY, v text)")
        let conditional = "INSERT INTO t (k, v) VALUES (1, 'a') IF NOT EXISTS"
        for (other, message) in [
            ("INSERT INTO u (k, v) VALUES (1, 'b')", "Batch with conditions cannot span multiple tables"),
            ("INSERT INTO t (k, v) VALUES (2, 'b')", "Batch with conditions cannot span multiple partitions"),
            (
                "UPDATE t USING TIMESTAMP 5 SET v = 'b' WHERE k = 1",
                "Cannot provide custom timestamp for conditional BATCH"
            ),
        ] {
            expectInvalid(message) { try store.execute("BEGIN BATCH \(conditional); \(other) APPLY BATCH") }
            let members = [(try store.prepare(conditional), [CQLValue]()), (try store.prepare(other), [])]
            expectInvalid(message) { try store.execute(StatementBatch(.logged, members)) }
        }
        #expect(try store.execute("SELECT * FROM t").isEmpty && store.execute("SELECT * FROM u").isEmpty)
    }
}

@Suite("Counters against a model")
struct CounterModelTests {
    @Test(
        "totals and deletions are what the model predicts", arguments: Array(1...4) + [UInt64.random(in: 5..<1 << 40)])
    func seeds(seed: UInt64) throws {
        print("counter run, seed \(seed)")
        var run = try CounterRun(seed: seed)
        try run.run(steps: 150)
    }
}
