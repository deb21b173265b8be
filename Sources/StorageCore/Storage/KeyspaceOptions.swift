// KeyspaceOptions.swift — what a keyspace is opened with.

/// Who decides when an entry with an expiry is gone.
public enum ExpiryPolicy: UInt8, Sendable {
    /// Entries carry no expiry. Stored in the manifest with the next two: do not renumber.
    case none = 0
    /// The storage: an entry is absent from its expiry on. Not together with a merge operator, since a merged value has
    /// no single expiry.
    case engine = 1
    /// The merge operator: the expiry says from when on the entry may be dropped from disk; reads never hide it.
    case `operator` = 2
}

/// How the blocks of a table are compressed.
public enum TableCompression: Sendable, Hashable {
    case none
    case lz4
    /// With a dictionary of about so many bytes (0: without; otherwise a block's size at least, 128 KiB at most) in each table
    /// that a compaction writes from a hundred times as much: samples of its input tell what blocks have in common. It pays
    /// for values that are alike, in small blocks, of which each alone has too few; where samples shrink by less than a
    /// twentieth, the tables go without. It costs the compaction time, and an open table the memory of the dictionary.
    case zstd(level: Int, dictionaryByteCount: Int = 0)

    var dictionaryByteCount: Int {
        if case .zstd(_, let byteCount) = self { max(byteCount, 0) } else { 0 }
    }
}

/// Compression by level: fast where data is young, small where it stays.
public struct CompressionOptions: Sendable, Hashable {
    public var upper: TableCompression
    /// The deepest level that holds data.
    public var bottom: TableCompression

    public init(upper: TableCompression = .lz4, bottom: TableCompression = .zstd(level: 3)) {
        self.upper = upper
        self.bottom = bottom
    }
}

/// What a keyspace is created and opened with.
///
/// Expiry policy, volatility and merge operator are fixed at creation. The others may change: an opening of an existing
/// keyspace makes them durable, tables written from then on follow them, and compactions bring the older ones along. A
/// keyspace that shares its tree moves to one of its own for that.
public struct KeyspaceOptions: Sendable {
    public var mergeOperator: (any MergeOperator)?
    public var expiry: ExpiryPolicy
    /// Never logged, never flushed, empty at every open, outside every promise of durability.
    public var isVolatile: Bool
    /// A tree of its own, for a keyspace that will be big; small keyspaces share one, until they have grown. One that has a
    /// tree of its own keeps it, whatever it is opened with.
    public var isDedicated: Bool
    /// Whether a backup has to cover the keyspace to the second. Kept for those who make backups; ``StorageOptions/logArchive`` takes
    /// the whole log.
    public var isArchived: Bool
    public var compression: CompressionOptions
    /// Bloom filter bits for each key: 10 give about 1 % false positives; 0 writes no filter.
    public var filterBitsPerKey: Int
    /// How its tables are merged. Keyspaces share a tree only where they agree on it and on the next two.
    public var strategy: CompactionStrategy
    /// A table is rewritten when so much of its entries, from 0 to 1, is deleted or has expired and may go; above 1 for nothing
    /// but its size. Nil: a fifth.
    public var garbageThreshold: Double?
    /// Whether its tables are merged and rewritten when that is due. Otherwise only ``Storage/compact()`` and
    /// ``Storage/compact(_:_:)`` do it: no write waits for it, but reads look into ever more tables, and what was deleted
    /// keeps its space. Tables of which nothing is needed any more go all the same, since none of their bytes is read.
    public var compactsAutomatically: Bool
    /// Where its keys have what they are ordered by within their groups. Not stored: tables written while it is open with a
    /// layout have the bounds, where all keyspaces of the tree have the same.
    public var clusteringLayout: ClusteringLayout?

    public init(
        mergeOperator: (any MergeOperator)? = nil, expiry: ExpiryPolicy = .none, isVolatile: Bool = false,
        isDedicated: Bool = false, isArchived: Bool = true, compression: CompressionOptions = CompressionOptions(),
        filterBitsPerKey: Int = 10, strategy: CompactionStrategy = .leveled(),
        garbageThreshold: Double? = nil, compactsAutomatically: Bool = true, clusteringLayout: ClusteringLayout? = nil
    ) {
        self.mergeOperator = mergeOperator
        self.expiry = expiry
        self.isVolatile = isVolatile
        self.isDedicated = isDedicated
        self.isArchived = isArchived
        self.compression = compression
        self.filterBitsPerKey = filterBitsPerKey
        self.strategy = strategy
        self.garbageThreshold = garbageThreshold
        self.compactsAutomatically = compactsAutomatically
        self.clusteringLayout = clusteringLayout
    }
}
