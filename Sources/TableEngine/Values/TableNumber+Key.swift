// TableNumber+Key.swift — numbers as key bytes that memcmp orders as the values: the storage's decimal component.

public import StorageCore

extension TableNumber {
    /// The same number as keys hold it.
    public var keyDecimal: KeyDecimal {
        var digits: [UInt8] = []
        var rest = coefficient
        while rest != 0 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            digits.append(UInt8(truncatingIfNeeded: remainder))
            rest = quotient
        }
        return KeyDecimal(isNegative: isNegative, digits: digits.reversed(), exponent: Int(exponent))
    }
}
