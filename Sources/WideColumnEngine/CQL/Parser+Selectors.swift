// Parser+Selectors.swift — the expressions of a SELECT list: columns, elements, fields, functions, arithmetic, literals.

extension Parser {
    /// `*` gives no selectors.
    mutating func selectors() throws -> [Selector] {
        if take(.asterisk) { return [] }
        return try commaSeparated { parser in
            let expression = try parser.nested { try $0.selectExpression() }
            let alias = parser.take("as") ? try parser.identifier() : nil
            return Selector(expression: expression, alias: alias)
        }
    }

    mutating func selectExpression() throws -> SelectExpression {
        let outer = operators
        defer { operators = outer }
        var left = try selectProduct()
        while true {
            try countOperator()
            if take(.plus) {
                left = .binary(.add, left, try selectProduct())
            } else if take(.minus) {
                left = .binary(.subtract, left, try selectProduct())
            } else if isAtNegativeNumber {
                // The lexer takes the sign for the number's.
                left = .binary(.add, left, try selectProduct())
            } else {
                return left
            }
        }
    }

    private var isAtNegativeNumber: Bool {
        switch current.kind {
        case .integer(let digits), .float(let digits): digits.hasPrefix("-")
        default: false
        }
    }

    private mutating func selectProduct() throws -> SelectExpression {
        let outer = operators
        defer { operators = outer }
        var left = try selectFactor()
        while true {
            let operation: ArithmeticOperator
            if take(.asterisk) {
                operation = .multiply
            } else if take(.slash) {
                operation = .divide
            } else if take(.percent) {
                operation = .remainder
            } else {
                return left
            }
            try countOperator()
            left = .binary(operation, left, try selectFactor())
        }
    }

    private mutating func selectFactor() throws -> SelectExpression {
        if isAt(.minus), !isAt("nan", 1), !isAt("infinity", 1) {
            advance()
            return .negation(try nested { try $0.selectFactor() })
        }
        var expression = try selectPrimary()
        while true {
            try countOperator()
            if take(.leftBracket) {
                expression = try elementOrSlice(of: expression)
            } else if take(.dot) {
                expression = .field(expression, try identifier())
            } else {
                return expression
            }
        }
    }

    /// After `[`: an element or a slice.
    private mutating func elementOrSlice(of base: SelectExpression) throws -> SelectExpression {
        let lower = isAt(.dots) ? nil : try term()
        if take(.rightBracket) {
            guard let lower else { throw noViableAlternative() }
            return .element(base, lower)
        }
        try expect(.dots)
        let upper = isAt(.rightBracket) ? nil : try term()
        try expect(.rightBracket)
        return .slice(base, from: lower, to: upper)
    }

    private mutating func selectPrimary() throws -> SelectExpression {
        if peek(1).kind == .symbol(.leftParenthesis), case .name(let name) = current.kind {
            if ReservedWord.all.contains(name), name != "token" { throw noViableAlternative() }
            advance()
            advance()
            return try call(name)
        }
        if let name = takeQuotedFunction() ?? takeQualifiedFunction() {
            return .call(name, try selectExpressions(until: .rightParenthesis))
        }
        if let constant = constant() { return .term(.constant(constant)) }
        switch current.kind {
        case .name, .quotedName: return .column(try identifier())
        case .symbol(.questionMark), .symbol(.colon): return .term(try marker())
        case .symbol(.leftBracket):
            advance()
            return .list(try selectExpressions(until: .rightBracket))
        case .symbol(.leftBrace):
            advance()
            return try selectSetOrMap()
        case .symbol(.leftParenthesis):
            advance()
            return try selectParenthesized()
        default: throw noViableAlternative()
        }
    }

    private var isLiteralAhead: Bool {
        switch current.kind {
        case .string, .integer, .float, .uuid, .blob, .duration: true
        case .name(let name): ["true", "false", "nan", "infinity"].contains(name)
        default: false
        }
    }

    private mutating func selectExpressions(until end: Token.Symbol) throws -> [SelectExpression] {
        if take(end) { return [] }
        let expressions = try commaSeparated { parser in try parser.nested { try $0.selectExpression() } }
        try expect(end)
        return expressions
    }

    private mutating func selectParenthesized() throws -> SelectExpression {
        if isTypeAhead, !isParenthesizedColumn {
            let type = try columnType()
            try expect(.rightParenthesis)
            return .typeHint(type, try nested { try $0.selectFactor() })
        }
        if isAt(.rightParenthesis) { throw noViableAlternative() }
        let expressions = try selectExpressions(until: .rightParenthesis)
        return expressions.count == 1 ? expressions[0] : .tuple(expressions)
    }

    /// `(name)` is a type hint only if the name is a type and something follows that it can be of.
    private var isParenthesizedColumn: Bool {
        guard peek(1).kind == .symbol(.rightParenthesis) else { return false }
        switch peek(2).kind {
        case .string, .integer, .float, .uuid, .blob, .duration, .quotedName: return false
        case .symbol(let symbol):
            return ![.questionMark, .colon, .leftParenthesis, .leftBracket, .leftBrace].contains(symbol)
        case .name(let name): return ["from", "as"].contains(name)
        default: return true
        }
    }

    private mutating func selectSetOrMap() throws -> SelectExpression {
        if take(.rightBrace) { return .set([]) }
        if peek(1).kind == .symbol(.colon), isFieldName { return .userDefined(try selectFields()) }
        let first = try nested { try $0.selectExpression() }
        guard take(.colon) else {
            var elements = [first]
            while take(.comma) { elements.append(try nested { try $0.selectExpression() }) }
            try expect(.rightBrace)
            return .set(elements)
        }
        var entries = [first, try nested { try $0.selectExpression() }]
        while take(.comma) {
            entries.append(try nested { try $0.selectExpression() })
            try expect(.colon)
            entries.append(try nested { try $0.selectExpression() })
        }
        try expect(.rightBrace)
        return .map(entries)
    }

    private mutating func selectFields() throws -> [SelectExpression.Field] {
        let fields = try commaSeparated { parser in
            let name = try parser.identifier()
            try parser.expect(.colon)
            return SelectExpression.Field(name: name, value: try parser.nested { try $0.selectExpression() })
        }
        try expect(.rightBrace)
        return fields
    }

    /// After `name(`.
    private mutating func call(_ name: String) throws -> SelectExpression {
        switch name {
        // Of what is never null every row counts ([CA] cql3/selection/Selectable.java, `WithFunction`).
        case "count" where isAt(.asterisk) || isLiteralAhead && peek(1).kind == .symbol(.rightParenthesis):
            advance()
            try expect(.rightParenthesis)
            return .count
        case "cast":
            let operand = try nested { try $0.selectExpression() }
            let type = try conversionTarget()
            try expect(.rightParenthesis)
            return .cast(operand, type)
        case "writetime", "maxwritetime", "ttl":
            let operand = try nested { try $0.selectFactor() }
            try expect(.rightParenthesis)
            return name == "ttl"
                ? .timeToLive(operand) : name == "writetime" ? .writetime(operand) : .maxWritetime(operand)
        default: return .call(name, try selectExpressions(until: .rightParenthesis))
        }
    }
}
