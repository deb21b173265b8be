// TableModelTests.swift — random tables against the simplest model: a sorted array.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Tables against a sorted array")
struct TableModelTests {
    /// Every combination of block size, restart interval, compression and filter (one, one for each index partition, none) worth telling apart.
    static let allOptions: [TableOptions] = [64, 700, 4096].flatMap { blockByteCount in
        [1, 3, 16].flatMap { restartInterval in
            [TableCompression.none, .lz4, .zstd(level: 3)].map { compression in
                TableOptions(
                    blockByteCount: blockByteCount, restartInterval: restartInterval, compression: compression,
                    filterBitsPerKey: restartInterval == 3 ? 0 : 10,
                    wholeFilterByteCount: restartInterval == 1 ? 0 : 1 << 20)
            }
        }
    }

    @Test("every read of a random table agrees with a sorted array", arguments: Array(allOptions.enumerated()))
    func randomTable(_ index: Int, _ options: TableOptions) throws {
        let seed = UInt64(1000 + index)
        var random = SeededRandom(seed: seed)
        let model = Self.randomEntries(count: 400, &random)
        let table = try BuiltTable(model, options: options)
        let reader = try table.open()
        let context: Comment = "seed \(seed), \(options)"

        #expect(try reader.entriesForwards() == model, context)
        #expect(try reader.entriesBackwards() == model.reversed(), context)
        #expect(reader.properties == table.properties, context)
        try reader.verify()
        try checkSeeks(reader, model, &random, context)
        try checkPointReads(reader, model, &random, context)
    }

    private func checkSeeks(
        _ reader: TableReader, _ model: [PlainEntry], _ random: inout SeededRandom, _ context: Comment
    ) throws {
        let cursor = reader.makeCursor()
        for _ in 0..<300 {
            let target = Self.randomTarget(model, &random)
            var position: Int
            if Bool.random(using: &random) {
                try cursor.seek(target.key, target.sequence)
                position = model.firstIndex { !($0 < target) } ?? model.count
            } else {
                try cursor.seekBackward(target.key, target.sequence)
                position = (model.lastIndex { !(target < $0) } ?? -1)
            }
            // A short walk with turns.
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let expected = model.indices.contains(position) ? model[position] : nil
                guard cursor.plainEntry == expected else {
                    Issue.record("\(context): target \(target), \(String(describing: expected)) expected")
                    return
                }
                guard expected != nil else { break }
                if Int.random(in: 0..<3, using: &random) == 0 {
                    try cursor.next()
                    position += 1
                } else {
                    try cursor.previous()
                    position -= 1
                }
            }
        }
    }

    private func checkPointReads(
        _ reader: TableReader, _ model: [PlainEntry], _ random: inout SeededRandom, _ context: Comment
    ) throws {
        for _ in 0..<300 {
            let target = Self.randomTarget(model, &random)
            let expected = model.filter { $0.key == target.key && $0.sequence <= target.sequence }
            #expect(try reader.versions(of: target.key, maxSequence: target.sequence) == expected, context)
            if !expected.isEmpty { #expect(reader.mayContain(target.key), context) }
        }
    }

    /// Keys with common prefixes, with 0xFF and 0x00 at their ends, many versions of some.
    static func randomEntries(count: Int, _ random: inout SeededRandom) -> [PlainEntry] {
        var entries: [PlainEntry] = []
        while entries.count < count {
            var key = randomKey(&random)
            if !entries.isEmpty, Bool.random(using: &random) { key = entries.randomElement(using: &random)!.key }
            let versions = Int.random(in: 0..<20, using: &random) == 0 ? 60 : Int.random(in: 1...3, using: &random)
            for _ in 0..<versions {
                let kind = EntryKind(rawValue: UInt8.random(in: 0...2, using: &random))!
                let hasExpiry = Int.random(in: 0..<4, using: &random) == 0
                let value =
                    Bool.random(using: &random)
                    ? random.bytes(Int.random(in: 0...30, using: &random))
                    : Array(repeating: 7, count: Int.random(in: 0...200, using: &random))
                entries.append(
                    PlainEntry(
                        key, UInt64.random(in: 0...TableFormat.largestSequence, using: &random), kind: kind,
                        expiry: hasExpiry ? Int64.random(in: Int64.min..<Int64.max, using: &random) : .max, value: value
                    ))
            }
        }
        return entries.sorted()
    }

    static func randomKey(_ random: inout SeededRandom) -> [UInt8] {
        let letters: [UInt8] = [0, 1, 0x61, 0x62, 0xFE, 0xFF]
        return (0..<Int.random(in: 0...9, using: &random)).map { _ in letters.randomElement(using: &random)! }
    }

    /// A present entry, or near one, or anywhere.
    static func randomTarget(_ model: [PlainEntry], _ random: inout SeededRandom) -> PlainEntry {
        var target = model.randomElement(using: &random)!
        switch Int.random(in: 0..<5, using: &random) {
        case 0: target.key = randomKey(&random)
        case 1: target.sequence = UInt64.random(in: 0...TableFormat.largestSequence, using: &random)
        case 2: target.sequence = TableFormat.largestSequence
        case 3: target.sequence = 0
        default: break
        }
        return target
    }
}
