// TableBlockTests.swift — entry blocks alone: what the builder writes, how cursor and search move, what hostile bytes do.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Entry blocks")
struct TableBlockTests {
    static let location = BlockLocation(path: "/tables/000007.sst", offset: 4096)

    static func contents(_ entries: [PlainEntry], restartInterval: Int = 16) -> [UInt8] {
        var builder = BlockBuilder(restartInterval: restartInterval)
        for entry in entries {
            entry.key.withUnsafeBytes { key in
                entry.value.withUnsafeBytes { value in
                    builder.add(
                        key: key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry, value: value)
                }
            }
        }
        return Array(builder.finish())
    }

    static func block(_ contents: [UInt8]) throws -> Block {
        let bytes = UnsafeBlockBytes(count: contents.count)
        contents.withUnsafeBytes { bytes.base.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        return try Block(bytes, location: location)
    }

    @Test("the bytes of a block are those of the format document")
    func bytes() {
        let entries = [
            PlainEntry("apple", 5, value: "red"),
            PlainEntry(Array("apply".utf8), 300, kind: .delete, expiry: 1),
            PlainEntry("b", 1, kind: .merge),
        ]
        let expected: [UInt8] =
            [0, 5, 3, 5 << 3 | 1] + Array("applered".utf8)
            + [4, 1, 0, 0xE4, 0x12, 1, 0, 0, 0, 0, 0, 0, 0] + Array("y".utf8)
            + [0, 1, 0, 1 << 3 | 2] + Array("b".utf8)
            + [0, 0, 0, 0, 26, 0, 0, 0, 2, 0, 0, 0]
        #expect(Self.contents(entries, restartInterval: 2) == expected)
    }

    @Test("an empty block has no entries and every move leaves the cursor on none")
    func empty() throws {
        let block = try Self.block(Self.contents([]))
        try block.checkLayout()
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        try cursor.seekToFirst()
        #expect(cursor.isValid == false)
        try cursor.seekToLast()
        #expect(cursor.isValid == false)
        try cursor.seekBackward(UnsafeRawBufferPointer(start: nil, count: 0), 0)
        #expect(cursor.isValid == false)
        #expect(try UnsafeBlockSearch(block, UnsafeRawBufferPointer(start: nil, count: 0), 0) == nil)
    }

    @Test("a cursor that ran off either end stays there until it is positioned again")
    func ends() throws {
        let block = try Self.block(Self.contents([PlainEntry("a", 1), PlainEntry("b", 1)]))
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        try cursor.seekToFirst()
        try cursor.previous()
        #expect(cursor.isValid == false)
        try cursor.next()
        #expect(cursor.isValid == false)
        try cursor.seekToLast()
        #expect(Array(cursor.key) == Array("b".utf8))
        try cursor.next()
        #expect(cursor.isValid == false)
    }

    @Test("blocks whose restart points cannot be are refused")
    func badRestarts() {
        let good = Self.contents([PlainEntry("a", 1), PlainEntry("b", 1)], restartInterval: 1)
        #expect(throws: StorageError.self) { try Self.block([1, 2, 3]) }
        for (offset, byte) in [(-4, 3), (-4, 0), (-1, 0xFF), (-8, 0), (-8, 200), (-12, 1)] {
            var bad = good
            bad[bad.count + offset] = UInt8(byte)
            #expect(throws: StorageError.self, "byte \(byte) at \(offset)") { try Self.block(bad) }
        }
        #expect(throws: Never.self) { try Self.block(good) }
    }

    @Test(
        "entries that reach outside, share too much or have an unknown kind are refused",
        arguments: [
            (0, 1), (1, 0xFF), (1, 100), (2, 100), (3, 1 << 3 | 3), (3, 0x80),
        ])
    func badEntry(_ offset: Int, _ byte: Int) throws {
        var bad = Self.contents([PlainEntry("a", 1, value: "v")])
        bad[offset] = UInt8(byte)
        let block = try Self.block(bad)
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        let error = #expect(throws: StorageError.self) { try cursor.seekToFirst() }
        #expect(error?.code == .corruption)
        #expect(error?.location == StorageError.Location(file: "/tables/000007.sst", offset: 4096))
        #expect(cursor.isValid == false)
    }

    @Test(
        "a cursor in a block of small and large entries moves as in a sorted array, whatever the moves",
        arguments: 1...8 as ClosedRange<UInt64>)
    func randomMoves(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<20 {
            var entries = Array(TableModelTests.randomEntries(count: 40, &random).prefix(60))
            // Where many are large, many are restart points.
            let largeShare = Int.random(in: 0...4, using: &random)
            for index in entries.indices where Int.random(in: 0..<4, using: &random) < largeShare {
                entries[index].value = random.bytes(Int.random(in: 256...1500, using: &random))
            }
            let block = try Self.block(
                Self.contents(entries, restartInterval: Int.random(in: 1...20, using: &random)))
            var cursor = UnsafeBlockCursor()
            cursor.load(block)
            var position: Int?
            for _ in 0..<300 {
                switch Int.random(in: 0..<14, using: &random) {
                case 0:
                    try cursor.seekToFirst()
                    position = 0
                case 1:
                    try cursor.seekToLast()
                    position = entries.count - 1
                case 2:
                    let target = Int.random(in: entries.indices, using: &random)
                    try entries[target].key.withUnsafeBytes { try cursor.seek($0, entries[target].sequence) }
                    position = target
                case 3:
                    let target = Int.random(in: entries.indices, using: &random)
                    try entries[target].key.withUnsafeBytes { try cursor.seekBackward($0, entries[target].sequence) }
                    position = target
                case 4...8:
                    try cursor.previous()
                    position = position.flatMap { $0 > 0 ? $0 - 1 : nil }
                default:
                    try cursor.next()
                    position = position.flatMap { $0 + 1 < entries.count ? $0 + 1 : nil }
                }
                #expect(cursor.isValid == (position != nil), "seed \(seed)")
                guard let position, cursor.isValid else { continue }
                let shown = PlainEntry(
                    Array(cursor.key), cursor.sequence, kind: cursor.kind, expiry: cursor.expiry,
                    value: Array(cursor.value))
                try #require(shown == entries[position], "seed \(seed)")
            }
        }
    }

    @Test("where a step back looks first changes nothing of what it finds", arguments: 1...4 as ClosedRange<UInt64>)
    func restartHints(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let entries = Array(TableModelTests.randomEntries(count: 60, &random).prefix(80))
        for restartInterval in [1, 2, 5, 100] {
            let view = try Self.block(Self.contents(entries, restartInterval: restartInterval)).entries
            for offset in 0...view.byteCount {
                let expected = view.restart(beforeOffset: offset)
                for hint in -1...view.restartCount {
                    #expect(view.restart(beforeOffset: offset, near: hint) == expected)
                }
            }
        }
    }

    @Test("random damage to a block never traps a cursor or a search", arguments: [1, 2, 3, 4] as [UInt64])
    func hostileBytes(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var refusals = 0
        for _ in 0..<200 {
            let entries = Array(TableModelTests.randomEntries(count: 30, &random).prefix(40))
            var bytes = Self.contents(entries, restartInterval: Int.random(in: 1...20, using: &random))
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[bytes.indices.randomElement(using: &random)!] = UInt8.random(in: 0...255, using: &random)
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                bytes = random.bytes(Int.random(in: 0...64, using: &random))
            }
            do {
                try Self.walk(Self.block(bytes), entries.randomElement(using: &random)!, &random)
            } catch let error as StorageError {
                #expect(error.code == .corruption)
                refusals += 1
            }
        }
        #expect(refusals > 50, "seed \(seed): the damage should mostly be noticed")
    }

    /// Moves in all ways; only that it ends, or throws, matters.
    private static func walk(_ block: Block, _ target: PlainEntry, _ random: inout SeededRandom) throws {
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        var failure: (any Error)?
        for _ in 0..<30 {
            do {
                switch Int.random(in: 0..<10, using: &random) {
                case 0: try cursor.seekToFirst()
                case 1: try cursor.seekToLast()
                case 2: try target.key.withUnsafeBytes { try cursor.seek($0, target.sequence) }
                case 3: try target.key.withUnsafeBytes { try cursor.seekBackward($0, target.sequence) }
                case 4...6: try cursor.previous()
                default: try cursor.next()
                }
            } catch { failure = error }
            if cursor.isValid { _ = Array(cursor.key).count + Array(cursor.value).count }
        }
        try target.key.withUnsafeBytes { key in
            guard var search = try UnsafeBlockSearch(block, key, target.sequence) else { return }
            repeat { _ = Array(search.value) } while try search.next()
        }
        if let failure { throw failure }
    }
}
