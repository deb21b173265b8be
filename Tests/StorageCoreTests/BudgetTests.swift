// BudgetTests.swift — one memory budget and one descriptor budget, however many keyspaces there are.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite struct BudgetTests {
    @Test("memtables share one budget: the largest is flushed, and small ones are left alone")
    func largestFirst() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.memtableByteCount = 64 << 20
        options.memoryByteBudget = 8 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspaces = try (0..<6).map {
            try storage.keyspace("\($0)", options: KeyspaceOptions(isDedicated: true))
        }
        for keyspace in keyspaces { try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) } }
        let value = [UInt8](repeating: 7, count: 1000)
        var random = SeededRandom(seed: 5)
        for number in 0..<12_000 {
            // Most go into the first two.
            let keyspace = keyspaces[Int.random(in: 0..<20, using: &random) == 0 ? 2 : number % 2]
            try storage.write { try $0.put(keyspace, bytes("key \(number)").rawSpan, value.rawSpan) }
            #expect(memtableByteCount(storage) <= storage.memory.memtables * 3 / 2 + (2 << 20))
        }
        for keyspace in keyspaces[3...] { #expect(keyspace.tree.state.levels.isEmpty, "\(keyspace.name) is small") }
        for keyspace in keyspaces[..<2] { #expect(!keyspace.tree.state.levels.isEmpty) }
    }

    private func memtableByteCount(_ storage: Storage) -> Int {
        storage.catalog.withLock { $0.persistentTrees }
            .reduce(0) { $0 + $1.state.memtables.reduce(0) { $0 + $1.byteCount } }
    }

    @Test("the shares of the budget never exceed it, and one memtable takes no more than a quarter of its share")
    func shares() {
        for budget in [0, 1 << 10, 1 << 20, 128 << 20, 512 << 20, 4 << 30] {
            for cache in [nil, 0, 1 << 20, 128 << 20, 8 << 30] {
                var options = StorageOptions()
                options.memoryByteBudget = budget
                options.blockCacheByteCount = cache
                let shares = MemoryShares(options)
                #expect(shares.tableReaders + shares.blockCache + shares.memtables == budget)
                #expect(shares.blockCache <= cache ?? budget / 4)
                let waiting = shares.memtables - shares.activeMemtables
                #expect(shares.blockCache(besideWaiting: waiting) == shares.blockCache)
                #expect(shares.blockCache(besideWaiting: 0) - shares.blockCache == (cache == nil ? waiting : 0))
                #expect(shares.memtable <= shares.memtables / 4)
                #expect(shares.activeMemtables <= shares.memtables)
            }
        }
        #expect(MemoryShares(StorageOptions()).memtable == StorageOptions().memtableByteCount)
    }

    @Test("the block cache has what is kept for memtables that wait for their flush, as long as none does")
    func lending() throws {
        for cache in [nil, 2 << 20] {
            let disk = SimulatedFileSystem()
            var options = smallOptions(disk)
            options.memtableByteCount = 1 << 20
            options.memoryByteBudget = 16 << 20
            options.blockCacheByteCount = cache
            let storage = try Storage.open(at: "/db", options: options)
            let keyspace = try storage.keyspace("k")
            var capacity: Int { storage.statistics.blockCache.byteCapacity }
            let whole = capacity
            #expect(whole == (cache ?? (4 << 20) + (5 << 20)))
            let value = [UInt8](repeating: 7, count: 1000)
            for number in 0..<2500 {
                try storage.write { try $0.put(keyspace, bytes("key \(number)").rawSpan, value.rawSpan) }
            }
            let waiting = keyspace.tree.state.immutables.reduce(0) { $0 + $1.byteCount }
            #expect(waiting > 1 << 20)
            storage.lendMemory()
            #expect(capacity == (cache ?? whole - waiting))
            while try storage.step() {}
            #expect(capacity == whole)
        }
    }

    @Test("writers wait for memory only while something is flushed, and a volatile keyspace never makes them")
    func volatileIsOutside() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.memoryByteBudget = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let scratch = try storage.keyspace("scratch", options: KeyspaceOptions(isVolatile: true))
        let kept = try storage.keyspace("kept")
        let value = [UInt8](repeating: 7, count: 10_000)
        for number in 0..<300 {
            try storage.write { try $0.put(scratch, bytes("\(number)").rawSpan, value.rawSpan) }
            try storage.write { try $0.put(kept, bytes("\(number)").rawSpan, [1].rawSpan) }
        }
        #expect(try keys(storage.snapshot().view, scratch).count == 300)
        #expect(try keys(storage.snapshot().view, kept).count == 300)
    }

    @Test("a batch larger than all memory is committed, and flushed at once")
    func hugeBatch() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.memoryByteBudget = 64 << 10
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        var batch = WriteBatch()
        for number in 0..<300 {
            try batch.put(keyspace, bytes("\(number)").rawSpan, [UInt8](repeating: 1, count: 1000).rawSpan)
        }
        try storage.commit(batch)
        while try storage.step() {}
        #expect(memtableByteCount(storage) < 16 << 10)
        #expect(try keys(storage.snapshot().view, keyspace).count == 300)
    }

    @Test("the log stays within its budget, however many idle keyspaces have something in its oldest segments")
    func logBudget() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.memtableByteCount = 1 << 20
        options.logSegmentByteCount = 8 << 10
        options.logByteBudget = 40 << 10
        let storage = try Storage.open(at: "/db", options: options)
        let idle = try (0..<40).map { try storage.keyspace("\($0)", options: KeyspaceOptions(isDedicated: true)) }
        let busy = try storage.keyspace("busy")
        for keyspace in idle { try storage.write { try $0.put(keyspace, [1].rawSpan, [1].rawSpan) } }
        for number in 0..<400 {
            let value = [UInt8](repeating: UInt8(number & 255), count: 500)
            try storage.write { try $0.put(busy, bytes("\(number)").rawSpan, value.rawSpan) }
            while try storage.step() {}
            #expect((storage.log?.byteCount ?? .max) <= 40 << 10 + 16 << 10)
        }
        #expect(try LogFiles.numbers(in: "/db/log", disk).count <= 7)
        #expect(idle.allSatisfy { $0.tree.state.levels.all.count == 1 })
        let found = disk.crash(.everything)
        let reopened = try smallStorage(found)
        for keyspace in idle {
            let again = try reopened.keyspace(keyspace.name, options: KeyspaceOptions(isDedicated: true))
            #expect(try keys(reopened.snapshot().view, again) == [[1]])
        }
    }

    @Test("cursors over more tables than there are descriptors go on, and a full log segment gives its descriptor back")
    func descriptors() throws {
        let fileSystem = CountingFileSystem()
        var options = smallOptions(fileSystem.disk)
        options.fileSystem = fileSystem
        options.descriptorBudget = 40
        options.logSegmentByteCount = 8 << 10
        options.levelZeroTableCount = 1000
        let storage = try Storage.open(at: "/db", options: options)
        let keyspaces = try (0..<60).map {
            try storage.keyspace("\($0)", options: KeyspaceOptions(isDedicated: true))
        }
        for round in UInt8(0)..<3 {
            for keyspace in keyspaces {
                let value = [UInt8](repeating: round, count: 500)
                try storage.write { try $0.put(keyspace, [round].rawSpan, value.rawSpan) }
            }
            try storage.sync()
        }
        #expect(try LogFiles.numbers(in: "/db/log", fileSystem).count > 8)
        #expect(fileSystem.counts.open < 8, "the lock is none of the counted")
        try storage.flush()
        let view = storage.snapshot().view
        for _ in 0..<2 {
            var seen = 0
            try walkTogether(view, keyspaces[...]) { seen = $0 }
            #expect(seen == 180)
        }
        #expect(fileSystem.counts.most <= 40)
    }

    /// Walks all keyspaces at the same time, one cursor inside the other.
    private func walkTogether(
        _ view: ReadView, _ keyspaces: ArraySlice<Keyspace>, _ count: Int = 0, _ end: (Int) -> Void
    ) throws {
        guard let keyspace = keyspaces.first else { return end(count) }
        var cursor = try view.cursor(keyspace)
        var count = count
        try cursor.seekToFirst()
        while cursor.isValid {
            count += 1
            try cursor.next()
        }
        try walkTogether(view, keyspaces.dropFirst(), count, end)
        // The outer cursors are still open, and still good.
        try cursor.seekToFirst()
        let isValid = cursor.isValid
        #expect(isValid)
    }
}
