// TableVerification.swift — reads a whole table past every cache and checks each rule of Docs/FORMATS.md, "SSTable".

internal import StorageTypes

extension TableReader {
    /// Reads every byte of the table from the file and checks checksums, order, separators, filter, counts and properties.
    ///
    /// - Throws: `StorageError.Code.corruption` for the first thing that is not as it should be.
    func verify() throws {
        var verification = try TableVerification(self)
        try verification.checkEntries()
        try verification.checkRangeTombstones()
        try verification.checkProperties()
        try verification.checkBlocksFillFile()
        try verification.checkFileChecksum()
    }
}

/// One pass over one table: what was met so far.
private struct TableVerification {
    private let reader: TableReader
    private let footer: TableFooter
    private let meta: TableMetaIndex
    private let properties: TableProperties
    private let filter: UnsafeBloomFilter?
    private let filterPartitions: [BlockHandle]
    /// The index partitions met so far, and the filter of the last of them.
    private var partitionCount = 0
    private var filterBlock: Block?
    /// Counted from the entries, to be compared with `properties`.
    private var counted = TableProperties()
    /// Finds the groups that the filter should know; of keys with any tag.
    private let groupLayout: ClusteringLayout?
    private var density = DeleteDensity()
    /// What the table says that it has of each keyspace, and what was counted.
    private let statedSizes: [KeyspaceSize]
    private var sizes: [KeyspaceSize] = []
    /// Every block met.
    private var handles: [BlockHandle]
    private var previous: (key: [UInt8], sequence: UInt64)?

    /// Reads what describes the table anew, from the file.
    init(_ reader: TableReader) throws {
        self.reader = reader
        let blocks = reader.blocks
        footer = try TableFooter.read(blocks.file, path: blocks.path, fileNumber: reader.fileNumber)
        guard footer == reader.footer else {
            throw Self.corruption("The table's footer changed since opening.", reader, blocks.blocksByteCount)
        }
        meta = try TableMetaIndex(blocks, footer.metaIndex)
        properties = try meta.readProperties(blocks, footer)
        // That there may be entries without a clustering is no lie where there are none.
        counted.clustering = properties.clustering.map { ClusteringBounds($0.layout, hasOthers: $0.hasOthers) }
        groupLayout = properties.groupOffset.map { ClusteringLayout(fixedByteCount: UInt8(clamping: $0), tag: 0) }
        filter = try meta.readFilter(blocks)
        filterPartitions = reader.filterPartitions
        handles = meta.allBlocks + [footer.metaIndex]
        statedSizes = try meta.readOrigin(blocks)?.sizes ?? []
        _ = try readBlock(footer.metaIndex, .metaIndex)
        _ = try readBlock(meta.properties, .properties)
        if let index = meta.filterIndex {
            _ = try readBlock(index, .filterIndex)
            guard try meta.readFilterIndex(blocks, partitionCount: reader.topIndex.restartCount) == filterPartitions
            else { throw Self.corruption("The table's filter index changed since opening.", reader, index.offset) }
        }
        if let dictionary = meta.dictionary {
            _ = try blocks.readDictionary(dictionary)
            try checkKind(dictionary, .dictionary)
        }
        if let origin = meta.origin { _ = try readBlock(origin, .origin) }
    }

    // MARK: Entries

    mutating func checkEntries() throws {
        let top = try readBlock(meta.index, .topLevelIndex)
        try forEachIndexEntry(top) { verification, separator, handle in
            let partition = try verification.readBlock(handle, .indexPartition)
            verification.handles.append(handle)
            try verification.enterPartition()
            var last: Separator?
            try verification.forEachIndexEntry(partition) { verification, separator, handle in
                verification.handles.append(handle)
                try verification.checkData(handle, after: last, upTo: separator)
                verification.counted.dataByteCount += Int(handle.byteCount) + TableFormat.blockTrailerByteCount
                last = separator
            }
            guard last == separator else {
                throw partition.location.corruption("The top-level index and the end of a partition differ.")
            }
        }
        counted.largestKey = previous?.key ?? []
    }

    private mutating func enterPartition() throws {
        if partitionCount < filterPartitions.count {
            let handle = filterPartitions[partitionCount]
            filterBlock = try readBlock(handle, .filterPartition)
            handles.append(handle)
        }
        partitionCount += 1
    }

