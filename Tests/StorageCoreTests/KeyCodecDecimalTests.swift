// KeyCodecDecimalTests.swift — decimals in keys: order, canonical form, refusal of anything else.

import StorageCore
import StorageTypes
import Testing

/// A decimal from text such as "-12.5e3".
func decimal(_ text: String) -> KeyDecimal {
    let isNegative = text.hasPrefix("-")
    let parts = text.drop { $0 == "-" }.split(separator: "e")
    let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let fraction = number.count > 1 ? number[1] : ""
    let digits = (number[0] + fraction).map { UInt8($0.wholeNumberValue ?? 0) }
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    return KeyDecimal(isNegative: isNegative, digits: digits, exponent: exponent - fraction.count)
}

func decoded(_ bytes: [UInt8], descending: Bool = false) throws -> KeyDecimal {
    var decoder = KeyDecoder(bytes.rawSpan)
    let value = try decoder.decimal(descending: descending)
    guard decoder.isAtEnd else { throw StorageError.corruption("Bytes are left.") }
    return value
}

@Suite("Key codec: decimals")
struct KeyCodecDecimalTests {
    @Test("decimals keep the order of their values")
    func order() throws {
        let groups = [
            ["-1e2147483647"], ["-1e6144", "-10e6143"], ["-1.1e97"], ["-1e97"], ["-1e96"], ["-1e95"], ["-100"],
            ["-99.5"],
            ["-99"], ["-10"], ["-9"], ["-1.01"], ["-1", "-1.0", "-10e-1"], ["-0.99"], ["-0.5"], ["-0.05"], ["-1e-97"],
            ["-1e-98"], ["-1e-6176"], ["0", "-0", "0.00", "0e5"], ["1e-6176"], ["1e-98"], ["1e-97"], ["1e-96"],
            ["0.05"],
            ["0.5"], ["0.99"], ["1", "1.0", "1.000", "10e-1", "0.1e1"], ["1.01"], ["1.1"], ["9"], ["9.99"], ["10"],
            ["11"],
            ["99"], ["99.5"], ["100", "1e2"], ["12345678901234567890123456789012345678"],
            ["12345678901234567890123456789012345678.5"], ["12345678901234567890123456789012345679"], ["1e95"],
            ["1e96"],
            ["1e97"], ["1.1e97"], ["1e6144"], ["1e2147483647"],
        ].map { $0.map(decimal) }
        expectOrder(of: groups) { $0.append(decimal: $1, descending: $2) }
        for value in groups.joined() {
            #expect(try decoded(key { $0.append(decimal: value) }) == value)
            #expect(try decoded(key { $0.append(decimal: value, descending: true) }, descending: true) == value)
        }
    }

    @Test("the normal form has no zeros at its ends")
    func normalForm() {
        let value = KeyDecimal(isNegative: true, digits: [0, 0, 1, 0, 2, 0, 0], exponent: -3)
        #expect(value.digits == [1, 0, 2])
        #expect(value.exponent == -1)
        #expect(value.isNegative)
        #expect(KeyDecimal(isNegative: true, digits: [0, 0], exponent: 9) == .zero)
    }

    @Test("decimals have the documented bytes")
    func documentedBytes() {
        #expect(key { $0.append(decimal: decimal("0")) } == [2])
        #expect(key { $0.append(decimal: decimal("125")) } == [3, 0x83, 13, 51, 0])
        #expect(key { $0.append(decimal: decimal("-125")) } == [1, 0x7C, 242, 204, 255])
        #expect(key { $0.append(decimal: decimal("0.05")) } == [3, 0x7F, 51, 0])
        #expect(key { $0.append(decimal: decimal("1e200")) } == [3, 0xF4, 0, 0, 0, 201, 11, 0])
        #expect(key { $0.append(decimal: decimal("1e-200")) } == [3, 0x0B, 255, 255, 255, 0x38, 11, 0])
    }

    @Test(
        "bytes that are never written are refused",
        arguments: [
            [], [0], [4], [3], [3, 0x81], [3, 0x81, 0], [3, 0x81, 11], [3, 0x81, 102, 0], [3, 0x81, 10, 0],
            [3, 0x81, 1, 0],
            [3, 0x81, 11, 1, 0], [3, 0xE1, 11, 0], [3, 0x1F, 11, 0], [3, 0xF3, 0, 0, 1, 11, 0],
            [3, 0xF4, 0, 0, 0, 96, 11, 0],
            [3, 0xF5, 0, 255, 255, 255, 255, 11, 0], [3, 0xF6, 1, 0, 0, 0, 0, 0, 11, 0], [3, 0xFF, 11, 0],
            [3, 0x00, 11, 0],
            [1, 0x7C, 242], [3, 0xF4, 1],
        ] as [[UInt8]])
    func malformed(_ bytes: [UInt8]) {
        let error = #expect(throws: StorageError.self) { _ = try decoded(bytes) }
        #expect(error?.code == .corruption)
    }

    @Test("random decimals keep the order of their values")
    func randomOrder() {
        let seed = TestSeed.draw("decimal order")
        var random = SeededRandom(seed: seed)
        for _ in 0..<2000 {
            let left = randomDecimal(&random)
            let right =
                Int.random(in: 0..<4, using: &random) == 0 ? neighbour(of: left, &random) : randomDecimal(&random)
            let order = key { $0.append(decimal: left) }.rawSpan.compare(key { $0.append(decimal: right) }.rawSpan)
            #expect(order.signum() == compare(left, right), "\(left) \(right)")
        }
    }

    private func randomDecimal(_ random: inout SeededRandom) -> KeyDecimal {
        let digits = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...9, using: &random) }
        let range = Bool.random(using: &random) ? 3 : 200
        return KeyDecimal(
            isNegative: Bool.random(using: &random), digits: digits,
            exponent: Int.random(in: -range...range, using: &random))
    }

    private func neighbour(of value: KeyDecimal, _ random: inout SeededRandom) -> KeyDecimal {
        let more = (0..<Int.random(in: 0...3, using: &random)).map { _ in UInt8.random(in: 0...9, using: &random) }
        return KeyDecimal(
            isNegative: value.isNegative, digits: value.digits + more, exponent: value.exponent - more.count)
    }

    /// Schoolbook comparison: both written with the same exponent.
    private func compare(_ left: KeyDecimal, _ right: KeyDecimal) -> Int {
        func signum(_ value: KeyDecimal) -> Int { value.digits.isEmpty ? 0 : value.isNegative ? -1 : 1 }
        guard signum(left) == signum(right) else { return (signum(left) - signum(right)).signum() }
        let exponent = min(left.exponent, right.exponent)
        var (a, b) = (left.digits, right.digits)
        a += [UInt8](repeating: 0, count: left.exponent - exponent)
        b += [UInt8](repeating: 0, count: right.exponent - exponent)
        let width = max(a.count, b.count)
        a = [UInt8](repeating: 0, count: width - a.count) + a
        b = [UInt8](repeating: 0, count: width - b.count) + b
        return a.rawSpan.compare(b.rawSpan).signum() * signum(left)
    }
}
