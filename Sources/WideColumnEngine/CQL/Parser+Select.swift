// Parser+Select.swift — SELECT. Parser+Selectors has what stands between SELECT and FROM.

extension Parser {
    mutating func select() throws -> SelectStatement {
        try expect("select")
        let isJSON = takeSelectWord("json")
        let isDistinct = takeSelectWord("distinct")
        let selectors = try self.selectors()
        try expect("from")
        var statement = SelectStatement(table: try tableName(), isDistinct: isDistinct, selectors: selectors)
        statement.isJSON = isJSON
        if take("where") { statement.relations = try relations() }
        if take("group") {
            try expect("by")
            statement.groupBy = try commaSeparated { parser in try parser.nested { try $0.selectExpression() } }
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

    /// JSON and DISTINCT may be columns too.
    private mutating func takeSelectWord(_ word: String) -> Bool {
        guard isAt(word) else { return false }
        switch peek(1).kind {
        case .name("from"), .name("as"), .symbol(.comma), .symbol(.dot), .symbol(.leftBracket), .symbol(.plus),
            .symbol(.slash), .symbol(.percent), .symbol(.minus):
            return false
        default:
            advance()
            return true
        }
    }

    private mutating func ordering() throws -> SelectStatement.Ordering {
        let column = try identifier()
        if take("desc") { return SelectStatement.Ordering(column: column, isDescending: true) }
        _ = take("asc")
        return SelectStatement.Ordering(column: column, isDescending: false)
    }
}
