// TableDirectoryTests.swift — the shortcuts of look-ups: restart directories of blocks and fences of levels, against plain
// searches.

import Testing

@testable import StorageCore

@Suite("Restart directories and fences")
struct TableDirectoryTests {
    /// Keys with long common beginnings, of all lengths, several versions each, some large enough to be restart points.
    private static func entries(_ random: inout SeededRandom) -> [PlainEntry] {
        let common = random.bytes(Int.random(in: 0...70, using: &random))
        let alphabet: [UInt8] = [0, 1, 0x61, 0xFF]
        var entries: Set<[UInt8]> = []
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            let length = Int.random(in: 0...7, using: &random)
            entries.insert(common + (0..<length).map { _ in alphabet.randomElement(using: &random)! })
        }
        let valueByteCount = [0, 40, 300].randomElement(using: &random)!
        return entries.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { key in
            (1...Int.random(in: 1...3, using: &random)).reversed().map {
                PlainEntry(key, UInt64($0) * 10, value: random.bytes(valueByteCount))
            }
        }
    }

    private static func block(_ entries: [PlainEntry], interval: Int, isSearched: Bool) throws -> Block {
        let contents = TableBlockTests.contents(entries, restartInterval: interval)
        let reserve = isSearched ? UnsafeRestartDirectory.expectedByteCount(contents: contents.count) : 0
        let bytes = UnsafeBlockBytes(count: contents.count, reserve: reserve)
        contents.withUnsafeBytes { bytes.base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        return try Block(bytes, location: TableBlockTests.location, isSearched: isSearched)
    }

    @Test("searches with a directory end where searches without one do", arguments: [1, 2, 3] as [UInt64])
    func searches(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var denseCount = 0
        for _ in 0..<60 {
            let entries = Self.entries(&random)
            let interval = [1, 4, 16].randomElement(using: &random)!
            for isSearched in [true, false] {
                let block = try Self.block(entries, interval: interval, isSearched: isSearched)
                if block.isDense { denseCount += 1 }
                for _ in 0..<40 {
                    var target = entries.randomElement(using: &random)!
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: target.key.append(contentsOf: random.bytes(2))
                    case 1: target.key = Array(target.key.dropLast(3))
                    case 2: target.key = random.bytes(Int.random(in: 0...4, using: &random))
                    default: break
                    }
                    target.sequence = UInt64.random(in: 0...35, using: &random)
                    let expected = entries.first { !($0 < target) }
                    var cursor = UnsafeBlockCursor()
                    cursor.load(block)
                    try target.key.withUnsafeBytes { key in
                        try cursor.seek(key, target.sequence)
                        #expect(cursor.isValid == (expected != nil), "seed \(seed)")
                        if let expected, cursor.isValid {
                            #expect(Array(cursor.key) == expected.key, "seed \(seed)")
                            #expect(cursor.sequence == expected.sequence, "seed \(seed)")
                        }
                        let search = try UnsafeBlockSearch(block, key, target.sequence)
                        #expect(search.map { $0.entry.sequence } == expected?.sequence, "seed \(seed)")
                        if let search, let expected {
                            #expect((search.keyOrder == 0) == (expected.key == target.key), "seed \(seed)")
                            #expect(Array(search.value) == expected.value, "seed \(seed)")
                        }
                    }
                }
            }
        }
        #expect(denseCount > 10)
    }

    @Test("fences name the table that a key may be in, and no other", arguments: [4, 5] as [UInt64])
    func fences(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let cache = TableCache(
            fileSystem: SimulatedFileSystem(), directory: "/d", blocks: BlockCache(byteCapacity: 0),
            descriptorCount: 8, readerByteCapacity: 1 << 20)
        for _ in 0..<60 {
            let common = random.bytes(Int.random(in: 0...12, using: &random))
            func key() -> [UInt8] {
                common
                    + (0..<Int.random(in: 0...10, using: &random)).map { _ in
                        [0, 1, 0xFF].randomElement(using: &random)!
                    }
            }
            let bounds = Set((0..<Int.random(in: 2...24, using: &random)).map { _ in key() })
                .sorted { $0.lexicographicallyPrecedes($1) }
            let tables = stride(from: 0, to: bounds.count - 1, by: 2).map { index in
                var properties = TableProperties()
                properties.smallestKey = bounds[index]
                properties.largestKey = bounds[index + 1]
                properties.largestKeyIsExclusive = Bool.random(using: &random)
                return TableFile(TableMetadata(number: UInt64(index + 1), properties: properties), cache: cache)
            }
            let fences = UnsafeLevelFences(tables)
            let targets = (0..<60).map { _ in key() } + bounds + [[], random.bytes(3), common + [0]]
            for target in targets {
                target.withUnsafeBytes { target in
                    let expected = tables.indices.filter { tables[$0].mayHold(target) }
                    let number = fences.number(of: target)
                    #expect(number.flatMap { fences.index(holding: target, $0) } == expected.first, "seed \(seed)")
                    let found = tables.indices.filter { index in
                        number.map { fences.mayHold(index, target, $0) } ?? false
                    }
                    #expect(found == expected, "seed \(seed)")
                }
            }
        }
    }
}
