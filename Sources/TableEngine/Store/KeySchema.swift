// KeySchema.swift — what identifies an item: a partition key and perhaps a sort key.

/// An attribute that is part of a key; its type is S, N or B.
public struct KeyAttribute: Sendable, Hashable {
    public let name: String
    public let type: AttributeType

    public init(_ name: String, _ type: AttributeType) {
        self.name = name
        self.type = type
    }
}

/// The attributes that identify an item.
public struct KeySchema: Sendable, Hashable {
    public let partitionKey: KeyAttribute
    public let sortKey: KeyAttribute?

    /// Partition key first.
    public let attributes: [KeyAttribute]
    let names: [String]

    public init(partitionKey: KeyAttribute, sortKey: KeyAttribute? = nil) {
        self.partitionKey = partitionKey
        self.sortKey = sortKey
        attributes = [partitionKey] + (sortKey.map { [$0] } ?? [])
        names = attributes.map(\.name)
    }

    /// The key of an item that has one.
    func key(of item: Item) -> Item { item.selecting(names) }
}
