// TableFilterTests.swift — hash and Bloom filter.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Table filters")
struct TableFilterTests {
    static func filter(_ keys: [[UInt8]], bitsPerKey: Int) throws -> UnsafeBloomFilter {
        var builder = BloomFilterBuilder(bitsPerKey: bitsPerKey)
        for key in keys { key.withUnsafeBytes { builder.add($0) } }
        var output = UnsafeByteBuilder()
        builder.write(to: &output)
        #expect(output.count == builder.byteCount)
        return try filter(Array(output.bytes))
    }

    static func filter(_ contents: [UInt8]) throws -> UnsafeBloomFilter {
        let bytes = UnsafeBlockBytes(count: contents.count)
        contents.withUnsafeBytes { source in
            if let base = source.baseAddress { bytes.base.copyMemory(from: base, byteCount: source.count) }
        }
        return try UnsafeBloomFilter(bytes, location: TableBlockTests.location)
    }

    static func key(_ number: Int) -> [UInt8] { Array("user:\(number)".utf8) }

    @Test(
        "the hash is XXH64",
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64)])
    func hash(_ text: String, _ expected: UInt64) {
        #expect(Array(text.utf8).withUnsafeBytes { xxHash64($0) } == expected)
    }

    @Test("every key that was added may be contained", arguments: [1, 10, 20])
    func noFalseNegatives(bitsPerKey: Int) throws {
        let filter = try Self.filter((0..<5000).map(Self.key), bitsPerKey: bitsPerKey)
        for number in 0..<5000 {
            #expect(Self.key(number).withUnsafeBytes { filter.mayContain($0) })
        }
    }

    @Test("absent keys pass about as rarely as the bits allow", arguments: [(5, 0.16), (10, 0.016), (16, 0.003)])
    func falsePositives(bitsPerKey: Int, limit: Double) throws {
        let filter = try Self.filter((0..<10_000).map(Self.key), bitsPerKey: bitsPerKey)
        let passed = (10_000..<40_000).count { number in Self.key(number).withUnsafeBytes { filter.mayContain($0) } }
        #expect(Double(passed) / 30_000 < limit)
        #expect(passed > 0 || bitsPerKey > 10)
    }

    @Test("filters of impossible shape are refused")
    func shapes() throws {
        var good = [UInt8](repeating: 0xFF, count: 128) + [2, 0, 0, 0, 7, 0, 0, 0]
        #expect(throws: Never.self) { try Self.filter(good) }
        #expect(throws: StorageError.self) { try Self.filter([]) }
        #expect(throws: StorageError.self) { try Self.filter(Array(good.dropFirst())) }
        good[128] = 3
        #expect(throws: StorageError.self) { try Self.filter(good) }
        good[128] = 2
        for (offset, byte) in [(132, 0), (132, 17), (133, 1), (135, 1)] {
            var bad = good
            bad[offset] = UInt8(byte)
            #expect(throws: StorageError.self) { try Self.filter(bad) }
        }
    }

    // MARK: Filters of index partitions

    private static func partitioned(
        _ entries: [PlainEntry], wholeFilterByteCount: Int = 1024
    ) throws -> (table: BuiltTable, reader: TableReader) {
        let table = try BuiltTable(
            entries,
            options: TableOptions(blockByteCount: 512, compression: .none, wholeFilterByteCount: wholeFilterByteCount))
        return (table, try table.open())
    }

    @Test("a large table keeps no filter in memory; each look-up asks that of one partition")
    func partitions() throws {
        let entries = TableFormatTests.keys(4000)
        let (table, reader) = try Self.partitioned(entries)
        #expect(reader.filter == nil)
        #expect(reader.filterPartitions.count > 5)
        let whole = try BuiltTable(entries, options: TableOptions(blockByteCount: 512, compression: .none)).open()
        #expect(whole.filter != nil && whole.filterPartitions.isEmpty)
        let start = try table.open(cache: BlockCache(byteCapacity: 0)).memoryByteCount
        #expect(start < whole.memoryByteCount)
        for entry in entries { #expect(try reader.versions(of: entry.key) == [entry]) }
        try reader.verify()

        // Absent keys: a filter and at the rate of the filters' errors an index partition and a data block.
        let before = table.file.readCount
        let uncached = try table.open(cache: BlockCache(byteCapacity: 0))
        let opening = table.file.readCount - before
        for number in 0..<1000 { #expect(try uncached.versions(of: Array("key-\(100_000 + number)x".utf8)).isEmpty) }
        #expect(table.file.readCount - before - opening < 1100)
    }

    @Test("a key whose versions lie in several partitions is found in each of them")
    func splitKey() throws {
        let versions = (1...3000).reversed().map { PlainEntry("hot", UInt64($0), value: "v\($0)") }
        let (_, reader) = try Self.partitioned(
            [PlainEntry("a", 1)] + versions + [PlainEntry("z", 1)], wholeFilterByteCount: 0)
        #expect(reader.filterPartitions.count > 1)
        for sequence in stride(from: 1, through: 3000, by: 7) {
            #expect(
                try reader.versions(of: Array("hot".utf8), maxSequence: UInt64(sequence)).first
                    == versions[3000 - sequence])
        }
        #expect(try reader.versions(of: Array("hot".utf8)) == versions)
        try reader.verify()
    }

    @Test("a builder of a large table keeps the hashes of a few keys, and the table's filters deny none of its keys")
    func hashesKept() throws {
        var builder = BloomFilterBuilder(bitsPerKey: 10)
        for number in 0..<1000 {
            Self.key(number).withUnsafeBytes { builder.add($0) }
            if number % 100 == 99 { builder.endPartition() }
            if number == 499 { builder.removePartitions() }
        }
        #expect(builder.hashes.count == 500 && builder.partitionCount == 5)
        #expect(builder.byteCount > 1250 && builder.remainingByteCount < 700)
        var contents = UnsafeByteBuilder()
        builder.write(partition: 4, to: &contents)
        let filter = try Self.filter(Array(contents.bytes))
        #expect((900..<1000).allSatisfy { Self.key($0).withUnsafeBytes { filter.mayContain($0) } })
        builder.removePartitions()
        #expect(builder.hashes.isEmpty && builder.isPartitionEmpty && !builder.isEmpty)

        let file = MemoryFile()
        var assembly = TableAssembly(
            file: file, path: file.path, fileNumber: BuiltTable.fileNumber, salt: 1,
            options: TableOptions(blockByteCount: 512, compression: .none, wholeFilterByteCount: 1024))
        let entries = TableFormatTests.keys(20_000)
        var mostHashes = 0
        for entry in entries {
            try entry.key.withUnsafeBytes { key in
                try entry.value.withUnsafeBytes { value in
                    try assembly.add(
                        key: key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry, value: value)
                }
            }
            mostHashes = max(mostHashes, assembly.filter.hashes.count)
        }
        _ = try assembly.finish(origin: nil, commitTimes: .unknown)
        // Those of a filter of 1024 bytes, or of one index partition.
        #expect(mostHashes < 2000)
        let reader = try TableReader.open(
            file: file, path: file.path, fileNumber: BuiltTable.fileNumber, cache: BlockCache(byteCapacity: 1 << 20))
        #expect(reader.filterPartitions.count > 20 && reader.filterPartitions.count == reader.topIndex.restartCount)
        for entry in entries { #expect(try reader.versions(of: entry.key) == [entry]) }
        try reader.verify()
    }

    @Test("a table without a filter has none for its partitions either")
    func none() throws {
        let options = TableOptions(blockByteCount: 512, filterBitsPerKey: 0, wholeFilterByteCount: 0)
        let reader = try BuiltTable(TableFormatTests.keys(2000), options: options).open()
        #expect(reader.filter == nil && reader.filterPartitions.isEmpty)
        #expect(try reader.versions(of: TableFormatTests.keys(2000)[1000].key).count == 1)
    }
}
