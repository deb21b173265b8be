// Parser.swift — recursive descent over CQL tokens: entry point, token access and syntax errors.
//
// The other aspects: Parser+Schema, Parser+Modification, Parser+Select, Parser+Relations, Parser+Terms.

/// Parses one statement. Errors carry `line:column` and the words of Cassandra's parser (ANTLR).
struct Parser {
    /// Deeper nesting of terms and types is refused, so that no text exhausts the stack.
    static let maximumNesting = 64

    private let text: [UInt8]
    private let tokens: [Token]
    private var index = 0
    var nesting = 0
    /// Operators of the chains that are being read.
    var operators = 0
    var markers: [String?] = []
    /// Whether a table or a type was named without its keyspace.
    private var hasUnqualifiedName = false

    /// Longer statements are refused: the parser holds all tokens of a text. Values have room enough in markers.
    static let maximumByteCount = 16 << 20

    private init(_ text: String) throws {
        guard text.utf8.count <= Self.maximumByteCount else {
            throw CQLError.invalid(
                "The statement of \(text.utf8.count) bytes is longer than the maximum of \(Self.maximumByteCount); "
                    + "bind long values to markers")
        }
        self.text = Array(text.utf8)
        tokens = try Lexer.tokens(of: text)
    }

    /// Parses `text`, which holds one statement and at most a closing semicolon.
    ///
    /// - Throws: `CQLError` with code `.syntaxException`, or `.invalidRequest` for types that are not offered.
    static func parse(_ text: String) throws -> ParsedStatement {
        var parser = try Parser(text)
        let statement = try parser.statement()
        while parser.take(.semicolon) {}
        guard parser.current.kind == .end else { throw parser.mismatched(expecting: "EOF") }
        return ParsedStatement(
            statement: statement, markers: parser.markers, hasUnqualifiedName: parser.hasUnqualifiedName)
    }

    /// A type as CQL writes it.
    static func parseType(_ text: String) throws -> CQLType {
        var parser = try Parser(text)
        let type = try parser.columnType()
        guard parser.current.kind == .end else { throw parser.mismatched(expecting: "EOF") }
        return type
    }

    /// A masking function with its arguments.
    static func parseMask(_ text: String) throws -> ColumnMask {
        var parser = try Parser(text)
        let mask = try parser.mask()
        guard parser.current.kind == .end else { throw parser.mismatched(expecting: "EOF") }
        return mask
    }

    /// The relations of a WHERE clause.
    static func parseRelations(_ text: String) throws -> [Relation] {
        var parser = try Parser(text)
        return parser.current.kind == .end ? [] : try parser.relations()
    }

    private mutating func statement() throws -> Statement {
        guard case .name(let word) = current.kind else { throw noViableAlternative() }
        switch word {
        case "use": return try use()
        case "create": return try create()
        case "drop": return try drop()
        case "truncate": return try truncate()
        case "insert": return .modification(try insert())
        case "update": return .modification(try update())
        case "delete": return .modification(try delete())
        case "begin": return .batch(try batch())
        case "select": return .select(try select())
        case "alter": return try alter()
        case "describe", "desc": return .describe(try describe())
        case "grant", "revoke", "list":
            throw CQLError.invalid("\(word.uppercased()) statements are not supported")
        default: throw noViableAlternative()
        }
    }

    // MARK: Tokens

    var current: Token { tokens[index] }

    func peek(_ distance: Int) -> Token {
        tokens[min(index + distance, tokens.count - 1)]
    }

    mutating func advance() {
        if index < tokens.count - 1 { index += 1 }
    }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol) throws {
        guard take(symbol) else { throw mismatched(expecting: "'\(symbol.rawValue)'") }
    }

    func isAt(_ symbol: Token.Symbol) -> Bool {
        current.kind == .symbol(symbol)
    }

    func isAt(_ word: String, _ distance: Int = 0) -> Bool {
        peek(distance).kind == .name(word)
    }

    mutating func take(_ words: String...) -> Bool {
        guard words.indices.allSatisfy({ isAt(words[$0], $0) }) else { return false }
        for _ in words { advance() }
        return true
    }

    mutating func expect(_ words: String...) throws {
        for word in words where !take(word) { throw mismatched(expecting: "K_\(word.uppercased())") }
    }

    /// An identifier: a name that is no reserved word, or a quoted one.
    mutating func identifier() throws -> String {
        switch current.kind {
        case .name(let name) where !ReservedWord.all.contains(name):
            advance()
            return name
        case .quotedName(let name):
            advance()
            return name
        default: throw noViableAlternative()
        }
    }

    mutating func identifiers() throws -> [String] {
        try commaSeparated { try $0.identifier() }
    }

    mutating func commaSeparated<Item>(_ item: (inout Parser) throws -> Item) throws -> [Item] {
        var items = [try item(&self)]
        while take(.comma) { items.append(try item(&self)) }
        return items
    }

    mutating func tableName() throws -> TableName {
        let first = try identifier()
        guard take(.dot) else {
            hasUnqualifiedName = true
            return TableName(keyspace: nil, name: first)
        }
        return TableName(keyspace: first, name: try identifier())
    }

    mutating func ifNotExists() throws -> Bool {
        guard take("if") else { return false }
        try expect("not", "exists")
        return true
    }

    mutating func ifExists() throws -> Bool {
        guard take("if") else { return false }
        try expect("exists")
        return true
    }

    mutating func nested<Result>(_ body: (inout Parser) throws -> Result) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.maximumNesting else {
            throw CQLError.syntax("\(place) the statement is nested too deeply")
        }
        return try body(&self)
    }

    /// The longest chain of operators: a chain makes a tree as deep.
    static let maximumOperators = 256

    /// Counts an operator of the chain that is being read. Whoever reads the chain sets `operators` back at its end.
    mutating func countOperator() throws {
        operators += 1
        guard operators <= Self.maximumOperators else {
            throw CQLError.syntax("\(place) the statement is nested too deeply")
        }
    }

    // MARK: Errors

    func noViableAlternative() -> CQLError {
        .syntax("\(place) no viable alternative at input '\(currentText)'\(snippet)")
    }

    func mismatched(expecting expected: String) -> CQLError {
        .syntax("\(place) mismatched input '\(currentText)' expecting \(expected)\(snippet)")
    }

    private var place: String { "line \(current.line):\(current.column)" }

    private var currentText: String {
        current.kind == .end ? "<EOF>" : String(decoding: text[current.range], as: UTF8.self)
    }

    /// The statement around the offending token, which stands in brackets ([CA] cql3/ErrorCollector.java).
    private var snippet: String {
        let first = max(0, index - 5)
        let from = tokens[first].range.lowerBound
        let before = String(decoding: text[from..<current.range.lowerBound], as: UTF8.self)
        let offending = current.kind == .end ? "" : "[\(currentText)]"
        let isLast = peek(1).kind == .end
        return " (\(first > 0 ? "..." : "")\(before)\(offending)\(isLast ? "" : "..."))"
    }
}
