import Testing

@testable import DocumentEngine

@Suite struct JSONSchemaTests {
    @Test("keywords ignore values of other types and missing fields")
    func typeFiltering() throws {
        let schema = try JSONSchema(
            doc("{\"properties\":{\"a\":{\"minimum\":5,\"minLength\":2,\"minItems\":1,\"required\":[\"x\"]}}}"))
        for text in [
            "{}", "{\"a\":5}", "{\"a\":\"é2\"}", "{\"a\":[1]}", "{\"a\":{\"x\":1}}", "{\"a\":null}", "{\"a\":true}",
        ] {
            #expect(schema.accepts(doc(text)), "\(text)")
        }
        for text in ["{\"a\":4}", "{\"a\":\"é\"}", "{\"a\":[]}", "{\"a\":{}}"] {
            #expect(!schema.accepts(doc(text)), "\(text)")
        }
    }

    @Test(
        "bsonType takes aliases, number among them, and lists",
        arguments: [
            ("\"number\"", "1.5", true), ("\"int\"", "1", true), ("\"int\"", "1.5", false),
            ("[\"date\",\"null\"]", "null", true),
            ("\"date\"", "{\"$date\":\"2025-01-01T00:00:00Z\"}", true), ("\"objectId\"", "\"x\"", false),
            ("\"object\"", "{}", true),
        ])
    func bsonType(type: String, text: String, expected: Bool) throws {
        let schema = try JSONSchema(doc("{\"properties\":{\"v\":{\"bsonType\":\(type)}}}"))
        #expect(schema.accepts(doc("{\"v\":\(text)}")) == expected)
    }

    @Test(
        "unknown, unsupported and malformed keywords are refused",
        arguments: [
            ("{\"$ref\":\"#\"}", 9), ("{\"$schema\":\"x\"}", 9), ("{\"default\":1}", 9), ("{\"definitions\":{}}", 9),
            ("{\"format\":\"x\"}", 9),
            ("{\"id\":\"x\"}", 9), ("{\"foo\":1}", 9), ("{\"type\":\"integer\"}", 9),
            ("{\"type\":\"string\",\"bsonType\":\"string\"}", 9),
            ("{\"required\":[\"a\",\"a\"]}", 9), ("{\"required\":[]}", 9), ("{\"required\":\"a\"}", 14),
            ("{\"required\":[1]}", 14),
            ("{\"minLength\":-1}", 9), ("{\"minLength\":1.5}", 9), ("{\"minLength\":\"1\"}", 14),
            ("{\"maximum\":\"1\"}", 14),
            ("{\"exclusiveMaximum\":true}", 9), ("{\"maximum\":1,\"exclusiveMaximum\":1}", 14), ("{\"pattern\":1}", 14),
            ("{\"pattern\":\"(\"}", 51091),
            ("{\"multipleOf\":0}", 9), ("{\"properties\":[]}", 14), ("{\"properties\":{\"a\":1}}", 14),
            ("{\"enum\":[]}", 9), ("{\"enum\":[1,1.0]}", 9),
            ("{\"enum\":1}", 14), ("{\"allOf\":[]}", 2), ("{\"anyOf\":1}", 14), ("{\"not\":1}", 14),
            ("{\"items\":1}", 14), ("{\"additionalItems\":1}", 14),
            ("{\"additionalProperties\":1}", 14), ("{\"dependencies\":{\"a\":[]}}", 9),
            ("{\"dependencies\":{\"a\":1}}", 14), ("{\"uniqueItems\":1}", 14),
            ("{\"bsonType\":\"foo\"}", 2), ("{\"bsonType\":1}", 14), ("{\"title\":1}", 14),
            ("{\"minProperties\":-1}", 9),
        ])
    func refused(schema: String, code: Int) {
        #expect(documentError { try JSONSchema(doc(schema)) }.code == code)
    }

