// Parser+Modification.swift — INSERT, UPDATE, DELETE, BATCH.

extension Parser {
    mutating func insert() throws -> ModificationStatement {
        try expect("insert", "into")
        let table = try tableName()
        if take("json") { return try insertJSON(table) }
        try expect(.leftParenthesis)
        let columns = try identifiers()
        try expect(.rightParenthesis)
        try expect("values")
        try expect(.leftParenthesis)
        let values = try commaSeparated { try $0.term() }
        try expect(.rightParenthesis)
        var statement = ModificationStatement(kind: .insert(columns: columns, values: values), table: table)
        if try ifNotExists() { statement.condition = .notExists }
        statement.using = try usingClause()
        return statement
    }

    private mutating func insertJSON(_ table: TableName) throws -> ModificationStatement {
        let json = try term()
        var keepsMissing = false
        if take("default") {
            keepsMissing = take("unset")
            if !keepsMissing { try expect("null") }
        }
        var statement = ModificationStatement(kind: .insertJSON(json, keepsMissing: keepsMissing), table: table)
        if try ifNotExists() { statement.condition = .notExists }
        statement.using = try usingClause()
        return statement
    }

    mutating func update() throws -> ModificationStatement {
        try expect("update")
        let table = try tableName()
        let using = try usingClause()
        try expect("set")
        let assignments = try commaSeparated { try $0.assignment() }
        try expect("where")
        var statement = ModificationStatement(kind: .update(assignments), table: table, using: using)
        statement.relations = try relations()
        statement.condition = try conditionClause()
        return statement
    }

    mutating func delete() throws -> ModificationStatement {
        try expect("delete")
        let deletions = isAt("from") ? [] : try commaSeparated { try $0.deletion() }
        try expect("from")
        var statement = ModificationStatement(kind: .delete(deletions), table: try tableName())
        if take("using") {
            try expect("timestamp")
            statement.using.timestamp = try intOrMarker()
        }
        try expect("where")
        statement.relations = try relations()
        statement.condition = try conditionClause()
        return statement
    }

    mutating func batch() throws -> BatchStatement {
        try expect("begin")
        let kind: StatementBatch.Kind = take("unlogged") ? .unlogged : take("counter") ? .counter : .logged
        try expect("batch")
        var batch = BatchStatement(kind: kind, using: try usingClause(), statements: [])
        while !isAt("apply") {
            batch.statements.append(try batchMember())
            _ = take(.semicolon)
        }
        try expect("apply", "batch")
        return batch
    }

    private mutating func batchMember() throws -> ModificationStatement {
        if isAt("insert") { return try insert() }
        if isAt("update") { return try update() }
        if isAt("delete") { return try delete() }
        throw noViableAlternative()
    }

    // MARK: Parts

    private mutating func usingClause() throws -> UsingClause {
        var clause = UsingClause()
        guard take("using") else { return clause }
        repeat {
            if take("timestamp") {
                clause.timestamp = try intOrMarker()
            } else {
                try expect("ttl")
                clause.timeToLive = try intOrMarker()
            }
        } while take("and")
        return clause
    }

    /// A whole number or a bound marker: the operand of USING and LIMIT.
    mutating func intOrMarker() throws -> Term {
        if case .integer(let digits) = current.kind {
            advance()
            return .constant(.integer(digits))
        }
        guard isAt(.questionMark) || isAt(.colon) else { throw noViableAlternative() }
        return try marker()
    }

    private mutating func assignment() throws -> Assignment {
        let column = try identifier()
        if take(.leftBracket) {
            let key = try term()
            try expect(.rightBracket)
            try expect(.equal)
            return Assignment(column: column, operation: .setElement(key: key, try term()))
        }
        if take(.dot) {
            let field = try identifier()
            try expect(.equal)
            return Assignment(column: column, operation: .setField(field, try term()))
        }
        if take(.plus) {
            try expect(.equal)
            return Assignment(column: column, operation: .add(try term()))
        }
        if take(.minus) {
            try expect(.equal)
            return Assignment(column: column, operation: .subtract(try term()))
        }
        try expect(.equal)
        // A function may have the column's name: `uuid = uuid()`.
        if isNamed(column), peek(1).kind != .symbol(.leftParenthesis), peek(1).kind != .symbol(.dot) {
            advance()
            if take(.plus) { return Assignment(column: column, operation: .add(try term())) }
            // `c = c -1`: the lexer takes the sign for the number's.
            if case .integer(let digits) = current.kind, digits.hasPrefix("-") {
                return Assignment(column: column, operation: .add(try term()))
            }
            try expect(.minus)
            return Assignment(column: column, operation: .subtract(try term()))
        }
        let value = try term()
        guard take(.plus) else { return Assignment(column: column, operation: .set(value)) }
        guard isNamed(column) else { throw noViableAlternative() }
        advance()
        return Assignment(column: column, operation: .prepend(value))
    }

    private func isNamed(_ column: String) -> Bool {
        current.kind == .name(column) || current.kind == .quotedName(column)
    }

    private mutating func deletion() throws -> Deletion {
        let column = try identifier()
        if take(.dot) { return Deletion(column: column, element: nil, field: try identifier()) }
        guard take(.leftBracket) else { return Deletion(column: column, element: nil) }
        let element = try term()
        try expect(.rightBracket)
        return Deletion(column: column, element: element)
    }
}
