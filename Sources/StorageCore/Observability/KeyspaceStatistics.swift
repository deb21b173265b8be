// KeyspaceStatistics.swift — what one keyspace costs, be it alone in its tree or one of many.

/// One keyspace.
///
/// What was written to it is counted exactly. On disk it is exact too where the keyspace has a tree of its own. Tables that
/// several keyspaces share say how many entries of each they have; their bytes are split by the size of keys and values
/// before compression, which is an estimate (``isEstimate``).
public struct KeyspaceStatistics: Sendable, Hashable {
    public var name = ""
    public var id: UInt32 = 0
    /// ``TreeStatistics/id`` of the tree that it lies in; nil in a SQLite database, which has none.
    public var tree: UInt32?
    /// Other keyspaces in the same tree.
    public var neighbourCount = 0
    /// Only in memory, never on disk.
    public var isVolatile = false
    /// Puts, deletes and merges since opening, and the bytes of their keys and values and of the bounds of range deletes.
    public var writtenEntryCount = 0
    public var userByteCount = 0
    /// From level 0 down to the deepest in which it has a part of a table.
    public var levels: [KeyspaceLevelStatistics] = []
    /// Whether bytes of tables are estimated, because others have a part in them.
    public var isEstimate = false
    /// Tables that could not be asked what they have of it: they are missing from the levels.
    public var unreadableTableCount = 0
    /// Those of its tree where nobody else is in it, see ``TreeStatistics``; nil where others are.
    public var writeAmplification: Double?
    public var spaceAmplification: Double?
    public var readAmplification: Int?

    /// Tables that it has a part in.
    public var tableCount: Int { levels.reduce(0) { $0 + $1.tableCount } }
    /// Its part of them.
    public var byteCount: Int64 { levels.reduce(0) { $0 + $1.byteCount } }
    /// Its versions in tables; a key that was overwritten may count more than once.
    public var entryCount: Int { levels.reduce(0) { $0 + $1.entryCount } }
}

/// What a keyspace has in one level of its tree.
public struct KeyspaceLevelStatistics: Sendable, Hashable {
    /// Tables that it has a part in.
    public var tableCount = 0
    /// Its part of them.
    public var byteCount: Int64 = 0
    public var entryCount = 0
}

/// What the tables of a tree have of each keyspace.
struct KeyspaceCensus {
    fileprivate struct Part {
        var levels: [KeyspaceLevelStatistics] = []
        var isEstimate = false
    }

    private var parts: [UInt32: Part] = [:]
    private var unreadable: [TableMetadata] = []

    /// - Parameter levels: Those of a tree, and of the shared tree that its keyspace is leaving.
    init(_ levels: [Levels]) {
        for levels in levels {
            for level in levels.tables.indices {
                for file in levels[level] { add(file, level) }
            }
        }
    }

    private mutating func add(_ file: TableFile, _ level: Int) {
        guard let sizes = try? file.sizes() else { return unreadable.append(file.metadata) }
        for size in sizes { parts[size.id, default: Part()].add(file, size, level, isShared: sizes.count > 1) }
    }

    func fill(_ statistics: inout KeyspaceStatistics) {
        let part = parts[statistics.id] ?? Part()
        statistics.levels = part.levels
        statistics.isEstimate = part.isEstimate
        statistics.unreadableTableCount = unreadable.count { $0.keyspaceIDs.contains(statistics.id) }
    }
}

fileprivate extension KeyspaceCensus.Part {
    mutating func add(_ file: TableFile, _ size: KeyspaceSize, _ level: Int, isShared: Bool) {
        while levels.count <= level { levels.append(KeyspaceLevelStatistics()) }
        levels[level].tableCount += 1
        levels[level].byteCount += isShared ? file.byteCount(of: size) : file.metadata.byteCount
        levels[level].entryCount += size.entryCount
        if isShared { isEstimate = true }
    }
}
