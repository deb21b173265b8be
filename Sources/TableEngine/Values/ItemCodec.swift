// ItemCodec.swift — items as bytes, in tables and stream records.
//
//     row     = version (1 byte, 01)  item
//     item    = count (varint)  { name length (varint)  name (UTF-8)  value } × count
//     value   = tag (1 byte)  payload
//
//     tag   type    payload                          tag   type    payload
//     01    S       length (varint)  UTF-8           07    BOOL    true, no payload
//     02    N       zigzag varint, 64-bit integers   08    NULL    none
//     03    N       decimal, any other number        09    L       count (varint)  value × count
//     04    N       decimal, negative                0A    M       item
//     05    B       length (varint)  bytes           0B    SS      count (varint)  { length  UTF-8 } × count
//     06    BOOL    false, no payload                0C    NS      count (varint)  { N value } × count
//                                                    0D    BS      count (varint)  { length  bytes } × count
//
//     decimal = exponent (2 bytes, big endian, signed)  coefficient (16 bytes, big endian)
//
// Valid only if: names are in strictly ascending byte order; text is UTF-8; varints have at most 10 bytes; decimals are
// canonical; nesting stays within the limit; nothing follows the item. Whatever else the bytes are is refused with
// `StorageError.corruption`; they never trap, and a count never reserves more than the bytes could hold.

internal import StorageTypes

/// The tags of the format; do not renumber.
enum ValueTag: UInt8 {
    case s = 0x01
    case integer = 0x02
    case decimal = 0x03
    case negativeDecimal = 0x04
    case b = 0x05
    case `false` = 0x06
    case `true` = 0x07
    case null = 0x08
    case l = 0x09
    case m = 0x0A
    case ss = 0x0B
    case ns = 0x0C
    case bs = 0x0D
}

enum ItemCodec {
    static let version: UInt8 = 1

    /// The row: version and item.
    static func encode(_ item: Item) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        bytes.append(version)
        bytes.append(item: item)
        return bytes
    }

    /// Reads a row.
    ///
    /// - Throws: `StorageError.corruption` for bytes that are no row.
    static func decode(_ bytes: RawSpan) throws -> Item {
        var decoder = ItemDecoder(bytes)
        try decoder.expectVersion(version)
        let item = try decoder.item()
        guard decoder.isAtEnd else { throw StorageError.corruption("Bytes follow an item.") }
        return item
    }
}

extension Array where Element == UInt8 {
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(bigEndian value: some FixedWidthInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func append(lengthPrefixed text: String) {
        append(varint: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    mutating func append(lengthPrefixed bytes: [UInt8]) {
        append(varint: UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    mutating func append(item: Item) {
        append(varint: UInt64(item.count))
        for attribute in item {
            append(lengthPrefixed: attribute.name)
            append(value: attribute.value)
        }
    }

    mutating func append(value: AttributeValue) {
        switch value {
        case .s(let text):
            append(ValueTag.s.rawValue)
            append(lengthPrefixed: text)
        case .n(let number): append(number: number)
        case .b(let bytes):
            append(ValueTag.b.rawValue)
            append(lengthPrefixed: bytes)
        case .bool(let flag): append(flag ? ValueTag.true.rawValue : ValueTag.false.rawValue)
        case .null: append(ValueTag.null.rawValue)
        case .l(let values): append(.l, values) { $0.append(value: $1) }
        case .m(let item):
            append(ValueTag.m.rawValue)
            append(item: item)
        case .ss(let texts): append(.ss, texts) { $0.append(lengthPrefixed: $1) }
        case .ns(let numbers): append(.ns, numbers) { $0.append(number: $1) }
        case .bs(let binaries): append(.bs, binaries) { $0.append(lengthPrefixed: $1) }
        }
    }

    private mutating func append<T>(_ tag: ValueTag, _ elements: [T], _ body: (inout [UInt8], T) -> Void) {
        append(tag.rawValue)
        append(varint: UInt64(elements.count))
        for element in elements { body(&self, element) }
    }

    private mutating func append(number: TableNumber) {
        if let integer = number.int64 {
            append(ValueTag.integer.rawValue)
            append(varint: UInt64(bitPattern: integer << 1 ^ integer >> 63))
        } else {
            append((number.isNegative ? ValueTag.negativeDecimal : ValueTag.decimal).rawValue)
            append(bigEndian: number.exponent)
            append(bigEndian: number.coefficient)
        }
    }
}
