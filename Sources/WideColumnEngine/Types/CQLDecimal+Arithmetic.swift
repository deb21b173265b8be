// CQLDecimal+Arithmetic.swift — sums, products and quotients with Cassandra's precision ([CA] db/marshal/DecimalType.java).
//
// Sums and products of operators are rounded to 10,000 digits, half up (CASSANDRA-15232). Exponents may be huge, so no step may
// write out the zeros that an exponent stands for.

extension CQLDecimal {
    /// The most digits of a sum or product.
    static let operatorPrecision = 10_000
    /// The most zeros that an exact sum may append to one of its operands.
    private static let maximumShift: Int64 = 10_000

    static prefix func - (value: CQLDecimal) -> CQLDecimal {
        CQLDecimal(unscaled: -value.unscaled, scale: value.scale)
    }

    static func + (left: CQLDecimal, right: CQLDecimal) -> CQLDecimal {
        if let sum = left.exactSum(right) { return sum.roundedByOperator }
        if left.unscaled.isZero { return right.roundedByOperator }
        if right.unscaled.isZero { return left.roundedByOperator }
        let distance = left.pointPosition - right.pointPosition
        // The lesser operand is below the last digit of the other.
        guard abs(distance) <= operatorPrecision else { return (distance > 0 ? left : right).roundedByOperator }
        return left.exactSum(right, maximumShift: .max)?.roundedByOperator ?? left
    }

    static func * (left: CQLDecimal, right: CQLDecimal) -> CQLDecimal {
        let scale = Int32(clamping: Int64(left.scale) + Int64(right.scale))
        return CQLDecimal(unscaled: left.unscaled * right.unscaled, scale: scale).roundedByOperator
    }

    private var roundedByOperator: CQLDecimal { rounded(to: Self.operatorPrecision, halfToEven: false) }

    /// The sum without rounding; `nil` where its digits would be too many.
    func exactSum(_ other: CQLDecimal, maximumShift: Int64 = maximumShift) -> CQLDecimal? {
        let target = max(scale, other.scale)
        guard let left = rescaled(to: target, maximumShift: maximumShift),
            let right = other.rescaled(to: target, maximumShift: maximumShift)
        else { return nil }
        return CQLDecimal(unscaled: left + right, scale: target)
    }

    private func rescaled(to target: Int32, maximumShift: Int64 = maximumShift) -> CQLInteger? {
        let shift = Int64(target) - Int64(scale)
        guard shift <= maximumShift else { return unscaled.isZero ? .zero : nil }
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

    /// The nearest whole number, of two the one farther from zero; the number itself where its exponent has too many zeros.
    var roundedToWhole: CQLDecimal {
        guard scale > 0 else { return integer.map { CQLDecimal(unscaled: $0) } ?? self }
        // Less than a tenth.
        guard pointPosition >= 0 else { return CQLDecimal(0) }
        return Self.rounded(unscaled, .power(ofTen: Int(scale)), halfToEven: false).map { CQLDecimal(unscaled: $0) }
            ?? self
    }

    func rounded(to precision: Int, halfToEven: Bool = true) -> CQLDecimal {
        // No limb has more than ten digits.
        guard unscaled.limbs.count * 10 > precision else { return self }
        let excess = unscaled.digits.utf8.count - precision
        guard excess > 0, let quotient = Self.rounded(unscaled, .power(ofTen: excess), halfToEven: halfToEven) else {
            return self
        }
        let (scale, overflow) = scale.subtractingReportingOverflow(Int32(truncatingIfNeeded: excess))
        // 999 becomes 1000, which has a digit more.
        return overflow ? self : CQLDecimal(unscaled: quotient, scale: scale).rounded(to: precision)
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
