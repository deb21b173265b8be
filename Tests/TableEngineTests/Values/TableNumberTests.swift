import StorageCore
import TableEngine
import Testing

@Suite("Numbers")
struct TableNumberTests {
    @Test(
        "a number is kept in its canonical plain form",
        arguments: [
            ("1.5E2", "150"), ("00042", "42"), ("1.0", "1"), ("-0", "0"), ("+5", "5"), ("0e1000000", "0"),
            ("-0.0500", "-0.05"), ("1e3", "1000"), ("123.456", "123.456"), (".5", "0.5"), ("5.", "5"),
            ("1E-3", "0.001"), ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
            ("1" + String(repeating: "0", count: 100), "1" + String(repeating: "0", count: 100)),
        ])
    func canonicalText(text: String, canonical: String) throws {
        #expect(try TableNumber(text: text).description == canonical)
    }

    @Test("the largest and smallest magnitudes are accepted")
    func extremes() throws {
        for text in ["9.9999999999999999999999999999999999999E+125", "-9.9999999999999999999999999999999999999E+125"] {
            #expect(try TableNumber(text: text) == TableNumber(text: TableNumber(text: text).description))
        }
        #expect(try TableNumber(text: "1E-130").description.utf8.count == 132)
        #expect(try TableNumber(text: "-1E-130") < 0)
    }

    @Test(
        "a number out of range or too precise is refused with the service's text",
        arguments: [
            ("1E126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
            ("-1E126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
            ("1e1000000", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
            (
                "1e99999999999999999999999999",
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
            ),
            ("1E-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
            (
                "123456789012345678901234567890123456789",
                "Attempting to store more than 38 significant digits in a Number"
            ),
            (
                "1.00000000000000000000000000000000000001",
                "Attempting to store more than 38 significant digits in a Number"
            ),
        ])
    func refusedMagnitudes(text: String, message: String) {
        #expect(throws: TableError(.validation, message)) { try TableNumber(text: text) }
    }

    @Test(
        "text that is no number is refused",
        arguments: ["b", "1+2", " 5", "5 ", "1e", "1e+", ".", "-", "--1", "0x1", "NaN"])
    func refusedText(text: String) {
        #expect(
            throws: TableError(.validation, "The parameter cannot be converted to a numeric value: \(text)")
        ) { try TableNumber(text: text) }
    }

    @Test("an empty number is refused without naming it")
    func refusedEmptyText() {
        #expect(throws: TableError(.validation, "The parameter cannot be converted to a numeric value")) {
            try TableNumber(text: "")
        }
    }

    @Test(
        "sums are exact",
        arguments: [
            ("1", "2", "3"), ("0.1", "0.2", "0.3"), ("1e38", "-1", "99999999999999999999999999999999999999"),
            ("5", "-5", "0"), ("-7", "2.5", "-4.5"), ("99999999999999999999999999999999999999", "1", "1e38"),
            ("1e125", "1e125", "2e125"), ("0", "1e-130", "1e-130"), ("1.5", "8.5", "10"),
        ])
    func exactSums(left: String, right: String, sum: String) throws {
        let (left, right) = (try TableNumber(text: left), try TableNumber(text: right))
        #expect(try left.adding(right) == TableNumber(text: sum))
        #expect(try right.adding(left) == TableNumber(text: sum))
        #expect(try TableNumber(text: sum).subtracting(right) == left)
    }

    @Test("a sum that needs more than 38 digits is refused, not rounded")
    func inexactSum() throws {
        let pairs = [("1e38", "1"), ("1e100", "1e-100"), ("12345678901234567890123456789012345678", "0.1")]
        for (left, right) in pairs {
            #expect(throws: TableError(.validation, "Attempting to store more than 38 significant digits in a Number"))
            {
                try TableNumber(text: left).adding(TableNumber(text: right))
            }
        }
    }

    @Test("a sum beyond the range overflows")
    func overflowingSum() throws {
        let large = try TableNumber(text: "9.9999999999999999999999999999999999999E+125")
        #expect(
            throws: TableError(
                .validation, "Number overflow. Attempting to store a number with magnitude larger than supported range")
        ) { try large.adding(large) }
    }

    @Test("random numbers: text and key bytes agree with the values' order")
    func randomOrder() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let numbers = try (0..<400).map { _ in try TableNumber(text: Self.randomText(using: &random)) }
        for left in numbers {
            #expect(try TableNumber(text: left.description) == left, "seed \(seed)")
            for right in numbers.prefix(60) {
                let byKey = Self.keyBytes(left).rawSpan.compare(Self.keyBytes(right).rawSpan)
                #expect((left < right) == (byKey < 0), "seed \(seed): \(left), \(right)")
                #expect((left == right) == (byKey == 0), "seed \(seed): \(left), \(right)")
            }
        }
    }

    @Test("random sums agree with integer arithmetic")
    func randomSums() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let left = Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &random)
            let right = Int64.random(in: -1_000_000...1_000_000, using: &random)
            let scale = Int.random(in: -60...60, using: &random)
            let sum = try TableNumber(text: "\(left)e\(scale)").adding(TableNumber(text: "\(right)e\(scale)"))
            #expect(
                try sum == TableNumber(text: "\(left + right)e\(scale)"), "seed \(seed): \(left), \(right), \(scale)")
        }
    }

    @Test(
        "a number's size counts its digits in pairs on either side of the point",
        arguments: [
            ("0", 1), ("1", 2), ("-1", 3), ("12", 2), ("123", 3), ("1.5", 3), ("100", 2), ("0.0012", 2), ("-12.345", 5),
        ])
    func size(text: String, size: Int) throws {
        #expect(try TableNumber(text: text).sizeInBytes == size)
    }

    @Test(
        "64-bit integers convert both ways",
        arguments: [0, 1, -1, 10, 1000, Int64.max, Int64.min, -1_000_000_000_000_000_000])
    func integers(value: Int64) throws {
        #expect(TableNumber(value).int64 == value)
        #expect(try TableNumber(text: String(value)) == TableNumber(value))
    }

    @Test(
        "a fraction or a larger number is no 64-bit integer",
        arguments: ["0.5", "9223372036854775808", "1e19", "-1e30"])
    func noInteger(text: String) throws {
        #expect(try TableNumber(text: text).int64 == nil)
    }

    private static func keyBytes(_ number: TableNumber) -> [UInt8] {
        var key = KeyEncoder()
        key.append(decimal: number.keyDecimal)
        return key.bytes
    }

    private static func randomText(using random: inout SeededRandom) -> String {
        let digits = (0..<Int.random(in: 1...38, using: &random)).map { _ in
            String(Int.random(in: 0...9, using: &random))
        }
        let sign = Bool.random(using: &random) ? "-" : ""
        return sign + digits.joined() + "e\(Int.random(in: -120...80, using: &random))"
    }
}
