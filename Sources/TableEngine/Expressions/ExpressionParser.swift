// ExpressionParser.swift — the token stream and the rules that all expressions share.

/// Walks an expression's words and collects what they refer to. The grammars are extensions of it.
struct ExpressionParser {
    /// Parentheses and functions within one another; a longer nest is refused, so that parsing and evaluation need a
    /// bounded stack.
    static let depthLimit = 64
    /// Bytes of an expression.
    static let lengthLimit = 4096

    private let text: [UInt8]
    private let tokens: [Token]
    /// Of the current word.
    private(set) var position = 0
    var depth = 0
    var scope = ExpressionScope()
    /// What can be told from the text alone, by kind, the first of each; which is reported depends on the grammar.
    var complaints = Complaints()

    struct Complaints {
        var parentheses: ExpressionError?
        var unknownFunction: ExpressionError?
        var misusedFunction: ExpressionError?
        var section: ExpressionError?
        var operandCount: ExpressionError?
    }

    init(_ text: String) throws(ExpressionError) {
        guard text.utf8.count <= Self.lengthLimit else { throw .tooLong(text.utf8.count) }
        self.text = Array(text.utf8)
        tokens = Lexer.tokens(of: text)
        guard tokens[0].kind != .end else { throw .empty }
    }

    var current: Token { tokens[position] }

    func peek(_ distance: Int) -> Token {
        tokens[min(position + distance, tokens.count - 1)]
    }

    mutating func advance() {
        position = min(position + 1, tokens.count - 1)
    }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol) throws(ExpressionError) {
        guard take(symbol) else { throw syntaxError }
    }

    func isKeyword(_ keyword: String, _ token: Token? = nil) -> Bool {
        let token = token ?? current
        return token.kind == .identifier && token.text.uppercased() == keyword
    }

    mutating func take(keyword: String) -> Bool {
        guard isKeyword(keyword) else { return false }
        advance()
        return true
    }

    func expectEnd() throws(ExpressionError) {
        guard current.kind == .end else { throw syntaxError }
    }

    /// The complaint about the current word, quoting its neighbours.
    var syntaxError: ExpressionError {
        let start = tokens[max(position - 1, 0)].range.lowerBound
        let end = peek(1).range.upperBound
        return .syntax(token: current.text, near: String(decoding: text[start..<max(start, end)], as: UTF8.self))
    }

    /// Enters a nest; whoever calls it leaves it with `depth -= 1`.
    mutating func deeper() throws(ExpressionError) {
        guard depth < Self.depthLimit else { throw syntaxError }
        depth += 1
    }

    /// `name`, then `.name` and `[index]`.
    mutating func path() throws(ExpressionError) -> Int {
        var elements = [try pathName()]
        while true {
            if take(.dot) {
                elements.append(try pathName())
            } else if take(.leftBracket) {
                elements.append(try pathIndex())
            } else {
                break
            }
        }
        guard elements.count <= DocumentPath.depthLimit else { throw .tooDeepPath(elements.count) }
        return scope.slot(ofPath: elements)
    }

    private mutating func pathName() throws(ExpressionError) -> ExpressionScope.PathElement {
        let token = current
        switch token.kind {
        case .identifier:
            scope.checkReserved(token.text)
            advance()
            return .name(token.text)
        case .nameReference:
            advance()
            return .placeholder(scope.slot(ofName: token.text))
        default: throw syntaxError
        }
    }

    private mutating func pathIndex() throws(ExpressionError) -> ExpressionScope.PathElement {
        guard current.kind == .number, let index = Int(current.text), index <= Int32.max else { throw syntaxError }
        advance()
        try expect(.rightBracket)
        return .index(index)
    }

    /// Whether the current word begins a function call.
    var isFunctionCall: Bool {
        current.kind == .identifier && peek(1).kind == .symbol(.leftParenthesis)
    }
}
