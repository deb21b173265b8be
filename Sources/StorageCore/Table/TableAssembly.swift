// TableAssembly.swift — lays out one table from entries that come in order. Docs/FORMATS.md, "SSTable".
//
// Invariant: a data block's index entry is written when the next block's first key is known, so that its key can be a
// separator: at or after the block's last entry, before the next block's first, as short as that allows.

internal import StorageTypes

/// The state of a builder and what it does with it.
struct TableAssembly: ~Copyable {
    private let file: any StorageFile
    private let path: String
    private let fileNumber: UInt64
    private let salt: UInt64
    private let options: TableOptions

    private var writer: TableFileWriter
    private var data: BlockBuilder
    private var partition = BlockBuilder(restartInterval: 1)
    private var topIndex = BlockBuilder(restartInterval: 1)
    private(set) var filter: BloomFilterBuilder
    /// The filters of index partitions that were written, once the table is too large for one filter.
    private var filterPartitions: [BlockHandle] = []
    private var rangeTombstones: [RangeTombstone] = []
    private var properties = TableProperties()
    private var density = DeleteDensity()
    /// The last one's are what the table had before it.
    private var sizes: [KeyspaceSize] = []
    private var separator = UnsafeByteBuilder()
    /// Where the group of the key added last ends; nil if it has none.
    private var groupEnd: Int?
    /// Written in front of the first data block.
    private var dictionary: BlockHandle?
    /// The data block written last, while its separator isn't known.
    private var pendingBlock: BlockHandle?

    /// - Parameters:
    ///   - file: An empty file, open for writing.
    ///   - fileNumber: The number in the file's name; readers have to give the same.
    ///   - salt: A random number; with the file number it makes blocks of other files fail their checksums here.
    init(file: any StorageFile, path: String, fileNumber: UInt64, salt: UInt64, options: TableOptions) {
        self.file = file
        self.path = path
        self.fileNumber = fileNumber
        self.salt = salt
        self.options = options
        writer = TableFileWriter(
            file: file, header: TableHeader(fileNumber: fileNumber, salt: salt), options: options)
        data = BlockBuilder(restartInterval: options.restartInterval)
        filter = BloomFilterBuilder(bitsPerKey: options.filterBitsPerKey)
        properties.compression = options.compression
        properties.clustering = options.clusteringLayout.map { ClusteringBounds($0) }
        if options.filterBitsPerKey > 0 {
            properties.groupOffset = options.clusteringLayout.map { Int($0.fixedByteCount) }
        }
    }

    /// Point entries added so far.
    var entryCount: Int { properties.entryCount }

    /// Whether the key added last is not `key`.
    func isNew(_ key: UnsafeRawBufferPointer) -> Bool { unsafe compareBytes(data.lastKey, key) != 0 }

    /// About the size of the file if it were finished now.
    var estimatedByteCount: Int {
        Int(writer.byteCount) + data.byteCount + partition.byteCount + topIndex.byteCount + filter.remainingByteCount
    }

    /// Adds a point entry: keys ascending, versions of a key by descending sequence.
    mutating func add(
        key: UnsafeRawBufferPointer, sequence: UInt64, kind: EntryKind, expiry: Int64, value: UnsafeRawBufferPointer
    ) throws {
        assert(sequence <= TableFormat.largestSequence, "A sequence number has 56 bits.")
        guard key.count <= TableFormat.largestEntryByteCount - value.count else {
            throw StorageError(.valueTooLarge, "An entry of a table is limited to 1 GiB.", file: path)
        }
        let common = unsafe data.commonByteCount(key)
        let isNewKey = unsafe entryCount == 0 || common < key.count || common < data.lastKey.count
        if entryCount == 0 { unsafe properties.smallestKey = Array(key) }
        // This may end a partition: the key belongs to the next one then, also if it has versions in both.
        if pendingBlock != nil { unsafe try indexPendingBlock(before: key) }
        let startsPartition = filter.isPartitionEmpty
        if isNewKey || startsPartition { unsafe filter.add(key) }
        if let layout = options.clusteringLayout {
            unsafe addGroup(of: key, by: layout, common: startsPartition ? 0 : common)
            if isNewKey { unsafe properties.clustering?.extend(to: key, groupEnd: groupEnd) }
        }
        if common < Keyspace.prefixByteCount || entryCount == 0 { unsafe beginKeyspace(of: key) }
        unsafe data.add(key: key, sequence: sequence, kind: kind, expiry: expiry, value: value, common: common)
        properties.count(
            kind: kind, sequence: sequence, expiry: expiry, keyByteCount: key.count, valueByteCount: value.count)
        density.count(isDelete: kind == .delete)
        if data.byteCount >= options.blockByteCount { try writeDataBlock() }
    }

    private mutating func beginKeyspace(of key: UnsafeRawBufferPointer) {
        let id = unsafe Keyspace.id(ofTreeKey: key)
        // Keys shorter than an id are in no tree's table.
        guard id != sizes.last?.id else { return }
        endKeyspace()
        sizes.append(KeyspaceSize(id: id, entryCount: entryCount, rawByteCount: properties.rawByteCount))
    }

