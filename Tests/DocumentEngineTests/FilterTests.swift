import Testing

@testable import DocumentEngine

@Suite struct FilterTests {
    private func matches(_ filter: String, _ document: String) throws -> Bool {
        let expression = try FilterParser.parse(doc(filter))
        let document = doc(document)
        return expression.matches(document.view)
    }

    @Test(
        "a filter matches these documents",
        arguments: [
            ("{}", "{\"a\":1}"), ("{\"a\":1}", "{\"a\":1.0}"), ("{\"a\":1}", "{\"a\":[2,1]}"),
            ("{\"a\":[2,1]}", "{\"a\":[2,1]}"), ("{\"a\":[1]}", "{\"a\":[[1]]}"), ("{\"a\":null}", "{}"),
            ("{\"a\":null}", "{\"a\":null}"), ("{\"a\":null}", "{\"a\":[1,null]}"), ("{\"a.b\":null}", "{\"a\":5}"),
            ("{\"a.b\":null}", "{\"a\":[{\"b\":1},{}]}"), ("{\"a\":{\"$gt\":1,\"$lt\":5}}", "{\"a\":[0,9]}"),
            ("{\"a.b\":3}", "{\"a\":[{\"b\":1},{\"b\":3}]}"), ("{\"a.1.b\":3}", "{\"a\":[{\"b\":1},{\"b\":3}]}"),
            ("{\"a.1\":7}", "{\"a\":[5,7]}"), ("{\"a.1\":[2,4]}", "{\"a\":[5,[2,4]]}"),
            ("{\"a.1\":4}", "{\"a\":[5,{\"1\":4}]}"),
            ("{\"a.0.1\":2}", "{\"a\":[[1,2]]}"), ("{\"a\":{\"$ne\":3}}", "{\"a\":[1,2]}"),
            ("{\"a\":{\"$ne\":3}}", "{}"),
            ("{\"a\":{\"$in\":[1,2]}}", "{\"a\":2}"), ("{\"a\":{\"$in\":[null]}}", "{}"),
            ("{\"a\":{\"$in\":[{\"$regularExpression\":{\"pattern\":\"^x\",\"options\":\"\"}}]}}", "{\"a\":\"xy\"}"),
            ("{\"a\":{\"$nin\":[1,2]}}", "{\"a\":[3,4]}"), ("{\"a\":{\"$exists\":true}}", "{\"a\":null}"),
            ("{\"a\":{\"$exists\":false}}", "{}"), ("{\"a\":{\"$exists\":0}}", "{}"),
            ("{\"a\":{\"$type\":\"number\"}}", "{\"a\":1.5}"),
            ("{\"a\":{\"$type\":[\"string\",\"array\"]}}", "{\"a\":[1]}"),
            ("{\"a\":{\"$type\":2}}", "{\"a\":[1,\"x\"]}"),
            ("{\"a\":{\"$regex\":\"B.D\",\"$options\":\"i\"}}", "{\"a\":\"abcd\"}"),
            ("{\"a\":{\"$size\":2}}", "{\"a\":[1,2]}"),
            ("{\"a\":{\"$all\":[1,2]}}", "{\"a\":[2,3,1]}"), ("{\"a\":{\"$all\":[[1]]}}", "{\"a\":[1]}"),
            (
                "{\"a\":{\"$all\":[{\"$elemMatch\":{\"b\":1}},{\"$elemMatch\":{\"b\":2}}]}}",
                "{\"a\":[{\"b\":1},{\"b\":2}]}"
            ),
            ("{\"a\":{\"$elemMatch\":{\"$gt\":1,\"$lt\":5}}}", "{\"a\":[0,3]}"),
            ("{\"a\":{\"$elemMatch\":{\"b\":1,\"c\":2}}}", "{\"a\":[{\"b\":1,\"c\":2}]}"),
            ("{\"a\":{\"$elemMatch\":{\"$or\":[{\"b\":1},{\"b\":2}]}}}", "{\"a\":[{\"b\":2}]}"),
            ("{\"a\":{\"$mod\":[4,1]}}", "{\"a\":9.7}"),
            ("{\"a\":{\"$mod\":[-1,0]}}", "{\"a\":{\"$numberLong\":\"-9223372036854775808\"}}"),
            ("{\"$and\":[{\"a\":1},{\"b\":2}]}", "{\"a\":1,\"b\":2}"),
            ("{\"$or\":[{\"a\":9},{\"b\":2}]}", "{\"a\":1,\"b\":2}"),
            ("{\"$nor\":[{\"a\":9},{\"b\":9}]}", "{\"a\":1}"), ("{\"a\":{\"$not\":{\"$gt\":5}}}", "{\"a\":3}"),
            ("{\"a\":{\"$not\":{\"$gt\":5}}}", "{}"), ("{\"a\":{\"$gte\":null}}", "{}"),
            ("{\"a\":{\"$lt\":{\"$maxKey\":1}}}", "{\"a\":\"x\"}"),
            ("{\"a\":{\"$gt\":[1]}}", "{\"a\":[1,2]}"), ("{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"b\":1,\"c\":2}}"),
            ("{\"$jsonSchema\":{\"required\":[\"a\"]}}", "{\"a\":1}"),
            ("{\"$comment\":\"x\",\"a\":{\"$comment\":\"y\",\"$eq\":1}}", "{\"a\":1}"),
            ("{\"a\":{\"$gte\":{\"$numberDouble\":\"NaN\"}}}", "{\"a\":{\"$numberDouble\":\"NaN\"}}"),
        ])
    func matching(filter: String, document: String) throws {
        #expect(try matches(filter, document))
    }

