// CQLDecimal+Functions.swift — exp, log and log10 ([CA] db/marshal/DecimalType.java): with as many digits as the number has, but
// at least 32 and at most 10,000, the last one rounded half to even.
//
// However large or small a number is, what is computed lies near 1:
//
//   exp(k · ln 10 + r) = 10^k · exp(r)        log(10^k · m) = k · ln 10 + log(m)
//
// So the digits alone say how much work it is. Computed is with more digits than are asked for, on binary fractions.

extension CQLDecimal {
    /// Digits beyond those of a result: some for what the steps of a computation lose, and eight for a logarithm that is small
    /// because its number is near 1.
    private static let guardDigitCount = 24

    /// The digits that functions of the number have.
    private var functionPrecision: Int { min(max(unscaled.digits.utf8.count, 32), 10_000) }

    /// e to the power of the number; `nil` where the number is beyond 32 bits.
    func exponential() -> CQLDecimal? {
        let precision = functionPrecision
        // 1 and something behind the last digit.
        guard !unscaled.isZero, pointPosition >= -Int64(precision) else { return CQLDecimal(1) }
        guard pointPosition <= 10, let whole = integer?.int64, Int32(exactly: whole) != nil else { return nil }
        let fixed = FixedPoint(digitCount: precision + Self.guardDigitCount)
        let number = rounded(to: precision + Self.guardDigitCount + 10)
        let power = Int64((number.double / 2.302_585_092_994_046).rounded())
        let rest = fixed.fraction(number) - fixed.ln10 * CQLInteger(power)
        return fixed.decimal(fixed.exponential(rest), exponent: power, precision: precision)
    }

    /// The natural logarithm; `nil` of zero or less.
    func logarithm() -> CQLDecimal? { logarithm(precision: functionPrecision) }

    /// The logarithm to base 10; `nil` of zero or less.
    func logarithm10() -> CQLDecimal? {
        let number = normalized
        if number.unscaled == CQLInteger(1) { return CQLDecimal(-Int64(number.scale)) }
        let precision = functionPrecision
        let digitCount = precision + Self.guardDigitCount
        guard let logarithm = logarithm(precision: digitCount) else { return nil }
        let fixed = FixedPoint(digitCount: digitCount)
        let ln10 = fixed.decimal(fixed.ln10, exponent: 0, precision: digitCount)
        let scale = Int64(logarithm.scale) + Int64(digitCount) - Int64(ln10.scale)
        let numerator = logarithm.unscaled * .power(ofTen: digitCount)
        guard let quotient = numerator.dividedReportingRemainder(by: ln10.unscaled)?.quotient else { return nil }
        return CQLDecimal(unscaled: quotient, scale: Int32(clamping: scale)).rounded(to: precision)
    }

    private func logarithm(precision: Int) -> CQLDecimal? {
        guard !unscaled.isZero, !unscaled.isNegative else { return nil }
        // The number is `mantissa` · 10^power, and the mantissa between 0.3 and 3.2.
        let digitCount = unscaled.digits.utf8.count
        var power = pointPosition
        var mantissa = CQLDecimal(unscaled: unscaled, scale: Int32(clamping: digitCount))
        if mantissa.rounded(to: 20).double < 0.316 {
            mantissa = CQLDecimal(unscaled: unscaled, scale: Int32(clamping: digitCount - 1))
            power -= 1
        }
        let fixed = FixedPoint(digitCount: precision + Self.guardDigitCount)
        let approximation = RealFunctions.logarithm(mantissa.rounded(to: 20).double)
        if power == 0, abs(approximation) < 1e-8 { return mantissa.logarithmNearOne(fixed, precision) }
        // log(m) = a + log(m / e^a)
        let number = fixed.fraction(mantissa.rounded(to: precision + Self.guardDigitCount))
        let first = fixed.fraction(CQLDecimal(shortest: approximation) ?? CQLDecimal(0))
        let estimate = fixed.exponential(first)
        let ratio = fixed.quotient(number - estimate, number + estimate)
        let rest = fixed.product(ratio, fixed.hyperbolicSeries(fixed.product(ratio, ratio)))
        let sum = fixed.ln10 * CQLInteger(power) + first + rest + rest
        return fixed.decimal(sum, exponent: 0, precision: precision)
    }

