// SalvagedTable.swift — what is left of a table that fails its verification.

internal import StorageTypes

/// The intact blocks of one table, and the gaps between them.
struct SalvagedTable {
    /// Bytes that belong to no intact block.
    struct Gap {
        var offsets: Range<Int64>
        /// The last tree key of the data blocks before, and the first of those behind; nil where there are none.
        var after: [UInt8]?
        var before: [UInt8]?
    }

    let path: String
    let number: UInt64
    private(set) var properties: TableProperties?
    private(set) var origin: TableOrigin?
    private(set) var rangeTombstones: [RangeTombstone] = []
    private(set) var gaps: [Gap] = []
    /// In the order of the file, which is that of the keys.
    private var dataBlocks: [BlockHandle] = []
    private var blocks: TableBlockFile

    /// Finds what is intact.
    /// - Throws: `.ioFailure`, `.unsupportedFormat`; `.corruption` if neither footer nor header is left.
    ///
    /// - Parameter reach: The size of blocks up to which a window is enough to find them.
    init(_ file: any StorageFile, path: String, number: UInt64, reach: Int = 512 << 10) throws {
        self.path = path
        self.number = number
        let byteCount = Int(try file.byteCount())
        let (header, limit) = try Self.header(file, path: path, number: number, byteCount: byteCount)
        let footer = TableFooter(
            metaIndex: BlockHandle(offset: 0, byteCount: 0), fileByteCount: UInt64(limit + TableFooter.byteCount),
            fileNumber: header.fileNumber, salt: header.salt)
        blocks = TableBlockFile(file: file, path: path, footer: footer)
        try findBlocks(TableBlockFinder(file, header: header, limit: limit, reach: reach), file, limit, byteCount)
    }

    private mutating func findBlocks(
        _ finder: TableBlockFinder, _ file: any StorageFile, _ limit: Int, _ fileByteCount: Int
    ) throws {
        let before = self
        let candidates = try finder.candidates()
        try findBlocks(candidates, file, limit, fileByteCount)
        // A gap may be one long block.
        let further = try gaps.filter { $0.offsets.count > finder.reach }.flatMap { gap in
            try finder.candidates(in: Int(gap.offsets.lowerBound)..<min(Int(gap.offsets.upperBound), limit))
        }
        guard !further.isEmpty else { return }
        self = before
        try findBlocks(TableBlockFinder.sorted(candidates + further), file, limit, fileByteCount)
    }

    /// Number and salt, and where the blocks end.
    private static func header(
        _ file: any StorageFile, path: String, number: UInt64, byteCount: Int
    ) throws -> (TableHeader, limit: Int) {
        do {
            let footer = try TableFooter.read(file, path: path, fileNumber: number)
            return (footer.header, byteCount - TableFooter.byteCount)
        } catch let error as StorageError where error.code == .corruption {
            return (try TableHeader.read(file, path: path), byteCount)
        }
    }

    private mutating func findBlocks(
        _ candidates: [BlockHandle], _ file: any StorageFile, _ limit: Int, _ fileByteCount: Int
    ) throws {
        let hasHeader = (try? TableHeader.read(file, path: path)) != nil
        var end = hasHeader ? TableHeader.byteCount : 0
        var openGap: Range<Int>?
        for handle in candidates where handle.offset >= UInt64(end) {
            let offset = Int(handle.offset)
            let lastBlock = dataBlocks.last
            guard let kind = take(handle, fileByteCount: fileByteCount) else { continue }
            if offset > end { openGap = (openGap?.lowerBound ?? end)..<offset }
            if let gap = openGap, kind == .data || offset > end {
                close(gap, after: lastBlock, before: kind == .data ? handle : nil)
                openGap = nil
            }
            end = offset + Int(handle.byteCount) + TableFormat.blockTrailerByteCount
        }
        if end < fileByteCount, end < limit || limit == fileByteCount {
            close(end..<fileByteCount, after: dataBlocks.last, before: nil)
        }
    }

    private mutating func close(_ gap: Range<Int>, after: BlockHandle?, before: BlockHandle?) {
        gaps.append(
            Gap(
                offsets: Int64(gap.lowerBound)..<Int64(gap.upperBound), after: after.flatMap { keys(of: $0)?.last },
                before: before.flatMap { keys(of: $0)?.first }))
    }

    // MARK: Blocks

    /// Takes a block in if it decodes; nil if it is none.
    private mutating func take(_ handle: BlockHandle, fileByteCount: Int) -> BlockKind? {
        do {
            guard let kind = try blocks.kind(handle) else { return nil }
            if kind == .filter {
                _ = try UnsafeBloomFilter(blocks.readContents(handle), location: blocks.location(handle))
                return kind
            }
            if kind == .dictionary {
                blocks.dictionary = try blocks.readDictionary(handle)
                return kind
            }
            let block = try blocks.readBlock(handle)
            try block.checkLayout()
            switch kind {
            case .data:
                guard block.restartCount > 0 else { return nil }
                dataBlocks.append(handle)
            case .rangeTombstones: rangeTombstones = try RangeTombstone.decode(block)
            case .properties: properties = try TableProperties(block, fileByteCount: fileByteCount)
            case .origin: origin = try TableOrigin(block)
            case .dictionary, .filter, .filterPartition, .filterIndex, .indexPartition, .topLevelIndex, .metaIndex:
                break
            }
            return kind
        } catch {
            return nil
        }
    }

    private func keys(of handle: BlockHandle) -> (first: [UInt8], last: [UInt8])? {
        guard let block = try? blocks.readBlock(handle) else { return nil }
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        guard (try? cursor.seekToFirst()) != nil, cursor.isValid else { return nil }
        let first = unsafe Array(cursor.key)
        guard (try? cursor.seekToLast()) != nil, cursor.isValid else { return nil }
        return (first, unsafe Array(cursor.key))
    }

    // MARK: Entries

    /// Calls `visit` with the entries of all intact data blocks, in table order.
    func forEachEntry(_ visit: (UnsafeEntry) throws -> Void) throws {
        var previous: (key: [UInt8], sequence: UInt64)?
        for handle in dataBlocks {
            var cursor = UnsafeBlockCursor()
            cursor.load(try blocks.readBlock(handle))
            try cursor.seekToFirst()
            while cursor.isValid {
                let key = unsafe cursor.key
                let ascends = previous.map { previous in
                    unsafe previous.key.withUnsafeBytes {
                        unsafe compareEntries($0, previous.sequence, key, cursor.sequence) < 0
                    }
                }
                if ascends ?? true {
                    unsafe try visit(
                        UnsafeEntry(
                            key: key, sequence: cursor.sequence, kind: cursor.kind, expiry: cursor.expiry,
                            value: cursor.value))
                    previous = unsafe (Array(key), cursor.sequence)
                }
                try cursor.next()
            }
        }
    }
}
