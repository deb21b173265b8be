import StorageTypes
import Testing

@testable import StorageCore

/// Tables of one tree on a simulated disk.
private final class TableFixture {
    let disk = SimulatedFileSystem()
    let cache: TableCache
    private var number: UInt64 = 0

    init(descriptorCount: Int = 8, readerByteCapacity: Int = 1 << 20) throws {
        try disk.createDirectory("/tables")
        cache = TableCache(
            fileSystem: disk, directory: "/tables", blocks: BlockCache(byteCapacity: 1 << 16),
            descriptorCount: descriptorCount, readerByteCapacity: readerByteCapacity)
    }

    /// Cuts entries into tables of at least `tableByteCount` bytes.
    func tables(_ entries: [PlainEntry], _ tombstones: [RangeTombstone] = [], tableByteCount: Int) throws -> [TableFile]
    {
        var options = TableOptions()
        options.blockByteCount = 64
        let output = TableOutput(
            cache: cache,
            options: TableOutput.Options(splitter: OutputSplitter(tableByteCount: tableByteCount), table: options),
            tombstones: tombstones
        ) {
            self.number += 1
            return self.number
        }
        for entry in entries {
            try entry.key.withUnsafeBytes { key in
                try entry.value.withUnsafeBytes { value in
                    try output.add(
                        UnsafeEntry(
                            key: key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry, value: value))
                }
            }
        }
        return try output.finish().map { TableFile($0, cache: cache) }
    }
}

extension MergingCursor {
    fileprivate var plainEntry: PlainEntry? { isValid ? PlainEntry(entry) : nil }
}

@Suite struct CursorTests {
    @Test("several sources read as one sorted array, both ways and after every seek", arguments: 1...12)
    func merging(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let all = MemtableTests.randomEntries(300, &random)
        let fixture = try TableFixture()
        var parts: [[PlainEntry]] = Array(repeating: [], count: 4)
        for entry in all { parts[Int.random(in: 0..<4, using: &random)].append(entry) }
        let level = try fixture.tables(parts[0].sorted(), tableByteCount: 300)
        let upper = try fixture.tables(parts[1].sorted(), tableByteCount: .max)
        #expect(level.count > 3)
        #expect(zip(level, level.dropFirst()).allSatisfy { !$0.metadata.overlaps($1.metadata) })
        let cursor = MergingCursor([
            .memtable(Memtable(parts[2]).makeCursor()), .memtable(Memtable(parts[3]).makeCursor()),
            .table(try upper[0].open().makeCursor()), .level(LevelCursor(level)),
        ])
        let sorted = all.sorted()
        #expect(try entries(cursor) == sorted)
        var backwards: [PlainEntry] = []
        try cursor.seekToLast()
        while let entry = cursor.plainEntry {
            backwards.append(entry)
            try cursor.previous()
        }
        #expect(backwards == sorted.reversed())
        for _ in 0..<200 {
            let target = PlainEntry(ModelRun.randomKey(&random), UInt64.random(in: 0...310, using: &random))
            try target.key.withUnsafeBytes { try cursor.seek(key: $0, sequence: target.sequence) }
            var index = sorted.firstIndex { !($0 < target) } ?? sorted.count
            for _ in 0..<4 where cursor.isValid {
                #expect(cursor.plainEntry == sorted[index], "seed \(seed)")
                try cursor.next()
                index += 1
            }
            #expect(cursor.isValid == sorted.indices.contains(index))
            try target.key.withUnsafeBytes { try cursor.seekBackward(key: $0, sequence: target.sequence) }
            index = sorted.lastIndex { !(target < $0) } ?? -1
            for _ in 0..<4 where cursor.isValid {
                #expect(cursor.plainEntry == sorted[index], "seed \(seed)")
                try cursor.previous()
                index -= 1
            }
            #expect(cursor.isValid == sorted.indices.contains(index))
        }
    }

