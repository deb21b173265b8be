// UpdateParser.swift — the grammar of update expressions.
//
//     update   = section { section }            each section at most once
//     section  = SET set { "," set } | REMOVE path { "," path }
//              | ADD path :value { "," path :value } | DELETE path :value { "," path :value }
//     set      = path "=" operand [ ( "+" | "-" ) operand ]
//     operand  = path | :value | function | "(" operand ")"
//     function = if_not_exists "(" path "," operand ")" | list_append "(" operand "," operand ")"
//
// Source: Amazon DynamoDB Developer Guide, "Using update expressions".

struct UpdateParser {
    private var parser: ExpressionParser
    private var update = UpdateExpression()
    private var sections: Set<String> = []

    static func compile(_ text: String) throws(ExpressionError) -> UpdateExpression {
        var parser = UpdateParser(parser: try ExpressionParser(text))
        repeat { try parser.section() } while parser.parser.current.kind != .end
        return try parser.finish()
    }

    private init(parser: ExpressionParser) {
        self.parser = parser
    }

    private mutating func finish() throws(ExpressionError) -> UpdateExpression {
        let complaints = parser.complaints
        let reserved = parser.scope.reservedWord.map(ExpressionError.reservedWord)
        let first = reserved ?? complaints.unknownFunction ?? complaints.misusedFunction ?? complaints.section
        if let first { throw first }
        update.scope = parser.scope
        update.operandCountError = complaints.operandCount
        return update
    }

    private mutating func section() throws(ExpressionError) {
        let keyword = parser.current.text.uppercased()
        guard parser.current.kind == .identifier, ["SET", "REMOVE", "ADD", "DELETE"].contains(keyword) else {
            throw parser.syntaxError
        }
        parser.advance()
        if !sections.insert(keyword).inserted, parser.complaints.section == nil {
            parser.complaints.section = ExpressionError(
                "The \"\(keyword)\" section can only be used once in an update expression;")
        }
        repeat { try action(of: keyword) } while parser.take(.comma)
    }

    private mutating func action(of section: String) throws(ExpressionError) {
        let target = try parser.path()
        update.targets.append(target)
        switch section {
        case "SET":
            try parser.expect(.equal)
            update.sets.append((target, try setValue()))
        case "REMOVE": update.removes.append(target)
        case "ADD": update.adds.append((target, try literal(of: section, allowsNumber: true)))
        default: update.deletes.append((target, try literal(of: section, allowsNumber: false)))
        }
    }

    private mutating func literal(of section: String, allowsNumber: Bool) throws(ExpressionError) -> Int {
        let token = parser.current
        guard token.kind == .valueReference else { throw parser.syntaxError }
        parser.advance()
        let slot = parser.scope.slot(ofValue: token.text)
        update.checks.append(.member(section, slot, allowsNumber: allowsNumber))
        return slot
    }

    private mutating func setValue() throws(ExpressionError) -> SetValue {
        let left = try operand()
        for symbol in [Token.Symbol.plus, .minus] where parser.take(symbol) {
            let right = try operand()
            update.checks.append(.operand(symbol.rawValue, left, .n))
            update.checks.append(.operand(symbol.rawValue, right, .n))
            return symbol == .plus ? .sum(left, right) : .difference(left, right)
        }
        return .operand(left)
    }

    private mutating func operand() throws(ExpressionError) -> UpdateOperand {
        let token = parser.current
        if token.kind == .valueReference {
            parser.advance()
            return .value(parser.scope.slot(ofValue: token.text))
        }
        if parser.isFunctionCall { return try call(token.text) }
        guard parser.take(.leftParenthesis) else { return .path(try parser.path()) }
        try parser.deeper()
        defer { parser.depth -= 1 }
        let inner = try operand()
        try parser.expect(.rightParenthesis)
        return inner
    }

    private mutating func call(_ name: String) throws(ExpressionError) -> UpdateOperand {
        parser.advance()
        parser.advance()
        try parser.deeper()
        defer { parser.depth -= 1 }
        var arguments = [try operand()]
        while parser.take(.comma) { arguments.append(try operand()) }
        try parser.expect(.rightParenthesis)
        return lower(name, arguments)
    }

    /// The call as an operand; what is wrong with it is noted, for the service reports it in its own order.
    private mutating func lower(_ name: String, _ arguments: [UpdateOperand]) -> UpdateOperand {
        guard let function = UpdateFunction(rawValue: name) else {
            let isCondition = ConditionFunction(rawValue: name) != nil
            let error =
                isCondition
                ? ExpressionError("The function is not allowed in an update expression; function: \(name)")
                : .unknownFunction(name)
            parser.complaints.unknownFunction = parser.complaints.unknownFunction ?? error
            return .invalid
        }
        guard arguments.count == 2 else {
            parser.complaints.operandCount = parser.complaints.operandCount ?? .operandCount(name, arguments.count)
            return .invalid
        }
        switch function {
        case .listAppend:
            for argument in arguments { update.checks.append(.operand(name, argument, .l)) }
            return .listAppend(arguments[0], arguments[1])
        case .ifNotExists:
            if case .path(let path) = arguments[0] { return .ifNotExists(path, arguments[1]) }
            update.checks.append(.pathRequired(function))
            return .invalid
        }
    }
}
