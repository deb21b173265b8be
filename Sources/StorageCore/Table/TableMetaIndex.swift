// TableMetaIndex.swift — finds and reads the blocks that describe a table.

internal import StorageTypes

/// The handles of a table's meta blocks.
struct TableMetaIndex: Sendable {
    let index: BlockHandle
    let properties: BlockHandle
    /// Absent in a table whose blocks can be decompressed without.
    let dictionary: BlockHandle?
    /// Absent in a table without point entries, without filter, or with one for each index partition.
    let filter: BlockHandle?
    /// Lists the filters of the index partitions.
    let filterIndex: BlockHandle?
    /// Absent in a table without range tombstones.
    let rangeTombstones: BlockHandle?
    /// Absent in a table that no tree of a storage has written.
    let origin: BlockHandle?
    /// All blocks listed, those that this version does not know included.
    let allBlocks: [BlockHandle]

    init(_ blocks: TableBlockFile, _ handle: BlockHandle) throws {
        let block = try blocks.readBlock(handle)
        var handles: [String: BlockHandle] = [:]
        for (name, value) in try block.valuesByName() {
            handles[name] = unsafe value.withUnsafeBytes { unsafe BlockHandle($0) }
        }
        typealias Name = TableFormat.MetaBlockName
        guard let index = handles[Name.index], let properties = handles[Name.properties] else {
            throw block.location.corruption("The table's meta index lacks the index or the properties.")
        }
        self.index = index
        self.properties = properties
        dictionary = handles[Name.dictionary]
        filter = handles[Name.filter]
        filterIndex = handles[Name.filterIndex]
        rangeTombstones = handles[Name.rangeTombstones]
        origin = handles[Name.origin]
        allBlocks = Array(handles.values)
    }

    func readProperties(_ blocks: TableBlockFile, _ footer: TableFooter) throws -> TableProperties {
        try TableProperties(blocks.readBlock(properties), fileByteCount: Int(footer.fileByteCount))
    }

    func readDictionary(_ blocks: TableBlockFile) throws -> BlockDictionary? {
        try dictionary.map { try blocks.readDictionary($0) }
    }

    func readFilter(_ blocks: TableBlockFile) throws -> UnsafeBloomFilter? {
        guard let filter else { return nil }
        return try UnsafeBloomFilter(blocks.readContents(filter), location: blocks.location(filter))
    }

    /// The filters of the index partitions, in their order; none if the table has one filter or none at all.
    func readFilterIndex(_ blocks: TableBlockFile, partitionCount: Int) throws -> [BlockHandle] {
        guard let filterIndex else { return [] }
        let block = try blocks.readBlock(filterIndex, isSearched: false)
        var handles: [BlockHandle] = []
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        try cursor.seekToFirst()
        while cursor.isValid {
            guard let handle = unsafe BlockHandle(cursor.value) else {
                throw block.location.corruption("An entry of the filter index does not hold a block handle.")
            }
            handles.append(handle)
            try cursor.next()
        }
        guard handles.count == partitionCount else {
            throw block.location.corruption(
                "The table has \(partitionCount) index partitions and \(handles.count) filters for them.")
        }
        return handles
    }

    func readOrigin(_ blocks: TableBlockFile) throws -> TableOrigin? {
        guard let origin else { return nil }
        return try TableOrigin(blocks.readBlock(origin))
    }

    func readRangeTombstones(_ blocks: TableBlockFile) throws -> [RangeTombstone] {
        guard let rangeTombstones else { return [] }
        return try RangeTombstone.decode(blocks.readBlock(rangeTombstones))
    }
}