    private mutating func endKeyspace() {
        guard let last = sizes.indices.last else { return }
        sizes[last].entryCount = entryCount - sizes[last].entryCount
        sizes[last].rawByteCount = properties.rawByteCount - sizes[last].rawByteCount
    }

    /// Adds the key's group to the filter, unless the key before it was of the same.
    /// - Parameter common: How many bytes the key has in common with one before it in the filter's partition.
    private mutating func addGroup(of key: UnsafeRawBufferPointer, by layout: ClusteringLayout, common: Int) {
        if let groupEnd, common >= groupEnd { return }
        groupEnd = unsafe layout.groupEnd(in: key)
        if let groupEnd { unsafe filter.add(UnsafeRawBufferPointer(rebasing: key[..<groupEnd])) }
    }

    /// Adds a range deletion, in any order. One with `lower` ≥ `upper` deletes nothing and is not stored.
    mutating func addRangeTombstone(lower: [UInt8], upper: [UInt8], sequence: UInt64) {
        assert(sequence <= TableFormat.largestSequence, "A sequence number has 56 bits.")
        rangeTombstones.append(RangeTombstone(lower: lower, upper: upper, sequence: sequence))
    }

    /// Writes index, filter, range tombstones, properties and footer, and syncs the file. The builder is used up.
    ///
    /// - Parameters:
    ///   - origin: Where the entries come from; nil for a table outside a storage.
    ///   - commitTimes: Bounds those of the table's entries.
    mutating func finish(origin: TableOrigin?, commitTimes: CommitTimes) throws -> TableProperties {
        let index = try finishIndex()
        var metaBlocks: [(name: String, handle: BlockHandle)] = [(TableFormat.MetaBlockName.index, index)]
        if let dictionary { metaBlocks.append((TableFormat.MetaBlockName.dictionary, dictionary)) }
        if !filter.isEmpty { metaBlocks.append(try writeFilter()) }
        rangeTombstones = RangeTombstone.tableOrdered(rangeTombstones)
        if !rangeTombstones.isEmpty {
            metaBlocks.append((TableFormat.MetaBlockName.rangeTombstones, try writeRangeTombstones()))
        }
        if let origin { metaBlocks.append((TableFormat.MetaBlockName.origin, try write(origin))) }
        properties.count(rangeTombstones)
        properties.densestDeleteCount = density.densest
        properties.bound(by: commitTimes)
        properties.fileChecksum = writer.checksum()
        let stored = try writeNamedValues(properties.encoded(), .properties)
        metaBlocks.append((TableFormat.MetaBlockName.properties, stored))
        try writeFooter(metaIndex: writeNamedValues(metaBlocks.map { ($0.name, $0.handle.encoded()) }, .metaIndex))
        try file.sync()
        return properties
    }

    private mutating func writeDataBlock() throws {
        if dictionary == nil, !options.dictionary.isEmpty {
            dictionary = unsafe try options.dictionary.withUnsafeBytes {
                unsafe try writer.append(block: $0, .dictionary)
            }
        }
        let contents = unsafe data.finish()
        let handle = unsafe try writer.append(block: contents, .data)
        properties.uncompressedByteCount += contents.count
        data.reset()
        properties.dataByteCount += Int(handle.byteCount) + TableFormat.blockTrailerByteCount
        pendingBlock = handle
    }

    private mutating func indexPendingBlock(before nextKey: UnsafeRawBufferPointer) throws {
        let sequence = unsafe writeSeparator(
            last: data.lastKey, lastSequence: data.lastSequence, next: nextKey, into: &separator)
        try indexPendingBlock(separatorSequence: sequence)
    }

    private mutating func indexPendingBlock(separatorSequence: UInt64) throws {
        guard let handle = pendingBlock else { return }
        pendingBlock = nil
        unsafe partition.add(separator.bytes, separatorSequence, handle)
        if partition.byteCount >= options.blockByteCount { try writePartition() }
    }

    private mutating func writePartition() throws {
        guard !partition.isEmpty else { return }
        let handle = unsafe try writer.append(block: partition.finish(), .indexPartition)
        partition.reset()
        unsafe topIndex.add(partition.lastKey, partition.lastSequence, handle)
        filter.endPartition()
        if filter.byteCount > options.wholeFilterByteCount { try writeFilterPartitions() }
    }

    /// Writes a filter for each index partition that has ended and has none yet, so that the hashes of its keys can go: a table
    /// of any size is built in little memory.
    private mutating func writeFilterPartitions() throws {
        var contents = UnsafeByteBuilder()
        for position in 0..<filter.partitionCount {
            contents.removeAll()
            filter.write(partition: position, to: &contents)
            var block = BlockBuilder(restartInterval: 1)
            // The key's bytes say nothing: they bring the lines to a multiple of 64 bytes, as processors have theirs.
            let padding = [UInt8](repeating: 0, count: 64 - 3 - varintByteCount(UInt64(contents.count)))
            unsafe padding.withUnsafeBytes { padding in
                unsafe block.add(
                    key: padding, sequence: 0, kind: .put, expiry: TableFormat.noExpiry, value: contents.bytes)
            }
            filterPartitions.append(unsafe try writer.append(block: block.finish(), .filterPartition))
        }
        filter.removePartitions()
    }

