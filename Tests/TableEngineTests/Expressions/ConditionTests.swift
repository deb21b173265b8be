import Testing

@testable import TableEngine

/// Compiles, binds and judges in one step, as a request does.
func isMet(
    _ text: String, by item: Item?, names: [String: String] = [:], values: [String: AttributeValue] = [:]
) throws -> Bool {
    var expressions = try RequestExpressions(ExpressionCache(), names: names, values: values)
    let condition = try expressions.condition(text)
    try expressions.finish(possible: .condition)
    return try #require(condition).isMet(by: item)
}

/// The message a condition is refused with, without the exception's name.
func refusal(
    _ text: String, names: [String: String] = [:], values: [String: AttributeValue] = [:]
) -> String? {
    do {
        _ = try isMet(text, by: [:], names: names, values: values)
        return nil
    } catch let error as TableError {
        return error.message
    } catch {
        return "\(error)"
    }
}

@Suite("Conditions")
struct ConditionTests {
    static let item: Item = [
        "a": 5, "s": "hello", "b": .b([1, 2, 3]), "flag": true, "none": .null, "tags": .ss(["red", "green"]),
        "numbers": .ns([1, 2]), "l": [1, "two", ["x": 9]], "m": ["n": ["o": "deep"]], "same": 5,
    ]
    static let values: [String: AttributeValue] = [
        ":five": 5, ":six": 6, ":one": 1, ":hell": "hell", ":ell": "ell", ":hello": "hello", ":red": "red",
        ":two": "two",
        ":x": "x", ":deep": "deep", ":N": "N", ":M": "M", ":SS": "SS", ":bytes": .b([2, 3]), ":map": ["x": 9],
        ":greenRed": .ss(["green", "red"]), ":head": .b([1, 2]),
    ]

    private func judge(_ text: String, by item: Item? = Self.item) throws -> Bool {
        let used = Self.values.filter { name, _ in
            text.split { !($0.isLetter || $0.isNumber || $0 == ":" || $0 == "_") }.contains { $0 == name }
        }
        return try isMet(text, by: item, values: used)
    }

    @Test(
        "a condition that holds is met",
        arguments: [
            "a = :five", "a <> :six", "a < :six", "a <= :five", "a >= :five", "a > :one", ":one < a", "a = same",
            "a BETWEEN :one AND :six", "a between :five and :five", "a IN (:six, :five)", "s in (:hello)",
            "attribute_exists(a)", "attribute_not_exists(zzz)", "attribute_exists(m.n.o)", "attribute_exists(l[2].x)",
            "attribute_not_exists(l[3])", "attribute_type(a, :N)", "attribute_type(m, :M)", "attribute_type(tags, :SS)",
            "begins_with(s, :hell)", "begins_with(b, :head)", "contains(s, :ell)", "contains(tags, :red)",
            "contains(numbers, :one)", "contains(l, :two)", "contains(l, :map)", "contains(b, :bytes)",
            "size(s) = :five", "size(tags) < :five", "size(l) > size(tags)", "m.n.o = :deep", "tags = :greenRed",
            "NOT a = :six", "not attribute_exists(zzz) AND a = :five", "a = :six OR a = :five",
            "a = :five OR a = :six AND a = :six", "(a = :six OR a = :five) AND s = :hello", "NOT (a = :six)",
            "(a) = :five", "zzz <> :five", "a <> :hello", "(attribute_exists(a))", "NOT NOT a = :five",
        ])
    func met(text: String) throws {
        #expect(try judge(text))
    }

    @Test(
        "a condition that does not hold is not met",
        arguments: [
            "a = :six", "a = :hello", "zzz = :five", "zzz < :five", "a < :hello", "a BETWEEN :six AND :six",
            "zzz BETWEEN :one AND :six", "a IN (:six, :one)", "zzz IN (:five)", "attribute_exists(zzz)",
            "attribute_exists(s.x)",
            "attribute_type(a, :SS)", "attribute_type(zzz, :N)", "begins_with(s, :ell)", "begins_with(a, :hell)",
            "contains(s, :x)", "contains(a, :five)", "size(a) = :five", "size(zzz) < :five", "NOT a = :five",
            "a = :six AND a = :five OR s = :x", "a = zzz", "zzz = yyy",
        ])
    func notMet(text: String) throws {
        #expect(try !judge(text))
    }

    @Test("an absent item has no attributes")
    func absentItem() throws {
        #expect(try judge("attribute_not_exists(a)", by: nil))
        #expect(try !judge("a = :five", by: nil))
    }

    @Test("names behind placeholders may be anything, reserved words too")
    func namePlaceholders() throws {
        let item: Item = ["status": "OPEN", "a.b": ["size": 1]]
        #expect(try isMet("#s = :v", by: item, names: ["#s": "status"], values: [":v": "OPEN"]))
        #expect(try isMet("#p.#q = :v", by: item, names: ["#p": "a.b", "#q": "size"], values: [":v": 1]))
    }

