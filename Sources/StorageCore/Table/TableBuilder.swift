// TableBuilder.swift — writes one table from entries that come in order, and how it is laid out.

internal import StorageTypes

/// How a table is laid out.
struct TableOptions: Sendable {
    /// A block is closed once its contents reach this size, before compression.
    var blockByteCount = 8192
    /// How many entries a data block has for each key that is written whole.
    var restartInterval = 16
    var compression = TableCompression.lz4
    /// For the data blocks of a table that is compressed by zstd; empty for none.
    var dictionary: [UInt8] = []
    /// 0 for no filter.
    var filterBitsPerKey = 10
    /// A filter of more bytes than these is cut into one for each index partition, so that it need not be in memory whole.
    var wholeFilterByteCount = 512 << 10
    /// That of all keys that have one; nil where they differ.
    var clusteringLayout: ClusteringLayout?
}

/// Writes one table; used by one flush or compaction, on one thread at a time.
final class TableBuilder {
    // All state in one property; no call comes in while another one is at work.
    @exclusivity(unchecked) private var assembly: TableAssembly

    /// - Parameters:
    ///   - file: An empty file, open for writing.
    ///   - fileNumber: The number in the file's name; readers have to give the same.
    ///   - salt: A random number; with the file number it makes blocks of other files fail their checksums here.
    init(file: any StorageFile, path: String, fileNumber: UInt64, salt: UInt64 = 0, options: TableOptions) {
        unsafe assembly = TableAssembly(file: file, path: path, fileNumber: fileNumber, salt: salt, options: options)
    }

    /// Point entries added so far.
    var entryCount: Int { unsafe assembly.entryCount }

    /// About the size of the file if it were finished now.
    var estimatedByteCount: Int { unsafe assembly.estimatedByteCount }

    /// Whether `key` is not the one added last.
    func isNew(_ key: UnsafeRawBufferPointer) -> Bool { unsafe assembly.isNew(key) }

    /// Adds a point entry: keys ascending, versions of a key by descending sequence.
    func add(
        key: UnsafeRawBufferPointer, sequence: UInt64, kind: EntryKind, expiry: Int64, value: UnsafeRawBufferPointer
    ) throws {
        unsafe try assembly.add(key: key, sequence: sequence, kind: kind, expiry: expiry, value: value)
    }

    /// Adds a range deletion, in any order. One with `lower` ≥ `upper` deletes nothing and is not stored.
    func addRangeTombstone(lower: [UInt8], upper: [UInt8], sequence: UInt64) {
        unsafe assembly.addRangeTombstone(lower: lower, upper: upper, sequence: sequence)
    }

    /// Writes index, filter, range tombstones, properties and footer, and syncs the file. The builder is used up.
    ///
    /// - Parameters:
    ///   - origin: Where the entries come from; nil for a table outside a storage.
    ///   - commitTimes: Bounds those of the table's entries.
    func finish(origin: TableOrigin? = nil, commitTimes: CommitTimes = .unknown) throws -> TableProperties {
        unsafe try assembly.finish(origin: origin, commitTimes: commitTimes)
    }
}
