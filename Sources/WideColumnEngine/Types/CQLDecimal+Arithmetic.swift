// CQLDecimal+Arithmetic.swift — sums, products and quotients with Cassandra's precision ([CA] db/marshal/DecimalType.java).
//
// Sums and products of operators are rounded to 34 digits, half to even (java.math.MathContext.DECIMAL128). Exponents
// may be huge, so no step may write out the zeros that an exponent stands for.

extension CQLDecimal {
    /// The digits of a DECIMAL128.
    static let operatorPrecision = 34
    /// The most zeros that an exact sum may append to one of its operands.
    private static let maximumShift: Int64 = 10_000

    static prefix func - (value: CQLDecimal) -> CQLDecimal {
        CQLDecimal(unscaled: -value.unscaled, scale: value.scale)
    }

    static func + (left: CQLDecimal, right: CQLDecimal) -> CQLDecimal {
        if let sum = left.exactSum(right) { return sum.rounded(to: operatorPrecision) }
        // The operands are so far apart that the lesser one is below the last digit of the other.
        if left.unscaled.isZero { return right.rounded(to: operatorPrecision) }
        if right.unscaled.isZero { return left.rounded(to: operatorPrecision) }
        return (left.pointPosition > right.pointPosition ? left : right).rounded(to: operatorPrecision)
    }

    static func * (left: CQLDecimal, right: CQLDecimal) -> CQLDecimal {
        let scale = Int32(clamping: Int64(left.scale) + Int64(right.scale))
        return CQLDecimal(unscaled: left.unscaled * right.unscaled, scale: scale).rounded(to: operatorPrecision)
    }

    /// The sum without rounding; `nil` where its digits would be too many.
    func exactSum(_ other: CQLDecimal) -> CQLDecimal? {
        let target = max(scale, other.scale)
        guard let left = rescaled(to: target), let right = other.rescaled(to: target) else { return nil }
        return CQLDecimal(unscaled: left + right, scale: target)
    }

    private func rescaled(to target: Int32) -> CQLInteger? {
        let shift = Int64(target) - Int64(scale)
        guard shift <= Self.maximumShift else { return unscaled.isZero ? .zero : nil }
        return shift == 0 ? unscaled : unscaled * .power(ofTen: Int(shift))
    }

    /// The quotient; `nil` for a divisor of zero or one that is too far away.
    func divided(by divisor: CQLDecimal) -> CQLDecimal? {
        guard !divisor.unscaled.isZero else { return nil }
        let firstDigit = pointPosition - divisor.pointPosition
        let wanted = max(32 - firstDigit, Int64(scale), Int64(divisor.scale), 32)
        return quotient(divisor, scale: Int32(clamping: min(wanted, 1000)))?.normalized
    }

    /// The quotient with this many decimal places, half up.
    func quotient(_ divisor: CQLDecimal, scale target: Int32, halfToEven: Bool = false) -> CQLDecimal? {
        let shift = Int64(target) + Int64(divisor.scale) - Int64(scale)
        guard !divisor.unscaled.isZero, abs(shift) <= Self.maximumShift else { return nil }
        let numerator = shift > 0 ? unscaled * .power(ofTen: Int(shift)) : unscaled
        let denominator = shift < 0 ? divisor.unscaled * .power(ofTen: Int(-shift)) : divisor.unscaled
        return Self.rounded(numerator, denominator, halfToEven: halfToEven).map {
            CQLDecimal(unscaled: $0, scale: target)
        }
    }

    /// The remainder of a division that truncates.
    func remainder(dividingBy divisor: CQLDecimal) -> CQLDecimal? {
        let target = max(scale, divisor.scale)
        guard let left = rescaled(to: target), let right = divisor.rescaled(to: target),
            let division = left.dividedReportingRemainder(by: right)
        else { return nil }
        return CQLDecimal(unscaled: division.remainder, scale: target)
    }

    func rounded(to precision: Int) -> CQLDecimal {
        let excess = unscaled.digits.utf8.count - precision
        guard excess > 0, let quotient = Self.rounded(unscaled, .power(ofTen: excess), halfToEven: true) else {
            return self
        }
        let (scale, overflow) = scale.subtractingReportingOverflow(Int32(truncatingIfNeeded: excess))
        return overflow ? self : CQLDecimal(unscaled: quotient, scale: scale)
    }

    private static func rounded(_ numerator: CQLInteger, _ denominator: CQLInteger, halfToEven: Bool) -> CQLInteger? {
        guard let (quotient, remainder) = numerator.dividedReportingRemainder(by: denominator) else { return nil }
        let twice = remainder.magnitude + remainder.magnitude
        let limit = denominator.magnitude
        let isOdd = (quotient.limbs.first ?? 0) & 1 == 1
        let roundsUp = twice > limit || twice == limit && (!halfToEven || isOdd)
        guard roundsUp else { return quotient }
        let isNegative = numerator.isNegative != denominator.isNegative
        return isNegative ? quotient - CQLInteger(1) : quotient + CQLInteger(1)
    }
}
