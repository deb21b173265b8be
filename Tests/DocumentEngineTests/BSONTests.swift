import Testing

@testable import DocumentEngine

@Suite struct BSONTests {
    static let everything: Document = [
        "double": 1.5, "string": "é\0x", "document": ["b": 1, "a": [:]], "array": [1, "two", [nil]],
        "binary": .binary(BSONBinary([1, 2, 3], subtype: 4)), "undefined": .undefined,
        "id": .objectID(ObjectID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C)), "bool": true,
        "date": .date(BSONDate(milliseconds: -1)), "null": nil, "regex": .regex(BSONRegex("a.*", options: "xi")),
        "pointer": .dbPointer(namespace: "a.b", ObjectID(high: 1, low: 2)), "code": .javascript("f()"),
        "symbol": .symbol("s"), "scoped": .javascriptWithScope("g()", ["x": 1]), "int32": -7,
        "timestamp": .timestamp(BSONTimestamp(seconds: 5, increment: 6)), "int64": 5_000_000_000,
        "decimal": .decimal128(Decimal128("12.50") ?? .nan), "max": .maxKey, "min": .minKey,
    ]

    @Test("a document of every type keeps its values through bytes, and its fields in order")
    func roundTrip() throws {
        let copy = try Document(bytes: Self.everything.bytes)
        #expect(copy == Self.everything)
        #expect(Document(copy.fields.map { ($0.name, $0.value) }) == Self.everything)
        #expect(copy.fieldNames.prefix(3) == ["double", "string", "document"])
        #expect(copy["regex"] == .regex(BSONRegex("a.*", options: "ix")))
        #expect(copy.value(at: "array.2.0") == .null)
        #expect(copy.value(at: "scoped.x") == nil)
    }

    @Test("the bytes are those of bsonspec.org")
    func specificationBytes() {
        let hello: Document = ["hello": "world"]
        #expect(
            hello.bytes == [0x16, 0, 0, 0, 0x02] + Array("hello".utf8) + [0, 6, 0, 0, 0] + Array("world".utf8) + [0, 0])
    }

    @Test("cut or altered bytes are refused or read, never trapped on")
    func damagedBytes() {
        let bytes = Self.everything.bytes
        for count in 0..<bytes.count {
            #expect(documentError { try Document(bytes: Array(bytes.prefix(count))) }.code == 22)
        }
        var random = SeededRandom(seed: 11)
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            // Unchecked bytes must be walkable too: what a damaged disk gives ends early.
            let unchecked = Document(trusted: damaged)
            _ = unchecked.fields
            _ = unchecked.view.compare(Self.everything.view)
            _ = try? Document(bytes: damaged)
        }
    }

    @Test("depth beyond 100 and size beyond 16 MiB are refused")
    func limits() {
        var deep: Document = [:]
        for _ in 0..<99 { deep = ["a": .document(deep)] }
        #expect(throws: Never.self) { try Document(bytes: deep.bytes) }
        deep = ["a": .document(deep)]
        #expect(documentError { try Document(bytes: deep.bytes) }.code == 22)
        let large: Document = ["a": .string(String(repeating: "x", count: Document.maximumByteCount))]
        #expect(documentError { try Document(bytes: large.bytes) }.code == 10334)
    }

    @Test("setting a field replaces it in its place, adds it at the end, or removes it")
    func editing() {
        var document: Document = ["a": 1, "b": 2, "c": 3]
        document["b"] = "two"
        document["d"] = 4
        document["a"] = nil
        #expect(document == ["b": "two", "c": 3, "d": 4])
        #expect(document.count == 3)
    }

    @Test("values of different types compare by the documented order")
    func typeOrder() {
        let ascending: [BSONValue] = [
            .minKey, .undefined, nil, .double(.nan), .double(-.infinity), -1, .double(-0.5), 0, 1, "", "a", "a\0", "b",
            [:], ["a": 1], ["a": 2], ["b": 0], ["a": "x"], .array([]), [1], [1, 2], [2],
            .binary(BSONBinary([9])), .binary(BSONBinary([1, 1])), .objectID(ObjectID(high: 1, low: 1)),
            .objectID(ObjectID(high: 2, low: 0)), false, true, .date(BSONDate(milliseconds: -1)),
            .date(BSONDate(milliseconds: 1)), .timestamp(BSONTimestamp(seconds: 0, increment: 1)),
            .regex(BSONRegex("a")), .regex(BSONRegex("b")), .maxKey,
        ]
        for (left, leftValue) in ascending.enumerated() {
            for (right, rightValue) in ascending.enumerated() {
                #expect(
                    leftValue.compare(rightValue).signum() == (left - right).signum(), "\(leftValue) ? \(rightValue)")
            }
        }
    }

    @Test("numbers compare exactly across types")
    func numbers() throws {
        func decimal(_ text: String) throws -> BSONValue { .decimal128(try #require(Decimal128(text))) }
        #expect(BSONValue.int32(1).isEqual(to: .double(1)))
        #expect(try BSONValue.int64(1).isEqual(to: decimal("1.00")))
        #expect(BSONValue.double(-0.0).isEqual(to: 0))
        #expect(BSONValue.int64(1 << 53 + 1).compare(.double(0x1p53)) > 0)
        #expect(BSONValue.int64(.max).compare(.double(0x1p63)) < 0)
        #expect(BSONValue.int64(.min).isEqual(to: .double(-0x1p63)))
        #expect(try decimal("0.1").compare(.double(0.1)) < 0, "the double nearest to 0.1 is above it")
        #expect(try decimal("0.5").isEqual(to: .double(0.5)))
        #expect(try decimal("1E+400").compare(.double(.greatestFiniteMagnitude)) > 0)
        #expect(try decimal("1E+400").compare(.double(.infinity)) < 0)
        #expect(try decimal("-1E-400").compare(.int32(0)) < 0)
        #expect(try decimal("NaN").isEqual(to: .double(.nan)))
        #expect(try decimal("9007199254740993").compare(.double(9007199254740992)) > 0)
    }

    @Test(
        "decimals are written as the specification says",
        arguments: [
            ("0", "0"), ("-0", "-0"), ("0.000001", "0.000001"), ("0.0000001", "1E-7"), ("12.50", "12.50"),
            ("1E3", "1E+3"), ("1.23E+10", "1.23E+10"), ("-inf", "-Infinity"), ("nan", "NaN"),
            ("9999999999999999999999999999999999", "9999999999999999999999999999999999"),
            ("1000000000000000000000000000000000000", "1.000000000000000000000000000000000E+36"),
        ])
    func decimalText(text: String, expected: String) throws {
        #expect(try #require(Decimal128(text)).description == expected)
    }

    @Test(
        "text that is no decimal, or one with too many digits, is refused",
        arguments: [
            "", "-", "1e", "1.2.3", "abc", "1 ", "12345678901234567890123456789012345", "1E+7000",
        ])
    func badDecimal(text: String) {
        #expect(Decimal128(text) == nil)
    }

    @Test("object identifiers carry the time, and count up within a process")
    func objectIDs() throws {
        var random = SeededRandom(seed: 1)
        let clock = ManualClock(now: StorageInstant(seconds: 1_700_000_000))
        let generator = ObjectIDGenerator(clock: clock, random: &random)
        let ids = (0..<1000).map { _ in generator.next() }
        #expect(Set(ids).count == 1000)
        #expect(ids[0].creationTime == StorageInstant(seconds: 1_700_000_000))
        #expect(ObjectID(hex: ids[5].hex) == ids[5])
        #expect(ObjectID(bytes: ids[5].bytes) == ids[5])
        #expect(ObjectID(hex: "zz") == nil)
        clock.advance(by: .seconds(1))
        #expect(generator.next() > ids[0])
    }
}
