// Parser+Statements.swift — statements: queries and schema commands.

extension Parser {
    mutating func statement() throws -> Statement {
        let statement = try schemaCommand() ?? .query(query())
        _ = accept(";")
        guard token.kind == .end else { throw unexpected() }
        return statement
    }

    private mutating func schemaCommand() throws -> Statement? {
        if isKeyword("CREATE"), isKeyword("CONSTRAINT", ahead: 1) { return try createConstraint() }
        if isKeyword("DROP"), isKeyword("CONSTRAINT", ahead: 1) { return try dropConstraint() }
        if isKeyword("SHOW"), isKeyword("CONSTRAINTS", ahead: 1) || isKeyword("CONSTRAINT", ahead: 1) {
            advance()
            advance()
            return .showConstraints
        }
        return nil
    }

    /// `CREATE CONSTRAINT [name] [IF NOT EXISTS] FOR (n:Label) REQUIRE n.property IS [NODE] UNIQUE`
    private mutating func createConstraint() throws -> Statement {
        advance()
        advance()
        let name = isKeyword("FOR") || isKeyword("IF") ? nil : try name("a constraint name")
        let ifNotExists = accept(keyword: "IF")
        if ifNotExists {
            try expect(keyword: "NOT")
            try expect(keyword: "EXISTS")
        }
        try expect(keyword: "FOR")
        try expect("(")
        let variable = try self.name("a variable name")
        try expect(":")
        let label = try self.name("a node label name")
        try expect(")")
        try expect(keyword: "REQUIRE")
        let property = try constrainedProperty(of: variable)
        try expect(keyword: "IS")
        _ = accept(keyword: "NODE")
        try expect(keyword: "UNIQUE")
        let definition = ConstraintDefinition(name: name, label: label, property: property)
        return .createConstraint(definition, ifNotExists: ifNotExists)
    }

    private mutating func constrainedProperty(of variable: String) throws -> String {
        let isParenthesized = accept("(")
        let position = position
        let name = try name("a variable name")
        guard name == variable else {
            throw CypherError.syntax("UndefinedVariable", "Variable `\(name)` not defined", at: position)
        }
        try expect(".")
        let property = try self.name("a property key name")
        if isParenthesized { try expect(")") }
        return property
    }

    private mutating func dropConstraint() throws -> Statement {
        advance()
        advance()
        let name = try name("a constraint name")
        let ifExists = accept(keyword: "IF")
        if ifExists { try expect(keyword: "EXISTS") }
        return .dropConstraint(name: name, ifExists: ifExists)
    }

    // MARK: - Queries

    private mutating func query() throws -> Query {
        var parts = [try singleQuery()]
        var keepsDuplicates: Bool?
        while isKeyword("UNION") {
            let start = position
            advance()
            let isAll = accept(keyword: "ALL")
            if !isAll { _ = accept(keyword: "DISTINCT") }
            if let keepsDuplicates, keepsDuplicates != isAll {
                throw CypherError.syntax(
                    "InvalidClauseComposition", "Invalid combination of UNION and UNION ALL", at: start)
            }
            keepsDuplicates = isAll
            parts.append(try singleQuery())
        }
        return Query(parts: parts, keepsDuplicates: keepsDuplicates ?? true)
    }

    private mutating func singleQuery() throws -> SingleQuery {
        var clauses: [Clause] = []
        while token.kind != .end, !isSymbol(";"), !isKeyword("UNION") {
            if case .return? = clauses.last {
                guard isName() else { throw unexpected() }
                throw CypherError.syntax(
                    "InvalidClauseComposition", "RETURN can only be used at the end of the query", at: position)
            }
            let start = position
            let clause = try clause()
            if let last = clauses.last { try checkOrder(of: clause, after: last, at: start) }
            clauses.append(clause)
        }
        guard let last = clauses.last else {
            for keyword in Self.clauseKeywords { missed("'\(keyword)'") }
            throw unexpected()
        }
        guard last.mayConcludeQuery else {
            throw CypherError.syntax(
                "InvalidClauseComposition",
                "Query cannot conclude with \(last.keyword) (must be a RETURN clause, an update clause, "
                    + "a unit subquery call, or a procedure call with no YIELD)", at: position)
        }
        return SingleQuery(clauses: clauses)
    }

    private func checkOrder(of clause: Clause, after last: Clause, at position: SourcePosition) throws {
        guard last.isUpdating, clause.isReading else { return }
        throw CypherError.syntax(
            "InvalidClauseComposition", "WITH is required between \(last.keyword) and \(clause.keyword)", at: position)
    }
}

extension Clause {
    var keyword: String {
        switch self {
        case .match(let clause): clause.isOptional ? "OPTIONAL MATCH" : "MATCH"
        case .unwind: "UNWIND"
        case .with: "WITH"
        case .return: "RETURN"
        case .create: "CREATE"
        case .merge: "MERGE"
        case .set: "SET"
        case .remove: "REMOVE"
        case .delete: "DELETE"
        }
    }

    var isUpdating: Bool {
        switch self {
        case .create, .merge, .set, .remove, .delete: true
        default: false
        }
    }

    var isReading: Bool {
        switch self {
        case .match, .unwind: true
        default: false
        }
    }

    var mayConcludeQuery: Bool {
        if case .return = self { return true }
        return isUpdating
    }
}
