// OrderedComponent+Structures.swift — ordered forms of tuples, user-defined types, vectors and numbers of any size. The
// forms are drawn in OrderedComponent.swift.

extension OrderedComponent {
    private enum FieldTag {
        static let end: UInt8 = 0
        static let null: UInt8 = 1
        static let value: UInt8 = 2
    }

    /// Number of a sign: what it begins with decides the order.
    private enum Sign {
        static let empty: UInt8 = 0
        static let negative: UInt8 = 1
        static let zero: UInt8 = 2
        static let positive: UInt8 = 3
    }

    // MARK: Fields

    static func appendFields(_ bytes: RawSpan, _ types: [CQLType], to key: inout [UInt8]) throws {
        var reader = ByteReader(bytes)
        var nullCount = 0
        for type in types where !reader.isAtEnd {
            let count = Int(try reader.bigEndian(Int32.self))
            guard count >= 0 else {
                nullCount += 1
                continue
            }
            let range = try reader.skip(count)
            key.append(contentsOf: repeatElement(FieldTag.null, count: nullCount))
            nullCount = 0
            key.append(FieldTag.value)
            try append(bytes.extracting(range), type, to: &key)
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
        key.append(FieldTag.end)
    }

    static func decodeFields(_ source: inout OrderedSource, _ types: [CQLType], into bytes: inout [UInt8]) throws {
        var index = 0
        while true {
            let tag = try source.next()
            if tag == FieldTag.end { return }
            guard tag <= FieldTag.value, index < types.count else { throw ByteReader.tooShort }
            if tag == FieldTag.null {
                bytes.appendBigEndian(Int32(-1))
            } else {
                var field: [UInt8] = []
                try decode(&source, types[index], into: &field)
                bytes.appendBigEndian(Int32(truncatingIfNeeded: field.count))
                bytes.append(contentsOf: field)
            }
            index += 1
        }
    }

    // MARK: Vectors

    static func appendVector(_ bytes: RawSpan, _ element: CQLType, _ count: Int, to key: inout [UInt8]) throws {
        var reader = ByteReader(bytes)
        for _ in 0..<max(count, 0) {
            var byteCount = element.vectorElementByteCount ?? 0
            if element.vectorElementByteCount == nil {
                guard let length = Int(exactly: try reader.vint()) else { throw ByteReader.tooShort }
                byteCount = length
            }
            let range = try reader.skip(byteCount)
            try append(bytes.extracting(range), element, to: &key)
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
    }

    static func decodeVector(
        _ source: inout OrderedSource, _ element: CQLType, _ count: Int, into bytes: inout [UInt8]
    ) throws {
        for _ in 0..<max(count, 0) {
            var member: [UInt8] = []
            try decode(&source, element, into: &member)
            if element.vectorElementByteCount == nil { bytes.appendVInt(UInt64(member.count)) }
            bytes.append(contentsOf: member)
        }
    }

    // MARK: Numbers of any size

    static func appendVarint(_ bytes: RawSpan, to key: inout [UInt8]) {
        guard bytes.byteCount > 0 else { return key.append(Sign.empty) }
        let number = CQLInteger(twosComplement: bytes)
        key.append(number.isNegative ? Sign.negative : Sign.zero)
        let start = key.count
        let magnitude = number.magnitudeBytes
        key.appendBigEndian(UInt32(truncatingIfNeeded: magnitude.count))
        key.append(contentsOf: magnitude)
        if number.isNegative { invert(&key, from: start) }
    }

    static func decodeVarint(_ source: inout OrderedSource, into bytes: inout [UInt8]) throws {
        let sign = try source.next()
        guard sign != Sign.empty else { return }
        guard sign == Sign.negative || sign == Sign.zero else { throw ByteReader.tooShort }
        let mask: UInt8 = sign == Sign.negative ? 0xFF : 0
        var count: UInt32 = 0
        for _ in 0..<4 { count = count << 8 | UInt32(try source.next() ^ mask) }
        var magnitude: [UInt8] = [0]
        for _ in 0..<count { magnitude.append(try source.next() ^ mask) }
        let number = CQLInteger(twosComplement: magnitude.rawSpan)
        bytes.append(contentsOf: (mask == 0 ? number : -number).twosComplement)
    }

    static func appendDecimal(_ bytes: RawSpan, to key: inout [UInt8]) throws {
        guard bytes.byteCount > 0 else { return key.append(Sign.empty) }
        let number = try CQLDecimal(bytes)
        guard !number.unscaled.isZero else { return key.append(Sign.zero) }
        key.append(number.unscaled.isNegative ? Sign.negative : Sign.positive)
        let start = key.count
        // Of a long number the digits take long, so they are made once.
        let digits = Array(number.unscaled.digits.utf8)
        key.appendBigEndian(UInt64(bitPattern: Int64(digits.count) - Int64(number.scale)) ^ 1 << 63)
        let zeroCount = digits.reversed().prefix { $0 == 48 }.count
        let canNormalize = !number.scale.subtractingReportingOverflow(Int32(truncatingIfNeeded: zeroCount)).overflow
        key.append(contentsOf: digits.dropLast(canNormalize ? zeroCount : 0).map { $0 - 47 })
        key.append(0)
        if number.unscaled.isNegative { invert(&key, from: start) }
    }

    /// Up to so many digits a whole number is read with all of its zeros, as it was most likely written; beyond, they are an
    /// exponent.
    private static let maximumWholeDigitCount: Int64 = 64

    static func decodeDecimal(_ source: inout OrderedSource, into bytes: inout [UInt8]) throws {
        let sign = try source.next()
        if sign == Sign.empty { return }
        if sign == Sign.zero { return CQLDecimal(0).append(to: &bytes) }
        guard sign == Sign.negative || sign == Sign.positive else { throw ByteReader.tooShort }
        let mask: UInt8 = sign == Sign.negative ? 0xFF : 0
        var position: UInt64 = 0
        for _ in 0..<8 { position = position << 8 | UInt64(try source.next() ^ mask) }
        var digits: [UInt8] = []
        while true {
            let digit = try source.next() ^ mask
            if digit == 0 { break }
            digits.append(digit &+ 47)
        }
        let wholeCount = Int64(bitPattern: position ^ 1 << 63)
        if wholeCount <= maximumWholeDigitCount, wholeCount > Int64(digits.count) {
            digits.append(contentsOf: repeatElement(48, count: Int(wholeCount) - digits.count))
        }
        let (scale, overflow) = Int64(digits.count).subtractingReportingOverflow(wholeCount)
        guard let magnitude = CQLInteger(String(decoding: digits, as: UTF8.self)), !overflow,
            let scale = Int32(exactly: scale)
        else { throw ByteReader.tooShort }
        CQLDecimal(unscaled: mask == 0 ? magnitude : -magnitude, scale: scale).append(to: &bytes)
    }

    private static func invert(_ key: inout [UInt8], from start: Int) {
        for index in start..<key.count { key[index] = ~key[index] }
    }
}
