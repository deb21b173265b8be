// ObsoleteFileTests.swift — files of tables that were replaced go, but not in the hands of readers and writers.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite("Obsolete files")
struct ObsoleteFileTests {
    private func tableCount(_ disk: SimulatedFileSystem) throws -> Int {
        try TableFiles.numbers(in: "/db/tables", disk).count
    }

    private func fill(_ storage: Storage, _ keyspace: Keyspace) throws {
        for round in 0..<3 {
            try storage.write { try $0.put(keyspace, bytes("key").rawSpan, bytes("value \(round)").rawSpan) }
            try storage.flush()
        }
    }

    @Test("with a thread for it, who lets go of a table only asks for the removal; without one, removes")
    func deferred() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        let keyspace = try storage.keyspace("k")
        let requests = Atomic(0)
        storage.tableCache.deferRemovals { requests.add(1, ordering: .relaxed) }
        try fill(storage, keyspace)
        // Nobody reads the memtables that were flushed.
        let requestCount = requests.load(ordering: .relaxed)
        #expect(requestCount > 0)
        try storage.compact()
        #expect(requests.load(ordering: .relaxed) > requestCount)
        #expect(try tableCount(disk) == 4)
        storage.tableCache.removeObsoleteFiles()
        #expect(try tableCount(disk) == 1)

        try fill(storage, keyspace)
        try storage.compact()
        #expect(try tableCount(disk) == 5)
        // Nobody works beside it any more.
        try storage.close()
        #expect(try tableCount(disk) == 1)

        let reopened = try smallStorage(disk)
        let again = try #require(reopened.existingKeyspace("k"))
        try fill(reopened, again)
        try reopened.compact()
        #expect(try tableCount(disk) == 1)
        try reopened.close()
    }

    @Test("with background threads nothing is left behind at closing, and little before")
    func threads() throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk, ManualClock(), .threads)
        let keyspace = try storage.keyspace("k")
        for _ in 0..<10 { try fill(storage, keyspace) }
        try storage.compact()
        try storage.close()
        let listed = keyspace.tree.state.levels.all.map(\.number).sorted()
        #expect(try TableFiles.numbers(in: "/db/tables", disk).sorted() == listed)
    }
}
