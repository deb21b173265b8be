import StorageTypes
import Testing

@testable import StorageCore

@Suite struct ManifestTests {
    private static func randomTable(_ number: UInt64, _ random: inout SeededRandom) -> TableMetadata {
        TableMetadata(
            number: number, byteCount: .random(in: 0...1 << 40, using: &random), smallestKey: random.bytes(5),
            largestKey: random.bytes(6), largestKeyIsExclusive: .random(using: &random),
            smallestSequence: .random(in: 0...1 << 56, using: &random),
            largestSequence: .random(in: 0...1 << 56, using: &random),
            entryCount: .random(in: 0...1 << 40, using: &random),
            deleteCount: 3, mergeCount: 2, rangeTombstoneCount: 1, expiringCount: 4, densestDeleteCount: 3,
            rawByteCount: .random(in: 0...1 << 40, using: &random), earliestExpiry: .min, latestExpiry: .max,
            earliestTime: .random(in: .min ... .max, using: &random), latestTime: 77, compression: .zstd(level: -3),
            checksum: .random(in: 0 ... .max, using: &random))
    }

    /// A state with `treeCount` trees, as a series of edits would leave it.
    private static func randomState(_ random: inout SeededRandom) -> ManifestState {
        var state = ManifestState()
        let compressions: [TableCompression] = [
            .none, .lz4, .zstd(level: 3), .zstd(level: -7), .zstd(level: 2, dictionaryByteCount: 16 << 10),
        ]
        let strategies: [CompactionStrategy] = [
            .leveled(), .leveled(LeveledOptions(multiplier: 3)), .leveled(LeveledOptions(tableByteCount: 1 << 40)),
            .sizeTiered(), .timeWindow(TimeWindowOptions(window: .seconds(9))),
        ]
        for id in UInt32(1)...UInt32.random(in: 1...4, using: &random) {
            var tree = TreeRecord(
                id: id,
                options: TreeOptions(
                    isVolatile: .random(using: &random),
                    compression: CompressionOptions(
                        upper: compressions.randomElement(using: &random)!,
                        bottom: compressions.randomElement(using: &random)!), filterBitsPerKey: Int(id),
                    strategy: strategies.randomElement(using: &random)!,
                    garbageThreshold: [nil, 0, 0.3, 7].randomElement(using: &random)!,
                    compactsAutomatically: .random(using: &random)))
            tree.flushedThrough = .random(in: 0..<1 << 56, using: &random)
            for level in 0..<Levels.count where Bool.random(using: &random) {
                tree.tables[level] = (0..<2).map { randomTable(UInt64(id) * 100 + UInt64(level) * 2 + $0, &random) }
            }
            state.trees[id] = tree
            state.keyspaces[id * 2] = KeyspaceRecord(
                id: id * 2, name: "keyspace ß\(id)", tree: id,
                expiry: [.none, .engine, .operator].randomElement(using: &random)!,
                isDedicated: .random(using: &random), isArchived: .random(using: &random),
                mergeOperator: id == 1 ? "" : "sum")
        }
        state.nextFileNumber = .random(in: 0...1 << 56, using: &random)
        state.nextKeyspaceID = 99
        state.nextTreeID = 98
        state.lastSequence = .random(in: 0..<1 << 56, using: &random)
        state.commitTimeFloor = .random(in: .min ... .max, using: &random)
        state.logStart = 7
        state.logStartPrevious = 5
        state.isClosedCleanly = .random(using: &random)
        return state
    }

