// CQLInteger.swift — `varint`: integers of any size. Arithmetic is in CQLInteger+Arithmetic.
//
// Invariants: limbs are the magnitude, least significant first, without zeros at the end; zero is not negative.

/// An integer of any size, the value of a `varint`.
public struct CQLInteger: Hashable, Sendable {
    private(set) var isNegative: Bool
    private(set) var limbs: [UInt32]

    /// Longer numbers are refused, as texts and as bytes: conversion between them takes time that grows with the square of
    /// the length.
    static let maximumDigitCount = 65_535

    init(isNegative: Bool, limbs: [UInt32]) {
        var limbs = limbs
        while limbs.last == 0 { limbs.removeLast() }
        self.limbs = limbs
        self.isNegative = isNegative && !limbs.isEmpty
    }

    public init(_ value: Int64) {
        let magnitude = value.magnitude
        self.init(
            isNegative: value < 0,
            limbs: [UInt32(truncatingIfNeeded: magnitude), UInt32(truncatingIfNeeded: magnitude >> 32)])
    }

    public static let zero = CQLInteger(isNegative: false, limbs: [])

    var isZero: Bool { limbs.isEmpty }
    var magnitude: CQLInteger { CQLInteger(isNegative: false, limbs: limbs) }

    /// The value as a 64-bit integer, if it fits.
    public var int64: Int64? {
        guard limbs.count <= 2 else { return nil }
        let magnitude = limbs.reversed().reduce(UInt64(0)) { $0 << 32 | UInt64($1) }
        return isNegative
            ? (magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil) : Int64(exactly: magnitude)
    }

    /// The nearest floating-point number, infinite where there is none.
    var double: Double {
        let magnitude = limbs.reversed().reduce(0.0) { $0 * 4_294_967_296 + Double($1) }
        return isNegative ? -magnitude : magnitude
    }

    /// The low 64 bits in two's complement: how Java narrows a number.
    var truncated: Int64 {
        let low = UInt64(limbs.first ?? 0) | UInt64(limbs.count > 1 ? limbs[1] : 0) << 32
        return Int64(bitPattern: isNegative ? 0 &- low : low)
    }

    /// The whole part of a finite number.
    init(truncating value: Double) {
        let whole = value.magnitude.rounded(.down)
        guard whole.isFinite, whole >= 1 else {
            self = .zero
            return
        }
        if let small = UInt64(exactly: whole) {
            let limbs = [UInt32(truncatingIfNeeded: small), UInt32(truncatingIfNeeded: small >> 32)]
            self.init(isNegative: value < 0, limbs: limbs)
            return
        }
        // The significand's 53 bits, moved to where the exponent puts them.
        let shift = Int(whole.exponent) - 52
        let significand = UInt64(1) << 52 | whole.significandBitPattern
        let low = significand << UInt64(shift % 32)
        let high = significand.multipliedFullWidth(by: UInt64(1) << UInt64(shift % 32)).high
        let limbs =
            [UInt32](repeating: 0, count: shift / 32)
            + [
                UInt32(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: low >> 32),
                UInt32(truncatingIfNeeded: high),
            ]
        self.init(isNegative: value < 0, limbs: limbs)
    }
}

// MARK: - Text

extension CQLInteger: CustomStringConvertible {
    /// Decimal digits with an optional sign.
    public init?(_ text: some StringProtocol) {
        var digits = Substring(text).utf8
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
        guard !digits.isEmpty, digits.count <= Self.maximumDigitCount, digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        var limbs: [UInt32] = []
        var chunk: UInt32 = 0
        var scale: UInt32 = 1
        for (index, digit) in digits.enumerated() {
            chunk = chunk * 10 + UInt32(digit - 48)
            scale *= 10
            if scale == 1_000_000_000 || index == digits.count - 1 {
                Self.multiply(&limbs, by: scale, adding: chunk)
                (chunk, scale) = (0, 1)
            }
        }
        self.init(isNegative: isNegative, limbs: limbs)
    }

    private static func multiply(_ limbs: inout [UInt32], by factor: UInt32, adding summand: UInt32) {
        var carry = UInt64(summand)
        for index in limbs.indices {
            carry += UInt64(limbs[index]) * UInt64(factor)
            limbs[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        if carry > 0 { limbs.append(UInt32(truncatingIfNeeded: carry)) }
    }

    public var description: String { (isNegative ? "-" : "") + digits }

    /// The digits of the magnitude; `0` for zero.
    var digits: String {
        var rest = limbs
        var chunks: [UInt32] = []
        while !rest.isEmpty {
            var remainder: UInt64 = 0
            for index in rest.indices.reversed() {
                let value = remainder << 32 | UInt64(rest[index])
                rest[index] = UInt32(truncatingIfNeeded: value / 1_000_000_000)
                remainder = value % 1_000_000_000
            }
            while rest.last == 0 { rest.removeLast() }
            chunks.append(UInt32(truncatingIfNeeded: remainder))
        }
        guard let first = chunks.popLast() else { return "0" }
        return chunks.reversed().reduce(into: String(first)) { text, chunk in
            let digits = String(chunk)
            text += String(repeating: "0", count: 9 - digits.count) + digits
        }
    }
}

// MARK: - Bytes

extension CQLInteger {
    /// Whether the number has no more digits than are allowed. Only close to the limit they have to be counted.
    var hasAllowedLength: Bool {
        let bitCount = limbs.count * 32 - (limbs.last ?? 0).leadingZeroBitCount
        // 65,535 · log₂ 10 is 217,702.6.
        if bitCount <= 217_702 { return true }
        return bitCount <= 217_703 && digits.utf8.count <= Self.maximumDigitCount
    }

    /// Big-endian two's complement, as the native protocol has it. No bytes are zero.
    init(twosComplement bytes: RawSpan) {
        let bytes = bytes.array()
        let isNegative = (bytes.first ?? 0) >= 0x80
        var limbs = [UInt32](repeating: 0, count: (bytes.count + 3) / 4)
        for (index, byte) in bytes.reversed().enumerated() {
            limbs[index / 4] |= UInt32(isNegative ? ~byte : byte) << UInt32(index % 4 * 8)
        }
        if isNegative { Self.multiply(&limbs, by: 1, adding: 1) }
        self.init(isNegative: isNegative, limbs: limbs)
    }

    /// The shortest big-endian two's complement form.
    var twosComplement: [UInt8] {
        var bytes = magnitudeBytes
        if isNegative {
            for index in bytes.indices { bytes[index] = ~bytes[index] }
            var index = bytes.count - 1
            while index >= 0 {
                bytes[index] &+= 1
                if bytes[index] != 0 { break }
                index -= 1
            }
            if (bytes.first ?? 0) < 0x80 { bytes.insert(0xFF, at: 0) }
        } else if (bytes.first ?? 0x80) >= 0x80 {
            bytes.insert(0, at: 0)
        }
        return bytes
    }

    /// The magnitude's bytes, the most significant one first and not zero.
    var magnitudeBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(limbs.count * 4)
        for limb in limbs.reversed() { bytes.appendBigEndian(limb) }
        return Array(bytes.drop { $0 == 0 })
    }
}
