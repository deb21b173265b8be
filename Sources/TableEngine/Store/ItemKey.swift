// ItemKey.swift — where an item lies in its table's keyspace.
//
//     key       = hash of the partition key (8 bytes, big endian)  partition  sort
//     partition = S: string component     B: bytes component     N: decimal component
//     sort      = S, B: the bytes as they are, to the end        N: decimal component        nothing without a sort key
//
// The components are those of the storage's key codec.
// So items lie by partition, within a partition in the order of their sort keys, and the keys that begin with given
// bytes lie together. The hash spreads partitions over the keyspace and divides it for parallel scans.

internal import StorageCore

/// An item's key as bytes.
enum ItemKey {
    static let partitionLimit = 2048
    static let sortLimit = 1024
    static let hashByteCount = 8

    /// The key of a request's `Key` parameter: the key attributes and nothing else.
    ///
    /// - Throws: `ValidationException` if the attributes are not those of the schema, empty, or too large.
    static func bytes(ofKey key: Item, _ schema: KeySchema) throws -> [UInt8] {
        guard key.count == schema.attributes.count else { throw TableError.keyMismatch }
        for attribute in schema.attributes where key[attribute.name]?.type != attribute.type {
            throw TableError.keyMismatch
        }
        return try encode(key, schema)
    }

    /// The key of a whole item.
    ///
    /// - Throws: `ValidationException` if a key attribute is missing, of another type, empty, or too large.
    static func bytes(ofItem item: Item, _ schema: KeySchema) throws -> [UInt8] {
        for attribute in schema.attributes {
            guard let value = item[attribute.name] else {
                throw TableError.invalidParameter("Missing the key \(attribute.name) in the item")
            }
            guard value.type == attribute.type else {
                throw TableError.invalidParameter(
                    "Type mismatch for key \(attribute.name) expected: \(attribute.type.rawValue) "
                        + "actual: \(value.type.rawValue)")
            }
        }
        return try encode(item, schema)
    }

    /// What all keys of a partition begin with.
    static func prefix(ofPartition value: AttributeValue, _ schema: KeySchema) throws -> [UInt8] {
        try check(value, schema.partitionKey, limit: partitionLimit)
        guard let partition = component(value) else { throw TableError.keyMismatch }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(hashByteCount + partition.bytes.count + 32)
        bytes.append(bigEndian: hash(of: partition.bytes))
        bytes.append(contentsOf: partition.bytes)
        return bytes
    }

    /// - Parameter isLast: whether nothing follows, so that strings and binaries need no end.
    static func append(sort value: AttributeValue, to bytes: inout [UInt8], isLast: Bool = true) {
        switch value {
        case .s(let text) where isLast: bytes.append(contentsOf: text.utf8)
        case .b(let binary) where isLast: bytes.append(contentsOf: binary)
        default: bytes.append(contentsOf: component(value)?.bytes ?? [])
        }
    }

    /// A value as a component that ends by itself; `nil` if it can't be a key.
    private static func component(_ value: AttributeValue) -> KeyEncoder? {
        var encoder = KeyEncoder()
        switch value {
        case .s(let text): encoder.append(string: text)
        case .b(let binary): encoder.append(bytes: binary)
        case .n(let number): encoder.append(decimal: number.keyDecimal)
        default: return nil
        }
        return encoder
    }

    /// - Throws: `ValidationException` if the value is empty or larger than a sort key may be.
    static func check(sort value: AttributeValue, _ attribute: KeyAttribute) throws {
        try check(value, attribute, limit: sortLimit)
    }

    private static func encode(_ item: Item, _ schema: KeySchema) throws -> [UInt8] {
        guard let partition = item[schema.partitionKey.name] else { throw TableError.keyMismatch }
        var bytes = try prefix(ofPartition: partition, schema)
        if let sortKey = schema.sortKey, let sort = item[sortKey.name] {
            try check(sort: sort, sortKey)
            append(sort: sort, to: &bytes)
        }
        return bytes
    }

    private static func check(_ value: AttributeValue, _ attribute: KeyAttribute, limit: Int) throws {
        let byteCount: Int
        let kind: String
        switch value {
        case .s(let text): (byteCount, kind) = (text.utf8.count, "string")
        case .b(let binary): (byteCount, kind) = (binary.count, "binary")
        default: return
        }
        guard byteCount > 0 else {
            throw TableError.validation(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
                    + "empty \(kind) value. Key: \(attribute.name)")
        }
        guard byteCount <= limit else {
            throw limit == partitionLimit
                ? TableError.invalidParameter("Size of hashkey has exceeded the maximum size limit of2048 bytes")
                : TableError.invalidParameter(
                    "Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
        }
    }

    /// FNV-1a (64 bits) with the finishing steps of SplitMix64, part of the format.
    static func hash(of bytes: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        return hash ^ (hash >> 31)
    }
}

extension TableError {
    static let keyMismatch = TableError.validation("The provided key element does not match the schema")
}
