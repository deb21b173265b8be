import StorageTypes
import Testing

@testable import WideColumnEngine

@Suite("Numbers of any size")
struct NumberTests {
    /// Random integers of up to `limbs` times 32 bits, often with limbs that are all zeros or ones.
    private func random(_ random: inout SeededRandom, limbs: Int) -> CQLInteger {
        let limbs = (0..<Int.random(in: 0...limbs, using: &random)).map { _ -> UInt32 in
            switch Int.random(in: 0..<4, using: &random) {
            case 0: 0
            case 1: .max
            default: UInt32.random(in: 0 ... .max, using: &random)
            }
        }
        return CQLInteger(isNegative: Bool.random(using: &random), limbs: limbs)
    }

    @Test("integers survive text and bytes, and obey the laws of arithmetic")
    func laws() throws {
        let seed: UInt64 = 11
        var generator = SeededRandom(seed: seed)
        for round in 0..<2000 {
            let (a, b) = (random(&generator, limbs: 6), random(&generator, limbs: 4))
            let note = "seed \(seed), round \(round): \(a), \(b)"
            #expect(CQLInteger(a.description) == a, "\(note)")
            let bytes = a.twosComplement
            #expect(CQLInteger(twosComplement: bytes.rawSpan) == a, "\(note)")
            #expect((a + b) - b == a && a * b == b * a && (a < b) == (a - b < .zero), "\(note)")
            if let (quotient, remainder) = a.dividedReportingRemainder(by: b) {
                #expect(quotient * b + remainder == a && remainder.magnitude < b.magnitude, "\(note)")
            } else {
                #expect(b.isZero)
            }
        }
    }

    @Test("64-bit integers agree with Swift's")
    func small() {
        for value in [Int64.min, -1 << 32, -256, -129, -128, -1, 0, 1, 127, 128, 1 << 31, .max] {
            let integer = CQLInteger(value)
            #expect(integer.int64 == value && integer.description == "\(value)" && integer.double == Double(value))
        }
        #expect(CQLInteger(-129).twosComplement == [0xFF, 0x7F] && CQLInteger(128).twosComplement == [0, 0x80])
        #expect(CQLInteger(0).twosComplement == [0] && CQLInteger(-1).twosComplement == [0xFF])
        #expect((CQLInteger(.max) + CQLInteger(1)).int64 == nil)
        #expect(CQLInteger("") == nil && CQLInteger("-") == nil && CQLInteger("1x") == nil)
        #expect(CQLInteger(truncating: 1e20).description == "100000000000000000000")
    }

    @Test(
        "decimals read and write as Java's BigDecimal",
        arguments: [
            ("0", "0"), ("1.00", "1.00"), ("-0.05", "-0.05"), (".5", "0.5"), ("1e3", "1E+3"), ("12.5E-3", "0.0125"),
            ("1E-200", "1E-200"), ("123456789012345678901234567890.123", "123456789012345678901234567890.123"),
        ])
    func decimalText(text: String, written: String) throws {
        let decimal = try #require(CQLDecimal(text))
        #expect(decimal.description == written)
        var bytes: [UInt8] = []
        decimal.append(to: &bytes)
        #expect(try CQLDecimal(bytes.rawSpan) == decimal)
    }

