// TableCacheTests.swift — the block cache: bounds, eviction, scans, removal by file.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Block cache")
struct TableCacheTests {
    static func block(byteCount: Int) throws -> Block {
        try TableBlockTests.block(
            TableBlockTests.contents([PlainEntry([1], 1, value: Array(repeating: 0, count: byteCount - 16))]))
    }

    static func key(_ file: UInt64, _ number: Int) -> BlockCacheKey {
        BlockCacheKey(fileNumber: file, offset: UInt64(number * 4096))
    }

    @Test("a cached block is found under its file and offset only")
    func find() throws {
        let cache = BlockCache(byteCapacity: 1 << 20)
        let block = try Self.block(byteCount: 1000)
        #expect(cache.insert(block, Self.key(1, 1)).memory === block.memory)
        #expect(cache.block(Self.key(1, 1))?.memory === block.memory)
        #expect(cache.block(Self.key(2, 1)) == nil)
        #expect(cache.block(Self.key(1, 2)) == nil)
        #expect(cache.statistics.hitCount == 1)
        #expect(cache.statistics.missCount == 2)
    }

    @Test("of two threads that read the same block, both end up with the first one's")
    func doubleInsert() throws {
        let cache = BlockCache(byteCapacity: 1 << 20)
        let first = try Self.block(byteCount: 1000)
        let second = try Self.block(byteCount: 1000)
        #expect(cache.insert(first, Self.key(1, 1)).memory === first.memory)
        #expect(cache.insert(second, Self.key(1, 1)).memory === first.memory)
        #expect(cache.statistics.blockCount == 1)
    }

    @Test("the cache never holds more than its capacity", arguments: [0, 1000, 50_000, 1 << 20, 5 << 20])
    func bounds(byteCapacity: Int) throws {
        var random = SeededRandom(seed: UInt64(byteCapacity))
        let cache = BlockCache(byteCapacity: byteCapacity)
        for number in 0..<3000 {
            let byteCount = Int.random(in: 20...8000, using: &random)
            _ = try cache.insert(Self.block(byteCount: byteCount), Self.key(1, number))
            for _ in 0..<3 { _ = cache.block(Self.key(1, Int.random(in: 0...number, using: &random))) }
            #expect(cache.statistics.byteCount <= byteCapacity)
        }
        let statistics = cache.statistics
        if byteCapacity >= 50_000 { #expect(statistics.byteCount > byteCapacity / 2) }
        if byteCapacity == 0 { #expect(statistics.blockCount == 0) }
    }

    @Test("a cache that is made smaller keeps what is in use, and grows again")
    func resize() throws {
        let cache = BlockCache(byteCapacity: 4 << 20)
        let hot = (0..<100).map { Self.key(1, $0) }
        for key in hot { _ = try cache.insert(Self.block(byteCount: 4000), key) }
        for _ in 0..<3 { for key in hot { _ = cache.block(key) } }
        for number in 0..<800 { _ = try cache.insert(Self.block(byteCount: 4000), Self.key(2, number)) }
        #expect(cache.statistics.byteCount > 3 << 20)
        cache.resize(to: 1 << 20)
        #expect(cache.byteCapacity == 1 << 20)
        #expect(cache.statistics.byteCount <= 1 << 20)
        #expect(hot.count { cache.block($0) != nil } == hot.count)
        cache.resize(to: 4 << 20)
        for number in 1000..<1500 { _ = try cache.insert(Self.block(byteCount: 4000), Self.key(2, number)) }
        #expect(cache.statistics.byteCount > 2 << 20)
        cache.resize(to: 0)
        #expect(cache.statistics.blockCount == 0)
    }

    @Test("blocks in use survive a scan of thirty times the cache's size")
    func scanResistance() throws {
        let cache = BlockCache(byteCapacity: 900_000)
        let hot = (0..<40).map { Self.key(1, $0) }
        for key in hot { _ = try cache.insert(Self.block(byteCount: 4000), key) }
        for _ in 0..<3 { for key in hot { _ = cache.block(key) } }
        for number in 0..<8000 {
            _ = try cache.insert(Self.block(byteCount: 4000), Self.key(2, number))
            if number % 50 == 0 { for key in hot { _ = cache.block(key) } }
        }
        #expect(hot.count { cache.block($0) != nil } == hot.count)
    }

    @Test("a block that comes back soon after its eviction is kept longer")
    func ghosts() throws {
        let cache = BlockCache(byteCapacity: 200_000)
        for number in 0..<60 { _ = try cache.insert(Self.block(byteCount: 4000), Self.key(1, number)) }
        #expect(cache.block(Self.key(1, 0)) == nil)
        _ = try cache.insert(Self.block(byteCount: 4000), Self.key(1, 0))
        for number in 100..<140 { _ = try cache.insert(Self.block(byteCount: 4000), Self.key(1, number)) }
        #expect(cache.block(Self.key(1, 0)) != nil)
    }

    @Test("the blocks of a deleted file are gone, all others stay")
    func removal() throws {
        let cache = BlockCache(byteCapacity: 4 << 20)
        for number in 0..<300 {
            for file in 1...3 as ClosedRange<UInt64> {
                _ = try cache.insert(Self.block(byteCount: 1000), Self.key(file, number))
            }
        }
        cache.removeAll(fileNumber: 2)
        #expect(cache.statistics.blockCount == 600)
        for number in 0..<300 {
            #expect(cache.block(Self.key(1, number)) != nil)
            #expect(cache.block(Self.key(2, number)) == nil)
            #expect(cache.block(Self.key(3, number)) != nil)
        }
        cache.removeAll(fileNumber: 1)
        cache.removeAll(fileNumber: 3)
        #expect(cache.statistics.byteCount == 0)
    }

    @Test("random inserts, look-ups and removals agree with a dictionary of what was inserted")
    func model() throws {
        var random = SeededRandom(seed: 77)
        let cache = BlockCache(byteCapacity: 150_000)
        var inserted: [String: ObjectIdentifier] = [:]
        var alive: [Block] = []
        for _ in 0..<20_000 {
            let file = UInt64.random(in: 1...3, using: &random)
            let number = Int.random(in: 0..<100, using: &random)
            let name = "\(file)/\(number)"
            switch Int.random(in: 0..<100, using: &random) {
            case 0:
                cache.removeAll(fileNumber: file)
                inserted = inserted.filter { !$0.key.hasPrefix("\(file)/") }
            case 1..<40:
                let block = try Self.block(byteCount: Int.random(in: 20...3000, using: &random))
                alive.append(block)
                inserted[name] = ObjectIdentifier(cache.insert(block, Self.key(file, number)).memory)
            default:
                guard let found = cache.block(Self.key(file, number)) else { break }
                #expect(inserted[name] == ObjectIdentifier(found.memory), "seed 77")
            }
        }
        #expect(cache.statistics.byteCount <= 150_000)
        #expect(cache.statistics.hitCount > 1000)
    }

    @Test("reads of a table by several tasks at once agree, and share the cache")
    func concurrentReads() async throws {
        var random = SeededRandom(seed: 5)
        let model = TableModelTests.randomEntries(count: 600, &random)
        let table = try BuiltTable(model, options: TableOptions(blockByteCount: 200))
        let reader = try table.open(cache: BlockCache(byteCapacity: 10_000))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask { try reader.entriesForwards() == model && reader.entriesBackwards() == model.reversed() }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
