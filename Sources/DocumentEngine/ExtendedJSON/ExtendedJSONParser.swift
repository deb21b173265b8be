// ExtendedJSONParser.swift — JSON text to BSON values; errors name the offset in bytes.

/// Recursive descent over the bytes of the text (RFC 8259), at most 100 levels deep.
struct ExtendedJSONParser {
    private let text: [UInt8]
    private var offset = 0
    private var depth = 0

    init(_ text: String) {
        self.text = Array(text.utf8)
    }

    mutating func parse() throws(DocumentError) -> BSONValue {
        let value = try parseValue()
        skipSpace()
        guard offset == text.count else { throw failure("Garbage at end of the text") }
        return value
    }

    private mutating func parseValue() throws(DocumentError) -> BSONValue {
        skipSpace()
        guard let character = current else { throw failure("Expecting a value") }
        switch character {
        case UInt8(ascii: "{"): return try parseObject()
        case UInt8(ascii: "["): return try parseArray()
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: return try parseNumber()
        }
    }

    private mutating func parseObject() throws(DocumentError) -> BSONValue {
        let start = offset
        try enter()
        defer { depth -= 1 }
        var fields: [(String, BSONValue)] = []
        skipSpace()
        if skip("}") { return .document(Document()) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw failure("Expecting a quoted field name") }
            let name = try parseString()
            guard !name.utf8.contains(0) else { throw failure("A field name can't contain a null byte") }
            skipSpace()
            guard skip(":") else { throw failure("Expecting ':'") }
            fields.append((name, try parseValue()))
            skipSpace()
        } while skip(",")
        guard skip("}") else { throw failure("Expecting '}' or ','") }
        return try ExtendedJSONWrapper.value(of: fields, at: start) ?? .document(Document(fields))
    }

    private mutating func parseArray() throws(DocumentError) -> BSONValue {
        try enter()
        defer { depth -= 1 }
        var elements: [BSONValue] = []
        skipSpace()
        if skip("]") { return .array([]) }
        repeat {
            elements.append(try parseValue())
            skipSpace()
        } while skip(",")
        guard skip("]") else { throw failure("Expecting ']' or ','") }
        return .array(elements)
    }

    private mutating func parseNumber() throws(DocumentError) -> BSONValue {
        let start = offset
        _ = skip("-")
        guard let first = current, isDigit(first) else { throw failure("Expecting a value") }
        let digitsStart = offset
        skipDigits()
        if first == UInt8(ascii: "0"), offset - digitsStart > 1 {
            throw failure("A number can't begin with a zero")
        }
        var isInteger = true
        if skip(".") {
            isInteger = false
            try requireDigits()
        }
        if skip("e") || skip("E") {
            isInteger = false
            if !skip("+") { _ = skip("-") }
            try requireDigits()
        }
        let digits = String(decoding: text[start..<offset], as: UTF8.self)
        if isInteger, let number = Int(digits) { return .int(number) }
        guard let number = Double(digits) else { throw failure("Bad number") }
        return .double(number)
    }

    private mutating func requireDigits() throws(DocumentError) {
        guard let character = current, isDigit(character) else { throw failure("Expecting a digit") }
        skipDigits()
    }

    private mutating func skipDigits() {
        while let character = current, isDigit(character) { offset += 1 }
    }

    private func isDigit(_ character: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character)
    }

    private mutating func parseWord(_ word: String, _ value: BSONValue) throws(DocumentError) -> BSONValue {
        guard text[offset...].starts(with: word.utf8) else { throw failure("Expecting a value") }
        offset += word.utf8.count
        return value
    }

    private mutating func enter() throws(DocumentError) {
        offset += 1
        depth += 1
        guard depth <= Document.maximumDepth else { throw failure("Exceeded the maximum nesting depth of 100") }
    }

    private var current: UInt8? { offset < text.count ? text[offset] : nil }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard let current, UInt32(current) == character.value else { return false }
        offset += 1
        return true
    }

    private mutating func skipSpace() {
        while let character = current, character == 0x20 || (0x09...0x0D).contains(character) { offset += 1 }
    }

    private func failure(_ message: String) -> DocumentError {
        .failedToParse("\(message) at offset \(offset)")
    }
}

// Strings.
extension ExtendedJSONParser {
    private mutating func parseString() throws(DocumentError) -> String {
        offset += 1
        var bytes: [UInt8] = []
        while let character = current {
            offset += 1
            switch character {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: try parseEscape())
            case 0..<0x20: throw failure("Control character in a string")
            default: bytes.append(character)
            }
        }
        throw failure("Expecting '\"': the string does not end")
    }

    private mutating func parseEscape() throws(DocumentError) -> [UInt8] {
        guard let character = current else { throw failure("The string does not end") }
        offset += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [character]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(try parseScalar()).utf8)
        default: throw failure("Bad escape in a string")
        }
    }

    private mutating func parseScalar() throws(DocumentError) -> Character {
        let unit = try parseUnit()
        if let scalar = Unicode.Scalar(unit) { return Character(scalar) }
        guard (0xD800..<0xDC00).contains(unit), skip("\\"), skip("u") else { throw failure("Unpaired surrogate") }
        let low = try parseUnit()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("Unpaired surrogate") }
        let combined = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        guard let scalar = Unicode.Scalar(combined) else { throw failure("Unpaired surrogate") }
        return Character(scalar)
    }

    private mutating func parseUnit() throws(DocumentError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let character = current, let digit = Hexadecimal.value(character) else {
                throw failure("Expecting four hexadecimal digits")
            }
            unit = unit << 4 | UInt16(digit)
            offset += 1
        }
        return unit
    }
}
