// BSONNumber.swift — the four numeric types as one class, compared exactly, never through a rounded double.

/// A number of any BSON type.
enum BSONNumber: Sendable {
    case integer(Int64)
    case double(Double)
    case decimal(Decimal128)

    /// `nil` if the value is not a number.
    init?(_ view: BSONView) {
        switch view.type {
        case .int32: self = .integer(Int64(view.int32))
        case .int64: self = .integer(view.int64)
        case .double: self = .double(view.double)
        case .decimal128: self = .decimal(view.decimal128)
        default: return nil
        }
    }

    init?(_ value: BSONValue) {
        switch value {
        case .int32(let number): self = .integer(Int64(number))
        case .int64(let number): self = .integer(number)
        case .double(let number): self = .double(number)
        case .decimal128(let number): self = .decimal(number)
        default: return nil
        }
    }

    var isNaN: Bool {
        switch self {
        case .integer: false
        case .double(let number): number.isNaN
        case .decimal(let number): number.isNaN
        }
    }

    /// The number if it is integral and fits in 64 bits.
    var exactInteger: Int64? {
        switch self {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number)
        case .decimal(let number): number.integer
        }
    }

    /// The integer part, if it fits in 64 bits.
    var truncatedInteger: Int64? {
        switch self {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number.rounded(.towardZero))
        case .decimal(let number): number.integer ?? Int64(exactly: number.nearestDouble.rounded(.towardZero))
        }
    }

    var nearestDouble: Double {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        case .decimal(let number): number.nearestDouble
        }
    }
}

extension BSONNumber {
    /// Negative, zero or positive. NaN is below all numbers and equal to itself; -0.0 equals 0.0.
    func compare(_ other: BSONNumber) -> Int {
        if isNaN || other.isNaN { return isNaN == other.isNaN ? 0 : isNaN ? -1 : 1 }
        switch (self, other) {
        case (.integer(let left), .integer(let right)): return order(left, right)
        case (.double(let left), .double(let right)): return order(left, right)
        case (.integer(let left), .double(let right)): return Self.compare(left, right)
        case (.double(let left), .integer(let right)): return -Self.compare(right, left)
        case (.decimal(let left), .decimal(let right)): return left.compare(right)
        case (.integer(let left), .decimal(let right)): return Decimal128(left).compare(right)
        case (.decimal(let left), .integer(let right)): return left.compare(Decimal128(right))
        case (.decimal(let left), .double(let right)): return left.compare(right)
        case (.double(let left), .decimal(let right)): return -right.compare(left)
        }
    }

    private static func compare(_ left: Int64, _ right: Double) -> Int {
        if right >= 0x1p63 { return -1 }
        if right < -0x1p63 { return 1 }
        let whole = right.rounded(.towardZero)
        let byWhole = order(left, Int64(whole))
        return byWhole != 0 ? byWhole : order(whole, right)
    }
}

extension Decimal128 {
    /// The order of two decimals that are not NaN.
    func compare(_ other: Decimal128) -> Int {
        if isInfinite || other.isInfinite { return order(infinitySign, other.infinitySign) }
        let (left, right) = (significand, other.significand)
        if left == 0 || right == 0 { return order(signum, other.signum) }
        if isNegative != other.isNegative { return isNegative ? -1 : 1 }
        let (leftDigits, rightDigits) = (Self.digitCount(left), Self.digitCount(right))
        let byMagnitude = order(leftDigits + exponent, rightDigits + other.exponent)
        let magnitude =
            byMagnitude != 0
            ? byMagnitude : order(left * Self.power(34 - leftDigits), right * Self.power(34 - rightDigits))
        return isNegative ? -magnitude : magnitude
    }

    /// The order of a decimal and a double that are not NaN. Rounding is monotonic, so the rounded decimal decides
    /// unless it equals the double; then the two are compared as integers.
    func compare(_ other: Double) -> Int {
        let nearest = nearestDouble
        if nearest != other { return order(nearest, other) }
        guard isFinite else { return 0 }
        guard other.isFinite else { return other > 0 ? -1 : 1 }
        guard other != 0, significand != 0 else { return signum }
        var left = WideInteger(significand)
        var right = WideInteger(UInt128(other.significandBitPattern | (other.isNormal ? 1 << 52 : 0)))
        let binaryExponent = Swift.max(Int(other.exponentBitPattern), 1) - 1075
        if exponent > 0 { left.multiplyByPowerOfTen(exponent) } else { right.multiplyByPowerOfTen(-exponent) }
        if binaryExponent > 0 { right.shiftLeft(binaryExponent) } else { left.shiftLeft(-binaryExponent) }
        let magnitude = left.compare(right)
        return isNegative ? -magnitude : magnitude
    }

    var signum: Int { isFinite && significand == 0 ? 0 : isNegative ? -1 : 1 }

    private var infinitySign: Int { isInfinite ? signum : 0 }

    static func digitCount(_ number: UInt128) -> Int {
        var count = 1
        var bound: UInt128 = 10
        while number >= bound, count < 38 { (count, bound) = (count + 1, bound * 10) }
        return count
    }
}

/// A natural number of any size, with just what an exact comparison needs.
private struct WideInteger {
    /// Least significant first; the last word is not zero.
    private var words: [UInt32]

    init(_ value: UInt128) {
        words = (0..<4).map { UInt32(truncatingIfNeeded: value >> (32 * $0)) }
        trim()
    }

    mutating func multiplyByPowerOfTen(_ exponent: Int) {
        for _ in 0..<(exponent / 9) { multiply(by: 1_000_000_000) }
        for _ in 0..<(exponent % 9) { multiply(by: 10) }
    }

    mutating func shiftLeft(_ count: Int) {
        for _ in 0..<(count % 32) { multiply(by: 2) }
        words.insert(contentsOf: repeatElement(0, count: count / 32), at: 0)
    }

    func compare(_ other: WideInteger) -> Int {
        if words.count != other.words.count { return order(words.count, other.words.count) }
        for index in words.indices.reversed() where words[index] != other.words[index] {
            return order(words[index], other.words[index])
        }
        return 0
    }

    private mutating func multiply(by factor: UInt32) {
        var carry: UInt64 = 0
        for index in words.indices {
            let product = UInt64(words[index]) * UInt64(factor) + carry
            words[index] = UInt32(truncatingIfNeeded: product)
            carry = product >> 32
        }
        if carry > 0 { words.append(UInt32(carry)) }
    }

    private mutating func trim() {
        while words.last == 0 { words.removeLast() }
    }
}

/// -1, 0 or 1, as `<`, `==` and `>` tell.
func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
    left < right ? -1 : left > right ? 1 : 0
}
