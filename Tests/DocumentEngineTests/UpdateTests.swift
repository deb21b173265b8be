import Testing

@testable import DocumentEngine

@Suite struct UpdateTests {
    private func apply(_ update: String, to document: String) throws -> Document {
        try UpdateExpression(operators: doc(update)).apply(to: doc(document), now: StorageInstant(milliseconds: 5))
    }

    @Test(
        "operators change a document",
        arguments: [
            ("{\"$set\":{\"a\":1}}", "{}", "{\"a\":1}"),
            ("{\"$set\":{\"b\":1,\"a\":2}}", "{\"z\":0}", "{\"z\":0,\"a\":2,\"b\":1}"),
            ("{\"$set\":{\"a.b.c\":1}}", "{\"a\":{\"x\":0}}", "{\"a\":{\"x\":0,\"b\":{\"c\":1}}}"),
            ("{\"$set\":{\"a.1\":9}}", "{\"a\":[1,2]}", "{\"a\":[1,9]}"),
            ("{\"$set\":{\"a.3\":9}}", "{\"a\":[1]}", "{\"a\":[1,null,null,9]}"),
            ("{\"$unset\":{\"a\":\"\",\"x.y\":\"\"}}", "{\"a\":1,\"b\":2}", "{\"b\":2}"),
            ("{\"$unset\":{\"a.0\":\"\"}}", "{\"a\":[1,2]}", "{\"a\":[null,2]}"),
            ("{\"$inc\":{\"a\":2}}", "{\"a\":1}", "{\"a\":3}"), ("{\"$inc\":{\"a\":2}}", "{}", "{\"a\":2}"),
            ("{\"$inc\":{\"a\":1}}", "{\"a\":2147483647}", "{\"a\":2147483648}"),
            ("{\"$inc\":{\"a\":0.5}}", "{\"a\":1}", "{\"a\":1.5}"),
            ("{\"$inc\":{\"a\":{\"$numberDecimal\":\"0.1\"}}}", "{\"a\":1}", "{\"a\":{\"$numberDecimal\":\"1.1\"}}"),
            ("{\"$mul\":{\"a\":3}}", "{\"a\":2}", "{\"a\":6}"), ("{\"$mul\":{\"a\":3.0}}", "{}", "{\"a\":0.0}"),
            ("{\"$min\":{\"a\":1}}", "{\"a\":2}", "{\"a\":1}"), ("{\"$max\":{\"a\":1}}", "{\"a\":2}", "{\"a\":2}"),
            ("{\"$max\":{\"a\":\"x\"}}", "{\"a\":2}", "{\"a\":\"x\"}"),
            ("{\"$rename\":{\"a\":\"b.c\"}}", "{\"a\":1,\"z\":2}", "{\"z\":2,\"b\":{\"c\":1}}"),
            ("{\"$rename\":{\"q\":\"b\"}}", "{\"a\":1}", "{\"a\":1}"),
            ("{\"$currentDate\":{\"a\":true}}", "{}", "{\"a\":{\"$date\":{\"$numberLong\":\"5\"}}}"),
            ("{\"$push\":{\"a\":1}}", "{}", "{\"a\":[1]}"), ("{\"$push\":{\"a\":1}}", "{\"a\":[1]}", "{\"a\":[1,1]}"),
            ("{\"$push\":{\"a\":{\"$each\":[5,3],\"$position\":0}}}", "{\"a\":[1]}", "{\"a\":[5,3,1]}"),
            ("{\"$push\":{\"a\":{\"$each\":[5,3],\"$sort\":1,\"$slice\":-2}}}", "{\"a\":[4]}", "{\"a\":[4,5]}"),
            (
                "{\"$push\":{\"a\":{\"$each\":[{\"s\":2}],\"$sort\":{\"s\":-1}}}}", "{\"a\":[{\"s\":1},{\"s\":3}]}",
                "{\"a\":[{\"s\":3},{\"s\":2},{\"s\":1}]}"
            ),
            ("{\"$push\":{\"a\":{\"$each\":[9],\"$position\":-1}}}", "{\"a\":[1,2]}", "{\"a\":[1,9,2]}"),
            ("{\"$addToSet\":{\"a\":1}}", "{\"a\":[1.0]}", "{\"a\":[1.0]}"),
            ("{\"$addToSet\":{\"a\":{\"$each\":[1,2,2]}}}", "{\"a\":[1]}", "{\"a\":[1,2]}"),
            (
                "{\"$addToSet\":{\"a\":{\"x\":1,\"y\":2}}}", "{\"a\":[{\"y\":2,\"x\":1}]}",
                "{\"a\":[{\"y\":2,\"x\":1},{\"x\":1,\"y\":2}]}"
            ),
            ("{\"$pop\":{\"a\":1}}", "{\"a\":[1,2]}", "{\"a\":[1]}"),
            ("{\"$pop\":{\"a\":-1}}", "{\"a\":[1,2]}", "{\"a\":[2]}"),
            ("{\"$pull\":{\"a\":{\"$gte\":2}}}", "{\"a\":[1,2,3]}", "{\"a\":[1]}"),
            ("{\"$pull\":{\"a\":1}}", "{\"a\":[1,2,1.0]}", "{\"a\":[2]}"),
            ("{\"$pull\":{\"a\":{\"b\":1}}}", "{\"a\":[{\"b\":1,\"c\":1},{\"b\":2}]}", "{\"a\":[{\"b\":2}]}"),
            ("{\"$pullAll\":{\"a\":[1,2]}}", "{\"a\":[1,3,2]}", "{\"a\":[3]}"),
            ("{\"$setOnInsert\":{\"a\":1}}", "{\"b\":1}", "{\"b\":1}"),
            ("{\"$set\":{\"_id\":1.0}}", "{\"_id\":1}", "{\"_id\":1.0}"), ("{\"$set\":{}}", "{\"a\":1}", "{\"a\":1}"),
        ])
    func operators(update: String, document: String, expected: String) throws {
        #expect(try apply(update, to: document) == doc(expected))
    }

