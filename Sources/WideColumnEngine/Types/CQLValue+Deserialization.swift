// CQLValue+Deserialization.swift — values from the native protocol's binary format.

extension CQLValue {
    /// The value of `type` that the bytes stand for.
    ///
    /// - Throws: `StorageError` (corruption) where the bytes are no value of the type.
    init(_ bytes: RawSpan, type: CQLType) throws {
        var reader = ByteReader(bytes)
        if let count = type.fixedByteCount, count != bytes.byteCount { throw ByteReader.tooShort }
        switch type {
        case .text, .ascii: self = .text(String(decoding: bytes.array(), as: UTF8.self))
        case .blob: self = .blob(bytes.array())
        case .inet: self = .inet(bytes.array())
        case .boolean: self = .boolean(try reader.uint8() != 0)
        case .tinyint: self = .tinyint(Int8(bitPattern: try reader.uint8()))
        case .smallint: self = .smallint(try reader.bigEndian(Int16.self))
        case .int: self = .int(try reader.bigEndian(Int32.self))
        case .bigint: self = .bigint(try reader.bigEndian(Int64.self))
        case .float: self = .float(Float(bitPattern: try reader.bigEndian(UInt32.self)))
        case .double: self = .double(Double(bitPattern: try reader.bigEndian(UInt64.self)))
        case .timestamp: self = .timestamp(try reader.bigEndian(Int64.self))
        case .date: self = .date(Int32(bitPattern: try reader.bigEndian(UInt32.self) ^ 0x8000_0000))
        case .time: self = .time(try reader.bigEndian(Int64.self))
        case .uuid, .timeuuid:
            let high = try reader.bigEndian(UInt64.self)
            let low = try reader.bigEndian(UInt64.self)
            self = .uuid(CQLUUID(mostSignificantBits: high, leastSignificantBits: low))
        case .list(let element): self = .list(try Self.elements(of: bytes, [element]))
        case .set(let element): self = .set(try Self.elements(of: bytes, [element]))
        case .map(let key, let value):
            let flat = try Self.elements(of: bytes, [key, value])
            self = .map(
                stride(from: 0, to: flat.count, by: 2).map { Entry(key: flat[$0], value: flat[$0 + 1]) })
        }
    }

    /// The elements of a collection; `types` repeat, so a map's keys and values alternate.
    private static func elements(of bytes: RawSpan, _ types: [CQLType]) throws -> [CQLValue] {
        var reader = ByteReader(bytes)
        let count = Int(try reader.bigEndian(Int32.self))
        // Every element takes at least the four bytes of its length.
        guard count >= 0, count <= reader.remainingCount / 4 / types.count else { throw ByteReader.tooShort }
        var values: [CQLValue] = []
        values.reserveCapacity(count * types.count)
        for index in 0..<count * types.count {
            let range = try reader.skip(Int(try reader.bigEndian(Int32.self)))
            values.append(try CQLValue(bytes.extracting(range), type: types[index % types.count]))
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
        return values
    }
}
