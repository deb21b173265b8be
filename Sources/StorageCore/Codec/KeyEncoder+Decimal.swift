// KeyEncoder+Decimal.swift — decimals of any precision in memcmp order.
//
//     sign        1 byte    01 negative, 02 zero (nothing follows), 03 positive
//     magnitude   1 byte    80 + m for -96 ≤ m ≤ 96, m being the number of digits before the point (0.5: 0, 0.05: -1)
//              or 5…6 bytes F0 + n, then m in n bytes, n being 4 or 5, big-endian, for m > 96
//                           0F - n, then -m in n bytes, each inverted, for m < -96
//     digits      pairs     1 + the number the pair makes (01…64 hexadecimal), an odd last digit as if a 0 followed
//     end         1 byte    00
//
// For negative numbers everything after the sign is inverted. Valid only if the first pair is 10 or more, the last one is
// not 0, n is the smaller one that suffices, and m is outside of what the short form holds.

internal import StorageTypes

extension KeyEncoder {
    /// The order of the numbers. 1.0 and 1 give the same bytes.
    public mutating func append(decimal value: KeyDecimal, descending: Bool = false) {
        let start = bytes.count
        if value.digits.isEmpty {
            bytes.append(DecimalSign.zero)
        } else {
            bytes.append(value.isNegative ? DecimalSign.negative : DecimalSign.positive)
            appendMagnitude(value.magnitude)
            appendPairs(value.digits)
            if value.isNegative { invert(from: start + 1) }
        }
        if descending { invert(from: start) }
    }

    private mutating func appendMagnitude(_ magnitude: Int) {
        guard !DecimalMagnitude.short.contains(magnitude) else {
            bytes.append(UInt8(DecimalMagnitude.bias + magnitude))
            return
        }
        let size = magnitude.magnitude
        let byteCount = DecimalMagnitude.byteCount(of: size)
        let mask: UInt8 = magnitude < 0 ? 0xFF : 0
        bytes.append(UInt8(magnitude < 0 ? 0x0F - byteCount : 0xF0 + byteCount))
        for index in (0..<byteCount).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: size >> (8 * index)) ^ mask)
        }
    }

    private mutating func appendPairs(_ digits: [UInt8]) {
        for index in stride(from: 0, to: digits.count, by: 2) {
            let second = index + 1 < digits.count ? digits[index + 1] : 0
            bytes.append(1 + digits[index] * 10 + second)
        }
        bytes.append(0)
    }

    private mutating func invert(from start: Int) {
        for index in start..<bytes.count { bytes[index] = ~bytes[index] }
    }
}

extension KeyDecoder {
    public mutating func decimal(descending: Bool = false) throws -> KeyDecimal {
        let sign = try uint8(descending: descending)
        if sign == DecimalSign.zero { return .zero }
        guard sign == DecimalSign.negative || sign == DecimalSign.positive else { throw Self.malformedDecimal }
        let isNegative = sign == DecimalSign.negative
        let isInverted = isNegative != descending
        let magnitude = try decimalMagnitude(isInverted: isInverted)
        let digits = try decimalDigits(isInverted: isInverted)
        // The magnitude is within ±2^40 and there are no more digits than bytes in memory: no overflow.
        let exponent = magnitude - digits.count
        return KeyDecimal(unchecked: isNegative, digits[...], exponent)
    }

    private mutating func decimalMagnitude(isInverted: Bool) throws -> Int {
        let first = Int(try uint8(descending: isInverted))
        if DecimalMagnitude.short.contains(first - DecimalMagnitude.bias) { return first - DecimalMagnitude.bias }
        let isSmall = first < DecimalMagnitude.bias
        let byteCount = isSmall ? 0x0F - first : first - 0xF0
        guard DecimalMagnitude.byteCounts.contains(byteCount) else { throw Self.malformedDecimal }
        var size: UInt = 0
        for _ in 0..<byteCount {
            size = size << 8 | UInt(try uint8(descending: isInverted != isSmall))
        }
        guard size > DecimalMagnitude.short.upperBound, byteCount == DecimalMagnitude.byteCount(of: size) else {
            throw Self.malformedDecimal
        }
        return isSmall ? -Int(size) : Int(size)
    }

    private mutating func decimalDigits(isInverted: Bool) throws -> [UInt8] {
        var digits: [UInt8] = []
        while true {
            let pair = try uint8(descending: isInverted)
            if pair == 0 { break }
            guard pair <= 100, !digits.isEmpty || pair > 10 else { throw Self.malformedDecimal }
            digits.append((pair - 1) / 10)
            digits.append((pair - 1) % 10)
        }
        guard digits.suffix(2).contains(where: { $0 != 0 }) else { throw Self.malformedDecimal }
        if digits.last == 0 { digits.removeLast() }
        return digits
    }

    private static var malformedDecimal: StorageError {
        corruption("A key holds a decimal in a form that is never written.")
    }
}

/// On disk: do not renumber.
private enum DecimalSign {
    static let negative: UInt8 = 1
    static let zero: UInt8 = 2
    static let positive: UInt8 = 3
}

private enum DecimalMagnitude {
    static let bias = 0x80
    /// What one byte holds.
    static let short = -96...96
    /// What the long form's count may be: 32-bit exponents take 4 or 5 bytes.
    static let byteCounts = 4...5

    static func byteCount(of size: UInt) -> Int {
        max(byteCounts.lowerBound, (UInt.bitWidth - size.leadingZeroBitCount + 7) / 8)
    }
}
