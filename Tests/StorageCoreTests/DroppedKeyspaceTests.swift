// DroppedKeyspaceTests.swift — the space of dropped keyspaces comes back, also from tables that others share.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Dropped keyspaces in shared tables")
struct DroppedKeyspaceTests {
    static let strategies: [CompactionStrategy] = [
        .leveled(), .sizeTiered(), .timeWindow(TimeWindowOptions(window: .seconds(3600))),
    ]

    private func key(_ index: Int) -> [UInt8] { bytes("key" + String(100_000 + index)) }

    /// Ten keyspaces in one tree, written to by turns and flushed now and then.
    private func fill(_ storage: Storage, _ strategy: CompactionStrategy, _ entryCount: Int) throws -> [Keyspace] {
        let keyspaces = try (0..<10).map {
            try storage.keyspace("k\($0)", options: KeyspaceOptions(strategy: strategy))
        }
        var random = SeededRandom(seed: 7)
        for index in 0..<entryCount {
            try storage.write { transaction in
                for keyspace in keyspaces {
                    let value = (0..<20).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                    try transaction.put(keyspace, key(index).rawSpan, value.rawSpan)
                }
            }
        }
        try storage.settle()
        return keyspaces
    }

    @Test(
        "nine of ten are dropped: background work gives their space back and leaves the tenth as it was",
        arguments: strategies, [false, true])
    func nineOfTen(_ strategy: CompactionStrategy, holdsSnapshot: Bool) throws {
        let disk = SimulatedFileSystem()
        let storage = try smallStorage(disk)
        let keyspaces = try fill(storage, strategy, 300)
        let before = storage.statistics.total.byteCount
        let usedBefore = disk.usedByteCount
        let content = try crashContent(storage.snapshot().view, keyspaces[4])
        // Nobody can read a dropped keyspace, so a snapshot keeps nothing of it.
        let snapshot = holdsSnapshot ? storage.snapshot() : nil
        for number in 0..<10 where number != 4 { try storage.dropKeyspace("k\(number)") }
        while try storage.step() {}
        let statistics = storage.statistics
        #expect(statistics.trees.count == 1 && statistics.keyspaces.map(\.name) == ["k4"])
        // A table with less than a fifth of garbage stays as it is.
        #expect((300...375).contains(statistics.total.entryCount), "\(statistics)")
        #expect(statistics.total.byteCount < before / 5, "\(before) before, \(statistics.total.byteCount) now")
        #expect(disk.usedByteCount < usedBefore - before / 2, "the files are gone too")
        #expect(content.count == 300)
        #expect(try crashContent((snapshot ?? storage.snapshot()).view, keyspaces[4]) == content)
        #expect(try storage.verify().isHealthy)
        #expect(try !storage.step())

        let reopened = try Storage.open(at: "/db", options: smallOptions(disk.crash(.syncedOnly)))
        #expect(try crashContent(reopened.snapshot().view, reopened.keyspace("k4")) == content)
        #expect(try reopened.verify().isHealthy)
    }

    @Test("a table of a few entries, all in one block, is rewritten too")
    func oneBlock() throws {
        let storage = try smallStorage()
        let keyspaces = try fill(storage, .leveled(), 1)
        #expect(storage.statistics.total.entryCount == 10)
        for number in 1..<10 { try storage.dropKeyspace("k\(number)") }
        while try storage.step() {}
        #expect(storage.statistics.total.entryCount == 1)
        #expect(try crashContent(storage.snapshot().view, keyspaces[0]).count == 1)
    }

    @Test("what is dropped counts after a new opening too, and by threads")
    func reopened() throws {
        let disk = SimulatedFileSystem()
        do {
            let storage = try smallStorage(disk)
            _ = try fill(storage, .leveled(), 100)
            for number in 0..<9 { try storage.dropKeyspace("k\(number)") }
            try storage.close()
        }
        let storage = try smallStorage(disk, SystemClock(), .threads)
        let deadline = ContinuousClock.now + .seconds(600)
        while storage.statistics.total.entryCount > 125, ContinuousClock.now < deadline { TestPause.short() }
        #expect((100...125).contains(storage.statistics.total.entryCount))
        #expect(try crashContent(storage.snapshot().view, storage.keyspace("k9")).count == 100)
        try storage.close()
    }

    @Test("less than the threshold stays until a compaction comes by, and who compacts by hand is left alone")
    func threshold() throws {
        for (dropped, compactsAutomatically) in [(1, true), (9, false)] {
            let storage = try smallStorage()
            let keyspaces = try (0..<10).map {
                try storage.keyspace(
                    "k\($0)", options: KeyspaceOptions(compactsAutomatically: compactsAutomatically))
            }
            for keyspace in keyspaces {
                try storage.write { try $0.put(keyspace, key(1).rawSpan, key(1).rawSpan) }
            }
            try storage.settle()
            for number in 0..<dropped { try storage.dropKeyspace("k\(number)") }
            while try storage.step() {}
            #expect(storage.statistics.total.entryCount == 10)
            try storage.compact()
            #expect(storage.statistics.total.entryCount == 10 - dropped)
        }
    }
}
