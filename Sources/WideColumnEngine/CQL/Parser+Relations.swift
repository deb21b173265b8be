// Parser+Relations.swift — WHERE clauses and the conditions of IF.

extension Parser {
    mutating func relations() throws -> [Relation] {
        var relations = [try relation()]
        while take("and") { relations.append(try relation()) }
        return relations
    }

    private mutating func relation() throws -> Relation {
        if isAt("token"), peek(1).kind == .symbol(.leftParenthesis) { return try tokenRelation() }
        if isAt(.leftParenthesis) { return try isColumnTupleAhead ? multiColumnRelation() : parenthesizedRelation() }
        let column = try identifier()
        if take(.leftBracket) {
            let key = try term()
            try expect(.rightBracket)
            let comparison = try comparison()
            return Relation(target: .element(column: column, key: key), comparison: comparison, terms: [try term()])
        }
        return try relation(on: .column(column))
    }

    private mutating func relation(on target: Relation.Target) throws -> Relation {
        if take("in") {
            let (terms, isMarker) = try inTerms()
            return Relation(target: target, comparison: .in, terms: terms, isListMarker: isMarker)
        }
        if take("is") {
            try expect("not", "null")
            return Relation(target: target, comparison: .isNotNull, terms: [])
        }
        if take("contains") {
            let comparison: Comparison = take("key") ? .containsKey : .contains
            return Relation(target: target, comparison: comparison, terms: [try term()])
        }
        if take("like") { throw try unindexed(target) }
        let comparison = try comparison()
        return Relation(target: target, comparison: comparison, terms: [try term()])
    }

    /// No index of this engine supports LIKE.
    private mutating func unindexed(_ target: Relation.Target) throws -> CQLError {
        let pattern = try term()
        guard case .column(let name) = target else { return noViableAlternative() }
        return .invalid(
            "LIKE restriction is only supported on properly indexed columns. \(name) LIKE \(pattern) is not valid.")
    }

    private mutating func tokenRelation() throws -> Relation {
        try expect("token")
        try expect(.leftParenthesis)
        let columns = try identifiers()
        try expect(.rightParenthesis)
        let comparison = try comparison()
        return Relation(target: .token(columns), comparison: comparison, terms: [try term()])
    }

    /// Whether `(a, b)` or `(a)` comes, not a relation in parentheses.
    private var isColumnTupleAhead: Bool {
        switch (peek(1).kind, peek(2).kind) {
        case (.name, .symbol(let symbol)), (.quotedName, .symbol(let symbol)):
            symbol == .comma || symbol == .rightParenthesis
        default: false
        }
    }

    private mutating func parenthesizedRelation() throws -> Relation {
        try expect(.leftParenthesis)
        let relation = try nested { try $0.relation() }
        try expect(.rightParenthesis)
        return relation
    }

    private mutating func multiColumnRelation() throws -> Relation {
        try expect(.leftParenthesis)
        let columns = try identifiers()
        try expect(.rightParenthesis)
        return try relation(on: .columns(columns))
    }

    /// The list after IN, or a marker that stands for all of it.
    private mutating func inTerms() throws -> (terms: [Term], isMarker: Bool) {
        if isAt(.questionMark) || isAt(.colon) { return ([try marker()], true) }
        try expect(.leftParenthesis)
        return (try terms(until: .rightParenthesis), false)
    }

    private mutating func comparison() throws -> Comparison {
        guard case .symbol(let symbol) = current.kind, let comparison = Comparison(rawValue: symbol.rawValue) else {
            throw noViableAlternative()
        }
        advance()
        return comparison
    }

    // MARK: IF

    mutating func conditionClause() throws -> ConditionClause {
        guard take("if") else { return .none }
        if take("exists") { return .exists }
        var conditions = [try columnCondition()]
        while take("and") { conditions.append(try columnCondition()) }
        return .columns(conditions)
    }

    private mutating func columnCondition() throws -> ColumnCondition {
        var condition = ColumnCondition(column: try identifier(), comparison: .equal, terms: [])
        if take(.leftBracket) {
            condition.element = try term()
            try expect(.rightBracket)
        } else if take(.dot) {
            condition.field = try identifier()
        }
        if take("in") {
            condition.comparison = .in
            (condition.terms, condition.isListMarker) = try inTerms()
            return condition
        }
        if condition.element == nil, condition.field == nil, take("contains") {
            condition.comparison = take("key") ? .containsKey : .contains
            condition.terms = [try term()]
            return condition
        }
        condition.comparison = try comparison()
        condition.terms = [try term()]
        return condition
    }
}