    @Test("decimals compare as numbers, whatever their scale and exponent")
    func decimalOrder() throws {
        let ascending = ["-1e10", "-2", "-1.5", "-1e-900", "0", "1e-900", "0.99", "1", "1.01", "10", "1e2147483646"]
        let numbers = try ascending.map { try #require(CQLDecimal($0)) }
        for (index, left) in numbers.enumerated() {
            for (other, right) in numbers.enumerated() {
                #expect(left.compare(right) == (index - other).signum(), "\(left) \(right)")
            }
        }
        #expect(CQLDecimal("1.0")?.compare(CQLDecimal(1)) == 0)
        #expect(CQLDecimal("-0.0")?.compare(CQLDecimal(0)) == 0)
    }

    @Test(
        "in keys decimals lose trailing zeros, and only numbers of more than 64 digits get an exponent",
        arguments: [
            ("100", "100"), ("-100", "-100"), ("1E+2", "100"), ("1.00", "1"), ("0.10", "0.1"), ("0.00", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"), ("0.00010", "0.0001"),
            ("1E+63", "1" + String(repeating: "0", count: 63)), ("1E+64", "1E+64"), ("-120E+62", "-1.2E+64"),
            ("1E+1000000000", "1E+1000000000"), ("1E-2147483647", "1E-2147483647"),
        ])
    func decimalKeys(text: String, read: String) throws {
        let store = try makeStore()
        try store.execute(
            "CREATE TABLE t (k int, c decimal, s set<decimal>, m map<decimal, int>, PRIMARY KEY (k, c)) "
                + "WITH CLUSTERING ORDER BY (c DESC)")
        try store.execute("INSERT INTO t (k, c, s, m) VALUES (1, \(text), {\(text)}, {\(text): 1})")
        #expect(
            try store.execute("SELECT CAST(c AS text), to_json(s), to_json(m) FROM t").map { [$0[0], $0[1], $0[2]] }
                == [[.text(read), .text("[\(read)]"), .text("{\"\(read)\": 1}")]])
        // The key is the same whichever way the number is written.
        #expect(try store.execute("SELECT c FROM t WHERE k = 1 AND c = \(read)").count == 1)
    }

    @Test("operators round to 10,000 digits and never write out a huge exponent")
    func decimalArithmetic() throws {
        let third = try #require(CQLDecimal(1).divided(by: CQLDecimal(3)))
        #expect(third.description == "0." + String(repeating: "3", count: 32))
        #expect(CQLDecimal(10).divided(by: CQLDecimal(4))?.description == "2.5")
        #expect(CQLDecimal(1).divided(by: CQLDecimal(0)) == nil)
        let huge = try #require(CQLDecimal("1e2000000000"))
        #expect((huge + CQLDecimal(1)).compare(huge) == 0)
        #expect(huge.exactSum(CQLDecimal(1)) == nil)
        #expect((huge * huge).unscaled == CQLInteger(1))
        let long = try #require(CQLDecimal("1." + String(repeating: "0", count: 40) + "1"))
        #expect(
            (long * long).description == "1." + String(repeating: "0", count: 40) + "2"
                + String(repeating: "0", count: 40) + "1")
        #expect((long + huge).compare(huge) == 0 && (long + -CQLDecimal(1)).pointPosition == -40)
        // The digit behind the last one is a five.
        let half = try #require(CQLDecimal("0." + String(repeating: "0", count: 9_999) + "5"))
        #expect((CQLDecimal(1) + half).unscaled.digits.utf8.count == 10_000)
        #expect((CQLDecimal(1) + half).unscaled.digits.hasSuffix("01"))
        // A number behind whose digits another one goes on.
        let low = try #require(CQLDecimal(String(repeating: "7", count: 12_000) + "E-18000"))
        #expect((CQLDecimal("1E-5999").map { $0 + low })?.description.hasPrefix("1.0777777777") == true)
        #expect(CQLDecimal("7.5")?.remainder(dividingBy: CQLDecimal(2))?.description == "1.5")
    }

    @Test(
        "functions of decimals have as many digits as the number, and at least 32",
        arguments: [
            ("exp", "1", "2.7182818284590452353602874713527"),
            ("exp", "-1", "0.36787944117144232159552377016146"),
            ("exp", "0.5", "1.6487212707001281468486507878142"),
            ("exp", "10", "22026.465794806716516957900645284"),
            ("exp", "100.25", "3.4516107331259239871361985995266E+43"),
            ("exp", "-700", "9.8596765437597708567053729478495E-305"),
            ("exp", "12345.678", "4.5691009592926589942508406944596E+5361"),
            ("exp", "2147483647", "7.4057787974478016825915850600371E+932640297"),
            ("exp", "1E-10", "1.0000000001000000000050000000002"),
            ("exp", "123456789.123456789123456789123456789123", "1.86127558919474581148590691785942825846E+53616602"),
            ("exp", "1E-33", "1.0000000000000000000000000000000"),
            ("log", "2", "0.69314718055994530941723212145818"),
            ("log", "10", "2.3025850929940456840179914546844"),
            ("log", "0.1", "-2.3025850929940456840179914546844"),
            ("log", "1.00000000000000000000000000001", "9.9999999999999999999999999999500E-30"),
            ("log", "0.9999999999", "-1.0000000000500000000033333333336E-10"),
            ("log", "123456789", "18.631401766168018033193933347963"),
            ("log", "1E+1000000", "2302585.0929940456840179914546844"),
            ("log", "3.1622776601683793319988935444327185337", "1.1512925464970228420089957273421821038"),
            ("log", "1E-2000000000", "-4605170185.9880913680359829093687"),
            ("log", "1.0000001", "9.9999995000000333333308333335333E-8"),
            ("log", "9.9999999999999999999999999999999999999999", "2.3025850929940456840179914546843642076011"),
            ("log10", "2", "0.30102999566398119521373889472449"),
            ("log10", "0.5", "-0.30102999566398119521373889472449"),
            ("log10", "1000.000000000000000000001", "3.0000000000000000000000004342945"),
            ("log10", "999", "2.9995654882259823086935343993045"),
            ("log10", "7E-500", "-499.15490195998574316928778374141"),
            (
                "log10", "1.000000000000000000000000000000000000000000001",
                "4.342944819032518276511289189166050822943970056E-46"
            ),
        ])
    func decimalFunctions(name: String, argument: String, expected: String) throws {
        let number = try #require(CQLDecimal(argument))
        let result = name == "exp" ? number.exponential() : name == "log" ? number.logarithm() : number.logarithm10()
        #expect(result == CQLDecimal(expected))
    }

