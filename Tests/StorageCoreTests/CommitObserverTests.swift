// CommitObserverTests.swift — who commits a batch is told of the commit before anybody can see it, on both engines.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Commit observers of batches")
struct CommitObserverTests {
    private let disk = SimulatedFileSystem()

    private func open(_ isSQLite: Bool, _ work: BackgroundWork = .manual) throws -> Storage {
        let options = smallOptions(disk, ManualClock(), work)
        return try Storage.open(isSQLite ? .sqlite("/shop.db") : .directory("/db"), options: options)
    }

    private func batch(_ keyspace: Keyspace, _ key: UInt8) throws -> WriteBatch {
        var batch = WriteBatch()
        try batch.put(keyspace, [key].rawSpan, [key].rawSpan)
        return batch
    }

    @Test("an observer runs with the commit's sequence, before it is visible", arguments: [false, true])
    func order(isSQLite: Bool) async throws {
        let storage = try open(isSQLite)
        let keyspace = try storage.keyspace("k")
        var seen: [String] = []
        func note(_ sequence: SequenceNumber) {
            seen.append("\(sequence.rawValue) \(storage.visibleSequence.rawValue)")
        }
        func commitAndWait(_ batch: consuming WriteBatch) throws -> SequenceNumber {
            try storage.commit(batch, .synced, onCommit: note)
        }
        #expect(try commitAndWait(batch(keyspace, 1)).rawValue == 1)
        #expect(try await storage.commit(batch(keyspace, 2), onCommit: note).rawValue == 2)
        // A batch without changes is no commit: the observer hears of the newest.
        #expect(try commitAndWait(WriteBatch()).rawValue == 2)
        #expect(seen == ["1 0", "2 1", "2 2"])
    }

    @Test("no observer runs where the commit is refused", arguments: [false, true])
    func refused(isSQLite: Bool) throws {
        let storage = try open(isSQLite)
        let keyspace = try storage.keyspace("k")
        let dropped = try storage.keyspace("dropped")
        try storage.dropKeyspace("dropped")
        var ran = 0
        #expect(errorCode { try storage.commit(batch(dropped, 1), onCommit: { _ in ran += 1 }) } == .notFound)
        try storage.commit(batch(keyspace, 1))
        disk.failOperation(number: disk.operationCount + 1, once: false)
        #expect(throws: StorageError.self) { try storage.commit(batch(keyspace, 2), onCommit: { _ in ran += 1 }) }
        disk.clearFaults()
        try? storage.close()
        #expect(errorCode { try storage.commit(batch(keyspace, 3), onCommit: { _ in ran += 1 }) } == .closed)
        #expect(ran == 0)
    }

    @Test("a structure that observers keep matches what readers see, while many commit", arguments: [false, true])
    func structure(isSQLite: Bool) throws {
        let storage = try open(isSQLite, .threads)
        let keyspace = try storage.keyspace("k")
        let order = Mutex<[UInt64]>([])
        let threads = TestThreads()
        for thread in UInt8(0)..<4 {
            try threads.start {
                for _ in 0..<50 {
                    var batch = WriteBatch()
                    try batch.put(keyspace, [thread].rawSpan, [1].rawSpan)
                    let sequence = try storage.commit(batch) { sequence in
                        order.withLock { $0.append(sequence.rawValue) }
                    }
                    // Whoever sees a commit finds it in the structure.
                    let seen = storage.snapshot().sequence.rawValue
                    let known = order.withLock { $0.last ?? 0 }
                    if known < seen || seen < sequence.rawValue { throw StorageError(.corruption, "\(known), \(seen)") }
                }
            }
        }
        #expect(threads.join() == [])
        #expect(order.withLock { $0 } == Array(1...200))
        try storage.close()
    }
}
