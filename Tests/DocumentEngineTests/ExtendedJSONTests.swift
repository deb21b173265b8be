import Testing

@testable import DocumentEngine

@Suite struct ExtendedJSONTests {
    @Test(
        "each type is written and read in both forms",
        arguments: [
            ("{\"v\":{\"$oid\":\"57e193d7a9cc81b4027498b5\"}}", "{\"v\":{\"$oid\":\"57e193d7a9cc81b4027498b5\"}}"),
            ("{\"v\":{\"$numberInt\":\"42\"}}", "{\"v\":42}"),
            ("{\"v\":{\"$numberLong\":\"5000000000\"}}", "{\"v\":5000000000}"),
            ("{\"v\":{\"$numberDouble\":\"1.5\"}}", "{\"v\":1.5}"),
            ("{\"v\":{\"$numberDouble\":\"-Infinity\"}}", "{\"v\":{\"$numberDouble\":\"-Infinity\"}}"),
            ("{\"v\":{\"$numberDecimal\":\"12.50\"}}", "{\"v\":{\"$numberDecimal\":\"12.50\"}}"),
            (
                "{\"v\":{\"$binary\":{\"base64\":\"//8=\",\"subType\":\"00\"}}}",
                "{\"v\":{\"$binary\":{\"base64\":\"//8=\",\"subType\":\"00\"}}}"
            ),
            (
                "{\"v\":{\"$date\":{\"$numberLong\":\"1741615200123\"}}}",
                "{\"v\":{\"$date\":\"2025-03-10T14:00:00.123Z\"}}"
            ),
            ("{\"v\":{\"$date\":{\"$numberLong\":\"-1\"}}}", "{\"v\":{\"$date\":{\"$numberLong\":\"-1\"}}}"),
            ("{\"v\":{\"$timestamp\":{\"t\":42,\"i\":1}}}", "{\"v\":{\"$timestamp\":{\"t\":42,\"i\":1}}}"),
            (
                "{\"v\":{\"$regularExpression\":{\"pattern\":\"a\\\\.\",\"options\":\"im\"}}}",
                "{\"v\":{\"$regularExpression\":{\"pattern\":\"a\\\\.\",\"options\":\"im\"}}}"
            ),
            (
                "{\"v\":{\"$code\":\"f()\",\"$scope\":{\"x\":{\"$numberInt\":\"1\"}}}}",
                "{\"v\":{\"$code\":\"f()\",\"$scope\":{\"x\":1}}}"
            ),
            ("{\"v\":{\"$minKey\":1}}", "{\"v\":{\"$minKey\":1}}"),
            ("{\"v\":{\"$undefined\":true}}", "{\"v\":{\"$undefined\":true}}"),
            ("{\"v\":[null,true,\"\\u0000\\n\\\"é\"]}", "{\"v\":[null,true,\"\\u0000\\n\\\"é\"]}"),
        ])
    func forms(canonical: String, relaxed: String) throws {
        let document = try ExtendedJSON.document(canonical)
        #expect(ExtendedJSON.canonical(document) == canonical)
        #expect(ExtendedJSON.relaxed(document) == relaxed)
        #expect(try ExtendedJSON.document(relaxed) == document)
    }

    @Test("random documents survive the canonical form")
    func randomRoundTrip() throws {
        let seed: UInt64 = .random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let document = randomDocument(&random, depth: 4)
            let copy = try ExtendedJSON.document(ExtendedJSON.canonical(document))
            #expect(copy.view.compare(document.view) == 0, "seed \(seed): \(document)")
        }
    }

    @Test("query operators stay what they are")
    func operators() throws {
        #expect(try ExtendedJSON.document("{\"a\":{\"$gt\":1},\"$or\":[]}") == ["a": ["$gt": 1], "$or": .array([])])
    }

    @Test(
        "an error names the offset",
        arguments: [
            ("{\"a\": }", 9, "Expecting a value at offset 6"), ("{\"a\": 1", 9, "Expecting '}' or ',' at offset 7"),
            ("[1]", 9, "Expecting '{' at offset 0: a document is needed here"),
            ("{\"a\": 1} x", 9, "Garbage at end of the text at offset 9"),
            ("{\"a\": \"x", 9, "Expecting '\"': the string does not end at offset 8"),
            ("{\"a\": \"\\ud800\"}", 9, "Unpaired surrogate at offset 13"),
            ("{a: 1}", 9, "Expecting a quoted field name at offset 1"),
            ("{\"a\": {\"$oid\": \"12\"}}", 9, "Invalid value for $oid in the object at offset 6"),
            ("{\"a\": {\"$minKey\": 2}}", 9, "Invalid value for $minKey in the object at offset 6"),
            ("{\"a\": {\"$undefined\": false}}", 9, "Invalid value for $undefined in the object at offset 6"),
            ("{\"a\": 01}", 9, "A number can't begin with a zero at offset 8"),
            ("{\"a\": -00}", 9, "A number can't begin with a zero at offset 9"),
            ("{\"a\": 00}", 9, "A number can't begin with a zero at offset 8"),
        ])
    func errors(text: String, code: Int, message: String) {
        let error = documentError { try ExtendedJSON.document(text) }
        #expect(error.code == code)
        #expect(error.message == message)
    }

    @Test("text nested beyond 100 levels is refused")
    func depth() {
        let text = String(repeating: "{\"a\":", count: 200) + "1" + String(repeating: "}", count: 200)
        #expect(
            documentError { try ExtendedJSON.document(text) }.message.hasPrefix("Exceeded the maximum nesting depth"))
    }

    @Test(
        "dates are read with fractions and offsets",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.5Z", 500), ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:00:00+01:00", 951_822_000_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ])
    func dates(text: String, milliseconds: Int) {
        #expect(ISO8601.milliseconds(text) == Int64(milliseconds))
    }

    @Test("the first and the last date have a text", arguments: [Int64.min, .max])
    func extremeDates(milliseconds: Int64) {
        #expect(BSONDate(milliseconds: milliseconds).description == "\(milliseconds) ms")
    }
}
