// StorageOptions.swift — how a storage is opened.

/// Who does background work.
public enum BackgroundWork: Sendable, Hashable {
    /// Dedicated threads for sync, flush and compaction.
    case threads
    /// Nobody: flush and compaction happen where ``Storage/step()`` is called or a write needs room, syncs on the
    /// calling thread. For tests that must be deterministic.
    case manual
}

/// How a storage is opened. The defaults suit a server process with a gigabyte to spare.
public struct StorageOptions: Sendable {
    public var fileSystem: any FileSystem = POSIXFileSystem()
    public var clock: any StorageClock = SystemClock()
    /// Seeds what is random inside (log salts). Mixed with the time, unless work is manual.
    public var seed: UInt64 = 0x5EED
    /// Opens a checkpoint, or a directory that nobody writes to, without changing a byte of it.
    public var isReadOnly = false
    public var backgroundWork = BackgroundWork.threads
    /// How long a `.buffered` commit may stay off the device.
    public var syncInterval = Duration.seconds(1)

    /// Memory for memtables, cached blocks and what open tables keep, over all keyspaces. An eighth is for open tables;
    /// of the rest the block cache takes `blockCacheByteCount`, half at most; memtables share what is left. Volatile
    /// keyspaces come on top: their memory is their data.
    public var memoryByteBudget = 512 << 20
    /// Files that may be open at once: tables share what the log, the manifest and background work leave of it.
    public var descriptorBudget = 512

    /// A memtable that reaches this size is flushed, or at a quarter of what all memtables may hold, if that is less.
    public var memtableByteCount = 64 << 20
    /// Memtables of one keyspace that may wait for their flush before its writers wait for it.
    public var maximumImmutableMemtables = 3
    /// Decompressed blocks kept in memory, over all keyspaces. Nil for a quarter of the memory budget, and what
    /// is kept for memtables that wait for their flush as well, five sixteenths of the budget, as far as none does.
    public var blockCacheByteCount: Int?
    /// How records get into the log's files.
    public var logWriting = LogWriting.automatic
    /// A log segment is full at this size.
    public var logSegmentByteCount: Int64 = 64 << 20
    /// Over this size the log is shortened by flushing what has waited longest.
    public var logByteBudget: Int64 = 512 << 20

    /// Takes the log's segments, of 1 GiB at most, before they are removed; nil for none. Not together with a SQLite database,
    /// which has no log of this kind.
    public var logArchive: (any LogArchive)?

    /// Space set aside so that a full disk still takes what frees space: dropping a keyspace, finishing a compaction.
    public var reserveByteCount: Int64 = 256 << 10

    /// A manifest this long, and four times as long as its state takes, is replaced.
    package var manifestReplacementByteCount: Int64 = 1 << 20

    /// A keyspace that takes this much of a shared tree's tables moves to a tree of its own.
    public var sharedKeyspaceByteCount: Int64 = 64 << 20

    /// Data blocks, before compression.
    public var blockByteCount = 8 << 10
    /// A compaction cuts its output at this size, unless the keyspace has another (``LeveledOptions``).
    public var tableByteCount = 16 << 20
    /// Tables in level 0 that call for a compaction.
    public var levelZeroTableCount = 4
    /// What the first level below 0 may hold at most; each deeper level holds ten times as much as the one above,
    /// unless the keyspace has it otherwise (``LeveledOptions``).
    public var levelOneByteCount: Int64 = 64 << 20
    /// Threads that compact; each tree is compacted by one at a time.
    public var compactionThreadCount = 1
    /// Bytes a second that compactions may write, and then they also hold off for commits that wait for a sync. Nil: as many
    /// as the device takes.
    public var compactionByteRate: Int64?

    /// Is told what happens; nothing is made to tell where nobody listens.
    public var traceSink: (any StorageTraceSink)?
    /// A sync that takes longer is told of.
    public var slowSyncThreshold = Duration.milliseconds(100)

    public init() {}
}

extension StorageOptions {
    static let largestArchivedSegmentByteCount = 1 << 30

    var compactionSettings: CompactionSettings {
        CompactionSettings(
            levelZeroTableCount: levelZeroTableCount, levelOneByteCount: levelOneByteCount,
            tableByteCount: tableByteCount)
    }

    /// What is open besides tables that are read: the lock, the manifest and the one that replaces it, log segments until
    /// they are synced, an output of a flush and of a compaction, directories being synced, a checkpoint's two files.
    private static let otherDescriptorCount = 32

    /// Tables that may be open for reading at once.
    var tableDescriptorCount: Int { max(descriptorBudget - Self.otherDescriptorCount, 8) }

    /// How the tables of a tree are written.
    func tableOptions(for tree: Tree, compression: TableCompression) -> TableOptions {
        TableOptions(
            blockByteCount: blockByteCount, compression: compression, filterBitsPerKey: tree.options.filterBitsPerKey)
    }
}
