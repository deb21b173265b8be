// SalvageTests.swift — what is rescued from damaged storages: everything intact, nothing else.

import StorageTypes
import Synchronization
import Testing

@testable import StorageCore

/// A version as it lies in some file of a storage.
private struct Version: Hashable {
    var entry: PlainEntry

    /// Keyspace, key and sequence, for messages.
    var text: String {
        "\(entry.key.prefix(4))\(String(decoding: entry.key.dropFirst(4), as: UTF8.self))@\(entry.sequence)"
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(entry.key)
        hasher.combine(entry.sequence)
    }
}

@Suite("Salvage")
struct SalvageTests {
    /// A closed or crashed storage with tables in two levels, range deletes, merges, and something in the log.
    private struct Image {
        var disk: SimulatedFileSystem
        var files: [String]
    }

    private static func options(_ disk: SimulatedFileSystem) -> StorageOptions {
        var options = smallOptions(disk)
        options.logSegmentByteCount = 4 << 10
        options.memtableByteCount = 1 << 20
        return options
    }

    private static func image(_ seed: UInt64, closed: Bool = false) throws -> Image {
        var random = SeededRandom(seed: seed)
        let disk = SimulatedFileSystem(seed: seed)
        let storage = try Storage.open(at: "/db", options: options(disk))
        let plain = try storage.keyspace("plain")
        let large = try storage.keyspace("large", options: KeyspaceOptions(isDedicated: true))
        let lists = try storage.keyspace("lists", options: KeyspaceOptions(mergeOperator: Appending()))
        _ = try storage.keyspace("empty", options: KeyspaceOptions(expiry: .engine))
        _ = try storage.keyspace("dropped")
        func write(_ count: Int) throws {
            for _ in 0..<count {
                let number = Int.random(in: 0..<60, using: &random)
                let key = bytes("key \(number)")
                try storage.write { transaction in
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0: try transaction.delete(plain, key.rawSpan)
                    case 1: try transaction.deleteRange(plain, KeyRange(lower: key, upper: bytes("key \(number)5")))
                    case 2...4: try transaction.merge(lists, key.rawSpan, bytes("\(transaction.sequence),").rawSpan)
                    case 5:
                        let target = storage.existingKeyspace("dropped") ?? plain
                        try transaction.put(target, key.rawSpan, key.rawSpan)
                    case 6: try transaction.put(large, key.rawSpan, random.bytes(900).rawSpan)
                    default: try transaction.put(plain, key.rawSpan, random.bytes(40).rawSpan)
                    }
                }
            }
        }
        try write(120)
        try storage.flush()
        try write(60)
        try storage.dropKeyspace("dropped")
        try storage.compact()
        try write(80)
        try storage.flush()
        try write(40)
        try storage.sync()
        if closed { try storage.close() }
        let copy = disk.crash(.everything)
        let files = try ["/db", "/db/log", "/db/tables"].flatMap { directory in
            try copy.list(directory).map { "\(directory)/\($0)" }
        }.filter { !["/db/log", "/db/tables", "/db/LOCK", "/db/RESERVE"].contains($0) }
        return Image(disk: copy, files: files)
    }

    struct Appending: MergeOperator {
        var name: String { "appending" }
        func merge(key: RawSpan, older: RawSpan, newer: RawSpan, into result: inout [UInt8]) throws {
            result += older.array() + newer.array()
        }
    }

    /// What a storage answers: every key and value of every keyspace.
    private static func answers(_ disk: SimulatedFileSystem, _ directory: String) throws -> [String: [[UInt8]: [UInt8]]]
    {
        let storage = try Storage.open(at: directory, options: options(disk))
        #expect(try storage.verify().problems == [])
        let snapshot = storage.snapshot()
        var answers: [String: [[UInt8]: [UInt8]]] = [:]
        for name in storage.keyspaceNames {
            var keyspace = try #require(storage.existingKeyspace(name))
            if keyspace.life.mergeOperator == "appending" {
                keyspace = try storage.keyspace(name, options: KeyspaceOptions(mergeOperator: Appending()))
            }
            var found: [[UInt8]: [UInt8]] = [:]
            var cursor = try snapshot.view.cursor(keyspace)
            try cursor.seekToFirst()
            while cursor.isValid {
                found[cursor.key.array()] = cursor.value.array()
                try cursor.next()
            }
            answers[name] = found
        }
        return answers
    }

    private func salvage(_ disk: SimulatedFileSystem) throws -> SalvageReport {
        try Storage.salvage("/db", into: "/rescued", options: Self.options(disk))
    }

    private func contents(_ disk: SimulatedFileSystem) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for directory in ["/db", "/db/log", "/db/tables"] where try disk.exists(directory) {
            for name in try disk.list(directory) {
                let path = "\(directory)/\(name)"
                if !["/db/log", "/db/tables"].contains(path) { contents[path] = try disk.readFile(path) }
            }
        }
        return contents
    }

    // MARK: Nothing damaged

    @Test("a storage that is not damaged is salvaged as it was, and stays as it was", arguments: [false, true])
    func sound(closed: Bool) throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            let image = try Self.image(seed, closed: closed)
            let before = try contents(image.disk)
            let report = try salvage(image.disk)
            #expect(report.damage.isEmpty, "\(report)")
            #expect(report.remarks.isEmpty)
            #expect(report.isComplete)
            #expect(report.keyspaceCount == 4)
            #expect(try contents(image.disk) == before)
            #expect(try Self.answers(image.disk, "/rescued") == Self.answers(image.disk, "/db"), "seed \(seed)")
        }
    }

    // MARK: The manifest is gone

    @Test("without CURRENT, without manifest, or with a damaged one, nothing is lost", arguments: 0...5)
    func manifest(_ kind: Int) throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            let image = try Self.image(seed, closed: kind == 5)
            let expected = try Self.answers(image.disk.crash(.everything), "/db")
            let manifest = try #require(image.files.first { $0.contains("MANIFEST") })
            let bytes = try image.disk.readFile(manifest)
            switch kind {
            case 0: try image.disk.remove("/db/CURRENT")
            case 1: try image.disk.remove(manifest)
            case 2: try image.disk.flipBit(path: manifest, bitOffset: 20 * 8)  // the salt
            case 3: try image.disk.flipBit(path: manifest, bitOffset: 70 * 8)  // the first record
            case 4: try image.disk.writeFile(manifest, Array(bytes.prefix(bytes.count - 9)))
            default: try image.disk.flipBit(path: manifest, bitOffset: bytes.count * 4)
            }
            let before = try contents(image.disk)
            let report = try salvage(image.disk)
            #expect(report.isComplete, "\(report)")
            #expect(try contents(image.disk) == before)
            var found = try Self.answers(image.disk, "/rescued")
            // A keyspace without tables is known to the manifest alone.
            found["empty"] = [:]
            // That a keyspace was dropped is too; its entries may come back where a table was written before.
            found["dropped"] = nil
            #expect(found == expected, "seed \(seed): \(report)")
        }
    }

    @Test("a keyspace of which only the log tells comes back under a name that says so")
    func lostName() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: Self.options(disk))
        let keyspace = try storage.keyspace("k")
        try storage.write(.synced) { try $0.put(keyspace, bytes("a").rawSpan, bytes("b").rawSpan) }
        let found = disk.crash(.everything)
        try found.remove("/db/MANIFEST-000000000001")
        let report = try salvage(found)
        #expect(report.keyspaceCount == 1)
        #expect(report.remarks.contains { $0.contains("lost+found/\(keyspace.id)") })
        #expect(try Self.answers(found, "/rescued") == ["lost+found/\(keyspace.id)": [bytes("a"): bytes("b")]])
    }

    // MARK: Tables

    /// Every version in the tables and the log that are to be replayed, with the place of each in a table.
    private func versions(_ disk: SimulatedFileSystem, _ directory: String) throws -> [Version: (
        path: String, block: Range<Int>
    )?] {
        var found: [Version: (path: String, block: Range<Int>)?] = [:]
        var options = Self.options(disk)
        options.isReadOnly = true
        let storage = try Storage.open(at: directory, options: options)
        for tree in storage.catalog.withLock({ $0.persistentTrees }) {
            for table in tree.state.levels.all {
                let reader = try table.open()
                try forEachBlock(reader) { handle, entries in
                    let block = Int(handle.offset)..<Int(handle.offset + handle.byteCount) + 5
                    for entry in entries { found[Version(entry: entry)] = (table.path, block) }
                }
            }
            let cursor = tree.state.memtable.makeCursor()
            cursor.seekToFirst()
            while cursor.isValid {
                found[Version(entry: PlainEntry(cursor.entry))] = .some(nil)
                cursor.next()
            }
        }
        return found
    }

    private func forEachBlock(_ reader: TableReader, _ visit: (BlockHandle, [PlainEntry]) throws -> Void) throws {
        func entries(_ block: Block) throws -> [PlainEntry] {
            var cursor = UnsafeBlockCursor()
            cursor.load(block)
            var entries: [PlainEntry] = []
            try cursor.seekToFirst()
            while cursor.isValid {
                entries.append(
                    PlainEntry(
                        Array(cursor.key), cursor.sequence, kind: cursor.kind, expiry: cursor.expiry,
                        value: Array(cursor.value)))
                try cursor.next()
            }
            return entries
        }
        for partition in try entries(reader.topIndex) {
            let handle = try #require(partition.value.withUnsafeBytes { BlockHandle($0) })
            for data in try entries(reader.blocks.readBlock(handle)) {
                let handle = try #require(data.value.withUnsafeBytes { BlockHandle($0) })
                try visit(handle, entries(reader.blocks.readBlock(handle)))
            }
        }
    }

    @Test("random damage to any file costs what was damaged and nothing else", arguments: 1...12)
    func randomDamage(_ number: Int) throws {
        let seed = UInt64(number) &* 7919
        var random = SeededRandom(seed: seed)
        let image = try Self.image(seed, closed: number % 4 == 0)
        let original = try versions(image.disk.crash(.everything), "/db")
        for round in 0..<6 {
            let disk = image.disk.crash(.everything)
            let path = try #require(image.files.randomElement(using: &random))
            let bytes = try disk.readFile(path)
            let what = "seed \(seed), round \(round), \(path)"
            guard !bytes.isEmpty else { continue }
            let start = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...300, using: &random))
            var damaged = bytes
            for offset in start..<end { damaged[offset] = .random(in: 0...255, using: &random) }
            guard damaged != bytes else { continue }
            try disk.writeFile(path, damaged)
            let report = try salvage(disk)
            let rescued = Set(try versions(disk, "/rescued").keys)
            // Nothing is invented.
            let invented = rescued.filter { original[$0] == nil }
            let inventedText = invented.map(\.text).joined(separator: " ")
            #expect(inventedText == "", "\(what): \(report)")
            // Everything intact is there.
            let isLog = path.hasSuffix(".log")
            for (version, place) in original where !rescued.contains(version) {
                if let place {
                    #expect(
                        place.path == path && place.block.overlaps(start..<end), "\(what): \(version.text), \(report)")
                } else {
                    #expect(isLog, "\(what): \(version.text), \(report)")
                }
                #expect(!report.isComplete, "\(what): \(version.text) is lost, \(report)")
            }
            #expect(report.damage.contains { $0.file == path } || original.keys.allSatisfy(rescued.contains), "\(what)")
            _ = try Self.answers(disk, "/rescued")
        }
    }

    @Test("a table that has lost its index, its footer and its filter still gives all its entries")
    func noIndex() throws {
        let image = try Self.image(5)
        let expected = try Self.answers(image.disk.crash(.everything), "/db")
        for path in image.files where path.hasSuffix(".sst") {
            var bytes = try image.disk.readFile(path)
            let number = try #require(UInt64(path.dropFirst("/db/tables/".count).dropLast(4)))
            let reader = try TableReader.open(
                file: MemoryFile(bytes), path: path, fileNumber: number, cache: BlockCache(byteCapacity: 0))
            let meta = try TableMetaIndex(reader.blocks, reader.footer.metaIndex)
            let kept = [meta.rangeTombstones, meta.origin].compactMap { $0 }.map {
                Int($0.offset)..<Int($0.offset + $0.byteCount) + 5
            }
            for offset in Int(meta.index.offset)..<bytes.count where !kept.contains(where: { $0.contains(offset) }) {
                bytes[offset] = 0xEE
            }
            try image.disk.writeFile(path, bytes)
        }
        let report = try salvage(image.disk)
        #expect(report.isComplete, "\(report)")
        #expect(!report.damage.isEmpty)
        #expect(try Self.answers(image.disk, "/rescued") == expected)
    }

    @Test("a missing table is reported with its keyspaces, keys, commits and number of entries")
    func missingTable() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: Self.options(disk))
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
        for number in 0..<20 {
            try storage.write { try $0.put(keyspace, bytes("key \(10 + number)").rawSpan, bytes("value").rawSpan) }
            if number == 9 { try storage.flush() }
        }
        try storage.flush()
        let tables = keyspace.tree.state.levels.all.map(\.metadata)
        let lost = try #require(tables.max { $0.number < $1.number })
        try storage.close()
        try disk.remove(TableFiles.path(of: lost.number, in: "/db/tables"))
        let report = try salvage(disk)
        let damage = try #require(report.damage.first)
        #expect(report.damage.count == 1)
        #expect(damage.file == TableFiles.path(of: lost.number, in: "/db/tables"))
        #expect(damage.offsets == nil)
        #expect(damage.keyspaces == ["k"])
        #expect(damage.range == KeyRange(lower: bytes("key 20"), upper: bytes("key 29") + [0]))
        #expect(damage.lostEntryCount == 10)
        #expect(damage.sequences == SequenceNumber(11)...SequenceNumber(20))
        #expect(!report.isComplete)
        #expect(report.description.contains("something was lost"))
        #expect(try Self.answers(disk, "/rescued")["k"]?.count == 10)
    }

    @Test("the log gives back what a flushed table has lost, as long as it has it")
    func logFillsIn() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: Self.options(disk))
        let lagging = try storage.keyspace("lagging")
        let keyspace = try storage.keyspace("k", options: KeyspaceOptions(isDedicated: true))
        try storage.write { try $0.put(lagging, [1].rawSpan, [1].rawSpan) }
        for number in 0..<5 { try storage.write { try $0.put(keyspace, [UInt8(number)].rawSpan, [9].rawSpan) } }
        try storage.sync()
        storage.rotate(keyspace.tree)
        #expect(try storage.flushOne())
        let table = try #require(keyspace.tree.state.levels.all.first)
        let found = disk.crash(.everything)
        try found.remove(TableFiles.path(of: table.number, in: "/db/tables"))
        let report = try salvage(found)
        #expect(!report.damage.isEmpty)
        #expect(try Self.answers(found, "/rescued")["k"]?.count == 5)
    }

    // MARK: Deletes

    @Test("what was deleted stays deleted, in tables that a compaction left behind too")
    func deletes() throws {
        let disk = SimulatedFileSystem()
        let storage = try Storage.open(at: "/db", options: Self.options(disk))
        let keyspace = try storage.keyspace("k")
        for number in 0..<20 { try storage.write { try $0.put(keyspace, [UInt8(number)].rawSpan, [9].rawSpan) } }
        try storage.flush()
        let old = try #require(keyspace.tree.state.levels.all.first)
        let bytes = try disk.readFile(old.path)
        try storage.write { try $0.deleteRange(keyspace, KeyRange(lower: [5], upper: [10])) }
        try storage.write { try $0.delete(keyspace, [15].rawSpan) }
        try storage.compact()
        try storage.close()
        // The compaction dropped the deletes with what they deleted. Its input is still there, and the manifest is gone.
        try disk.writeFile(old.path, bytes)
        try disk.remove(try #require(try disk.list("/db").first { $0.contains("MANIFEST") }.map { "/db/\($0)" }))
        let report = try salvage(disk)
        #expect(report.isComplete)
        let keys = try Self.answers(disk, "/rescued")["k"].map { Set($0.keys.map { Int($0[0]) }) }
        #expect(keys == Set(0..<20).subtracting(5..<10).subtracting([15]))
    }

    // MARK: Refusals

    @Test("a target with anything in it, a source that is open, and one that is not there are refused")
    func refusals() throws {
        let disk = SimulatedFileSystem()
        #expect(errorCode { try salvage(disk) } == .notFound)
        let storage = try Storage.open(at: "/db", options: Self.options(disk))
        #expect(errorCode { try salvage(disk) } == .locked)
        try storage.close()
        try disk.createDirectory("/rescued")
        try disk.writeFile("/rescued/x", [1])
        #expect(errorCode { try salvage(disk) } == .alreadyExists)
    }

    @Test("a crash while salvaging leaves the source as it was, and no target that opens as a storage")
    func crash() throws {
        let image = try Self.image(2)
        let before = try contents(image.disk)
        let disk = image.disk.crash(.everything)
        var step = 1
        while true {
            let attempt = disk.crash(.everything)
            attempt.cutPower(atOperation: step)
            let code = errorCode { try salvage(attempt) }
            let found = attempt.crash(.everything)
            #expect(try contents(found) == before)
            guard code != nil else { break }
            #expect(try !found.exists("/rescued/CURRENT"))
            step += 5
        }
        #expect(step > 5)
    }
}