    @Test(
        "bad updates are refused with the server's codes and texts",
        arguments: [
            (
                "{\"$set\":{\"a\":1},\"$inc\":{\"a\":1}}", "{}", 40,
                "Updating the path 'a' would create a conflict at 'a'"
            ),
            ("{\"$set\":{\"a\":1,\"a.b\":1}}", "{}", 40, "Updating the path 'a.b' would create a conflict at 'a'"),
            (
                "{\"$set\":{\"b\":1},\"$rename\":{\"a\":\"b\"}}", "{}", 40,
                "Updating the path 'b' would create a conflict at 'b'"
            ),
            (
                "{\"$set\":{\"_id\":2}}", "{\"_id\":1}", 66,
                "Performing an update on the path '_id' would modify the immutable field '_id'"
            ),
            (
                "{\"$unset\":{\"_id\":1}}", "{\"_id\":1}", 66,
                "Performing an update on the path '_id' would modify the immutable field '_id'"
            ),
            ("{\"$set\":{\"a.b\":1}}", "{\"a\":5}", 28, "Cannot create field 'b' in element {a: 5}"),
            ("{\"$set\":{\"a.b\":1}}", "{\"a\":[1]}", 28, "Cannot create field 'b' in element {a: [ 1 ]}"),
            ("{\"$inc\":{\"a\":\"x\"}}", "{}", 14, "Cannot increment with non-numeric argument: {a: \"x\"}"),
            (
                "{\"$inc\":{\"a\":1}}", "{\"_id\":7,\"a\":\"x\"}", 14,
                "Cannot apply $inc to a value of non-numeric type. {_id: 7} has the field 'a' of non-numeric type string"
            ),
            (
                "{\"$inc\":{\"a\":1}}", "{\"_id\":7,\"a\":{\"$numberLong\":\"9223372036854775807\"}}", 2,
                "Failed to apply $inc operations to current value ((NumberLong)9223372036854775807) for document {_id: 7}"
            ),
            (
                "{\"$push\":{\"a\":1}}", "{\"_id\":7,\"a\":1}", 2,
                "The field 'a' must be an array but is of type int in document {_id: 7}"
            ),
            (
                "{\"$addToSet\":{\"a\":1}}", "{\"a\":\"x\"}", 2,
                "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type string"
            ),
            ("{\"$pop\":{\"a\":2}}", "{}", 9, "$pop expects 1 or -1, found: 2"),
            ("{\"$pop\":{\"a\":1}}", "{\"a\":1}", 14, "Path 'a' contains an element of non-array type 'int'"),
            (
                "{\"$foo\":{\"a\":1}}", "{}", 9,
                "Unknown modifier: $foo. Expected a valid update modifier or pipeline-style update specified as an array"
            ),
            (
                "{\"$set\":5}", "{}", 9,
                "Modifiers operate on fields but we found type int instead. For example: {$mod: {<field>: ...}} not {$set: 5}"
            ),
            ("{\"$set\":{\"\":1}}", "{}", 56, "An empty update path is not valid."),
            (
                "{\"$set\":{\"a..b\":1}}", "{}", 56,
                "The update path 'a..b' contains an empty field name, which is not allowed."
            ),
            ("{\"a\":1}", "{}", 9, "the update operation document must contain atomic operators beginning with '$'"),
            (
                "{\"$push\":{\"a\":{\"$each\":1}}}", "{}", 2,
                "The argument to $each in $push must be an array but it was of type: int"
            ),
        ])
    func errors(update: String, document: String, code: Int, message: String) {
        let error = documentError { try apply(update, to: document) }
        #expect(error.code == code)
        #expect(error.message == message)
    }

