// TableNumber+Text.swift — numbers as text, both ways.

extension TableNumber: CustomStringConvertible, LosslessStringConvertible {
    /// Reads `[+-] digits [. digits] [e [+-] digits]`.
    ///
    /// The work is bounded by the text's length, whatever exponent it names.
    /// - Throws: `ValidationException`: not a number, overflow, underflow, or more than 38 significant digits.
    public init(text: String) throws {
        var scanner = NumberScanner(text: text)
        guard let scanned = scanner.scan() else { throw TableError.notANumber(text) }
        guard !scanned.isTooPrecise else {
            // The magnitude errors come first.
            try TableNumber.checkMagnitude(firstDigit: scanned.firstDigit)
            throw TableError.numberTooPrecise
        }
        try self.init(
            isNegative: scanned.isNegative, coefficient: scanned.coefficient, exponent: scanned.exponent)
    }

    public init?(_ description: String) {
        guard let number = try? TableNumber(text: description) else { return nil }
        self = number
    }

    private static func checkMagnitude(firstDigit: Int) throws(TableError) {
        if firstDigit > magnitudes.upperBound { throw .numberOverflow }
        if firstDigit < magnitudes.lowerBound { throw .numberUnderflow }
    }

    /// The canonical text: plain digits, no exponent, no superfluous zeros: `150`, `-0.05`, `0`.
    public var description: String {
        guard !isZero else { return "0" }
        let digits = String(coefficient)
        let sign = isNegative ? "-" : ""
        if exponent >= 0 { return sign + digits + String(repeating: "0", count: Int(exponent)) }
        let point = digits.utf8.count + Int(exponent)
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }
}

extension TableError {
    static func notANumber(_ text: String) -> TableError {
        guard !text.isEmpty else { return .validation("The parameter cannot be converted to a numeric value") }
        return .validation("The parameter cannot be converted to a numeric value: \(text)")
    }
}

/// One pass over a number's text.
private struct NumberScanner {
    struct Result {
        var isNegative = false
        var coefficient: UInt128 = 0
        var exponent = 0
        /// More than 38 significant digits were met.
        var isTooPrecise = false
        /// Position of the first significant digit.
        var firstDigit = 0
    }

    private var bytes: ArraySlice<UInt8>
    private var result = Result()
    /// Significant digits so far, trailing zeros included only once a further digit follows them.
    private var digitCount = 0
    private var pendingZeros = 0
    private var position = 0
    private var firstPosition: Int?

    init(text: String) {
        bytes = ArraySlice(text.utf8)
    }

    mutating func scan() -> Result? {
        result.isNegative = bytes.first == UInt8(ascii: "-")
        if result.isNegative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
        guard scanDigits(), let exponent = scanExponent(), bytes.isEmpty else { return nil }
        result.firstDigit = (firstPosition ?? 0) + exponent
        // `position` counts fraction digits downwards; zeros that no digit follows stay out of the coefficient.
        result.exponent = position + pendingZeros + exponent
        return result
    }

    /// The digits before and after the point; at least one.
    private mutating func scanDigits() -> Bool {
        let integer = bytes.prefix(while: Self.isDigit)
        bytes = bytes.dropFirst(integer.count)
        var fraction: ArraySlice<UInt8> = []
        if bytes.first == UInt8(ascii: ".") {
            bytes.removeFirst()
            fraction = bytes.prefix(while: Self.isDigit)
            bytes = bytes.dropFirst(fraction.count)
        }
        guard !integer.isEmpty || !fraction.isEmpty else { return false }
        position = integer.count
        for digit in integer { append(digit) }
        for digit in fraction { append(digit) }
        return true
    }

    private mutating func append(_ character: UInt8) {
        position -= 1
        let digit = character - UInt8(ascii: "0")
        guard digit != 0 else {
            if firstPosition != nil { pendingZeros += 1 }
            return
        }
        if firstPosition == nil { firstPosition = position }
        digitCount += pendingZeros + 1
        guard digitCount <= TableNumber.digitLimit else {
            result.isTooPrecise = true
            return
        }
        for _ in 0..<pendingZeros { result.coefficient *= 10 }
        result.coefficient = result.coefficient * 10 + UInt128(digit)
        pendingZeros = 0
    }

    /// The exponent, 0 if there is none, `nil` if it is malformed; clamped, so that it can't cost time or overflow.
    private mutating func scanExponent() -> Int? {
        guard let mark = bytes.first, mark | 0x20 == UInt8(ascii: "e") else { return 0 }
        bytes.removeFirst()
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
        let digits = bytes.prefix(while: Self.isDigit)
        guard !digits.isEmpty else { return nil }
        bytes = bytes.dropFirst(digits.count)
        var value = 0
        for digit in digits { value = min(value * 10 + Int(digit - UInt8(ascii: "0")), 1 << 40) }
        return isNegative ? -value : value
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
