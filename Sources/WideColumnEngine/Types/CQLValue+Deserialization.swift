// CQLValue+Deserialization.swift — values from the native protocol's binary format.

extension CQLValue {
    /// The value of `type` that the bytes stand for.
    ///
    /// - Throws: `StorageError` (corruption) where the bytes are no value of the type; `InvalidRequest` where they are no
    ///   text of the type: to repair them would make one value of two.
    init(_ bytes: RawSpan, type: CQLType) throws {
        var reader = ByteReader(bytes)
        if bytes.byteCount == 0, type.allowsEmpty {
            self = .empty
            return
        }
        if let count = type.fixedByteCount, count != bytes.byteCount { throw ByteReader.tooShort }
        switch type {
        case .text, .ascii: self = .text(try Self.text(bytes, isASCII: type == .ascii))
        case .blob: self = .blob(bytes.array())
        case .inet: self = .inet(bytes.array())
        case .boolean: self = .boolean(try reader.uint8() != 0)
        case .tinyint: self = .tinyint(Int8(bitPattern: try reader.uint8()))
        case .smallint: self = .smallint(try reader.bigEndian(Int16.self))
        case .int: self = .int(try reader.bigEndian(Int32.self))
        case .frozen(let inner): self = try CQLValue(bytes, type: inner)
        case .varint: self = .varint(CQLInteger(twosComplement: bytes))
        case .decimal: self = .decimal(try CQLDecimal(bytes))
        case .duration: self = .duration(try CQLDuration(bytes))
        case .tuple(let types): self = .tuple(try Self.fields(of: bytes, types))
        case .userType(let user):
            let values = try Self.fields(of: bytes, user.fields.map(\.type))
            self = .userDefined(zip(user.fields, values).map { Field($0.name, $1) })
        case .vector(let element, let count): self = .vector(try Self.vector(bytes, element, count))
        case .bigint, .counter: self = .bigint(try reader.bigEndian(Int64.self))
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

    /// [CA] serializers/UTF8Serializer.java and AsciiSerializer.java, `validate`.
    private static func text(_ bytes: RawSpan, isASCII: Bool) throws -> String {
        if isASCII, let byte = unsafe bytes.withUnsafeBytes({ unsafe $0.first { $0 >= 0x80 } }) {
            throw CQLError.invalid("Invalid byte for ascii: \(Int8(bitPattern: byte))")
        }
        guard let text = String(validUTF8: bytes) else { throw CQLError.invalid("String didn't validate.") }
        return text
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
            let byteCount = Int(try reader.bigEndian(Int32.self))
            if byteCount < 0, types.count == 1 {
                // Only results have these: ttl() of a collection.
                values.append(.null)
                continue
            }
            let range = try reader.skip(byteCount)
            values.append(try CQLValue(bytes.extracting(range), type: types[index % types.count]))
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
        return values
    }

    /// The fields of a tuple or user-defined type; those that are missing at the end are null.
    private static func fields(of bytes: RawSpan, _ types: [CQLType]) throws -> [CQLValue] {
        var reader = ByteReader(bytes)
        var values: [CQLValue] = []
        for type in types {
            guard !reader.isAtEnd else {
                values.append(.null)
                continue
            }
            let count = Int(try reader.bigEndian(Int32.self))
            guard count >= 0 else {
                values.append(.null)
                continue
            }
            let range = try reader.skip(count)
            values.append(try CQLValue(bytes.extracting(range), type: type))
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
        return values
    }

    private static func vector(_ bytes: RawSpan, _ element: CQLType, _ count: Int) throws -> [CQLValue] {
        var reader = ByteReader(bytes)
        var values: [CQLValue] = []
        for _ in 0..<max(count, 0) {
            let byteCount: Int
            if let fixed = element.vectorElementByteCount {
                byteCount = fixed
            } else {
                guard let length = Int(exactly: try reader.vint()) else { throw ByteReader.tooShort }
                byteCount = length
            }
            let range = try reader.skip(byteCount)
            values.append(try CQLValue(bytes.extracting(range), type: element))
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
        return values
    }
}
