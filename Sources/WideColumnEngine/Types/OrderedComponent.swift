// OrderedComponent.swift — values as bytes that compare, by memcmp, in the order of their CQL type.
//
// One component of a clustering key, from the value's binary format:
//
//   boolean, tinyint … bigint, time, timestamp   big-endian, sign bit flipped (boolean: as it is)
//   date                                         big-endian; its binary format is unsigned already
//   float, double                                IEEE 754 bits; negative: all flipped, else: sign flipped; every NaN
//                                                as the quiet one without sign or payload, so NaN is one value, and last
//   uuid, timeuuid                               upper half rearranged (CQLUUID.orderedHigh), lower half;
//                                                timeuuid: each byte of the lower half compares signed
//   ascii, text, blob, inet                      bytes, 00 escaped as 00 FF, end marked 00 00
//   list, set, map                               01 and the element, for each; end marked 00
//   tuple, user-defined type                     01 for null, 02 and the value, for each; end marked 00; nulls at the end
//                                                are left out
//   vector                                       its elements
//   varint                                       01 negative, 02 others; number of the magnitude's bytes 4; magnitude;
//                                                all but the first byte inverted for negative numbers
//   decimal                                      01 negative, 02 zero, 03 positive; position of the point 8, sign bit
//                                                flipped; digits plus 1; end marked 00; inverted likewise. Zeros at the
//                                                end of the digits are left out, so 1.0 reads back as 1, and 1E+2 as 100
//
// The empty value of types that have one comes first. Of a type of fixed length it is that many 00 bytes and a 00; the
// one value whose bytes would be all 00 has a 01 behind them. Of varint and decimal it is a 00.
//
// Invariants: encodings are self-terminating, so components compare one after another and a prefix of the components
// is a prefix of the bytes; encodings are reversible (but for a NaN's payload); a descending component has every byte inverted.

enum OrderedComponent {
    /// Appends the ordered form of the value whose binary format is `bytes`.
    static func append(_ bytes: RawSpan, _ type: CQLType, descending: Bool = false, to key: inout [UInt8]) throws {
        let start = key.count
        try append(bytes, type, to: &key)
        guard descending else { return }
        for index in start..<key.count { key[index] = ~key[index] }
    }

    private static func append(_ bytes: RawSpan, _ type: CQLType, to key: inout [UInt8]) throws {
        var reader = ByteReader(bytes)
        let start = key.count
        if let count = type.fixedByteCount, count != bytes.byteCount {
            if bytes.byteCount == 0, type.allowsEmpty {
                key.append(contentsOf: repeatElement(0, count: count + 1))
                return
            }
            throw CQLError.invalid("Expected \(count) byte\(count == 1 ? "" : "s") for a \(type) (\(bytes.byteCount))")
        }
        switch type {
        case .boolean, .date: key.append(bytes)
        case .tinyint: key.append(try reader.uint8() ^ 0x80)
        case .smallint: key.appendBigEndian(try reader.bigEndian(UInt16.self) ^ 0x8000)
        case .int: key.appendBigEndian(try reader.bigEndian(UInt32.self) ^ 0x8000_0000)
        case .bigint, .counter, .time, .timestamp: key.appendBigEndian(try reader.bigEndian(UInt64.self) ^ 1 << 63)
        case .float:
            let number = Float(bitPattern: try reader.bigEndian(UInt32.self))
            let bits = (number.isNaN ? .nan : number).bitPattern
            key.appendBigEndian(bits >> 31 == 1 ? ~bits : bits ^ 1 << 31)
        case .double:
            let number = Double(bitPattern: try reader.bigEndian(UInt64.self))
            let bits = (number.isNaN ? .nan : number).bitPattern
            key.appendBigEndian(bits >> 63 == 1 ? ~bits : bits ^ 1 << 63)
        case .uuid, .timeuuid:
            let high = try reader.bigEndian(UInt64.self)
            let low = try reader.bigEndian(UInt64.self)
            let uuid = CQLUUID(mostSignificantBits: high, leastSignificantBits: low)
            key.appendBigEndian(uuid.orderedHigh)
            key.appendBigEndian(type == .timeuuid ? low ^ signBits : low)
        case .ascii, .text, .blob, .inet: appendEscaped(bytes, to: &key)
        case .list(let element), .set(let element): try appendElements(bytes, [element], to: &key)
        case .map(let keys, let values): try appendElements(bytes, [keys, values], to: &key)
        case .frozen(let inner): try append(bytes, inner, to: &key)
        case .tuple(let types): try appendFields(bytes, types, to: &key)
        case .userType(let user): try appendFields(bytes, user.fields.map(\.type), to: &key)
        case .vector(let element, let count): try appendVector(bytes, element, count, to: &key)
        case .varint: appendVarint(bytes, to: &key)
        case .decimal: try appendDecimal(bytes, to: &key)
        case .duration: throw CQLError.invalid("Durations have no order")
        }
        if key[start] == 0, type.allowsEmpty, let count = type.fixedByteCount, isZero(key, from: start) {
            assert(key.count == start + count)
            key.append(1)
        }
    }

