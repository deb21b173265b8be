// RowDecoder.swift — rows as `Decodable` types: a property for each column, by name. ValueDecoder.swift has what is inside
// of a column.

extension Row {
    /// The row as a `Decodable` type whose coding keys are the column names.
    ///
    /// What a column of a type can be read as:
    ///
    /// | column | property |
    /// |---|---|
    /// | numbers | any of Swift's number types that holds the value, ``CQLInteger``, ``CQLDecimal`` |
    /// | `uuid`, `timeuuid` | ``CQLUUID``, Foundation's `UUID`, `String` |
    /// | `timestamp` | `StorageInstant`, Foundation's `Date`, an integer of milliseconds, `String` |
    /// | `date` | Foundation's `Date`, an integer of days since 1970, `String` |
    /// | `time` | `Duration`, an integer of nanoseconds, `String` |
    /// | `duration` | ``CQLDuration`` |
    /// | `blob`, `inet` | arrays of bytes, Foundation's `Data`; an `inet` also `String` |
    /// | `list`, `set`, `vector`, `tuple` | `Array`, `Set`, types that decode themselves from an unkeyed container |
    /// | `tuple` | also types with integer coding keys, from 0 on |
    /// | `map` | `Dictionary`; with keys of text or numbers also types with coding keys |
    /// | user-defined types | types with the fields' names as coding keys |
    ///
    /// Optional properties take null. Cassandra knows no empty collections but frozen ones: where a collection column is
    /// null, a property that is not optional becomes an empty collection.
    ///
    /// - Throws: `DecodingError` for a column that is missing, null or of another type; it names the column and its type.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try Value(from: RowDecoder(row: self))
    }
}

extension ResultSet {
    /// Every row as a `Decodable` type; see ``Row/decode(_:)``.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> [Value] {
        try map { try $0.decode(type) }
    }
}

private struct RowDecoder: Decoder {
    let row: Row
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RowContainer<Key>(row: row))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Self.notKeyed }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Self.notKeyed }

    private static var notKeyed: DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "A row is decoded by column names."))
    }
}

private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let row: Row
    let codingPath: [any CodingKey] = []

    var allKeys: [Key] { row.columns.compactMap { Key(stringValue: $0.name) } }

    func contains(_ key: Key) -> Bool { row.storage.index(of: key.stringValue) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { row[key.stringValue].isNull }

    // The standard library has defaults for these two, which refuse them.
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try value(type, key) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try value(type, key) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try value(type, key) }

    private func value<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value {
        let (value, place) = try column(key)
        if value.isNull, !(type is any ExpressibleByNilLiteral.Type), let empty = place.emptyCollection {
            return try empty.decode(type, at: place)
        }
        return try value.decode(type, at: place)
    }

    private func column(_ key: any CodingKey) throws -> (CQLValue, DecodingPlace) {
        guard let index = row.storage.index(of: key.stringValue) else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: [key], debugDescription: "The result has no column \(key.stringValue)."))
        }
        return (row[index], DecodingPlace(path: [key], column: row.columns[index]))
    }

    private func decoder(_ key: any CodingKey) throws -> ValueDecoder {
        let (value, place) = try column(key)
        return ValueDecoder(value: value, place: place)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try decoder(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    /// The properties of a class that this one is derived from are columns too.
    func superDecoder() throws -> any Decoder { RowDecoder(row: row) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}