    /// Whether no filter denies a key.
    private func mayContain(_ key: UnsafeRawBufferPointer) throws -> Bool {
        if let filter { return unsafe filter.mayContain(key) }
        guard let filterBlock else { return true }
        defer { extendLifetime(filterBlock) }
        return unsafe try UnsafeFilterLines(filterBlock).mayContain(hash: xxHash64(key))
    }

    private struct Separator: Equatable {
        var key: [UInt8]
        var sequence: UInt64
    }

    /// Calls `visit` with each entry of an index block, which have to ascend.
    private mutating func forEachIndexEntry(
        _ block: Block, _ visit: (inout TableVerification, Separator, BlockHandle) throws -> Void
    ) throws {
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        var previous: Separator?
        try cursor.seekToFirst()
        while cursor.isValid {
            let separator = unsafe Separator(key: Array(cursor.key), sequence: cursor.sequence)
            let ascends = previous.map { Self.precedes($0.key, $0.sequence, separator.key, separator.sequence) } ?? true
            guard ascends, cursor.kind == .put, cursor.expiry == TableFormat.noExpiry else {
                throw block.location.corruption("An index entry is out of order or not an index entry.")
            }
            try visit(&self, separator, unsafe reader.blockHandle(cursor.value, in: block))
            previous = separator
            try cursor.next()
        }
    }

    private mutating func checkData(_ handle: BlockHandle, after: Separator?, upTo separator: Separator) throws {
        let block = try readBlock(handle, .data)
        counted.uncompressedByteCount += block.contentsByteCount
        guard block.restartCount > 0 else { throw block.location.corruption("A data block is empty.") }
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        try cursor.seekToFirst()
        if let after { try checkStart(block, cursor, after) }
        while cursor.isValid {
            try checkEntry(block, cursor)
            try cursor.next()
        }
        guard let previous,
            !Self.precedes(separator.key, separator.sequence, previous.key, previous.sequence)
        else { throw block.location.corruption("A separator lies before the end of its block.") }
    }

    /// The separator before a block lies between its neighbours; unless a key goes on across it, even by its key.
    private func checkStart(_ block: Block, _ cursor: borrowing UnsafeBlockCursor, _ separator: Separator) throws {
        let first = unsafe Array(cursor.key)
        let isSplitKey = previous.map { $0.key == first && $0.key == separator.key } ?? false
        let isBetween =
            isSplitKey
            ? separator.sequence > cursor.sequence : separator.key.lexicographicallyPrecedes(first)
        guard isBetween else { throw block.location.corruption("A block begins before the separator in front of it.") }
    }

    private mutating func checkEntry(_ block: Block, _ cursor: borrowing UnsafeBlockCursor) throws {
        let key = unsafe Array(cursor.key)
        if let previous {
            guard Self.precedes(previous.key, previous.sequence, key, cursor.sequence) else {
                throw block.location.corruption("Entries are out of order.")
            }
        } else {
            counted.smallestKey = key
        }
        if unsafe try !mayContain(cursor.key) {
            throw block.location.corruption("The filter denies a key that is in the table.")
        }
        if let groupEnd = unsafe groupLayout?.groupEnd(in: cursor.key),
            unsafe try !mayContain(UnsafeRawBufferPointer(rebasing: cursor.key[..<groupEnd]))
        {
            throw block.location.corruption("The filter denies the group of a key that is in the table.")
        }
        counted.count(
            kind: cursor.kind, sequence: cursor.sequence, expiry: cursor.expiry, keyByteCount: key.count,
            valueByteCount: unsafe cursor.value.count)
        unsafe counted.clustering?.extend(to: cursor.key)
        density.count(isDelete: cursor.kind == .delete)
        countSize(of: key, byteCount: key.count + (unsafe cursor.value.count))
        previous = (key, cursor.sequence)
    }

    private mutating func countSize(of key: [UInt8], byteCount: Int) {
        guard !statedSizes.isEmpty else { return }
        let id = Keyspace.id(ofTreeKey: key)
        if sizes.last?.id != id { sizes.append(KeyspaceSize(id: id, entryCount: 0, rawByteCount: 0)) }
        sizes[sizes.count - 1].entryCount += 1
        sizes[sizes.count - 1].rawByteCount += byteCount
    }

