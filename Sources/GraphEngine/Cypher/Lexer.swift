// Lexer.swift — splits a statement into tokens.

/// The whole statement is lexed before it is parsed: parsers look ahead freely.
struct Lexer {
    private let scalars: [Unicode.Scalar]
    private var offset = 0
    private var line = 1
    private var lineStart = 0
    private var tokens: [Token] = []

    /// - Throws: ``CypherError`` of kind `syntax` for text that is no token.
    static func tokens(of text: [Unicode.Scalar]) throws -> [Token] {
        var lexer = Lexer(scalars: text)
        return try lexer.run()
    }

    private init(scalars: [Unicode.Scalar]) {
        self.scalars = scalars
        tokens.reserveCapacity(scalars.count / 4 + 1)
    }

    private mutating func run() throws -> [Token] {
        while true {
            try skipSpaceAndComments()
            guard let scalar = peek() else { break }
            try lexToken(startingWith: scalar)
        }
        tokens.append(
            Token(kind: .end, text: "", keyword: "", position: position, endOffset: offset, source: ""))
        return tokens
    }

    private mutating func lexToken(startingWith scalar: Unicode.Scalar) throws {
        switch scalar {
        case "'", "\"": try lexString(quote: scalar)
        case "`": try lexQuotedName()
        case "$": try lexParameter()
        case "0"..."9": try lexNumber()
        case "." where isDigit(peek(1)): try lexNumber()
        default:
            if Self.startsName(scalar) { lexName() } else { try lexSymbol() }
        }
    }

    // MARK: - Positions

