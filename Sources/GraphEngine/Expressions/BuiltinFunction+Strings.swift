// BuiltinFunction+Strings.swift — functions of strings, and conversions. Positions and lengths count code points.

extension BuiltinFunction {
    static let stringFunctions: [String: BuiltinFunction] = [
        "tostring": BuiltinFunction(1) { arguments, _ in
            guard let text = text(of: arguments[0]) else {
                throw wrongType("toString", arguments[0], "a String, Number or Boolean")
            }
            return .string(text)
        },
        "tostringornull": BuiltinFunction(1) { arguments, _ in text(of: arguments[0]).map { .string($0) } ?? .null },
        "toupper": onString("toUpper") { .string($0.uppercased()) },
        "tolower": onString("toLower") { .string($0.lowercased()) },
        "upper": onString("upper") { .string($0.uppercased()) },
        "lower": onString("lower") { .string($0.lowercased()) },
        "trim": onString("trim") { .string(trimmed($0, start: true, end: true)) },
        "ltrim": onString("lTrim") { .string(trimmed($0, start: true, end: false)) },
        "rtrim": onString("rTrim") { .string(trimmed($0, start: false, end: true)) },
        "char_length": onString("char_length") { GraphValue($0.unicodeScalars.count) },
        "character_length": onString("character_length") { GraphValue($0.unicodeScalars.count) },
        "left": BuiltinFunction(2) { arguments, _ in
            let (scalars, length) = try scalarsAndCount("left", arguments)
            return .string(String(scalars.prefix(length)))
        },
        "right": BuiltinFunction(2) { arguments, _ in
            let (scalars, length) = try scalarsAndCount("right", arguments)
            return .string(String(scalars.suffix(length)))
        },
        "substring": BuiltinFunction(2...3) { arguments, _ in
            let (scalars, start) = try scalarsAndCount("substring", arguments)
            let rest = scalars.dropFirst(start)
            guard arguments.count == 3 else { return .string(String(rest)) }
            return .string(String(rest.prefix(try count("substring", arguments[2]))))
        },
        "replace": BuiltinFunction(3) { arguments, _ in
            let (text, search) = (try string("replace", arguments[0]), try string("replace", arguments[1]))
            guard !search.isEmpty else { return .string(text) }
            let pieces = split(Array(text.unicodeScalars), by: Array(search.unicodeScalars))
            return .string(pieces.joined(separator: try string("replace", arguments[2])))
        },
        "split": BuiltinFunction(2) { arguments, _ in
            let (text, delimiter) = (try string("split", arguments[0]), try string("split", arguments[1]))
            if delimiter.isEmpty { return .list(text.unicodeScalars.map { .string(String($0)) }) }
            let pieces = split(Array(text.unicodeScalars), by: Array(delimiter.unicodeScalars))
            return .list(pieces.map { .string($0) })
        },
        "toboolean": BuiltinFunction(1) { arguments, _ in
            switch arguments[0] {
            case .boolean: return arguments[0]
            case .string(let text):
                switch text.lowercased() {
                case "true": return true
                case "false": return false
                default: return .null
                }
            case .integer(let value): return .boolean(value != 0)
            case let other: throw wrongType("toBoolean", other, "a Boolean, Integer or String")
            }
        },
        "tointeger": BuiltinFunction(1) { arguments, _ in
            switch arguments[0] {
            case .integer: return arguments[0]
            case .float(let value): return wholePart(value)
            case .boolean(let value): return value ? 1 : 0
            case .string(let text):
                let trimmed = trimmed(text, start: true, end: true)
                return Int64(trimmed).map { .integer($0) } ?? Double(trimmed).map(wholePart) ?? .null
            case let other: throw wrongType("toInteger", other, "a String, Number or Boolean")
            }
        },
        "tofloat": BuiltinFunction(1) { arguments, _ in
            switch arguments[0] {
            case .integer(let value): return .float(Double(value))
            case .float: return arguments[0]
            case .string(let text): return Double(trimmed(text, start: true, end: true)).map { .float($0) } ?? .null
            case let other: throw wrongType("toFloat", other, "a String or Number")
            }
        },
    ]

    private static func onString(
        _ name: String, _ body: @escaping @Sendable (String) -> GraphValue
    ) -> BuiltinFunction {
        BuiltinFunction(1) { arguments, _ in body(try string(name, arguments[0])) }
    }

    private static func string(_ function: String, _ value: GraphValue) throws -> String {
        guard case .string(let text) = value else { throw wrongType(function, value, "a String") }
        return text
    }

    private static func count(_ function: String, _ value: GraphValue) throws -> Int {
        guard case .integer(let count) = value else { throw wrongType(function, value, "an Integer") }
        guard count >= 0 else {
            throw CypherError.argument(
                "NumberOutOfRange", "Invalid input for function '\(function)()': must be positive")
        }
        return Int(clamping: count)
    }

    private static func scalarsAndCount(
        _ function: String, _ arguments: [GraphValue]
    ) throws -> ([Unicode.Scalar], Int) {
        (Array(try string(function, arguments[0]).unicodeScalars), try count(function, arguments[1]))
    }

    private static func text(of value: GraphValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer, .float, .boolean: value.description
        default: nil
        }
    }

    private static func wholePart(_ value: Double) -> GraphValue {
        Int64(exactly: value.rounded(.towardZero)).map { .integer($0) } ?? .null
    }

    private static func trimmed(_ text: String, start: Bool, end: Bool) -> String {
        var scalars = Array(text.unicodeScalars)[...]
        while start, let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while end, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }

    private static func split(_ text: [Unicode.Scalar], by delimiter: [Unicode.Scalar]) -> [String] {
        var pieces: [String] = []
        var start = 0
        var index = 0
        while index + delimiter.count <= text.count {
            if text[index..<(index + delimiter.count)].elementsEqual(delimiter) {
                pieces.append(String(text[start..<index]))
                index += delimiter.count
                start = index
            } else {
                index += 1
            }
        }
        return pieces + [String(text[start...])]
    }
}