    @Test(
        "a filter does not match these documents",
        arguments: [
            ("{\"a\":1}", "{\"a\":\"1\"}"), ("{\"a\":{\"$gt\":1}}", "{\"a\":\"x\"}"),
            ("{\"a\":{\"$lt\":5}}", "{\"a\":null}"),
            ("{\"a\":{\"$lt\":5}}", "{}"), ("{\"a.b\":null}", "{\"a\":[1,2]}"), ("{\"a.b\":null}", "{\"a\":[]}"),
            ("{\"a\":null}", "{\"a\":{\"$undefined\":true}}"), ("{\"a\":{\"$ne\":3}}", "{\"a\":[1,3]}"),
            ("{\"a\":{\"$nin\":[1,2]}}", "{\"a\":[3,1]}"), ("{\"a\":{\"$size\":1}}", "{\"a\":[[1,2],2]}"),
            ("{\"a\":{\"$size\":2}}", "{\"a\":[[1,2]]}"),
            ("{\"a\":{\"$elemMatch\":{\"$gt\":1,\"$lt\":5}}}", "{\"a\":[0,9]}"),
            ("{\"a\":{\"$elemMatch\":{\"$gt\":1}}}", "{\"a\":[[2]]}"),
            ("{\"a\":{\"$elemMatch\":{\"b\":1}}}", "{\"a\":{\"b\":1}}"),
            ("{\"a.1\":2}", "{\"a\":[5,[2,4]]}"), ("{\"a\":{\"$all\":[]}}", "{\"a\":[]}"),
            ("{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2,\"b\":1}}"),
            ("{\"a\":{\"$mod\":[4,1]}}", "{\"a\":\"9\"}"), ("{\"a\":{\"$not\":{\"$gt\":5}}}", "{\"a\":[1,6]}"),
            ("{\"a\":{\"$regex\":\"^b\"}}", "{\"a\":\"ab\"}"),
            ("{\"a\":{\"$lte\":5}}", "{\"a\":{\"$numberDouble\":\"NaN\"}}"),
            ("{\"a\":true}", "{\"a\":1}"), ("{\"a\":0}", "{\"a\":false}"),
        ])
    func notMatching(filter: String, document: String) throws {
        #expect(try !matches(filter, document))
    }

