// PreciseErrorTests.swift — what is damaged is named: the file, and the offset in it.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Precise errors")
struct PreciseErrorTests {
    /// An open storage with tables in two levels, a log of several segments and a manifest of several edits.
    private func storage(_ disk: SimulatedFileSystem) throws -> Storage {
        var options = smallOptions(disk)
        options.logSegmentByteCount = 2 << 10
        options.memtableByteCount = 1 << 20
        let storage = try Storage.open(at: "/db", options: options)
        let keyspace = try storage.keyspace("k")
        func write(_ numbers: Range<Int>) throws {
            for number in numbers {
                try storage.write {
                    try $0.put(keyspace, bytes("key \(number)").rawSpan, bytes("value \(number)").rawSpan)
                    if number % 40 == 0 {
                        try $0.deleteRange(keyspace, .prefix(bytes("key \(number)9")))
                    }
                }
            }
        }
        try write(0..<150)
        try storage.compact()
        try write(100..<250)
        try storage.flush()
        try write(250..<330)
        try storage.sync()
        #expect(try storage.verify().isHealthy)
        return storage
    }

    private func files(_ disk: SimulatedFileSystem, _ directory: String, _ suffix: String = "") throws -> [String] {
        try disk.list(directory).filter { $0.hasSuffix(suffix) }.map { "\(directory)/\($0)" }
    }

    @Test("verify() names the file and the block of every flipped byte of a table")
    func tableBlocks() throws {
        let disk = SimulatedFileSystem()
        let storage = try storage(disk)
        for path in try files(disk, "/db/tables") {
            let bytes = try disk.readFile(path)
            let file = MemoryFile(bytes)
            let number = try #require(UInt64(path.dropFirst("/db/tables/".count).dropLast(4)))
            let reader = try TableReader.open(
                file: file, path: path, fileNumber: number, cache: BlockCache(byteCapacity: 0))
            let starts = try blockOffsets(of: reader) + [reader.blocks.blocksByteCount]
            for offset in stride(from: 0, to: bytes.count, by: 23) {
                try disk.flipBit(path: path, bitOffset: offset * 8 + offset % 8)
                let damage = try storage.verify().damage
                try disk.flipBit(path: path, bitOffset: offset * 8 + offset % 8)
                let place = try #require(damage.first?.location, "nothing found at byte \(offset) of \(path)")
                #expect(damage.count == 1)
                #expect(place.file == path)
                let block = try #require(starts.last { $0 <= UInt64(offset) })
                // In the footer any field may be what looks wrong.
                let isInFooter = offset >= Int(reader.blocks.blocksByteCount)
                let named = try #require(place.offset)
                #expect(isInFooter ? named >= Int64(block) : named == Int64(block), "byte \(offset): \(damage)")
            }
        }
    }

    /// Where the blocks of a table begin, ascending.
    private func blockOffsets(of reader: TableReader) throws -> [UInt64] {
        let meta = try TableMetaIndex(reader.blocks, reader.footer.metaIndex)
        var offsets = meta.allBlocks.map(\.offset) + [0, reader.footer.metaIndex.offset]
        func visit(_ block: Block, _ body: (BlockHandle) throws -> Void) throws {
            var cursor = UnsafeBlockCursor()
            cursor.load(block)
            try cursor.seekToFirst()
            while cursor.isValid {
                let handle = try #require(BlockHandle(cursor.value))
                offsets.append(handle.offset)
                try body(handle)
                try cursor.next()
            }
        }
        try visit(reader.topIndex) { try visit(reader.blocks.readBlock($0)) { _ in } }
        return offsets.sorted()
    }

    @Test("a read of a damaged block names it, and reads of other blocks go on")
    func read() throws {
        let disk = SimulatedFileSystem()
        try storage(disk).close()
        let path = try #require(try files(disk, "/db/tables").first)
        try disk.flipBit(path: path, bitOffset: 8 * 40)
        let storage = try Storage.open(at: "/db", options: smallOptions(disk))
        let keyspace = try #require(storage.existingKeyspace("k"))
        var failures = 0
        for number in 0..<330 {
            do {
                _ = try storage.snapshot().view.get(keyspace, bytes("key \(number)").rawSpan)
            } catch let error as StorageError {
                failures += 1
                #expect(error.code == .corruption)
                #expect(error.location == StorageError.Location(file: path, offset: 32))
            }
        }
        #expect(0 < failures && failures < 150)
    }

