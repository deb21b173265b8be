// TableNumber.swift — DynamoDB's number: a decimal of up to 38 significant digits.
//
// Invariant: the form is canonical. The coefficient has no trailing zero digit and at most 38 digits; zero is
// (+, 0, exponent 0). The position of the first digit lies in -130 ... 125. So equality of values is equality of
// fields, and two numbers hash alike exactly if they are equal.

/// A number as DynamoDB keeps it: zero, or ±1E-130 … ±9.99…E+125 with at most 38 significant digits, exact.
///
/// Source: Amazon DynamoDB Developer Guide, "Naming rules and data types", Number.
public struct TableNumber: Hashable, Sendable {
    // Two halves rather than one UInt128: 8-byte alignment keeps `AttributeValue` at 32 bytes.
    private let high: UInt64
    private let low: UInt64
    /// Power of ten of the coefficient's last digit.
    let exponent: Int16
    public let isNegative: Bool

    static let digitLimit = 38
    /// Positions of the first digit that the service stores.
    static let magnitudes = -130...125

    /// The significant digits, as an integer without trailing zeros.
    var coefficient: UInt128 { UInt128(high) << 64 | UInt128(low) }

    public var isZero: Bool { high == 0 && low == 0 }

    public static let zero = TableNumber(0)

    /// The digits must be canonical already.
    private init(canonical coefficient: UInt128, exponent: Int, isNegative: Bool) {
        high = UInt64(truncatingIfNeeded: coefficient >> 64)
        low = UInt64(truncatingIfNeeded: coefficient)
        self.exponent = Int16(truncatingIfNeeded: exponent)
        self.isNegative = isNegative
    }

    /// ±coefficient × 10^exponent, brought into canonical form.
    ///
    /// - Throws: `ValidationException` on overflow, underflow, or more than 38 significant digits, in this order.
    init(isNegative: Bool, coefficient: UInt128, exponent: Int) throws(TableError) {
        guard coefficient != 0 else {
            self.init(canonical: 0, exponent: 0, isNegative: false)
            return
        }
        let (digits, dropped) = Decimal128.withoutTrailingZeros(coefficient)
        let lowest = exponent + dropped
        let count = Decimal128.digitCount(digits)
        let first = lowest + count - 1
        guard first <= Self.magnitudes.upperBound else { throw .numberOverflow }
        guard first >= Self.magnitudes.lowerBound else { throw .numberUnderflow }
        guard count <= Self.digitLimit else { throw .numberTooPrecise }
        self.init(canonical: digits, exponent: lowest, isNegative: isNegative)
    }

    /// Every 64-bit integer has an exact form.
    public init(_ value: Int) {
        self.init(Int64(value))
    }

    public init(_ value: Int64) {
        let (digits, dropped) = Decimal128.withoutTrailingZeros(value.magnitude)
        self.init(
            canonical: UInt128(digits), exponent: value == 0 ? 0 : dropped, isNegative: value < 0)
    }

    /// Position of the first significant digit: 0 for units, 1 for tens, -1 for tenths. Zero has none and gives 0.
    var firstDigitPosition: Int {
        isZero ? 0 : Int(exponent) + Decimal128.digitCount(coefficient) - 1
    }

    /// Bytes the service charges: 1, one per two digits on either side of the point, 1 more if negative; leading and
    /// trailing zeros don't count.
    public var sizeInBytes: Int {
        guard !isZero else { return 1 }
        let count = Decimal128.digitCount(coefficient)
        let fraction = min(max(-Int(exponent), 0), count)
        return 1 + (count - fraction + 1) / 2 + (fraction + 1) / 2 + (isNegative ? 1 : 0)
    }

    /// The value, if it is an integer of 64 bits.
    public var int64: Int64? {
        guard exponent >= 0, exponent <= 18 else { return nil }
        let (scaled, overflow) = coefficient.multipliedReportingOverflow(by: Decimal128.powerOfTen(Int(exponent)))
        guard !overflow else { return nil }
        if isNegative {
            return scaled <= UInt128(Int64.min.magnitude) ? Int64(truncatingIfNeeded: 0 &- Int128(scaled)) : nil
        }
        return Int64(exactly: scaled)
    }

    public var int: Int? { int64.flatMap(Int.init(exactly:)) }
}

extension TableNumber: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) {
        self.init(value)
    }
}

extension TableNumber: Comparable {
    public static func < (left: TableNumber, right: TableNumber) -> Bool {
        left.compare(right) < 0
    }

    /// Negative, zero or positive as the value is below, equal to or above `other`.
    func compare(_ other: TableNumber) -> Int {
        guard self != other else { return 0 }
        let signs = (isZero ? 0 : isNegative ? -1 : 1, other.isZero ? 0 : other.isNegative ? -1 : 1)
        guard signs.0 == signs.1 else { return signs.0 - signs.1 }
        return compareMagnitude(other) * signs.0
    }

    private func compareMagnitude(_ other: TableNumber) -> Int {
        let first = firstDigitPosition - other.firstDigitPosition
        guard first == 0 else { return first }
        // With the first digits aligned neither side has more than 38 digits after scaling.
        let shift = Int(exponent) - Int(other.exponent)
        let left = shift > 0 ? coefficient * Decimal128.powerOfTen(shift) : coefficient
        let right = shift < 0 ? other.coefficient * Decimal128.powerOfTen(-shift) : other.coefficient
        return left < right ? -1 : left > right ? 1 : 0
    }
}

extension TableError {
    static let numberOverflow = TableError.validation(
        "Number overflow. Attempting to store a number with magnitude larger than supported range")
    static let numberUnderflow = TableError.validation(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range")
    static let numberTooPrecise = TableError.validation(
        "Attempting to store more than 38 significant digits in a Number")
}