    private var position: SourcePosition { SourcePosition(line: line, column: offset - lineStart + 1, offset: offset) }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        offset + ahead < scalars.count ? scalars[offset + ahead] : nil
    }

    private mutating func advance() {
        if scalars[offset] == "\n" {
            line += 1
            lineStart = offset + 1
        }
        offset += 1
    }

    private mutating func append(_ kind: Token.Kind, _ text: String, from start: SourcePosition) {
        let source = String(scalars[start.offset..<offset])
        tokens.append(
            Token(
                kind: kind, text: text, keyword: kind == .name ? text.uppercased() : "", position: start,
                endOffset: offset, source: source))
    }

    // MARK: - Space

    private mutating func skipSpaceAndComments() throws {
        while let scalar = peek() {
            if scalar.properties.isWhitespace {
                advance()
            } else if scalar == "/", peek(1) == "/" {
                while let next = peek(), next != "\n" { _ = next; advance() }
            } else if scalar == "/", peek(1) == "*" {
                try skipBlockComment()
            } else {
                return
            }
        }
    }

    private mutating func skipBlockComment() throws {
        let start = position
        advance()
        advance()
        while let scalar = peek() {
            if scalar == "*", peek(1) == "/" {
                advance()
                advance()
                return
            }
            advance()
        }
        throw CypherError.syntax(
            "UnexpectedSyntax", "Failed to parse comment. A comment needs to be closed.", at: start)
    }

    // MARK: - Names

    static func startsName(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isIDStart
    }

    static func continuesName(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isIDContinue
    }

    private mutating func lexName() {
        let start = position
        while let scalar = peek(), Self.continuesName(scalar) { advance() }
        append(.name, String(scalars[start.offset..<offset]), from: start)
    }

    /// Two backticks inside a quoted name stand for one.
    private mutating func lexQuotedName() throws {
        let start = position
        let name = try quotedName()
        append(.quotedName, name, from: start)
    }

    private mutating func quotedName() throws -> String {
        let start = position
        advance()
        var name = ""
        while let scalar = peek() {
            advance()
            if scalar != "`" {
                name.unicodeScalars.append(scalar)
            } else if peek() == "`" {
                advance()
                name += "`"
            } else {
                return name
            }
        }
        throw CypherError.syntax(
            "UnexpectedSyntax", "Failed to parse quoted name. The text needs to be closed.", at: start)
    }

    private mutating func lexParameter() throws {
        let start = position
        advance()
        if peek() == "`" {
            let name = try quotedName()
            append(.parameter, name, from: start)
            return
        }
        while let scalar = peek(), Self.continuesName(scalar) { advance() }
        guard offset > start.offset + 1 else { throw invalidCharacter("$", at: start) }
        append(.parameter, String(scalars[(start.offset + 1)..<offset]), from: start)
    }

    // MARK: - Numbers

    private func isDigit(_ scalar: Unicode.Scalar?) -> Bool {
        guard let scalar else { return false }
        return ("0"..."9").contains(scalar)
    }

    private mutating func lexNumber() throws {
        let start = position
        var isFloat = false
        if peek() == "0", let marker = peek(1), "xXoO".unicodeScalars.contains(marker) {
            advance()
            advance()
        } else {
            while isDigit(peek()) { advance() }
            if peek() == ".", isDigit(peek(1)) {
                isFloat = true
                advance()
                while isDigit(peek()) { advance() }
            }
            isFloat = lexExponent() || isFloat
        }
        // Letters glued to digits are a malformed number, never a number and a name.
        while let scalar = peek(), Self.continuesName(scalar) { advance() }
        append(isFloat ? .float : .integer, String(scalars[start.offset..<offset]), from: start)
    }

    private mutating func lexExponent() -> Bool {
        guard peek() == "e" || peek() == "E" else { return false }
        let signed = peek(1) == "-" || peek(1) == "+" ? 1 : 0
        guard isDigit(peek(1 + signed)) else { return false }
        for _ in 0...signed { advance() }
        while isDigit(peek()) { advance() }
        return true
    }

    // MARK: - Strings

    private mutating func lexString(quote: Unicode.Scalar) throws {
        let start = position
        advance()
        var text = ""
        while let scalar = peek() {
            if scalar == quote {
                advance()
                append(.string, text, from: start)
                return
            }
            if scalar == "\\" {
                text.unicodeScalars.append(try escapedScalar())
            } else {
                advance()
                text.unicodeScalars.append(scalar)
            }
        }
        throw CypherError.syntax(
            "UnexpectedSyntax",
            "Failed to parse string literal. The query must contain an even number of non-escaped quotes.",
            at: start)
    }

    private mutating func escapedScalar() throws -> Unicode.Scalar {
        let start = position
        advance()
        guard let scalar = peek() else { throw invalidEscape(at: start) }
        advance()
        switch scalar {
        case "\\", "'", "\"", "`": return scalar
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u": return try hexadecimalScalar(digits: 4, from: start)
        case "U": return try hexadecimalScalar(digits: 8, from: start)
        default: throw invalidEscape(at: start)
        }
    }

    private mutating func hexadecimalScalar(digits: Int, from start: SourcePosition) throws -> Unicode.Scalar {
        var code: UInt32 = 0
        for _ in 0..<digits {
            guard let scalar = peek(), let digit = Character(scalar).hexDigitValue, code < 0x1000_0000 else {
                throw invalidEscape(at: start)
            }
            code = code << 4 | UInt32(digit)
            advance()
        }
        guard let scalar = Unicode.Scalar(code) else { throw invalidEscape(at: start) }
        return scalar
    }

    private func invalidEscape(at start: SourcePosition) -> CypherError {
        .syntax("InvalidUnicodeLiteral", "Invalid escape sequence in a string literal", at: start)
    }

    // MARK: - Symbols

    private static let longSymbols: [[Unicode.Scalar]] = ["<>", "<=", ">=", "=~", "+=", "..", "||"].map {
        Array($0.unicodeScalars)
    }
    private static let symbols = Set("()[]{}.,:;=<>+-*/%^|&!".unicodeScalars)

    private mutating func lexSymbol() throws {
        let start = position
        for symbol in Self.longSymbols where peek() == symbol[0] && peek(1) == symbol[1] {
            advance()
            advance()
            append(.symbol, String(scalars[start.offset..<offset]), from: start)
            return
        }
        guard let scalar = peek(), Self.symbols.contains(scalar) else {
            throw invalidCharacter(String(Character(scalars[offset])), at: start)
        }
        advance()
        append(.symbol, String(Character(scalar)), from: start)
    }

    private func invalidCharacter(_ text: String, at position: SourcePosition) -> CypherError {
        let isASCII = text.unicodeScalars.allSatisfy(\.isASCII)
        return .syntax(
            isASCII ? "UnexpectedSyntax" : "InvalidUnicodeCharacter", "Invalid input '\(text)'", at: position)
    }
}

extension String {
    init(_ scalars: ArraySlice<Unicode.Scalar>) {
        var view = UnicodeScalarView()
        view.append(contentsOf: scalars)
        self = String(view)
    }
}
