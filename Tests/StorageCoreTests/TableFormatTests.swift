// TableFormatTests.swift — whole tables: properties, unusual contents, and files that must be refused.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Table files")
struct TableFormatTests {
    static func keys(_ count: Int) -> [PlainEntry] {
        (0..<count).map { number in
            let digits = String(number)
            return PlainEntry(
                "key-" + String(repeating: "0", count: 6 - digits.count) + digits, UInt64(number + 1),
                value: "value of \(number)")
        }
    }

    static func tombstone(_ lower: String, _ upper: String, _ sequence: UInt64) -> RangeTombstone {
        RangeTombstone(lower: Array(lower.utf8), upper: Array(upper.utf8), sequence: sequence)
    }

    @Test("properties state counts, sizes and bounds")
    func properties() throws {
        let entries = [
            PlainEntry(Array("a".utf8), 9, kind: .delete, expiry: 500),
            PlainEntry(Array("b".utf8), 7, kind: .merge, expiry: -3, value: [1, 2, 3]),
            PlainEntry(Array("b".utf8), 4, kind: .put, expiry: 800, value: [1]),
        ]
        let table = try BuiltTable(entries, tombstones: [Self.tombstone("aa", "b", 12), Self.tombstone("ab", "ac", 2)])
        let properties = try table.open().properties
        #expect(properties == table.properties)
        #expect(properties.entryCount == 3)
        #expect(properties.deleteCount == 1)
        #expect(properties.mergeCount == 1)
        #expect(properties.rangeTombstoneCount == 2)
        #expect(properties.rawKeyByteCount == 3)
        #expect(properties.rawValueByteCount == 4)
        #expect(properties.smallestKey == Array("a".utf8))
        #expect(properties.largestKey == Array("b".utf8))
        #expect(!properties.largestKeyIsExclusive)
        #expect(properties.smallestSequence == 2)
        #expect(properties.largestSequence == 12)
        #expect(properties.earliestExpiry == -3)
        #expect(properties.latestExpiry == 800)
        #expect(properties.fileByteCount == table.file.bytes.count)
    }

    @Test("one entry without expiry makes the latest expiry infinite")
    func latestExpiry() throws {
        let entries = [PlainEntry([1], 1, expiry: 10), PlainEntry([2], 1), PlainEntry([3], 1, expiry: 5)]
        let properties = try BuiltTable(entries).properties
        #expect(properties.earliestExpiry == 5)
        #expect(properties.latestExpiry == .max)
    }

    @Test("a range tombstone's end beyond all keys is an exclusive bound")
    func exclusiveBound() throws {
        let table = try BuiltTable([PlainEntry("m", 1)], tombstones: [Self.tombstone("c", "x", 5)])
        #expect(table.properties.smallestKey == Array("c".utf8))
        #expect(table.properties.largestKey == Array("x".utf8))
        #expect(table.properties.largestKeyIsExclusive)
        try table.open().verify()
    }