    private static func isZero(_ key: [UInt8], from start: Int) -> Bool {
        for index in start..<key.count where key[index] != 0 { return false }
        return true
    }

    static let signBits: UInt64 = 0x8080_8080_8080_8080

    /// Bytes that end before everything they are a prefix of: 00 as 00 FF, then 00 00.
    static func appendEscaped(_ bytes: RawSpan, to key: inout [UInt8]) {
        unsafe bytes.withUnsafeBytes { raw in
            if unsafe raw.contains(0) {
                for offset in 0..<raw.count {
                    let byte = unsafe raw[offset]
                    key.append(byte)
                    if byte == 0 { key.append(0xFF) }
                }
            } else {
                unsafe key.append(contentsOf: raw)
            }
        }
        key.append(0)
        key.append(0)
    }

    private static func appendElements(_ bytes: RawSpan, _ types: [CQLType], to key: inout [UInt8]) throws {
        var reader = ByteReader(bytes)
        let count = Int(try reader.bigEndian(Int32.self))
        guard count >= 0, count <= reader.remainingCount / 4 else { throw ByteReader.tooShort }
        for index in 0..<count * types.count {
            let range = try reader.skip(Int(try reader.bigEndian(Int32.self)))
            key.append(1)
            try append(bytes.extracting(range), types[index % types.count], to: &key)
        }
        key.append(0)
    }
}

// MARK: - Reading back

extension OrderedComponent {
    /// Reads one component of a key from `offset` on, appends the value's binary format, and moves `offset` past it.
    static func decode(
        _ key: RawSpan, at offset: inout Int, _ type: CQLType, descending: Bool, into bytes: inout [UInt8]
    ) throws {
        var source = OrderedSource(key, offset, inverted: descending)
        try decode(&source, type, into: &bytes)
        offset = source.offset
    }

    static func decode(_ source: inout OrderedSource, _ type: CQLType, into bytes: inout [UInt8]) throws {
        if type.allowsEmpty, let count = type.fixedByteCount, source.isZero(count) {
            try source.skip(count)
            guard try source.next() != 0 else { return }
            source.rewind(count + 1)
            try decodeValue(&source, type, into: &bytes)
            return try source.skip(1)
        }
        try decodeValue(&source, type, into: &bytes)
    }

    private static func decodeValue(_ source: inout OrderedSource, _ type: CQLType, into bytes: inout [UInt8]) throws {
        switch type {
        case .boolean: bytes.append(try source.next())
        case .date: bytes.appendBigEndian(try source.integer(UInt32.self))
        case .tinyint: bytes.append(try source.next() ^ 0x80)
        case .smallint: bytes.appendBigEndian(try source.integer(UInt16.self) ^ 0x8000)
        case .int: bytes.appendBigEndian(try source.integer(UInt32.self) ^ 0x8000_0000)
        case .bigint, .counter, .time, .timestamp: bytes.appendBigEndian(try source.integer(UInt64.self) ^ 1 << 63)
        case .float:
            let bits = try source.integer(UInt32.self)
            bytes.appendBigEndian(bits >> 31 == 1 ? bits ^ 1 << 31 : ~bits)
        case .double:
            let bits = try source.integer(UInt64.self)
            bytes.appendBigEndian(bits >> 63 == 1 ? bits ^ 1 << 63 : ~bits)
        case .uuid, .timeuuid:
            let ordered = try source.integer(UInt64.self)
            let low = try source.integer(UInt64.self)
            let uuid = CQLUUID(orderedHigh: ordered, leastSignificantBits: type == .timeuuid ? low ^ signBits : low)
            bytes.appendBigEndian(uuid.mostSignificantBits)
            bytes.appendBigEndian(uuid.leastSignificantBits)
        case .ascii, .text, .blob, .inet: try decodeEscaped(&source, into: &bytes)
        case .list(let element), .set(let element): try decodeElements(&source, [element], into: &bytes)
        case .map(let keys, let values): try decodeElements(&source, [keys, values], into: &bytes)
        case .frozen(let inner): try decode(&source, inner, into: &bytes)
        case .tuple(let types): try decodeFields(&source, types, into: &bytes)
        case .userType(let user): try decodeFields(&source, user.fields.map(\.type), into: &bytes)
        case .vector(let element, let count): try decodeVector(&source, element, count, into: &bytes)
        case .varint: try decodeVarint(&source, into: &bytes)
        case .decimal: try decodeDecimal(&source, into: &bytes)
        case .duration: throw ByteReader.tooShort
        }
    }

