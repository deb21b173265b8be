// VersionEdit+Coding.swift — the bytes of an edit: fields, each a tag (varint) and its content. Docs/FORMATS.md,
// section "Manifest", is the reference. Tags and option bytes are stored: do not renumber.

private enum Tag: UInt64 {
    case newTree = 1
    case removedTree = 2
    case newKeyspace = 3
    case removedKeyspace = 4
    case newTable = 5
    case removedTable = 6
    case flushed = 7
    case nextFileNumber = 8
    case nextKeyspaceID = 9
    case nextTreeID = 10
    case lastSequence = 11
    case commitTimeFloor = 12
    case logStart = 13
    case isClosedCleanly = 14
    case purgedThrough = 15
    case logSyncedThrough = 16
    case newestSegment = 17
    case changedTree = 18
    case changedKeyspace = 19
}

/// What the high bits of a strategy's byte say; the low four are its code.
private struct CompactionFlags: OptionSet {
    let rawValue: UInt8

    static let leveledOptions = CompactionFlags(rawValue: 16)
    static let garbageThreshold = CompactionFlags(rawValue: 32)
    static let onRequest = CompactionFlags(rawValue: 64)
    static let known: CompactionFlags = [leveledOptions, garbageThreshold, onRequest]
}

extension VersionEdit {
    var encoded: [UInt8] {
        var writer = ByteWriter()
        func tag(_ tag: Tag) { writer.varint(tag.rawValue) }
        for tree in newTrees {
            tag(.newTree)
            writer.varint(UInt64(tree.id))
            writer.encode(tree.options)
        }
        for change in changedTrees {
            tag(.changedTree)
            writer.varint(UInt64(change.tree))
            writer.encode(change.options)
        }
        for table in removedTables {
            tag(.removedTable)
            writer.varint(UInt64(table.tree))
            writer.varint(table.number)
        }
        for table in newTables {
            tag(.newTable)
            writer.varint(UInt64(table.tree))
            writer.varint(UInt64(table.level))
            writer.encode(table.metadata)
        }
        for flushed in flushed {
            tag(.flushed)
            writer.varint(UInt64(flushed.tree))
            writer.varint(flushed.through)
        }
        for keyspace in newKeyspaces {
            tag(.newKeyspace)
            writer.encode(keyspace)
        }
        for keyspace in changedKeyspaces {
            tag(.changedKeyspace)
            writer.encode(keyspace)
        }
        for id in removedKeyspaces {
            tag(.removedKeyspace)
            writer.varint(UInt64(id))
        }
        for id in removedTrees {
            tag(.removedTree)
            writer.varint(UInt64(id))
        }
        encodeNumbers(into: &writer)
        return writer.bytes
    }

    private func encodeNumbers(into writer: inout ByteWriter) {
        func number(_ tag: Tag, _ value: UInt64?) {
            guard let value else { return }
            writer.varint(tag.rawValue)
            writer.varint(value)
        }
        number(.nextFileNumber, nextFileNumber)
        number(.nextKeyspaceID, nextKeyspaceID.map(UInt64.init))
        number(.nextTreeID, nextTreeID.map(UInt64.init))
        number(.lastSequence, lastSequence)
        number(.commitTimeFloor, commitTimeFloor.map { UInt64(bitPattern: $0) })
        number(.purgedThrough, purgedThrough.map { UInt64(bitPattern: $0) })
        if let logStart, let logStartPrevious {
            number(.logStart, logStart)
            writer.varint(logStartPrevious)
        }
        number(.logSyncedThrough, logSyncedThrough)
        number(.newestSegment, newestSegment)
        number(.isClosedCleanly, isClosedCleanly.map { $0 ? 1 : 0 })
    }

