// Token.swift — the words of an expression.

/// A word of an expression and where it stands.
struct Token: Equatable {
    enum Kind: Equatable {
        /// A letter, then letters, digits and underscores: attribute names, keywords, function names.
        case identifier
        /// `#` and letters, digits, underscores.
        case nameReference
        /// `:` and letters, digits, underscores.
        case valueReference
        case number
        case symbol(Symbol)
        /// A character that begins no word; no rule of the grammar accepts it.
        case unknown
        case end
    }

    enum Symbol: String, CaseIterable {
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case leftBracket = "["
        case rightBracket = "]"
        case comma = ","
        case dot = "."
        case plus = "+"
        case minus = "-"
        case equal = "="
        case notEqual = "<>"
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case less = "<"
        case greater = ">"
    }

    var kind: Kind
    /// As it was written; `<EOF>` for the end.
    var text: String
    /// Bytes from the start of the expression.
    var range: Range<Int>
}

/// Splits an expression's text into words.
struct Lexer {
    private let bytes: [UInt8]
    private var offset = 0

    static func tokens(of text: String) -> [Token] {
        var lexer = Lexer(bytes: Array(text.utf8))
        var tokens: [Token] = []
        repeat { tokens.append(lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func next() -> Token {
        while offset < bytes.count, Self.isSpace(bytes[offset]) { offset += 1 }
        guard offset < bytes.count else { return Token(kind: .end, text: "<EOF>", range: offset..<offset) }
        switch bytes[offset] {
        case UInt8(ascii: "#"): return reference(.nameReference)
        case UInt8(ascii: ":"): return reference(.valueReference)
        case let byte where Self.isLetter(byte): return token(.identifier, endingAt: end(from: offset + 1, Self.isPart))
        case let byte where Self.isDigit(byte): return token(.number, endingAt: end(from: offset + 1, Self.isDigit))
        default: return symbol()
        }
    }

    private mutating func reference(_ kind: Token.Kind) -> Token {
        let end = end(from: offset + 1, Self.isPart)
        return token(end > offset + 1 ? kind : .unknown, endingAt: end)
    }

    /// The longest symbol that fits, or one character that is none.
    private mutating func symbol() -> Token {
        for length in [2, 1] where offset + length <= bytes.count {
            let text = String(decoding: bytes[offset..<(offset + length)], as: UTF8.self)
            if let symbol = Token.Symbol(rawValue: text) { return token(.symbol(symbol), endingAt: offset + length) }
        }
        // The other bytes of a character that takes several belong to it.
        return token(.unknown, endingAt: end(from: offset + 1) { $0 & 0xC0 == 0x80 })
    }

    private mutating func token(_ kind: Token.Kind, endingAt end: Int) -> Token {
        defer { offset = end }
        return Token(kind: kind, text: String(decoding: bytes[offset..<end], as: UTF8.self), range: offset..<end)
    }

    private func end(from start: Int, _ belongs: (UInt8) -> Bool) -> Int {
        bytes[start...].firstIndex { !belongs($0) } ?? bytes.count
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isPart(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
    }
}
