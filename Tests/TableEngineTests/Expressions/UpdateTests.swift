import Testing

@testable import TableEngine

private func update(
    _ item: Item, _ text: String, names: [String: String] = [:], values: [String: AttributeValue] = [:]
) throws -> Item {
    var expressions = try RequestExpressions(ExpressionCache(), names: names, values: values)
    let update = try expressions.update(text)
    try expressions.finish(possible: .update)
    return try #require(update).applied(to: item).storable()
}

private func refusal(_ item: Item, _ text: String, values: [String: AttributeValue] = [:]) -> String? {
    do {
        _ = try update(item, text, values: values)
        return nil
    } catch {
        return (error as? TableError)?.message ?? "\(error)"
    }
}

@Suite("Updates")
struct UpdateTests {
    @Test("SET writes values, sums and differences")
    func set() throws {
        let item: Item = ["stock": 5, "m": ["x": 1], "l": [1, 2, 3]]
        #expect(try update(item, "SET stock = stock - :one", values: [":one": 1])["stock"] == 4)
        #expect(
            try update(item, "SET fresh = :v, m.y = stock + :v", values: [":v": 2]) == [
                "stock": 5, "fresh": 2, "m": ["x": 1, "y": 7], "l": [1, 2, 3],
            ])
        #expect(try update(item, "set l[1] = :v", values: [":v": "b"])["l"] == [1, "b", 3])
    }

    @Test("every right-hand side reads the old item")
    func oldItem() throws {
        #expect(try update(["a": 1, "b": 2], "SET a = b, b = a") == ["a": 2, "b": 1])
        #expect(try update(["a": 1], "SET b = a REMOVE a") == ["b": 1])
    }

    @Test("a list position beyond the end appends")
    func appendByIndex() throws {
        let item: Item = ["l": [0]]
        #expect(
            try update(item, "SET l[9] = :b, l[7] = :a", values: [":a": "a", ":b": "b"])["l"] == [0, "a", "b"])
    }

    @Test("REMOVE takes away by the original positions")
    func remove() throws {
        let item: Item = ["l": [0, 1, 2, 3], "m": ["a": 1, "b": 2]]
        #expect(try update(item, "REMOVE l[1], l[2], m.a") == ["l": [0, 3], "m": ["b": 2]])
        #expect(try update(item, "REMOVE l[9], zzz, m.zzz") == item)
        #expect(try update(item, "SET l[3] = :v REMOVE l[0]", values: [":v": "x"])["l"] == [1, 2, "x"])
    }

    @Test("ADD adds numbers and joins sets, DELETE takes members away and an empty set vanishes")
    func addAndDelete() throws {
        let item: Item = ["n": 1, "s": .ss(["a", "b"])]
        #expect(
            try update(item, "ADD n :two, fresh :two", values: [":two": 2]) == [
                "n": 3, "fresh": 2, "s": .ss(["a", "b"]),
            ])
        #expect(try update(item, "ADD s :s", values: [":s": .ss(["c", "b"])])["s"] == .ss(["a", "b", "c"]))
        #expect(try update(item, "DELETE s :s", values: [":s": .ss(["a", "z"])])["s"] == .ss(["b"]))
        #expect(try update(item, "DELETE s :s", values: [":s": .ss(["a", "b"])]) == ["n": 1])
        #expect(try update(item, "DELETE zzz :s", values: [":s": .ss(["a"])]) == item)
    }

    @Test("if_not_exists and list_append")
    func functions() throws {
        let item: Item = ["n": 1, "l": [1]]
        #expect(try update(item, "SET c = if_not_exists(c, :zero) + :one", values: [":zero": 0, ":one": 1])["c"] == 1)
        #expect(try update(item, "SET n = if_not_exists(n, :zero) + :one", values: [":zero": 0, ":one": 1])["n"] == 2)
        #expect(try update(item, "SET l = list_append(l, :l)", values: [":l": [2]])["l"] == [1, 2])
        #expect(
            try update(item, "SET k = list_append(if_not_exists(k, :empty), :l)", values: [":empty": [], ":l": [2]])[
                "k"]
                == [2])
        #expect(try update(item, "SET x = if_not_exists(y, if_not_exists(z, n))")["x"] == 1)
    }

    @Test(
        "what is wrong with an update's text is told in the service's words",
        arguments: [
            ("", "The expression can not be empty;"),
            ("SET a = :v, SET b = :v", "Syntax error; token: \"b\", near: \"SET b =\""),
            ("SET a = :v SET b = :v", "The \"SET\" section can only be used once in an update expression;"),
            (
                "SET a.b = :v, a = :v",
                "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]"
            ),
            (
                "SET a.b = :v REMOVE a[1]",
                "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [1]]"
            ),
            ("SET size = :v", "Attribute name is a reserved keyword; reserved keyword: size"),
            ("SET a = :zzz", "An expression attribute value used in expression is not defined; attribute value: :zzz"),
            (
                "SET a = :zzz, #b = :v",
                "An expression attribute name used in the document path is not defined; attribute name: #b"
            ),
            ("SET a = f(b)", "Invalid function name; function: f"),
            (
                "SET a = if_not_exists(:v)",
                "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"
            ),
            (
                "SET a = if_not_exists(:v, :v)",
                "Operator or function requires a document path; operator or function: if_not_exists"
            ),
            (
                "SET a = b + :s",
                "Incorrect operand type for operator or function; operator or function: +, operand type: S"
            ),
            (
                "SET a = list_append(a, :s)",
                "Incorrect operand type for operator or function; operator or function: list_append, operand type: S"
            ),
            ("ADD a :s", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
            ("DELETE a :v", "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER"),
            ("SET a", "Syntax error; token: \"<EOF>\", near: \"a\""),
            ("PUT a = :v", "Syntax error; token: \"PUT\", near: \"PUT a\""),
        ])
    func refusals(text: String, message: String) {
        #expect(refusal(["b": 1], text, values: [":v": 1, ":s": "s"]) == "Invalid UpdateExpression: " + message)
    }

    @Test(
        "what the item makes impossible is told in the service's words",
        arguments: [
            ("SET a = zzz", "The provided expression refers to an attribute that does not exist in the item"),
            ("SET a = s + :one", "An operand in the update expression has an incorrect data type"),
            ("SET a = list_append(s, l)", "An operand in the update expression has an incorrect data type"),
            ("SET zzz.b = :one", "The document path provided in the update expression is invalid for update"),
            ("SET s.b = :one", "The document path provided in the update expression is invalid for update"),
            ("SET l[0].b = :one", "The document path provided in the update expression is invalid for update"),
            ("REMOVE zzz.b", "The document path provided in the update expression is invalid for update"),
            ("ADD s :one", "An operand in the update expression has an incorrect data type"),
            ("ADD huge :one", "Attempting to store more than 38 significant digits in a Number"),
        ])
    func itemRefusals(text: String, message: String) throws {
        let item: Item = ["s": "text", "l": [1], "huge": try .number("1e100")]
        #expect(refusal(item, text, values: text.contains(":one") ? [":one": 1] : [:]) == message)
    }
}

