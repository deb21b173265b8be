import Synchronization
import Testing

@testable import StorageCore

extension Memtable {
    func insert(_ entry: PlainEntry) {
        entry.key.withUnsafeBytes { key in
            entry.value.withUnsafeBytes { value in
                insert(
                    UnsafeEntry(
                        key: key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry, value: value))
            }
        }
    }

    convenience init(_ entries: [PlainEntry]) {
        self.init(seed: 1)
        for entry in entries { insert(entry) }
    }
}

/// Every entry that a merging cursor gives, forwards.
func entries(_ cursor: MergingCursor) throws -> [PlainEntry] {
    var found: [PlainEntry] = []
    try cursor.seekToFirst()
    while cursor.isValid {
        found.append(PlainEntry(cursor.entry))
        try cursor.next()
    }
    return found
}

@Suite struct MemtableTests {
    /// Random entries, no two of one key and sequence, in the order in which they are inserted.
    static func randomEntries(_ count: Int, _ random: inout SeededRandom) -> [PlainEntry] {
        (1...count).map { sequence in
            PlainEntry(
                ModelRun.randomKey(&random), UInt64(sequence),
                kind: [.put, .delete, .merge].randomElement(using: &random)!,
                expiry: Int64.random(in: 0...9, using: &random),
                value: random.bytes(Int.random(in: 0...20, using: &random)))
        }
    }

    @Test("an empty memtable has nothing to seek, both ways")
    func empty() {
        let memtable = Memtable(seed: 1)
        let cursor = memtable.makeCursor()
        cursor.seekToFirst()
        #expect(!cursor.isValid)
        cursor.seekToLast()
        #expect(!cursor.isValid)
        #expect(memtable.isEmpty)
        #expect(memtable.firstSequence == 0)
        #expect(memtable.rangeTombstones(atMost: .max).isEmpty)
        #expect(memtable.rangeTombstones(seenAt: [1]).isEmpty)
    }

    @Test("entries come in tree order both ways, and every seek lands where a sorted array says", arguments: 1...8)
    func order(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let inserted = Self.randomEntries(300, &random)
        let memtable = Memtable(inserted)
        let sorted = inserted.sorted()
        #expect(try entries(MergingCursor([.memtable(memtable.makeCursor())])) == sorted)
        let cursor = memtable.makeCursor()
        for _ in 0..<500 {
            let target = PlainEntry(ModelRun.randomKey(&random), UInt64.random(in: 0...310, using: &random))
            target.key.withUnsafeBytes { cursor.seek(key: $0, sequence: target.sequence) }
            var index = sorted.firstIndex { !($0 < target) }
            #expect((cursor.isValid ? PlainEntry(cursor.entry) : nil) == index.map { sorted[$0] }, "seed \(seed)")
            target.key.withUnsafeBytes { cursor.seekBackward(key: $0, sequence: target.sequence) }
            index = sorted.lastIndex { !(target < $0) }
            #expect((cursor.isValid ? PlainEntry(cursor.entry) : nil) == index.map { sorted[$0] }, "seed \(seed)")
            guard let index, index > 0 else { continue }
            cursor.previous()
            #expect(PlainEntry(cursor.entry) == sorted[index - 1])
            cursor.next()
            #expect(PlainEntry(cursor.entry) == sorted[index])
        }
    }

    @Test("the versions of a key come newest first, from the wanted sequence on")
    func versions() {
        let memtable = Memtable([
            PlainEntry("a", 1), PlainEntry("b", 2), PlainEntry("b", 4), PlainEntry("b", 9), PlainEntry("ba", 5),
        ])
        func versions(_ key: String, _ sequence: UInt64) -> [UInt64] {
            var found: [UInt64] = []
            bytes(key).withUnsafeBytes { key in
                memtable.forEachVersion(of: key, maxSequence: sequence) {
                    found.append($0.sequence)
                    return true
                }
            }
            return found
        }
        #expect(versions("b", 100) == [9, 4, 2])
        #expect(versions("b", 8) == [4, 2])
        #expect(versions("b", 1) == [])
        #expect(versions("", 100) == [])
        #expect(versions("c", 100) == [])
    }

    @Test("sequences and memory are counted, range deletes too")
    func counts() {
        let memtable = Memtable(seed: 1)
        memtable.insert(RangeTombstone(lower: [1], upper: [2], sequence: 3))
        #expect(!memtable.isEmpty)
        #expect(memtable.firstSequence == 3)
        let before = memtable.byteCount
        #expect(before > 0)
        for sequence in UInt64(4)..<100 {
            memtable.insert(RangeTombstone(lower: [1], upper: [2], sequence: sequence))
        }
        #expect(memtable.byteCount >= before * 90)
        memtable.insert(PlainEntry("a", 100))
        #expect((memtable.firstSequence, memtable.lastSequence, memtable.entryCount) == (3, 100, 1))
    }

    @Test("who sees a memtable that is not empty sees its first sequence")
    func firstSequenceBesideWriter() throws {
        let memtables = (0..<4000).map { Memtable(seed: UInt64($0)) }
        let violations = Atomic<Int>(0)
        let threads = TestThreads()
        try threads.start {
            for memtable in memtables {
                while memtable.isEmpty {}
                if memtable.firstSequence == 0 { violations.add(1, ordering: .relaxed) }
            }
        }
        try threads.start {
            for (index, memtable) in memtables.enumerated() {
                if index % 2 == 0 {
                    memtable.insert(PlainEntry("a", 7))
                } else {
                    memtable.insert(RangeTombstone(lower: [1], upper: [2], sequence: 7))
                }
            }
        }
        #expect(threads.join() == [])
        #expect(violations.load(ordering: .relaxed) == 0)
    }

    @Test("readers beside a writer find all that was published, in order")
    func readersBesideWriter() throws {
        var random = SeededRandom(seed: 3)
        let inserted = (1...3000).map { PlainEntry(random.bytes(4), UInt64($0), value: random.bytes(8)) }
        let memtable = Memtable(seed: 1)
        let published = Atomic<Int>(0)
        let threads = TestThreads()
        for reader in 0..<2 {
            try threads.start {
                var random = SeededRandom(seed: UInt64(reader))
                while published.load(ordering: .acquiring) < inserted.count {
                    let count = published.load(ordering: .acquiring)
                    guard count > 0 else { continue }
                    for _ in 0..<50 {
                        let wanted = inserted[Int.random(in: 0..<count, using: &random)]
                        let cursor = memtable.makeCursor()
                        wanted.key.withUnsafeBytes { cursor.seek(key: $0, sequence: wanted.sequence) }
                        guard cursor.isValid, PlainEntry(cursor.entry) == wanted else {
                            throw ModelMismatch(description: "\(wanted) was published and is not found")
                        }
                    }
                    let all = try entries(MergingCursor([.memtable(memtable.makeCursor())]))
                    guard all.count >= count, zip(all, all.dropFirst()).allSatisfy({ $0 < $1 }) else {
                        throw ModelMismatch(description: "\(all.count) of \(count) entries, or not in order")
                    }
                }
            }
        }
        try threads.start {
            for entry in inserted {
                memtable.insert(entry)
                published.add(1, ordering: .releasing)
            }
        }
        #expect(threads.join() == [])
    }
}