    @Test("a table without point entries still has its range tombstones")
    func onlyRangeTombstones() throws {
        let tombstones = [
            Self.tombstone("m", "z", 5), Self.tombstone("a", "c", 3), Self.tombstone("a", "b", 8),
            Self.tombstone("a", "b", 3), Self.tombstone("q", "q", 9), Self.tombstone("r", "p", 9),
        ]
        let table = try BuiltTable([], tombstones: tombstones)
        let reader = try table.open()
        #expect(
            reader.rangeTombstones == [
                Self.tombstone("a", "b", 8), Self.tombstone("a", "c", 3), Self.tombstone("m", "z", 5),
            ])
        #expect(reader.properties.entryCount == 0)
        #expect(reader.properties.rangeTombstoneCount == 3)
        #expect(reader.properties.smallestSequence == 3)
        #expect(reader.properties.latestExpiry == .max)
        #expect(try reader.entriesForwards().isEmpty)
        #expect(try reader.entriesBackwards().isEmpty)
        #expect(try reader.versions(of: Array("a".utf8)).isEmpty)
        #expect(!reader.mayContain(Array("a".utf8)))
        let cursor = reader.makeCursor()
        try cursor.seek(Array("a".utf8), 9)
        #expect(!cursor.isValid)
        try cursor.seekBackward(Array("a".utf8), 9)
        #expect(!cursor.isValid)
        try reader.verify()
    }

    @Test("a table with nothing in it opens, reads and verifies")
    func empty() throws {
        let table = try BuiltTable([])
        let reader = try table.open()
        #expect(reader.properties == table.properties)
        #expect(reader.properties.smallestKey.isEmpty)
        #expect(try reader.entriesForwards().isEmpty)
        try reader.verify()
    }

    @Test("keys of 0 to 65,535 bytes and values of megabytes come back", arguments: [TableCompression.none, .lz4])
    func sizes(_ compression: TableCompression) throws {
        var random = SeededRandom(seed: 3)
        var entries = [0, 1, 2, 100, 4095, 4096, 65_534, 65_535].map { count in
            PlainEntry(Array(repeating: 0x6B, count: count), 1, value: random.bytes(40))
        }
        entries.append(PlainEntry(Array("large".utf8), 1, value: Array(repeating: 9, count: 3_000_000)))
        entries.append(PlainEntry(Array("large, random".utf8), 1, value: random.bytes(200_000)))
        entries.append(PlainEntry(random.bytes(65_535), 1))
        entries.sort()
        let reader = try BuiltTable(entries, options: TableOptions(compression: compression)).open()
        #expect(try reader.entriesForwards() == entries)
        #expect(try reader.entriesBackwards() == entries.reversed())
        for entry in entries { #expect(try reader.versions(of: entry.key) == [entry]) }
        try reader.verify()
    }

    @Test("thousands of versions of one key span blocks and are read newest first from any sequence")
    func manyVersions() throws {
        let entries = (1...3000).reversed().map { PlainEntry("hot", UInt64($0), value: "v\($0)") }
        let neighbours = [PlainEntry("ho", 5)] + entries + [PlainEntry("hot ", 5)]
        let reader = try BuiltTable(neighbours, options: TableOptions(blockByteCount: 300)).open()
        for maxSequence in [0, 1, 17, 1500, 2999, 3000, 9000] as [UInt64] {
            let found = try reader.versions(of: Array("hot".utf8), maxSequence: maxSequence)
            #expect(found == entries.filter { $0.sequence <= maxSequence })
        }
        var visited = 0
        try Array("hot".utf8).withUnsafeBytes { key in
            try reader.forEachVersion(of: key, maxSequence: 2000) { entry in
                visited += 1
                #expect(entry.sequence == UInt64(2001 - visited))
                return visited < 3
            }
        }
        #expect(visited == 3)
        try reader.verify()
    }

    @Test("an error thrown by a visitor reaches the caller")
    func throwingVisitor() throws {
        struct Stop: Error {}
        let reader = try BuiltTable([PlainEntry("a", 1)]).open()
        #expect(throws: Stop.self) {
            try Array("a".utf8).withUnsafeBytes { key in
                try reader.forEachVersion(of: key, maxSequence: 1) { _ in throw Stop() }
            }
        }
    }

    @Test("a point read of a cached table touches the file no more, without a cache it reads the data block")
    func readCounts() throws {
        let entries = Self.keys(5000)
        let table = try BuiltTable(entries, options: TableOptions(blockByteCount: 1024))
        let cached = try table.open()
        for entry in entries { _ = try cached.versions(of: entry.key) }
        let before = table.file.readCount
        for entry in entries.prefix(1500) { #expect(try cached.versions(of: entry.key) == [entry]) }
        #expect(table.file.readCount == before)

        // A table that pins its index has read each partition once; one that does not reads partition and data.
        for (pinsIndex, readCount) in [(true, 1), (false, 2)] {
            let uncached = try table.open(cache: BlockCache(byteCapacity: 0), pinnedIndexLimit: pinsIndex ? .max : 0)
            for entry in entries.prefix(300) { _ = try uncached.versions(of: entry.key) }
            for entry in entries.prefix(300) {
                let before = table.file.readCount
                #expect(try uncached.versions(of: entry.key) == [entry])
                #expect(table.file.readCount == before + readCount)
            }
        }
    }

    @Test("a cursor that leaves the cache alone adds nothing to it")
    func uncachedCursor() throws {
        let cache = BlockCache(byteCapacity: 1 << 20)
        let reader = try BuiltTable(Self.keys(500)).open(cache: cache)
        let cursor = reader.makeCursor(fillCache: false)
        try cursor.seekToFirst()
        while cursor.isValid { try cursor.next() }
        #expect(cache.statistics.blockCount == 0)
    }

    @Test("the builder syncs the finished file")
    func synced() throws {
        let table = try BuiltTable(Self.keys(100))
        #expect(table.file.syncedBytes == table.file.bytes)
    }

    @Test("compression makes a table smaller, and never one that does not compress")
    func compressionPays() throws {
        let entries = Self.keys(3000)
        let plain = try BuiltTable(entries, options: TableOptions(compression: .none)).properties.fileByteCount
        let lz4 = try BuiltTable(entries, options: TableOptions(compression: .lz4)).properties.fileByteCount
        let zstd = try BuiltTable(entries, options: TableOptions(compression: .zstd(level: 3))).properties.fileByteCount
        #expect(lz4 < plain * 3 / 4)
        #expect(zstd < lz4)
    }

    @Test("the builder's estimate is near the size of the finished file")
    func estimate() throws {
        let file = MemoryFile()
        let builder = TableBuilder(
            file: file, path: file.path, fileNumber: 1, options: TableOptions(compression: .none))
        for entry in Self.keys(5000) { try builder.add(entry) }
        #expect(builder.entryCount == 5000)
        let estimate = builder.estimatedByteCount
        let actual = try builder.finish().fileByteCount
        #expect(abs(estimate - actual) < actual / 50)
    }

    // MARK: Refused files

    /// The table's file with the given footer in place of its own.
    static func withFooter(_ table: BuiltTable, _ change: (inout TableFooter) -> Void) throws -> MemoryFile {
        var footer = try table.open().footer
        change(&footer)
        return MemoryFile(table.file.bytes.dropLast(TableFooter.byteCount) + footer.encoded())
    }

    static func open(_ file: MemoryFile, fileNumber: UInt64 = BuiltTable.fileNumber) throws -> TableReader {
        try TableReader.open(
            file: file, path: file.path, fileNumber: fileNumber, cache: BlockCache(byteCapacity: 1 << 20))
    }

    @Test("a file of a newer version is refused as such")
    func newerVersion() throws {
        let file = try Self.withFooter(BuiltTable(Self.keys(3))) { $0.formatVersion = 2 }
        let error = #expect(throws: StorageError.self) { try Self.open(file) }
        #expect(error?.code == .unsupportedFormat)
        #expect(error?.message.contains("format version 2") == true)
        #expect(error?.location?.file == file.path)
    }

    @Test("unknown incompatible features are refused by name, unknown compatible ones ignored")
    func features() throws {
        let table = try BuiltTable(Self.keys(3))
        let encrypted = try Self.withFooter(table) { $0.incompatibleFeatures = 1 | 1 << 9 }
        let error = #expect(throws: StorageError.self) { try Self.open(encrypted) }
        #expect(error?.code == .unsupportedFormat)
        #expect(error?.message.contains("encrypted blocks, unknown feature 9") == true)
        let compatible = try Self.withFooter(table) { $0.compatibleFeatures = .max }
        #expect(try Self.open(compatible).entriesForwards() == Self.keys(3))
    }

    @Test("a table under another table's number is refused")
    func wrongNumber() throws {
        let table = try BuiltTable(Self.keys(3))
        let error = #expect(throws: StorageError.self) { try Self.open(table.file, fileNumber: 8) }
        #expect(error?.code == .corruption)
    }

    @Test("files that are cut short, or extended, are refused")
    func wrongLength() throws {
        let bytes = try BuiltTable(Self.keys(20)).file.bytes
        for count in [0, 1, 79, 80, bytes.count / 2, bytes.count - 1] {
            let error = #expect(throws: StorageError.self) { try Self.open(MemoryFile(Array(bytes.prefix(count)))) }
            #expect(error?.code == .corruption)
        }
        #expect(throws: StorageError.self) { try Self.open(MemoryFile(bytes + [0])) }
        #expect(throws: StorageError.self) { try Self.open(MemoryFile([0] + bytes)) }
    }

    @Test("an intact block in another block's place, or of another file, is noticed")
    func misdirectedBlocks() throws {
        let options = TableOptions(blockByteCount: 512, compression: .none)
        var first = Self.keys(600)
        var second = first
        for index in first.indices { first[index].value = [1, 2, 3] }
        for index in second.indices { second[index].value = [4, 5, 6] }
        let table = try BuiltTable(first, options: options)
        let blocks = try dataBlocks(table.open())
        let (one, other) = (blocks[3], blocks[4])

        var swapped = table.file.bytes
        #expect(one.byteCount == other.byteCount)
        let range = Int(one.offset)..<Int(one.offset + one.byteCount + 5)
        let source = Int(other.offset)..<Int(other.offset + other.byteCount + 5)
        swapped.replaceSubrange(range, with: table.file.bytes[source])
        #expect(throws: StorageError.self) { try Self.open(MemoryFile(swapped)).entriesForwards() }

        var foreign = table.file.bytes
        let file = MemoryFile()
        let builder = TableBuilder(
            file: file, path: file.path, fileNumber: 8, salt: 0x5A17_0000_0000_0001, options: options)
        for entry in second { try builder.add(entry) }
        _ = try builder.finish()
        foreign.replaceSubrange(range, with: file.bytes[range])
        #expect(throws: StorageError.self) { try Self.open(MemoryFile(foreign)).entriesForwards() }
    }

    private func dataBlocks(_ reader: TableReader) throws -> [BlockHandle] {
        var handles: [BlockHandle] = []
        try forEachHandle(reader.topIndex) { partition in
            try forEachHandle(reader.block(partition, fillCache: false)) { handles.append($0) }
        }
        return handles
    }

    private func forEachHandle(_ block: Block, _ visit: (BlockHandle) throws -> Void) throws {
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        try cursor.seekToFirst()
        while cursor.isValid {
            if let handle = BlockHandle(cursor.value) { try visit(handle) }
            try cursor.next()
        }
    }
}
