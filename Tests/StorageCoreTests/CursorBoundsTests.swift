// CursorBoundsTests.swift — a walk within bounds reads the blocks inside them and no others.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Bounds of table cursors")
struct CursorBoundsTests {
    @Test("a walk through a range reads no block behind it", arguments: [false, true])
    func blocks(backwards: Bool) throws {
        let seed = TestSeed.draw("bounds of cursors")
        var random = SeededRandom(seed: seed)
        let entries = (0..<2000).map { number in
            PlainEntry(
                bytes("key \(10_000 + number * 7)"), 5, value: random.bytes(Int.random(in: 0...60, using: &random)))
        }
        let table = try BuiltTable(entries, options: TableOptions(blockByteCount: 512, compression: .none))
        // Nothing cached but the index, which the table keeps once it was read.
        let reader = try table.open(cache: BlockCache(byteCapacity: 0))
        #expect(try reader.entriesForwards() == entries)
        var blocks: [Int] = []
        let whole = reader.makeCursor()
        try whole.seekToFirst()
        let start = table.file.readCount
        while whole.isValid {
            blocks.append(table.file.readCount - start)
            try whole.next()
        }
        #expect(blocks.count == entries.count && blocks[1999] > 50)

        let rangeCount = 200
        var spareCount = 0
        for _ in 0..<rangeCount {
            let first = Int.random(in: 0..<1900, using: &random)
            let last = min(first + Int.random(in: 0..<80, using: &random), 1999)
            let bounds = TreeKeyBounds(lower: entries[first].key, upper: entries[last].key + [0])
            let cursor = reader.makeCursor(bounds: bounds)
            let before = table.file.readCount
            var found: [[UInt8]] = []
            let key = backwards ? bounds.upper : bounds.lower
            try key.withUnsafeBytes {
                if backwards {
                    try cursor.seekBackward(key: $0, sequence: .max >> 8)
                } else {
                    try cursor.seek(key: $0, sequence: .max >> 8)
                }
            }
            while cursor.isValid {
                let key = Array(cursor.entry.key)
                guard !key.lexicographicallyPrecedes(bounds.lower), key.lexicographicallyPrecedes(bounds.upper) else {
                    break
                }
                found.append(key)
                if backwards { try cursor.previous() } else { try cursor.next() }
            }
            #expect(found == entries[first...last].map(\.key).inOrder(backwards))
            let readCount = table.file.readCount - before
            let neededCount = blocks[last] - blocks[first] + 1
            #expect(readCount == neededCount || readCount == neededCount + 1)
            spareCount += readCount - neededCount
        }
        // A separator may come before the bound although no key lies between: seldom.
        #expect(spareCount < rangeCount / 4)
    }
}

extension Array {
    fileprivate func inOrder(_ isReversed: Bool) -> [Element] { isReversed ? reversed() : self }
}
