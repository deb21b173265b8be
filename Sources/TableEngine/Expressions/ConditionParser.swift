// ConditionParser.swift — the grammar of conditions.
//
//     condition  = conjunction { OR conjunction }
//     conjunction = negation { AND negation }
//     negation   = NOT negation | primary
//     primary    = "(" condition ")" | function | operand comparator operand
//                | operand BETWEEN operand AND operand | operand IN "(" operand { "," operand } ")"
//     operand    = path | :value | function | "(" operand ")"
//     function   = identifier "(" operand { "," operand } ")"
//
// Source: Amazon DynamoDB Developer Guide, "Comparison operator and function reference".

struct ConditionParser {
    private var parser: ExpressionParser
    private var checks: [OperandCheck] = []
    /// Positions of the pair of parentheses that closed last.
    private var lastParentheses: (opening: Int, closing: Int)?

    /// What an operand's text says, before it is known whether it may stand where it does.
    private indirect enum Term {
        case path(Int)
        case value(Int)
        case function(String, [Term])
        /// A whole condition in parentheses.
        case condition(Condition)
    }

    /// Operands of IN.
    private static let membershipLimit = 100

    static func compile(_ text: String) throws(ExpressionError) -> ConditionExpression {
        var parser = ConditionParser(parser: try ExpressionParser(text))
        let root = try parser.condition()
        try parser.parser.expectEnd()
        let complaints = parser.parser.complaints
        let reserved = parser.parser.scope.reservedWord.map(ExpressionError.reservedWord)
        let first = complaints.parentheses ?? complaints.unknownFunction ?? complaints.misusedFunction ?? reserved
        if let first { throw first }
        return ConditionExpression(
            root: root, scope: parser.parser.scope, checks: parser.checks,
            operandCountError: complaints.operandCount)
    }

    private init(parser: ExpressionParser) {
        self.parser = parser
    }

    /// A condition; `first` is its first term where that was read already.
    private mutating func condition(first: Term? = nil) throws(ExpressionError) -> Condition {
        var alternatives = [try conjunction(first: first)]
        while parser.take(keyword: "OR") { alternatives.append(try conjunction()) }
        return alternatives.count == 1 ? alternatives[0] : .any(alternatives)
    }