    private static func decodeEscaped(_ source: inout OrderedSource, into bytes: inout [UInt8]) throws {
        while true {
            try source.takeRun(into: &bytes)
            guard try source.next() == 0xFF else { return }
            bytes.append(0)
        }
    }

    private static func decodeElements(
        _ source: inout OrderedSource, _ types: [CQLType], into bytes: inout [UInt8]
    ) throws {
        var elements: [[UInt8]] = []
        while try source.next() == 1 {
            var element: [UInt8] = []
            try decode(&source, types[elements.count % types.count], into: &element)
            elements.append(element)
        }
        bytes.appendBigEndian(Int32(truncatingIfNeeded: elements.count / types.count))
        for element in elements {
            bytes.appendBigEndian(Int32(truncatingIfNeeded: element.count))
            bytes.append(contentsOf: element)
        }
    }

    /// Reads escaped bytes (a partition key) and moves `offset` past them.
    static func decodeEscaped(_ key: RawSpan, at offset: inout Int, into bytes: inout [UInt8]) throws {
        var source = OrderedSource(key, offset, inverted: false)
        try decodeEscaped(&source, into: &bytes)
        offset = source.offset
    }
}

/// The bytes of a component, the right way round.
struct OrderedSource: ~Escapable {
    private let key: RawSpan
    private let mask: UInt8
    private(set) var offset: Int

    @_lifetime(copy key)
    init(_ key: RawSpan, _ offset: Int, inverted: Bool) {
        self.key = key
        self.offset = offset
        mask = inverted ? 0xFF : 0
    }

    @_lifetime(self: copy self)
    mutating func next() throws -> UInt8 {
        guard offset >= 0, offset < key.byteCount else { throw ByteReader.tooShort }
        let byte = unsafe key.unsafeLoad(fromByteOffset: offset, as: UInt8.self) ^ mask
        offset += 1
        return byte
    }

    /// Whether the next bytes are all 00.
    func isZero(_ count: Int) -> Bool {
        guard offset >= 0, count <= key.byteCount - offset else { return false }
        for index in offset..<offset + count
        where unsafe key.unsafeLoad(fromByteOffset: index, as: UInt8.self) != mask { return false }
        return true
    }

    @_lifetime(self: copy self)
    mutating func skip(_ count: Int) throws {
        guard offset >= 0, count <= key.byteCount - offset else { throw ByteReader.tooShort }
        offset += count
    }

    @_lifetime(self: copy self)
    mutating func rewind(_ count: Int) { offset -= count }

    @_lifetime(self: copy self)
    mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(_: Integer.Type) throws -> Integer {
        guard offset >= 0, MemoryLayout<Integer>.size <= key.byteCount - offset else { throw ByteReader.tooShort }
        let loaded = unsafe Integer(bigEndian: key.unsafeLoadUnaligned(fromByteOffset: offset, as: Integer.self))
        offset += MemoryLayout<Integer>.size
        return mask == 0 ? loaded : ~loaded
    }

    /// Appends the bytes up to the next 00 and moves past that.
    @_lifetime(self: copy self)
    mutating func takeRun(into bytes: inout [UInt8]) throws {
        guard offset >= 0 else { throw ByteReader.tooShort }
        let mask = mask
        let run = key.extracting(droppingFirst: min(offset, key.byteCount))
        let byteCount = unsafe run.withUnsafeBytes { run in
            let byteCount = unsafe run.firstIndex(of: mask)
            let taken = unsafe run.prefix(byteCount ?? 0)
            if mask == 0 {
                unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: taken))
            } else {
                unsafe bytes.append(contentsOf: taken.lazy.map { ~$0 })
            }
            return byteCount
        }
        guard let byteCount else { throw ByteReader.tooShort }
        offset += byteCount + 1
    }
}

extension OrderedComponent {
    /// The ordered form of a value by itself.
    static func bytes(_ value: [UInt8], _ type: CQLType) throws -> [UInt8] {
        var ordered: [UInt8] = []
        try append(value.rawSpan, type, to: &ordered)
        return ordered
    }
}

extension Comparison {
    /// The operands, in ordered form, as `holds` takes them: those of IN sorted, for there may be many of them.
    func prepared(_ operands: [[UInt8]]) -> [[UInt8]] {
        self == .in ? ClusteringRestriction.sortedUnique(operands) : operands
    }

    /// Whether `value` compares like this with the operands, which are prepared.
    func holds(_ value: [UInt8], _ operands: [[UInt8]]) -> Bool {
        if self == .in {
            let index = operands.partitioningIndex { !$0.lexicographicallyPrecedes(value) }
            return index < operands.count && operands[index] == value
        }
        guard let operand = operands.first else { return false }
        let order = value.rawSpan.compare(operand.rawSpan)
        return switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        case .in, .contains, .containsKey, .isNotNull: false
        }
    }
}
