// Parser+Select.swift — SELECT.

extension Parser {
    mutating func select() throws -> SelectStatement {
        try expect("select")
        if isAt("json"), peek(1).kind != .symbol(.comma), !isAt("from", 1) {
            throw CQLError.invalid("SELECT JSON statements are not supported")
        }
        let isDistinct = isAt("distinct") && !isAt("from", 1) && peek(1).kind != .symbol(.comma)
        if isDistinct { advance() }
        let selectors = try self.selectors()
        try expect("from")
        var statement = SelectStatement(table: try tableName(), isDistinct: isDistinct, selectors: selectors)
        if take("where") { statement.relations = try relations() }
        if take("group") {
            try expect("by")
            statement.groupBy = try identifiers()
        }
        if take("order") {
            try expect("by")
            statement.orderings = try commaSeparated { try $0.ordering() }
        }
        if take("per") {
            try expect("partition", "limit")
            statement.perPartitionLimit = try intOrMarker()
        }
        if take("limit") { statement.limit = try intOrMarker() }
        if take("allow") {
            try expect("filtering")
            statement.allowsFiltering = true
        }
        return statement
    }

    private mutating func ordering() throws -> SelectStatement.Ordering {
        let column = try identifier()
        if take("desc") { return SelectStatement.Ordering(column: column, isDescending: true) }
        _ = take("asc")
        return SelectStatement.Ordering(column: column, isDescending: false)
    }

    /// `*` gives no selectors.
    mutating func selectors() throws -> [Selector] {
        if take(.asterisk) { return [] }
        return try commaSeparated { parser in
            let expression = try parser.nested { try $0.selectExpression() }
            let alias = parser.take("as") ? try parser.identifier() : nil
            return Selector(expression: expression, alias: alias)
        }
    }

    private mutating func selectExpression() throws -> SelectExpression {
        guard peek(1).kind == .symbol(.leftParenthesis), case .name(let name) = current.kind else {
            if case .name(let name) = current.kind, !ReservedWord.all.contains(name) {
                advance()
                return .column(name)
            }
            if case .quotedName = current.kind { return .column(try identifier()) }
            return .term(try term())
        }
        if ReservedWord.all.contains(name), name != "token" { throw noViableAlternative() }
        advance()
        advance()
        return try call(name)
    }

    private mutating func call(_ name: String) throws -> SelectExpression {
        switch name {
        case "count" where isAt(.asterisk) || current.kind == .integer("1"):
            advance()
            try expect(.rightParenthesis)
            return .count
        case "writetime", "ttl":
            let column = try identifier()
            try expect(.rightParenthesis)
            return name == "ttl" ? .timeToLive(column) : .writetime(column)
        default:
            if take(.rightParenthesis) { return .call(name, []) }
            let arguments = try commaSeparated { parser in try parser.nested { try $0.selectExpression() } }
            try expect(.rightParenthesis)
            return .call(name, arguments)
        }
    }
}
