// ManifestState.swift — everything that the manifest says, as the sum of its edits.

/// What the manifest keeps of a keyspace.
struct KeyspaceRecord: Sendable, Equatable {
    var id: UInt32
    var name: String
    var tree: UInt32
    var expiry: ExpiryPolicy
    var isDedicated: Bool
    var isArchived: Bool
    /// Empty where there is none.
    var mergeOperator: String
    /// The shared tree that has older entries of the keyspace, while it moves to one of its own.
    var former: UInt32?
}

/// What the manifest keeps of a tree.
struct TreeRecord: Sendable, Equatable {
    var id: UInt32
    var options: TreeOptions
    /// Every commit up to this one is in the tree's tables, as far as it touched the tree.
    var flushedThrough: UInt64 = 0
    /// By level.
    var tables: [[TableMetadata]] = Array(repeating: [], count: Levels.count)
}

struct ManifestState: Sendable, Equatable {
    var keyspaces: [UInt32: KeyspaceRecord] = [:]
    var trees: [UInt32: TreeRecord] = [:]
    /// Numbers are never used twice, not even after a crash.
    var nextFileNumber: UInt64 = 1
    var nextKeyspaceID: UInt32 = 1
    var nextTreeID: UInt32 = 1
    /// A commit that had happened when the last edit was written; recovery goes on from here.
    var lastSequence: UInt64 = 0
    /// Commit times never go below this.
    var commitTimeFloor: Int64 = 0
    /// Up to when expired entries may have been purged; nobody may read as of an earlier time.
    var purgedThrough = Int64.min
    /// The log is read from this segment on.
    var logStart: UInt64 = 1
    /// The last sequence before `logStart`.
    var logStartPrevious: UInt64 = 0
    /// The log was on the device up to this sequence; one that ends before has lost something.
    var logSyncedThrough: UInt64 = 0
    /// A log segment that was there, header and name on the device; 0 where none is known.
    var newestSegment: UInt64 = 0
    /// Whether the storage was closed with nothing left in the log.
    var isClosedCleanly = true

    var tableNumbers: Set<UInt64> {
        Set(trees.values.flatMap { $0.tables.joined().map(\.number) })
    }
}

/// A change of the manifest; what is nil stays as it is.
struct VersionEdit: Sendable, Equatable {
    struct NewTable: Sendable, Equatable {
        var tree: UInt32
        var level: Int
        var metadata: TableMetadata
    }

    struct RemovedTable: Sendable, Equatable {
        var tree: UInt32
        var number: UInt64
    }

    struct Flushed: Sendable, Equatable {
        var tree: UInt32
        var through: UInt64
    }

    struct ChangedTree: Sendable, Equatable {
        var tree: UInt32
        var options: TreeOptions
    }

    var newTrees: [TreeRecord] = []
    var changedTrees: [ChangedTree] = []
    var removedTrees: [UInt32] = []
    var newKeyspaces: [KeyspaceRecord] = []
    var changedKeyspaces: [KeyspaceRecord] = []
    var removedKeyspaces: [UInt32] = []
    var newTables: [NewTable] = []
    var removedTables: [RemovedTable] = []
    var flushed: [Flushed] = []
    var nextFileNumber: UInt64?
    var nextKeyspaceID: UInt32?
    var nextTreeID: UInt32?
    var lastSequence: UInt64?
    var commitTimeFloor: Int64?
    var purgedThrough: Int64?
    var logStart: UInt64?
    var logStartPrevious: UInt64?
    var logSyncedThrough: UInt64?
    var newestSegment: UInt64?
    var isClosedCleanly: Bool?

    init() {}

    /// The edit that makes an empty state into `state`.
    init(snapshotOf state: ManifestState) {
        for tree in state.trees.values.sorted(by: { $0.id < $1.id }) {
            newTrees.append(TreeRecord(id: tree.id, options: tree.options))
            flushed.append(Flushed(tree: tree.id, through: tree.flushedThrough))
            for (level, tables) in tree.tables.enumerated() {
                newTables += tables.map { NewTable(tree: tree.id, level: level, metadata: $0) }
            }
        }
        newKeyspaces = state.keyspaces.values.sorted { $0.id < $1.id }
        nextFileNumber = state.nextFileNumber
        nextKeyspaceID = state.nextKeyspaceID
        nextTreeID = state.nextTreeID
        lastSequence = state.lastSequence
        commitTimeFloor = state.commitTimeFloor
        purgedThrough = state.purgedThrough
        logStart = state.logStart
        logStartPrevious = state.logStartPrevious
        logSyncedThrough = state.logSyncedThrough
        newestSegment = state.newestSegment
        isClosedCleanly = state.isClosedCleanly
    }
}

