// TableVerificationTests.swift — tables whose every checksum holds, written by a defective program: verify() names the rule
// that is broken.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Table verification")
struct TableVerificationTests {
    /// A table written block by block, with room for one mistake.
    struct ForgedTable {
        typealias DataBlock = (entries: [PlainEntry], separator: PlainEntry)

        var blocks: [DataBlock] = [
            ([PlainEntry("a", 9), PlainEntry("b", 8)], PlainEntry("c", 0)),
            ([PlainEntry("d", 9), PlainEntry("e", 5)], PlainEntry("e", 5)),
            ([PlainEntry("e", 4), PlainEntry("g", 7)], PlainEntry("h", 0)),
        ]
        /// The top-level index's name for the one partition; nil for the right one.
        var topSeparator: PlainEntry?
        var filterKeys: [String]?
        /// In place of the first block's entries.
        var firstBlockContents: [UInt8]?
        var gap: [UInt8] = []
        var changeProperties: (inout TableProperties) -> Void = { _ in }

        func open() throws -> TableReader {
            let file = MemoryFile()
            try write(file)
            return try TableFormatTests.open(file)
        }

        private func write(_ file: MemoryFile) throws {
            let header = TableHeader(fileNumber: BuiltTable.fileNumber, salt: 1)
            var writer = TableFileWriter(file: file, header: header, options: TableOptions(compression: .none))
            var properties = countedProperties()
            var partition: [PlainEntry] = []
            for (index, block) in blocks.enumerated() {
                let forged = index == 0 ? firstBlockContents : nil
                let contents = forged ?? TableBlockTests.contents(block.entries)
                let handle = try contents.withUnsafeBytes { try writer.append(block: $0, .data) }
                properties.dataByteCount += Int(handle.byteCount) + 5
                properties.uncompressedByteCount += contents.count
                partition.append(Self.indexEntry(block.separator, handle))
            }
            writer.append(raw: gap)
            let top = Self.indexEntry(
                topSeparator ?? blocks[blocks.count - 1].separator, try Self.append(partition, .indexPartition, &writer)
            )
            var names = [("index", try Self.append([top], .topLevelIndex, &writer))]
            if let filterKeys { names.insert(("filter.bloom", try appendFilter(filterKeys, &writer)), at: 0) }
            properties.fileChecksum = writer.checksum()
            changeProperties(&properties)
            let stored = properties.encoded().map { PlainEntry(Array($0.name.utf8), 0, value: $0.value) }
                .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            names.append(("properties", try Self.append(stored, .properties, &writer)))
            let meta = names.map { Self.indexEntry(PlainEntry($0.0, 0), $0.1) }
            let metaIndex = try Self.append(meta, .metaIndex, &writer)
            let footer = TableFooter(
                metaIndex: metaIndex, fileByteCount: writer.byteCount + 80, fileNumber: BuiltTable.fileNumber, salt: 1)
            writer.append(raw: footer.encoded())
            try writer.flush()
        }

        private func countedProperties() -> TableProperties {
            var properties = TableProperties()
            let entries = blocks.flatMap(\.entries)
            for entry in entries {
                properties.count(
                    kind: entry.kind, sequence: entry.sequence, expiry: entry.expiry, keyByteCount: entry.key.count,
                    valueByteCount: entry.value.count)
            }
            properties.smallestKey = entries[0].key
            properties.largestKey = entries[entries.count - 1].key
            return properties
        }

        private func appendFilter(_ keys: [String], _ writer: inout TableFileWriter) throws -> BlockHandle {
            var builder = BloomFilterBuilder(bitsPerKey: 20)
            for key in keys { Array(key.utf8).withUnsafeBytes { builder.add($0) } }
            var contents = UnsafeByteBuilder()
            builder.write(to: &contents)
            return try writer.append(block: contents.bytes, .filter)
        }

        private static func append(
            _ entries: [PlainEntry], _ kind: BlockKind, _ writer: inout TableFileWriter
        ) throws -> BlockHandle {
            let contents = TableBlockTests.contents(entries)
            return try contents.withUnsafeBytes { try writer.append(block: $0, kind) }
        }

        private static func indexEntry(_ separator: PlainEntry, _ handle: BlockHandle) -> PlainEntry {
            var bytes = ByteWriter()
            bytes.varint(handle.offset)
            bytes.varint(handle.byteCount)
            return PlainEntry(separator.key, separator.sequence, kind: separator.kind, value: bytes.bytes)
        }
    }

    private func expect(_ message: String, _ change: (inout ForgedTable) -> Void) throws {
        var table = ForgedTable()
        change(&table)
        let reader = try table.open()
        let error = #expect(throws: StorageError.self) { try reader.verify() }
        #expect(error?.code == .corruption)
        #expect(error?.message == message)
        #expect(error?.location?.file == reader.blocks.path)
    }

    @Test("a forged table without mistakes passes and reads right")
    func sound() throws {
        var table = ForgedTable()
        table.filterKeys = ["a", "b", "d", "e", "g"]
        let reader = try table.open()
        try reader.verify()
        #expect(try reader.entriesForwards() == table.blocks.flatMap(\.entries))
        #expect(try reader.versions(of: Array("e".utf8)).map(\.sequence) == [5, 4])
    }

