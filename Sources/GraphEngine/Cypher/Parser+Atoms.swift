// Parser+Atoms.swift — literals, variables, calls and everything else that needs no operator.

extension Parser {
    private static let updateKeywords: Set = ["CREATE", "DELETE", "DETACH", "MERGE", "REMOVE", "SET"]

    mutating func atom() throws -> Expression {
        switch token.kind {
        case .integer: return .literal(try integerLiteral(isNegative: false))
        case .float: return .literal(try floatLiteral())
        case .string:
            defer { advance() }
            return .literal(.string(token.text))
        case .parameter:
            defer { advance() }
            return .parameter(token.text)
        case .symbol: return try symbolAtom()
        case .name: return try keywordAtom() ?? nameAtom()
        case .quotedName: return try nameAtom()
        case .end:
            missed("an expression")
            throw unexpected()
        }
    }

    private mutating func symbolAtom() throws -> Expression {
        switch token.text {
        case "(":
            if startsPattern(), let query = attempt({ try $0.patternPredicate() }) { return .exists(query) }
            advance()
            let inner = try expression()
            try expect(")")
            return inner
        case "[": return try listAtom()
        case "{": return try mapLiteral()
        default:
            missed("an expression")
            throw unexpected()
        }
    }

    private mutating func patternPredicate() throws -> PatternQuery {
        let start = position
        return PatternQuery(parts: [try patternPart()], predicate: nil, position: start, isBare: true)
    }

    private mutating func keywordAtom() throws -> Expression? {
        switch token.keyword {
        case "TRUE": return literal(true)
        case "FALSE": return literal(false)
        case "NULL": return literal(.null)
        case "CASE": return try caseExpression()
        case "EXISTS" where isSymbol("{", ahead: 1): return .exists(try braceQuery())
        case "COUNT" where isSymbol("{", ahead: 1): return .countMatches(try braceQuery())
        case "ALL", "ANY", "NONE", "SINGLE":
            return isSymbol("(", ahead: 1) && isName(ahead: 2) && isKeyword("IN", ahead: 3) ? try quantifier() : nil
        case "REDUCE" where isSymbol("(", ahead: 1): return try reduction()
        default: return nil
        }
    }

    private mutating func literal(_ value: GraphValue) -> Expression {
        advance()
        return .literal(value)
    }

    // MARK: - Numbers

    mutating func integerLiteral(isNegative: Bool) throws -> GraphValue {
        let text = token.text
        let lower = text.lowercased()
        let (digits, radix) =
            lower.hasPrefix("0x")
            ? (lower.dropFirst(2), 16) : lower.hasPrefix("0o") ? (lower.dropFirst(2), 8) : (lower[...], 10)
        let isWellFormed = !digits.isEmpty && digits.allSatisfy { ($0.hexDigitValue ?? 99) < radix }
        guard isWellFormed else {
            throw CypherError.syntax("InvalidNumberLiteral", "Invalid number literal '\(text)'", at: position)
        }
        guard let value = Int64((isNegative ? "-" : "") + digits, radix: radix) else {
            throw CypherError.syntax("IntegerOverflow", "integer, \(text), is too large", at: position)
        }
        advance()
        return .integer(value)
    }

    private mutating func floatLiteral() throws -> GraphValue {
        guard let value = Double(token.text) else {
            throw CypherError.syntax("InvalidNumberLiteral", "Invalid number literal '\(token.text)'", at: position)
        }
        guard value.isFinite else {
            throw CypherError.syntax(
                "FloatingPointOverflow", "floating point number is too large", at: position)
        }
        advance()
        return .float(value)
    }

    // MARK: - Lists and maps

    private mutating func listAtom() throws -> Expression {
        if isName(ahead: 1), isKeyword("IN", ahead: 2) { return try listComprehension() }
        if let comprehension = attempt({ try $0.patternComprehension() }) { return comprehension }
        try expect("[")
        var elements: [Expression] = []
        if !isSymbol("]") { elements = try commaSeparated { try $0.expression() } }
        try expect("]")
        return .list(elements)
    }

    private mutating func listComprehension() throws -> Expression {
        try expect("[")
        let variable = LocalVariable(name: try name("a variable name"))
        try expect(keyword: "IN")
        let list = try expression()
        let predicate = accept(keyword: "WHERE") ? try expression() : nil
        let projection = accept("|") ? try expression() : nil
        try expect("]")
        return .comprehension(
            ListComprehension(variable: variable, list: list, predicate: predicate, projection: projection))
    }

    private mutating func patternComprehension() throws -> Expression {
        try expect("[")
        let isNamed = isName() && isSymbol("=", ahead: 1)
        guard isNamed || startsPattern() else { throw unexpected() }
        let start = position
        let part = try patternPart()
        guard !part.hops.isEmpty else { throw unexpected() }
        let predicate = accept(keyword: "WHERE") ? try expression() : nil
        try expect("|")
        let projection = try expression()
        try expect("]")
        return .patternComprehension(
            PatternQuery(parts: [part], predicate: predicate, position: start), projection: projection)
    }

