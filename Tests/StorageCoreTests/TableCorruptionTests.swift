// TableCorruptionTests.swift — damaged tables are noticed: never a trap, never a wrong answer.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Damaged tables")
struct TableCorruptionTests {
    /// A small table with every kind of block: several data blocks and partitions, filter, range tombstones.
    static func smallTable(_ compression: TableCompression) throws -> (table: BuiltTable, entries: [PlainEntry]) {
        let entries = (0..<24).map(smallEntry)
        let tombstones = [TableFormatTests.tombstone("b", "d", 3), TableFormatTests.tombstone("c", "e", 4)]
        let options = TableOptions(blockByteCount: 96, restartInterval: 4, compression: compression)
        return try (BuiltTable(entries, tombstones: tombstones, options: options), entries)
    }

    private static func smallEntry(_ number: Int) -> PlainEntry {
        let key: [UInt8] = [0, 0, 0, 1, UInt8(number / 3)]
        let kind = number % 5 == 0 ? EntryKind.delete : .put
        let expiry = number % 4 == 0 ? Int64(1000) : .max
        let value = [UInt8](repeating: UInt8(number), count: 12)
        return PlainEntry(key, UInt64(100 - number), kind: kind, expiry: expiry, value: value)
    }

    /// Opens and reads everything. True if the damage was noticed; whatever is answered otherwise has to be right.
    static func isNoticed(_ bytes: [UInt8], entries: [PlainEntry], tombstones: [RangeTombstone]) -> Bool {
        do {
            let reader = try TableFormatTests.open(MemoryFile(bytes))
            #expect(reader.rangeTombstones == tombstones)
            #expect(try reader.entriesForwards() == entries)
            #expect(try reader.entriesBackwards() == entries.reversed())
            for entry in entries {
                #expect(try reader.versions(of: entry.key, maxSequence: entry.sequence).first == entry)
            }
            return false
        } catch {
            return (error as? StorageError)?.code == .corruption
        }
    }