    @Test(
        "what is wrong with an expression's text is told in the service's words",
        arguments: [
            ("", "The expression can not be empty;"),
            ("!!", "Syntax error; token: \"!\", near: \"!!\""),
            ("a = ", "Syntax error; token: \"<EOF>\", near: \"= \""),
            ("a b", "Syntax error; token: \"b\", near: \"a b\""),
            ("a = :v = b", "Syntax error; token: \"=\", near: \":v = b\""),
            ("a", "Syntax error; token: \"<EOF>\", near: \"a\""),
            ("a[b]", "Syntax error; token: \"b\", near: \"[b]\""),
            ("status = :v", "Attribute name is a reserved keyword; reserved keyword: status"),
            ("a.status = :v", "Attribute name is a reserved keyword; reserved keyword: status"),
            ("((a = :v))", "The expression has redundant parentheses;"),
            ("((a)) = :v", "The expression has redundant parentheses;"),
            ("f(a)", "Invalid function name; function: f"),
            ("Attribute_exists(a)", "Invalid function name; function: Attribute_exists"),
            ("size(a)", "The function is not allowed to be used this way in an expression; function: size"),
            (
                "begins_with(a, :v) = :v",
                "The function is not allowed to be used this way in an expression; function: begins_with"
            ),
            (
                "a = :undefined",
                "An expression attribute value used in expression is not defined; attribute value: :undefined"
            ),
            (
                "#undefined = :v",
                "An expression attribute name used in the document path is not defined; attribute name: #undefined"
            ),
            (
                "attribute_exists(a, b)",
                "Incorrect number of operands for operator or function; operator or function: attribute_exists, "
                    + "number of operands: 2"
            ),
            (
                "begins_with(a, :v)",
                "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"
            ),
            (
                "size(:v) = :v",
                "Incorrect operand type for operator or function; operator or function: size, operand type: N"
            ),
            (
                "attribute_exists(:v)",
                "Operator or function requires a document path; operator or function: attribute_exists"
            ),
            (
                "attribute_type(a, :s)",
                "Invalid attribute type name found; type: zzz, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"
            ),
            (
                "a = a",
                "The first operand must be distinct from the remaining operands for this operator or function; operator: =, "
                    + "first operand: [a]"
            ),
            (
                "a BETWEEN :v AND :s",
                "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: "
                    + "AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:zzz}"
            ),
            (
                "a BETWEEN :v AND :zero",
                "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: "
                    + "AttributeValue: {N:1}, upper bound operand: AttributeValue: {N:0}"
            ),
        ])
    func refusals(text: String, message: String) {
        let values: [String: AttributeValue] = [":v": 1, ":s": "zzz", ":zero": 0]
        #expect(refusal(text, values: values) == "Invalid ConditionExpression: " + message)
    }

    @Test(
        "parentheses around parts of a condition are not redundant",
        arguments: [
            "(a = :v) AND (a = :v)", "((a = :v) AND a = :v)", "(a = :v AND (a = :v OR a = :v))",
        ])
    func parentheses(text: String) {
        #expect(refusal(text, values: [":v": 1]) == nil)
    }

    @Test("names and values that no expression uses are refused")
    func unused() {
        #expect(
            refusal("a = :v", names: ["#b": "b", "#a": "a"], values: [":v": 1])
                == "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}")
        #expect(
            refusal("a = :v", values: [":v": 1, ":w": 2])
                == "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}")
        #expect(
            refusal("#a = :v", names: ["#a": "a", "a": "b"], values: [":v": 1])
                == "ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"")
        #expect(
            refusal("a = :v", values: [":v": 1, "b": 2])
                == "ExpressionAttributeValues contains invalid key: Syntax error; key: \"b\"")
        #expect(
            refusal("a = :v", values: [":v": .ss([])])
                == "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: "
                + "An string set  may not be empty for key :v")
    }

    @Test("values without any expression are refused")
    func valuesWithoutExpression() throws {
        let expressions = try RequestExpressions(ExpressionCache(), names: [:], values: [":v": 1])
        #expect(
            throws: TableError(
                .validation,
                "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null")
        ) { try expressions.finish(possible: .condition) }
    }

    @Test("an expression beyond 4 KB, a path beyond 32 levels, and a nest without end are refused")
    func limits() {
        let long = String(repeating: "a", count: 4097)
        #expect(
            refusal(long)
                == "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; "
                + "expression size: 4097")
        let deep = (0..<33).map { "a\($0)" }.joined(separator: ".")
        #expect(
            refusal("attribute_exists(\(deep))")
                == "Invalid ConditionExpression: The document path has too many nesting elements; nesting levels: 33")
        for nest in [
            String(repeating: "(", count: 4000), String(repeating: "NOT ", count: 1000),
            String(repeating: "f(", count: 2000),
        ] {
            #expect(refusal(nest)?.hasPrefix("Invalid ConditionExpression: Syntax error") == true)
        }
    }

    @Test("573 words are reserved, whatever their case")
    func reservedWords() {
        #expect(ReservedWords.all.count == 573)
        #expect(ReservedWords.contains("Status") && ReservedWords.contains("ZONE") && ReservedWords.contains("abort"))
        #expect(!ReservedWords.contains("stock"))
    }
}
