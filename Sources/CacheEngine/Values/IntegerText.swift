// IntegerText.swift — integers as Redis reads them: one spelling each.

enum IntegerText {
    /// The integer that `text` spells, if it does so in the one canonical way: no plus sign, no leading zeros, no
    /// blanks, no `-0` (`string2ll` in Redis' `src/util.c`).
    static func parse(_ text: RawSpan) -> Int64? {
        let count = text.byteCount
        guard count > 0, count <= 20 else { return nil }
        let first = byte(text, 0)
        if count == 1, first == UInt8(ascii: "0") { return 0 }
        let isNegative = first == UInt8(ascii: "-")
        let start = isNegative ? 1 : 0
        guard start < count, (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(byte(text, start)) else { return nil }
        return magnitude(text, from: start).flatMap { apply(sign: isNegative, to: $0) }
    }

    private static func magnitude(_ text: RawSpan, from start: Int) -> UInt64? {
        var value: UInt64 = 0
        for position in start..<text.byteCount {
            let digit = byte(text, position) &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    private static func apply(sign isNegative: Bool, to magnitude: UInt64) -> Int64? {
        guard isNegative else { return Int64(exactly: magnitude) }
        return magnitude == 1 << 63 ? .min : Int64(exactly: magnitude).map { -$0 }
    }

    private static func byte(_ text: RawSpan, _ position: Int) -> UInt8 {
        unsafe text.unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }

    static func bytes(_ value: Int64) -> [UInt8] {
        Array(String(value).utf8)
    }
}
