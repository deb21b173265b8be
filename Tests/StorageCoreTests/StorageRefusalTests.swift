import StorageTypes
import Testing

@testable import StorageCore

@Suite struct StorageRefusalTests {
    /// The synchronous form, also from an asynchronous test.
    private func put(_ key: UInt8, _ durability: Durability, _ storage: Storage, _ keyspace: Keyspace) throws {
        try storage.write(durability) { try $0.put(keyspace, [key].rawSpan, [key].rawSpan) }
    }

    @Test("work that keeps failing in the background shows in a verification, and no longer once it succeeded")
    func failingBackgroundWork() throws {
        let storage = try smallStorage()
        storage.background.setFailure(StorageError(.ioFailure, "no luck"), of: .compaction)
        let report = try storage.verify()
        #expect(report.problems.count == 1 && report.problems.first?.contains("compaction keeps failing") == true)
        try storage.step()
        #expect(try storage.verify().isHealthy)
    }

    @Test("a read-only storage refuses every change and changes no file")
    func readOnly() throws {
        let disk = SimulatedFileSystem()
        do {
            let storage = try smallStorage(disk)
            let keyspace = try storage.keyspace("k")
            for key in UInt8(0)..<40 {
                try storage.write { try $0.put(keyspace, [key].rawSpan, [UInt8](repeating: key, count: 500).rawSpan) }
                if key % 4 == 0 { try storage.flush() }
            }
            try storage.close()
        }
        var options = smallOptions(disk)
        options.isReadOnly = true
        // What it would like to compact, it must leave alone.
        options.levelZeroTableCount = 1
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        let before = disk.operationCount
        #expect(errorCode { try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) } } == .readOnly)
        #expect(errorCode { try storage.commit(WriteBatch()) } == .readOnly)
        #expect(errorCode { try storage.flush() } == .readOnly)
        #expect(errorCode { try storage.compact() } == .readOnly)
        #expect(errorCode { try storage.step() } == .readOnly)
        #expect(errorCode { try storage.checkpoint(to: "/copy") } == .readOnly)
        #expect(errorCode { try storage.dropKeyspace("k") } == .readOnly)
        #expect(errorCode { try storage.keyspace("new") } == .notFound)
        #expect(try keys(storage.snapshot().view, keyspace).count == 40)
        #expect(try storage.verify().isHealthy)
        try storage.close()
        #expect(disk.operationCount == before)
    }

    @Test("a closed storage refuses every change; closing twice is fine", arguments: [BackgroundWork.manual, .threads])
    func closed(work: BackgroundWork) async throws {
        let storage = try smallStorage(SimulatedFileSystem(), ManualClock(), work)
        let keyspace = try storage.keyspace("k")
        let waiting = Task { try await storage.waitForCommit(after: SequenceNumber(5)) }
        try storage.close()
        try storage.close()
        await #expect(throws: StorageError.self) { try await waiting.value }
        #expect(errorCode { try put(1, .buffered, storage, keyspace) } == .closed)
        #expect(errorCode { try storage.flush() } == .closed)
        #expect(errorCode { try storage.step() } == .closed)
        #expect(errorCode { try storage.compact() } == .closed)
        #expect(errorCode { try storage.keyspace("new") } == .closed)
        #expect(errorCode { try storage.dropKeyspace("k") } == .closed)
        #expect(errorCode { try storage.checkpoint(to: "/copy") } == .closed)
        await #expect(throws: StorageError.self) { _ = try await storage.waitForCommit(after: .zero) }
    }

    @Test(
        "after a failed sync writes are refused as poisoned, reads go on", arguments: [BackgroundWork.manual, .threads])
    func poisoned(work: BackgroundWork) async throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk, ManualClock(), work)
        let keyspace = try storage.keyspace("k")
        try put(1, .synced, storage, keyspace)
        disk.failOperation(number: disk.operationCount(of: .sync) + 1, once: true, kind: .sync, pathSuffix: ".log")
        var outcome: StorageError?
        do {
            try await storage.write(.synced) { try $0.put(keyspace, [2].rawSpan, [2].rawSpan) }
        } catch let error as StorageError { outcome = error }
        #expect(outcome?.code == .commitOutcomeUnknown)
        #expect(errorCode { try put(3, .buffered, storage, keyspace) } == .poisoned)
        #expect(errorCode { try storage.write(.synced) { _ in } } == .poisoned)
        #expect(try storage.snapshot().view.get(keyspace, [1].rawSpan) == [1])
        #expect(try storage.snapshot(.durable).view.get(keyspace, [2].rawSpan) == nil)
        try storage.close()
        let reopened = try smallStorage(disk)
        #expect(try reopened.snapshot().view.get(reopened.keyspace("k"), [1].rawSpan) == [1])
    }

    @Test("a compaction that fails once holds no writer up")
    func compactionFailsOnce() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk, ManualClock(), .threads)
        let keyspace = try storage.keyspace("k")
        // Only a compaction reads tables here.
        disk.failReads(number: disk.readCount + 1, once: true)
        let value = [UInt8](repeating: 1, count: 1000)
        for round in 0..<200 {
            try storage.write { try $0.put(keyspace, [UInt8(round)].rawSpan, value.rawSpan) }
        }
        try storage.close()
        let reopened = try smallStorage(disk)
        #expect(try keys(reopened.snapshot().view, reopened.keyspace("k")).count == 200)
    }
}
