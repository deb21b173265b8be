// SalvagedTableTests.swift — the blocks of a table without an index, searched in windows.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Salvage: blocks of a table")
struct SalvagedTableTests {
    /// Blocks of some hundred bytes, some of thousands, one of many thousands.
    private static func entries(_ random: inout SeededRandom) -> [PlainEntry] {
        (0..<90).map { number in
            let count = number == 50 ? 8000 : number % 25 == 3 ? 2500 : Int.random(in: 10..<120, using: &random)
            return PlainEntry(bytes("key \(1000 + number)"), UInt64(number + 1), value: random.bytes(count))
        }
    }

    private static func table(_ entries: [PlainEntry], _ compression: TableCompression = .none) throws -> BuiltTable {
        var options = TableOptions()
        options.blockByteCount = 512
        options.compression = compression
        return try BuiltTable(entries, options: options)
    }

    private static func salvage(_ bytes: [UInt8], reach: Int) throws -> (entries: [PlainEntry], gaps: [Range<Int64>]) {
        let file = MemoryFile(bytes)
        let table = try SalvagedTable(file, path: file.path, number: BuiltTable.fileNumber, reach: reach)
        var found: [PlainEntry] = []
        try table.forEachEntry { found.append(PlainEntry($0)) }
        return (found, table.gaps.map(\.offsets))
    }

    @Test(
        "blocks are found without footer and index, however small the windows are",
        arguments: [700, 3000, 512 << 10])
    func windows(reach: Int) throws {
        var random = SeededRandom(seed: 1)
        let entries = Self.entries(&random)
        for compression in [TableCompression.none, .lz4] {
            var bytes = try Self.table(entries, compression).file.bytes
            for index in bytes.count - 60..<bytes.count { bytes[index] ^= 0xA5 }
            let found = try Self.salvage(bytes, reach: reach)
            #expect((found.entries == entries) as Bool, "\(found.entries.count) of \(entries.count)")
            #expect(found.gaps.count == 1)
        }
    }

    @Test("what is damaged costs its block only, also beside a block that is longer than a window")
    func damage() throws {
        var random = SeededRandom(seed: 2)
        let entries = Self.entries(&random)
        let whole = try Self.table(entries).file.bytes
        let seed = TestSeed.draw("damaged bytes")
        random = SeededRandom(seed: seed)
        for _ in 0..<6 {
            var bytes = whole
            for _ in 0..<3 { bytes[Int.random(in: TableHeader.byteCount..<bytes.count, using: &random)] ^= 0x40 }
            let (inWindows, atOnce) = try (Self.salvage(bytes, reach: 1000), Self.salvage(bytes, reach: 1 << 20))
            #expect((inWindows.entries == atOnce.entries) as Bool, "seed \(seed)")
            #expect(inWindows.gaps == atOnce.gaps, "seed \(seed)")
            let lostCount = entries.count - inWindows.entries.count
            #expect(lostCount < 40, "seed \(seed)")
            #expect(!inWindows.gaps.isEmpty, "seed \(seed)")
        }
    }

    @Test("memory is needed for windows, not for the file")
    func reads() throws {
        let entries = (0..<800).map {
            PlainEntry(bytes("key \(10_000 + $0)"), 1, value: [UInt8](repeating: 1, count: 90))
        }
        let table = try Self.table(entries)
        let file = WatchedFile(table.file)
        let salvaged = try SalvagedTable(file, path: file.path, number: BuiltTable.fileNumber, reach: 2 << 10)
        var count = 0
        try salvaged.forEachEntry { _ in count += 1 }
        #expect(count == 800)
        #expect(file.largestRead <= 4 << 10)
        #expect(table.file.bytes.count > 10 * file.largestRead)
    }
}

/// A file that knows the longest read that was asked of it.
private final class WatchedFile: StorageFile {
    private let file: MemoryFile
    private(set) nonisolated(unsafe) var largestRead = 0
    let path = "/tables/000007.sst"

    init(_ file: MemoryFile) { self.file = file }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        largestRead = max(largestRead, buffer.count)
        return try file.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws { try file.write(bytes, at: offset) }
    func byteCount() throws -> Int64 { try file.byteCount() }
    func truncate(to byteCount: Int64) throws { try file.truncate(to: byteCount) }
    func allocate(byteCount: Int64) throws {}
    func startWriteBack(from offset: Int64, byteCount: Int64) {}
    func sync() throws {}
    func close() throws {}
}
