// TableReader.swift — an open table: footer, properties, top-level index, filter and range tombstones in memory, everything
// else through the block cache.
//
// Invariant: immutable after opening, so any number of threads read it without locks. No bytes of the file reach a caller
// unless the checksum of their block holds.

internal import StorageTypes

/// Reads one table.
final class TableReader: Sendable {
    let properties: TableProperties
    /// Sorted by (lower ascending, sequence descending).
    let rangeTombstones: [RangeTombstone]
    let fileNumber: UInt64

    let footer: TableFooter
    let blocks: TableBlockFile
    let topIndex: Block
    /// Absent in a table without point entries, without filter, or with one for each index partition.
    let filter: UnsafeBloomFilter?
    /// The filter's bits, for those who keep the table.
    let filterLines: UnsafeFilterLines?
    let holdsEntries: Bool
    private let clustering: ClusteringBounds?
    private let cache: BlockCache
    /// A group over more index partitions than these is taken to be there.
    private static let groupPartitionLimit = 4
    private let partitions: UnsafePinnedBlocks
    /// Where the filters of the index partitions lie; none in a table with one filter.
    let filterPartitions: [BlockHandle]
    /// Who wants to know which blocks are read.
    private let tracing: TableTracing?

    /// Opens a table and reads what it keeps in memory.
    ///
    /// - Parameters:
    ///   - fileNumber: The number in the file's name. Among the tables that share a cache, each has its own.
    ///   - pinnedIndexLimit: How large the index may be for the table to keep the parts of it that were read, instead of the
    ///     cache.
    /// - Throws: `StorageError.Code.corruption`; `.unsupportedFormat` for a file of a newer version or with unknown
    ///   incompatible features.
    static func open(
        file: any StorageFile, path: String, fileNumber: UInt64, cache: BlockCache,
        pinnedIndexLimit: Int = .max
    ) throws -> TableReader {
        let footer = try TableFooter.read(file, path: path, fileNumber: fileNumber)
        let blocks = TableBlockFile(file: file, path: path, footer: footer)
        return try TableReader(
            blocks, footer: footer, meta: TableMetaIndex(blocks, footer.metaIndex), cache: cache,
            pinnedIndexLimit: pinnedIndexLimit)
    }

    private init(
        _ blocks: TableBlockFile, footer: TableFooter, meta: TableMetaIndex, cache: BlockCache,
        pinnedIndexLimit: Int
    ) throws {
        var blocks = blocks
        blocks.dictionary = try meta.readDictionary(blocks)
        self.blocks = blocks
        self.footer = footer
        self.cache = cache
        fileNumber = footer.fileNumber
        properties = try meta.readProperties(blocks, footer)
        topIndex = try blocks.readBlock(meta.index)
        filter = try meta.readFilter(blocks)
        filterLines = filter?.lines
        holdsEntries = properties.entryCount > 0
        clustering = properties.clustering
        filterPartitions = try meta.readFilterIndex(blocks, partitionCount: topIndex.restartCount)
        rangeTombstones = try meta.readRangeTombstones(blocks)
        partitions = UnsafePinnedBlocks(topIndex, byteLimit: pinnedIndexLimit)
        tracing = nil
    }

    /// A reader of the same table that tells which blocks it needs.
    private init(tracing: TableTracing) {
        let origin = tracing.origin
        blocks = origin.blocks
        footer = origin.footer
        cache = origin.cache
        fileNumber = origin.fileNumber
        properties = origin.properties
        topIndex = origin.topIndex
        filter = origin.filter
        filterLines = origin.filterLines
        holdsEntries = origin.holdsEntries
        clustering = origin.clustering
        filterPartitions = origin.filterPartitions
        rangeTombstones = origin.rangeTombstones
        partitions = UnsafePinnedBlocks()
        self.tracing = tracing
    }

    /// The same table, telling `sink` which blocks are needed.
    func traced(by sink: any AccessTraceSink) -> TableReader {
        TableReader(tracing: TableTracing(sink: sink, origin: self))
    }

    /// Memory held as long as the table is open, once it has all of its index that it will keep.
    var memoryByteCount: Int {
        topIndex.byteCount + (filter?.byteCount ?? 0) + partitions.byteCount + filterPartitions.count * 16
            + (blocks.dictionary?.memoryByteCount ?? 0)
            + rangeTombstones.reduce(0) { $0 + $1.lower.count + $1.upper.count + MemoryLayout<RangeTombstone>.size }
    }

    /// False only if the table has no point entry with that key. Asks the filter of the whole table, if there is one.
    func mayContain(_ key: UnsafeRawBufferPointer) -> Bool {
        guard let filter else { return properties.entryCount > 0 }
        return unsafe filter.mayContain(key)
    }

    /// False only if no point entry of an index partition has the key with that hash. Asks the partition's filter, by way of
    /// the cache.
    func mayContain(hash: UInt64, inPartition position: Int) throws -> Bool {
        guard position < filterPartitions.count else { return true }
        let block = try block(filterPartitions[position], fillCache: true)
        defer { extendLifetime(block) }
        return try UnsafeFilterLines(block).mayContain(hash: hash)
    }

