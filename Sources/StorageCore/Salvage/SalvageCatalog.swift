// SalvageCatalog.swift — the keyspaces and trees of a salvaged storage, from whatever still tells of them.

internal import StorageTypes

struct SalvageCatalog {
    let manifest: SalvagedManifest
    /// Whether the manifest says which tables and keyspaces there are; else the tables do.
    var isCertain: Bool
    private(set) var keyspaces: [UInt32: KeyspaceRecord]
    var trees: [UInt32: TreeRecord]
    private(set) var remarks: [String] = []
    private var lastSequence: UInt64
    private var commitTime: Int64
    private var largestKeyspaceID: UInt32 = 0
    /// Other trees whose tables may have entries of a keyspace: it has moved.
    private(set) var earlierTrees: [UInt32: Set<UInt32>] = [:]

    init(_ manifest: SalvagedManifest) {
        self.manifest = manifest
        isCertain = manifest.isWhole
        keyspaces = manifest.state.keyspaces
        trees = manifest.state.trees.mapValues { TreeRecord(id: $0.id, options: $0.options) }
        lastSequence = manifest.state.lastSequence
        commitTime = manifest.state.commitTimeFloor
        for record in keyspaces.values {
            guard let former = record.former else { continue }
            keyspaces[record.id]?.former = nil
            earlierTrees[record.id] = [former]
        }
    }

    mutating func note(sequence: UInt64) { lastSequence = max(lastSequence, sequence) }

    mutating func note(commitTime time: Int64) { commitTime = max(commitTime, time) }

    /// Takes in what a table says of its tree and keyspaces, unless the manifest knows better.
    mutating func add(_ origin: TableOrigin) {
        guard !isCertain else { return }
        if trees[origin.tree] == nil { trees[origin.tree] = TreeRecord(id: origin.tree, options: origin.treeOptions) }
        for record in origin.keyspaces { noteMove(record, in: origin) }
        for record in origin.keyspaces where keyspaces[record.id] == nil && !isDropped(record.id) {
            // Of two keyspaces of one name, the older was dropped.
            let namesake = keyspaces.values.first { $0.name == record.name }
            if let namesake {
                guard namesake.id < record.id else { continue }
                keyspaces[namesake.id] = nil
            }
            keyspaces[record.id] = record
        }
    }

    /// A keyspace that is known in another tree has moved, once, and to the tree that was made for it: the newer one.
    private mutating func noteMove(_ record: KeyspaceRecord, in origin: TableOrigin) {
        // The table was written when the keyspace was on its way, and is from before that.
        if record.tree != origin.tree { earlierTrees[record.id, default: []].insert(origin.tree) }
        if trees[record.tree] == nil { trees[record.tree] = TreeRecord(id: record.tree, options: origin.treeOptions) }
        guard let known = keyspaces[record.id], known.tree != record.tree else { return }
        let (earlier, later) = (min(known.tree, record.tree), max(known.tree, record.tree))
        earlierTrees[record.id, default: []].insert(earlier)
        keyspaces[record.id]?.tree = later
        keyspaces[record.id]?.isDedicated = true
    }

    /// The tree of a keyspace; nil if the keyspace was dropped. One that nobody tells of gets a name and a tree.
    /// - Parameter tree: Where entries of the keyspace were found; nil if they were in the log.
    mutating func tree(of id: UInt32, in tree: UInt32? = nil) -> UInt32? {
        if let record = keyspaces[id] { return record.tree }
        guard !isDropped(id), id > 0, id < UInt32.max - 1 else { return nil }
        let home = tree ?? addTree(TreeOptions())
        let record = KeyspaceRecord(
            id: id, name: "lost+found/\(id)", tree: home, expiry: .none, isDedicated: false, isArchived: true,
            mergeOperator: "")
        keyspaces[id] = record
        remarks.append("The name and options of keyspace \(id) are lost: it is called \"\(record.name)\".")
        return home
    }

    mutating func addTree(_ options: TreeOptions) -> UInt32 {
        let id = max(trees.keys.max() ?? 0, manifest.state.nextTreeID) + 1
        trees[id] = TreeRecord(id: id, options: options)
        return id
    }

    private func isDropped(_ id: UInt32) -> Bool {
        manifest.removedKeyspaces.contains(id) || (isCertain && id < manifest.state.nextKeyspaceID)
    }

    /// The keyspaces that a span of tree keys meets, and the span in user keys if it is but one.
    func place(_ lower: [UInt8]?, _ upper: [UInt8]?) -> (keyspaces: [String], range: KeyRange?) {
        let first = lower.map { Keyspace.id(ofTreeKey: $0) } ?? 0
        let last = upper.map { Keyspace.id(ofTreeKey: $0) } ?? .max
        let met = keyspaces.values.filter { first <= $0.id && $0.id <= last }.sorted { $0.id < $1.id }
        guard met.count == 1, let lower, let upper, first == last else { return (met.map(\.name), nil) }
        let range = KeyRange(
            lower: Array(lower.dropFirst(Keyspace.prefixByteCount)),
            upper: Array(upper.dropFirst(Keyspace.prefixByteCount)) + [0])
        return (met.map(\.name), range)
    }

    /// What the manifest of the new storage says.
    func finalState(nextFileNumber: UInt64) -> ManifestState {
        var state = ManifestState()
        state.keyspaces = keyspaces
        state.trees = trees.mapValues { tree in
            var tree = tree
            tree.flushedThrough = lastSequence
            return tree
        }
        state.nextFileNumber = nextFileNumber
        state.nextKeyspaceID = max(manifest.state.nextKeyspaceID, (keyspaces.keys.max() ?? 0) + 1)
        state.nextTreeID = max(manifest.state.nextTreeID, (trees.keys.max() ?? 0) + 1)
        state.lastSequence = lastSequence
        state.commitTimeFloor = commitTime
        state.purgedThrough = manifest.state.purgedThrough
        state.logStartPrevious = lastSequence
        state.isClosedCleanly = true
        return state
    }
}
