// CQLInteger+Arithmetic.swift — schoolbook arithmetic on magnitudes (Knuth, TAOCP 2, §4.3.1).

extension CQLInteger: Comparable {
    public static func < (left: CQLInteger, right: CQLInteger) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        let order = compare(left.limbs, right.limbs)
        return left.isNegative ? order > 0 : order < 0
    }

    private static func compare(_ left: [UInt32], _ right: [UInt32]) -> Int {
        if left.count != right.count { return left.count < right.count ? -1 : 1 }
        for index in left.indices.reversed() where left[index] != right[index] {
            return left[index] < right[index] ? -1 : 1
        }
        return 0
    }
}

extension CQLInteger {
    static prefix func - (value: CQLInteger) -> CQLInteger {
        CQLInteger(isNegative: !value.isNegative, limbs: value.limbs)
    }

    static func + (left: CQLInteger, right: CQLInteger) -> CQLInteger {
        if left.isNegative == right.isNegative {
            return CQLInteger(isNegative: left.isNegative, limbs: sum(left.limbs, right.limbs))
        }
        return compare(left.limbs, right.limbs) >= 0
            ? CQLInteger(isNegative: left.isNegative, limbs: difference(left.limbs, right.limbs))
            : CQLInteger(isNegative: right.isNegative, limbs: difference(right.limbs, left.limbs))
    }

    static func - (left: CQLInteger, right: CQLInteger) -> CQLInteger { left + -right }

    static func * (left: CQLInteger, right: CQLInteger) -> CQLInteger {
        var product = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
        for (index, limb) in left.limbs.enumerated() {
            var carry: UInt64 = 0
            for (other, factor) in right.limbs.enumerated() {
                carry += UInt64(limb) * UInt64(factor) + UInt64(product[index + other])
                product[index + other] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            product[index + right.limbs.count] = UInt32(truncatingIfNeeded: carry)
        }
        return CQLInteger(isNegative: left.isNegative != right.isNegative, limbs: product)
    }

    /// 10 to the power of `exponent`.
    static func power(ofTen exponent: Int) -> CQLInteger {
        var result = CQLInteger(1)
        var base = CQLInteger(10)
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result = result * base }
            rest >>= 1
            if rest > 0 { base = base * base }
        }
        return result
    }

    private static func sum(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var carry: UInt64 = 0
        for index in 0..<max(left.count, right.count) {
            carry += UInt64(index < left.count ? left[index] : 0) + UInt64(index < right.count ? right[index] : 0)
            result.append(UInt32(truncatingIfNeeded: carry))
            carry >>= 32
        }
        result.append(UInt32(truncatingIfNeeded: carry))
        return result
    }

    /// `left` is not less than `right`.
    private static func difference(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var result: [UInt32] = []
        var borrow: Int64 = 0
        for index in left.indices {
            let value = Int64(left[index]) - Int64(index < right.count ? right[index] : 0) - borrow
            borrow = value < 0 ? 1 : 0
            result.append(UInt32(truncatingIfNeeded: value))
        }
        return result
    }

    /// Truncates towards zero; the remainder has the sign of the dividend. `nil` for a divisor of zero.
    func dividedReportingRemainder(by divisor: CQLInteger) -> (quotient: CQLInteger, remainder: CQLInteger)? {
        guard !divisor.isZero else { return nil }
        guard Self.compare(limbs, divisor.limbs) >= 0 else { return (.zero, self) }
        let (quotient, remainder) =
            divisor.limbs.count == 1
            ? Self.divide(limbs, bySingle: divisor.limbs[0]) : Self.divide(limbs, by: divisor.limbs)
        return (
            CQLInteger(isNegative: isNegative != divisor.isNegative, limbs: quotient),
            CQLInteger(isNegative: isNegative, limbs: remainder)
        )
    }

    private static func divide(_ dividend: [UInt32], bySingle divisor: UInt32) -> ([UInt32], [UInt32]) {
        var quotient = dividend
        var remainder: UInt64 = 0
        for index in quotient.indices.reversed() {
            let value = remainder << 32 | UInt64(quotient[index])
            quotient[index] = UInt32(truncatingIfNeeded: value / UInt64(divisor))
            remainder = value % UInt64(divisor)
        }
        return (quotient, [UInt32(truncatingIfNeeded: remainder)])
    }

    /// Algorithm D. `divisor` has two limbs or more, and `dividend` is not less.
    private static func divide(_ dividend: [UInt32], by divisor: [UInt32]) -> ([UInt32], [UInt32]) {
        let shift = UInt32((divisor.last ?? 1).leadingZeroBitCount)
        let v = shifted(divisor, by: shift, count: divisor.count)
        var u = shifted(dividend, by: shift, count: dividend.count + 1)
        let n = v.count
        var quotient = [UInt32](repeating: 0, count: dividend.count - n + 1)
        for j in quotient.indices.reversed() {
            let top = UInt64(u[j + n]) << 32 | UInt64(u[j + n - 1])
            var guess = top / UInt64(v[n - 1])
            var rest = top % UInt64(v[n - 1])
            while guess >> 32 != 0 || guess * UInt64(v[n - 2]) > rest << 32 | UInt64(u[j + n - 2]) {
                guess -= 1
                rest += UInt64(v[n - 1])
                if rest >> 32 != 0 { break }
            }
            var borrow: Int64 = 0
            var carry: UInt64 = 0
            for index in 0..<n {
                carry += guess * UInt64(v[index])
                let value = Int64(u[index + j]) - borrow - Int64(carry & 0xFFFF_FFFF)
                u[index + j] = UInt32(truncatingIfNeeded: value)
                borrow = value < 0 ? 1 : 0
                carry >>= 32
            }
            let value = Int64(u[j + n]) - borrow - Int64(carry)
            u[j + n] = UInt32(truncatingIfNeeded: value)
            if value < 0 {
                guess -= 1
                var carry: UInt64 = 0
                for index in 0..<n {
                    carry += UInt64(u[index + j]) + UInt64(v[index])
                    u[index + j] = UInt32(truncatingIfNeeded: carry)
                    carry >>= 32
                }
                u[j + n] &+= UInt32(truncatingIfNeeded: carry)
            }
            quotient[j] = UInt32(truncatingIfNeeded: guess)
        }
        return (quotient, unshifted(Array(u.prefix(n)), by: shift))
    }

    private static func shifted(_ limbs: [UInt32], by shift: UInt32, count: Int) -> [UInt32] {
        var result = [UInt32](repeating: 0, count: count)
        for index in 0..<count {
            let low = index > 0 && index - 1 < limbs.count && shift > 0 ? limbs[index - 1] >> (32 - shift) : 0
            result[index] = (index < limbs.count ? limbs[index] << shift : 0) | low
        }
        return result
    }

    private static func unshifted(_ limbs: [UInt32], by shift: UInt32) -> [UInt32] {
        limbs.indices.map { index in
            let high = index + 1 < limbs.count && shift > 0 ? limbs[index + 1] << (32 - shift) : 0
            return limbs[index] >> shift | high
        }
    }
}