    /// False only if the table has no point entry of a group. Asks the filter of the table, or those of the index partitions
    /// in which the group may lie, by way of the cache.
    func mayContain(_ group: KeyGroup) throws -> Bool {
        guard properties.groupOffset == group.offset else { return holdsEntries }
        if let filterLines { return filterLines.mayContain(hash: group.hash) }
        guard !filterPartitions.isEmpty else { return holdsEntries }
        return unsafe try group.bytes.withUnsafeBytes { unsafe try mayContain(hash: group.hash, ofGroup: $0) }
    }

    private func mayContain(hash: UInt64, ofGroup group: UnsafeRawBufferPointer) throws -> Bool {
        guard var top = unsafe try UnsafeBlockSearch(topIndex, group, SequenceNumber.max.rawValue) else { return false }
        for _ in 0..<Self.groupPartitionLimit {
            if unsafe try mayContain(hash: hash, inPartition: top.position) { return true }
            // Keys of the group begin with it, so they come before a separator that is behind it and does not.
            guard unsafe top.startsWithTarget, unsafe try top.next() else { return false }
        }
        return true
    }

    /// The bounds of the clusterings that a layout finds in the table's keys; nil where they are not known.
    @inline(__always)
    func clusteringBounds(by layout: ClusteringLayout) -> ClusteringBounds? {
        clustering?.layout == layout ? clustering : nil
    }

    /// A cursor over the point entries, not yet on an entry. Scans that won't come back, such as compactions, leave the
    /// cache as it is with `fillCache: false`.
    /// - Parameter bounds: What the caller will look at; outside of it, the cursor may be on no entry although there are some.
    func makeCursor(fillCache: Bool = true, bounds: TreeKeyBounds? = nil) -> TableCursor {
        TableCursor(self, fillCache: fillCache, bounds: bounds)
    }

    /// The block a handle leads to, from the cache or the file. `handle` is the value of an index entry of `index`.
    func block(_ handle: UnsafeRawBufferPointer, in index: Block, fillCache: Bool = true) throws -> Block {
        try block(unsafe blockHandle(handle, in: index), fillCache: fillCache)
    }

    /// The index partition that an entry of the top-level index leads to: kept for as long as the table is open if the
    /// table pins its index, so that a read asks the cache for a data block only.
    ///
    /// - Parameters:
    ///   - position: The place of the entry among all.
    ///   - handle: The entry's value.
    func partition(_ position: Int, _ handle: UnsafeRawBufferPointer) throws -> Block {
        if let partition = partitions[position] { return partition }
        return try partition(position, unsafe blockHandle(handle, in: topIndex), fillCache: true)
    }

    func partition(_ position: Int, _ handle: BlockHandle, fillCache: Bool) throws -> Block {
        if let partition = partitions[position] { return partition }
        if let tracing { return try tracedPartition(position, handle, fillCache: fillCache, tracing) }
        guard fillCache, position < partitions.count else { return try block(handle, fillCache: fillCache) }
        return partitions.keep(try blocks.readBlock(handle), at: position)
    }

    /// - Parameter beforeReading: Called if the block has to be read from the file.
    @inline(__always)
    func block(_ handle: BlockHandle, fillCache: Bool, beforeReading: () -> Void = {}) throws -> Block {
        let key = BlockCacheKey(fileNumber: fileNumber, offset: handle.offset)
        if let block = cache.block(key, isUse: fillCache) {
            tell(handle, isCached: true)
            return block
        }
        tell(handle, isCached: false)
        beforeReading()
        let block = try blocks.readBlock(handle, isSearched: fillCache)
        return fillCache ? cache.insert(block, key) : block
    }

    /// The block if the cache has it. To be asked for again, by `block`, if not.
    func cachedBlock(_ handle: BlockHandle) -> Block? {
        cache.block(BlockCacheKey(fileNumber: fileNumber, offset: handle.offset), countsMiss: false)
    }

    /// Says that a block will be read soon.
    func willRead(_ handle: BlockHandle) {
        let byteCount = Int(clamping: handle.byteCount) + TableFormat.blockTrailerByteCount
        blocks.file.willRead(from: Int64(clamping: handle.offset), byteCount: byteCount)
    }

    @inline(__always)
    private func tell(_ handle: BlockHandle, isCached: Bool) {
        guard let tracing else { return }
        let byteCount = Int(clamping: handle.byteCount) + TableFormat.blockTrailerByteCount
        tracing.sink.record(.block(table: fileNumber, byteCount: byteCount, isCached: isCached))
    }

    /// A partition that the reader which this one stands for keeps, or begins to keep.
    private func tracedPartition(
        _ position: Int, _ handle: BlockHandle, fillCache: Bool, _ tracing: TableTracing
    ) throws -> Block {
        let origin = tracing.origin
        if let partition = origin.partitions[position] { return partition }
        guard fillCache, position < origin.partitions.count else { return try block(handle, fillCache: fillCache) }
        tell(handle, isCached: false)
        return try origin.partition(position, handle, fillCache: fillCache)
    }

    func blockHandle(_ bytes: UnsafeRawBufferPointer, in index: Block) throws -> BlockHandle {
        guard let handle = unsafe BlockHandle(bytes) else {
            throw index.location.corruption("An index entry does not hold a block handle.")
        }
        return handle
    }
}