    @Test("entries out of order across blocks are noticed")
    func order() throws {
        try expect("A block begins before the separator in front of it.") {
            $0.blocks[1].entries[0] = PlainEntry("a", 1)
        }
        // b@8, a@9, written by hand: the block builder refuses it.
        let contents: [UInt8] = [0, 1, 0, 65, 0x62, 0, 1, 0, 73, 0x61, 0, 0, 0, 0, 1, 0, 0, 0]
        try expect("Entries are out of order.") { $0.firstBlockContents = contents }
    }

    @Test("bounds of clusterings that are too narrow, and a filter that knows no groups, are noticed")
    func clusterings() throws {
        // Group "a", clustering "m".
        let key: [UInt8] = [0, 0, 0, 9] + bytes("a") + [0, 0] + bytes("tm")
        let layout = ClusteringLayout(fixedByteCount: 0, tag: UInt8(ascii: "t"))
        func table(_ change: @escaping (inout TableProperties) -> Void) -> (inout ForgedTable) -> Void {
            { table in
                table.blocks[0] = ([PlainEntry(key, 9), PlainEntry("b", 8)], PlainEntry("c", 0))
                table.changeProperties = change
            }
        }
        var bounds = ClusteringBounds(layout, hasOthers: true)
        key.withUnsafeBytes { bounds.extend(to: $0) }
        #expect(bounds.lower == UInt128(UInt8(ascii: "m")) << 120)
        var sound = ForgedTable()
        table { $0.clustering = bounds }(&sound)
        try sound.open().verify()
        // Too narrow, and without the others.
        var clustered = ClusteringBounds(layout)
        key.withUnsafeBytes { clustered.extend(to: $0) }
        for wrong in [ClusteringBounds(layout, hasOthers: true), clustered] {
            try expect("The table's properties do not match its entries.", table { $0.clustering = wrong })
        }

        // Whoever looks at "a" finds "a" alone, and of the forged keys no other has a group.
        try expect("The filter denies the group of a key that is in the table.") { forged in
            table { $0.groupOffset = 0 }(&forged)
            forged.filterKeys = [String(decoding: key, as: UTF8.self), "b", "d", "e", "g"]
        }
    }

    @Test("separators before their block's end, or at or after the next block's start, are noticed")
    func separators() throws {
        try expect("A separator lies before the end of its block.") { $0.blocks[0].separator = PlainEntry("a", 0) }
        try expect("A separator lies before the end of its block.") { $0.blocks[1].separator = PlainEntry("e", 6) }
        try expect("A block begins before the separator in front of it.") {
            $0.blocks[0].separator = PlainEntry("d", 10)
        }
        try expect("A block begins before the separator in front of it.") {
            $0.blocks[1].separator = PlainEntry("e", 4)
        }
        try expect("An index entry is out of order or not an index entry.") {
            $0.blocks[2].separator.kind = .merge
        }
        try expect("The top-level index and the end of a partition differ.") { $0.topSeparator = PlainEntry("i", 0) }
    }

    @Test("a filter that denies a present key is noticed")
    func filter() throws {
        try expect("The filter denies a key that is in the table.") { $0.filterKeys = ["a", "b", "d", "g"] }
    }

    @Test("an empty data block is noticed")
    func emptyBlock() throws {
        try expect("A data block is empty.") { $0.blocks[1] = ([], PlainEntry("d", 0)) }
    }

    @Test("bytes that belong to no block are noticed")
    func gap() throws {
        try expect("Blocks of the table overlap or leave a gap.") { $0.gap = [1, 2, 3] }
    }

    @Test("every property that does not match the entries is noticed")
    func properties() throws {
        let mistakes: [(inout TableProperties) -> Void] = [
            { $0.entryCount += 1 }, { $0.deleteCount += 1 }, { $0.mergeCount += 1 }, { $0.rangeTombstoneCount += 1 },
            { $0.rawKeyByteCount += 1 }, { $0.expiringCount += 1 },
            { $0.densestDeleteCount += 1 }, { $0.uncompressedByteCount += 1 }, { $0.rawValueByteCount += 1 },
            { $0.dataByteCount += 1 },
            { $0.smallestKey = [0] }, { $0.largestKey.append(0) }, { $0.largestKeyIsExclusive = true },
            { $0.smallestSequence = 0 }, { $0.largestSequence += 1 }, { $0.earliestExpiry = 3 },
            { $0.latestExpiry = 3 },
        ]
        for mistake in mistakes {
            try expect("The table's properties do not match its entries.") { $0.changeProperties = mistake }
        }
        try expect("The table fails the checksum over its blocks.") { $0.changeProperties = { $0.fileChecksum ^= 1 } }
    }

    @Test("a handle that leads outside is refused at opening")
    func refusedAtOpening() throws {
        let table = try BuiltTable(TableFormatTests.keys(3))
        let far = try TableFormatTests.withFooter(table) { $0.metaIndex.offset = $0.fileByteCount - 80 }
        let error = #expect(throws: StorageError.self) { try TableFormatTests.open(far) }
        #expect(error?.message == "A block handle leads outside the table.")
    }
}
