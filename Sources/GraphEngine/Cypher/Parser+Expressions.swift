// Parser+Expressions.swift — operators, by precedence.
//
//      1  OR                      7  + - ||
//      2  XOR                     8  * / %
//      3  AND                     9  ^
//      4  NOT                    10  + - (unary)
//      5  = <> < <= > >=         11  .property [index] [from..to] :Label
//      6  IN, STARTS WITH,       12  atoms
//         ENDS WITH, CONTAINS,
//         =~, IS [NOT] NULL
//
// All binary operators associate to the left; comparisons chain: a < b < c is a < b AND b < c. (CIP2021-08-10,
// openCypher 9 grammar.)

extension Parser {
    private enum Level {
        static let or = 1, xor = 2, and = 3, not = 4, comparison = 5, predicate = 6, sum = 7, product = 8, power = 9
    }

    private enum Operator {
        case binary(BinaryOperator, level: Int, words: Int)
        case comparison(ComparisonOperator)
        case isNull(negated: Bool)

        var level: Int {
            switch self {
            case .binary(_, let level, _): level
            case .comparison: Level.comparison
            case .isNull: Level.predicate
            }
        }
    }

    mutating func expression() throws -> Expression {
        try nested { try $0.expression(atLeast: Level.or) }
    }

    /// Parses operators that bind at least as tightly as `minimum`.
    private mutating func expression(atLeast minimum: Int) throws -> Expression {
        var left = try operand(atLeast: minimum)
        // The level of the chain that `left` is, as long as it may still grow.
        var openLevel = Int.max
        while let next = nextOperator(), next.level >= minimum {
            switch next {
            case .isNull(let negated):
                for _ in 0..<(negated ? 3 : 2) { advance() }
                left = try wrapped(.isNull(left, negated: negated))
                openLevel = Int.max
            case .comparison(let operation):
                advance()
                let right = try expression(atLeast: Level.predicate)
                left = try appending(right, operation, to: left, isOpen: openLevel == Level.comparison)
                openLevel = Level.comparison
            case .binary(let operation, let level, let words):
                for _ in 0..<words { advance() }
                let right = try expression(atLeast: level + 1)
                left = try appending(right, operation, to: left, isOpen: openLevel == level)
                openLevel = level
            }
        }
        return left
    }

    /// `x IS NULL IS NULL …` nests, so it counts.
    private func wrapped(_ expression: Expression) throws -> Expression {
        var depth = 0
        var inner = expression
        while case .isNull(let operand, _) = inner {
            depth += 1
            inner = operand
        }
        guard depth <= Self.nestingLimit else { throw unexpected() }
        return expression
    }

    private func appending(
        _ right: Expression, _ operation: BinaryOperator, to left: Expression, isOpen: Bool
    ) throws -> Expression {
        guard isOpen, case .chain(let first, var rest) = left else { return .chain(left, [(operation, right)]) }
        guard rest.count < Self.chainLimit else { throw unexpected() }
        rest.append((operation, right))
        return .chain(first, rest)
    }

    private func appending(
        _ right: Expression, _ operation: ComparisonOperator, to left: Expression, isOpen: Bool
    ) throws -> Expression {
        guard isOpen, case .comparison(let first, var rest) = left else {
            return .comparison(left, [(operation, right)])
        }
        guard rest.count < Self.chainLimit else { throw unexpected() }
        rest.append((operation, right))
        return .comparison(first, rest)
    }

    private func nextOperator() -> Operator? {
        token.kind == .symbol ? symbolOperator() : keywordOperator()
    }

    private func symbolOperator() -> Operator? {
        switch token.text {
        case "+": .binary(.add, level: Level.sum, words: 1)
        case "-": .binary(.subtract, level: Level.sum, words: 1)
        case "||": .binary(.concatenate, level: Level.sum, words: 1)
        case "*": .binary(.multiply, level: Level.product, words: 1)
        case "/": .binary(.divide, level: Level.product, words: 1)
        case "%": .binary(.remainder, level: Level.product, words: 1)
        case "^": .binary(.power, level: Level.power, words: 1)
        case "=~": .binary(.regularExpression, level: Level.predicate, words: 1)
        default: ComparisonOperator(rawValue: token.text).map { .comparison($0) }
        }
    }

    private func keywordOperator() -> Operator? {
        switch token.keyword {
        case "OR": .binary(.or, level: Level.or, words: 1)
        case "XOR": .binary(.xor, level: Level.xor, words: 1)
        case "AND": .binary(.and, level: Level.and, words: 1)
        case "IN": .binary(.in, level: Level.predicate, words: 1)
        case "CONTAINS": .binary(.contains, level: Level.predicate, words: 1)
        case "STARTS" where isKeyword("WITH", ahead: 1): .binary(.startsWith, level: Level.predicate, words: 2)
        case "ENDS" where isKeyword("WITH", ahead: 1): .binary(.endsWith, level: Level.predicate, words: 2)
        case "IS" where isKeyword("NULL", ahead: 1): .isNull(negated: false)
        case "IS" where isKeyword("NOT", ahead: 1) && isKeyword("NULL", ahead: 2): .isNull(negated: true)
        default: nil
        }
    }

    // MARK: - Prefix operators

    private mutating func operand(atLeast minimum: Int) throws -> Expression {
        if isKeyword("NOT"), minimum <= Level.not {
            advance()
            return .not(try nested { try $0.expression(atLeast: Level.not) })
        }
        return try unary()
    }

    private mutating func unary() throws -> Expression {
        if isSymbol("-") {
            advance()
            // The digits of the smallest integer are out of range without their sign.
            if token.kind == .integer {
                let literal = Expression.literal(try integerLiteral(isNegative: true))
                return try postfixExpression(startingWith: literal)
            }
            return .negate(try nested { try $0.unary() })
        }
        if isSymbol("+") {
            advance()
            return .plus(try nested { try $0.unary() })
        }
        return try postfixExpression()
    }

    // MARK: - Postfix operators

    mutating func postfixExpression() throws -> Expression {
        try postfixExpression(startingWith: try atom())
    }

    private mutating func postfixExpression(startingWith start: Expression) throws -> Expression {
        var expression = start
        var count = 0
        while true {
            if isSymbol("."), isName(ahead: 1) {
                advance()
                expression = .property(expression, try name("a property key name"))
            } else if isSymbol("[") {
                advance()
                expression = try subscripted(expression)
            } else if isSymbol(":"), isName(ahead: 1) || isSymbol("!", ahead: 1) || isSymbol("(", ahead: 1) {
                advance()
                expression = .hasLabels(expression, try labelExpression())
            } else {
                return expression
            }
            count += 1
            guard count <= Self.nestingLimit else { throw unexpected() }
        }
    }

    private mutating func subscripted(_ owner: Expression) throws -> Expression {
        if accept("..") {
            let end = isSymbol("]") ? nil : try expression()
            try expect("]")
            return .slice(owner, from: nil, to: end)
        }
        let first = try expression()
        guard accept("..") else {
            try expect("]")
            return .index(owner, first)
        }
        let end = isSymbol("]") ? nil : try expression()
        try expect("]")
        return .slice(owner, from: first, to: end)
    }
}