    @Test(
        "bad operators are refused with the server's codes and texts",
        arguments: [
            ("{\"a\":{\"$foo\":1}}", 2, "unknown operator: $foo"),
            (
                "{\"$foo\":1}", 2,
                "unknown top level operator: $foo. If you have a field name that starts with a '$' symbol, consider using $getField or $setField."
            ),
            ("{\"$and\":1}", 2, "$and must be an array"), ("{\"$or\":[]}", 2, "$or argument must be a non-empty array"),
            ("{\"$nor\":[1]}", 2, "$or/$and/$nor entries need to be full objects"),
            ("{\"a\":{\"$in\":1}}", 2, "$in needs an array"),
            ("{\"a\":{\"$in\":[{\"$gt\":1}]}}", 2, "cannot nest $ under $in"),
            ("{\"a\":{\"$gt\":1,\"b\":2}}", 2, "unknown operator: b"),
            ("{\"a\":{\"$not\":1}}", 2, "$not needs a regex or a document"),
            ("{\"a\":{\"$not\":{}}}", 2, "$not cannot be empty"),
            ("{\"a\":{\"$options\":\"i\"}}", 2, "$options needs a $regex"),
            ("{\"a\":{\"$regex\":1}}", 2, "$regex has to be a string"),
            ("{\"a\":{\"$regex\":\"a\",\"$options\":\"q\"}}", 51108, "invalid flag in regex options: q"),
            ("{\"a\":{\"$size\":-1}}", 2, "Failed to parse $size. Expected a non-negative number in: $size: -1"),
            ("{\"a\":{\"$elemMatch\":1}}", 2, "$elemMatch needs an Object"),
            ("{\"a\":{\"$all\":1}}", 2, "$all needs an array"),
            ("{\"a\":{\"$mod\":[1]}}", 2, "malformed mod, not enough elements"),
            ("{\"a\":{\"$mod\":[0,1]}}", 2, "divisor cannot be 0"),
            ("{\"a\":{\"$type\":\"foo\"}}", 2, "Unknown type name alias: foo"),
            ("{\"a\":{\"$type\":99}}", 2, "Invalid numerical type code: 99"),
            ("{\"a\":{\"$type\":[]}}", 9, "$type must match at least one type"),
            (
                "{\"a\":{\"$ne\":{\"$regularExpression\":{\"pattern\":\"x\",\"options\":\"\"}}}}", 2,
                "Can't have regex as arg to $ne."
            ),
        ])
    func errors(filter: String, code: Int, message: String) {
        let error = documentError { try FilterParser.parse(doc(filter)) }
        #expect(error.code == code)
        #expect(error.message == message)
    }

    @Test("an invalid pattern is 51091, and a filter nested too deeply is refused")
    func invalidPatternAndDepth() throws {
        for pattern in [
            "(", String(repeating: "(", count: 300), String(repeating: "[", count: 5000),
            String(repeating: "a", count: 40_000),
        ] {
            #expect(documentError { try FilterParser.parse(["a": ["$regex": .string(pattern)]]) }.code == 51091)
        }
        let long = String(repeating: "a", count: 30_000)
        #expect(try FilterParser.parse(["a": ["$regex": .string(long)]]).accepts(["a": .string(long)]))
        var operand: BSONValue = 1
        for _ in 0..<5000 { operand = ["a": operand] }
        #expect(documentError { try FilterParser.parse(["a": operand]) }.code == 15)
        #expect(documentError { try UpdateExpression(operators: ["$set": ["a": operand]]) }.code == 15)
        var filter: Document = ["a": 1]
        for _ in 0..<500 { filter = ["$and": [.document(filter)]] }
        #expect(documentError { try FilterParser.parse(filter) }.code == 15)
    }

    @Test("patterns matched in place agree with the general engine")
    func simplePatterns() throws {
        let patterns = [
            "^.+@.+\\..+$", "^a", "b$", "^$", "a*b", "[a-c]+d?", "[^a]b", "x{2,3}", "\\d+\\w", "a.c", "^.{0,2}$",
            "a\\.b", "é",
        ]
        let texts = [
            "", "a", "ab", "a@b.c", "@b.c", "a@b", "aab", "abcd", "xx", "xxxx", "12z", "a\nc", "aéc", "b\n", "a.b",
            "é@é.é",
        ]
        for pattern in patterns {
            let regex = try Regex(pattern).matchingSemantics(.unicodeScalar)
            guard let simple = SimplePattern(pattern) else {
                #expect(pattern == "é")
                continue
            }
            for text in texts where !(text.hasSuffix("\n") && pattern.hasSuffix("$")) {
                let expected = try regex.firstMatch(in: text) != nil
                #expect(
                    (simple.matches(Array(text.utf8).rawSpan) == .yes) == expected,
                    "/\(pattern)/ on \(text.debugDescription)")
            }
        }
        #expect(SimplePattern("b$")?.matches(Array("ab\n".utf8).rawSpan) == .yes)
        #expect(SimplePattern("(a|b)") == nil)
    }
}
