// SalvageTables.swift — the tables of a damaged storage: which of them count, and what is left of each.

internal import StorageTypes

struct SalvageTables {
    /// Tree keys around entries that were lost; nil where there is no bound.
    struct LostRange {
        var tree: UInt32
        var lower: [UInt8]?
        var upper: [UInt8]?
        /// The commits that the lost entries were of.
        var sequences: ClosedRange<UInt64>

        func contains(_ key: UnsafeRawBufferPointer) -> Bool {
            if let lower, unsafe compareBytes(lower, key) > 0 { return false }
            if let upper, unsafe compareBytes(upper, key) < 0 { return false }
            return true
        }
    }

    private(set) var lost: [LostRange] = []
    private let numbers: [UInt64]
    private var expected: [UInt64: (tree: UInt32, metadata: TableMetadata)] = [:]
    private var origins: [UInt64: TableOrigin?] = [:]

    /// Decides which tables count.
    init(salvage: Salvage) throws {
        let directory = salvage.sourceCache.directory
        let present = try Set(
            salvage.fileSystem.exists(directory) ? TableFiles.numbers(in: directory, salvage.fileSystem) : [])
        let manifest = salvage.catalog.manifest
        for tree in manifest.state.trees.values {
            for metadata in tree.tables.joined() { expected[metadata.number] = (tree.id, metadata) }
        }
        let listed = Set(expected.keys)
        if manifest.isWhole, listed.isSubset(of: present) {
            numbers = listed.sorted()
        } else {
            for number in present.subtracting(manifest.removedTables) {
                origins[number] = Self.origin(number, salvage)
            }
            let (live, replaced) = SalvageSelection(origins: origins, listed: listed).judge()
            numbers = live.union(listed.subtracting(present).subtracting(replaced)).sorted()
        }
    }

    /// Where a table says that it comes from, if that can be read in the ordinary way.
    private static func origin(_ number: UInt64, _ salvage: Salvage) -> TableOrigin? {
        let path = salvage.sourceCache.path(of: number)
        guard let file = try? salvage.fileSystem.open(path, .read),
            let footer = try? TableFooter.read(file, path: path, fileNumber: number)
        else { return nil }
        let blocks = TableBlockFile(file: file, path: path, footer: footer)
        return try? TableMetaIndex(blocks, footer.metaIndex).readOrigin(blocks)
    }

    /// Verifies the tables and makes sources of them, in whole or in part.
    mutating func readAll(_ salvage: inout Salvage) throws {
        for number in numbers { if let origin = origins[number] ?? nil { salvage.catalog.add(origin) } }
        for number in numbers {
            let path = salvage.sourceCache.path(of: number)
            do {
                let file = try salvage.fileSystem.open(path, .read)
                let reader = try TableReader.open(
                    file: file, path: path, fileNumber: number, cache: salvage.sourceCache.blocks)
                try reader.verify()
                let metadata = TableMetadata(number: number, properties: reader.properties)
                guard let tree = tree(of: number, metadata.smallestKey, origins[number] ?? nil, &salvage) else {
                    continue
                }
                salvage.sources[tree, default: []].append(TableFile(metadata, cache: salvage.sourceCache))
                salvage.note(metadata, origins[number] ?? nil)
            } catch let error as StorageError where error.code == .corruption {
                try rescue(number, path, error, &salvage)
            } catch let error as StorageError where error.code == .notFound || error.code == .unsupportedFormat {
                noteLoss(of: number, path, error, &salvage)
            }
        }
    }

    private func tree(
        of number: UInt64, _ key: [UInt8], _ origin: TableOrigin?, _ salvage: inout Salvage
    ) -> UInt32? {
        if let tree = expected[number]?.tree ?? origin?.tree, salvage.catalog.trees[tree] != nil { return tree }
        return salvage.catalog.tree(of: Keyspace.id(ofTreeKey: key))
    }

    // MARK: Damage