    @Test("functions of decimals are exact where they can be, and refuse what they can't be of")
    func decimalFunctionLimits() throws {
        #expect(CQLDecimal("0E-7")?.exponential() == CQLDecimal(1))
        #expect(CQLDecimal("1E-2000000000")?.exponential() == CQLDecimal(1))
        #expect(CQLDecimal("1.000")?.logarithm() == CQLDecimal(0))
        for (argument, power) in [("1", 0), ("0.01", -2), ("1000.0", 3), ("1E+2147483648", 2_147_483_648)] {
            #expect(CQLDecimal(argument)?.logarithm10() == CQLDecimal(Int64(power)), "\(argument)")
        }
        for argument in ["2147483648", "-2147483649", "1E+10", "1E+2000000000", "-1E+2000000000"] {
            #expect(try #require(CQLDecimal(argument)).exponential() == nil, "\(argument)")
        }
        for argument in ["0", "0.00", "-1", "-1E-2000000000"] {
            let number = try #require(CQLDecimal(argument))
            #expect(number.logarithm() == nil && number.logarithm10() == nil, "\(argument)")
        }
    }

    @Test("exponential and logarithm undo each other, to the last of many digits", arguments: [40, 333])
    func inverseFunctions(digitCount: Int) throws {
        for text in ["7", "1.5", "0.000123", "98765.4321"] {
            let digits = text + (text.contains(".") ? "" : ".") + String(repeating: "3", count: digitCount)
            let number = try #require(CQLDecimal(digits))
            let back = try #require(number.logarithm()?.exponential())
            let difference = try #require(back.exactSum(-number))
            #expect(
                difference.unscaled.isZero || difference.pointPosition < number.pointPosition - Int64(digitCount) + 4)
        }
    }

    @Test("decimals are rounded to the nearest whole number, of two to the one farther from zero")
    func wholeDecimals() throws {
        for (text, whole) in [
            ("2.5", "3"), ("-2.5", "-3"), ("2.4999", "2"), ("0.5", "1"), ("0.05", "0"), ("-0.4", "0"),
            ("12E+2", "1200"),
            ("1E+2000000000", "1E+2000000000"), ("1E-2000000000", "0"),
            ("0.\(String(repeating: "9", count: 20_000))", "1"),
        ] { #expect(CQLDecimal(text)?.roundedToWhole == CQLDecimal(whole), "\(whole)") }
    }

    @Test(
        "durations in all their forms",
        arguments: [
            ("1y2mo3w4d", 14, 25, 0), ("12h30m", 0, 0, 45_000_000_000_000), ("-1s5ms6us7ns", 0, 0, -1_005_006_007),
            ("P1Y2M10DT2H30M", 14, 10, 9_000_000_000_000), ("P2W", 0, 14, 0), ("-P1D", 0, -1, 0),
            ("P0001-02-10T02:00:00", 14, 10, 7_200_000_000_000), ("PT1S", 0, 0, 1_000_000_000), ("5µs", 0, 0, 5000),
        ])
    func durations(text: String, months: Int32, days: Int32, nanoseconds: Int64) throws {
        let duration = CQLDuration(months: months, days: days, nanoseconds: nanoseconds)
        #expect(CQLDuration(text) == duration)
        #expect(CQLDuration(duration.description) == duration)
        let bytes = try CQLValue.duration(duration).serialized(as: .duration)
        #expect(try CQLType.duration.value(of: bytes) == .duration(duration))
    }

    @Test(
        "what is no duration is refused",
        arguments: ["", "1", "d", "1d1y", "P", "PT", "1x", "99999999999999999999d", "3000000000d"])
    func noDurations(text: String) {
        #expect(CQLDuration(text) == nil)
    }

    @Test("variable-length integers are Cassandra's")
    func variableLength() throws {
        func bytes(_ value: UInt64) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.appendVInt(value)
            return bytes
        }
        #expect(bytes(0) == [0] && bytes(127) == [127] && bytes(128) == [0x80, 0x80] && bytes(16_383) == [0xBF, 0xFF])
        #expect(bytes(16_384) == [0xC0, 0x40, 0x00] && bytes(.max).count == 9)
        for shift in 0..<64 {
            for value in [UInt64(1) << UInt64(shift), (UInt64(1) << UInt64(shift)) &- 1, .max] {
                let encoded = bytes(value)
                var reader = ByteReader(encoded.rawSpan)
                #expect(try reader.vint() == value)
            }
        }
    }

    @Test("exponential and logarithms agree with known values")
    func realFunctions() {
        func isNear(_ left: Double, _ right: Double) -> Bool { abs(left - right) <= abs(right) * 1e-15 }
        #expect(isNear(RealFunctions.exponential(1), 2.718281828459045))
        #expect(isNear(RealFunctions.exponential(-20), 2.061153622438558e-9))
        #expect(isNear(RealFunctions.logarithm(10), 2.302585092994046))
        #expect(isNear(RealFunctions.apply("log10", 1000), 3))
        #expect(RealFunctions.exponential(1000) == .infinity && RealFunctions.exponential(-1000) == 0)
        #expect(RealFunctions.logarithm(0) == -.infinity && RealFunctions.logarithm(-1).isNaN)
    }
}
