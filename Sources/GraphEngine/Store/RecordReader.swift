// RecordReader.swift — reads records, which may be damaged: no byte pattern traps, all are refused with an error.

struct RecordReader: ~Escapable {
    private let bytes: RawSpan
    private var offset = 0

    @_lifetime(copy bytes)
    private init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    static func node(_ bytes: RawSpan) throws -> NodeRecord {
        var reader = try RecordReader(checking: bytes)
        let labels = try reader.labels()
        return NodeRecord(labels: labels, properties: try reader.properties())
    }

    static func labels(_ bytes: RawSpan) throws -> [UInt32] {
        var reader = try RecordReader(checking: bytes)
        return try reader.labels()
    }

    static func relationship(_ bytes: RawSpan) throws -> RelationshipRecord {
        var reader = try RecordReader(checking: bytes)
        var record = RelationshipRecord(
            type: try reader.token(), start: NodeID(rawValue: try reader.token()),
            end: NodeID(rawValue: try reader.token()))
        record.properties = try reader.properties()
        return record
    }

    /// One property of a node, without decoding the others.
    static func property(_ key: UInt32, ofNode bytes: RawSpan) throws -> GraphValue? {
        var reader = try RecordReader(checking: bytes)
        for _ in 0..<(try reader.count()) { _ = try reader.varint() }
        return try reader.property(key)
    }

    /// One property of a relationship, without decoding the others.
    static func property(_ key: UInt32, ofRelationship bytes: RawSpan) throws -> GraphValue? {
        var reader = try RecordReader(checking: bytes)
        for _ in 0..<3 { _ = try reader.varint() }
        return try reader.property(key)
    }

    // MARK: - Fields

    @_lifetime(copy bytes)
    private init(checking bytes: RawSpan) throws {
        self.init(bytes)
        let format = try byte()
        guard format == RecordWriter.format else {
            throw StorageError(
                .unsupportedFormat, "A graph record has format \(format); this version reads \(RecordWriter.format).")
        }
    }

    private func damaged(_ what: String) -> StorageError {
        .corruption("A graph record is damaged at byte \(offset): \(what)")
    }

    private mutating func byte() throws -> UInt8 {
        guard offset < bytes.byteCount else { throw damaged("it ends too early") }
        defer { offset += 1 }
        return unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    private mutating func varint() throws -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { throw damaged("a number is too large") }
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
    }

    private mutating func token() throws -> UInt32 {
        guard let token = UInt32(exactly: try varint()) else { throw damaged("a token is too large") }
        return token
    }

    /// A count of elements of at least one byte each.
    private mutating func count() throws -> Int {
        let count = try varint()
        guard count <= UInt64(bytes.byteCount - offset) else { throw damaged("a count is too large") }
        return Int(count)
    }

    private mutating func labels() throws -> [UInt32] {
        let count = try count()
        var labels: [UInt32] = []
        labels.reserveCapacity(count)
        for _ in 0..<count { labels.append(try token()) }
        return labels
    }

    private mutating func properties() throws -> PropertyList {
        var list = PropertyList()
        for _ in 0..<(try count()) {
            let key = try token()
            list[key] = try value(nested: false)
        }
        guard offset == bytes.byteCount else { throw damaged("bytes follow the last property") }
        return list
    }

    private mutating func property(_ key: UInt32) throws -> GraphValue? {
        for _ in 0..<(try count()) {
            let candidate = try token()
            if candidate == key { return try value(nested: false) }
            try skipValue()
        }
        return nil
    }

    private mutating func value(nested: Bool) throws -> GraphValue {
        switch try byte() {
        case 1: return false
        case 2: return true
        case 3:
            let zigzag = try varint()
            return .integer(Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1))
        case 4: return .float(Double(bitPattern: try word()))
        case 5: return .string(try text())
        case 6 where !nested:
            var elements: [GraphValue] = []
            for _ in 0..<(try count()) { elements.append(try value(nested: true)) }
            return .list(elements)
        case let tag: throw damaged("no value has the tag \(tag)")
        }
    }

    private mutating func skipValue() throws {
        switch try byte() {
        case 1, 2: break
        case 3: _ = try varint()
        case 4: _ = try word()
        case 5: offset += try count()
        case 6: for _ in 0..<(try count()) { _ = try value(nested: true) }
        case let tag: throw damaged("no value has the tag \(tag)")
        }
    }

    private mutating func word() throws -> UInt64 {
        guard bytes.byteCount - offset >= 8 else { throw damaged("it ends too early") }
        defer { offset += 8 }
        return UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private mutating func text() throws -> String {
        let byteCount = try count()
        guard let text = String(validUTF8: bytes.extracting(offset..<(offset + byteCount))) else {
            throw damaged("a text is not valid UTF-8")
        }
        offset += byteCount
        return text
    }
}