@Suite("Projections")
struct ProjectionTests {
    static let item: Item = ["a": 1, "m": ["x": ["y": 2], "z": 3], "l": [["a": 1, "b": 2, "c": 3], 5, 6]]

    private func project(_ text: String, names: [String: String] = [:]) throws -> Item {
        var expressions = try RequestExpressions(ExpressionCache(), names: names, values: [:])
        let projection = try expressions.projection(text)
        return try #require(projection).applied(to: Self.item)
    }

    @Test("parts of an item come in their place")
    func parts() throws {
        #expect(try project("a, zzz") == ["a": 1])
        #expect(try project("m.x.y") == ["m": ["x": ["y": 2]]])
        #expect(try project("#m.z", names: ["#m": "m"]) == ["m": ["z": 3]])
        #expect(try project("a.b.c") == [:])
    }

    @Test("parts of a list come in ascending order without gaps, and parts of one element together")
    func listParts() throws {
        #expect(try project("l[2], l[0]") == ["l": [["a": 1, "b": 2, "c": 3], 6]])
        #expect(try project("l[0].a, l[0].b") == ["l": [["a": 1, "b": 2]]])
    }

    @Test("paths that overlap are refused even if nothing matches")
    func overlap() {
        #expect(
            throws: TableError(
                .validation,
                "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of "
                    + "these paths; path one: [q], path two: [q, r]")
        ) { try project("q, q.r") }
    }
}