    @Test("a merging cursor over nothing, and a level of nothing, are never valid")
    func nothing() throws {
        for sources in [[], [EntrySource.level(LevelCursor([]))]] {
            let cursor = MergingCursor(sources)
            try cursor.seekToFirst()
            #expect(!cursor.isValid)
            try cursor.seekToLast()
            #expect(!cursor.isValid)
            try [1].withUnsafeBytes { try cursor.seek(key: $0, sequence: 1) }
            #expect(!cursor.isValid)
            try [1].withUnsafeBytes { try cursor.seekBackward(key: $0, sequence: 1) }
            #expect(!cursor.isValid)
        }
    }

    @Test("a level cursor passes over a table that holds range deletes only")
    func tableWithoutEntries() throws {
        let fixture = try TableFixture()
        let first = try fixture.tables([PlainEntry("a", 1)], tableByteCount: .max)
        let middle = try fixture.tables(
            [], [RangeTombstone(lower: bytes("b"), upper: bytes("c"), sequence: 9)], tableByteCount: .max)
        let last = try fixture.tables([PlainEntry("d", 1)], tableByteCount: .max)
        let cursor = LevelCursor(first + middle + last)
        try cursor.seekToFirst()
        try cursor.next()
        #expect(PlainEntry(cursor.entry) == PlainEntry("d", 1))
        try cursor.previous()
        #expect(PlainEntry(cursor.entry) == PlainEntry("a", 1))
        try bytes("b").withUnsafeBytes { try cursor.seek(key: $0, sequence: 5) }
        #expect(PlainEntry(cursor.entry) == PlainEntry("d", 1))
        try bytes("b").withUnsafeBytes { try cursor.seekBackward(key: $0, sequence: 5) }
        #expect(PlainEntry(cursor.entry) == PlainEntry("a", 1))
    }

    @Test(
        "outputs share no key, keep all versions of a key together, and cut range deletes where they are cut",
        arguments: 1...10)
    func output(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let all = MemtableTests.randomEntries(200, &random).sorted()
        let tombstones = RangeTombstoneSet(RangeTombstoneTests.random(6, &random)).tombstones
        let tables = try TableFixture().tables(all, tombstones, tableByteCount: 200)
        for (left, right) in zip(tables, tables.dropFirst()) {
            #expect(!left.metadata.overlaps(right.metadata), "seed \(seed)")
            #expect(compareBytes(left.metadata.smallestKey, right.metadata.smallestKey) < 0)
        }
        #expect(try entries(MergingCursor([.level(LevelCursor(tables))])) == all)
        let before = RangeTombstoneSet(tombstones)
        let after = try tables.map { try $0.rangeTombstones() }
        for _ in 0..<200 {
            let key = ModelRun.randomKey(&random)
            key.withUnsafeBytes { key in
                let found = after.flatMap { $0.sequences(covering: key) }
                #expect(found == before.sequences(covering: key), "seed \(seed), \(Array(key))")
            }
        }
    }