    @Test(
        "verify() notices every flipped bit of a file",
        arguments: [
            TableCompression.none, .lz4, .zstd(level: 3),
        ])
    func everyBit(_ compression: TableCompression) throws {
        let (table, entries) = try Self.smallTable(compression)
        let reader = try table.open()
        try reader.verify()
        var bytes = table.file.bytes
        var unnoticed: [Int] = []
        for bit in 0..<(bytes.count * 8) {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            table.file.bytes = bytes
            do {
                // The reader that is open already, so that each bit is met by the checks of verify() itself.
                try reader.verify()
                unnoticed.append(bit)
            } catch let error as StorageError {
                #expect(error.code == .corruption && error.location?.file == table.file.path)
            }
            // Now and then everything else too: opening and all reads.
            if bit % 29 == 0 { _ = Self.isNoticed(bytes, entries: entries, tombstones: reader.rangeTombstones) }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        #expect(unnoticed.isEmpty)
    }

    @Test("random damage to larger tables is noticed or changes no answer", arguments: 1...6)
    func randomDamage(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let entries = TableModelTests.randomEntries(count: 300, &random)
        let tombstones = [TableFormatTests.tombstone("b", "d", 3)]
        let options = TableModelTests.allOptions.randomElement(using: &random)!
        let table = try BuiltTable(entries, tombstones: tombstones, options: options)
        for _ in 0..<25 {
            var bytes = table.file.bytes
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let offset = bytes.indices.randomElement(using: &random)!
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[offset] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: offset)
                case 2: bytes.remove(at: offset)
                default:
                    let count = min(bytes.count - offset, 512)
                    bytes.replaceSubrange(offset..<(offset + count), with: Array(repeating: 0, count: count))
                }
            }
            guard bytes != table.file.bytes else { continue }
            _ = Self.isNoticed(bytes, entries: entries, tombstones: tombstones)
            let error = #expect(throws: StorageError.self, "seed \(seed), \(options)") {
                try TableFormatTests.open(MemoryFile(bytes)).verify()
            }
            #expect(error?.code == .corruption)
        }
    }

    /// Damage that carries right checksums, as a defective program would write it: reads may not trap, whatever they
    /// answer, and verify() notices.
    @Test("damage under valid block checksums never traps, and verify() notices it", arguments: 1...6)
    func damageUnderChecksums(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(100 + seed))
        let (table, _) = try Self.smallTable(seed % 2 == 0 ? .none : .lz4)
        let original = table.file.bytes
        let handles = try Self.allBlocks(table.open())
        let footer = try table.open().footer
        let properties = try TableMetaIndex(table.open().blocks, footer.metaIndex).properties
        for _ in 0..<150 {
            let handle = handles.randomElement(using: &random)!
            var bytes = original
            let range = Int(handle.offset)..<(Int(handle.offset + handle.byteCount) + 1)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[range.randomElement(using: &random)!] = UInt8.random(in: 0...255, using: &random)
            }
            guard bytes != original else { continue }
            Self.repairChecksum(of: handle, in: &bytes, footer)
            _ = try? Self.readEverything(TableFormatTests.open(MemoryFile(bytes)))
            // The properties block can't hold a checksum over itself.
            guard handle.offset < properties.offset else { continue }
            let error = #expect(throws: StorageError.self, "seed \(seed), block at \(handle.offset)") {
                try TableFormatTests.open(MemoryFile(bytes)).verify()
            }
            #expect(error?.code == .corruption)
        }
    }

    @Test("footers of any content under a valid checksum never trap", arguments: 1...3)
    func footers(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let (table, _) = try Self.smallTable(.none)
        let numbers: [UInt64] = [0, 1, 5, 80, 1 << 20, 1 << 31, 1 << 32, 1 << 62, 1 << 63, .max, .max - 4, .max - 5]
        for _ in 0..<300 {
            let file = try TableFormatTests.withFooter(table) { footer in
                footer.metaIndex.offset = numbers.randomElement(using: &random)!
                if Bool.random(using: &random) { footer.metaIndex.byteCount = numbers.randomElement(using: &random)! }
                if Int.random(in: 0..<9, using: &random) == 0 {
                    footer.fileByteCount = numbers.randomElement(using: &random)!
                }
            }
            #expect(throws: StorageError.self) { try TableFormatTests.open(file) }
        }
    }

    /// Every block but the meta index.
    private static func allBlocks(_ reader: TableReader) throws -> [BlockHandle] {
        let meta = try TableMetaIndex(reader.blocks, reader.footer.metaIndex)
        var handles = meta.allBlocks
        try forEachHandle(reader.topIndex) { partition in
            handles.append(partition)
            try forEachHandle(reader.block(partition, fillCache: false)) { handles.append($0) }
        }
        return handles.sorted { $0.offset < $1.offset }
    }

    private static func forEachHandle(_ block: Block, _ visit: (BlockHandle) throws -> Void) throws {
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        try cursor.seekToFirst()
        while cursor.isValid {
            if let handle = BlockHandle(cursor.value) { try visit(handle) }
            try cursor.next()
        }
    }

    private static func repairChecksum(of handle: BlockHandle, in bytes: inout [UInt8], _ footer: TableFooter) {
        let seed = blockChecksumSeed(
            tableChecksumSeed(salt: footer.salt, fileNumber: footer.fileNumber), offset: handle.offset)
        let end = Int(handle.offset + handle.byteCount) + 1
        var writer = ByteWriter()
        writer.u32(maskedChecksum(crc32c(seed, Array(bytes[Int(handle.offset)..<end]))))
        bytes.replaceSubrange(end..<(end + 4), with: writer.bytes)
    }

    /// CRC-32C bit by bit: the definition, for comparison.
    private static func crc32c(_ seed: UInt32, _ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~seed) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
    }

    private static func readEverything(_ reader: TableReader) throws {
        _ = try? reader.entriesForwards()
        _ = try? reader.entriesBackwards()
        for byte in UInt8.min...9 { _ = try? reader.versions(of: [0, 0, 0, 1, byte]) }
        let cursor = reader.makeCursor()
        for sequence in 0..<30 as Range<UInt64> {
            _ = try? cursor.seek([0, 0, 0, 1, UInt8(sequence)], sequence)
            _ = try? cursor.previous()
            _ = try? cursor.seekBackward([0, 0, 0, 1, UInt8(sequence)], sequence)
            _ = try? cursor.next()
        }
    }
}
