// BSONValidation.swift — checks bytes that come from outside before anything else reads them.
//
// A document is valid if
// 1. its length field equals the number of bytes, and its last byte is zero;
// 2. every element has a known type, a terminated UTF-8 name and a value that fits;
// 3. strings end with a zero byte inside their length and are UTF-8, booleans are 0 or 1;
// 4. nested documents and arrays are valid, at most 100 levels deep.

enum BSONValidation {
    static func validate(_ bytes: RawSpan) throws(DocumentError) {
        guard bytes.byteCount <= Document.maximumByteCount else {
            throw DocumentError.tooLarge(byteCount: bytes.byteCount)
        }
        try validateDocument(bytes, depth: 1)
    }

    private static func validateDocument(_ bytes: RawSpan, depth: Int) throws(DocumentError) {
        guard depth <= Document.maximumDepth else { throw invalid("exceeded the maximum nesting depth of 100") }
        guard bytes.byteCount >= 5, Int(bytes.littleEndian32(at: 0)) == bytes.byteCount else {
            throw invalid("the length of the document is wrong")
        }
        guard bytes.byte(at: bytes.byteCount - 1) == 0 else { throw invalid("the document is not terminated") }
        var offset = 4
        while offset < bytes.byteCount - 1 {
            offset = try validateElement(bytes, at: offset, depth: depth)
        }
    }

    /// Checks one element and gives the offset behind it.
    private static func validateElement(_ bytes: RawSpan, at offset: Int, depth: Int) throws(DocumentError) -> Int {
        guard let type = BSONType(rawValue: bytes.byte(at: offset)) else {
            throw invalid("unrecognized BSON type \(bytes.byte(at: offset))")
        }
        let body = bytes.extracting(first: bytes.byteCount - 1)
        guard let nameEnd = body.offset(ofZeroFrom: offset + 1) else { throw invalid("a field name is not terminated") }
        guard isUTF8(body.extracting((offset + 1)..<nameEnd)) else { throw invalid("a field name is not UTF-8") }
        guard let byteCount = body.valueByteCount(type, at: nameEnd + 1) else {
            throw invalid("the value of field '\(String(utf8: body.extracting((offset + 1)..<nameEnd)))' does not fit")
        }
        let value = body.extracting((nameEnd + 1)..<(nameEnd + 1 + byteCount))
        try validateValue(BSONView(type: type, bytes: value), depth: depth)
        return nameEnd + 1 + byteCount
    }

    private static func validateValue(_ value: BSONView, depth: Int) throws(DocumentError) {
        switch value.type {
        case .document, .array: try validateDocument(value.bytes, depth: depth + 1)
        case .string, .symbol, .javascript: try validateText(value.bytes)
        case .dbPointer: try validateText(value.bytes.extracting(0..<(value.bytes.byteCount - 12)))
        case .javascriptWithScope: try validateScopedCode(value.bytes, depth: depth)
        case .bool:
            guard value.bytes.byte(at: 0) <= 1 else { throw invalid("a boolean is neither 0 nor 1") }
        case .regex:
            guard isUTF8(value.bytes) else { throw invalid("a regular expression is not UTF-8") }
        default: break
        }
    }

    private static func validateScopedCode(_ bytes: RawSpan, depth: Int) throws(DocumentError) {
        guard let codeCount = bytes.valueByteCount(.javascript, at: 4) else { throw invalid("code does not fit") }
        try validateText(bytes.extracting(4..<(4 + codeCount)))
        try validateDocument(bytes.extracting((4 + codeCount)..<bytes.byteCount), depth: depth + 1)
    }

    private static func validateText(_ bytes: RawSpan) throws(DocumentError) {
        guard bytes.byte(at: bytes.byteCount - 1) == 0 else { throw invalid("a string is not terminated") }
        guard isUTF8(bytes.extracting(4..<(bytes.byteCount - 1))) else { throw invalid("a string is not UTF-8") }
    }

    private static func isUTF8(_ bytes: RawSpan) -> Bool {
        for offset in 0..<bytes.byteCount where bytes.byte(at: offset) >= 0x80 {
            return unsafe bytes.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) } != nil
        }
        return true
    }

    private static func invalid(_ reason: String) -> DocumentError {
        DocumentError(.invalidBSON, "Invalid BSON: \(reason)")
    }
}