    /// `log(x) = 2 · artanh((x - 1) / (x + 1))`: of a number so near 1 that only the digits in which it differs count.
    private func logarithmNearOne(_ fixed: FixedPoint, _ precision: Int) -> CQLDecimal? {
        let one = CQLInteger.power(ofTen: Int(scale))
        let difference = CQLDecimal(unscaled: unscaled - one, scale: scale)
        guard !difference.unscaled.isZero else { return CQLDecimal(0) }
        let zeroCount = Int(-difference.pointPosition)
        let ratio = fixed.quotient(difference.unscaled * .power(ofTen: zeroCount), unscaled + one)
        let isSeries = 2 * zeroCount < precision + Self.guardDigitCount
        let square =
            isSeries
            ? fixed.product(ratio, ratio).dividedReportingRemainder(by: .power(ofTen: 2 * zeroCount))?.quotient : nil
        let result = fixed.product(ratio + ratio, fixed.hyperbolicSeries(square ?? .zero))
        return fixed.decimal(result, exponent: Int64(-zeroCount), precision: precision)
    }
}

/// Arithmetic on fractions of a fixed number of binary digits: integers that stand for themselves divided by `one`. Results are
/// cut off, towards zero.
private struct FixedPoint {
    private let limbCount: Int
    /// How often an argument of `exponential` is halved, in limbs: as many halvings, each a multiplication in the end, as the
    /// series then has terms.
    private let halvingLimbCount: Int

    var one: CQLInteger { whole(CQLInteger(1)) }

    init(digitCount: Int) {
        let bitCount = Double(digitCount) * 3.322
        halvingLimbCount = Int(bitCount.squareRoot() / 32) + 1
        // Each doubling loses a bit; a limb more is for multiples of ln 10, and one for what else is cut off.
        limbCount = Int(bitCount / 32) + 1 + halvingLimbCount + 2
    }

    // MARK: Conversion

    func whole(_ number: CQLInteger) -> CQLInteger { raised(number, by: limbCount) }

    func fraction(_ number: CQLDecimal) -> CQLInteger {
        guard number.scale > 0 else { return whole(number.unscaled * .power(ofTen: -Int(number.scale))) }
        return quotient(number.unscaled, .power(ofTen: Int(number.scale)))
    }

    /// `fraction` · 10^`exponent`.
    func decimal(_ fraction: CQLInteger, exponent: Int64, precision: Int) -> CQLDecimal {
        // The fraction is not much less than 1.
        let places = precision + 20
        let unscaled = lowered(fraction * .power(ofTen: places), by: limbCount)
        return CQLDecimal(unscaled: unscaled, scale: Int32(clamping: Int64(places) - exponent)).rounded(to: precision)
    }

    private func raised(_ number: CQLInteger, by count: Int) -> CQLInteger {
        CQLInteger(isNegative: number.isNegative, limbs: [UInt32](repeating: 0, count: count) + number.limbs)
    }

    private func lowered(_ number: CQLInteger, by count: Int) -> CQLInteger {
        CQLInteger(isNegative: number.isNegative, limbs: Array(number.limbs.dropFirst(count)))
    }

    // MARK: Arithmetic

    func product(_ left: CQLInteger, _ right: CQLInteger) -> CQLInteger { lowered(left * right, by: limbCount) }

    /// Of two fractions, or of two integers.
    func quotient(_ left: CQLInteger, _ right: CQLInteger) -> CQLInteger {
        whole(left).dividedReportingRemainder(by: right)?.quotient ?? .zero
    }

    private func quotient(_ left: CQLInteger, _ right: Int64) -> CQLInteger {
        left.dividedReportingRemainder(by: CQLInteger(right))?.quotient ?? .zero
    }

    // MARK: Series

    /// `e^x = (e^(x / 2^n))^(2^n)`
    func exponential(_ fraction: CQLInteger) -> CQLInteger {
        let argument = lowered(fraction, by: halvingLimbCount)
        var (term, sum, index) = (one, one, Int64(0))
        while !term.isZero {
            index += 1
            term = quotient(product(term, argument), index)
            sum = sum + term
        }
        for _ in 0..<32 * halvingLimbCount { sum = product(sum, sum) }
        return sum
    }

    /// `1 + s / 3 + s² / 5 + …`: artanh of the root of `square`, divided by that root.
    func hyperbolicSeries(_ square: CQLInteger) -> CQLInteger {
        var (power, sum, index) = (one, one, Int64(1))
        while !power.isZero {
            power = product(power, square)
            index += 2
            sum = sum + quotient(power, index)
        }
        return sum
    }

    /// `46 · artanh(1/31) + 34 · artanh(1/49) + 20 · artanh(1/161)`
    var ln10: CQLInteger {
        [(46, 31), (34, 49), (20, 161)].reduce(.zero) { $0 + CQLInteger($1.0) * artanh(ofReciprocal: $1.1) }
    }

    private func artanh(ofReciprocal divisor: Int64) -> CQLInteger {
        var (power, index) = (quotient(one, divisor), Int64(1))
        var sum = power
        while !power.isZero {
            power = quotient(power, divisor * divisor)
            index += 2
            sum = sum + quotient(power, index)
        }
        return sum
    }
}
