// TableNumber+Arithmetic.swift — exact sums and differences: an inexact result is an error, never a rounding.

extension TableNumber {
    /// The exact sum.
    ///
    /// - Throws: `ValidationException` if it overflows, underflows, or needs more than 38 significant digits.
    public func adding(_ other: TableNumber) throws -> TableNumber {
        guard !isZero else { return other }
        guard !other.isZero else { return self }
        let lowest = Int(min(exponent, other.exponent))
        guard let left = scaled(to: lowest), let right = other.scaled(to: lowest) else {
            throw TableError.numberTooPrecise
        }
        if isNegative == other.isNegative {
            let (sum, overflow) = left.addingReportingOverflow(right)
            guard !overflow else { throw Self.errorForWideSum(of: self, and: other) }
            return try TableNumber(isNegative: isNegative, coefficient: sum, exponent: lowest)
        }
        let difference = left > right ? left - right : right - left
        return try TableNumber(
            isNegative: left > right ? isNegative : other.isNegative, coefficient: difference, exponent: lowest)
    }

    /// The exact difference.
    ///
    /// - Throws: as ``adding(_:)``.
    public func subtracting(_ other: TableNumber) throws -> TableNumber {
        try adding(other.negated)
    }

    public var negated: TableNumber {
        // The digits are canonical and in range, so the initialiser has nothing to refuse.
        (try? TableNumber(isNegative: !isNegative, coefficient: coefficient, exponent: Int(exponent))) ?? self
    }

    /// The coefficient for a smaller exponent, or `nil` where the sum can't have 38 digits or fewer: its last digit is
    /// then the other number's last, not a zero, and its first digit is at least the 39th before it. 128 bits hold
    /// what a difference of 39 digits that shrinks to 38 needs.
    private func scaled(to lowest: Int) -> UInt128? {
        let shift = Int(exponent) - lowest
        guard shift <= Self.digitLimit else { return nil }
        let (result, overflow) = coefficient.multipliedReportingOverflow(by: Decimal128.powerOfTen(shift))
        return overflow ? nil : result
    }

    /// A sum beyond 128 bits has 39 digits; where it begins above the largest magnitude that is the error.
    private static func errorForWideSum(of left: TableNumber, and right: TableNumber) -> TableError {
        let first = max(left.firstDigitPosition, right.firstDigitPosition)
        return first >= magnitudes.upperBound ? .numberOverflow : .numberTooPrecise
    }
}