    private mutating func finishIndex() throws -> BlockHandle {
        if entryCount > 0 { unsafe properties.largestKey = Array(data.lastKey) }
        if !data.isEmpty { try writeDataBlock() }
        if pendingBlock != nil {
            unsafe writeFinalSeparator(last: data.lastKey, into: &separator)
            // Sequence 0 is at or after every version, should the separator be the last key itself.
            try indexPendingBlock(separatorSequence: 0)
        }
        try writePartition()
        return unsafe try writer.append(block: topIndex.finish(), .topLevelIndex)
    }

    private mutating func writeFilter() throws -> (name: String, handle: BlockHandle) {
        guard filterPartitions.isEmpty else { return (TableFormat.MetaBlockName.filterIndex, try writeFilterIndex()) }
        var contents = UnsafeByteBuilder(capacity: filter.byteCount)
        filter.write(to: &contents)
        return (TableFormat.MetaBlockName.filter, unsafe try writer.append(block: contents.bytes, .filter))
    }

    /// Writes what lists the filters of the index partitions.
    private mutating func writeFilterIndex() throws -> BlockHandle {
        var index = BlockBuilder(restartInterval: 16)
        for (position, handle) in filterPartitions.enumerated() {
            let key = [UInt8](unsafe withUnsafeBytes(of: UInt32(position).bigEndian) { unsafe Array($0) })
            unsafe key.withUnsafeBytes { unsafe index.add($0, 0, handle) }
        }
        return unsafe try writer.append(block: index.finish(), .filterIndex)
    }

    private mutating func writeRangeTombstones() throws -> BlockHandle {
        var block = BlockBuilder(restartInterval: 16)
        for tombstone in rangeTombstones {
            unsafe tombstone.lower.withUnsafeBytes { lower in
                unsafe tombstone.upper.withUnsafeBytes { upper in
                    unsafe block.add(
                        key: lower, sequence: tombstone.sequence, kind: .delete, expiry: TableFormat.noExpiry,
                        value: upper)
                }
            }
        }
        return unsafe try writer.append(block: block.finish(), .rangeTombstones)
    }

    /// With only what the table is about of the keyspaces given.
    private mutating func write(_ origin: TableOrigin) throws -> BlockHandle {
        var origin = origin
        var bounds = rangeTombstones.flatMap { [$0.lower, $0.upper] }
        if entryCount > 0 { bounds += [properties.smallestKey, properties.largestKey] }
        origin.keepKeyspaces(between: bounds)
        endKeyspace()
        origin.sizes = sizes.count > 1 ? sizes : []
        return try writeNamedValues(origin.encoded(), .origin)
    }

    private mutating func writeNamedValues(_ values: [(name: String, value: [UInt8])], _ kind: BlockKind) throws
        -> BlockHandle
    {
        var block = BlockBuilder(restartInterval: 16)
        for (name, value) in values.sorted(by: { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }) {
            unsafe Array(name.utf8).withUnsafeBytes { key in
                unsafe value.withUnsafeBytes { value in
                    unsafe block.add(key: key, sequence: 0, kind: .put, expiry: TableFormat.noExpiry, value: value)
                }
            }
        }
        return unsafe try writer.append(block: block.finish(), kind)
    }

    private mutating func writeFooter(metaIndex: BlockHandle) throws {
        properties.fileByteCount = Int(writer.byteCount) + TableFooter.byteCount
        let footer = TableFooter(
            metaIndex: metaIndex, fileByteCount: UInt64(properties.fileByteCount), fileNumber: fileNumber, salt: salt,
            incompatibleFeatures: dictionary == nil ? 0 : TableFooter.dictionaryFeature)
        writer.append(raw: footer.encoded())
        try writer.flush()
    }
}

extension BlockHandle {
    fileprivate func encoded() -> [UInt8] {
        var writer = ByteWriter(reservingCapacity: 20)
        writer.varint(offset)
        writer.varint(byteCount)
        return writer.bytes
    }
}

extension BlockBuilder {
    /// Adds an index entry.
    fileprivate mutating func add(_ separator: UnsafeRawBufferPointer, _ sequence: UInt64, _ handle: BlockHandle) {
        let value = handle.encoded()
        unsafe value.withUnsafeBytes { value in
            unsafe add(key: separator, sequence: sequence, kind: .put, expiry: TableFormat.noExpiry, value: value)
        }
    }
}

private func varintByteCount(_ value: UInt64) -> Int { max(1, (70 - value.leadingZeroBitCount) / 7) }
