// ItemDecoder.swift — reads the format that ItemCodec.swift draws.
//
// Invariant: `offset` never passes the end; every read checks what is left before it touches a byte.

internal import StorageTypes

/// A position in encoded bytes. Every read throws `StorageError.corruption` rather than going beyond them.
struct ItemDecoder: ~Escapable {
    /// Levels of lists and maps that are followed: those that the engine stores, and one to spare.
    private static let depthLimit = AttributeValue.nestingLimit + 1

    private let bytes: Span<UInt8>
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = Span(_bytes: bytes)
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func expectVersion(_ version: UInt8) throws {
        let found = try byte()
        guard found == version else {
            throw StorageError(.unsupportedFormat, "An item has format \(found); this version reads format \(version).")
        }
    }

    mutating func byte() throws -> UInt8 {
        guard offset < bytes.count else { throw Self.truncated }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            let byte = try byte()
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw StorageError.corruption("A length in an item has more than 64 bits.")
    }

    mutating func bigEndian<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Integer {
        var value: Integer = 0
        for _ in 0..<(Integer.bitWidth / 8) { value = value << 8 | Integer(truncatingIfNeeded: try byte()) }
        return value
    }

    mutating func text() throws -> String {
        let range = try lengthPrefixedRange()
        guard let text = String(validUTF8: bytes.rawSpan.extracting(range)) else {
            throw StorageError.corruption("Text in an item is not UTF-8.")
        }
        return text
    }

    mutating func binary() throws -> [UInt8] {
        bytes.rawSpan.extracting(try lengthPrefixedRange()).array()
    }

    mutating func item(depth: Int = 0) throws -> Item {
        let count = try count()
        var attributes: [Item.Attribute] = []
        attributes.reserveCapacity(count)
        for _ in 0..<count {
            let name = try text()
            if let last = attributes.last, last.name.compareUTF8(name) >= 0 {
                throw StorageError.corruption("The attributes of an item are out of order.")
            }
            attributes.append(Item.Attribute(name: name, value: try value(depth: depth)))
        }
        return Item(ordered: attributes)
    }

    mutating func value(depth: Int = 0) throws -> AttributeValue {
        guard depth <= Self.depthLimit else { throw StorageError.corruption("An item is nested too deeply.") }
        let byte = try byte()
        guard let tag = ValueTag(rawValue: byte) else {
            throw StorageError.corruption("A value has unknown tag \(byte).")
        }
        switch tag {
        case .s: return .s(try text())
        case .integer, .decimal, .negativeDecimal: return .n(try number(tag))
        case .b: return .b(try binary())
        case .false: return .bool(false)
        case .true: return .bool(true)
        case .null: return .null
        case .l: return .l(try elements { try $0.value(depth: depth + 1) })
        case .m: return .m(try item(depth: depth + 1))
        case .ss: return .ss(try elements { try $0.text() })
        case .ns: return .ns(try elements { try $0.taggedNumber() })
        case .bs: return .bs(try elements { try $0.binary() })
        }
    }

    private mutating func taggedNumber() throws -> TableNumber {
        switch ValueTag(rawValue: try byte()) {
        case .integer?: return try number(.integer)
        case .decimal?: return try number(.decimal)
        case .negativeDecimal?: return try number(.negativeDecimal)
        default: throw StorageError.corruption("A number set holds another type.")
        }
    }

    private mutating func number(_ tag: ValueTag) throws -> TableNumber {
        if tag == .integer {
            let bits = try varint()
            return TableNumber(Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1))
        }
        let exponent = Int(try bigEndian(Int16.self))
        let coefficient = try bigEndian(UInt128.self)
        let number = try? TableNumber(
            isNegative: tag == .negativeDecimal, coefficient: coefficient, exponent: exponent)
        guard let number, number.coefficient == coefficient, Int(number.exponent) == exponent else {
            throw StorageError.corruption("A number in an item is not in canonical form.")
        }
        return number
    }

    private mutating func elements<T>(_ element: (inout ItemDecoder) throws -> T) throws -> [T] {
        let count = try count()
        var result: [T] = []
        result.reserveCapacity(count)
        for _ in 0..<count { result.append(try element(&self)) }
        return result
    }

    /// A number of elements. Each takes at least one byte, so a larger one is refused before space is reserved.
    private mutating func count() throws -> Int {
        let count = try varint()
        guard count <= UInt64(bytes.count - offset) else { throw Self.truncated }
        return Int(count)
    }

    private mutating func lengthPrefixedRange() throws -> Range<Int> {
        let length = try count()
        defer { offset += length }
        return offset..<(offset + length)
    }

    private static let truncated = StorageError.corruption("An item ends early.")
}