    // MARK: The rest

    mutating func checkRangeTombstones() throws {
        if let handle = meta.rangeTombstones { _ = try readBlock(handle, .rangeTombstones) }
        let tombstones = try meta.readRangeTombstones(reader.blocks)
        guard tombstones == reader.rangeTombstones else {
            throw Self.corruption(
                "The table's range tombstones changed since opening.", reader, meta.rangeTombstones?.offset ?? 0)
        }
        counted.count(tombstones)
    }

    /// Whether what the entries add up to is what the properties say, and what was read at opening.
    mutating func checkProperties() throws {
        counted.fileByteCount = properties.fileByteCount
        counted.compression = properties.compression
        counted.groupOffset = properties.groupOffset
        counted.fileChecksum = properties.fileChecksum
        counted.densestDeleteCount = density.densest
        counted.earliestTime = properties.earliestTime
        counted.latestTime = properties.latestTime
        guard counted == properties, properties == reader.properties else {
            throw Self.corruption(
                "The table's properties do not match its entries.", reader, meta.properties.offset)
        }
        guard sizes == statedSizes else {
            throw Self.corruption(
                "The table has other sizes of its keyspaces than its origin says.", reader, meta.origin?.offset ?? 0)
        }
    }

    /// No byte in front of the footer belongs to no block or to two.
    func checkBlocksFillFile() throws {
        guard try TableHeader.read(reader.blocks.file, path: reader.blocks.path) == footer.header else {
            throw Self.corruption("Header and footer of the table differ.", reader, 0)
        }
        var end = UInt64(TableHeader.byteCount)
        for handle in handles.sorted(by: { $0.offset < $1.offset }) {
            guard handle.offset == end else {
                throw StorageError.corruption(
                    "Blocks of the table overlap or leave a gap.", file: reader.blocks.path, offset: Int64(end))
            }
            end += handle.byteCount + UInt64(TableFormat.blockTrailerByteCount)
        }
        guard end == reader.blocks.blocksByteCount else {
            throw Self.corruption("Bytes in front of the table's footer belong to no block.", reader, end)
        }
    }

    func checkFileChecksum() throws {
        let checksum = try reader.blocks.checksum(upTo: meta.properties.offset)
        guard checksum == properties.fileChecksum else {
            throw Self.corruption("The table fails the checksum over its blocks.", reader, 0)
        }
    }

    private func readBlock(_ handle: BlockHandle, _ kind: BlockKind) throws -> Block {
        let block = try reader.blocks.readBlock(handle)
        try block.checkLayout()
        try checkKind(handle, kind)
        return block
    }

    private func checkKind(_ handle: BlockHandle, _ kind: BlockKind) throws {
        guard try reader.blocks.kind(handle) == kind else {
            throw reader.blocks.location(handle).corruption("The block does not say of itself what it is.")
        }
    }

    private static func precedes(
        _ left: [UInt8], _ leftSequence: UInt64, _ right: [UInt8], _ rightSequence: UInt64
    ) -> Bool {
        let order = compareBytes(left, right)
        return order < 0 || (order == 0 && leftSequence > rightSequence)
    }

    private static func corruption(_ message: String, _ reader: TableReader, _ offset: UInt64) -> StorageError {
        .corruption(message, file: reader.blocks.path, offset: Int64(clamping: offset))
    }
}

extension Block {
    /// Checks that entries follow one another without gaps up to the restart points, and that these lead to entries whose
    /// keys are whole.
    func checkLayout() throws {
        var offset = 0
        var keyByteCount = 0
        var nextRestart = 0
        while offset < entriesByteCount {
            guard let entry = entries.entry(at: offset) else { throw badEntry(offset) }
            let isRestart = nextRestart < restartCount && entries.restart(nextRestart) == offset
            if isRestart { nextRestart += 1 }
            guard entry.shared <= (isRestart ? 0 : keyByteCount) else { throw badEntry(offset) }
            keyByteCount = entry.keyByteCount
            offset = entry.endOffset
        }
        guard nextRestart == restartCount else {
            throw location.corruption("A restart point of the block leads to no entry.")
        }
    }
}
