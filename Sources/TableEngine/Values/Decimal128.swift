// Decimal128.swift — the few operations on decimal digits held in binary integers that numbers need.

/// Decimal digits of 64- and 128-bit integers.
enum Decimal128 {
    /// 10^n for n in 0 ... 38, the powers that fit.
    static func powerOfTen(_ power: Int) -> UInt128 {
        assert((0...38).contains(power), "10^\(power) is not a power this table holds.")
        guard power > 19 else { return UInt128(power64(power)) }
        return UInt128(power64(19)) * UInt128(power64(power - 19))
    }

    /// How many decimal digits the value has; 0 for zero.
    static func digitCount(_ value: UInt128) -> Int {
        let limit = power64(19)
        guard value >= UInt128(limit) else { return digitCount64(UInt64(truncatingIfNeeded: value)) }
        return 19 + digitCount(value / UInt128(limit))
    }

    /// The value divided by ten as long as it divides, and how often it did.
    static func withoutTrailingZeros<Integer: FixedWidthInteger & UnsignedInteger>(
        _ value: Integer
    ) -> (digits: Integer, dropped: Int) {
        var digits = value
        var dropped = 0
        while digits != 0 {
            let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            digits = quotient
            dropped += 1
        }
        return (digits, dropped)
    }

    private static func power64(_ power: Int) -> UInt64 {
        var result: UInt64 = 1
        for _ in 0..<power { result &*= 10 }
        return result
    }

    private static func digitCount64(_ value: UInt64) -> Int {
        var count = 0
        var rest = value
        while rest != 0 {
            rest /= 10
            count += 1
        }
        return count
    }
}
