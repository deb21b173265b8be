// DictionaryTests.swift — tables whose data blocks share a zstd dictionary.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("zstd dictionaries")
struct DictionaryTests {
    private static let compression = TableCompression.zstd(level: 3, dictionaryByteCount: 2048)

    /// Small values that are alike, as documents are: names again and again, numbers between them.
    private static func value(_ number: Int, _ random: inout SeededRandom) -> [UInt8] {
        let city = ["Berlin", "Lagos", "Osaka", "Quito"].randomElement(using: &random) ?? ""
        return bytes(
            """
            {"customer":{"id":\(Int.random(in: 0..<1_000_000, using: &random)),"city":"\(city)"},"order":\(number),\
            "currency":"EUR","total":\(Int.random(in: 100..<100_000, using: &random)),"status":"confirmed"}
            """)
    }

    private static func entries(_ count: Int, seed: UInt64) -> [PlainEntry] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { number in
            PlainEntry(bytes("key \(100_000 + number)"), UInt64(number + 1), value: value(number, &random))
        }
    }

    private static func dictionary(of entries: [PlainEntry]) -> [UInt8] {
        var samples = BlockSamples()
        for entry in entries { (entry.key + entry.value).withUnsafeBytes { samples.append($0) } }
        return samples.train(byteCount: 2048)
    }

    private static func table(_ entries: [PlainEntry], dictionary: [UInt8]) throws -> BuiltTable {
        var options = TableOptions(blockByteCount: 700, compression: compression)
        options.dictionary = dictionary
        return try BuiltTable(entries, options: options)
    }

    // MARK: Tables

    @Test("a table reads with its dictionary as without, and is smaller")
    func table() throws {
        let entries = Self.entries(2000, seed: 1)
        let dictionary = Self.dictionary(of: entries)
        #expect((256...2048).contains(dictionary.count))
        let plain = try Self.table(entries, dictionary: [])
        let table = try Self.table(entries, dictionary: dictionary)
        #expect(table.properties.dataByteCount < plain.properties.dataByteCount * 3 / 4)
        #expect(table.properties.uncompressedByteCount == plain.properties.uncompressedByteCount)
        #expect(table.properties.fileByteCount < plain.properties.fileByteCount)
        let reader = try table.open()
        try reader.verify()
        #expect(reader.properties == table.properties && reader.properties.compression == Self.compression)
        #expect(reader.footer.incompatibleFeatures == TableFooter.dictionaryFeature)
        #expect(try plain.open().footer.incompatibleFeatures == 0)
        #expect(reader.memoryByteCount > dictionary.count)
        #expect(try reader.entriesForwards() == entries)
        #expect(try reader.entriesBackwards() == entries.reversed())
        for entry in entries { #expect(try reader.versions(of: entry.key) == [entry]) }
    }

    @Test("a table without entries has no dictionary")
    func noEntries() throws {
        let tombstone = RangeTombstone(lower: bytes("a"), upper: bytes("b"), sequence: 1)
        var options = TableOptions(compression: Self.compression)
        options.dictionary = Self.dictionary(of: Self.entries(500, seed: 2))
        let table = try BuiltTable([], tombstones: [tombstone], options: options)
        let reader = try table.open()
        #expect(reader.blocks.dictionary == nil && reader.rangeTombstones == [tombstone])
        try reader.verify()
    }

    @Test("a damaged dictionary, and a block whose dictionary is missing, are told with their places")
    func damage() throws {
        let entries = Self.entries(300, seed: 3)
        let table = try Self.table(entries, dictionary: Self.dictionary(of: entries))
        var reader = try table.open()
        let meta = try TableMetaIndex(reader.blocks, reader.footer.metaIndex)
        let handle = try #require(meta.dictionary)
        #expect(handle.offset == UInt64(TableHeader.byteCount))

        var blocks = reader.blocks
        blocks.dictionary = nil
        let data = BlockHandle(
            offset: handle.offset + handle.byteCount + UInt64(TableFormat.blockTrailerByteCount), byteCount: 0)
        let first = try #require(
            reader.footer.fileByteCount > data.offset
                ? (1...2000).lazy.map { BlockHandle(offset: data.offset, byteCount: $0) }.first {
                    (try? reader.blocks.readBlock($0)) != nil
                } : nil)
        let missing = #expect(throws: StorageError.self) { try blocks.readBlock(first) }
        #expect(missing?.code == .corruption && missing?.location?.offset == Int64(first.offset))
        #expect(missing?.message.contains("dictionary") == true)

        table.file.bytes[TableHeader.byteCount + 100] ^= 4
        let damaged = #expect(throws: StorageError.self) { reader = try table.open() }
        #expect(damaged?.code == .corruption && damaged?.location?.offset == Int64(handle.offset))
        // No reader that is open already looks at it again; a verification does.
        let found = #expect(throws: StorageError.self) { try reader.verify() }
        #expect(found?.location?.offset == Int64(handle.offset))
    }

    @Test("bytes that zstd has not trained are no dictionary")
    func untrained() {
        let text = bytes("these bytes would do as a raw dictionary, if only they were meant to be one")
        #expect(text.withUnsafeBytes { BlockDictionary($0) } == nil)
        #expect([UInt8]().withUnsafeBytes { BlockDictionary($0) } == nil)
        // Nothing in common, so none is made.
        var samples = BlockSamples()
        #expect(samples.train(byteCount: 2048) == [])
        [UInt8](repeating: 1, count: 3).withUnsafeBytes { samples.append($0) }
        #expect(samples.train(byteCount: 2048) == [])
        let isKept = samples.isSmaller(with: [], Self.compression)
        #expect(!isKept)
    }

    // MARK: Storages

    private static func open(_ disk: SimulatedFileSystem) throws -> Storage {
        var options = smallOptions(disk)
        options.tableByteCount = 64 << 10
        options.levelOneByteCount = 256 << 10
        options.memtableByteCount = 1 << 20
        return try Storage.open(at: "/db", options: options)
    }

    private static func fill(_ keyspace: Keyspace, of storage: Storage, _ entries: [PlainEntry]) throws {
        for part in stride(from: 0, to: entries.count, by: 500) {
            try storage.write { transaction in
                for entry in entries[part..<min(part + 500, entries.count)] {
                    try transaction.put(keyspace, entry.key.rawSpan, entry.value.rawSpan)
                }
            }
            try storage.flush()
        }
    }

    private static func expect(_ entries: [PlainEntry], in keyspace: Keyspace, of storage: Storage) throws {
        var cursor = try storage.snapshot().view.cursor(keyspace)
        try cursor.seekToFirst()
        var found: [PlainEntry] = []
        while cursor.isValid {
            found.append(PlainEntry(cursor.key.array(), UInt64(found.count + 1), value: cursor.value.array()))
            try cursor.next()
        }
        #expect(found == entries)
        #expect(try storage.verify().problems == [])
    }

    @Test("a compaction trains one for its outputs where it was asked to, and a small one does not")
    func compaction() throws {
        let disk = SimulatedFileSystem()
        var storage = try Self.open(disk)
        let asked = KeyspaceOptions(
            isDedicated: true, compression: CompressionOptions(upper: .lz4, bottom: Self.compression))
        let plain = KeyspaceOptions(
            isDedicated: true, compression: CompressionOptions(upper: .lz4, bottom: .zstd(level: 3)))
        let entries = Self.entries(3000, seed: 4)
        for (name, options) in [("asked", asked), ("plain", plain)] {
            try Self.fill(storage.keyspace(name, options: options), of: storage, entries)
        }
        try Self.fill(storage.keyspace("small", options: asked), of: storage, Array(entries.prefix(400)))
        try storage.compact()
        try storage.close()
        storage = try Self.open(disk)

        func tables(_ name: String) throws -> [TableFile] {
            try #require(storage.existingKeyspace(name)).tree.state.levels.all
        }
        #expect(try tables("asked").count > 1)
        for table in try tables("asked") {
            #expect(table.metadata.compression == Self.compression)
            #expect(try table.open().blocks.dictionary != nil)
        }
        for table in try tables("plain") + tables("small") { #expect(try table.open().blocks.dictionary == nil) }
        let sizes = try ["asked", "plain"].map { try tables($0).reduce(0) { $0 + $1.metadata.byteCount } }
        #expect(sizes[0] < sizes[1] * 9 / 10, "\(sizes)")
        for (name, count) in [("asked", 3000), ("plain", 3000), ("small", 400)] {
            let keyspace = try #require(storage.existingKeyspace(name))
            try Self.expect(Array(entries.prefix(count)), in: keyspace, of: storage)
        }
        // Nothing is left to do: what was asked for is what the tables have.
        #expect(try !storage.step())
        #expect(storage.existingKeyspace("asked")?.options.compression == asked.compression)
    }

    @Test("a dictionary that would not pay is not kept")
    func noSaving() throws {
        var random = SeededRandom(seed: 6)
        let words = (0..<40).map { _ in random.bytes(40) }
        func samples(_ wordCount: Int, _ filler: Int) -> BlockSamples {
            var samples = BlockSamples()
            for number in 0..<150 {
                let block = (0..<wordCount).flatMap { words[($0 * 7 + number) % 40] } + random.bytes(filler)
                block.withUnsafeBytes { samples.append($0) }
            }
            return samples
        }
        // Ten words of forty in each; and the same among many more bytes that no dictionary knows.
        for (filler, pays) in [(0, true), (20_000, false)] {
            let samples = samples(10, filler)
            let isKept = samples.isSmaller(with: samples.train(byteCount: 2048), Self.compression)
            #expect(isKept == pays, "\(filler)")
        }
    }

    @Test("a salvage reads what is left of a table with its dictionary", arguments: [true, false])
    func salvage(hasFooter: Bool) throws {
        let disk = SimulatedFileSystem()
        let storage = try Self.open(disk)
        let keyspace = try storage.keyspace(
            "k",
            options: KeyspaceOptions(compression: CompressionOptions(upper: Self.compression, bottom: Self.compression))
        )
        let entries = Self.entries(3000, seed: 5)
        try Self.fill(keyspace, of: storage, entries)
        try storage.compact()
        let table = try #require(keyspace.tree.state.levels.all.first)
        #expect(try table.open().blocks.dictionary != nil)
        let (number, entryCount) = (table.number, table.metadata.entryCount)
        let byteCount = Int(table.metadata.byteCount)
        try storage.close()

        let path = try #require(
            try disk.list("/db/tables").first { $0.contains("\(number).") }.map { "/db/tables/\($0)" })
        // A data block in the middle; and the footer, so that only the file's order tells which block is the dictionary.
        try disk.flipBit(path: path, bitOffset: byteCount * 4)
        if !hasFooter { try disk.flipBit(path: path, bitOffset: (byteCount - 30) * 8) }
        let report = try Storage.salvage("/db", into: "/rescued", options: smallOptions(disk))
        #expect(report.damage.count >= 1 && report.damage.allSatisfy { $0.file == path }, "\(report)")
        let rescued = try Storage.open(at: "/rescued", options: smallOptions(disk))
        let found = try #require(rescued.existingKeyspace("k"))
        #expect(try rescued.verify().problems == [])
        let view = rescued.snapshot().view
        let left = try entries.filter { try view.get(found, $0.key.rawSpan) == $0.value }
        #expect(left.count < entries.count && left.count > entries.count - entryCount / 4, "\(left.count)")
    }
}
