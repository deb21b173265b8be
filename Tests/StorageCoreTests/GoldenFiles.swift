// GoldenFiles.swift — files of every on-disk format as they are checked in, and how they were made.
//
// `SHOPSTREAM_WRITE_GOLDEN=1 swift test --filter GoldenTests` writes them anew. Who has to do that has changed a format:
// Docs/FORMATS.md says what to do then.

import Foundation
import StorageTypes

@testable import StorageCore

enum GoldenFiles {
    static let isWriting = ProcessInfo.processInfo.environment["SHOPSTREAM_WRITE_GOLDEN"] == "1"
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static func read(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: directory.appending(path: name)))
    }

    static func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = directory.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    // MARK: Table

    static let tableNumber: UInt64 = 7
    static let tableSalt: UInt64 = 0x0123_4567_89AB_CDEF

    /// Entries of every kind, with and without expiry, a key with versions in several blocks, the largest sequence.
    static let entries: [PlainEntry] = {
        var entries: [PlainEntry] = []
        for number in 0..<40 {
            let key = [0, 0, 0, 1] + Array("order/\(100 + number)".utf8)
            let value = Array("value \(number), value \(number)".utf8)
            switch number % 5 {
            case 0: entries.append(PlainEntry(key, UInt64(number) + 1, kind: .delete))
            case 1: entries.append(PlainEntry(key, UInt64(number) + 1, kind: .merge, value: value))
            case 2:
                entries.append(PlainEntry(key, UInt64(number) + 1, expiry: 1_700_000_000_000_000, value: value))
            default: entries.append(PlainEntry(key, UInt64(number) << 20, value: value))
            }
        }
        let hot = [0, 0, 0, 2] + Array("hot".utf8)
        for sequence in (1...60 as ClosedRange<UInt64>).reversed() {
            entries.append(PlainEntry(hot, sequence * 1000, value: [UInt8(sequence), 0, 0xFF]))
        }
        entries.append(PlainEntry([0, 0, 0, 3], TableFormat.largestSequence))
        return entries
    }()

    static let tombstones = [
        RangeTombstone(lower: [0, 0, 0, 1, 0x70], upper: [0, 0, 0, 1, 0x80], sequence: 500),
        RangeTombstone(lower: [0, 0, 0, 1, 0x70], upper: [0, 0, 0, 1, 0x78], sequence: 900),
    ]

    static let origin = TableOrigin(
        tree: 4, treeOptions: TreeOptions(compression: CompressionOptions(upper: .none, bottom: .zstd(level: 3))),
        keyspaces: [keyspace], level: 2, inputs: [3, 300], group: 6, position: 1, isLast: true,
        sizes: [1, 2, 3].map { id in
            let own = entries.filter { $0.key[3] == id }
            return KeyspaceSize(
                id: UInt32(id), entryCount: own.count,
                rawByteCount: own.reduce(0) { $0 + $1.key.count + $1.value.count })
        })

    static let keyspace = KeyspaceRecord(
        id: 1, name: "orders ß", tree: 4, expiry: .engine, isDedicated: false, isArchived: true, mergeOperator: "")

    /// What zstd makes of values like those of the entries.
    static var dictionary: [UInt8] {
        var samples = BlockSamples()
        for number in 0..<500 {
            Array("order/\(number)value \(number), value \(number)".utf8).withUnsafeBytes { samples.append($0) }
        }
        return samples.train(byteCount: 512)
    }

    static func table(
        _ compression: TableCompression, dictionary: [UInt8] = [], blockByteCount: Int = 200,
        wholeFilterByteCount: Int = 1 << 20
    ) throws -> [UInt8] {
        let file = MemoryFile()
        let builder = TableBuilder(
            file: file, path: file.path, fileNumber: tableNumber, salt: tableSalt,
            options: TableOptions(
                blockByteCount: blockByteCount, compression: compression, dictionary: dictionary,
                wholeFilterByteCount: wholeFilterByteCount))
        for entry in entries { try builder.add(entry) }
        for tombstone in tombstones {
            builder.addRangeTombstone(lower: tombstone.lower, upper: tombstone.upper, sequence: tombstone.sequence)
        }
        let times = CommitTimes(
            notBefore: [.init(sequence: 1, time: 1_600_000_000_000_000)],
            notAfter: [.init(sequence: TableFormat.largestSequence, time: 1_600_000_001_000_000)])
        _ = try builder.finish(origin: origin, commitTimes: times)
        return file.bytes
    }

    // MARK: Log

    static let segmentHeader = LogSegmentHeader(number: 12, identity: 0xFEED_FACE_CAFE_BEEF, salt: 0x1234_5678)

    /// Payloads of records 5, 6 and 9, the last of them empty but for its counts.
    static let payloads: [[UInt8]] = [
        [0, 2, 1, 5, 0, 0, 0, 1, 0x61, 2, 0x62, 0x63, 0x10] + [0, 0, 0, 0, 0, 0, 0, 1] + [5, 0, 0, 0, 1, 0x64],
        [1, 5, 0, 0, 0, 1, 0x61, 5, 0, 0, 0, 1, 0x7A, 1, 2, 5, 0, 0, 0, 2, 0x65, 3, 1, 2, 3],
        [0, 0],
    ]
    static let sequences: [UInt64] = [5, 6, 9]

    static func segment() -> [UInt8] {
        var bytes = segmentHeader.bytes
        var previous: UInt64 = 4
        for (payload, sequence) in zip(payloads, sequences) {
            var record = UnsafeByteBuilder()
            record.resize(to: LogRecordHeader.byteCount)
            payload.withUnsafeBytes { record.append($0) }
            let header = LogRecordHeader(
                payloadByteCount: payload.count, sequence: sequence, previousSequence: previous,
                commitTime: 1_600_000_000_000_000 + Int64(sequence), syncedThrough: previous)
            header.seal(&record, salt: segmentHeader.salt)
            bytes += Array(record.bytes)
            previous = sequence
        }
        return bytes
    }

    // MARK: Manifest

    static let identity: UInt64 = 0x0F1E_2D3C_4B5A_6978

    static var manifestState: ManifestState {
        get throws {
            let properties = try BuiltTable(Array(entries.prefix(3)), tombstones: tombstones).properties
            var tree = TreeRecord(id: 4, options: origin.treeOptions)
            tree.flushedThrough = 70
            tree.tables[0] = [TableMetadata(number: 8, properties: properties)]
            tree.tables[6] = [TableMetadata(number: 7, properties: properties)]
            // The compressed size and checksum depend on the compressor.
            for level in [0, 6] {
                tree.tables[level][0].byteCount = 1234
                tree.tables[level][0].checksum = 0xABCD_EF01
            }
            var state = ManifestState()
            state.trees = [4: tree, 5: TreeRecord(id: 5, options: TreeOptions(isVolatile: true, filterBitsPerKey: 0))]
            state.keyspaces = [
                1: keyspace,
                3: KeyspaceRecord(
                    id: 3, name: "counts", tree: 5, expiry: .operator, isDedicated: true, isArchived: false,
                    mergeOperator: "sum"),
            ]
            state.nextFileNumber = 300
            state.nextKeyspaceID = 4
            state.nextTreeID = 6
            state.lastSequence = 1 << 40
            state.commitTimeFloor = 1_600_000_000_000_000
            state.logStart = 12
            state.logStartPrevious = 4
            state.logSyncedThrough = 1 << 33
            state.newestSegment = 13
            state.isClosedCleanly = false
            return state
        }
    }

    /// An edit of that state with every field that its snapshot has not.
    static var edit: VersionEdit {
        var edit = VersionEdit()
        edit.removedTables = [VersionEdit.RemovedTable(tree: 4, number: 8)]
        edit.removedKeyspaces = [3]
        edit.removedTrees = [5]
        edit.isClosedCleanly = true
        return edit
    }

    /// An edit of that state by which a keyspace moves and a tree changes.
    static var movingEdit: VersionEdit {
        var edit = VersionEdit()
        edit.newTrees = [TreeRecord(id: 6, options: TreeOptions(filterBitsPerKey: 12, strategy: .sizeTiered()))]
        edit.flushed = [VersionEdit.Flushed(tree: 6, through: 70)]
        edit.changedTrees = [VersionEdit.ChangedTree(tree: 4, options: TreeOptions(filterBitsPerKey: 9))]
        var moving = keyspace
        (moving.tree, moving.former, moving.isDedicated, moving.isArchived) = (6, 4, true, false)
        edit.changedKeyspaces = [moving]
        edit.nextTreeID = 7
        return edit
    }

    /// An edit of that state that gives strategies all options they have.
    static var strategyEdit: VersionEdit {
        var edit = VersionEdit()
        let leveled = CompactionStrategy.leveled(LeveledOptions(multiplier: 4, tableByteCount: 160 << 20))
        let windows = CompactionStrategy.timeWindow(TimeWindowOptions(window: .seconds(60)))
        edit.changedTrees = [
            VersionEdit.ChangedTree(
                tree: 4, options: TreeOptions(strategy: leveled, garbageThreshold: 0.5, compactsAutomatically: false)),
            VersionEdit.ChangedTree(tree: 6, options: TreeOptions(strategy: windows, garbageThreshold: 0.125)),
        ]
        return edit
    }

    /// CURRENT and the manifest that it names.
    static func manifest() throws -> (current: [UInt8], manifest: [UInt8]) {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/db")
        let writer = try ManifestWriter(
            number: 19, manifest: manifestState, identity: identity, salt: 0x8765_4321, directory: "/db",
            fileSystem: disk)
        try writer.edit { _ in (movingEdit, ()) }
        try writer.edit { _ in (strategyEdit, ()) }
        try writer.edit { _ in (edit, ()) }
        try writer.close()
        return (try disk.readFile("/db/CURRENT"), try disk.readFile("/db/MANIFEST-000000000019"))
    }
}
