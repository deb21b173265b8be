// Parser+Terms.swift — constants, markers, collections and function calls.

extension Parser {
    mutating func term() throws -> Term {
        try nested { try $0.termBody() }
    }

    private mutating func termBody() throws -> Term {
        if let constant = constant() { return .constant(constant) }
        if isAt(.questionMark) || isAt(.colon) { return try marker() }
        if take(.leftBracket) { return .list(try terms(until: .rightBracket)) }
        if take(.leftBrace) { return try setOrMap() }
        if take(.leftParenthesis) { return try castOrTuple() }
        guard isFunctionName, peek(1).kind == .symbol(.leftParenthesis), case .name(let name) = current.kind else {
            throw noViableAlternative()
        }
        advance()
        advance()
        return .call(name, try terms(until: .rightParenthesis))
    }

    /// `token` is reserved and a function nevertheless.
    private var isFunctionName: Bool {
        guard case .name(let name) = current.kind else { return false }
        return name == "token" || !ReservedWord.all.contains(name)
    }

    private mutating func constant() -> Constant? {
        let constant: Constant
        switch current.kind {
        case .string(let text): constant = .string(text)
        case .integer(let digits): constant = .integer(digits)
        case .float(let digits): constant = .float(digits)
        case .uuid(let uuid): constant = .uuid(uuid)
        case .blob(let bytes): constant = .blob(bytes)
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

    /// After `(`: a type hint like `(int) 3`, or a tuple.
    private mutating func castOrTuple() throws -> Term {
        if case .name(let name) = current.kind, peek(1).kind == .symbol(.rightParenthesis),
            let type = CQLType(nativeName: name)
        {
            advance()
            advance()
            return .cast(type, try term())
        }
        return .tuple(try terms(until: .rightParenthesis))
    }
}
