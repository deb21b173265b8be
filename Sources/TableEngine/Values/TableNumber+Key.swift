// TableNumber+Key.swift — numbers as key bytes that memcmp orders as the values.
//
//     zero       80
//     positive   C0  first digit's position + 130 (1 byte)  digit pairs + 1 (1 byte each)  00
//     negative   40  the same three parts, every bit inverted
//
// Digit pairs are read from the first significant digit on, the last one filled up with 0. A pair plus one is
// 1 ... 100, so the final 00 is lower than any further pair. At most 22 bytes, self-terminating.

internal import StorageTypes

extension TableNumber {
    /// Appends the key form.
    func appendKeyBytes(to bytes: inout [UInt8]) {
        guard !isZero else {
            bytes.append(0x80)
            return
        }
        let mask: UInt8 = isNegative ? 0xFF : 0
        bytes.append(isNegative ? 0x40 : 0xC0)
        bytes.append(UInt8(truncatingIfNeeded: firstDigitPosition - Self.magnitudes.lowerBound) ^ mask)
        let count = Decimal128.digitCount(coefficient)
        var rest = count.isMultiple(of: 2) ? coefficient : coefficient * 10
        var pairs: [UInt8] = []
        while rest != 0 {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
            pairs.append((UInt8(truncatingIfNeeded: remainder) + 1) ^ mask)
            rest = quotient
        }
        bytes.append(contentsOf: pairs.reversed())
        bytes.append(mask)
    }

    /// The key form.
    public var keyBytes: [UInt8] {
        var bytes: [UInt8] = []
        appendKeyBytes(to: &bytes)
        return bytes
    }
}
