// TreeStatistics.swift — the state of one tree.

/// One tree: a dedicated keyspace, or several that share it.
public struct TreeStatistics: Sendable, Hashable {
    public var id: UInt32 = 0
    /// The keyspaces in it, sorted.
    public var keyspaces: [String] = []
    /// Only in memory, never on disk.
    public var isVolatile = false
    /// From level 0 down to the deepest that holds a table.
    public var levels: [LevelStatistics] = []
    public var memtable = MemtableStatistics()
    /// Puts, deletes and merges since opening, and their bytes.
    public var writtenEntryCount = 0
    public var userByteCount = 0
    public var flushes = WorkStatistics()
    public var compactions = WorkStatistics()
    /// Tables that a compaction moved to another level, or dropped, without reading them.
    public var unreadTableCount = 0
    /// Bytes that lie where the tree's strategy does not want them: what compaction still has to move.
    public var compactionDebtByteCount: Int64 = 0
    /// How hard the debt presses on writers: nothing at 0, as hard as it can at 1. In a total, the hardest.
    public var writePressure = 0.0
    public var lookups = LookupStatistics()
    /// Bytes of the largest sorted run: a table of level 0, or a deeper level. Where windows of time are never merged with one
    /// another, the largest of each, together.
    public var largestRunByteCount: Int64 = 0

    public var tableCount: Int { levels.reduce(0) { $0 + $1.tableCount } }
    public var byteCount: Int64 { levels.reduce(0) { $0 + $1.byteCount } }
    /// Versions in tables; a key that was overwritten may count more than once.
    public var entryCount: Int { levels.reduce(0) { $0 + $1.entryCount } }
    /// Deletes and range deletes in tables.
    public var tombstoneCount: Int { levels.reduce(0) { $0 + $1.tombstoneCount } }

    /// Bytes that flushes and compactions wrote for each byte committed since opening, without the log, which trees
    /// share.
    public var writeAmplification: Double? {
        ratio(flushes.outputByteCount + compactions.outputByteCount, userByteCount)
    }

    /// Bytes of all tables for each byte of the largest sorted run: what is on disk for each byte that would be if everything
    /// were compacted, as far as the other runs overwrite that one. It is too high where they hold other keys. Nil without
    /// tables. (RocksDB's universal compaction has the same, with the oldest run for the largest.)
    public var spaceAmplification: Double? { ratio(Int(byteCount), Int(largestRunByteCount)) }

    /// Sorted runs that a look-up may have to search at worst, memtables included: filters rule most of them out.
    public var readAmplification: Int {
        1 + memtable.immutableCount + (levels.first?.tableCount ?? 0)
            + levels.dropFirst().count { $0.tableCount > 0 }
    }

    mutating func add(_ other: TreeStatistics) {
        for (index, level) in other.levels.enumerated() {
            if levels.count <= index { levels.append(LevelStatistics()) }
            levels[index].add(level)
        }
        memtable.add(other.memtable)
        writtenEntryCount += other.writtenEntryCount
        userByteCount += other.userByteCount
        flushes.add(other.flushes)
        compactions.add(other.compactions)
        unreadTableCount += other.unreadTableCount
        compactionDebtByteCount += other.compactionDebtByteCount
        writePressure = max(writePressure, other.writePressure)
        lookups.add(other.lookups)
        largestRunByteCount += other.largestRunByteCount
    }
}

/// One level of a tree.
public struct LevelStatistics: Sendable, Hashable {
    public var tableCount = 0
    public var byteCount: Int64 = 0
    public var entryCount = 0
    public var tombstoneCount = 0

    mutating func add(_ other: LevelStatistics) {
        tableCount += other.tableCount
        byteCount += other.byteCount
        entryCount += other.entryCount
        tombstoneCount += other.tombstoneCount
    }
}

public struct MemtableStatistics: Sendable, Hashable {
    /// Memory of the memtable that takes writes.
    public var byteCount = 0
    public var entryCount = 0
    /// Memtables that wait for their flush.
    public var immutableCount = 0
    public var immutableByteCount = 0

    mutating func add(_ other: MemtableStatistics) {
        byteCount += other.byteCount
        entryCount += other.entryCount
        immutableCount += other.immutableCount
        immutableByteCount += other.immutableByteCount
    }
}

/// Flushes or compactions since opening, those that failed left out.
public struct WorkStatistics: Sendable, Hashable {
    public var count = 0
    public var runningCount = 0
    /// What memtables held in memory, or tables on disk.
    public var inputByteCount = 0
    /// Tables written.
    public var outputByteCount = 0
    public var duration = Duration.zero

    mutating func add(_ other: WorkStatistics) {
        count += other.count
        runningCount += other.runningCount
        inputByteCount += other.inputByteCount
        outputByteCount += other.outputByteCount
        duration += other.duration
    }
}

/// Look-ups of single keys since opening. Counted without synchronization: a few may be missing where many threads read.
public struct LookupStatistics: Sendable, Hashable {
    public var count = 0
    /// Tables whose filter saved the search.
    public var ruledOutTableCount = 0
    public var searchedTableCount = 0
    /// Tables that were searched in vain: what their filter let through without need.
    public var misledTableCount = 0

    /// The part of tables without the key that filters ruled out; nil before any was asked.
    public var filterEffectiveness: Double? { ratio(ruledOutTableCount, ruledOutTableCount + misledTableCount) }

    /// Tables searched by look-up; nil before the first.
    public var searchedTables: Double? { ratio(searchedTableCount, count) }

    mutating func add(_ other: LookupStatistics) {
        count += other.count
        ruledOutTableCount += other.ruledOutTableCount
        searchedTableCount += other.searchedTableCount
        misledTableCount += other.misledTableCount
    }
}
