// ClosingTests.swift — whoever opens a directory next shares it with nobody who is still at work in it.

import Foundation
import StorageTypes
import Testing

@testable import StorageCore

@Suite("Closing beside work")
struct ClosingTests {
    /// A storage with two tables that overlap, on a disk that calls `willMake`.
    private func storage(_ files: HookedFileSystem) throws -> Storage {
        var options = smallOptions(files.disk)
        options.fileSystem = files
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("notes")
        for round in 0..<2 {
            var batch = WriteBatch()
            for number in 0..<20 {
                try batch.put(keyspace, bytes("key-\(number)").rawSpan, bytes("round \(round)").rawSpan)
            }
            try storage.commit(batch)
            try storage.flush()
        }
        return storage
    }

    @Test(
        "closing waits for a compaction, a flush, a step that a caller is at",
        arguments: ["compact", "flush", "step", "settle"])
    func callers(work: String) throws {
        let files = HookedFileSystem(SimulatedFileSystem())
        let storage = try storage(files)
        let (isAtWork, mayGoOn) = (TestLatch(), TestLatch())
        if work == "flush" || work == "step" {
            var batch = WriteBatch()
            let keyspace = try storage.keyspace("notes")
            let value = [UInt8](repeating: 7, count: 8000)
            try batch.put(keyspace, bytes("key-30").rawSpan, value.rawSpan)
            try storage.commit(batch)
        }
        files.willMake = { path in
            guard path.hasSuffix(TableFiles.suffix) else { return }
            isAtWork.open()
            mayGoOn.wait()
        }
        let threads = TestThreads()
        try threads.start {
            do {
                switch work {
                case "compact": try storage.compact()
                case "flush": try storage.flush()
                case "settle":
                    try storage.compact()
                    try storage.settle()
                default: try storage.step()
                }
            } catch let error as StorageError where error.code == .closed {}
        }
        isAtWork.wait()
        let isClosed = TestLatch()
        try threads.start {
            try storage.close()
            isClosed.open()
        }
        usleep(30_000)
        #expect(!isClosed.isOpen)
        files.willMake = nil
        mayGoOn.open()
        #expect(threads.join() == [])
        #expect(errorCode { try storage.compact() } == .closed)
        #expect(errorCode { try storage.settle() } == .closed)

        let next = try Storage.open(at: "/db", options: smallOptions(files.disk))
        #expect(try next.verify().isHealthy)
        let keyspace = try next.keyspace("notes")
        #expect(try next.get(keyspace, bytes("key-19").rawSpan) == bytes("round 1"))
        let listed = try TableFiles.numbers(in: "/db/tables", files.disk)
        #expect(listed.count == next.statistics.total.tableCount)
    }

    @Test("a memtable without entries is not flushed, however small memtables are")
    func noMemory() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.memtableByteCount = 0
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("sums", options: KeyspaceOptions(mergeOperator: ModelAppend()))
        for number in 0..<5 {
            var batch = WriteBatch()
            try batch.merge(keyspace, bytes("key").rawSpan, bytes("\(number)").rawSpan)
            try storage.commit(batch, .synced)
        }
        while try storage.step() {}
        let expected = try storage.get(keyspace, bytes("key").rawSpan)
        let found = disk.crash(.everything)
        options.fileSystem = found
        let next = try Storage.open(at: "/db", options: options)
        let again = try next.keyspace("sums", options: KeyspaceOptions(mergeOperator: ModelAppend()))
        #expect(expected != nil)
        #expect(try next.get(again, bytes("key").rawSpan) == expected)
    }
}