    private mutating func conjunction(first: Term? = nil) throws(ExpressionError) -> Condition {
        var parts = [try negation(first: first)]
        while parser.take(keyword: "AND") { parts.append(try negation()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func negation(first: Term? = nil) throws(ExpressionError) -> Condition {
        guard isAbsent(first), parser.take(keyword: "NOT") else { return try primary(first: first) }
        try parser.deeper()
        defer { parser.depth -= 1 }
        return .not(try negation())
    }

    private mutating func primary(first: Term? = nil) throws(ExpressionError) -> Condition {
        let term: Term
        if let first { term = first } else { term = try self.term() }
        if case .condition(let condition) = term { return condition }
        if case .symbol(let symbol) = parser.current.kind, let comparator = Comparator(symbol) {
            parser.advance()
            return comparison(comparator, term, try operandTerm())
        }
        if parser.take(keyword: "BETWEEN") { return try between(term) }
        if parser.take(keyword: "IN") { return try membership(term) }
        if case .function(let name, let arguments) = term { return function(name, arguments) }
        throw parser.syntaxError
    }

    private func isAbsent(_ term: Term?) -> Bool {
        if case .none = term { return true }
        return false
    }

    private func isCondition(_ term: Term) -> Bool {
        if case .condition = term { return true }
        return false
    }

    private mutating func operandTerm() throws(ExpressionError) -> Term {
        let term = try term()
        // A comparison of a comparison is no sentence of the grammar.
        guard !isCondition(term) else { throw parser.syntaxError }
        return term
    }

    /// An operand, or a condition in parentheses: which one it is shows only behind the opening parenthesis.
    private mutating func term() throws(ExpressionError) -> Term {
        let token = parser.current
        if token.kind == .valueReference {
            parser.advance()
            return .value(parser.scope.slot(ofValue: token.text))
        }
        if parser.isFunctionCall, !["AND", "OR", "NOT", "IN", "BETWEEN"].contains(token.text.uppercased()) {
            return try call()
        }
        if parser.take(.leftParenthesis) { return try parenthesized() }
        return .path(try parser.path())
    }

    /// What stands behind an opening parenthesis.
    private mutating func parenthesized() throws(ExpressionError) -> Term {
        try parser.deeper()
        defer { parser.depth -= 1 }
        let opening = parser.position - 1
        let inner = try parenthesizedContent()
        // "((x))": another pair fills these parentheses.
        if let lastParentheses, lastParentheses == (opening + 1, parser.position - 1) {
            parser.complaints.parentheses = parser.complaints.parentheses ?? .redundantParentheses
        }
        lastParentheses = (opening, parser.position)
        try parser.expect(.rightParenthesis)
        return inner
    }

    private mutating func parenthesizedContent() throws(ExpressionError) -> Term {
        guard !parser.isKeyword("NOT") else { return .condition(try condition()) }
        let first = try term()
        guard parser.current.kind == .symbol(.rightParenthesis) else { return .condition(try condition(first: first)) }
        guard case .function(let name, let arguments) = first, name != ConditionFunction.size.rawValue else {
            return first
        }
        return .condition(function(name, arguments))
    }

    private mutating func call() throws(ExpressionError) -> Term {
        let name = parser.current.text
        parser.advance()
        parser.advance()
        try parser.deeper()
        defer { parser.depth -= 1 }
        var arguments = [try operandTerm()]
        while parser.take(.comma) { arguments.append(try operandTerm()) }
        try parser.expect(.rightParenthesis)
        return .function(name, arguments)
    }
}

// MARK: - From terms to operands

extension ConditionParser {
    private mutating func comparison(_ comparator: Comparator, _ left: Term, _ right: Term) -> Condition {
        let (left, right) = (operand(left), operand(right))
        checkDistinct(comparator.rawValue, left, right)
        if comparator != .equal, comparator != .notEqual {
            checks.append(.comparisonOperand(comparator.rawValue, left))
            checks.append(.comparisonOperand(comparator.rawValue, right))
        }
        return .comparison(comparator, left, right)
    }

    private mutating func between(_ term: Term) throws(ExpressionError) -> Condition {
        let value = operand(term)
        let lower = operand(try operandTerm())
        guard parser.take(keyword: "AND") else { throw parser.syntaxError }
        let upper = operand(try operandTerm())
        for operand in [value, lower, upper] { checks.append(.comparisonOperand("BETWEEN", operand)) }
        checks.append(.bounds(lower, upper))
        return .between(value, lower: lower, upper: upper)
    }

    private mutating func membership(_ term: Term) throws(ExpressionError) -> Condition {
        let value = operand(term)
        try parser.expect(.leftParenthesis)
        var candidates = [operand(try operandTerm())]
        while parser.take(.comma) { candidates.append(operand(try operandTerm())) }
        try parser.expect(.rightParenthesis)
        if candidates.count > Self.membershipLimit {
            parser.complaints.operandCount = parser.complaints.operandCount ?? .operandCount("IN", candidates.count + 1)
        }
        return .membership(value, candidates)
    }

    /// An operand of an operator: a path, a value, or `size`.
    private mutating func operand(_ term: Term) -> Operand {
        switch term {
        case .path(let slot): return .path(slot)
        case .value(let slot): return .value(slot)
        case .condition: return .invalid
        case .function(let name, let arguments):
            guard let function = known(name) else { return .invalid }
            guard function == .size else {
                parser.complaints.misusedFunction = parser.complaints.misusedFunction ?? .misusedFunction(name)
                return .invalid
            }
            return .size(operands(of: function, arguments).first ?? .invalid)
        }
    }

    /// A function that stands as a condition.
    private mutating func function(_ name: String, _ arguments: [Term]) -> Condition {
        guard let function = known(name) else { return .function(.size, []) }
        if function == .size {
            parser.complaints.misusedFunction = parser.complaints.misusedFunction ?? .misusedFunction(name)
        }
        return .function(function, operands(of: function, arguments))
    }

    private mutating func known(_ name: String) -> ConditionFunction? {
        if let function = ConditionFunction(rawValue: name) { return function }
        parser.complaints.unknownFunction = parser.complaints.unknownFunction ?? .unknownFunction(name)
        return nil
    }

    private mutating func operands(of function: ConditionFunction, _ arguments: [Term]) -> [Operand] {
        let operands = arguments.map { operand($0) }
        guard operands.count == function.operandCount else {
            let error = ExpressionError.operandCount(function.rawValue, operands.count)
            parser.complaints.operandCount = parser.complaints.operandCount ?? error
            return operands
        }
        if operands.count == 2 { checkDistinct(function.rawValue, operands[0], operands[1]) }
        switch function {
        case .attributeExists, .attributeNotExists:
            if case .path = operands[0] {} else { checks.append(.pathRequired(function)) }
        case .beginsWith:
            for operand in operands { checks.append(.functionOperand(function, operand, [.s, .b])) }
        case .attributeType: checks.append(.attributeTypeName(operands[1]))
        case .size:
            checks.append(.functionOperand(function, operands[0], [.s, .b, .l, .m, .ss, .ns, .bs]))
        case .contains: break
        }
        return operands
    }

    private mutating func checkDistinct(_ name: String, _ left: Operand, _ right: Operand) {
        if case .path(let left) = left, case .path(let right) = right { checks.append(.distinct(name, left, right)) }
    }
}
