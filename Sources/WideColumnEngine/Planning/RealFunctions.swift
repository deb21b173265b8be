// RealFunctions.swift — exponential and logarithms, without a C library.

/// exp, log and log10 on doubles, to within a few units in the last place.
enum RealFunctions {
    static func apply(_ name: String, _ value: Double) -> Double {
        switch name {
        case "exp": exponential(value)
        case "log": logarithm(value)
        default: logarithm(value) / ln10
        }
    }

    private static let ln2 = 0.693_147_180_559_945_309_417
    private static let ln10 = 2.302_585_092_994_045_684_018

    /// `e^x = 2^k · e^r` with `|r| ≤ ln 2 / 2`, where the series ends quickly.
    static func exponential(_ value: Double) -> Double {
        guard value.isFinite else { return value == -.infinity ? 0 : value }
        if value > 710 { return .infinity }
        if value < -746 { return 0 }
        let power = (value / ln2).rounded()
        let rest = value - power * 0.693_147_180_369_123_816_490 - power * 1.908_214_929_270_587_700_02e-10
        var term = 1.0
        var sum = 1.0
        for index in 1...22 {
            term *= rest / Double(index)
            sum += term
        }
        // In two steps: 2^1024 is no number, nor is 2^-1075.
        let half = Int(power) / 2
        return sum * Double(sign: .plus, exponent: half, significand: 1)
            * Double(sign: .plus, exponent: Int(power) - half, significand: 1)
    }

    /// `ln x = k · ln 2 + 2 · artanh((m - 1) / (m + 1))` with `m` near 1.
    static func logarithm(_ value: Double) -> Double {
        if value.isNaN || value < 0 { return .nan }
        if value == 0 { return -.infinity }
        if value == .infinity { return value }
        var exponent = Double(value.exponent)
        var mantissa = value.significand
        if mantissa > 1.414_213_562_373_095 {
            mantissa /= 2
            exponent += 1
        }
        let ratio = (mantissa - 1) / (mantissa + 1)
        let square = ratio * ratio
        var power = ratio
        var sum = 0.0
        for index in stride(from: 1, through: 41, by: 2) {
            sum += power / Double(index)
            power *= square
        }
        return exponent * ln2 + 2 * sum
    }
}