    /// - Parameters:
    ///   - file: Where the bytes were read, for errors, at `offset`.
    init(decoding bytes: RawSpan, file: String, offset: Int64) throws {
        self.init()
        var reader = ByteReader(bytes, file: file, offset: offset)
        while !reader.isAtEnd {
            let start = reader.offset
            guard let tag = Tag(rawValue: try reader.varint()) else {
                throw reader.corruption("An edit has an unknown field", at: start)
            }
            switch tag {
            case .newTree: newTrees.append(TreeRecord(id: try reader.id(), options: try reader.treeOptions()))
            case .changedTree:
                changedTrees.append(ChangedTree(tree: try reader.id(), options: try reader.treeOptions()))
            case .changedKeyspace: changedKeyspaces.append(try reader.keyspaceRecord())
            case .removedTree: removedTrees.append(try reader.id())
            case .newKeyspace: newKeyspaces.append(try reader.keyspaceRecord())
            case .removedKeyspace: removedKeyspaces.append(try reader.id())
            case .newTable:
                newTables.append(
                    NewTable(tree: try reader.id(), level: try reader.count(), metadata: try reader.tableMetadata()))
            case .removedTable: removedTables.append(RemovedTable(tree: try reader.id(), number: try reader.varint()))
            case .flushed: flushed.append(Flushed(tree: try reader.id(), through: try reader.varint()))
            case .nextFileNumber: nextFileNumber = try reader.varint()
            case .nextKeyspaceID: nextKeyspaceID = try reader.id()
            case .nextTreeID: nextTreeID = try reader.id()
            case .lastSequence: lastSequence = try reader.varint()
            case .commitTimeFloor: commitTimeFloor = Int64(bitPattern: try reader.varint())
            case .purgedThrough: purgedThrough = Int64(bitPattern: try reader.varint())
            case .logStart:
                logStart = try reader.varint()
                logStartPrevious = try reader.varint()
            case .logSyncedThrough: logSyncedThrough = try reader.varint()
            case .newestSegment: newestSegment = try reader.varint()
            case .isClosedCleanly: isClosedCleanly = try reader.varint() != 0
            }
        }
    }
}

extension ByteWriter {
    mutating func encode(_ options: TreeOptions) {
        u8(options.isVolatile ? 1 : 0)
        encode(options.compression.upper)
        encode(options.compression.bottom)
        varint(UInt64(clamping: options.filterBitsPerKey))
        encodeCompaction(options)
    }

    private mutating func encodeCompaction(_ options: TreeOptions) {
        var flags: CompactionFlags = []
        if case .leveled(let leveled) = options.strategy, leveled != LeveledOptions() { flags.insert(.leveledOptions) }
        if options.garbageThreshold != nil { flags.insert(.garbageThreshold) }
        if !options.compactsAutomatically { flags.insert(.onRequest) }
        switch options.strategy {
        case .leveled(let leveled):
            u8(flags.rawValue)
            if flags.contains(.leveledOptions) { encode(leveled) }
        case .sizeTiered(let tiers):
            u8(flags.rawValue | 1)
            encode(tiers)
        case .timeWindow(let windows):
            u8(flags.rawValue | 2)
            varint(UInt64(clamping: windows.windowMicroseconds))
            encode(windows.sizeTiered)
        }
        if let threshold = options.garbageThreshold { i64(Int64(bitPattern: threshold.bitPattern)) }
    }

    private mutating func encode(_ options: LeveledOptions) {
        varint(UInt64(clamping: options.multiplier))
        varint(options.tableByteCount.map { UInt64(clamping: max($0, 1)) } ?? 0)
    }

    private mutating func encode(_ options: SizeTieredOptions) {
        varint(UInt64(clamping: options.minimumThreshold))
        varint(UInt64(clamping: options.maximumThreshold))
        i64(Int64(bitPattern: options.bucketLow.bitPattern))
        i64(Int64(bitPattern: options.bucketHigh.bitPattern))
        varint(UInt64(clamping: options.minimumTableByteCount))
    }

    fileprivate mutating func encode(_ compression: TableCompression) {
        let hasDictionary = compression.dictionaryByteCount > 0
        u8((hasDictionary ? .zstdWithDictionary : compression.code).rawValue)
        if case .zstd(let level, _) = compression { i64(Int64(level)) }
        if hasDictionary { varint(UInt64(compression.dictionaryByteCount)) }
    }

    mutating func encode(_ keyspace: KeyspaceRecord) {
        varint(UInt64(keyspace.id))
        string(keyspace.name)
        varint(UInt64(keyspace.tree))
        u8(keyspace.expiry.rawValue)
        u8((keyspace.isDedicated ? 1 : 0) | (keyspace.isArchived ? 2 : 0) | (keyspace.former != nil ? 4 : 0))
        string(keyspace.mergeOperator)
        if let former = keyspace.former { varint(UInt64(former)) }
    }

    fileprivate mutating func encode(_ table: TableMetadata) {
        varint(table.number)
        varint(UInt64(clamping: table.byteCount))
        lengthPrefixed(table.smallestKey.rawSpan)
        lengthPrefixed(table.largestKey.rawSpan)
        u8(table.largestKeyIsExclusive ? 1 : 0)
        varint(table.smallestSequence)
        varint(table.largestSequence)
        varint(UInt64(clamping: table.entryCount))
        varint(UInt64(clamping: table.deleteCount))
        varint(UInt64(clamping: table.mergeCount))
        varint(UInt64(clamping: table.rangeTombstoneCount))
        varint(UInt64(clamping: table.expiringCount))
        varint(UInt64(clamping: table.densestDeleteCount))
        varint(UInt64(clamping: table.rawByteCount))
        i64(table.earliestExpiry)
        i64(table.latestExpiry)
        i64(table.earliestTime)
        i64(table.latestTime)
        encode(table.compression)
        u32(table.checksum)
    }
}

