// GoldenTests.swift — the formats have not changed unnoticed: what is written is what is checked in, and that is read.

import StorageTypes
import Testing

@testable import StorageCore

@Suite("Golden files", .serialized)
struct GoldenTests {
    private static let advice: Comment = """
        The bytes differ from the golden file. If the format was to change: raise its version or claim a feature bit, keep \
        the old file and a test that reads it, say so in Docs/FORMATS.md, and write the new one with \
        SHOPSTREAM_WRITE_GOLDEN=1 swift test --filter GoldenTests
        """

    /// Holds bytes against a golden file, or writes it.
    private func check(_ name: String, _ bytes: [UInt8]) throws {
        if GoldenFiles.isWriting { return try GoldenFiles.write(name, bytes) }
        let golden = try GoldenFiles.read(name)
        let difference =
            zip(golden, bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? min(golden.count, bytes.count)
        #expect(
            golden == bytes,
            "\(name), \(golden.count) and \(bytes.count) bytes, from byte \(difference) on. \(Self.advice)")
    }

    // MARK: Writing

    @Test("a table is written byte for byte as before")
    func writesTable() throws {
        try check("table-none-2.sst", GoldenFiles.table(.none))
        try check("table-partitioned-3.sst", GoldenFiles.table(.none, blockByteCount: 100, wholeFilterByteCount: 0))
        // What a compressor makes of a block may differ from version to version; reading it may not.
        guard GoldenFiles.isWriting else { return }
        try check("table-lz4-2.sst", GoldenFiles.table(.lz4))
        try check("table-zstd-2.sst", GoldenFiles.table(.zstd(level: 3)))
        try check(
            "table-dictionary-2.sst",
            GoldenFiles.table(.zstd(level: 3, dictionaryByteCount: 512), dictionary: GoldenFiles.dictionary))
    }

    @Test("a log segment is written byte for byte as before")
    func writesLog() throws { try check("segment.log", GoldenFiles.segment()) }

    @Test("manifest and CURRENT are written byte for byte as before")
    func writesManifest() throws {
        let (current, manifest) = try GoldenFiles.manifest()
        try check("CURRENT-19", current)
        try check("MANIFEST-000000000019", manifest)
    }

    // MARK: Reading

    @Test(
        "a golden table is read, also from before tables knew the sizes of their keyspaces, or filters lay among the data",
        arguments: ["none", "partitioned", "lz4", "zstd", "dictionary"].flatMap { [$0, "\($0)-2"] } + ["partitioned-3"])
    func readsTable(_ name: String) throws {
        let compression = name.prefix { $0 != "-" }
        let file = MemoryFile(try GoldenFiles.read("table-\(name).sst"))
        let reader = try TableReader.open(
            file: file, path: file.path, fileNumber: GoldenFiles.tableNumber, cache: BlockCache(byteCapacity: 0))
        try reader.verify()
        #expect((reader.blocks.dictionary != nil) == (compression == "dictionary"))
        #expect(try reader.entriesForwards() == GoldenFiles.entries)
        #expect(try reader.entriesBackwards() == GoldenFiles.entries.reversed())
        for entry in GoldenFiles.entries {
            #expect(try reader.versions(of: entry.key, maxSequence: entry.sequence).first == entry)
        }
        #expect(reader.rangeTombstones == RangeTombstone.tableOrdered(GoldenFiles.tombstones))
        #expect(reader.properties.earliestTime == 1_600_000_000_000_000)
        #expect(reader.properties.latestTime == 1_600_000_001_000_000)
        let meta = try TableMetaIndex(reader.blocks, reader.footer.metaIndex)
        var origin = GoldenFiles.origin
        if name == compression { origin.sizes = [] }
        #expect(try meta.readOrigin(reader.blocks) == origin)
        #expect(compression == "partitioned" ? reader.filterPartitions.count > 1 : reader.filterPartitions.isEmpty)
        #expect((reader.filter == nil) == (compression == "partitioned"))
        #expect(try TableHeader.read(file, path: file.path) == reader.footer.header)
    }

