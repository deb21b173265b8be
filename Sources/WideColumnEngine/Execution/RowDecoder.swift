// RowDecoder.swift — rows as `Decodable` types: a property for each column, by name.

extension Row {
    /// The row as a `Decodable` type whose coding keys are the column names.
    ///
    /// Optional properties take null. Besides Swift's own types, properties may be ``CQLUUID``, `StorageInstant` (for
    /// `timestamp`), ``CQLValue``-convertible ones, arrays (`list`, `set`) and arrays of bytes (`blob`).
    ///
    /// - Throws: `DecodingError` for a column that is missing, null or of another type.
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

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        guard contains(key) else {
            throw DecodingError.keyNotFound(key, .init(codingPath: [key], debugDescription: "No such column."))
        }
        let value = row[key.stringValue]
        if value.isNull {
            throw DecodingError.valueNotFound(type, .init(codingPath: [key], debugDescription: "The column is null."))
        }
        if let convertible = type as? any CQLConvertible.Type,
            let converted = convertible.init(cqlValue: value) as? Value
        {
            return converted
        }
        guard let number = Self.number(value, type) else {
            throw DecodingError.typeMismatch(
                type, .init(codingPath: [key], debugDescription: "The column's value is \(value)."))
        }
        return number
    }

    /// The number types that are no ``CQLConvertible``.
    private static func number<Value>(_ value: CQLValue, _ type: Value.Type) -> Value? {
        guard let wide = Int64(cqlValue: value) else { return nil }
        return switch type {
        case is Int16.Type: Int16(exactly: wide) as? Value
        case is Int8.Type: Int8(exactly: wide) as? Value
        case is UInt.Type: UInt(exactly: wide) as? Value
        case is UInt16.Type: UInt16(exactly: wide) as? Value
        case is UInt32.Type: UInt32(exactly: wide) as? Value
        case is UInt64.Type: UInt64(exactly: wide) as? Value
        default: nil
        }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw nested(key) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw nested(key) }
    func superDecoder() throws -> any Decoder { RowDecoder(row: row) }
    func superDecoder(forKey key: Key) throws -> any Decoder { RowDecoder(row: row) }

    private func nested(_ key: Key) -> DecodingError {
        .dataCorrupted(.init(codingPath: [key], debugDescription: "A row has no nested containers."))
    }
}
