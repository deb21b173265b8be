// SalvageOutput.swift — the files of a salvaged storage.

internal import StorageTypes

final class SalvageOutput {
    /// Everything is merged: nothing lies above or below.
    static let level = Levels.count - 1

    private(set) var nextNumber: UInt64 = 1
    private let target: String
    private let options: StorageOptions
    private let cache: TableCache

    init(target: String, options: StorageOptions, blocks: BlockCache) {
        self.target = target
        self.options = options
        // The target's tables share no cache with the source's, which have the same numbers.
        cache = TableCache(
            fileSystem: options.fileSystem, directory: target + "/tables", blocks: BlockCache(byteCapacity: 0),
            descriptorCount: options.tableDescriptorCount / 2,
            readerByteCapacity: MemoryShares(options).tableReaders / 2, salt: Self.seed(options))
    }

    var memtableByteCount: Int { options.memtableByteCount }

    private static func seed(_ options: StorageOptions) -> UInt64 {
        options.backgroundWork == .manual
            ? options.seed : options.seed ^ UInt64(bitPattern: options.clock.now.microseconds)
    }

    func createDirectories() throws {
        try options.fileSystem.createDirectory(target + "/log")
        try options.fileSystem.createDirectory(target + "/tables")
    }

    private func newNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    // MARK: On the way

    /// Writes the intact entries of a damaged table into a table that goes when nobody reads it any more.
    func rewrite(_ table: SalvagedTable, of tree: TreeRecord) throws -> TableFile {
        try writeTable(tree) { builder in
            unsafe try table.forEachEntry { entry in
                unsafe try builder.add(
                    key: entry.key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry,
                    value: entry.value)
            }
            for tombstone in table.rangeTombstones {
                builder.addRangeTombstone(
                    lower: tombstone.lower, upper: tombstone.upper, sequence: tombstone.sequence)
            }
        }
    }

    /// Writes a memtable into such a table.
    func write(_ memtable: Memtable, of tree: TreeRecord) throws -> TableFile {
        try writeTable(tree) { builder in
            let cursor = memtable.makeCursor()
            cursor.seekToFirst()
            while cursor.isValid {
                let entry = unsafe cursor.entry
                unsafe try builder.add(
                    key: entry.key, sequence: entry.sequence, kind: entry.kind, expiry: entry.expiry,
                    value: entry.value)
                cursor.next()
            }
            for tombstone in RangeTombstoneSet(memtable.rangeTombstones(seenAt: [])).tombstones {
                builder.addRangeTombstone(
                    lower: tombstone.lower, upper: tombstone.upper, sequence: tombstone.sequence)
            }
        }
    }

    private func writeTable(_ tree: TreeRecord, _ fill: (TableBuilder) throws -> Void) throws -> TableFile {
        let number = newNumber()
        let path = cache.path(of: number)
        let file = try options.fileSystem.open(path, .createOrTruncate)
        let builder = TableBuilder(
            file: file, path: path, fileNumber: number, salt: cache.salt ^ number,
            options: TableOptions(compression: .lz4, filterBitsPerKey: 0))
        try fill(builder)
        let table = TableFile(TableMetadata(number: number, properties: try builder.finish()), cache: cache)
        try file.close()
        table.markObsolete()
        return table
    }

    // MARK: The result

    struct Merged {
        var tables: [TableMetadata] = []
        var entryCount = 0
        var rangeDeleteCount = 0
    }

    /// Merges tables into the tree's tables of the new storage; every version is kept once.
    func merge(_ tables: [TableFile], of tree: TreeRecord, _ catalog: inout SalvageCatalog) throws -> Merged {
        let tombstones = RangeTombstoneSet(try tables.flatMap { try $0.rangeTombstones().tombstones }).tombstones
            .filter { catalog.tree(of: Keyspace.id(ofTreeKey: $0.lower), in: tree.id) == tree.id }
        var origin = TableOrigin(tree: tree.id, treeOptions: tree.options, keyspaces: [], level: Self.level)
        origin.keyspaces = catalog.keyspaces.values.filter { $0.tree == tree.id }
        let output = TableOutput(
            cache: cache,
            options: TableOutput.Options(
                splitter: OutputSplitter(tableByteCount: options.tableByteCount),
                table: TableOptions(
                    blockByteCount: options.blockByteCount, compression: tree.options.compression.bottom,
                    filterBitsPerKey: tree.options.filterBitsPerKey),
                origin: origin,
                commitTimes: tables.reduce(into: .unknown) { $0.formUnion($1.metadata.commitTimes) }),
            tombstones: tombstones, newNumber: newNumber)
        var merged = Merged(rangeDeleteCount: tombstones.count)
        do {
            merged.entryCount = try merge(tables, tree.id, into: output, &catalog)
            merged.tables = try output.finish()
        } catch {
            output.abandon()
            throw error
        }
        return merged
    }

    private func merge(
        _ tables: [TableFile], _ tree: UInt32, into output: TableOutput, _ catalog: inout SalvageCatalog
    ) throws -> Int {
        let cursor = MergingCursor(Self.runs(tables).map { .level(LevelCursor($0, fillCache: false)) })
        var count = 0
        var previous: (key: [UInt8], sequence: UInt64) = ([], 0)
        var (isKept, hasKey) = (false, false)
        try cursor.seekToFirst()
        while cursor.isValid {
            let entry = unsafe cursor.entry
            let isSameKey = unsafe hasKey && compareBytes(previous.key, entry.key) == 0
            // A version may be in two tables, or in a table and the log.
            if unsafe !isSameKey || entry.sequence != previous.sequence {
                unsafe previous = (isSameKey ? previous.key : Array(entry.key), entry.sequence)
                hasKey = true
                if !isSameKey {
                    isKept = catalog.tree(of: Keyspace.id(ofTreeKey: previous.key), in: tree) == tree
                }
                if isKept {
                    unsafe try output.add(entry)
                    count += 1
                }
            }
            try cursor.next()
        }
        return count
    }

    /// Tables in groups that share no key, each in key order.
    private static func runs(_ tables: [TableFile]) -> [[TableFile]] {
        var runs: [[TableFile]] = []
        let holding = tables.filter { $0.metadata.entryCount > 0 }
        for table in holding.sorted(by: { compareBytes($0.metadata.smallestKey, $1.metadata.smallestKey) < 0 }) {
            let place = runs.firstIndex { run in
                run.last.map { compareBytes($0.metadata.largestKey, table.metadata.smallestKey) < 0 } ?? true
            }
            if let place { runs[place].append(table) } else { runs.append([table]) }
        }
        return runs
    }

    func writeManifest(_ state: ManifestState) throws {
        var random = SeededRandom(seed: Self.seed(options))
        let manifest = try ManifestWriter(
            number: 1, manifest: state, identity: random.next(), salt: UInt32(truncatingIfNeeded: random.next()),
            directory: target, fileSystem: options.fileSystem)
        try manifest.close()
    }
}
