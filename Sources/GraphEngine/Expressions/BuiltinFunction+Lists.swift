// BuiltinFunction+Lists.swift — functions of lists.

extension BuiltinFunction {
    /// The longest list `range` makes.
    static let rangeLimit = 10_000_000

    static let listFunctions: [String: BuiltinFunction] = [
        "size": BuiltinFunction(1) { arguments, _ in
            switch arguments[0] {
            case .list(let elements): return GraphValue(elements.count)
            case .string(let text): return GraphValue(text.unicodeScalars.count)
            case .map(let map): return GraphValue(map.count)
            case let other: throw wrongType("size", other, "a String or List")
            }
        },
        "isempty": BuiltinFunction(1) { arguments, _ in
            switch arguments[0] {
            case .list(let elements): return .boolean(elements.isEmpty)
            case .string(let text): return .boolean(text.isEmpty)
            case .map(let map): return .boolean(map.isEmpty)
            case let other: throw wrongType("isEmpty", other, "a String, List or Map")
            }
        },
        "head": BuiltinFunction(1) { arguments, _ in try elements("head", arguments).first ?? .null },
        "last": BuiltinFunction(1) { arguments, _ in try elements("last", arguments).last ?? .null },
        "tail": BuiltinFunction(1) { arguments, _ in .list(Array(try elements("tail", arguments).dropFirst())) },
        "reverse": BuiltinFunction(1) { arguments, _ in
            if case .string(let text) = arguments[0] { return .string(String(text.reversed())) }
            return .list(try elements("reverse", arguments).reversed())
        },
        "range": BuiltinFunction(2...3, propagatesNull: false) { arguments, _ in try range(arguments) },
    ]

    private static func elements(_ function: String, _ arguments: [GraphValue]) throws -> [GraphValue] {
        guard case .list(let elements) = arguments[0] else { throw wrongType(function, arguments[0], "a List") }
        return elements
    }

    /// `range(start, end, step)`: both ends belong to it.
    private static func range(_ arguments: [GraphValue]) throws -> GraphValue {
        let numbers = try arguments.map { argument in
            guard case .integer(let number) = argument else {
                throw CypherError.argument(
                    "InvalidArgumentType", "Type mismatch: expected Integer but was \(argument.typeName)")
            }
            return number
        }
        let step = numbers.count == 3 ? numbers[2] : 1
        guard step != 0 else {
            throw CypherError.argument("NumberOutOfRange", "Step argument to range() cannot be zero")
        }
        var results: [GraphValue] = []
        var current = numbers[0]
        while step > 0 ? current <= numbers[1] : current >= numbers[1] {
            guard results.count < rangeLimit else {
                throw CypherError(.resourceLimit, "RangeTooLong", "range() makes more than \(rangeLimit) elements")
            }
            results.append(.integer(current))
            let (next, overflow) = current.addingReportingOverflow(step)
            if overflow { break }
            current = next
        }
        return .list(results)
    }
}
