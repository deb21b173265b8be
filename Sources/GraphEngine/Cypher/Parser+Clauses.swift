// Parser+Clauses.swift — the clauses of a query.

extension Parser {
    static let clauseKeywords = [
        "CREATE", "DELETE", "DETACH", "MATCH", "MERGE", "OPTIONAL", "REMOVE", "RETURN", "SET", "UNWIND", "WITH",
    ]

    mutating func clause() throws -> Clause {
        let position = position
        switch token.keyword {
        case "MATCH", "OPTIONAL": return .match(try matchClause())
        case "UNWIND": return try unwindClause(at: position)
        case "WITH": return try withClause()
        case "RETURN":
            advance()
            return .return(try projection(at: position))
        case "CREATE":
            advance()
            return .create(try patternParts())
        case "MERGE": return .merge(try mergeClause())
        case "SET":
            advance()
            return .set(try setItems())
        case "REMOVE":
            advance()
            return .remove(try commaSeparated { try $0.removeItem() })
        case "CALL": throw try unknownProcedure()
        case "DETACH", "DELETE": return try deleteClause(at: position)
        default:
            for keyword in Self.clauseKeywords { missed("'\(keyword)'") }
            throw unexpected()
        }
    }

    /// There are no procedures: a call names one that does not exist.
    private mutating func unknownProcedure() throws -> CypherError {
        advance()
        var name = try name("a procedure name")
        while accept(".") { name += ".\(try self.name("a procedure name"))" }
        return CypherError(
            .procedure, "ProcedureNotFound",
            "There is no procedure with the name `\(name)` registered for this database instance. Please ensure you've "
                + "spelled the procedure name correctly and that the procedure is properly deployed.")
    }

    private mutating func matchClause() throws -> MatchClause {
        let position = position
        let isOptional = accept(keyword: "OPTIONAL")
        try expect(keyword: "MATCH")
        let parts = try patternParts()
        let predicate = accept(keyword: "WHERE") ? try expression() : nil
        return MatchClause(isOptional: isOptional, parts: parts, predicate: predicate, position: position)
    }

    private mutating func unwindClause(at position: SourcePosition) throws -> Clause {
        advance()
        let list = try expression()
        try expect(keyword: "AS")
        return .unwind(list, variable: try name("a variable name"), position)
    }

    private mutating func withClause() throws -> Clause {
        let position = position
        advance()
        let projection = try projection(at: position)
        for item in projection.items where !item.hasAlias {
            if case .variable = item.expression { continue }
            throw CypherError.syntax(
                "NoExpressionAlias", "Expression in WITH must be aliased (use AS)", at: item.position)
        }
        let predicate = accept(keyword: "WHERE") ? try expression() : nil
        return .with(projection, predicate: predicate)
    }

    private mutating func mergeClause() throws -> MergeClause {
        advance()
        var clause = MergeClause(part: try patternPart(), onCreate: [], onMatch: [])
        while accept(keyword: "ON") {
            if accept(keyword: "CREATE") {
                try expect(keyword: "SET")
                clause.onCreate += try setItems()
            } else {
                try expect(keyword: "MATCH")
                try expect(keyword: "SET")
                clause.onMatch += try setItems()
            }
        }
        return clause
    }

    private mutating func deleteClause(at position: SourcePosition) throws -> Clause {
        let detach = accept(keyword: "DETACH")
        try expect(keyword: "DELETE")
        return .delete(try commaSeparated { try $0.expression() }, detach: detach, position)
    }

    // MARK: - SET and REMOVE

    private mutating func setItems() throws -> [SetItem] {
        try commaSeparated { try $0.setItem() }
    }

    private mutating func setItem() throws -> SetItem {
        let position = position
        if isName() {
            if isSymbol("=", ahead: 1) || isSymbol("+=", ahead: 1) {
                let variable = try name("a variable name")
                let replaces = accept("=")
                if !replaces { try expect("+=") }
                let value = try expression()
                return replaces ? .replace(variable, value, position) : .merge(variable, value, position)
            }
            if isSymbol(":", ahead: 1) {
                return .labels(try name("a variable name"), try labelNames(), position)
            }
        }
        let (owner, key) = try propertyReference()
        try expect("=")
        return .property(owner, key, try expression())
    }

    private mutating func removeItem() throws -> RemoveItem {
        let position = position
        if isName(), isSymbol(":", ahead: 1) {
            return .labels(try name("a variable name"), try labelNames(), position)
        }
        let (owner, key) = try propertyReference()
        return .property(owner, key)
    }

    private mutating func propertyReference() throws -> (Expression, String) {
        guard case .property(let owner, let key) = try postfixExpression() else { throw unexpected() }
        return (owner, key)
    }

    private mutating func labelNames() throws -> [String] {
        var names: [String] = []
        while accept(":") { names.append(try name("a node label name")) }
        return names
    }

    // MARK: - WITH and RETURN

    private mutating func projection(at position: SourcePosition) throws -> Projection {
        var projection = Projection(
            isDistinct: accept(keyword: "DISTINCT"), includesAll: false, items: [], orderBy: [], skip: nil, limit: nil,
            position: position)
        if accept("*") {
            projection.includesAll = true
            if accept(",") { projection.items = try projectionItems() }
        } else {
            projection.items = try projectionItems()
        }
        if accept(keyword: "ORDER") {
            try expect(keyword: "BY")
            projection.orderBy = try commaSeparated { try $0.sortItem() }
        }
        if accept(keyword: "SKIP") || accept(keyword: "OFFSET") { projection.skip = try expression() }
        if accept(keyword: "LIMIT") { projection.limit = try expression() }
        return projection
    }

    private mutating func projectionItems() throws -> [ProjectionItem] {
        try commaSeparated { parser in
            let start = parser.position
            let expression = try parser.expression()
            let text = parser.text(since: start)
            if parser.accept(keyword: "AS") {
                let alias = try parser.name("a variable name")
                return ProjectionItem(expression: expression, name: alias, hasAlias: true, position: start)
            }
            var name = text
            if case .variable(let variable, _) = expression { name = variable }
            return ProjectionItem(expression: expression, name: name, hasAlias: false, position: start)
        }
    }

    private mutating func sortItem() throws -> SortItem {
        let expression = try expression()
        if accept(keyword: "DESC") || accept(keyword: "DESCENDING") {
            return SortItem(expression: expression, isDescending: true)
        }
        if !accept(keyword: "ASC") { _ = accept(keyword: "ASCENDING") }
        return SortItem(expression: expression, isDescending: false)
    }
}
