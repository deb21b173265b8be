// Parser.swift — recursive descent over the tokens of one statement: the token cursor and the errors.
//
// Grammar: openCypher 9. Nesting is limited, so that no text can exhaust the stack; within one level operators loop.
// What was expected at the furthest token reached is remembered, so that a syntax error can say it as Neo4j does.

struct Parser {
    /// The deepest nesting of parentheses, lists, maps and calls that is accepted.
    static let nestingLimit = 64
    /// The longest run of operators of one precedence level.
    static let chainLimit = 10_000

    private let scalars: [Unicode.Scalar]
    private let tokens: [Token]
    var index = 0
    private var depth = 0
    private var expectations: [String] = []
    private var expectationIndex = 0

    /// - Throws: ``CypherError`` of kind `syntax`.
    static func parse(_ text: String) throws -> Statement {
        var parser = try Parser(text)
        return try parser.statement()
    }

    init(_ text: String) throws {
        scalars = Array(text.unicodeScalars)
        tokens = try Lexer.tokens(of: scalars)
    }

    // MARK: - The token cursor

    var token: Token { tokens[index] }
    var position: SourcePosition { token.position }

    func token(ahead: Int) -> Token { tokens[min(index + ahead, tokens.count - 1)] }

    mutating func advance() {
        if index < tokens.count - 1 { index += 1 }
    }

    /// The text of the statement from a position up to the last token consumed.
    func text(since start: SourcePosition) -> String {
        let end = index > 0 ? tokens[index - 1].endOffset : 0
        return String(scalars[start.offset..<max(start.offset, end)])
    }

    private func isSymbol(_ token: Token, _ symbol: String) -> Bool {
        token.kind == .symbol && token.text == symbol
    }

    func isSymbol(_ symbol: String, ahead: Int = 0) -> Bool { isSymbol(token(ahead: ahead), symbol) }

    func isKeyword(_ keyword: String, ahead: Int = 0) -> Bool { token(ahead: ahead).keyword == keyword }

    func isName(ahead: Int = 0) -> Bool {
        let kind = token(ahead: ahead).kind
        return kind == .name || kind == .quotedName
    }

    // MARK: - Consuming

    mutating func accept(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return missed("'\(symbol)'") }
        advance()
        return true
    }

    mutating func accept(keyword: String) -> Bool {
        guard isKeyword(keyword) else { return missed("'\(keyword)'") }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws {
        if !accept(symbol) { throw unexpected() }
    }

    mutating func expect(keyword: String) throws {
        if !accept(keyword: keyword) { throw unexpected() }
    }

    mutating func name(_ what: String) throws -> String {
        guard isName() else {
            _ = missed(what)
            throw unexpected()
        }
        defer { advance() }
        return token.text
    }

    // MARK: - Errors

    /// Notes that `expected` would have been accepted here; always false.
    @discardableResult
    mutating func missed(_ expected: String) -> Bool {
        if expectationIndex != index {
            expectationIndex = index
            expectations.removeAll(keepingCapacity: true)
        }
        if !expectations.contains(expected) { expectations.append(expected) }
        return false
    }

    func unexpected(_ detail: String = "UnexpectedSyntax") -> CypherError {
        let expected = expectationIndex == index ? expectations : []
        let list: String
        switch expected.count {
        case 0: list = ""
        case 1: list = ": expected \(expected[0])"
        default: list = ": expected \(expected.dropLast().joined(separator: ", ")) or \(expected[expected.count - 1])"
        }
        return .syntax(detail, "Invalid input '\(token.source)'\(list)", at: position)
    }

    /// Counts one level of nesting around `body`.
    mutating func nested<Result>(_ body: (inout Parser) throws -> Result) throws -> Result {
        guard depth < Self.nestingLimit else {
            throw CypherError.syntax("UnexpectedSyntax", "The statement is nested too deeply", at: position)
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    /// Runs `body`; if it throws, the cursor is back where it was and the answer is nil.
    mutating func attempt<Result>(_ body: (inout Parser) throws -> Result) -> Result? {
        let start = index
        do {
            return try body(&self)
        } catch {
            index = start
            return nil
        }
    }

    mutating func commaSeparated<Element>(_ element: (inout Parser) throws -> Element) throws -> [Element] {
        var elements = [try element(&self)]
        while accept(",") { elements.append(try element(&self)) }
        return elements
    }
}
