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
        self.init()
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
        let memtable = Memtable()
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
        let memtable = Memtable()
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
        let memtables = (0..<4000).map { _ in Memtable() }
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
        let memtable = Memtable()
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

    /// A look-up that compared one successor and then read the next pointer again could see an insert in between: a
    /// newer version of its key, or a neighbour of it, and answer that the key is absent.
    @Test("a look-up at an old sequence finds its version while newer ones and neighbours are inserted")
    func lookUpBesideNeighbours() throws {
        let rounds = 400
        let memtable = Memtable()
        let key = bytes("shop/stock/42")
        memtable.insert(PlainEntry(key, 5, value: [7]))
        let isDone = Atomic<Bool>(false)
        let threads = TestThreads()
        for _ in 0..<2 {
            try threads.start {
                while !isDone.load(ordering: .acquiring) {
                    var found: [UInt64] = []
                    key.withUnsafeBytes { key in
                        memtable.forEachVersion(of: key, maxSequence: 5) {
                            found.append($0.sequence)
                            return true
                        }
                    }
                    let cursor = memtable.makeCursor()
                    key.withUnsafeBytes { cursor.seek(key: $0, sequence: 5) }
                    let forward = cursor.isValid ? PlainEntry(cursor.entry) : nil
                    key.withUnsafeBytes { cursor.seekBackward(key: $0, sequence: 5) }
                    let backward = cursor.isValid ? PlainEntry(cursor.entry) : nil
                    guard found == [5], forward == backward, forward?.sequence == 5 else {
                        throw ModelMismatch(description: "\(found), \(String(describing: (forward, backward)))")
                    }
                }
            }
        }
        try threads.start {
            defer { isDone.store(true, ordering: .releasing) }
            var sequence: UInt64 = 5
            for round in 0..<rounds {
                // Newer versions, keys that end inside the key, go on after it, or part from it at every byte.
                let byte = UInt8(truncatingIfNeeded: round)
                for neighbour in [key, key + [byte], Array(key.prefix(round % key.count)) + [byte, byte]] {
                    sequence += 1
                    if neighbour == key || memtable.makeCursor().lacks(neighbour) {
                        memtable.insert(PlainEntry(neighbour, sequence))
                    }
                }
            }
        }
        #expect(threads.join() == [])
        #expect(memtable.entryCount > rounds)
    }

    @Test("any version among a hundred thousand is found in a few steps, and both ways in order")
    func manyVersions() {
        let count: UInt64 = 100_000
        let memtable = Memtable()
        for sequence in 1...count { memtable.insert(PlainEntry("hot", sequence * 2)) }
        let cursor = memtable.makeCursor()
        bytes("hot").withUnsafeBytes { key in
            // A walk down the chain for each of these look-ups would take minutes.
            for step in 0..<20_000 as Range<UInt64> {
                let wanted = 2 + step * 7 % (count * 2 - 1)
                cursor.seek(key: key, sequence: wanted)
                #expect(cursor.entry.sequence == wanted / 2 * 2)
                cursor.seekBackward(key: key, sequence: wanted)
                #expect(cursor.entry.sequence == (wanted + 1) / 2 * 2)
            }
            cursor.seek(key: key, sequence: 1)
            #expect(!cursor.isValid)
            cursor.seekBackward(key: key, sequence: count * 2 + 1)
            #expect(!cursor.isValid)
        }
        cursor.seekToLast()
        #expect(cursor.entry.sequence == 2)
        cursor.previous()
        #expect(cursor.entry.sequence == 4)
    }

    @Test("versions of a key may come in any order", arguments: 1...5)
    func versionsInAnyOrder(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let inserted = (1...200).map { PlainEntry([UInt8($0 % 3)], UInt64($0)) }.shuffled(using: &random)
        let memtable = Memtable(inserted)
        #expect(try entries(MergingCursor([.memtable(memtable.makeCursor())])) == inserted.sorted(), "seed \(seed)")
        let cursor = memtable.makeCursor()
        cursor.seekToLast()
        for entry in inserted.sorted().reversed() {
            #expect(PlainEntry(cursor.entry) == entry, "seed \(seed)")
            cursor.previous()
        }
        #expect(!cursor.isValid)
    }

    @Test("a branch grows through all its sizes, and keys may be prefixes of one another")
    func everyBranchSize() throws {
        var random = SeededRandom(seed: 9)
        var inserted: [PlainEntry] = [PlainEntry([], 1)]
        for (index, byte) in (UInt8.min...UInt8.max).shuffled(using: &random).enumerated() {
            let sequence = UInt64(2 + index * 3)
            inserted.append(PlainEntry([1, byte], sequence))
            inserted.append(PlainEntry([1, byte, byte], sequence + 1))
            if byte % 2 == 0 { inserted.append(PlainEntry([byte], sequence + 2)) }
            let memtable = Memtable(inserted)
            let sorted = inserted.sorted()
            if index % 16 == 3 || index == 255 {
                #expect(try entries(MergingCursor([.memtable(memtable.makeCursor())])) == sorted)
                let cursor = memtable.makeCursor()
                for (position, entry) in sorted.enumerated() {
                    entry.key.withUnsafeBytes { cursor.seek(key: $0, sequence: entry.sequence) }
                    #expect(PlainEntry(cursor.entry) == entry)
                    cursor.previous()
                    #expect(cursor.isValid == (position > 0))
                    if position > 0 { #expect(PlainEntry(cursor.entry) == sorted[position - 1]) }
                }
            }
        }
    }
}

extension MemtableCursor {
    fileprivate func lacks(_ key: [UInt8]) -> Bool {
        key.withUnsafeBytes { seek(key: $0, sequence: .max >> 8) }
        return !isValid || PlainEntry(entry).key != key
    }
}
