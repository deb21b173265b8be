// CQLDecimal.swift — `decimal`: an integer and a decimal scale, as Java's BigDecimal. Arithmetic is in +Arithmetic.

/// A decimal number of any precision: `unscaled · 10^-scale`.
///
/// Equality is of the representation, so 1.0 is not 1.00; ``compare(_:)`` compares numbers.
public struct CQLDecimal: Hashable, Sendable {
    public let unscaled: CQLInteger
    public let scale: Int32

    public init(unscaled: CQLInteger, scale: Int32 = 0) {
        self.unscaled = unscaled
        self.scale = scale
    }

    public init(_ value: Int64) {
        self.init(unscaled: CQLInteger(value))
    }

    /// Digits with an optional sign, fraction and exponent.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        let halves =
            parts.count == 2 ? parts : text.split(separator: "E", maxSplits: 1, omittingEmptySubsequences: false)
        guard let mantissa = halves.first, let exponent = halves.count == 2 ? Int64(halves[1]) : 0 else { return nil }
        let point = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = point.count == 2 ? point[1] : ""
        guard let unscaled = CQLInteger(String(point.first ?? "") + fraction),
            fraction.utf8.allSatisfy({ (48...57).contains($0) }),
            let scale = Int32(exactly: Int64(fraction.utf8.count).subtractingReportingOverflow(exponent).partialValue)
        else { return nil }
        self.init(unscaled: unscaled, scale: scale)
    }

    /// The shortest decimal that is read as this number; `nil` where it is not finite.
    init?(shortest value: Double) {
        guard value.isFinite else { return nil }
        self.init(value.description)
    }

    /// The nearest floating-point number.
    var double: Double { Double("\(unscaled)E\(-Int64(scale))") ?? 0 }

    /// The whole part; `nil` where it has more digits than an integer is allowed.
    var integer: CQLInteger? {
        if unscaled.isZero { return .zero }
        if scale <= 0 {
            guard -Int64(scale) <= Int64(CQLInteger.maximumDigitCount) else { return nil }
            return unscaled * .power(ofTen: Int(-scale))
        }
        guard Int(scale) <= unscaled.digits.utf8.count else { return .zero }
        return unscaled.dividedReportingRemainder(by: .power(ofTen: Int(scale)))?.quotient
    }

    /// The number of digits before the decimal point, if the number is not zero.
    var pointPosition: Int64 { Int64(unscaled.digits.utf8.count) - Int64(scale) }

    /// The same number with the smallest scale: what keys hold.
    var normalized: CQLDecimal {
        guard !unscaled.isZero else { return CQLDecimal(0) }
        let digits = Array(unscaled.digits.utf8)
        let zeros = digits.reversed().prefix { $0 == 48 }.count
        let kept = String(decoding: digits.dropLast(zeros), as: UTF8.self)
        let (scale, overflow) = scale.subtractingReportingOverflow(Int32(truncatingIfNeeded: zeros))
        guard zeros > 0, !overflow, let value = CQLInteger(kept) else { return self }
        return CQLDecimal(unscaled: unscaled.isNegative ? -value : value, scale: scale)
    }

    /// Less than, equal to, or greater than zero, as this number is less, equal or greater.
    public func compare(_ other: CQLDecimal) -> Int {
        if unscaled.isZero || other.unscaled.isZero || unscaled.isNegative != other.unscaled.isNegative {
            let signs = (unscaled.sign, other.unscaled.sign)
            return signs.0 == signs.1 ? 0 : signs.0 < signs.1 ? -1 : 1
        }
        let magnitude: Int
        if pointPosition != other.pointPosition {
            magnitude = pointPosition < other.pointPosition ? -1 : 1
        } else {
            let (left, right) = (normalized.unscaled.digits, other.normalized.unscaled.digits)
            magnitude = left == right ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
        }
        return unscaled.isNegative ? -magnitude : magnitude
    }
}

extension CQLInteger {
    fileprivate var sign: Int { isZero ? 0 : isNegative ? -1 : 1 }
}

extension CQLDecimal: CustomStringConvertible {
    /// Plain digits where there are not too many of them, otherwise with an exponent.
    public var description: String { scale < 0 || scale > 100 ? scientificText : plainText }

    /// The digits with the decimal point where the scale, which is not negative, puts it.
    var plainText: String {
        let digits = unscaled.digits
        guard scale > 0 else { return (unscaled.isNegative ? "-" : "") + digits }
        let padded = String(repeating: "0", count: max(0, Int(scale) + 1 - digits.utf8.count)) + digits
        return (unscaled.isNegative ? "-" : "") + padded.dropLast(Int(scale)) + "." + padded.suffix(Int(scale))
    }

    /// One digit before the decimal point, and an exponent.
    var scientificText: String {
        let digits = unscaled.digits
        let exponent = Int64(digits.utf8.count) - 1 - Int64(scale)
        let fraction = digits.utf8.count > 1 ? "." + digits.dropFirst() : ""
        return "\(unscaled.isNegative ? "-" : "")\(digits.prefix(1))\(fraction)E\(exponent < 0 ? "" : "+")\(exponent)"
    }
}

// MARK: - Bytes

extension CQLDecimal {
    /// A scale of four bytes and the unscaled integer in two's complement.
    init(_ bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        scale = try reader.bigEndian(Int32.self)
        unscaled = CQLInteger(twosComplement: bytes.extracting(droppingFirst: 4))
    }

    func append(to bytes: inout [UInt8]) {
        bytes.appendBigEndian(scale)
        bytes.append(contentsOf: unscaled.twosComplement)
    }
}
