// CQLValue+Wire.swift — values to and from the bytes that the native protocol carries, for front ends.

extension CQLValue {
    /// The value that the native protocol's bytes stand for.
    ///
    /// - Parameter bytes: without the length in front; `nil` is null.
    /// - Throws: `InvalidRequest` where they are no value of the type.
    public init(wire bytes: [UInt8]?, type: CQLType) throws {
        guard let bytes else {
            self = .null
            return
        }
        do { self = try CQLValue(bytes.rawSpan, type: type) } catch is StorageError {
            throw CQLError.invalid(
                type.misfit(byteCount: bytes.count)
                    ?? "Invalid value for type \(type): \(bytes.prefix(64).map { $0 }.cqlHexadecimal)")
        }
    }

    /// The value's bytes as a value of `type`; `nil` for null.
    ///
    /// - Throws: `InvalidRequest` where the value does not fit the type.
    public func wire(as type: CQLType) throws -> [UInt8]? {
        isNull ? nil : try serialized(as: type)
    }
}

extension CQLType {
    /// Why so many bytes are no value of the type ([CA] serializers, `validate`); `nil` where it is not for their number.
    fileprivate func misfit(byteCount: Int) -> String? {
        switch self {
        case .int: "Expected 4 or 0 byte int (\(byteCount))"
        case .bigint, .counter: "Expected 8 or 0 byte long (\(byteCount))"
        case .boolean: "Expected 1 or 0 byte value (\(byteCount))"
        case .smallint: "Expected 2 bytes for a smallint (\(byteCount))"
        case .tinyint: "Expected 1 byte for a tinyint (\(byteCount))"
        case .float: "Expected 4 or 0 byte value for a float (\(byteCount))"
        case .double: "Expected 8 or 0 byte value for a double (\(byteCount))"
        case .timestamp: "Expected 8 or 0 byte long for date (\(byteCount))"
        case .date: "Expected 4 byte long for date (\(byteCount))"
        case .time: "Expected 8 byte long for time (\(byteCount))"
        case .uuid, .timeuuid: "UUID should be 16 or 0 bytes (\(byteCount))"
        case .decimal: "Expected 0 or at least 4 bytes (\(byteCount))"
        case .duration where byteCount < 3: "Expected at least 3 bytes for a duration (\(byteCount))"
        default: nil
        }
    }
}

extension Row {
    /// The bytes of a column's value as the native protocol sends them, without the length; `nil` for null.
    public func wireBytes(_ column: Int) -> [UInt8]? {
        storage.bytes(row: index, column: column)
    }
}

extension ResultSet {
    /// Appends the values of all rows as the native protocol sends them: each with its length in front, -1 for null.
    public func appendWireRows(to buffer: inout [UInt8]) {
        storage.appendWireRows(to: &buffer)
    }
}

extension CQLType {
    /// The type of that name in a keyspace; user-defined types are looked up.
    ///
    /// - Throws: `SyntaxException` or `InvalidRequest`.
    public init(_ name: String, in store: WideColumnStore, keyspace: String) throws {
        self = try Parser.parseType(name).resolved(in: try store.catalog.schema.userTypes(in: keyspace))
    }
}
