// SecondaryIndex.swift — another order of a table's items.

/// An index of a table: its items, or parts of them, by another key.
///
/// An index is part of every commit that changes its table, so it is never out of step. Items that lack one of the
/// index's key attributes are not in it.
///
/// Source: Amazon DynamoDB Developer Guide, "Improving data access with secondary indexes".
public struct SecondaryIndex: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        /// By any attributes.
        case global = "GLOBAL"
        /// By the table's partition key and another sort key.
        case local = "LOCAL"
    }

    /// What of an item an index holds, besides the keys of the table and of the index.
    public enum Projection: Sendable, Hashable {
        case all
        case keysOnly
        case include([String])
    }

    public let name: String
    public let kind: Kind
    public let keySchema: KeySchema
    public let projection: Projection

    public init(
        name: String, kind: Kind = .global, partitionKey: KeyAttribute, sortKey: KeyAttribute? = nil,
        projection: Projection = .all
    ) {
        self.name = name
        self.kind = kind
        keySchema = KeySchema(partitionKey: partitionKey, sortKey: sortKey)
        self.projection = projection
    }

    /// The attributes that entries hold; `nil` for all.
    func projectedNames(_ table: KeySchema) -> [String]? {
        switch projection {
        case .all: nil
        case .keysOnly: table.names + keySchema.names
        case .include(let names): table.names + keySchema.names + names
        }
    }

    // MARK: In the catalog

    var item: Item {
        var item: Item = [
            "name": .s(name), "kind": .s(kind.rawValue), "partitionKey": keySchema.partitionKey.attributeValue,
        ]
        item["sortKey"] = keySchema.sortKey?.attributeValue
        switch projection {
        case .all: break
        case .keysOnly: item["include"] = .l([])
        case .include(let names): item["include"] = .l(names.map { .s($0) })
        }
        return item
    }

    /// `nil` if the item is no index's definition.
    init?(item: Item) {
        guard let name = item["name"]?.string, let kind = item["kind"]?.string.flatMap(Kind.init(rawValue:)),
            let partitionKey = item["partitionKey"].flatMap(KeyAttribute.init)
        else { return nil }
        let names = item["include"]?.list?.compactMap(\.string)
        self.init(
            name: name, kind: kind, partitionKey: partitionKey, sortKey: item["sortKey"].flatMap(KeyAttribute.init),
            projection: names.map { $0.isEmpty ? .keysOnly : .include($0) } ?? .all)
    }
}

extension KeyAttribute {
    /// The attribute's form in the catalog.
    var attributeValue: AttributeValue { ["name": .s(name), "type": .s(type.rawValue)] }

    init?(_ value: AttributeValue) {
        guard let map = value.map, let name = map["name"]?.string,
            let type = map["type"]?.string.flatMap(AttributeType.init(rawValue:))
        else { return nil }
        self.init(name, type)
    }
}
