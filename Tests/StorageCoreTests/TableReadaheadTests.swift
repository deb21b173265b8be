// TableReadaheadTests.swift — what long walks announce of the files they read, and what short ones do not.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

@Suite struct TableReadaheadTests {
    private static let blockByteCount: UInt64 = 4 << 10

    /// The announcements of a walk over blocks that lie side by side, by the number of the block before which each is made.
    private static func announcements(
        blocks: [Int], _ direction: TableReadahead.Direction, fileByteCount: UInt64,
        _ readahead: inout TableReadahead
    ) -> [(block: Int, range: Range<UInt64>)] {
        blocks.compactMap { block in
            let start = UInt64(block) * blockByteCount
            return readahead.announcement(
                beforeReading: start..<(start + blockByteCount), direction, within: 0..<fileByteCount
            ).map { (block, $0) }
        }
    }

    @Test(
        "a walk announces from its third block on, in pieces that double up to the largest, each byte once, and in time"
    )
    func forwards() {
        var readahead = TableReadahead()
        let fileByteCount = 1000 * Self.blockByteCount
        let made = Self.announcements(
            blocks: Array(0..<1000), .forward, fileByteCount: fileByteCount, &readahead)
        #expect(made.first?.block == 2)
        #expect(made.first?.range == (8 << 10)..<(28 << 10))
        for (earlier, later) in zip(made, made.dropFirst()) {
            #expect(earlier.range.upperBound == later.range.lowerBound)
            // Asked for before it is read.
            #expect(UInt64(later.block + 1) * Self.blockByteCount <= later.range.lowerBound)
            #expect(later.range.count <= Int(TableReadahead.largestByteCount))
        }
        #expect(made.last?.range.upperBound == fileByteCount)
        // By far fewer calls than blocks.
        #expect(made.count < 30)
    }

    @Test("a walk backwards announces what lies in front")
    func backwards() {
        var readahead = TableReadahead()
        let made = Self.announcements(
            blocks: (0..<1000).reversed(), .backward, fileByteCount: 1000 * Self.blockByteCount, &readahead)
        #expect(made.first?.block == 997)
        for (earlier, later) in zip(made, made.dropFirst()) {
            #expect(earlier.range.lowerBound == later.range.upperBound)
            #expect(UInt64(later.block) * Self.blockByteCount >= later.range.upperBound)
        }
        #expect(made.last?.range.lowerBound == 0)
        #expect(made.count < 30)
    }

    @Test("after a seek or a turn a walk begins anew; in the next file it goes on with large pieces")
    func changes() {
        var readahead = TableReadahead()
        let fileByteCount = 1000 * Self.blockByteCount
        #expect(!Self.announcements(blocks: [1, 2, 3], .forward, fileByteCount: fileByteCount, &readahead).isEmpty)
        #expect(Self.announcements(blocks: [3, 2], .backward, fileByteCount: fileByteCount, &readahead).isEmpty)
        readahead.reset()
        #expect(Self.announcements(blocks: [8, 9], .backward, fileByteCount: fileByteCount, &readahead).isEmpty)
        _ = Self.announcements(blocks: Array(0..<500), .forward, fileByteCount: fileByteCount, &readahead)
        var next = readahead.continuing()
        let first = Self.announcements(blocks: [0], .forward, fileByteCount: fileByteCount, &next)
        #expect(first.first?.range == 0..<(Self.blockByteCount + TableReadahead.largestByteCount))
    }

    @Test("a walk near the end of a file announces nothing behind it", arguments: [1, 2, 3, 4] as [UInt64])
    func anyBlocks(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var readahead = TableReadahead()
        for _ in 0..<2_000 {
            let file = UInt64.random(in: 1...1 << 20, using: &random)
            let start = UInt64.random(in: 0..<file, using: &random)
            let end = UInt64.random(in: start...file, using: &random)
            if Int.random(in: 0..<8, using: &random) == 0 { readahead.reset() }
            let direction: TableReadahead.Direction =
                Int.random(in: 0..<10, using: &random) == 0 ? .backward : .forward
            guard
                let range = readahead.announcement(beforeReading: start..<end, direction, within: 0..<file)
            else { continue }
            #expect(!range.isEmpty && range.upperBound <= file, "seed \(seed)")
        }
    }

    @Test("a long scan tells the files what it will read, both ways; a cached one and a short one tell nothing")
    func scans() throws {
        let counter = CompactionReadCounter(SimulatedFileSystem())
        var options = smallOptions(SimulatedFileSystem())
        options.fileSystem = counter
        options.memtableByteCount = 1 << 20
        options.tableByteCount = 64 << 10
        options.blockCacheByteCount = 4 << 20
        options.memoryByteBudget = 64 << 20
        let entryCount = 4_000
        do {
            let storage = try Storage.open(at: "/db", options: options)
            let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
            var random = SeededRandom(seed: 7)
            for number in 0..<entryCount {
                let value = (0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }
                try storage.write { try $0.put(keyspace, Self.key(number).rawSpan, value.rawSpan) }
            }
            try storage.compact()
            try storage.close()
        }
        for backwards in [false, true] {
            let storage = try Storage.open(at: "/db", options: options)
            let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
            counter.announcedCount.store(0, ordering: .relaxed)
            // A point read opens the table, a short scan stays in a block or two.
            #expect(try storage.get(keyspace, Self.key(entryCount / 2).rawSpan) != nil)
            #expect(try Self.walk(storage, keyspace, atMost: 2, backwards: backwards) == 2)
            #expect(counter.announcedCount.load(ordering: .relaxed) == 0)
            // Of a range, what is in it.
            counter.announcedByteCount.store(0, ordering: .relaxed)
            let range = KeyRange(lower: Self.key(300), upper: Self.key(450))
            #expect(try Self.walk(storage, keyspace, range, 300..<450, backwards: backwards) == 150)
            let rangeByteCount = counter.announcedByteCount.load(ordering: .relaxed)
            #expect((1...150 * 130).contains(rangeByteCount), "\(rangeByteCount)")
            counter.announcedCount.store(0, ordering: .relaxed)
            let missesBefore = storage.statistics.blockCache.missCount
            #expect(try Self.walk(storage, keyspace, backwards: backwards) == entryCount)
            let announced = counter.announcedCount.load(ordering: .relaxed)
            let misses = storage.statistics.blockCache.missCount - missesBefore
            #expect(announced > 3 && announced < misses / 4, "\(announced) of \(misses)")
            #expect(try Self.walk(storage, keyspace, backwards: backwards) == entryCount)
            #expect(counter.announcedCount.load(ordering: .relaxed) == announced)
            try storage.close()
        }
    }

    private static func walk(
        _ storage: Storage, _ keyspace: Keyspace, _ range: KeyRange = .all, _ numbers: Range<Int> = 0..<4_000,
        atMost limit: Int = .max, backwards: Bool
    ) throws -> Int {
        var cursor = try storage.snapshot().view.cursor(keyspace, range)
        if backwards { try cursor.seekToLast() } else { try cursor.seekToFirst() }
        var count = 0
        while cursor.isValid, count < limit {
            #expect(cursor.key.array() == key(backwards ? numbers.upperBound - 1 - count : numbers.lowerBound + count))
            count += 1
            if backwards { try cursor.previous() } else { try cursor.next() }
        }
        return count
    }

    private static func key(_ number: Int) -> [UInt8] { Array("key \(1_000_000 + number)".utf8) }
}
