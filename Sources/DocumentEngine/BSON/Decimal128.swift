// Decimal128.swift — IEEE 754-2008 decimal floating point in its binary-integer encoding: text, order, parts.
//
//     bit 127 sign | 14 bits exponent + 6176 | 113 bits significand          the usual form
//     bits 126-122 = 11110 infinity, 11111 NaN; bits 126-125 = 11 otherwise: a significand above the maximum, read as 0

/// A decimal number of 34 digits, with exponents from -6176 to 6111.
///
/// Equality is by encoding: `1.0` and `1.00` differ here and are equal in ``BSONValue/compare(_:)``.
public struct Decimal128: Sendable, Hashable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    static let maximumSignificand: UInt128 = Self.power(34) - 1
    private static let bias = 6176
    static let exponents = -6176...6111

    public static let infinity = Decimal128(high: 0x7800_0000_0000_0000, low: 0)
    public static let negativeInfinity = Decimal128(high: 0xF800_0000_0000_0000, low: 0)
    public static let nan = Decimal128(high: 0x7C00_0000_0000_0000, low: 0)

    public var isNaN: Bool { high >> 58 & 0x1F == 0x1F }
    public var isInfinite: Bool { high >> 58 & 0x1F == 0x1E }
    public var isFinite: Bool { high >> 59 & 0xF != 0xF }
    public var isNegative: Bool { high >> 63 != 0 }

    init?(isNegative: Bool, significand: UInt128, exponent: Int) {
        guard significand <= Self.maximumSignificand, Self.exponents.contains(exponent) else { return nil }
        let sign: UInt64 = isNegative ? 1 << 63 : 0
        high = sign | UInt64(exponent + Self.bias) << 49 | UInt64(truncatingIfNeeded: significand >> 64)
        low = UInt64(truncatingIfNeeded: significand)
    }

    /// The digits as an integer; zero where the number is not finite.
    var significand: UInt128 {
        guard isFinite, high >> 61 & 3 != 3 else { return 0 }
        let value = UInt128(high & 0x1_FFFF_FFFF_FFFF) << 64 | UInt128(low)
        return value <= Self.maximumSignificand ? value : 0
    }

    var exponent: Int {
        let shift: UInt64 = high >> 61 & 3 == 3 ? 47 : 49
        return Int(high >> shift & 0x3FFF) - Self.bias
    }

    /// The number if it is integral and fits in 64 bits.
    var integer: Int64? {
        guard isFinite else { return nil }
        var digits = significand
        var exponent = exponent
        while exponent < 0, digits.isMultiple(of: 10), digits != 0 { (digits, exponent) = (digits / 10, exponent + 1) }
        guard digits != 0 else { return 0 }
        guard exponent >= 0, exponent <= 18 else { return nil }
        let (product, overflow) = digits.multipliedReportingOverflow(by: Self.power(exponent))
        guard !overflow, product <= 1 << 63 else { return nil }
        return isNegative ? Int64(exactly: -Int128(product)) : Int64(exactly: product)
    }

    var nearestDouble: Double {
        if isNaN { return .nan }
        if isInfinite { return isNegative ? -.infinity : .infinity }
        return Double(description) ?? 0
    }

    static func power(_ exponent: Int) -> UInt128 {
        var result: UInt128 = 1
        for _ in 0..<min(exponent, 38) { result *= 10 }
        return result
    }
}

extension Decimal128 {
    init(_ integer: Int64) {
        high = (integer < 0 ? 1 << 63 : 0) | UInt64(Self.bias) << 49
        low = integer.magnitude
    }

    /// The number written as text: `-12.5E+3`, `Infinity`, `NaN`. `nil` if it is not a number or can't be held exactly.
    public init?(_ text: String) {
        switch text.lowercased() {
        case "nan", "+nan", "-nan": self = .nan
        case "inf", "infinity", "+inf", "+infinity": self = .infinity
        case "-inf", "-infinity": self = .negativeInfinity
        default:
            guard let parts = DecimalText(text) else { return nil }
            self.init(parts)
        }
    }

    private init?(_ parts: DecimalText) {
        var significand = parts.significand
        var exponent = parts.exponent
        if significand == 0 { exponent = min(max(exponent, Self.exponents.lowerBound), Self.exponents.upperBound) }
        while exponent < Self.exponents.lowerBound, significand.isMultiple(of: 10) {
            (significand, exponent) = (significand / 10, exponent + 1)
        }
        while exponent > Self.exponents.upperBound, significand <= Self.maximumSignificand / 10 {
            (significand, exponent) = (significand * 10, exponent - 1)
        }
        self.init(isNegative: parts.isNegative, significand: significand, exponent: exponent)
    }
}

/// The digits and exponent of a decimal number's text.
private struct DecimalText {
    var isNegative = false
    var significand: UInt128 = 0
    var exponent = 0

    init?(_ text: String) {
        var rest = Substring(text).utf8
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        var digitCount = 0
        var isFraction = false
        while let character = rest.first, character | 0x20 != UInt8(ascii: "e") {
            rest.removeFirst()
            if character == UInt8(ascii: "."), !isFraction {
                isFraction = true
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
            guard append(character - UInt8(ascii: "0"), isFraction: isFraction) else { return nil }
            digitCount += 1
        }
        guard digitCount > 0 else { return nil }
        if !rest.isEmpty {
            let written = Substring(rest.dropFirst())
            guard let value = Int(written), (-100_000...100_000).contains(value) else { return nil }
            exponent += value
        }
    }

    // Trailing zeros beyond 34 digits only move the exponent; any other digit there would have to be rounded.
    private mutating func append(_ digit: UInt8, isFraction: Bool) -> Bool {
        if significand <= (Decimal128.maximumSignificand - UInt128(digit)) / 10 {
            significand = significand * 10 + UInt128(digit)
            if isFraction { exponent -= 1 }
            return true
        }
        guard digit == 0, exponent < 100_000 else { return false }
        if !isFraction { exponent += 1 }
        return true
    }
}

extension Decimal128: CustomStringConvertible {
    /// The canonical text of the driver specification (bson-decimal128): scientific above exponent 0 or below 10⁻⁶.
    public var description: String {
        if isNaN { return "NaN" }
        let sign = isNegative ? "-" : ""
        if isInfinite { return sign + "Infinity" }
        let digits = String(significand)
        let adjusted = exponent + digits.utf8.count - 1
        if exponent > 0 || adjusted < -6 { return sign + Self.scientific(digits, exponent: adjusted) }
        guard exponent < 0 else { return sign + digits }
        let pointOffset = digits.utf8.count + exponent
        if pointOffset > 0 { return sign + digits.prefix(pointOffset) + "." + digits.dropFirst(pointOffset) }
        return sign + "0." + String(repeating: "0", count: -pointOffset) + digits
    }

    private static func scientific(_ digits: String, exponent: Int) -> String {
        let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
        return digits.prefix(1) + fraction + "E" + (exponent < 0 ? "" : "+") + String(exponent)
    }
}