    @Test("numbers that counting on from would overflow, and a table that is listed twice, are refused")
    func excess() throws {
        var random = SeededRandom(seed: 3)
        let state = Self.randomState(&random)
        func contradiction(_ change: (inout VersionEdit) -> Void) -> String? {
            var edit = VersionEdit()
            change(&edit)
            var changed = state
            return changed.apply(edit)
        }
        #expect(contradiction { $0.nextFileNumber = .max } == "the number of a file is out of range")
        #expect(contradiction { $0.newestSegment = .max } == "the number of a file is out of range")
        #expect(contradiction { $0.lastSequence = .max } == "a sequence is out of range")
        #expect(contradiction { $0.logStartPrevious = .max } == "a sequence is out of range")
        #expect(contradiction { $0.flushed = [.init(tree: 1, through: .max)] } == "a sequence is out of range")
        #expect(contradiction { $0.nextTreeID = .max } == "an id is out of range")
        var table = Self.randomTable(1, &random)
        table.byteCount = Int64.max
        #expect(
            contradiction { $0.newTables = [.init(tree: 1, level: 0, metadata: table)] }
                == "the size of a table is out of range")
        table.byteCount = 100
        let new = VersionEdit.NewTable(tree: 1, level: 0, metadata: table)
        #expect(contradiction { $0.newTables = [new] } == nil)
        #expect(contradiction { $0.newTables = [new, new] } == "table 1 is added twice")