    mutating func mapLiteral() throws -> Expression {
        try expect("{")
        var entries: [(key: String, value: Expression)] = []
        if !isSymbol("}") {
            entries = try commaSeparated { parser in
                let key = try parser.name("a property key name")
                try parser.expect(":")
                return (key, try parser.expression())
            }
        }
        try expect("}")
        return .map(entries)
    }

    // MARK: - Keyword expressions

    private mutating func caseExpression() throws -> Expression {
        advance()
        var expression = CaseExpression(subject: nil, branches: [], otherwise: nil)
        if !isKeyword("WHEN") { expression.subject = try self.expression() }
        while accept(keyword: "WHEN") {
            let when = try self.expression()
            try expect(keyword: "THEN")
            expression.branches.append((when, try self.expression()))
        }
        guard !expression.branches.isEmpty else { throw unexpected() }
        if accept(keyword: "ELSE") { expression.otherwise = try self.expression() }
        try expect(keyword: "END")
        return .conditional(expression)
    }

    /// `{ [MATCH] pattern [WHERE predicate] [RETURN …] }`: what is returned does not matter.
    private mutating func braceQuery() throws -> PatternQuery {
        let start = position
        advance()
        try expect("{")
        _ = accept(keyword: "MATCH")
        let parts = try patternParts()
        let predicate = accept(keyword: "WHERE") ? try expression() : nil
        if isKeyword("RETURN") { _ = try clause() }
        if Self.updateKeywords.contains(token.keyword) {
            throw CypherError.syntax(
                "InvalidClauseComposition", "An Exists Expression cannot contain any updates", at: position)
        }
        try expect("}")
        return PatternQuery(parts: parts, predicate: predicate, position: start)
    }

    private mutating func quantifier() throws -> Expression {
        guard let kind = Quantifier.Kind(rawValue: token.text.lowercased()) else { throw unexpected() }
        advance()
        try expect("(")
        let variable = LocalVariable(name: try name("a variable name"))
        try expect(keyword: "IN")
        let list = try expression()
        try expect(keyword: "WHERE")
        let predicate = try expression()
        try expect(")")
        return .quantifier(Quantifier(kind: kind, variable: variable, list: list, predicate: predicate))
    }

    private mutating func reduction() throws -> Expression {
        advance()
        try expect("(")
        let accumulator = LocalVariable(name: try name("a variable name"))
        try expect("=")
        let initial = try expression()
        try expect(",")
        let variable = LocalVariable(name: try name("a variable name"))
        try expect(keyword: "IN")
        let list = try expression()
        try expect("|")
        let body = try expression()
        try expect(")")
        return .reduce(
            Reduction(accumulator: accumulator, initial: initial, variable: variable, list: list, expression: body))
    }

    // MARK: - Variables and calls

    private mutating func nameAtom() throws -> Expression {
        let start = position
        if let name = calledName() { return try call(name, at: start) }
        return .variable(try name("an expression"), start)
    }

    /// Consumes `name` or `namespace.name` if a parenthesis follows.
    private mutating func calledName() -> String? {
        var parts = [token.text]
        var ahead = 1
        while isSymbol(".", ahead: ahead), isName(ahead: ahead + 1) {
            parts.append(token(ahead: ahead + 1).text)
            ahead += 2
        }
        guard isSymbol("(", ahead: ahead) else { return nil }
        index += ahead
        return parts.joined(separator: ".")
    }

    private mutating func call(_ name: String, at start: SourcePosition) throws -> Expression {
        try expect("(")
        let lowered = name.lowercased()
        let isDistinct = accept(keyword: "DISTINCT")
        if lowered == "count", accept("*") {
            try expect(")")
            return .aggregate(
                AggregateCall(
                    function: .count, argument: nil, secondArgument: nil, isDistinct: isDistinct, position: start))
        }
        var arguments: [Expression] = []
        if !isSymbol(")") { arguments = try commaSeparated { try $0.expression() } }
        try expect(")")
        guard let function = AggregateCall.Function(rawValue: lowered) else {
            guard !isDistinct else {
                throw CypherError.syntax(
                    "UnexpectedSyntax", "Invalid use of DISTINCT with function '\(name)'", at: start)
            }
            return .function(FunctionCall(name: lowered, arguments: arguments, position: start))
        }
        return try aggregate(function, arguments, isDistinct: isDistinct, at: start)
    }

    private func aggregate(
        _ function: AggregateCall.Function, _ arguments: [Expression], isDistinct: Bool, at start: SourcePosition
    ) throws -> Expression {
        let isPercentile = function == .percentileCont || function == .percentileDisc
        guard arguments.count == (isPercentile ? 2 : 1) else {
            throw CypherError.syntax(
                "InvalidNumberOfArguments", "Insufficient parameters for function '\(function.rawValue)'", at: start)
        }
        return .aggregate(
            AggregateCall(
                function: function, argument: arguments[0], secondArgument: isPercentile ? arguments[1] : nil,
                isDistinct: isDistinct, position: start))
    }
}
