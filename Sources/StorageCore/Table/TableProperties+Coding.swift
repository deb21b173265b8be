// TableProperties+Coding.swift — the properties block: names and values. Docs/FORMATS.md, "Properties".

internal import StorageTypes

extension TableProperties {
    /// Name and value of every stored property.
    func encoded() -> [(name: String, value: [UInt8])] {
        let bounds =
            clustering.map {
                [("clustering", $0.encoded()), ("clustering.hasOthers", Self.number($0.hasOthers ? 1 : 0))]
            } ?? []
        let groups = groupOffset.map { [("filter.groupOffset", Self.number($0))] } ?? []
        return bounds + groups + [
            ("bytes.data", Self.number(dataByteCount)),
            ("bytes.rawKey", Self.number(rawKeyByteCount)),
            ("bytes.rawValue", Self.number(rawValueByteCount)),
            ("bytes.uncompressed", Self.number(uncompressedByteCount)),
            ("checksum", Self.number(Int(fileChecksum))),
            ("compression", compression.encoded()),
            ("count.delete", Self.number(deleteCount)),
            ("count.densestDelete", Self.number(densestDeleteCount)),
            ("count.entry", Self.number(entryCount)),
            ("count.expiring", Self.number(expiringCount)),
            ("count.merge", Self.number(mergeCount)),
            ("count.rangeTombstone", Self.number(rangeTombstoneCount)),
            ("expiry.earliest", Self.signed(earliestExpiry)),
            ("expiry.latest", Self.signed(latestExpiry)),
            ("key.largest", largestKey),
            ("key.largestIsExclusive", Self.number(largestKeyIsExclusive ? 1 : 0)),
            ("key.smallest", smallestKey),
            ("sequence.largest", Self.number(Int(largestSequence))),
            ("sequence.smallest", Self.number(Int(smallestSequence))),
            ("time.earliest", Self.signed(earliestTime)),
            ("time.latest", Self.signed(latestTime)),
        ]
    }

    /// Decodes a properties block; all known properties but the clustering and the groups must be there, others are skipped.
    init(_ block: Block, fileByteCount: Int) throws {
        let values = StoredProperties(try block.valuesByName(), location: block.location)
        entryCount = try values.number("count.entry")
        deleteCount = try values.number("count.delete")
        mergeCount = try values.number("count.merge")
        rangeTombstoneCount = try values.number("count.rangeTombstone")
        expiringCount = try values.number("count.expiring")
        densestDeleteCount = try values.number("count.densestDelete")
        rawKeyByteCount = try values.number("bytes.rawKey")
        rawValueByteCount = try values.number("bytes.rawValue")
        dataByteCount = try values.number("bytes.data")
        uncompressedByteCount = try values.number("bytes.uncompressed")
        self.fileByteCount = fileByteCount
        smallestKey = try values.bytes("key.smallest")
        largestKey = try values.bytes("key.largest")
        largestKeyIsExclusive = try values.number("key.largestIsExclusive", atMost: 1) == 1
        smallestSequence = UInt64(try values.number("sequence.smallest"))
        largestSequence = UInt64(try values.number("sequence.largest"))
        earliestExpiry = try values.signed("expiry.earliest")
        latestExpiry = try values.signed("expiry.latest")
        earliestTime = try values.signed("time.earliest")
        latestTime = try values.signed("time.latest")
        clustering = try values.clusteringBounds("clustering", hasOthers: "clustering.hasOthers")
        groupOffset = try values.optionalNumber("filter.groupOffset", atMost: Int(UInt8.max))
        compression = try values.compression("compression")
        fileChecksum = UInt32(try values.number("checksum", atMost: Int(UInt32.max)))
    }

    private static func number(_ value: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.varint(UInt64(value))
        return writer.bytes
    }

    private static func signed(_ value: Int64) -> [UInt8] {
        var writer = ByteWriter()
        writer.varint(zigzag(value))
        return writer.bytes
    }

    fileprivate static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }
}

extension ClusteringBounds {
    fileprivate func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(layout.fixedByteCount)
        writer.u8(layout.tag)
        // As in the keys.
        for bound in [lower, upper] {
            for shift in stride(from: 120, through: 0, by: -8) { writer.u8(UInt8(truncatingIfNeeded: bound >> shift)) }
        }
        return writer.bytes
    }
}

