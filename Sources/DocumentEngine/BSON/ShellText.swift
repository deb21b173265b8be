// ShellText.swift — values as the server prints them in messages: `{ email: "a@b.c", n: 1.0 }`.

extension Document {
    /// The document as the server prints it in errors.
    var shellText: String {
        guard !isEmpty else { return "{}" }
        return "{ " + fields.map { "\($0.name): \($0.value.shellText)" }.joined(separator: ", ") + " }"
    }
}

extension BSONValue {
    /// The value as the server prints it in errors.
    var shellText: String {
        switch self {
        case .double(let number): ExtendedJSONWriter.text(number).replacing("Infinity", with: "inf")
        case .string(let text), .symbol(let text): "\"\(text)\""
        case .document(let document): document.shellText
        case .array(let elements):
            elements.isEmpty ? "[]" : "[ " + elements.map(\.shellText).joined(separator: ", ") + " ]"
        case .binary(let binary): "BinData(\(binary.subtype), \(Hexadecimal.text(binary.bytes).uppercased()))"
        case .undefined: "undefined"
        case .objectID(let id): "ObjectId('\(id.hex)')"
        case .bool(let flag): flag ? "true" : "false"
        case .date(let date): "new Date(\(date.milliseconds))"
        case .null: "null"
        case .regex(let regex): "/\(regex.pattern)/\(regex.options)"
        case .dbPointer(let namespace, let id): "DBRef('\(namespace)', \(id.hex))"
        case .javascript(let code): code
        case .javascriptWithScope(let code, let scope): "CodeWScope( \(code), \(scope.shellText))"
        case .int32(let number): String(number)
        case .timestamp(let timestamp): "Timestamp(\(timestamp.seconds), \(timestamp.increment))"
        case .int64(let number): String(number)
        case .decimal128(let number): number.description
        case .maxKey: "MaxKey"
        case .minKey: "MinKey"
        }
    }
}