extension ByteReader {
    mutating func id() throws -> UInt32 {
        let start = offset
        guard let id = UInt32(exactly: try varint()) else { throw corruption("An id is too large", at: start) }
        return id
    }

    mutating func treeOptions() throws -> TreeOptions {
        var options = TreeOptions(
            isVolatile: try u8() != 0,
            compression: CompressionOptions(upper: try compression(), bottom: try compression()),
            filterBitsPerKey: try count())
        try readCompaction(of: &options)
        return options
    }

    private mutating func readCompaction(of options: inout TreeOptions) throws {
        let start = offset
        let byte = try u8()
        let (flags, code) = (CompactionFlags(rawValue: byte & 0xF0), byte & 0xF)
        guard flags.isSubset(of: .known), code == 0 || !flags.contains(.leveledOptions) else {
            throw corruption("A compaction strategy has unknown options", at: start)
        }
        switch code {
        case 0: options.strategy = .leveled(flags.contains(.leveledOptions) ? try leveledOptions() : LeveledOptions())
        case 1: options.strategy = .sizeTiered(try sizeTieredOptions())
        case 2:
            options.strategy = .timeWindow(
                TimeWindowOptions(window: .microseconds(try count()), sizeTiered: try sizeTieredOptions()))
        default: throw corruption("A compaction strategy is unknown", at: start)
        }
        if flags.contains(.garbageThreshold) {
            options.garbageThreshold = Double(bitPattern: UInt64(bitPattern: try i64()))
        }
        options.compactsAutomatically = !flags.contains(.onRequest)
    }

    private mutating func leveledOptions() throws -> LeveledOptions {
        let (multiplier, byteCount) = (try count(), try count())
        return LeveledOptions(multiplier: multiplier, tableByteCount: byteCount == 0 ? nil : byteCount)
    }

    private mutating func sizeTieredOptions() throws -> SizeTieredOptions {
        SizeTieredOptions(
            minimumThreshold: try count(), maximumThreshold: try count(),
            bucketLow: Double(bitPattern: UInt64(bitPattern: try i64())),
            bucketHigh: Double(bitPattern: UInt64(bitPattern: try i64())), minimumTableByteCount: Int64(try count()))
    }

    private mutating func compression() throws -> TableCompression {
        let start = offset
        switch BlockCompressionCode(rawValue: try u8()) {
        case .some(.none): return .none
        case .lz4: return .lz4
        case .zstd: return .zstd(level: Int(clamping: try i64()))
        case .zstdWithDictionary:
            return .zstd(level: Int(clamping: try i64()), dictionaryByteCount: try count())
        case nil: throw corruption("A compression is unknown", at: start)
        }
    }

    mutating func keyspaceRecord() throws -> KeyspaceRecord {
        let id = try id()
        let name = try string()
        let tree = try self.id()
        let start = offset
        guard let expiry = ExpiryPolicy(rawValue: try u8()) else {
            throw corruption("An expiry policy is unknown", at: start)
        }
        let flags = try u8()
        guard flags < 8 else { throw corruption("A keyspace has unknown flags", at: start + 1) }
        return KeyspaceRecord(
            id: id, name: name, tree: tree, expiry: expiry, isDedicated: flags & 1 != 0, isArchived: flags & 2 != 0,
            mergeOperator: try string(), former: flags & 4 != 0 ? try self.id() : nil)
    }

    fileprivate mutating func tableMetadata() throws -> TableMetadata {
        TableMetadata(
            number: try varint(), byteCount: Int64(try count()), smallestKey: try lengthPrefixed().array(),
            largestKey: try lengthPrefixed().array(), largestKeyIsExclusive: try u8() != 0,
            smallestSequence: try varint(), largestSequence: try varint(), entryCount: try count(),
            deleteCount: try count(), mergeCount: try count(), rangeTombstoneCount: try count(),
            expiringCount: try count(), densestDeleteCount: try count(), rawByteCount: try count(),
            earliestExpiry: try i64(), latestExpiry: try i64(), earliestTime: try i64(), latestTime: try i64(),
            compression: try compression(), checksum: try u32())
    }
}
