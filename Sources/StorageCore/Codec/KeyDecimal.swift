// KeyDecimal.swift — a decimal number of any precision, as keys hold it.

/// A decimal number: `digits`, read as one integer, times ten to the power of `exponent`, negative or not.
///
/// Equal numbers are equal values: 1.0, 1 and 10e-1 all become digit 1 with exponent 0, and -0 becomes 0. Engines convert
/// their own number types to this one for keys.
public struct KeyDecimal: Hashable, Sendable {
    /// False for zero.
    public let isNegative: Bool
    /// 0 to 9, the most significant first, neither beginning nor ending with a zero; empty for zero.
    public let digits: [UInt8]
    /// 0 for zero.
    public let exponent: Int

    /// The exponents that may be given; every number type of the engines lies far inside.
    public static let exponents = Int(Int32.min)...Int(Int32.max)

    public static let zero = KeyDecimal(isNegative: false, digits: [], exponent: 0)

    /// - Parameters:
    ///   - digits: 0 to 9 each, the most significant first; zeros at either end are removed.
    ///   - exponent: Lies in `exponents`.
    public init(isNegative: Bool, digits: [UInt8], exponent: Int) {
        precondition(digits.allSatisfy { $0 <= 9 }, "A decimal's digits are 0 to 9.")
        precondition(Self.exponents.contains(exponent), "A decimal's exponent must fit into 32 bits.")
        self.init(unchecked: isNegative, digits[...], exponent)
    }

    /// Normalises without judging.
    init(unchecked isNegative: Bool, _ digits: ArraySlice<UInt8>, _ exponent: Int) {
        let significant = digits.drop { $0 == 0 }
        guard let last = significant.lastIndex(where: { $0 != 0 }) else {
            (self.isNegative, self.digits, self.exponent) = (false, [], 0)
            return
        }
        self.isNegative = isNegative
        self.digits = Array(significant[...last])
        self.exponent = exponent + (significant.endIndex - 1 - last)
    }

    /// The power of ten of the first digit's place, plus one: 3 for 125, 0 for 0.5, -1 for 0.05.
    var magnitude: Int { exponent + digits.count }
}
