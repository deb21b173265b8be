// RangeDeleteTests.swift — what range deletes cost: their number, and what they cover, must not matter.

import StorageTypes
import Testing

@testable import StorageCore

@Suite struct RangeDeleteTests {
    // MARK: The map of a memtable

    @Test("at every sequence the history says of a key what a list of all range deletes says", arguments: 1...20)
    func naive(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var history = RangeTombstoneHistory()
        let list = RangeTombstoneTests.random(40, &random).enumerated().map { index, tombstone in
            // Some commits hold two.
            RangeTombstone(lower: tombstone.lower, upper: tombstone.upper, sequence: UInt64(index / 2 * 3 + 1))
        }
        for tombstone in list { history.insert(tombstone) }
        let snapshots = (0..<3).map { _ in UInt64.random(in: 0...60, using: &random) }.sorted()
        let flattened = RangeTombstoneSet(history.tombstones(seenAt: snapshots))
        for _ in 0..<300 {
            let key = ModelRun.randomKey(&random)
            let covering = list.filter { compareBytes($0.lower, key) <= 0 && compareBytes(key, $0.upper) < 0 }
            func expected(_ limit: UInt64) -> UInt64 { covering.map(\.sequence).filter { $0 <= limit }.max() ?? 0 }
            let limit = UInt64.random(in: 0...64, using: &random)
            key.withUnsafeBytes { key in
                let map = history.map(atMost: limit)
                #expect(map.newestSequence(covering: key) == expected(limit), "seed \(seed)")
                let cover = map.cover(of: key)
                #expect((cover?.sequence ?? 0) == expected(limit), "seed \(seed)")
                if let cover { #expect(compareBytes(cover.lower, key) <= 0 && compareBytes(cover.upper, key) > 0) }
                for snapshot in snapshots + [.max] {
                    let found = flattened.newestSequence(covering: key, atMost: snapshot)
                    #expect(found == expected(snapshot), "seed \(seed), snapshot \(snapshot)")
                }
            }
        }
    }

    @Test("a cover ends where another range delete is the newest", arguments: 1...10)
    func covers(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var map = RangeTombstoneMap()
        var priorities = SeededRandom(seed: seed)
        for sequence in UInt64(1)...30 {
            let key = ModelRun.randomKey(&random)
            map = map.inserting(
                RangeTombstone(
                    lower: key, upper: key + [UInt8.random(in: 0...255, using: &random)], sequence: sequence),
                random: &priorities)
            if sequence % 7 == 0 {
                map = map.inserting(RangeTombstone(lower: [], upper: [99], sequence: sequence), random: &priorities)
            }
            for (left, right) in zip(map.covers, map.covers.dropFirst()) {
                #expect(compareBytes(left.upper, right.lower) <= 0, "seed \(seed)")
            }
            for cover in map.covers {
                cover.lower.withUnsafeBytes { #expect(map.cover(of: $0) == cover, "seed \(seed)") }
            }
        }
    }

    @Test("ten thousand range deletes that contain one another take no more than the paths they change")
    func nested() throws {
        let memtable = Memtable()
        func key(_ number: UInt64) -> [UInt8] {
            var encoder = KeyEncoder()
            encoder.append(uint64: number)
            return encoder.bytes
        }
        let count: UInt64 = 10_000
        for number in 1...count {
            memtable.insert(RangeTombstone(lower: [], upper: key(number), sequence: number))
            let seen = key(number - 1).withUnsafeBytes {
                memtable.rangeTombstones(atMost: .max).newestSequence(covering: $0)
            }
            #expect(seen == number)
        }
        // As a list for each fragment this was fifty million sequences.
        #expect(memtable.byteCount < Int(count) * 4096 + 8192)
        let whole = memtable.rangeTombstones(seenAt: [])
        #expect(whole == [RangeTombstone(lower: [], upper: key(count), sequence: count)])
        let two = RangeTombstoneSet(memtable.rangeTombstones(seenAt: [5000]))
        #expect(two.fragments.map(\.sequences) == [[count, 5000], [count]])
    }

    @Test("ten thousand range deletes between writes and reads leave the right keys, flushed and not")
    func interleaved() throws {
        let disk = SimulatedFileSystem()
        var options = smallOptions(disk)
        options.memtableByteCount = 64 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        func key(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
        for number in 0..<10_000 {
            try storage.write { transaction in
                try transaction.deleteRange(keyspace, KeyRange(lower: key(number), upper: key(number + 2)))
                try transaction.put(keyspace, key(number), [1])
            }
            #expect(try storage.snapshot().view.contains(keyspace, key(number).rawSpan))
            if number > 0 { #expect(try !storage.snapshot().view.contains(keyspace, key(number + 1).rawSpan)) }
        }
        #expect(try keys(storage.snapshot().view, keyspace).count == 10_000)
        try storage.flush()
        #expect(try keys(storage.snapshot().view, keyspace).count == 10_000)
    }

    // MARK: Reads

    /// Fifty thousand keys, or more, in tables of two levels, and none of their blocks cached.
    fileprivate func filled(_ disk: SimulatedFileSystem, keyCount: Int = 50_000) throws -> (Storage, Keyspace) {
        var options = smallOptions(disk)
        options.memtableByteCount = (256 << 10) * keyCount / 50_000
        options.tableByteCount = (128 << 10) * keyCount / 50_000
        options.blockByteCount = 1 << 10
        options.blockCacheByteCount = 0
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        for start in stride(from: 0, to: keyCount, by: 1000) {
            try storage.write { transaction in
                for number in start..<start + 1000 {
                    try transaction.put(keyspace, Self.key(number), [UInt8](repeating: 1, count: 20))
                }
            }
        }
        try storage.settle()
        return (storage, keyspace)
    }

    fileprivate static func key(_ number: Int) -> [UInt8] {
        [UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255)]
    }

    @Test("a scan passes over what a range delete covers without reading it, both ways", arguments: [false, true])
    func scans(flushed: Bool) throws {
        let disk = SimulatedFileSystem()
        let (storage, keyspace) = try filled(disk)
        let old = storage.snapshot()
        let range = KeyRange(lower: Self.key(100), upper: Self.key(49_900))
        try storage.write { transaction in
            try transaction.deleteRange(keyspace, range)
            try transaction.put(keyspace, Self.key(25_000), [2])
        }
        if flushed { try storage.flush() }
        let view = storage.snapshot().view
        let expected = (0..<100).map(Self.key) + [Self.key(25_000)] + (49_900..<50_000).map(Self.key)
        // The tables are opened before: their indexes are no part of what a scan reads.
        _ = try keys(view, keyspace)
        let before = disk.readCount
        #expect(try keys(view, keyspace) == expected)
        let forwards = disk.readCount - before
        #expect(forwards < 60, "two thousand blocks are covered")
        var cursor = try view.cursor(keyspace)
        var found: [[UInt8]] = []
        try cursor.seekToLast()
        while cursor.isValid {
            found.append(cursor.key.array())
            try cursor.previous()
        }
        #expect(found == expected.reversed())
        #expect(disk.readCount - before - forwards < 60)
        #expect(try keys(old.view, keyspace).count == 50_000, "an older snapshot sees them all")
    }

    @Test("a point read ends at a range delete that covers its key, and opens nothing below it")
    func pointReads() throws {
        let disk = SimulatedFileSystem()
        let (storage, keyspace) = try filled(disk)
        try storage.write { try $0.deleteRange(keyspace, .all) }
        let view = storage.snapshot().view
        let before = disk.readCount
        for number in stride(from: 0, to: 50_000, by: 100) {
            #expect(try !view.contains(keyspace, Self.key(number).rawSpan))
        }
        #expect(disk.readCount == before)
        // A newer value is found, and a merge on top of nothing.
        try storage.write { try $0.put(keyspace, Self.key(7), [9]) }
        #expect(try storage.snapshot().view.get(keyspace, Self.key(7).rawSpan) == [9])
        #expect(disk.readCount == before)
    }

    @Test("dropping a keyspace, a prefix or an hour of events costs no more for a million entries than for one")
    func constantCost() throws {
        let disk = SimulatedFileSystem()
        let (storage, keyspace) = try filled(disk)
        let reads = disk.readCount
        let writes = disk.operationCount
        try storage.write { try $0.deleteRange(keyspace, .prefix([0])) }
        #expect(disk.operationCount - writes == 1, "one record of the log")
        try storage.dropKeyspace("k")
        #expect(disk.operationCount - writes < 12)
        #expect(disk.readCount == reads)
    }
}

/// At the size that a guarantee speaks of. Takes most of a minute in a debug build, so only where soaking was asked for.
@Suite("Soak: fresh tombstones", .enabled(if: Soak.duration != nil))
struct RangeDeleteSoakTests {
    @Test(
        "a scan over a million keys that were just deleted one by one walks over them"
    )
    func millionTombstones() throws {
        let count = 1_000_000
        let disk = SimulatedFileSystem()
        let (storage, keyspace) = try RangeDeleteTests().filled(disk, keyCount: count)
        for start in stride(from: 100, to: count - 100, by: 10_000) {
            try storage.write { transaction in
                for number in start..<min(start + 10_000, count - 100) where number != count / 2 {
                    try transaction.delete(keyspace, RangeDeleteTests.key(number).rawSpan)
                }
            }
        }
        let view = storage.snapshot().view
        let before = disk.readCount
        let start = ContinuousClock.now
        let expected =
            (0..<100).map(RangeDeleteTests.key) + [RangeDeleteTests.key(count / 2)]
            + (count - 100..<count).map(RangeDeleteTests.key)
        #expect(try keys(view, keyspace) == expected)
        print("a million fresh tombstones: \(ContinuousClock.now - start), \(disk.readCount - before) reads")
        try storage.write {
            try $0.deleteRange(
                keyspace, KeyRange(lower: RangeDeleteTests.key(100), upper: RangeDeleteTests.key(count - 100)))
        }
        let covered = storage.snapshot().view
        let readsBefore = disk.readCount
        #expect(try keys(covered, keyspace) == expected.filter { $0 != RangeDeleteTests.key(count / 2) })
        #expect(disk.readCount - readsBefore < 60, "the blocks are covered")
    }
}

extension WriteTransaction {
    fileprivate func put(_ keyspace: Keyspace, _ key: [UInt8], _ value: [UInt8]) throws {
        try put(keyspace, key.rawSpan, value.rawSpan)
    }
}
