// DecimalText.swift — the arithmetic of INCRBYFLOAT: decimal, exact to 17 fractional digits.

/// A decimal number with 17 digits behind the point.
///
/// Redis computes in `long double` and prints 17 fractional digits without trailing zeros. Decimal arithmetic gives the
/// same text wherever both are exact (`0.1 + 0.2 = 0.3`) and is the same on every processor. Numbers too large for it
/// are computed in `Double`.
enum DecimalText {
    private static let fractionDigits = 17
    private static let scale: Int128 = 100_000_000_000_000_000

    /// `left + right` as text, or the error that Redis gives.
    static func sum(_ left: RawSpan, _ right: RawSpan, notANumber: CacheError) throws(CacheError) -> [UInt8] {
        let leftText = String(decoding: left.array(), as: UTF8.self)
        let rightText = String(decoding: right.array(), as: UTF8.self)
        if let exactLeft = fixed(leftText), let exactRight = fixed(rightText) {
            return Array(text(exactLeft + exactRight).utf8)
        }
        guard let roundedLeft = double(leftText) else { throw notANumber }
        guard let roundedRight = double(rightText) else { throw .notAFloat }
        let total = roundedLeft + roundedRight
        guard total.isFinite else { throw .floatOverflow }
        return Array(total.description.utf8)
    }

    /// The number times 10^17, if the text is plain decimal with at most 17 fractional digits and not too large.
    private static func fixed(_ text: String) -> Int128? {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : Substring(text)
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !digits.isEmpty, digits != "." else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard whole.count <= 18, fraction.count <= fractionDigits,
            (whole + fraction).utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        let padding = String(repeating: "0", count: fractionDigits - fraction.count)
        guard let value = Int128("\(whole)\(fraction)\(padding)") else { return nil }
        return text.hasPrefix("-") ? -value : value
    }

    private static func double(_ text: String) -> Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    private static func text(_ value: Int128) -> String {
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: UInt128(scale))
        let sign = value < 0 ? "-" : ""
        guard rest != 0 else { return "\(sign)\(whole)" }
        var digits = String(rest)
        digits = String(repeating: "0", count: fractionDigits - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(sign)\(whole).\(digits)"
    }
}
