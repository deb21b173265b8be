// Parser+Terms.swift — constants, markers, collections and function calls.

extension Parser {
    mutating func term() throws -> Term {
        try nested { try $0.sum() }
    }

    private mutating func sum() throws -> Term {
        let outer = operators
        defer { operators = outer }
        var left = try product()
        while true {
            if isAt(.plus), !isColumnAhead {
                advance()
                try countOperator()
                left = .binary(.add, left, try product())
            } else if isAt(.minus), !isColumnAhead {
                advance()
                try countOperator()
                left = .binary(.subtract, left, try product())
            } else {
                return left
            }
        }
    }

    /// Whether what follows the operator is a column, as in `SET list = [1] + list`.
    private var isColumnAhead: Bool {
        switch (peek(1).kind, peek(2).kind) {
        case (.quotedName, _): true
        case (.name(let name), .symbol(.leftParenthesis)): name == "in"
        // A function of a keyspace.
        case (.name, .symbol(.dot)): false
        case (.name(let name), _): !["null", "true", "false", "nan", "infinity"].contains(name)
        default: false
        }
    }

    private mutating func product() throws -> Term {
        let outer = operators
        defer { operators = outer }
        var left = try factor()
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
            left = .binary(operation, left, try factor())
        }
    }

    private mutating func factor() throws -> Term {
        if isAt(.minus), !isAt("nan", 1), !isAt("infinity", 1) {
            advance()
            return .negation(try nested { try $0.factor() })
        }
        return try termBody()
    }

    private mutating func termBody() throws -> Term {
        if let constant = constant() { return .constant(constant) }
        if isAt(.questionMark) || isAt(.colon) { return try marker() }
        if take(.leftBracket) { return .list(try terms(until: .rightBracket)) }
        if take(.leftBrace) { return try setOrMap() }
        if take(.leftParenthesis) { return try castOrTuple() }
        if isAt("cast"), peek(1).kind == .symbol(.leftParenthesis) { return try conversion() }
        if let name = takeQuotedFunction() ?? takeQualifiedFunction() {
            return .call(name, try terms(until: .rightParenthesis))
        }
        guard isFunctionName, peek(1).kind == .symbol(.leftParenthesis), case .name(let name) = current.kind else {
            throw noViableAlternative()
        }
        advance()
        advance()
        return .call(name, try terms(until: .rightParenthesis))
    }

    /// Takes `keyspace.name(`, if that comes. All functions there are are of `system`; others keep the keyspace in their name, by
    /// which nobody knows them.
    mutating func takeQualifiedFunction() -> String? {
        guard isQualifiedFunctionAhead else { return nil }
        let name: String
        switch peek(2).kind {
        case .name(let unquoted): name = unquoted
        case .quotedName(let quoted): name = quoted
        default: return nil
        }
        let keyspace: String
        switch current.kind {
        case .name(let name) where !ReservedWord.all.contains(name): keyspace = name
        case .quotedName(let name): keyspace = name
        default: return nil
        }
        for _ in 0..<4 { advance() }
        return keyspace == "system" ? name : "\(keyspace).\(name)"
    }

    /// Takes `"name"(`, if that comes.
    mutating func takeQuotedFunction() -> String? {
        guard peek(1).kind == .symbol(.leftParenthesis), case .quotedName(let name) = current.kind else { return nil }
        advance()
        advance()
        return name
    }

    private var isQualifiedFunctionAhead: Bool {
        peek(1).kind == .symbol(.dot) && peek(3).kind == .symbol(.leftParenthesis)
    }

    /// `token` is reserved and a function nevertheless.
    private var isFunctionName: Bool {
        guard case .name(let name) = current.kind else { return false }
        return name == "token" || !ReservedWord.all.contains(name)
    }

    mutating func constant() -> Constant? {
        let constant: Constant
        switch current.kind {
        case .string(let text): constant = .string(text)
        case .integer(let digits): constant = .integer(digits)
        case .float(let digits): constant = .float(digits)
        case .uuid(let uuid): constant = .uuid(uuid)
        case .blob(let bytes): constant = .blob(bytes)
        case .duration(let text): constant = .duration(text)
        case .name("null"): constant = .null
        case .name("nan"): constant = .float("NaN")
        case .name("infinity"): constant = .float("Infinity")
        case .name("true") where peek(1).kind != .symbol(.leftParenthesis): constant = .boolean(true)
        case .name("false") where peek(1).kind != .symbol(.leftParenthesis): constant = .boolean(false)
        case .symbol(.minus) where isAt("nan", 1) || isAt("infinity", 1):
            constant = .float(isAt("nan", 1) ? "NaN" : "-Infinity")
            advance()
        default: return nil
        }
        advance()
        return constant
    }

    mutating func marker() throws -> Term {
        if take(.questionMark) {
            markers.append(nil)
        } else {
            try expect(.colon)
            markers.append(try identifier())
        }
        return .marker(markers.count - 1)
    }

    /// Terms and the closing symbol; none is fine.
    mutating func terms(until end: Token.Symbol) throws -> [Term] {
        if take(end) { return [] }
        let terms = try commaSeparated { try $0.term() }
        try expect(end)
        return terms
    }

    private mutating func setOrMap() throws -> Term {
        if take(.rightBrace) { return .set([]) }
        if peek(1).kind == .symbol(.colon), isFieldName { return .userDefined(try fields()) }
        let first = try term()
        guard take(.colon) else {
            var elements = [first]
            while take(.comma) { elements.append(try term()) }
            try expect(.rightBrace)
            return .set(elements)
        }
        var entries = [Term.MapEntry(key: first, value: try term())]
        while take(.comma) {
            let key = try term()
            try expect(.colon)
            entries.append(Term.MapEntry(key: key, value: try term()))
        }
        try expect(.rightBrace)
        return .map(entries)
    }

    var isFieldName: Bool {
        switch current.kind {
        case .name(let name): !["null", "true", "false", "nan", "infinity"].contains(name)
        case .quotedName: true
        default: false
        }
    }

    mutating func fields() throws -> [Term.Field] {
        let fields = try commaSeparated { parser in
            let name = try parser.identifier()
            try parser.expect(.colon)
            return Term.Field(name: name, value: try parser.term())
        }
        try expect(.rightBrace)
        return fields
    }

    /// `CAST(term AS type)`.
    private mutating func conversion() throws -> Term {
        advance()
        try expect(.leftParenthesis)
        let operand = try term()
        let type = try conversionTarget()
        try expect(.rightParenthesis)
        return .conversion(operand, type)
    }

    /// `AS type`, of a native type.
    mutating func conversionTarget() throws -> CQLType {
        try expect("as")
        guard case .name(let word) = current.kind, CQLType(nativeName: word) != nil else {
            throw noViableAlternative()
        }
        return try columnType()
    }

    /// After `(`: a type hint like `(int) 3`, or a tuple. A hint is of what stands next to it alone, as a sign is ([CA]
    /// antlr/Parser.g, `simpleTerm`).
    private mutating func castOrTuple() throws -> Term {
        if isTypeAhead {
            let type = try columnType()
            try expect(.rightParenthesis)
            return .cast(type, try nested { try $0.factor() })
        }
        guard !isAt(.rightParenthesis) else { throw noViableAlternative() }
        return .tuple(try terms(until: .rightParenthesis))
    }

    /// A type between parentheses: no term begins with a name that is not a constant and not called.
    var isTypeAhead: Bool {
        if isQualifiedFunctionAhead { return false }
        return switch (current.kind, peek(1).kind) {
        case (.name(let name), .symbol(.rightParenthesis)), (.name(let name), .symbol(.dot)):
            !["null", "true", "false", "nan", "infinity"].contains(name)
        case (.quotedName, .symbol(.rightParenthesis)), (.quotedName, .symbol(.dot)): true
        case (.name(let name), .symbol(.less)): ["frozen", "list", "set", "map", "tuple", "vector"].contains(name)
        default: false
        }
    }
}
