// SalvageReplay.swift — the records of a damaged log, sorted into tables.

internal import StorageTypes

struct SalvageReplay {
    var catalog: SalvageCatalog
    private(set) var recordCount = 0
    private(set) var tables: [UInt32: [TableFile]] = [:]
    private let lost: [SalvageTables.LostRange]
    private let flushedThrough: [UInt32: UInt64]
    private let output: SalvageOutput
    private var memtables: [UInt32: Memtable] = [:]

    /// - Parameters:
    ///   - lost: Where tables have lost entries that the log may still have.
    ///   - flushedThrough: The last commit of each keyspace that was in tables.
    init(
        catalog: SalvageCatalog, lost: [SalvageTables.LostRange], flushedThrough: [UInt32: UInt64],
        output: SalvageOutput
    ) {
        self.catalog = catalog
        self.lost = lost
        self.flushedThrough = flushedThrough
        self.output = output
    }

    mutating func apply(_ header: LogRecordHeader, _ payload: RawSpan, file: String, offset: Int64) throws {
        catalog.note(sequence: header.sequence)
        catalog.note(commitTime: header.commitTime)
        var rangeDeletes: [(memtable: Memtable, tombstone: RangeTombstone)] = []
        var isUsed = false
        try BatchEncoding.decode(payload, file: file, offset: offset) { lower, upper in
            let tombstone = RangeTombstone(lower: lower.array(), upper: upper.array(), sequence: header.sequence)
            let isWanted = unsafe tombstone.lower.withUnsafeBytes { key in
                unsafe tree(of: key, header.sequence, kind: .delete, isRange: true)
            }
            if let tree = isWanted { rangeDeletes.append((memtable(tree), tombstone)) }
        } entry: { kind, expiry, key, value in
            unsafe key.withUnsafeBytes { key in
                guard let tree = unsafe tree(of: key, header.sequence, kind: kind, isRange: false) else { return }
                let memtable = memtable(tree)
                memtable.noteCommit(time: header.commitTime)
                unsafe value.withUnsafeBytes { value in
                    unsafe memtable.insert(
                        UnsafeEntry(key: key, sequence: header.sequence, kind: kind, expiry: expiry, value: value))
                }
                isUsed = true
            }
        }
        for (memtable, tombstone) in rangeDeletes {
            memtable.noteCommit(time: header.commitTime)
            memtable.insert(tombstone)
            isUsed = true
        }
        if isUsed { recordCount += 1 }
        for (tree, memtable) in memtables where memtable.byteCount >= output.memtableByteCount {
            try write(memtable, tree)
        }
    }

    /// The tree into which an entry goes; nil if it is in a table already, or its keyspace was dropped.
    private mutating func tree(
        of key: UnsafeRawBufferPointer, _ sequence: UInt64, kind: EntryKind, isRange: Bool
    ) -> UInt32? {
        let id = unsafe Keyspace.id(ofTreeKey: key)
        guard let tree = catalog.tree(of: id) else { return nil }
        guard sequence <= flushedThrough[id] ?? 0 else { return tree }
        // A merge operand may be part of a value in a table by now, and would count twice.
        guard kind != .merge, catalog.keyspaces[id]?.mergeOperator.isEmpty ?? false else { return nil }
        let isLost = lost.contains { range in
            unsafe (range.tree == tree || catalog.earlierTrees[id]?.contains(range.tree) ?? false)
                && range.sequences.contains(sequence) && (isRange || range.contains(key))
        }
        return isLost ? tree : nil
    }

    private mutating func memtable(_ tree: UInt32) -> Memtable {
        if let memtable = memtables[tree] { return memtable }
        let memtable = Memtable()
        memtables[tree] = memtable
        return memtable
    }

    mutating func finish() throws {
        for (tree, memtable) in memtables where !memtable.isEmpty { try write(memtable, tree) }
    }

    private mutating func write(_ memtable: Memtable, _ tree: UInt32) throws {
        guard let record = catalog.trees[tree] else { return }
        tables[tree, default: []].append(try output.write(memtable, of: record))
        memtables[tree] = nil
    }
}
