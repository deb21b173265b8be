// Salvage.swift — one salvage: from the files of a damaged storage to a new one.
//
// 1. Read the manifest as far as it goes, and decide which tables count.
// 2. Verify each of them. A damaged one is written anew, in the target, from its intact blocks.
// 3. Read the log into memory and from there into such tables too.
// 4. Merge all tables of a tree into its deepest level, with all versions and range deletes.
// 5. Write a manifest that lists them.
// A crash leaves a target without CURRENT, and the source as it was.

internal import StorageTypes

struct Salvage {
    let source: String
    let target: String
    let options: StorageOptions
    var catalog: SalvageCatalog
    var report = SalvageReport()
    /// What the tables of each tree are merged from.
    var sources: [UInt32: [TableFile]] = [:]
    /// The newest commit of a table, by keyspaces that it may have entries of: what those had committed until then was in
    /// tables.
    var seenThrough: [UInt32: UInt64] = [:]
    let sourceCache: TableCache
    let output: SalvageOutput

    var fileSystem: any FileSystem { options.fileSystem }

    init(source: String, target: String, options: StorageOptions) throws {
        self.source = source
        self.target = target
        self.options = options
        let manifest = try SalvagedManifest(directory: source, fileSystem: options.fileSystem)
        catalog = SalvageCatalog(manifest)
        let blocks = BlockCache(byteCapacity: 0)
        sourceCache = TableCache(
            fileSystem: options.fileSystem, directory: source + "/tables", blocks: blocks,
            descriptorCount: options.tableDescriptorCount / 2,
            readerByteCapacity: MemoryShares(options).tableReaders / 2)
        output = SalvageOutput(target: target, options: options, blocks: blocks)
    }

    mutating func run() throws -> SalvageReport {
        report.damage = catalog.manifest.damage
        report.remarks = catalog.manifest.remarks
        try output.createDirectories()
        var reading = try SalvageTables(salvage: self)
        try reading.readAll(&self)
        try readLog(lost: reading.lost)
        try writeTrees()
        report.remarks += catalog.remarks
        report.keyspaceCount = catalog.keyspaces.count
        return report
    }

    // MARK: Log

    private mutating func readLog(lost: [SalvageTables.LostRange]) throws {
        let manifest = catalog.manifest
        let directory = source + "/log"
        let log = SalvagedLog(
            directory: directory, fileSystem: fileSystem, firstSegment: catalog.isCertain ? manifest.state.logStart : 0,
            previousSequence: catalog.isCertain ? manifest.state.logStartPrevious : nil)
        var replay = SalvageReplay(catalog: catalog, lost: lost, flushedThrough: flushedThrough(), output: output)
        report.damage += try log.forEachRecord { try replay.apply($0, $1, file: $2, offset: $3) }
        try replay.finish()
        catalog = replay.catalog
        report.logRecordCount = replay.recordCount
        for (tree, tables) in replay.tables { sources[tree, default: []] += tables }
    }

    /// Up to which commit each keyspace's log was in tables.
    private func flushedThrough() -> [UInt32: UInt64] {
        var result: [UInt32: UInt64] = [:]
        for keyspace in catalog.manifest.state.keyspaces.values {
            result[keyspace.id] = catalog.manifest.state.trees[keyspace.tree]?.flushedThrough
        }
        if catalog.isCertain { return result }
        return result.merging(seenThrough) { max($0, $1) }
    }

    // MARK: Writing

    /// Tables of other trees that may have entries of keyspaces that have moved into a tree.
    private func tablesOfMoved(into tree: UInt32) -> [TableFile] {
        var found: [ObjectIdentifier: TableFile] = [:]
        for (id, earlier) in catalog.earlierTrees where catalog.keyspaces[id]?.tree == tree {
            for table in earlier.flatMap({ sources[$0] ?? [] }) where table.metadata.keyspaceIDs.contains(id) {
                found[ObjectIdentifier(table)] = table
            }
        }
        return found.values.sorted { $0.number < $1.number }
    }

    private mutating func writeTrees() throws {
        for id in catalog.trees.keys.sorted() {
            guard let tree = catalog.trees[id] else { continue }
            let tables = (sources[id] ?? []) + tablesOfMoved(into: id)
            if tables.isEmpty { continue }
            for table in tables { catalog.note(sequence: table.metadata.largestSequence) }
            let merged = try output.merge(tables, of: tree, &catalog)
            catalog.trees[id]?.tables[SalvageOutput.level] = merged.tables
            report.entryCount += merged.entryCount
            report.rangeDeleteCount += merged.rangeDeleteCount
        }
        // What was written on the way goes before the manifest could miss it.
        sources = [:]
        try output.writeManifest(catalog.finalState(nextFileNumber: output.nextNumber))
    }
}