    @Test(
        "a failing value is explained in the server's shape",
        arguments: [
            (
                "{\"required\":[\"a\",\"b\"]}", "{\"b\":1}",
                "{\"operatorName\":\"required\",\"specifiedAs\":{\"required\":[\"a\",\"b\"]},\"missingProperties\":[\"a\"]}"
            ),
            (
                "{\"properties\":{\"a\":{\"bsonType\":\"string\",\"title\":\"A\"}}}", "{\"a\":1}",
                "{\"operatorName\":\"properties\",\"propertiesNotSatisfied\":[{\"propertyName\":\"a\",\"title\":\"A\",\"details\":[{\"operatorName\":\"bsonType\",\"specifiedAs\":{\"bsonType\":\"string\"},\"reason\":\"type did not match\",\"consideredValue\":1,\"consideredType\":\"int\"}]}]}"
            ),
            (
                "{\"additionalProperties\":false,\"properties\":{\"a\":{}}}", "{\"a\":1,\"b\":2}",
                "{\"operatorName\":\"additionalProperties\",\"specifiedAs\":{\"additionalProperties\":false},\"additionalProperties\":[\"b\"]}"
            ),
            (
                "{\"additionalProperties\":{\"minimum\":5}}", "{\"a\":1}",
                "{\"operatorName\":\"additionalProperties\",\"reason\":\"at least one additional property did not match the subschema\",\"failingProperty\":\"a\",\"details\":[{\"operatorName\":\"minimum\",\"specifiedAs\":{\"minimum\":5},\"reason\":\"comparison failed\",\"consideredValue\":1}]}"
            ),
            (
                "{\"patternProperties\":{\"^a\":{\"maximum\":5,\"exclusiveMaximum\":true}}}", "{\"ab\":5}",
                "{\"operatorName\":\"patternProperties\",\"details\":[{\"propertyName\":\"ab\",\"regexMatched\":\"^a\",\"details\":[{\"operatorName\":\"maximum\",\"specifiedAs\":{\"maximum\":5,\"exclusiveMaximum\":true},\"reason\":\"comparison failed\",\"consideredValue\":5}]}]}"
            ),
            (
                "{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{\"a\":1,\"b\":1}",
                "{\"operatorName\":\"oneOf\",\"reason\":\"more than one subschema matched\",\"matchingSchemaIndexes\":[0,1]}"
            ),
            (
                "{\"anyOf\":[{\"required\":[\"a\"]}]}", "{}",
                "{\"operatorName\":\"anyOf\",\"schemasNotSatisfied\":[{\"index\":0,\"details\":[{\"operatorName\":\"required\",\"specifiedAs\":{\"required\":[\"a\"]},\"missingProperties\":[\"a\"]}]}]}"
            ),
            ("{\"not\":{}}", "{}", "{\"operatorName\":\"not\",\"reason\":\"child expression matched\"}"),
            (
                "{\"minProperties\":1}", "{}",
                "{\"operatorName\":\"minProperties\",\"specifiedAs\":{\"minProperties\":1},\"reason\":\"specified number of properties was not satisfied\",\"consideredValue\":{},\"numberOfProperties\":0}"
            ),
            (
                "{\"dependencies\":{\"a\":[\"b\"]}}", "{\"a\":1}",
                "{\"operatorName\":\"dependencies\",\"failingDependencies\":[{\"conditionalProperty\":\"a\",\"missingProperties\":[\"b\"]}]}"
            ),
        ])
    func explained(schema: String, document: String, expected: String) throws {
        let schema = try JSONSchema(doc(schema))
        let document = doc(document)
        #expect(!schema.accepts(document))
        #expect(schema.failures(document) == [.document(doc(expected))])
    }

    @Test(
        "arrays are explained by item",
        arguments: [
            (
                "{\"items\":{\"minimum\":2}}", "[3,1]",
                "{\"operatorName\":\"items\",\"reason\":\"At least one item did not match the sub-schema\",\"itemIndex\":1,\"details\":[{\"operatorName\":\"minimum\",\"specifiedAs\":{\"minimum\":2},\"reason\":\"comparison failed\",\"consideredValue\":1}]}"
            ),
            (
                "{\"items\":[{\"minimum\":2}],\"additionalItems\":false}", "[3,1]",
                "{\"operatorName\":\"additionalItems\",\"specifiedAs\":{\"additionalItems\":false},\"reason\":\"found additional items\",\"additionalItems\":[1]}"
            ),
            (
                "{\"uniqueItems\":true}", "[3,1,3.0]",
                "{\"operatorName\":\"uniqueItems\",\"specifiedAs\":{\"uniqueItems\":true},\"reason\":\"found a duplicate item\",\"consideredValue\":[3,1,3.0],\"duplicatedValue\":3.0}"
            ),
            (
                "{\"minItems\":4}", "[3]",
                "{\"operatorName\":\"minItems\",\"specifiedAs\":{\"minItems\":4},\"reason\":\"array did not match specified length\",\"consideredValue\":[3],\"numberOfItems\":1}"
            ),
        ])
    func arraysExplained(schema: String, array: String, expected: String) throws {
        let schema = try JSONSchema(doc(schema))
        let array = value(array)
        #expect(!schema.accepts(array))
        #expect(schema.failures(array) == [.document(doc(expected))])
    }

    @Test("more required fields than fit in a word are all required")
    func manyRequired() throws {
        let names = (0..<70).map { "f\($0)" }
        let schema = try JSONSchema([
            "required": .array(names.map { .string($0) }), "properties": ["f0": ["bsonType": "int"]],
        ])
        #expect(schema.accepts(Document(names.map { ($0, 1) })))
        #expect(!schema.accepts(Document(names.dropLast().map { ($0, 1) })))
        #expect(!schema.accepts(Document(names.map { ($0, "x") })))
    }

