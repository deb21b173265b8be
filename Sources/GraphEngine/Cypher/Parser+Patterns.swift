// Parser+Patterns.swift — patterns.

extension Parser {
    mutating func patternParts() throws -> [PatternPart] {
        try commaSeparated { try $0.patternPart() }
    }

    mutating func patternPart() throws -> PatternPart {
        let position = position
        guard isName(), isSymbol("=", ahead: 1) else { return try anonymousPatternPart(at: position) }
        let variable = try name("a variable name")
        try expect("=")
        var part = try anonymousPatternPart(at: position)
        part.variable = variable
        return part
    }

    private mutating func anonymousPatternPart(at position: SourcePosition) throws -> PatternPart {
        if isSymbol("("), isSymbol("(", ahead: 1) {
            return try nested { parser in
                try parser.expect("(")
                let part = try parser.anonymousPatternPart(at: position)
                try parser.expect(")")
                return part
            }
        }
        var part = PatternPart(variable: nil, start: try nodePattern(), hops: [], position: position)
        while isSymbol("-") || (isSymbol("<") && isSymbol("-", ahead: 1)) {
            guard part.hops.count < Self.chainLimit else { throw unexpected() }
            let relationship = try relationshipPattern()
            part.hops.append((relationship, try nodePattern()))
        }
        return part
    }

    /// `(variable:Label {properties} WHERE predicate)`
    private mutating func nodePattern() throws -> NodePattern {
        var node = NodePattern(variable: nil, labels: nil, properties: nil, predicate: nil, position: position)
        try expect("(")
        if isName(), !isKeyword("WHERE") { node.variable = try name("a variable name") }
        if accept(":") || accept(keyword: "IS") { node.labels = try labelExpression() }
        node.properties = try patternProperties()
        if accept(keyword: "WHERE") { node.predicate = try expression() }
        try expect(")")
        return node
    }

    private mutating func patternProperties() throws -> Expression? {
        if isSymbol("{") { return try mapLiteral() }
        missed("'{'")
        guard token.kind == .parameter else { return nil }
        defer { advance() }
        return .parameter(token.text)
    }

    /// `-[variable:TYPE*1..3 {properties}]->`, `--`, `<--` and so on.
    private mutating func relationshipPattern() throws -> RelationshipPattern {
        var relationship = RelationshipPattern(
            variable: nil, types: [], properties: nil, predicate: nil, direction: .both, length: nil, position: position
        )
        let pointsLeft = accept("<")
        try expect("-")
        if accept("[") {
            try relationshipDetail(&relationship)
            try expect("]")
        }
        try expect("-")
        let pointsRight = accept(">")
        if pointsLeft != pointsRight { relationship.direction = pointsLeft ? .incoming : .outgoing }
        return relationship
    }

    private mutating func relationshipDetail(_ relationship: inout RelationshipPattern) throws {
        if isName(), !isKeyword("WHERE") { relationship.variable = try name("a variable name") }
        if accept(":") {
            repeat {
                _ = accept(":")
                let type = try name("a relationship type name")
                if !relationship.types.contains(type) { relationship.types.append(type) }
            } while accept("|")
        }
        if accept("*") {
            relationship.length = try variableLength()
            if isSymbol("-") { throw unexpected("InvalidRelationshipPattern") }
        } else if isSymbol("..") {
            throw unexpected("InvalidRelationshipPattern")
        }
        relationship.properties = try patternProperties()
        if accept(keyword: "WHERE") { relationship.predicate = try expression() }
    }

    private mutating func variableLength() throws -> VariableLength {
        let minimum = try hopCount()
        guard accept("..") else { return VariableLength(minimum: minimum ?? 1, maximum: minimum) }
        return VariableLength(minimum: minimum ?? 1, maximum: try hopCount())
    }

    private mutating func hopCount() throws -> Int? {
        guard token.kind == .integer else { return nil }
        guard let count = Int(token.text) else { throw unexpected("InvalidNumberLiteral") }
        advance()
        return count
    }

    // MARK: - Label expressions: `|` binds least, then `&` and `:`, then `!`.

    mutating func labelExpression() throws -> LabelExpression {
        var parts = [try labelConjunction()]
        while accept("|") {
            _ = accept(":")
            parts.append(try labelConjunction())
        }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func labelConjunction() throws -> LabelExpression {
        var parts = [try labelTerm()]
        while accept(":") || accept("&") { parts.append(try labelTerm()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func labelTerm() throws -> LabelExpression {
        if accept("!") { return .not(try nested { try $0.labelTerm() }) }
        if accept("%") { return .wildcard }
        guard accept("(") else { return .label(try name("a node label name")) }
        return try nested { parser in
            let inner = try parser.labelExpression()
            try parser.expect(")")
            return inner
        }
    }

    // MARK: - Patterns inside expressions

    /// Whether the parenthesis at the cursor opens a node pattern that a relationship follows.
    func startsPattern() -> Bool {
        guard isSymbol("(") else { return false }
        let second = isName(ahead: 1) ? 2 : 1
        guard isSymbol(")", ahead: second) || isSymbol(":", ahead: second) || isSymbol("{", ahead: second) else {
            return false
        }
        guard let close = distanceToClosingParenthesis() else { return false }
        let arrow = isSymbol("<", ahead: close + 1) ? close + 2 : close + 1
        guard isSymbol("-", ahead: arrow) else { return false }
        return isSymbol("-", ahead: arrow + 1) || isSymbol("[", ahead: arrow + 1)
    }

    private func distanceToClosingParenthesis() -> Int? {
        var level = 0
        var distance = 0
        while token(ahead: distance).kind != .end {
            if isSymbol("(", ahead: distance) { level += 1 }
            if isSymbol(")", ahead: distance) { level -= 1 }
            if level == 0 { return distance }
            distance += 1
        }
        return nil
    }
}
