// A SELECT that takes too long, or that nobody waits for any more, stops while it reads.

import StorageCore
import StorageTypes
import Synchronization
import Testing

@testable import WideColumnEngine

/// A clock of which every look takes a second.
private final class SteppingClock: StorageClock {
    private struct State {
        var lookCount: UInt64 = 0
        var onLook: (@Sendable (UInt64) -> Void)?
    }

    private let state = Mutex(State())

    var now: StorageInstant { StorageInstant(seconds: 1_741_618_800) }

    var monotonicNanoseconds: UInt64 {
        let (count, onLook) = state.withLock { state in
            state.lookCount += 1
            return (state.lookCount, state.onLook)
        }
        onLook?(count)
        return count * 1_000_000_000
    }

    /// Looks are counted anew.
    func restart(_ onLook: (@Sendable (UInt64) -> Void)? = nil) {
        state.withLock { $0 = State(onLook: onLook) }
    }

    var lookCount: UInt64 { state.withLock { $0.lookCount } }
}

@Suite("SELECTs that are stopped", .serialized)
struct ReadWatchTests {
    private let clock: SteppingClock
    private let store: WideColumnStore
    private static let rowCount = 6 * ReadWatch.interval

    init() throws {
        (clock, store) = try Self.filled.get()
    }

    /// For all tests: they only read these rows.
    private static let filled = Result<(SteppingClock, WideColumnStore), any Error> {
        let clock = SteppingClock()
        let store = try WideColumnStore(storage: .inMemory(clock: clock), randomNumbers: SeededRandom(seed: 1))
        try store.execute("CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try store.execute("CREATE TABLE ks.t (k int, c int, v int, w int, PRIMARY KEY (k, c))")
        try store.execute("CREATE INDEX ON ks.t (v)")
        let insert = try store.prepare("INSERT INTO ks.t (k, c, v) VALUES (1, ?, 7)")
        for c in 0..<rowCount { try insert.execute([.int(Int32(c))]) }
        try store.execute("CREATE TABLE ks.u (k int PRIMARY KEY)")
        return (clock, store)
    }

    private static let texts = [
        "SELECT * FROM ks.t", "SELECT count(*) FROM ks.t", "SELECT * FROM ks.t WHERE k = 1",
        "SELECT * FROM ks.t WHERE k = 1 ORDER BY c DESC", "SELECT c FROM ks.t WHERE v = 7",
        "SELECT c FROM ks.t WHERE w = 8 ALLOW FILTERING",
        "SELECT c FROM ks.t WHERE k IN (\((2...2 * rowCount).map(String.init).joined(separator: ", ")))",
    ]

    @Test("one that reads for longer than it may fails as a read that no replica answered in time", arguments: texts)
    func timeout(_ text: String) throws {
        var options = ExecutionOptions()
        options.readTimeout = .seconds(1000)
        clock.restart()
        let isEmpty = text.contains("IN") || text.contains("w = 8")
        #expect(
            try store.execute(text, options: options).count
                == (text.contains("count") ? 1 : isEmpty ? 0 : Self.rowCount))
        options.readTimeout = .seconds(2)
        clock.restart()
        let error = #expect(throws: CQLError.self) { try store.execute(text, options: options) }
        #expect(error?.code == .readTimeout)
        #expect(error?.message == "Operation timed out - received only 0 responses.")
        // The second one on the way, of six; a thread of the storage may have looked too.
        #expect(clock.lookCount < 7)
    }

    @Test("one that is cancelled while it reads stops there, and later ones do not begin")
    func cancellation() throws {
        let cancellation = StatementCancellation()
        var options = ExecutionOptions()
        options.cancellation = cancellation
        // For the looks at the clock.
        options.readTimeout = .seconds(1000)
        #expect(try store.execute("SELECT * FROM ks.t", options: options).count == Self.rowCount)
        clock.restart { if $0 == 3 { cancellation.cancel() } }
        #expect(throws: CancellationError.self) { try store.execute("SELECT * FROM ks.t", options: options) }
        #expect(clock.lookCount < 6)
        #expect(throws: CancellationError.self) {
            try store.execute("SELECT * FROM ks.t WHERE k = 5", options: options)
        }
        // A modification is carried out whole.
        try store.execute("INSERT INTO ks.u (k) VALUES (5)", options: options)
        #expect(try store.execute("SELECT * FROM ks.u").count == 1)
    }

    @Test("a time-out that is too long to be counted never comes")
    func endless() throws {
        var options = ExecutionOptions()
        options.readTimeout = .seconds(Int64.max)
        #expect(try store.execute("SELECT * FROM ks.t WHERE k = 1", options: options).count == Self.rowCount)
    }
}
