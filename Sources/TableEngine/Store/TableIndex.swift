// TableIndex.swift — an open index: how its entries are made and kept.
//
//     key   = hash of the index's partition key (8 bytes, big endian)  partition  sort  the item's key in the table
//     value = the row of the projected item (see ItemCodec.swift)
//
// Partition and sort are components of the storage's key codec, so the item's own key, which tells entries of equal
// index keys apart, begins where they end.
//
// Invariant: for each item of the table that has all key attributes of the index there is exactly one entry, and it
// holds the item's projection. `update` keeps it so within the commit that changes the item.

internal import StorageCore

/// An index of an open table.
struct TableIndex: Sendable {
    let definition: SecondaryIndex
    let keyspace: Keyspace
    /// The table's keys.
    let tableSchema: KeySchema
    /// The attributes that entries hold; `nil` for all.
    let projectedNames: [String]?

    init(_ definition: SecondaryIndex, keyspace: Keyspace, tableSchema: KeySchema) {
        self.definition = definition
        self.keyspace = keyspace
        self.tableSchema = tableSchema
        projectedNames = definition.projectedNames(tableSchema)
    }

    var schema: KeySchema { definition.keySchema }

    /// The names of all key attributes, the index's and the table's: what a page's last key consists of.
    var keyNames: [String] { schema.names + tableSchema.names }

    /// The entry's key; `nil` if the item is not in the index.
    func key(of item: Item, tableKey: [UInt8]) throws -> [UInt8]? {
        guard schema.names.allSatisfy(item.contains), let partition = item[schema.partitionKey.name] else { return nil }
        var bytes = try ItemKey.prefix(ofPartition: partition, schema)
        if let sortKey = schema.sortKey, let sort = item[sortKey.name] {
            ItemKey.append(sort: sort, to: &bytes, isLast: false)
        }
        return bytes + tableKey
    }

    func projected(_ item: Item) -> Item {
        projectedNames.map(item.selecting) ?? item
    }

    /// Makes the index follow a change of an item.
    func update(from old: Item?, to new: Item?, tableKey: [UInt8], in transaction: WriteTransaction) throws {
        let oldKey = try old.flatMap { try key(of: $0, tableKey: tableKey) }
        let newKey = try new.flatMap { try key(of: $0, tableKey: tableKey) }
        if let oldKey, oldKey != newKey { try transaction.delete(keyspace, oldKey.rawSpan) }
        guard let new, let newKey else { return }
        let entry = projected(new)
        if let old, oldKey == newKey, projected(old) == entry { return }
        try transaction.put(keyspace, newKey.rawSpan, ItemCodec.encode(entry).rawSpan)
    }

    /// - Throws: `ValidationException` if a key attribute of the index is there, but can't be a key.
    func check(_ item: Item) throws {
        for attribute in schema.attributes {
            guard let value = item[attribute.name] else { continue }
            guard value.type == attribute.type else {
                throw TableError.invalidParameter(
                    "Type mismatch for Index Key \(attribute.name) Expected: \(attribute.type.rawValue) "
                        + "Actual: \(value.type.rawValue) IndexName: \(definition.name)")
            }
            guard value.type == .n || value.elementCount != 0 else {
                let kind = value.type == .s ? "string" : "binary"
                throw TableError.validation(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                        + "supported. The AttributeValue for a key attribute cannot contain an empty \(kind) value. "
                        + "IndexName: \(definition.name), IndexKey: \(attribute.name)")
            }
            if attribute == schema.sortKey {
                try ItemKey.check(sort: value, attribute)
            } else {
                _ = try ItemKey.prefix(ofPartition: value, schema)
            }
        }
    }
}

extension Table {
    /// - Throws: `ValidationException` if the item has something that can't be a key where an index needs a key.
    func checkIndexKeys(of item: Item) throws {
        for index in indexes { try index.check(item) }
    }

    /// - Throws: `ValidationException` if there is no such index.
    func index(_ name: String) throws -> TableIndex {
        guard let index = indexes.first(where: { $0.definition.name == name }) else {
            throw TableError.validation("The table does not have the specified index: \(name)")
        }
        return index
    }
}
