// IndexKeyEncoding.swift — BSON values as bytes whose memcmp order is the order of the values.
//
//     value    := rank + 2 (one byte: BSONType.canonicalRank)   payload
//     number   := floor (8 bytes: the largest double ≤ the number, sign-flipped)   0x00
//               | floor   0x01   decimal                        where the number is above that double
//     decimal  := 0x01   exponent (2 bytes)   34 digits as an integer (16 bytes), all inverted for a negative number
//     text     := bytes, 00 as 00 FF   00 01
//     document := (rank + 2   name as text   payload)*   00
//     array    := value*   00
//     binary   := byte count (4 bytes)   subtype   bytes
//     date     := milliseconds (8 bytes), sign-flipped
//
// Booleans are 00 or 01, timestamps 8 bytes, code is text; object ids, regular expressions, DBPointers and code with
// scope are their BSON bytes; the other types have no payload. Integers are big-endian.
//
// Invariants: two values have the same bytes if and only if they compare equal (1, 1.0 and Decimal 1.00 do); no
// encoding is a prefix of another's, so components can be concatenated and single ones inverted for descending order.

struct IndexKeyEncoder {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(32)
    }

    mutating func append(_ value: BSONView, descending: Bool = false) {
        let start = bytes.count
        bytes.append(Self.rankByte(value.type))
        appendPayload(value)
        if descending { invert(from: start) }
    }

    mutating func append(recordID: RecordID) {
        appendBigEndian(recordID.rawValue)
    }

    /// The byte that every value of the type begins with.
    static func rankByte(_ type: BSONType) -> UInt8 {
        UInt8(type.canonicalRank + 2)
    }

    static func bytes(of value: BSONView) -> [UInt8] {
        var encoder = IndexKeyEncoder()
        encoder.append(value)
        return encoder.bytes
    }

    private mutating func appendPayload(_ value: BSONView) {
        switch value.type {
        case .int32, .int64, .double, .decimal128:
            if let number = BSONNumber(value) { append(number) }
        case .string, .symbol, .javascript: appendText(value.text)
        case .document, .array: appendElements(value)
        case .binary:
            let content = value.binaryBytes
            appendBigEndian(UInt32(truncatingIfNeeded: content.byteCount))
            bytes.append(value.binarySubtype)
            bytes.append(content)
        case .bool: bytes.append(value.bool ? 1 : 0)
        case .date: appendBigEndian(UInt64(bitPattern: value.dateMilliseconds) ^ 1 << 63)
        case .timestamp: appendBigEndian(value.timestamp)
        // Fixed in length, or ended by what they begin with: prefix-free as they are.
        case .objectID, .regex, .dbPointer, .javascriptWithScope: bytes.append(value.bytes)
        case .undefined, .null, .minKey, .maxKey: break
        }
    }

    private mutating func appendElements(_ value: BSONView) {
        var elements = value.elements
        while let element = elements.next() {
            bytes.append(Self.rankByte(element.value.type))
            if value.isDocument { appendText(element.name) }
            appendPayload(element.value)
        }
        bytes.append(0)
    }

    private mutating func appendText(_ text: RawSpan) {
        for offset in 0..<text.byteCount {
            let byte = text.byte(at: offset)
            bytes.append(byte)
            if byte == 0 { bytes.append(0xFF) }
        }
        bytes.append(0)
        bytes.append(1)
    }

    private mutating func append(_ number: BSONNumber) {
        if number.isNaN {
            appendBigEndian(UInt64(0))
            bytes.append(0)
            return
        }
        let floor = number.floorDouble
        let bits = (floor == 0 ? 0.0 : floor).bitPattern
        appendBigEndian(bits >> 63 == 1 ? ~bits : bits | 1 << 63)
        if number.compare(.double(floor)) == 0 {
            bytes.append(0)
        } else {
            bytes.append(1)
            append(decimal: number.decimal)
        }
    }

    private mutating func append(decimal: Decimal128) {
        let start = bytes.count
        bytes.append(1)
        let digitCount = Decimal128.digitCount(decimal.significand)
        let adjusted = UInt16(truncatingIfNeeded: decimal.exponent + digitCount + 0x4000)
        appendBigEndian(adjusted)
        let digits = decimal.significand * Decimal128.power(34 - min(digitCount, 34))
        appendBigEndian(UInt64(truncatingIfNeeded: digits >> 64))
        appendBigEndian(UInt64(truncatingIfNeeded: digits))
        if decimal.isNegative { invert(from: start) }
    }

    private mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    private mutating func invert(from start: Int) {
        for index in start..<bytes.count { bytes[index] = ~bytes[index] }
    }
}

extension BSONNumber {
    /// The largest double that is not above the number.
    var floorDouble: Double {
        let nearest = nearestDouble
        return BSONNumber.double(nearest).compare(self) > 0 ? nearest.nextDown : nearest
    }

    /// The number as a decimal; exact for every number that is not a double.
    fileprivate var decimal: Decimal128 {
        switch self {
        case .integer(let number): Decimal128(number)
        case .decimal(let number): number
        case .double: Decimal128(0)
        }
    }
}

/// The number of a record: counting up from the highest that is there, so unique among the living ones; a number whose
/// record was the last and is deleted may come again after the storage is reopened.
struct RecordID: Hashable, Comparable, Sendable {
    let rawValue: UInt64

    static let byteCount = 8

    var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: rawValue >> (56 - 8 * $0)) }
    }

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Eight bytes, big-endian; `nil` for any other count.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount == Self.byteCount else { return nil }
        rawValue = bytes.littleEndian64(at: 0).byteSwapped
    }

    static func < (left: RecordID, right: RecordID) -> Bool { left.rawValue < right.rawValue }
}
