// Lexer.swift — CQL text into tokens. Comments are `-- …`, `// …` and `/* … */`.

/// Turns a statement's text into tokens, the last of them `.end`.
struct Lexer {
    private let text: [UInt8]
    private var offset = 0
    private var line = 1
    private var column = 0

    /// A token takes many times the memory of its byte.
    static let maximumTokenCount = 1 << 20

    static func tokens(of text: String) throws -> [Token] {
        var lexer = Lexer(text: Array(text.utf8))
        var tokens: [Token] = []
        repeat {
            guard tokens.count < maximumTokenCount else {
                throw lexer.error("the statement has more than \(maximumTokenCount) tokens")
            }
            tokens.append(try lexer.next())
        } while tokens.last?.kind != .end
        return tokens
    }

    private init(text: [UInt8]) {
        self.text = text
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        offset + distance < text.count ? text[offset + distance] : nil
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where offset < text.count {
            let byte = text[offset]
            offset += 1
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 0
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
    }

    private mutating func next() throws -> Token {
        try skipSpaceAndComments()
        let start = (offset, line, column)
        let kind = try kindOfNext()
        return Token(kind: kind, range: start.0..<offset, line: start.1, column: start.2)
    }

    private mutating func kindOfNext() throws -> Token.Kind {
        guard let byte = peek() else { return .end }
        switch byte {
        case UInt8(ascii: "'"): return .string(try quoted(by: UInt8(ascii: "'")))
        case UInt8(ascii: "\""):
            let name = try quoted(by: UInt8(ascii: "\""))
            guard !name.isEmpty else { throw error("no viable alternative at input '\"\"'") }
            return .quotedName(name)
        case UInt8(ascii: "$") where peek(1) == UInt8(ascii: "$"): return .string(try dollarQuoted())
        case _ where byte.isHexadecimalDigit && uuidAhead() != nil: return try uuid()
        case UInt8(ascii: "0") where peek(1).map({ $0 | 0x20 == UInt8(ascii: "x") }) == true: return try blob()
        case _ where durationAhead() != nil: return duration()
        case _ where byte.isDigit: return try number()
        case UInt8(ascii: "-") where peek(1)?.isDigit == true: return try number()
        case _ where byte.isNameStart: return .name(take { $0.isNamePart }.lowercased())
        default: return try symbol()
        }
    }

    // MARK: Space and comments

    private mutating func skipSpaceAndComments() throws {
        while let byte = peek() {
            switch (byte, peek(1)) {
            case (9...13, _), (32, _): advance()
            case (UInt8(ascii: "-"), UInt8(ascii: "-")?), (UInt8(ascii: "/"), UInt8(ascii: "/")?):
                while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
            case (UInt8(ascii: "/"), UInt8(ascii: "*")?): try skipBlockComment()
            default: return
            }
        }
    }

    private mutating func skipBlockComment() throws {
        advance(2)
        while !(peek() == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) {
            guard peek() != nil else { throw error("mismatched character '<EOF>' expecting '*'") }
            advance()
        }
        advance(2)
    }

    // MARK: Quoted text

    /// Text up to the closing quote; a doubled quote stands for one.
    private mutating func quoted(by quote: UInt8) throws -> String {
        advance()
        var content: [UInt8] = []
        while true {
            guard let byte = peek() else {
                throw error("mismatched character '<EOF>' expecting '\(Character(Unicode.Scalar(quote)))'")
            }
            advance()
            if byte == quote {
                guard peek() == quote else { return String(decoding: content, as: UTF8.self) }
                advance()
            }
            content.append(byte)
        }
    }

    /// `$$…$$`: text in which quotes need no doubling.
    private mutating func dollarQuoted() throws -> String {
        advance(2)
        let start = offset
        while !(peek() == UInt8(ascii: "$") && peek(1) == UInt8(ascii: "$")) {
            guard peek() != nil else { throw error("mismatched character '<EOF>' expecting '$'") }
            advance()
        }
        let content = String(decoding: text[start..<offset], as: UTF8.self)
        advance(2)
        return content
    }

    // MARK: Numbers, blobs, UUIDs

    private mutating func take(while condition: (UInt8) -> Bool) -> String {
        let start = offset
        while let byte = peek(), condition(byte) { advance() }
        return String(decoding: text[start..<offset], as: UTF8.self)
    }

    private mutating func number() throws -> Token.Kind {
        let start = offset
        advance()
        _ = take { $0.isDigit }
        var isFloat = false
        // `1.` is a number; in `1..2` there are two.
        if peek() == UInt8(ascii: "."), peek(1) != UInt8(ascii: ".") {
            isFloat = true
            advance()
            _ = take { $0.isDigit }
        }
        if let byte = peek(), byte | 0x20 == UInt8(ascii: "e"), exponentAhead() {
            isFloat = true
            advance(2)
            _ = take { $0.isDigit }
        }
        let isDuration = !isFloat && unitsAhead > 0
        if isDuration { advance(unitsAhead) }
        let number = String(decoding: text[start..<offset], as: UTF8.self)
        return isDuration ? .duration(number) : isFloat ? .float(number) : .integer(number)
    }

    /// How many bytes the units of a duration have whose first number was read: `h30m`; 0 where there are none.
    private var unitsAhead: Int {
        var end = 0
        while peek(end)?.isNamePart == true || peek(end) == 0xC2 || peek(end) == 0xB5 { end += 1 }
        let text = String(decoding: text[offset..<offset + end], as: UTF8.self).lowercased()
        let units = text.split(omittingEmptySubsequences: false) { $0.isASCII && $0.isNumber }.filter { !$0.isEmpty }
        let isUnits = text.first?.isNumber == false && text.last?.isNumber == false
        return isUnits && units.allSatisfy { CQLDuration.unitNames.contains(String($0)) } ? end : 0
    }

    private func exponentAhead() -> Bool {
        guard let sign = peek(1) else { return false }
        return sign.isDigit || (sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")) && peek(2)?.isDigit == true
    }

    private mutating func blob() throws -> Token.Kind {
        advance(2)
        let digits = take { $0.isNamePart }
        guard let bytes = Hexadecimal.bytes(digits) else {
            throw error("no viable alternative at input '0x\(digits)'")
        }
        return .blob(bytes)
    }

    private func uuidAhead() -> CQLUUID? {
        guard offset + 36 <= text.count, offset + 36 == text.count || !text[offset + 36].isNamePart else { return nil }
        guard text[offset + 8] == UInt8(ascii: "-") else { return nil }
        return CQLUUID(String(decoding: text[offset..<offset + 36], as: UTF8.self))
    }

    private mutating func uuid() throws -> Token.Kind {
        guard let uuid = uuidAhead() else { throw error("no viable alternative") }
        advance(36)
        return .uuid(uuid)
    }

    /// The length of an ISO 8601 duration that begins here; `1h30m` begins as a number does.
    private func durationAhead() -> Int? {
        let start = peek() == UInt8(ascii: "-") ? 1 : 0
        // In upper case alone: `p1d` is a name, and what a name stands for must not depend on what it looks like.
        guard peek(start) == UInt8(ascii: "P"), let second = peek(start + 1),
            second.isDigit || second == UInt8(ascii: "T")
        else { return nil }
        if offset + start + 20 <= text.count, text[offset + start + 5] == UInt8(ascii: "-"),
            CQLDuration(String(decoding: text[offset..<offset + start + 20], as: UTF8.self)) != nil
        {
            return start + 20
        }
        var end = start + 1
        while let byte = peek(end), byte.isNamePart { end += 1 }
        return CQLDuration(String(decoding: text[offset..<offset + end], as: UTF8.self)) == nil ? nil : end
    }

    private mutating func duration() -> Token.Kind {
        let count = durationAhead() ?? 0
        let start = offset
        advance(count)
        return .duration(String(decoding: text[start..<offset], as: UTF8.self))
    }

    // MARK: Symbols

    private mutating func symbol() throws -> Token.Kind {
        let two = String(decoding: text[offset..<min(offset + 2, text.count)], as: UTF8.self)
        if two.utf8.count == 2, let symbol = Token.Symbol(rawValue: two) {
            advance(2)
            return .symbol(symbol)
        }
        guard let byte = peek(), byte < 0x80, let symbol = Token.Symbol(rawValue: String(Unicode.Scalar(byte))) else {
            let character = String(decoding: text[offset...].prefix(4), as: UTF8.self).prefix(1)
            throw error("no viable alternative at character '\(character)'")
        }
        advance()
        return .symbol(symbol)
    }

    private func error(_ message: String) -> CQLError {
        .syntax("line \(line):\(column) \(message)")
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (48...57).contains(self) }
    fileprivate var isLetter: Bool { (65...90).contains(self & ~0x20) }
    fileprivate var isNameStart: Bool { isLetter }
    fileprivate var isNamePart: Bool { isLetter || isDigit || self == UInt8(ascii: "_") }
    fileprivate var isHexadecimalDigit: Bool { Hexadecimal.value(self) != nil }
}