    @Test("pass or fail and explanation agree on random documents")
    func agreement() throws {
        let schemas = [
            "{\"required\":[\"a\"],\"properties\":{\"a\":{\"bsonType\":[\"int\",\"string\"]},\"b\":{\"minimum\":0}}}",
            "{\"anyOf\":[{\"required\":[\"a\"]},{\"maxProperties\":1}],\"not\":{\"required\":[\"c\"]}}",
            "{\"additionalProperties\":{\"type\":\"number\"},\"properties\":{\"a\":{\"items\":{\"type\":\"number\"},\"uniqueItems\":true}}}",
            "{\"dependencies\":{\"a\":[\"b\"],\"b\":{\"minProperties\":3}},\"patternProperties\":{\"^[ab]\":{\"enum\":[1,\"a\",null]}}}",
        ]
        let seed: UInt64 = .random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        for schema in try schemas.map({ try JSONSchema(doc($0)) }) {
            for _ in 0..<300 {
                let document = randomDocument(&random)
                let failures = schema.failures(document)
                #expect(schema.accepts(document) == failures.isEmpty, "seed \(seed): \(document)")
            }
        }
    }
}

@Suite struct FilterExplanationTests {
    private func details(_ filter: String, _ document: String) throws -> Document {
        let expression = try FilterParser.parse(doc(filter))
        let document = doc(document)
        #expect(!expression.accepts(document))
        return FilterExplanation(isFull: true).details(expression, document.view)
    }

    @Test(
        "validators written as queries are explained by clause",
        arguments: [
            (
                "{\"a\":{\"$gt\":5}}", "{\"a\":3}",
                "{\"operatorName\":\"$gt\",\"specifiedAs\":{\"a\":{\"$gt\":5}},\"reason\":\"comparison failed\",\"consideredValue\":3}"
            ),
            (
                "{\"a\":{\"$gt\":5}}", "{}",
                "{\"operatorName\":\"$gt\",\"specifiedAs\":{\"a\":{\"$gt\":5}},\"reason\":\"field was missing\"}"
            ),
            (
                "{\"a\":{\"$ne\":5}}", "{\"a\":[5,6]}",
                "{\"operatorName\":\"$ne\",\"specifiedAs\":{\"a\":{\"$ne\":5}},\"reason\":\"comparison succeeded\",\"consideredValues\":[5,6,[5,6]]}"
            ),
            (
                "{\"a\":{\"$exists\":true}}", "{}",
                "{\"operatorName\":\"$exists\",\"specifiedAs\":{\"a\":{\"$exists\":true}},\"reason\":\"path does not exist\"}"
            ),
            (
                "{\"a\":{\"$mod\":[2,0]}}", "{\"a\":\"x\"}",
                "{\"operatorName\":\"$mod\",\"specifiedAs\":{\"a\":{\"$mod\":[2,0]}},\"reason\":\"type did not match\",\"consideredValue\":\"x\",\"consideredType\":\"string\",\"expectedTypes\":[\"decimal\",\"double\",\"int\",\"long\"]}"
            ),
            (
                "{\"a\":1,\"b\":{\"$in\":[1]}}", "{\"a\":1,\"b\":2}",
                "{\"operatorName\":\"$and\",\"clausesNotSatisfied\":[{\"index\":1,\"details\":{\"operatorName\":\"$in\",\"specifiedAs\":{\"b\":{\"$in\":[1]}},\"reason\":\"no matching value found in array\",\"consideredValue\":2}}]}"
            ),
            (
                "{\"$nor\":[{\"a\":{\"$lt\":5}}]}", "{\"a\":1}",
                "{\"operatorName\":\"$nor\",\"clausesSatisfied\":[{\"index\":0,\"details\":{\"operatorName\":\"$lt\",\"specifiedAs\":{\"a\":{\"$lt\":5}},\"reason\":\"comparison succeeded\",\"consideredValue\":1}}]}"
            ),
            (
                "{\"a\":{\"$type\":\"number\"}}", "{\"a\":\"x\"}",
                "{\"operatorName\":\"$type\",\"specifiedAs\":{\"a\":{\"$type\":\"number\"}},\"reason\":\"type did not match\",\"consideredValue\":\"x\"}"
            ),
            (
                "{\"a\":{\"$elemMatch\":{\"$gt\":5}}}", "{\"a\":[1]}",
                "{\"operatorName\":\"$elemMatch\",\"specifiedAs\":{\"a\":{\"$elemMatch\":{\"$gt\":5}}},\"reason\":\"array did not satisfy the child predicate\",\"consideredValue\":[1]}"
            ),
            (
                "{\"$nor\":[{\"$jsonSchema\":{}}]}", "{}",
                "{\"operatorName\":\"$nor\",\"clausesSatisfied\":[{\"index\":0,\"details\":{\"operatorName\":\"$jsonSchema\",\"reason\":\"schema matched\"}}]}"
            ),
        ])
    func explained(filter: String, document: String, expected: String) throws {
        #expect(try details(filter, document) == doc(expected))
    }
}