        // A file of somebody else's, which is left where it is.
        let disk = SimulatedFileSystem()
        try smallStorage(disk).close()
        try disk.writeFile("/db/MANIFEST-18446744073709551615", [1])
        try smallStorage(disk).close()
        #expect(try disk.exists("/db/MANIFEST-18446744073709551615"))
    }

    @Test("an edit survives its encoding, and the snapshot of a state makes that state", arguments: 1...20)
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let state = Self.randomState(&random)
        var edit = VersionEdit(snapshotOf: state)
        var made = ManifestState()
        #expect(made.apply(edit) == nil)
        #expect(made == state)
        edit.removedTrees = [4, .max]
        edit.removedKeyspaces = [0]
        edit.removedTables = [VersionEdit.RemovedTable(tree: 1, number: .max)]
        // What is nested in a new tree travels in fields of its own.
        let decoded = try VersionEdit(decoding: edit.encoded.rawSpan, file: "f", offset: 0)
        #expect(decoded == edit, "seed \(seed)")
        let nothing: [UInt8] = []
        #expect(try VersionEdit(decoding: nothing.rawSpan, file: "f", offset: 0) == VersionEdit())
    }

    @Test("damaged edits are decoded or refused as corruption, and never trap", arguments: 1...20)
    func damagedEdits(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let whole = VersionEdit(snapshotOf: Self.randomState(&random)).encoded
        for _ in 0..<200 {
            var damaged = Int.random(in: 0..<4, using: &random) == 0 ? random.bytes(60) : whole
            let offset = Int.random(in: 0..<damaged.count, using: &random)
            damaged[offset] = UInt8.random(in: 0...255, using: &random)
            if Bool.random(using: &random) { damaged = Array(damaged.prefix(offset)) }
            let code = errorCode {
                var state = ManifestState()
                _ = state.apply(try VersionEdit(decoding: damaged.rawSpan, file: "f", offset: 0))
            }
            #expect(code == nil || code == .corruption, "seed \(seed)")
        }
    }

    @Test("a strategy is one byte where it has no options, and a byte with unknown bits is refused")
    func strategyBytes() throws {
        func decode(_ strategy: [UInt8]) throws -> TreeOptions {
            let bytes = Array(Self.plainTree.dropLast()) + strategy
            var reader = ByteReader(bytes.rawSpan, file: "f", offset: 0)
            let options = try reader.treeOptions()
            try reader.expectEnd()
            return options
        }
        #expect(try decode([0]) == TreeOptions())
        #expect(try decode([16, 4, 0]).strategy == .leveled(LeveledOptions(multiplier: 4)))
        #expect(try decode([64]) == TreeOptions(compactsAutomatically: false))
        #expect(try decode([96, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]).garbageThreshold == 0.5)
        for unknown: [UInt8] in [[3], [128], [17], [18], [4 | 64]] {
            #expect(errorCode { try decode(unknown + [UInt8](repeating: 1, count: 40)) } == .corruption)
        }
    }

    /// The bytes of a tree's options where all are as by default.
    private static let plainTree: [UInt8] = {
        var writer = ByteWriter()
        writer.encode(TreeOptions())
        return writer.bytes
    }()

    @Test("edits that contradict the state are named")
    func contradictions() {
        var random = SeededRandom(seed: 1)
        let tree = TreeRecord(id: 1, options: TreeOptions())
        let keyspace = KeyspaceRecord(
            id: 1, name: "k", tree: 1, expiry: .none, isDedicated: false, isArchived: true, mergeOperator: "")
        var state = ManifestState()
        var first = VersionEdit()
        first.newTrees = [tree]
        first.newKeyspaces = [keyspace]
        #expect(state.apply(first) == nil)
        func contradiction(_ change: (inout VersionEdit) -> Void) -> String? {
            var edit = VersionEdit()
            change(&edit)
            var copy = state
            return copy.apply(edit)
        }
        let table = Self.randomTable(1, &random)
        #expect(contradiction { $0.newTrees = [tree] } != nil)
        #expect(contradiction { $0.removedTrees = [2] } != nil)
        #expect(contradiction { $0.newKeyspaces = [keyspace] } != nil)
        #expect(contradiction { $0.removedKeyspaces = [2] } != nil)
        #expect(contradiction { $0.removedTables = [.init(tree: 1, number: 1)] } != nil)
        #expect(contradiction { $0.removedTables = [.init(tree: 2, number: 1)] } != nil)
        #expect(contradiction { $0.newTables = [.init(tree: 2, level: 0, metadata: table)] } != nil)
        #expect(contradiction { $0.newTables = [.init(tree: 1, level: Levels.count, metadata: table)] } != nil)
        #expect(contradiction { $0.flushed = [.init(tree: 2, through: 1)] } != nil)
        #expect(contradiction { $0.newTables = [.init(tree: 1, level: 0, metadata: table)] } == nil)
    }

    // MARK: Files

    private func writer(_ disk: SimulatedFileSystem, _ state: ManifestState) throws -> ManifestWriter {
        try disk.createDirectory("/db")
        return try ManifestWriter(
            number: 3, manifest: state, identity: 42, salt: 7, directory: "/db", fileSystem: disk)
    }

    private func read(_ disk: SimulatedFileSystem) throws -> (state: ManifestState, identity: UInt64, end: Int64) {
        try ManifestWriter.read(number: 3, directory: "/db", fileSystem: disk)
    }

    private let path = "/db/" + ManifestFiles.name(3)

    /// Manifests with two edits after the snapshot, and where the records begin.
    private func written() throws -> (disk: SimulatedFileSystem, bytes: [UInt8], states: [ManifestState], starts: [Int])
    {
        var random = SeededRandom(seed: 9)
        let disk = SimulatedFileSystem()
        let manifest = try writer(disk, Self.randomState(&random))
        var states = [manifest.manifest]
        var starts = [ManifestHeader.byteCount]
        for number in UInt64(1)...2 {
            starts.append(Int(manifest.byteCount))
            try manifest.edit { _ in
                var edit = VersionEdit()
                edit.lastSequence = number
                return (edit, ())
            }
            states.append(manifest.manifest)
        }
        return (disk, try disk.readFile(path), states, starts)
    }

    @Test("what was written is read, and CURRENT names it")
    func files() throws {
        let (disk, _, states, _) = try written()
        #expect(try read(disk).state == states[2])
        #expect(try read(disk).identity == 42)
        #expect(try ManifestFiles.current(in: "/db", disk) == 3)
        #expect(try ManifestFiles.numbers(in: "/db", disk) == [3])
    }

    @Test("a manifest cut in its last edit is as it was before; cut in its first, it is refused")
    func torn() throws {
        let (disk, bytes, states, starts) = try written()
        for cut in 0..<bytes.count {
            try disk.writeFile(path, Array(bytes.prefix(cut)))
            guard cut >= starts[1] else {
                // The padding after the snapshot's payload carries nothing.
                let code = errorCode { try read(disk) }
                #expect(code == .corruption || (code == nil && cut >= starts[1] - 7), "cut at \(cut)")
                continue
            }
            let state = try read(disk).state
            #expect(
                state == states[1] || state == states[cut >= starts[2] ? 2 : 0] || state == states[0], "cut at \(cut)")
        }
    }

    @Test("every damaged bit before the last edit is corruption")
    func damaged() throws {
        let (disk, bytes, states, starts) = try written()
        for offset in 0..<starts[2] {
            for bit in 0..<8 {
                try disk.flipBit(path: path, bitOffset: offset * 8 + bit)
                defer { try? disk.flipBit(path: path, bitOffset: offset * 8 + bit) }
                let found = Result { try read(disk).state }
                switch found {
                case .success(let state):
                    // Compatible feature bits are for others to know; padding is not covered.
                    #expect((16..<20).contains(offset) == false, "the checksum covers offset \(offset)")
                    #expect(state == states[2], "offset \(offset)")
                    #expect(isPadding(offset, bytes, starts), "offset \(offset)")
                case .failure(let error):
                    #expect((error as? StorageError)?.code == .corruption, "offset \(offset)")
                }
            }
        }
    }

    private func isPadding(_ offset: Int, _ bytes: [UInt8], _ starts: [Int]) -> Bool {
        starts.dropFirst().contains { $0 - 7 <= offset && offset < $0 } && bytes[offset] == 0
    }

    @Test("CURRENT with anything but a number and its checksum is corruption")
    func current() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/db")
        #expect(try ManifestFiles.current(in: "/db", disk) == nil)
        try ManifestFiles.setCurrent(12, in: "/db", disk)
        #expect(try ManifestFiles.current(in: "/db", disk) == 12)
        let good = String(decoding: try disk.readFile("/db/CURRENT"), as: UTF8.self)
        let bad = [
            "", "12", "12\n", "13" + good.dropFirst(2), String(good.dropLast()), " " + good, good + "\n", "-1 0\n",
            "99999999999999999999999 0\n", "12 zz\n", "\u{0}\u{ff}", "012" + good.dropFirst(2),
        ]
        for text in bad {
            try disk.writeFile("/db/CURRENT", Array(text.utf8))
            #expect(errorCode { try ManifestFiles.current(in: "/db", disk) } == .corruption, "\(text)")
        }
        for bit in 0..<good.utf8.count * 8 {
            try disk.writeFile("/db/CURRENT", Array(good.utf8))
            try disk.flipBit(path: "/db/CURRENT", bitOffset: bit)
            #expect(errorCode { try ManifestFiles.current(in: "/db", disk) } == .corruption, "bit \(bit)")
        }
    }

    @Test("a newer format is refused by name, and so are features that this version does not know", arguments: [8, 12])
    func newerFormat(offset: Int) throws {
        let (disk, bytes, _, _) = try written()
        var changed = bytes
        changed[offset] = 4
        let sum = checksum(of: changed.rawSpan.extracting(first: 60))
        for index in 0..<4 { changed[60 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
        try disk.writeFile(path, changed)
        #expect(errorCode { try read(disk) } == .unsupportedFormat)
    }

    @Test("after an edit that failed no other is taken; a full disk leaves the manifest usable")
    func failedEdits() throws {
        let disk = SimulatedFileSystem()
        let manifest = try writer(disk, ManifestState())
        func edit(_ sequence: UInt64) throws {
            try manifest.edit { _ in
                var edit = VersionEdit()
                edit.lastSequence = sequence
                return (edit, ())
            }
        }
        disk.failOperation(number: disk.operationCount(of: .write) + 1, once: true, with: .diskFull, kind: .write)
        #expect(errorCode { try edit(1) } == .diskFull)
        try edit(2)
        #expect(try read(disk).state.lastSequence == 2)
        disk.failOperation(number: disk.operationCount(of: .sync) + 1, once: true, kind: .sync)
        #expect(errorCode { try edit(3) } == .ioFailure)
        #expect(errorCode { try edit(4) } == .poisoned)
        #expect(manifest.manifest.lastSequence == 2)
        try manifest.close()
        #expect(errorCode { try edit(5) } == .poisoned)
    }

    @Test("a manifest that was closed refuses edits")
    func closed() throws {
        let disk = SimulatedFileSystem()
        let manifest = try writer(disk, ManifestState())
        try manifest.close()
        #expect(errorCode { try manifest.edit { _ in (VersionEdit(), ()) } } == .closed)
    }
}