    @Test("a level's range deletes are read where a cursor gets to them, and agree with those of all tables")
    func levelTombstones() throws {
        let fixture = try TableFixture()
        var tables: [TableFile] = []
        for start in stride(from: 100, to: 400, by: 30) {
            let entries = (start..<start + 20).map { PlainEntry(bytes("key \($0)"), 1) }
            let tombstones = [
                RangeTombstone(lower: bytes("key \(start + 3)"), upper: bytes("key \(start + 9)"), sequence: 5),
                RangeTombstone(lower: bytes("key \(start + 7)"), upper: bytes("key \(start + 25)"), sequence: 9),
            ]
            tables += try fixture.tables(
                entries, RangeTombstoneSet(tombstones).tombstones, tableByteCount: .max)
        }
        for table in tables { table.closeReader() }
        let visible = LevelTombstones(tables, atMost: 7)
        for number in [101, 104, 108, 110, 126] {
            _ = try bytes("key \(number)").withUnsafeBytes { try visible.view(of: $0) }
        }
        #expect(tables.map(\.isOpen) == [true] + Array(repeating: false, count: 9))
        let all = RangeTombstoneSet(try tables.flatMap { try $0.rangeTombstones().tombstones })
        for sequence in [4, 7, 9] as [UInt64] {
            let level = LevelTombstones(tables, atMost: sequence)
            for number in Array(95..<410) + (95..<410).reversed() {
                try bytes("key \(number)").withUnsafeBytes { key in
                    let view = try level.view(of: key)
                    #expect(
                        view?.newestSequence(covering: key) ?? 0 == all.newestSequence(covering: key, atMost: sequence))
                    #expect(view?.cover(of: key) == all.cover(of: key, atMost: sequence))
                }
            }
        }
    }

    @Test("no more tables stay open than the budget says, and a closed one opens again")
    func openTables() throws {
        let fixture = try TableFixture(descriptorCount: 8, readerByteCapacity: 20 << 10)
        let all = (0..<400).map { PlainEntry(bytes("key \(1000 + $0)"), 1) }
        let tables = try fixture.tables(all, tableByteCount: 100)
        #expect(tables.count > 20)
        let cursor = LevelCursor(tables)
        for _ in 0..<2 {
            #expect(try entries(MergingCursor([.level(cursor)])) == all)
            #expect(fixture.cache.descriptors.heldCount <= 8)
            #expect(tables.filter(\.isOpen).count <= 20, "each takes a kibibyte at least")
        }
    }

    @Test("a table with a large index stays open, and leaves most of it to the block cache")
    func largeIndex() throws {
        let all = (0..<20_000).map { PlainEntry(bytes("key \(100_000 + $0)"), 1) }
        func byteCount(pinnedIndexLimit: Int) throws -> Int {
            let fixture = try TableFixture()
            let table = try #require(try fixture.tables(all, tableByteCount: .max).first)
            return try TableReader.open(
                file: fixture.disk.open(table.path, .read), path: table.path, fileNumber: table.number,
                cache: BlockCache(byteCapacity: 0), pinnedIndexLimit: pinnedIndexLimit
            ).memoryByteCount
        }
        let capacity = try byteCount(pinnedIndexLimit: 0) * 4 / 3 + (10 << 10)
        #expect(try byteCount(pinnedIndexLimit: .max) > capacity)
        let fixture = try TableFixture(readerByteCapacity: capacity)
        let large = try #require(try fixture.tables(all, tableByteCount: .max).first)
        let small = try fixture.tables(Array(all.prefix(60)), tableByteCount: 100).prefix(5)
        for _ in 0..<20 {
            for table in [large] + small {
                let reader = try table.open()
                let key = table.metadata.largestKey
                try key.withUnsafeBytes { key in
                    var isFound = false
                    try reader.forEachVersion(of: key, maxSequence: 1) { _ in
                        isFound = true
                        return false
                    }
                    #expect(isFound)
                }
            }
        }
        #expect(fixture.cache.tick == UInt64(1 + small.count), "each was opened once")
        #expect(fixture.cache.statistics.byteCount <= capacity)
    }

    @Test("a table that is too large for all open tables does not drive the others out")
    func oversizedTable() throws {
        let fixture = try TableFixture(readerByteCapacity: 16 << 10)
        let all = (0..<20_000).map { PlainEntry(bytes("key \(100_000 + $0)"), 1) }
        let large = try #require(try fixture.tables(all, tableByteCount: .max).first)
        let small = try fixture.tables(Array(all.prefix(60)), tableByteCount: 100).prefix(5)
        for _ in 0..<20 {
            for table in small + [large] { _ = try table.open() }
        }
        #expect(fixture.cache.tick == UInt64(small.count + 1), "each was opened once")
        #expect(fixture.cache.statistics.byteCount > 16 << 10)
        // The next one to be opened takes the place of the large one, not of the others.
        let another = try #require(try fixture.tables([PlainEntry("a", 1)], tableByteCount: .max).first)
        _ = try another.open()
        #expect(!large.isOpen && another.isOpen && small.allSatisfy(\.isOpen))
    }

    @Test("a state with other memtables keeps what was made of its tables")
    func fencesStay() throws {
        let fixture = try TableFixture()
        let tombstone = RangeTombstone(lower: bytes("b"), upper: bytes("c"), sequence: 9)
        var levels = Levels()
        for table in try fixture.tables([PlainEntry("a", 1)], [tombstone], tableByteCount: .max) {
            levels.add(table, level: 0)
        }
        let state = TreeState(memtable: Memtable(), levels: levels)
        let fences = unsafe state.fences.toOpaque()
        let tombstones = try state.rangeTombstones()
        #expect(tombstones.fragments.map(\.lower) == [bytes("b")])
        let rotated = state.replacing(memtable: Memtable(), immutables: [state.memtable])
        for same in [rotated, rotated.inheriting(state), rotated.replacing(immutables: [])] {
            #expect(unsafe same.fences.toOpaque() == fences)
            #expect(try same.rangeTombstones() === tombstones)
        }
        let emptied = state.replacing(levels: Levels())
        #expect(unsafe emptied.fences.toOpaque() != fences)
        #expect(try emptied.rangeTombstones().isEmpty)
    }

    @Test("level 0 is newest first, deeper levels are in key order, and look-ups find the table of a key")
    func levels() throws {
        let fixture = try TableFixture()
        func table(_ keys: [String], _ sequence: UInt64) throws -> TableFile {
            try fixture.tables(keys.map { PlainEntry($0, sequence) }, tableByteCount: .max)[0]
        }
        var levels = Levels()
        #expect(levels.isEmpty)
        #expect(levels.deepest == 0)
        for sequence in [3, 9, 5] as [UInt64] { levels.add(try table(["a", "z"], sequence), level: 0) }
        #expect(levels[0].map(\.metadata.largestSequence) == [9, 5, 3])
        for keys in [["m", "p"], ["a", "c"], ["x", "x!"]] { levels.add(try table(keys, 1), level: 2) }
        #expect(levels[2].map { String(decoding: $0.metadata.smallestKey, as: UTF8.self) } == ["a", "m", "x"])
        #expect(levels.deepest == 2)
        func found(_ key: String) -> [UInt8]? {
            bytes(key).withUnsafeBytes { levels.table(in: 2, containing: $0)?.metadata.smallestKey }
        }
        #expect(found("") == nil)
        #expect(found("b") == bytes("a"))
        #expect(found("d") == nil)
        #expect(found("p") == bytes("m"))
        #expect(found("x") == bytes("x"))
        #expect(found("y") == nil)
        #expect(levels.overlapping(2, lower: bytes("c"), upper: bytes("m")).count == 1)
        #expect(levels.overlapping(2, lower: bytes("c"), upper: bytes("m") + [0]).count == 2)
        #expect(levels.overlapping(2, lower: bytes("d"), upper: bytes("e")).isEmpty)
        levels.remove(numbers: Set(levels[0].map(\.number)))
        #expect(levels[0].isEmpty)
        #expect(levels.all.count == 3)
    }

    @Test("a cursor stays good while the storage goes on, and owns what it reads")
    func cursorOutlivesChanges() throws {
        let storage = try smallStorage()
        let keyspace = try storage.keyspace("k")
        for key in UInt8(0)..<100 { try storage.write { try $0.put(keyspace, [key].rawSpan, [key].rawSpan) } }
        var cursor = try storage.snapshot().view.cursor(keyspace, KeyRange(lower: [10], upper: [90]))
        try cursor.seek([50].rawSpan)
        try storage.write { try $0.deleteRange(keyspace, .all) }
        try storage.compact()
        for key in UInt8(50)..<90 {
            let found = cursor.key.array()
            #expect(found == [key])
            try cursor.next()
        }
        var isValid = cursor.isValid
        #expect(!isValid)
        try cursor.seekBackward([200].rawSpan)
        let last = cursor.key.array()
        #expect(last == [89])
        try cursor.seekBackward([9].rawSpan)
        isValid = cursor.isValid
        #expect(!isValid)
    }

    @Test("moving or reading a cursor that is not on an entry ends the process with a sentence")
    func misuse() async {
        await #expect(processExitsWith: .failure) {
            let storage = try Storage.inMemory()
            var cursor = try storage.snapshot().view.cursor(try storage.keyspace("k"))
            try cursor.next()
        }
        await #expect(processExitsWith: .failure) {
            let storage = try Storage.inMemory()
            let cursor = try storage.snapshot().view.cursor(try storage.keyspace("k"))
            _ = cursor.key.byteCount
        }
    }
}