    @Test("a replacement keeps _id, and refuses another one")
    func replacement() throws {
        let replacement = try UpdateExpression(replacement: ["b": 2])
        #expect(try replacement.apply(to: ["a": 1, "_id": 7], now: StorageInstant(seconds: 0)) == ["_id": 7, "b": 2])
        let other = try UpdateExpression(replacement: ["_id": 8])
        let error = documentError { try other.apply(to: ["_id": 7], now: StorageInstant(seconds: 0)) }
        #expect(error.code == 66)
        #expect(error.message.hasSuffix("was found to have been altered to _id: 8"))
        #expect(documentError { try UpdateExpression(replacement: ["$set": ["a": 1]]) }.code == 9)
    }

    @Test(
        "an upsert takes the fields that its filter equates",
        arguments: [
            ("{\"a\":1,\"b.c\":{\"$eq\":2},\"d\":{\"$gt\":3}}", "{\"a\":1,\"b\":{\"c\":2},\"e\":9}"),
            ("{\"$and\":[{\"a\":1},{\"_id\":5}]}", "{\"a\":1,\"_id\":5,\"e\":9}"),
            ("{\"a\":{\"$in\":[4]}}", "{\"a\":4,\"e\":9}"),
            ("{\"$or\":[{\"a\":1},{\"a\":2}]}", "{\"e\":9}"),
        ])
    func upsert(filter: String, expected: String) throws {
        let update = try UpdateExpression(operators: ["$setOnInsert": ["e": 9]])
        let document = try update.documentToInsert(
            for: FilterParser.parse(doc(filter)), now: StorageInstant(seconds: 0))
        #expect(document == doc(expected))
    }

    @Test("an upsert whose filter asks one path for two values is refused")
    func ambiguousUpsert() throws {
        let update = try UpdateExpression(operators: ["$set": ["e": 9]])
        let filter = try FilterParser.parse(["$and": [["a": 1], ["a": 2]]])
        #expect(documentError { try update.documentToInsert(for: filter, now: StorageInstant(seconds: 0)) }.code == 54)
    }
}