extension VersionEdit {
    /// Which of its numbers is beyond what counting could ever have reached; nil if none is. What is counted on from them never
    /// overflows.
    fileprivate var excess: String? {
        let sequences = [lastSequence, logStartPrevious, logSyncedThrough] + flushed.map(\.through)
        if sequences.contains(where: { $0 ?? 0 > SequenceNumber.max.rawValue }) { return "a sequence is out of range" }
        let numbers = [nextFileNumber, logStart, newestSegment] + newTables.map(\.metadata.number)
        if numbers.contains(where: { $0 ?? 0 > FileNumbers.limit }) { return "the number of a file is out of range" }
        let sizes = newTables.flatMap { [Int($0.metadata.byteCount), $0.metadata.rawByteCount] }
        if sizes.contains(where: { $0 > FileNumbers.limit }) { return "the size of a table is out of range" }
        if nextKeyspaceID == .max || nextTreeID == .max { return "an id is out of range" }
        return nil
    }
}

extension ManifestState {
    /// Applies an edit.
    /// - Returns: What contradicts the state, nil if nothing does.
    mutating func apply(_ edit: VersionEdit) -> String? {
        if let excess = edit.excess { return excess }
        for tree in edit.newTrees {
            guard trees[tree.id] == nil else { return "tree \(tree.id) is created twice" }
            trees[tree.id] = tree
        }
        for change in edit.changedTrees {
            guard let options = trees[change.tree]?.options else { return "the unknown tree \(change.tree) is changed" }
            guard options.isVolatile == change.options.isVolatile else {
                return "tree \(change.tree) changes its nature"
            }
            trees[change.tree]?.options = change.options
        }
        for table in edit.removedTables {
            guard var tree = trees[table.tree] else { return "a table of the unknown tree \(table.tree) is removed" }
            guard
                let level = tree.tables.firstIndex(where: { tables in tables.contains { $0.number == table.number } })
            else { return "the unknown table \(table.number) is removed" }
            tree.tables[level].removeAll { $0.number == table.number }
            trees[table.tree] = tree
        }
        for table in edit.newTables {
            guard trees[table.tree] != nil else { return "a table is added to the unknown tree \(table.tree)" }
            guard table.level < Levels.count else { return "a table is added to level \(table.level)" }
            guard
                trees[table.tree]?.tables.contains(where: { $0.contains { $0.number == table.metadata.number } })
                    == false
            else { return "table \(table.metadata.number) is added twice" }
            trees[table.tree]?.tables[table.level].append(table.metadata)
        }
        for flushed in edit.flushed {
            guard trees[flushed.tree] != nil else { return "the unknown tree \(flushed.tree) was flushed" }
            let known = trees[flushed.tree]?.flushedThrough ?? 0
            trees[flushed.tree]?.flushedThrough = max(known, flushed.through)
        }
        for keyspace in edit.newKeyspaces {
            guard keyspaces[keyspace.id] == nil else { return "keyspace \(keyspace.id) is created twice" }
            if let contradiction = place(keyspace) { return contradiction }
        }
        for keyspace in edit.changedKeyspaces {
            guard let old = keyspaces[keyspace.id], old.name == keyspace.name, old.expiry == keyspace.expiry,
                old.mergeOperator == keyspace.mergeOperator
            else { return "keyspace \(keyspace.id) changes what it is" }
            if let contradiction = place(keyspace) { return contradiction }
        }
        for id in edit.removedKeyspaces {
            guard keyspaces.removeValue(forKey: id) != nil else { return "the unknown keyspace \(id) is removed" }
        }
        for id in edit.removedTrees {
            guard trees.removeValue(forKey: id) != nil else { return "the unknown tree \(id) is removed" }
        }
        applyNumbers(edit)
        return nil
    }

    private mutating func place(_ keyspace: KeyspaceRecord) -> String? {
        guard trees[keyspace.tree] != nil else { return "a keyspace lies in the unknown tree \(keyspace.tree)" }
        if let former = keyspace.former {
            guard trees[former] != nil else { return "a keyspace moves from the unknown tree \(former)" }
            guard keyspace.isDedicated, former != keyspace.tree else { return "keyspace \(keyspace.id) moves nowhere" }
        }
        keyspaces[keyspace.id] = keyspace
        return nil
    }

    mutating func applyNumbers(_ edit: VersionEdit) {
        nextFileNumber = edit.nextFileNumber ?? nextFileNumber
        nextKeyspaceID = edit.nextKeyspaceID ?? nextKeyspaceID
        nextTreeID = edit.nextTreeID ?? nextTreeID
        lastSequence = edit.lastSequence ?? lastSequence
        commitTimeFloor = edit.commitTimeFloor ?? commitTimeFloor
        purgedThrough = edit.purgedThrough ?? purgedThrough
        logStart = edit.logStart ?? logStart
        logStartPrevious = edit.logStartPrevious ?? logStartPrevious
        logSyncedThrough = edit.logSyncedThrough ?? logSyncedThrough
        newestSegment = edit.newestSegment ?? newestSegment
        isClosedCleanly = edit.isClosedCleanly ?? isClosedCleanly
    }
}
