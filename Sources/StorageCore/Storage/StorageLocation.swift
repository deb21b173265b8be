// StorageLocation.swift — where a storage lives, and what that means for what it can do.

/// Where a storage keeps its data, and with it which engine it has.
public enum StorageLocation: Sendable, Hashable {
    /// A directory with log-structured merge trees: for heavy writing, many keyspaces, and data that outgrows memory.
    case directory(String)
    /// One SQLite database: for programs that want a single file. While it is open, its log lies beside it, under the
    /// same name with `-wal` at its end.
    case sqlite(String)
}

/// What a storage's engine does beyond what all of them do.
public struct StorageCapabilities: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Deleting a range, or dropping a keyspace, costs the same whatever it holds.
    public static let constantTimeRangeDeletes = StorageCapabilities(rawValue: 1 << 0)
    /// A checkpoint shares files with the storage instead of copying them.
    public static let linkedCheckpoints = StorageCapabilities(rawValue: 1 << 1)
    /// Merging doesn't read what it merges with.
    public static let blindMerges = StorageCapabilities(rawValue: 1 << 2)
    /// Compression, filters and other options of how tables are written have an effect.
    public static let tableOptions = StorageCapabilities(rawValue: 1 << 3)
    /// Damage in the middle of the log is told from its torn end, and refused at opening.
    public static let damagedLogDetection = StorageCapabilities(rawValue: 1 << 4)
    /// Writes to volatile keyspaces don't touch the disk.
    public static let volatileInMemory = StorageCapabilities(rawValue: 1 << 5)
    /// Threads that share a snapshot read at the same time.
    public static let parallelSnapshotReads = StorageCapabilities(rawValue: 1 << 6)

    static let trees: StorageCapabilities = [
        .constantTimeRangeDeletes, .linkedCheckpoints, .blindMerges, .tableOptions, .damagedLogDetection,
        .volatileInMemory, .parallelSnapshotReads,
    ]
    static let sqlite: StorageCapabilities = []
}