    @Test("a golden log segment is read")
    func readsLog() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/log")
        try disk.writeFile("/log/000000000012.log", GoldenFiles.read("segment.log"))
        let recovery = LogRecovery(fileSystem: disk, directory: "/log", identity: GoldenFiles.segmentHeader.identity)
        var payloads: [[UInt8]] = []
        var sequences: [UInt64] = []
        var entries: [String] = []
        _ = try recovery.replay(from: 12, previousSequence: 4) { header, payload, file, offset in
            payloads.append(payload.array())
            sequences.append(header.sequence)
            #expect(header.commitTime == 1_600_000_000_000_000 + Int64(header.sequence))
            try BatchEncoding.decode(payload, file: file, offset: offset) { lower, upper in
                entries.append("\(lower.array())..<\(upper.array())")
            } entry: { kind, expiry, key, value in
                entries.append("\(kind) \(expiry == .max ? 0 : expiry) \(key.array()) \(value.array())")
            }
        }
        #expect(payloads == GoldenFiles.payloads)
        #expect(sequences == GoldenFiles.sequences)
        #expect(
            entries == [
                "put 0 [0, 0, 0, 1, 97] [98, 99]", "delete \(1 << 56) [0, 0, 0, 1, 100] []",
                "[0, 0, 0, 1, 97]..<[0, 0, 0, 1, 122]", "merge 0 [0, 0, 0, 2, 101] [1, 2, 3]",
            ])
    }

    @Test(
        "a golden manifest is read, also from before keyspaces could move, and strategies had options",
        arguments: [17, 18, 19] as [UInt64])
    func readsManifest(number: UInt64) throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/db")
        let name = ManifestFiles.name(number)
        try disk.writeFile("/db/CURRENT", GoldenFiles.read(number == 17 ? "CURRENT" : "CURRENT-\(number)"))
        try disk.writeFile("/db/\(name)", GoldenFiles.read(name))
        #expect(try ManifestFiles.current(in: "/db", disk) == number)
        let (state, identity, _) = try ManifestWriter.read(number: number, directory: "/db", fileSystem: disk)
        var expected = try GoldenFiles.manifestState
        if number > 17 { #expect(expected.apply(GoldenFiles.movingEdit) == nil) }
        if number > 18 { #expect(expected.apply(GoldenFiles.strategyEdit) == nil) }
        #expect(expected.apply(GoldenFiles.edit) == nil)
        #expect(state == expected)
        #expect(identity == GoldenFiles.identity)
    }

    @Test("a golden storage opens, answers and verifies", arguments: [false, true])
    func readsStorage(isReadOnly: Bool) throws {
        let disk = SimulatedFileSystem()
        let clock = ManualClock()
        if GoldenFiles.isWriting {
            if !isReadOnly { try writeStorage() }
            return
        }
        for directory in ["/db", "/db/log", "/db/tables"] { try disk.createDirectory(directory) }
        for path in String(decoding: try GoldenFiles.read("storage/FILES"), as: UTF8.self).split(separator: "\n") {
            try disk.writeFile("/db/\(path)", GoldenFiles.read("storage/\(path)"))
        }
        var options = smallOptions(disk, clock)
        options.isReadOnly = isReadOnly
        let storage = try Storage.open(at: "/db", options: options)
        #expect(try storage.verify().problems == [])
        #expect(storage.keyspaceNames == ["counts", "orders", "sessions"])
        let view = storage.snapshot().view
        let orders = try storage.keyspace("orders", options: Self.orders)
        let sessions = try storage.keyspace("sessions", options: Self.sessions)
        let counts = try storage.keyspace("counts", options: Self.counts)
        for number in 0..<60 {
            let value = try view.get(orders, bytes("order \(number)").rawSpan)
            #expect(value == ((20..<30).contains(number) ? nil : bytes("value \(number % 7)")))
        }
        #expect(try view.get(sessions, bytes("expired").rawSpan) == nil)
        #expect(try view.get(sessions, bytes("lives").rawSpan) == bytes("s"))
        #expect(try view.get(counts, bytes("n").rawSpan) == bytes("1,2,3,"))
    }

    @Test("what a table from before it knew the sizes of its keyspaces has of them is estimated by its index")
    func estimatesSizes() throws {
        func sizes(_ name: String) throws -> [KeyspaceSize] {
            let file = MemoryFile(try GoldenFiles.read("table-\(name).sst"))
            return try TableReader.open(
                file: file, path: file.path, fileNumber: GoldenFiles.tableNumber, cache: BlockCache(byteCapacity: 0)
            ).readKeyspaceSizes()
        }
        let exact = GoldenFiles.origin.sizes
        #expect(exact.map(\.entryCount) == [40, 60, 1])
        #expect(try sizes("none-2") == exact && sizes("partitioned-2") == exact)
        for name in ["none", "partitioned"] {
            // The origin names the first of the three.
            let estimated = try sizes(name)
            #expect(estimated.map(\.id) == [1])
            #expect((20...60).contains(estimated.first?.entryCount ?? 0), "\(estimated)")
            #expect((exact[0].rawByteCount / 3...exact[0].rawByteCount * 2).contains(estimated[0].rawByteCount))
        }
    }

    private static let orders = KeyspaceOptions(isDedicated: true)
    private static let sessions = KeyspaceOptions(expiry: .engine)
    private static let counts = KeyspaceOptions(mergeOperator: SalvageTests.Appending())

    /// Writes a storage with tables in two levels and a log, as a crash left it.
    private func writeStorage() throws {
        let disk = SimulatedFileSystem()
        let clock = ManualClock()
        let storage = try smallStorage(disk, clock)
        let orders = try storage.keyspace("orders", options: Self.orders)
        let sessions = try storage.keyspace("sessions", options: Self.sessions)
        let counts = try storage.keyspace("counts", options: Self.counts)
        for number in 0..<60 {
            try storage.write {
                try $0.put(orders, bytes("order \(number)").rawSpan, bytes("value \(number % 7)").rawSpan)
            }
            if number == 40 { try storage.compact() }
        }
        try storage.write { try $0.merge(counts, bytes("n").rawSpan, bytes("1,").rawSpan) }
        try storage.write {
            try $0.put(sessions, bytes("expired").rawSpan, bytes("s").rawSpan, expiry: clock.now)
            try $0.put(
                sessions, bytes("lives").rawSpan, bytes("s").rawSpan, expiry: clock.now.advanced(by: .seconds(1 << 30)))
        }
        try storage.flush()
        try storage.write { try $0.merge(counts, bytes("n").rawSpan, bytes("2,").rawSpan) }
        try storage.write {
            try $0.deleteRange(orders, KeyRange(lower: bytes("order 20"), upper: bytes("order 29~")))
            try $0.merge(counts, bytes("n").rawSpan, bytes("3,").rawSpan)
        }
        try storage.sync()
        let found = disk.crash(.everything)
        var files: [String] = []
        for directory in ["/db", "/db/log", "/db/tables"] {
            for name in try found.list(directory) where !["log", "tables", "LOCK", "RESERVE"].contains(name) {
                let path = "\(directory)/\(name)"
                files.append(String(path.dropFirst(4)))
                try GoldenFiles.write("storage/\(path.dropFirst(4))", found.readFile(path))
            }
        }
        try GoldenFiles.write("storage/FILES", bytes(files.sorted().joined(separator: "\n") + "\n"))
    }

    // MARK: Newer versions

    @Test("each format's newer version is refused by name", arguments: ["table", "log", "manifest"])
    func newerVersion(_ format: String) throws {
        let disk = SimulatedFileSystem()
        for directory in ["/db", "/db/log", "/db/tables"] { try disk.createDirectory(directory) }
        for path in String(decoding: try GoldenFiles.read("storage/FILES"), as: UTF8.self).split(separator: "\n") {
            try disk.writeFile("/db/\(path)", GoldenFiles.read("storage/\(path)"))
        }
        let path: String
        switch format {
        case "table":
            path = try #require(try disk.list("/db/tables").first.map { "/db/tables/\($0)" })
            var bytes = try disk.readFile(path)
            let footer = bytes.count - TableFooter.byteCount
            bytes[footer + 60] = 2
            let sum = maskedChecksum(checksum(of: Array(bytes[footer..<footer + 68]).rawSpan))
            withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(footer + 68..<footer + 72, with: $0) }
            try disk.writeFile(path, bytes)
        default:
            let directory = format == "log" ? "/db/log" : "/db"
            let name = try #require(
                try disk.list(directory).first { $0.hasSuffix(".log") || $0.hasPrefix("MANIFEST") })
            path = "\(directory)/\(name)"
            var bytes = try disk.readFile(path)
            bytes[8] = 2
            let sum = checksum(of: Array(bytes[..<60]).rawSpan)
            withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(60..<64, with: $0) }
            try disk.writeFile(path, bytes)
        }
        let error = #expect(throws: StorageError.self) {
            let storage = try Storage.open(at: "/db", options: smallOptions(disk))
            if let damage = try storage.verify().damage.first { throw damage }
        }
        #expect(error?.code == .unsupportedFormat)
        #expect(error?.message.contains("version 2") == true)
        #expect(error?.location?.file == path)
    }
}