extension TableCompression {
    fileprivate func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(code.rawValue)
        guard case .zstd(let level, _) = self else {
            writer.varint(0)
            return writer.bytes
        }
        writer.varint(TableProperties.zigzag(Int64(level)))
        if dictionaryByteCount > 0 { writer.varint(UInt64(dictionaryByteCount)) }
        return writer.bytes
    }
}

extension Block {
    /// The values of a block whose keys are names, as the properties and the meta index are.
    func valuesByName() throws -> [String: [UInt8]] {
        var cursor = UnsafeBlockCursor()
        cursor.load(self)
        var values: [String: [UInt8]] = [:]
        try cursor.seekToFirst()
        while cursor.isValid {
            guard cursor.sequence == 0, cursor.kind == .put, cursor.expiry == TableFormat.noExpiry else {
                throw location.corruption("A named value of the table has a sequence or an expiry.")
            }
            let name = unsafe String(decoding: cursor.key, as: UTF8.self)
            unsafe values[name] = Array(cursor.value)
            try cursor.next()
        }
        return values
    }
}

/// Values by name, as read; every access checks.
private struct StoredProperties {
    private let values: [String: [UInt8]]
    private let location: BlockLocation

    init(_ values: [String: [UInt8]], location: BlockLocation) {
        self.values = values
        self.location = location
    }

    func bytes(_ name: String) throws -> [UInt8] {
        guard let value = values[name] else { throw location.corruption("The table lacks the property \(name).") }
        return value
    }

    func number(_ name: String, atMost limit: Int = .max) throws -> Int {
        let value = try bytes(name)
        var reader = ByteReader(value.rawSpan, file: location.path, offset: Int64(clamping: location.offset))
        let number = try reader.count()
        try reader.expectEnd()
        guard number <= limit else { throw location.corruption("The table's property \(name) is too large.") }
        return number
    }

    /// Nil if the table has none.
    func optionalNumber(_ name: String, atMost limit: Int) throws -> Int? {
        values[name] == nil ? nil : try number(name, atMost: limit)
    }

    func signed(_ name: String) throws -> Int64 {
        let value = try bytes(name)
        var reader = ByteReader(value.rawSpan, file: location.path, offset: Int64(clamping: location.offset))
        let number = try reader.varint()
        try reader.expectEnd()
        return Self.unzigzag(number)
    }

    /// Nil if the table has none.
    func clusteringBounds(_ name: String, hasOthers: String) throws -> ClusteringBounds? {
        guard let value = values[name] else { return nil }
        var reader = ByteReader(value.rawSpan, file: location.path, offset: Int64(clamping: location.offset))
        let layout = ClusteringLayout(fixedByteCount: try reader.u8(), tag: try reader.u8())
        var bounds: [UInt128] = []
        for _ in 0..<2 {
            var bound: UInt128 = 0
            for _ in 0..<16 { bound = bound << 8 | UInt128(try reader.u8()) }
            bounds.append(bound)
        }
        try reader.expectEnd()
        // Tables of earlier versions do not say.
        let hasOthers = try optionalNumber(hasOthers, atMost: 1) != 0
        return ClusteringBounds(layout, lower: bounds[0], upper: bounds[1], hasOthers: hasOthers)
    }

    func compression(_ name: String) throws -> TableCompression {
        let value = try bytes(name)
        var reader = ByteReader(value.rawSpan, file: location.path, offset: Int64(clamping: location.offset))
        let code = BlockCompressionCode(rawValue: try reader.u8())
        let level = Int(Self.unzigzag(try reader.varint()))
        let dictionaryByteCount = reader.isAtEnd ? 0 : try reader.count()
        try reader.expectEnd()
        switch (code, level, dictionaryByteCount) {
        case (BlockCompressionCode.none?, 0, 0): return .none
        case (.lz4?, 0, 0): return .lz4
        case (.zstd?, let level, let byteCount):
            return .zstd(level: level, dictionaryByteCount: byteCount)
        default: throw location.corruption("The table names a compression that does not exist.")
        }
    }

    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
