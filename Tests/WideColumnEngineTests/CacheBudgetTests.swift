// CacheBudgetTests.swift — what a store keeps of statements is bounded in bytes.

import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Budgets of caches and traces")
struct CacheBudgetTests {
    private func makeTable() throws -> WideColumnStore {
        let store = try makeStore(ManualClock(now: StorageInstant(seconds: 1_741_618_800)))
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
        return store
    }

    private static var traced: ExecutionOptions {
        var options = ExecutionOptions()
        options.isTracing = true
        return options
    }

    @Test("long texts are not kept; many of them are never more than the budget")
    func statements() throws {
        let store = try makeTable()
        try store.execute("INSERT INTO t (k, v) VALUES (1, '\(String(repeating: "x", count: 9000))')")
        #expect(store.statements.count == 0 && store.statements.byteCount == 0)
        var greatest = 0
        for k in 0..<700 {
            let text = String(repeating: "x", count: 7900)
            for _ in 0..<2 { try store.execute("INSERT INTO t (k, v) VALUES (\(k), '\(text)')") }
            #expect(store.statements.byteCount <= StatementCache.maximumByteCount)
            greatest = max(greatest, store.statements.byteCount)
        }
        #expect(greatest > StatementCache.maximumByteCount / 2)
        for k in 0..<3000 { try store.execute("SELECT v FROM t WHERE k = \(k)") }
        #expect(store.statements.count <= StatementCache.maximumCount)
        let count = store.statements.count
        for _ in 0..<3 { try store.execute("SELECT v FROM t WHERE k = 2999") }
        #expect(store.statements.count == count)
    }

    @Test("a long statement that is traced is answered, and its trace cut")
    func longStatement() throws {
        let store = try makeTable()
        let comment = String(repeating: "é", count: 1 << 19)
        let result = try store.execute("INSERT INTO t (k, v) VALUES (1, 'a') /*\(comment)*/", options: Self.traced)
        let trace = try #require(result.statementTrace)
        let first = try #require(trace.events.first?.activity)
        #expect(first.hasPrefix("Parsing INSERT INTO t") && first.hasSuffix("é…") && first.utf8.count < 1030)
        #expect(trace.events.last?.activity == "Request complete")
        let session = try store.execute(
            "SELECT parameters FROM system_traces.sessions WHERE session_id = ?", [.uuid(trace.id)])[0][0]
        guard case .map(let entries) = session, case .text(let query)? = entries.first?.value else {
            Issue.record("\(session)")
            return
        }
        #expect(query.hasPrefix("INSERT INTO t") && query.utf8.count < 4100)
        #expect(try store.lines("SELECT v FROM t") == ["'a'"])
    }

    @Test("a trace of very many activities has the first, how many are missing, and the last")
    func manyActivities() throws {
        let store = try makeTable()
        let keys = CQLValue.list((0..<3000).map { .int(Int32($0)) })
        let result = try store.execute("SELECT v FROM t WHERE k IN ?", [keys], options: Self.traced)
        let trace = try #require(result.statementTrace)
        #expect(trace.events.count == StatementTrace.maximumEventCount + 2)
        #expect(trace.events[trace.events.count - 2].activity.hasSuffix(" more activities are left out"))
        #expect(trace.events.last?.activity == "Request complete")
        let events = try store.execute(
            "SELECT activity FROM system_traces.events WHERE session_id = ?", [.uuid(trace.id)])
        #expect(events.map { $0[0] } == trace.events.map { .text($0.activity) })
    }

    @Test("the oldest traces go when all together are too large")
    func oldTraces() throws {
        let store = try makeTable()
        let system = try SystemTables(
            clock: ManualClock(), hostID: CQLUUID(mostSignificantBits: 0, leastSignificantBits: 0), limits: store.limits
        )
        func id(_ number: Int) -> CQLUUID {
            CQLUUID(mostSignificantBits: 0x1000 | UInt64(number) << 32, leastSignificantBits: 1 << 63)
        }
        // A mebibyte and more each.
        for number in 0..<12 {
            var trace = StatementTrace(TraceContext(.query), id: id(number), startedAt: 0)
            for event in 0..<1000 {
                trace.add(String(repeating: "x", count: 2000), id(1000 + event), elapsedNanoseconds: 0)
            }
            try system.record(trace, of: "SELECT")
        }
        let counts = try (0..<12).map { number in
            try ["sessions", "events"].map { table in
                try system.store.execute(
                    "SELECT * FROM system_traces.\(table) WHERE session_id = ?", [.uuid(id(number))]
                ).count
            }
        }
        let first = try #require(counts.firstIndex { $0[0] == 1 })
        #expect(first > 3 && first < 8)
        #expect(counts[..<first].allSatisfy { $0 == [0, 0] } && counts[first...].allSatisfy { $0 == [1, 1000] })
    }

    @Test("a log of traces lets go of the oldest ones, and keeps the last however large")
    func traceLog() {
        var log = TraceLog()
        func id(_ number: Int) -> CQLUUID { CQLUUID(mostSignificantBits: UInt64(number), leastSignificantBits: 0) }
        var gone = 0
        for number in 0..<50_000 {
            let removed = log.add(id(number), byteCount: 1000)
            #expect(removed == (gone..<gone + removed.count).map(id))
            gone += removed.count
            #expect(log.byteCount == (number + 1 - gone) * 1000 && log.byteCount <= TraceLog.maximumByteCount)
        }
        #expect(gone > 40_000)
        #expect(log.add(id(50_000), byteCount: 100 << 20).count == 50_000 - gone)
        #expect(log.byteCount == 100 << 20)
        #expect(log.add(id(50_001), byteCount: 1) == [id(50_000)])
    }

    @Test("a cut text ends with a whole character")
    func shortening() {
        #expect("abc".shortened(toByteCount: 3) == "abc")
        #expect("abcd".shortened(toByteCount: 3) == "abc…")
        #expect("éé".shortened(toByteCount: 3) == "é…")
        #expect("🙂🙂".shortened(toByteCount: 7) == "🙂…")
        #expect("🙂".shortened(toByteCount: 2) == "…")
    }
}
