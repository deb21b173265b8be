// LevelCursorTests.swift — a level's tables as one source, with and without bounds, against a sorted array.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Level cursors")
struct LevelCursorTests {
    /// Entries in key order, and the tables that hold them.
    private struct Level {
        var entries: [PlainEntry]
        var files: [TableFile]
        let cache: TableCache

        /// Tables of few entries each, cut between keys; some keys have several versions, some tables a range delete that
        /// reaches beyond their entries.
        init(_ random: inout SeededRandom) throws {
            let disk = SimulatedFileSystem()
            try disk.createDirectory("/tables")
            cache = TableCache(
                fileSystem: disk, directory: "/tables", blocks: BlockCache(byteCapacity: 1 << 20), descriptorCount: 100,
                readerByteCapacity: 1 << 20)
            entries = []
            for key in 0..<Int.random(in: 1...150, using: &random) where Bool.random(using: &random) {
                for version in 0..<Int.random(in: 1...3, using: &random) {
                    let value = random.bytes(Int.random(in: 0...30, using: &random))
                    entries.append(PlainEntry(Self.key(key), UInt64(9 - version), value: value))
                }
            }
            files = []
            var number: UInt64 = 1
            var rest = entries[...]
            while !rest.isEmpty {
                var end = rest.startIndex + Int.random(in: 1...min(30, rest.count), using: &random)
                while end < rest.endIndex, entries[end].key == entries[end - 1].key { end += 1 }
                let output = TableOutput(
                    cache: cache,
                    options: TableOutput.Options(
                        splitter: OutputSplitter(tableByteCount: .max), table: TableOptions(blockByteCount: 100)),
                    tombstones: Bool.random(using: &random) ? [] : [Self.tombstone(over: entries[end - 1].key)],
                    newNumber: {
                        defer { number += 1 }
                        return number
                    })
                for entry in rest[..<end] {
                    try entry.key.withUnsafeBytes { key in
                        try entry.value.withUnsafeBytes { value in
                            try output.add(
                                UnsafeEntry(
                                    key: key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry,
                                    value: value))
                        }
                    }
                }
                files += try output.finish().map { TableFile($0, cache: cache) }
                rest = rest[end...]
            }
        }

        private static func tombstone(over key: [UInt8]) -> RangeTombstone {
            RangeTombstone(lower: key, upper: key + [0], sequence: 1)
        }

        static func key(_ number: Int) -> [UInt8] { [0, 0, 0, 1, UInt8(number)] }
    }

    private static func isBefore(_ left: ([UInt8], UInt64), _ right: ([UInt8], UInt64)) -> Bool {
        left.0 == right.0 ? left.1 > right.1 : left.0.lexicographicallyPrecedes(right.0)
    }

    private static func plain(_ cursor: LevelCursor) -> PlainEntry? {
        guard cursor.isValid else { return nil }
        let entry = cursor.entry
        return PlainEntry(
            Array(entry.key), entry.sequence, kind: entry.kind, expiry: entry.expiry, value: Array(entry.value))
    }

    @Test("walks and seeks find what a sorted array has, inside the bounds", arguments: 0..<40)
    func model(_: Int) throws {
        let seed = TestSeed.draw("level cursors")
        var random = SeededRandom(seed: seed)
        let level = try Level(&random)
        for isBounded in [false, true] {
            let lower = Int.random(in: 0..<150, using: &random)
            let upper = Int.random(in: lower...150, using: &random)
            let bounds = isBounded ? TreeKeyBounds(lower: Level.key(lower), upper: Level.key(upper)) : nil
            let cursor = LevelCursor(level.files, bounds: bounds)
            /// What the cursor has to find; outside the bounds it may be anywhere, or nowhere, but not inside.
            func check(_ expected: PlainEntry?, _ what: String) {
                func isInside(_ entry: PlainEntry?) -> Bool {
                    guard let entry else { return false }
                    guard let bounds else { return true }
                    return !entry.key.lexicographicallyPrecedes(bounds.lower)
                        && entry.key.lexicographicallyPrecedes(bounds.upper)
                }
                let found = Self.plain(cursor)
                let isRight = isInside(expected) || isInside(found) ? found == expected : true
                #expect(isRight, "seed \(seed), bounds \(lower)..<\(upper) \(isBounded), \(what)")
            }
            for _ in 0..<60 {
                // A reader seeks inside its bounds.
                let number = Int.random(in: isBounded ? lower...upper : 0...150, using: &random)
                let key = Level.key(number)
                let sequence = UInt64.random(in: 0...10, using: &random)
                let forward = Bool.random(using: &random)
                var position: Int
                if forward {
                    try key.withUnsafeBytes { try cursor.seek(key: $0, sequence: sequence) }
                    position =
                        level.entries.firstIndex {
                            !Self.isBefore(($0.key, $0.sequence), (key, sequence))
                        } ?? level.entries.count
                } else {
                    try key.withUnsafeBytes { try cursor.seekBackward(key: $0, sequence: sequence) }
                    position =
                        level.entries.lastIndex {
                            !Self.isBefore((key, sequence), ($0.key, $0.sequence))
                        } ?? -1
                }
                func expected() -> PlainEntry? {
                    level.entries.indices.contains(position) ? level.entries[position] : nil
                }
                check(expected(), "seek \(number)@\(sequence), forward \(forward)")
                // On from there, in the same direction or, if on an entry, back and forth.
                for step in 0..<Int.random(in: 0..<40, using: &random) {
                    guard cursor.isValid, Self.plain(cursor) == expected() else { break }
                    let goesOn = isBounded ? forward : Bool.random(using: &random)
                    if goesOn { try cursor.next() } else { try cursor.previous() }
                    position += goesOn ? 1 : -1
                    check(expected(), "step \(step) after \(number)@\(sequence), next \(goesOn)")
                }
            }
            guard !isBounded else { continue }
            try cursor.seekToFirst()
            for entry in level.entries {
                #expect(Self.plain(cursor) == entry, "seed \(seed)")
                try cursor.next()
            }
            #expect(!cursor.isValid)
            try cursor.seekToLast()
            for entry in level.entries.reversed() {
                #expect(Self.plain(cursor) == entry, "seed \(seed)")
                try cursor.previous()
            }
            #expect(!cursor.isValid)
        }
    }

    @Test("a level without tables has no entry, wherever it is asked")
    func empty() throws {
        let cursor = LevelCursor([])
        try cursor.seekToFirst()
        #expect(!cursor.isValid)
        try cursor.seekToLast()
        #expect(!cursor.isValid)
        try [1].withUnsafeBytes { try cursor.seek(key: $0, sequence: 1) }
        #expect(!cursor.isValid)
        try [1].withUnsafeBytes { try cursor.seekBackward(key: $0, sequence: 1) }
        #expect(!cursor.isValid)
        try cursor.next()
        try cursor.previous()
        #expect(!cursor.isValid)
    }
}
