// ConcurrentWriteTests.swift — modifications that depend on what is there, from several threads: none is lost, none counts
// twice.

import StorageTypes
import Synchronization
import Testing

@testable import WideColumnEngine

@Suite("Writers side by side")
struct ConcurrentWriteTests {
    private static let threadCount = 4
    private static let count = 800

    /// Executes `body` so many times in each of several threads.
    private func perform(_ body: @escaping @Sendable (_ thread: Int, _ round: Int) throws -> Void) {
        let errors = Mutex<[String]>([])
        performInThreads(Self.threadCount) { thread in
            do {
                for round in 0..<Self.count { try body(thread, round) }
            } catch { errors.withLock { $0.append("\(error)") } }
        }
        #expect(errors.withLock { $0 } == [])
    }

    @Test("light-weight transactions that count up lose nothing")
    func conditions() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, v int)")
        try store.execute("INSERT INTO t (k, v) VALUES (1, 0)")
        let update = try store.prepare("UPDATE t SET v = ? WHERE k = 1 IF v = ?")
        perform { _, _ in
            var value = try store.execute("SELECT v FROM t WHERE k = 1")[0][0]
            while true {
                guard case .int(let number) = value else { throw HarryFailure(description: "v is \(value)") }
                let result = try update.execute([.int(number + 1), .int(number)])
                if result.wasApplied { return }
                // The answer tells what there is instead.
                value = try #require(result.first?["v"])
            }
        }
        #expect(try store.lines("SELECT v FROM t") == ["\(Self.threadCount * Self.count)"])
        let inserted = Atomic(0)
        perform { thread, round in
            let result = try store.execute(
                "INSERT INTO t (k, v) VALUES (?, ?) IF NOT EXISTS", [.int(Int32(round + 10)), .int(Int32(thread))])
            if result.wasApplied { inserted.wrappingAdd(1, ordering: .relaxed) }
        }
        #expect(inserted.load(ordering: .relaxed) == Self.count)
    }

    @Test("counters count every step of every thread, also in batches and over a flush")
    func counters() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE n (k int, c int, s counter STATIC, a counter, PRIMARY KEY (k, c))")
        let update = try store.prepare("UPDATE n SET a = a + 3, s = s - 1 WHERE k = 1 AND c = 1")
        perform { thread, round in
            if round % 8 == thread {
                try store.execute(
                    """
                    BEGIN COUNTER BATCH UPDATE n SET a = a + 1 WHERE k = 1 AND c = 1;
                    UPDATE n SET a = a + 2, s = s - 1 WHERE k = 1 AND c = 1; APPLY BATCH
                    """)
            } else {
                try update.execute()
            }
            if thread == 0, round % 200 == 199 { try store.storage.flush() }
        }
        let total = Self.threadCount * Self.count
        #expect(try store.lines("SELECT a, s FROM n") == ["\(3 * total) \(-total)"])
    }

    @Test("what threads append to a list is all there, each thread's in its order")
    func lists() throws {
        let store = try makeStore()
        try store.execute("CREATE TABLE t (k int PRIMARY KEY, l list<int>, m list<int>)")
        let append = try store.prepare("UPDATE t SET l = l + ?, m = ? + m WHERE k = 1")
        perform { thread, round in
            let element = CQLValue.list([.int(Int32(thread * Self.count + round))])
            try append.execute([element, element])
        }
        let row = try store.execute("SELECT l, m FROM t")[0]
        guard case .list(let appended) = row[0], case .list(let prepended) = row[1] else {
            Issue.record("no lists")
            return
        }
        let numbers = appended.compactMap { if case .int(let number) = $0 { Int(number) } else { nil } }
        #expect(numbers.count == Self.threadCount * Self.count && appended == prepended.reversed())
        for thread in 0..<Self.threadCount {
            let mine = numbers.filter { $0 / Self.count == thread }
            #expect(mine == Array(thread * Self.count..<(thread + 1) * Self.count))
        }
    }
}