    @Test("a table that lost its name is missed by verify() and by the next opening")
    func missingTable() throws {
        let disk = SimulatedFileSystem()
        let storage = try storage(disk)
        let path = try #require(try files(disk, "/db/tables").last)
        try disk.remove(path)
        let report = try storage.verify()
        #expect(report.damage.map(\.location?.file) == [path])
        #expect(report.problems.first?.contains("missing") == true)
        let error = #expect(throws: StorageError.self) {
            try Storage.open(at: "/db", options: smallOptions(disk.crash(.everything)))
        }
        #expect(error?.code == .corruption)
        #expect(error?.location?.file == path)
    }

    @Test("verify() names the manifest and where it stops making sense", arguments: [0, 1, 2, 3])
    func manifest(_ kind: Int) throws {
        let disk = SimulatedFileSystem()
        let storage = try storage(disk)
        let path = try #require(try files(disk, "/db").first { $0.contains("MANIFEST") })
        let good = try disk.readFile(path)
        let records = recordOffsets(good)
        #expect(records.count > 3)
        let last = try #require(records.last)
        let expected: Int64
        switch kind {
        case 0:
            try disk.flipBit(path: path, bitOffset: 100)
            expected = 0
        case 1:
            try disk.flipBit(path: path, bitOffset: (records[2] + 30) * 8)
            expected = Int64(records[2])
        case 2:
            try disk.writeFile(path, Array(good.prefix(last + 20)))
            expected = Int64(last)
        default:
            try disk.writeFile(path, Array(good.prefix(10)))
            expected = 8
        }
        let damage = try storage.verify().damage
        #expect(damage.map(\.location) == [StorageError.Location(file: path, offset: expected)])
        guard kind != 2 else { return }
        let error = #expect(throws: StorageError.self) {
            try Storage.open(at: "/db", options: smallOptions(disk.crash(.everything)))
        }
        #expect(error?.code == .corruption)
        #expect(error?.location == StorageError.Location(file: path, offset: expected))
    }

    /// Where the records of a manifest begin.
    private func recordOffsets(_ bytes: [UInt8]) -> [Int] {
        var offsets: [Int] = []
        var offset = 64
        while offset + 24 <= bytes.count {
            offsets.append(offset)
            let byteCount = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self) }
            offset = (offset + 24 + Int(byteCount) + 7) & ~7
        }
        return offsets
    }

    @Test("a missing or changed CURRENT, and a missing manifest, are named")
    func current() throws {
        let disk = SimulatedFileSystem()
        let storage = try storage(disk)
        func names(_ path: String) throws {
            #expect(try storage.verify().damage.map(\.location?.file) == [path])
            let error = #expect(throws: StorageError.self) {
                try Storage.open(at: "/db", options: smallOptions(disk.crash(.everything)))
            }
            #expect(error?.location?.file == path)
        }
        let good = try disk.readFile("/db/CURRENT")
        try disk.flipBit(path: "/db/CURRENT", bitOffset: 3)
        try names("/db/CURRENT")
        try disk.remove("/db/CURRENT")
        try names("/db/CURRENT")
        try disk.writeFile("/db/CURRENT", good)
        let manifest = try #require(try files(disk, "/db").first { $0.contains("MANIFEST") })
        try disk.remove(manifest)
        try names(manifest)
    }

    @Test("verify() names the segment of the log and the record", arguments: [0, 1, 2, 3])
    func log(_ kind: Int) throws {
        let disk = SimulatedFileSystem()
        let storage = try storage(disk)
        let segments = try files(disk, "/db/log")
        #expect(segments.count > 2)
        let (first, last) = (segments[0], segments[segments.count - 1])
        let expected: StorageError.Location
        switch kind {
        case 0:
            try disk.flipBit(path: first, bitOffset: 40)
            expected = .init(file: first, offset: 0)
        case 1:
            try disk.remove(segments[1])
            expected = .init(file: segments[1])
        case 2:
            let good = try disk.readFile(last)
            let offset = try lastRecordOffset(good)
            let record = try #require(offset)
            try disk.writeFile(last, Array(good.prefix(record + 70)))
            expected = .init(file: last, offset: Int64(record))
        default:
            let good = try disk.readFile(last)
            let offset = try lastRecordOffset(good)
            let record = try #require(offset)
            try disk.flipBit(path: last, bitOffset: (record + 30) * 8)
            expected = .init(file: last, offset: Int64(record))
        }
        #expect(try storage.verify().damage.map(\.location) == [expected])
    }

    private func lastRecordOffset(_ bytes: [UInt8]) throws -> Int? {
        let header = try #require(try LogSegmentHeader.parse(bytes.rawSpan, path: ""))
        return bytes.withUnsafeBytes { bytes in
            var offset = LogSegmentHeader.byteCount
            var last: Int?
            while let record = LogRecordHeader.parse(bytes, at: offset, salt: header.salt) {
                last = offset
                offset += record.recordByteCount
            }
            return last
        }
    }
}
