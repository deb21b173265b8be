import Testing

@testable import TableEngine

@Suite("Key conditions")
struct KeyConditionTests {
    private func read(_ text: String, sortKey: String? = "sk") throws -> KeyCondition {
        let all: [String: AttributeValue] = [":p": "p", ":a": "a", ":b": "b"]
        let used = all.filter { text.contains($0.key) }
        var expressions = try RequestExpressions(ExpressionCache(), names: [:], values: used)
        let condition = try #require(try expressions.condition(text, kind: .keyCondition))
        return try KeyCondition(condition, partitionKey: "pk", sortKey: sortKey)
    }

    @Test(
        "an equality on the partition key and a range of the sort key, in any order and from either side",
        arguments: [
            "pk = :p AND sk < :a", "sk < :a AND pk = :p", ":p = pk AND :a > sk", "(pk = :p) AND (sk < :a)",
        ])
    func accepted(text: String) throws {
        let condition = try read(text)
        #expect(condition.partition == "p")
        guard case .compare(.less, "a")? = condition.sort else {
            Issue.record("\(text): \(String(describing: condition.sort))")
            return
        }
    }

    @Test("ranges and prefixes of the sort key")
    func ranges() throws {
        guard case .between("a", "b")? = try read("pk = :p AND sk BETWEEN :a AND :b").sort,
            case .beginsWith("a")? = try read("pk = :p AND begins_with(sk, :a)").sort
        else {
            Issue.record("another condition was read")
            return
        }
        if case .some = try read("pk = :p").sort { Issue.record("a condition on the sort key appeared") }
    }

    @Test(
        "anything else is refused in the service's words",
        arguments: [
            ("sk = :a", "Query condition missed key schema element: pk"),
            ("pk = :p AND extra = :a", "Query condition missed key schema element: sk"),
            ("pk > :p", "Query key condition not supported"),
            ("pk = :p AND sk = :a AND extra = :b", "Conditions can be of length 1 or 2 only"),
            ("pk = :p AND pk = :a", "KeyConditionExpressions must only contain one condition per key"),
            ("pk = :p OR sk = :a", "Invalid operator used in KeyConditionExpression: OR"),
            ("pk = :p AND NOT sk = :a", "Invalid operator used in KeyConditionExpression: NOT"),
            ("pk = :p AND sk <> :a", "Invalid operator used in KeyConditionExpression: <>"),
            ("pk = :p AND sk IN (:a)", "Invalid operator used in KeyConditionExpression: IN"),
            ("pk = :p AND attribute_exists(sk)", "Invalid operator used in KeyConditionExpression: attribute_exists"),
            ("pk = :p AND sk.x = :a", "KeyConditionExpressions cannot have conditions on nested attributes"),
            ("pk = :p AND size(sk) = :a", "KeyConditionExpressions cannot contain nested operations"),
            ("pk = sk", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
            (":p = :p", "Invalid condition in KeyConditionExpression: No key attribute specified"),
            ("", "Invalid KeyConditionExpression: The expression can not be empty;"),
        ])
    func refused(text: String, message: String) {
        #expect(throws: TableError(.validation, message)) { try read(text) }
    }
}
