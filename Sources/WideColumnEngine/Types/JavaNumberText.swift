// JavaNumberText.swift — numbers as Java writes them, which is what CAST and JSON give (`Double.toString`, `Float.toString`,
// `BigDecimal.toString`), and as it reads them (`Double.parseDouble`, `Float.parseFloat`).

enum JavaNumberText {
    static func text(_ number: Double) -> String {
        text(CQLDecimal(shortest: number), isNegative: number.sign == .minus, isNaN: number.isNaN)
    }

    static func text(_ number: Float) -> String {
        text(number.isFinite ? CQLDecimal("\(number)") : nil, isNegative: number.sign == .minus, isNaN: number.isNaN)
    }

    /// With an exponent where the number has no decimal places, or more than six zeros before its first digit.
    static func text(_ number: CQLDecimal) -> String {
        number.scale < 0 || number.pointPosition < -5 ? number.scientificText : number.plainText
    }

    /// - Parameter decimal: the shortest that is read as the number; `nil` where the number is not finite.
    private static func text(_ decimal: CQLDecimal?, isNegative: Bool, isNaN: Bool) -> String {
        if isNaN { return "NaN" }
        let sign = isNegative ? "-" : ""
        guard let decimal else { return sign + "Infinity" }
        guard !decimal.unscaled.isZero else { return sign + "0.0" }
        let number = decimal.normalized
        return sign + text(number.unscaled.digits, pointPosition: Int(number.pointPosition))
    }

    /// Plain digits from 10⁻³ up to 10⁷, an exponent otherwise, and at least one digit behind the point.
    private static func text(_ digits: String, pointPosition: Int) -> String {
        guard (-2...7).contains(pointPosition) else {
            let fraction = digits.dropFirst()
            return "\(digits.prefix(1)).\(fraction.isEmpty ? "0" : fraction)E\(pointPosition - 1)"
        }
        let padded =
            String(repeating: "0", count: max(0, 1 - pointPosition)) + digits
            + String(repeating: "0", count: max(0, pointPosition + 1 - digits.utf8.count))
        let wholeCount = max(1, pointPosition)
        return "\(padded.prefix(wholeCount)).\(padded.dropFirst(wholeCount))"
    }

    // MARK: Reading

    /// The floating-point number of a text as Swift reads it; `nil` where Java reads none. Hexadecimal ones are left out.
    static func digits(_ text: String) -> String? {
        let isSpace: (UInt8) -> Bool = { $0 <= 32 }
        var rest = Substring(text).utf8.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let sign = isNegative ? "-" : ""
        let name = String(Substring(rest))
        if name == "NaN" || name == "Infinity" { return sign + name }
        // `1.5f` and `1d` are numbers of Java's.
        if let last = rest.last, "fFdD".utf8.contains(last) { rest.removeLast() }
        guard let first = rest.first, first == UInt8(ascii: ".") || (48...57).contains(first) else { return nil }
        let digits = String(Substring(rest))
        return CQLDecimal(digits) == nil ? nil : sign + digits
    }
}