    /// Writes what is left of a table into one of the target's.
    private mutating func rescue(
        _ number: UInt64, _ path: String, _ error: StorageError, _ salvage: inout Salvage
    ) throws {
        let table: SalvagedTable
        do {
            table = try SalvagedTable(salvage.fileSystem.open(path, .read), path: path, number: number)
        } catch let error as StorageError where error.code == .corruption || error.code == .unsupportedFormat {
            return noteLoss(of: number, path, error, &salvage)
        }
        let origin = table.origin ?? origins[number] ?? nil
        if let origin { salvage.catalog.add(origin) }
        var firstKey = table.rangeTombstones.first?.lower
        unsafe try table.forEachEntry { entry in if firstKey == nil { unsafe firstKey = Array(entry.key) } }
        var rescuedCount = 0
        var home: UInt32?
        if let firstKey, let tree = tree(of: number, firstKey, origin, &salvage),
            let record = salvage.catalog.trees[tree]
        {
            home = tree
            let rewritten = try salvage.output.rewrite(table, of: record)
            rescuedCount = rewritten.metadata.entryCount + rewritten.metadata.rangeTombstoneCount
            salvage.sources[tree, default: []].append(rewritten)
            salvage.note(rewritten.metadata, origin)
        }
        noteGaps(of: table, rescuedCount, home ?? origin?.tree ?? expected[number]?.tree, error, &salvage)
    }

    private mutating func noteGaps(
        of table: SalvagedTable, _ rescuedCount: Int, _ tree: UInt32?, _ error: StorageError, _ salvage: inout Salvage
    ) {
        let known =
            expected[table.number]?.metadata
            ?? table.properties.map { TableMetadata(number: table.number, properties: $0) }
        let lostCount = known.map { $0.entryCount + $0.rangeTombstoneCount - rescuedCount }
        for gap in table.gaps {
            var damage = SalvageReport.Damage(file: table.path, offsets: gap.offsets, message: error.message)
            damage.lostEntryCount = lostCount.flatMap { $0 <= 0 ? 0 : table.gaps.count == 1 ? $0 : nil }
            if damage.lostEntryCount != 0 {
                note(gap.after ?? known?.smallestKey, gap.before ?? known?.largestKey, known, tree, &damage, salvage)
            }
            salvage.report.damage.append(damage)
        }
        // Every block holds, and still the table is not right.
        if table.gaps.isEmpty {
            salvage.report.damage.append(
                SalvageReport.Damage(
                    file: table.path, offsets: error.location?.offset.map { $0..<$0 + 1 }, message: error.message,
                    lostEntryCount: lostCount.map { max($0, 0) }))
        }
    }

    /// Notes that nothing of a table is left.
    private mutating func noteLoss(of number: UInt64, _ path: String, _ error: StorageError, _ salvage: inout Salvage) {
        let isMissing = error.code == .notFound
        var damage = SalvageReport.Damage(
            file: path, message: isMissing ? "A table that the manifest lists is missing." : error.message)
        let known = expected[number]
        damage.lostEntryCount = known.map { $0.metadata.entryCount + $0.metadata.rangeTombstoneCount }
        note(
            known?.metadata.smallestKey, known?.metadata.largestKey, known?.metadata, known?.tree, &damage, salvage)
        salvage.report.damage.append(damage)
    }

    /// Adds to damage where its entries lay.
    private mutating func note(
        _ lower: [UInt8]?, _ upper: [UInt8]?, _ known: TableMetadata?, _ tree: UInt32?,
        _ damage: inout SalvageReport.Damage, _ salvage: Salvage
    ) {
        (damage.keyspaces, damage.range) = salvage.catalog.place(lower, upper)
        if let known, known.smallestSequence <= known.largestSequence {
            damage.sequences = SequenceNumber(known.smallestSequence)...SequenceNumber(known.largestSequence)
        }
        guard let tree else { return }
        let sequences = damage.sequences.map { $0.lowerBound.rawValue...$0.upperBound.rawValue }
        lost.append(LostRange(tree: tree, lower: lower, upper: upper, sequences: sequences ?? 0...UInt64.max))
    }
}

extension Salvage {
    /// Takes note of a table that was read.
    fileprivate mutating func note(_ metadata: TableMetadata, _ origin: TableOrigin?) {
        report.tableCount += 1
        let ids = origin?.keyspaces.map(\.id) ?? catalog.keyspaces.keys.filter { metadata.keyspaceIDs.contains($0) }
        for id in ids { seenThrough[id] = max(seenThrough[id] ?? 0, metadata.largestSequence) }
        catalog.note(sequence: metadata.largestSequence)
        if metadata.latestTime != .max { catalog.note(commitTime: metadata.latestTime) }
    }
}
