// TableDefinition.swift — what the catalog keeps of a table, and its form on disk.
//
// A definition is stored as an item (see ItemCodec.swift) under the table's name: attributes that a later version adds
// are left alone by an earlier one.

internal import StorageTypes

/// A table's schema and settings. Immutable: a change makes a new one.
struct TableDefinition: Sendable, Hashable {
    var name: String
    var keySchema: KeySchema
    var creation: StorageInstant
    var indexes: [SecondaryIndex]
    /// The stream that is on, or the one that was on last.
    var stream: StreamDefinition?
    /// The attribute that holds the time at which items expire.
    var timeToLiveAttribute: String?

    func encode() -> [UInt8] {
        var item: Item = [
            "name": .s(name), "creation": .n(TableNumber(creation.microseconds)),
            "partitionKey": keySchema.partitionKey.attributeValue,
        ]
        item["sortKey"] = keySchema.sortKey?.attributeValue
        if !indexes.isEmpty { item["indexes"] = .l(indexes.map { .m($0.item) }) }
        item["stream"] = stream.map { .m($0.item) }
        item["timeToLive"] = timeToLiveAttribute.map { .s($0) }
        return ItemCodec.encode(item)
    }

    /// - Throws: `StorageError.corruption` if the bytes are no definition.
    init(decoding bytes: RawSpan) throws {
        let item = try ItemCodec.decode(bytes)
        guard let name = item["name"]?.string, let creation = item["creation"]?.number?.int64,
            let partitionKey = item["partitionKey"].flatMap(KeyAttribute.init)
        else { throw StorageError.corruption("A table's definition in the catalog is incomplete.") }
        self.name = name
        self.creation = StorageInstant(microseconds: creation)
        keySchema = KeySchema(partitionKey: partitionKey, sortKey: item["sortKey"].flatMap(KeyAttribute.init))
        indexes = try (item["indexes"]?.list ?? []).map { value in
            guard let index = value.map.flatMap(SecondaryIndex.init) else {
                throw StorageError.corruption("An index's definition in the catalog is incomplete.")
            }
            return index
        }
        stream = try item["stream"]?.map.map { try StreamDefinition(item: $0) }
        timeToLiveAttribute = item["timeToLive"]?.string
    }

    init(name: String, keySchema: KeySchema, indexes: [SecondaryIndex], creation: StorageInstant) {
        self.name = name
        self.keySchema = keySchema
        self.indexes = indexes
        self.creation = creation
    }
}

/// A stream's identity: each time one is enabled it is another.
struct StreamDefinition: Sendable, Hashable {
    var viewType: StreamViewType
    /// The commit that enabled it; its records come from later ones.
    var start: SequenceNumber
    /// The commit that disabled it, if it is off.
    var end: SequenceNumber?
    /// When it was enabled; names it.
    var creation: StorageInstant

    var isEnabled: Bool { end == nil }

    var item: Item {
        var item: Item = [
            "viewType": .s(viewType.rawValue), "start": .n(TableNumber(Int64(start.rawValue))),
            "creation": .n(TableNumber(creation.microseconds)),
        ]
        item["end"] = end.map { .n(TableNumber(Int64($0.rawValue))) }
        return item
    }

    init(viewType: StreamViewType, start: SequenceNumber, creation: StorageInstant) {
        self.viewType = viewType
        self.start = start
        self.creation = creation
    }

    init(item: Item) throws {
        guard let viewType = item["viewType"]?.string.flatMap(StreamViewType.init(rawValue:)),
            let start = item["start"]?.number?.int64.flatMap(UInt64.init(exactly:)),
            let creation = item["creation"]?.number?.int64
        else { throw StorageError.corruption("A stream's definition in the catalog is incomplete.") }
        self.viewType = viewType
        self.start = SequenceNumber(start)
        self.creation = StorageInstant(microseconds: creation)
        end = item["end"]?.number?.int64.flatMap(UInt64.init(exactly:)).map { SequenceNumber($0) }
    }
}
