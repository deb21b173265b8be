import Synchronization
import Testing

@testable import StorageCore

@Suite struct StorageWriteTests {
    private struct Refusal: Error {}

    @Test("commit actions run in order, with the commit's sequence, before it is visible")
    func actions() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        var seen: [String] = []
        try storage.write { transaction in
            for name in ["a", "b"] {
                transaction.onCommit { sequence in
                    seen.append("\(name) \(sequence.rawValue) \(storage.visibleSequence.rawValue)")
                }
            }
            try transaction.put(keyspace, [1].rawSpan, [1].rawSpan)
        }
        #expect(seen == ["a 1 0", "b 1 0"])
    }

    @Test("no commit action runs if the body throws, or if the log refuses")
    func actionsNotRun() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        let keyspace = try storage.keyspace("k")
        var ran = 0
        #expect(throws: Refusal.self) {
            try storage.write { transaction in
                transaction.onCommit { _ in ran += 1 }
                try transaction.put(keyspace, [1].rawSpan, [1].rawSpan)
                throw Refusal()
            }
        }
        disk.failOperation(number: disk.operationCount + 1, once: true)
        #expect(throws: StorageError.self) {
            try storage.write { transaction in
                transaction.onCommit { _ in ran += 1 }
                try transaction.put(keyspace, [1].rawSpan, [1].rawSpan)
            }
        }
        #expect(ran == 0)
        #expect(storage.visibleSequence == .zero)
        #expect(try keys(storage.snapshot().view, keyspace).isEmpty)
    }

    @Test("ordinals count from zero in each transaction")
    func ordinals() throws {
        let storage = try smallStorage()
        for _ in 0..<2 {
            #expect(try storage.write { [$0.nextOrdinal(), $0.nextOrdinal(), $0.nextOrdinal()] } == [0, 1, 2])
        }
    }

    @Test("commit times rise strictly while the clock stands still, goes back, and over a restart")
    func commitTimes() throws {
        let disk = SimulatedFileSystem()
        let clock = ManualClock()
        var storage = try smallStorage(disk, clock)
        var keyspace = try storage.keyspace("k")
        var last = StorageInstant.distantPast
        for round in 0..<30 {
            if round % 3 == 0 { clock.set(clock.now.advanced(by: .seconds(-100))) }
            if round == 15 {
                try storage.close()
                storage = try smallStorage(disk, clock)
                keyspace = try storage.keyspace("k")
            }
            let time = try storage.write { transaction in
                try transaction.put(keyspace, [1].rawSpan, [1].rawSpan)
                return transaction.commitTime
            }
            #expect(time > last)
            #expect(storage.snapshot().readTime >= time)
            last = time
        }
    }

    @Test("a synced body that wrote nothing waits for the commits that it could have read")
    func syncedReadOnlyBody() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) }
        #expect(storage.durableSequence == .zero)
        #expect(try storage.write(.synced) { try $0.get(keyspace, [1].rawSpan) } == [1])
        #expect(storage.durableSequence == SequenceNumber(1))
        #expect(storage.visibleSequence == SequenceNumber(1))
    }

    @Test("what a body throws is thrown on, and the next body starts afresh")
    func throwingBody() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        #expect(throws: Refusal.self) {
            try storage.write { transaction in
                try transaction.put(keyspace, [1].rawSpan, [1].rawSpan)
                throw Refusal()
            }
        }
        try storage.write { (transaction) throws in
            #expect(try transaction.get(keyspace, [1].rawSpan) == nil)
            #expect(transaction.sequence == SequenceNumber(1))
        }
    }

    @Test("a transaction used after its body ends the process with a sentence")
    func transactionAfterBody() async {
        await #expect(processExitsWith: .failure) {
            let storage = try Storage.inMemory()
            let keyspace = try storage.keyspace("k")
            var kept: WriteTransaction?
            try storage.write { kept = $0 }
            try kept?.put(keyspace, [1].rawSpan, [1].rawSpan)
        }
    }

    @Test("a write inside a write ends the process with a sentence, from the body and from a commit action")
    func reentry() async {
        await #expect(processExitsWith: .failure) {
            let storage = try Storage.inMemory()
            try storage.write { _ in try storage.write { _ in } }
        }
        await #expect(processExitsWith: .failure) {
            let storage = try Storage.inMemory()
            try storage.write { $0.onCommit { _ in try? storage.write { _ in } } }
        }
        await #expect(processExitsWith: .failure) {
            let storage = try Storage.inMemory()
            try storage.write { _ in _ = try storage.keyspace("new") }
        }
    }

    @Test("a flush that failed is tried again soon, a compaction ever later")
    func retries() {
        #expect(
            [1, 2, 50].map { Background.Work.flush.retryNanoseconds(afterFailures: $0) } == [
                100_000_000, 100_000_000, 100_000_000,
            ])
        let later = [1, 2, 3, 9, 10, 1000].map {
            Background.Work.compaction.retryNanoseconds(afterFailures: $0) / 1_000_000
        }
        #expect(later == [100, 200, 400, 25_600, 25_600, 25_600])
    }

    @Test("a cancelled task that goes on writing waits for room as others do")
    func cancelledWriter() async throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk, ManualClock(), .threads)
        let keyspace = try storage.keyspace("k")
        let writer = Task {
            while !Task.isCancelled { await Task.yield() }
            for number in 0..<400 {
                let key = bytes("key \(number)")
                try await storage.write {
                    try $0.put(keyspace, key.rawSpan, [UInt8](repeating: 1, count: 1000).rawSpan)
                }
                // One memtable that takes writes, those that wait, and one over the limit.
                let count = keyspace.tree.state.memtables.count
                if count > storage.options.maximumImmutableMemtables + 2 { return count }
            }
            return 0
        }
        writer.cancel()
        #expect(try await writer.value == 0)
        try storage.close()
    }

    @Test("a crowded memtable makes room in manual mode without another thread")
    func makesRoom() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        for round in 0..<100 {
            try storage.write {
                try $0.put(keyspace, [UInt8(round)].rawSpan, [UInt8](repeating: 1, count: 2000).rawSpan)
            }
        }
        #expect(keyspace.tree.state.immutables.count <= 4)
        #expect(try keys(storage.snapshot().view, keyspace).count == 100)
    }

    @Test("range deletes count as memory, so that a keyspace of nothing else is flushed too")
    func rangeDeletesFillMemtables() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        for round in 0..<2000 {
            let key = bytes("\(round)")
            try storage.write { try $0.deleteRange(keyspace, KeyRange(lower: key, upper: key + [0])) }
        }
        #expect(keyspace.tree.state.levels.all.count > 0)
    }
}
