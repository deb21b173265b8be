// BuiltinFunction+Numbers.swift — functions of numbers.

extension BuiltinFunction {
    static let numberFunctions: [String: BuiltinFunction] = {
        var table: [String: BuiltinFunction] = [
            "pi": BuiltinFunction(0) { _, _ in .float(.pi) },
            "e": BuiltinFunction(0) { _, _ in .float(2.718281828459045) },
            "rand": BuiltinFunction(0) { _, _ in .float(Double.random(in: 0..<1)) },
            "timestamp": BuiltinFunction(0) { _, context in .integer(context.graph.view.readTime.milliseconds) },
            "abs": BuiltinFunction(1) { arguments, _ in
                switch arguments[0] {
                case .integer(let value): return value < 0 ? try arguments[0].negated() : arguments[0]
                case .float(let value): return .float(value.magnitude)
                case let other: throw wrongType("abs", other, "a Number")
                }
            },
            "sign": BuiltinFunction(1) { arguments, _ in
                let value = try number("sign", arguments[0])
                return value > 0 ? 1 : value < 0 ? -1 : 0
            },
            "round": BuiltinFunction(1) { arguments, _ in
                // Ties go up, as Neo4j rounds without a precision.
                .float((try number("round", arguments[0]) + 0.5).rounded(.down))
            },
            "isnan": BuiltinFunction(1) { arguments, _ in .boolean(try number("isNaN", arguments[0]).isNaN) },
            "atan2": BuiltinFunction(2) { arguments, _ in
                .float(
                    ElementaryFunctions.arcTangent(try number("atan2", arguments[0]), try number("atan2", arguments[1]))
                )
            },
        ]
        for (name, function) in ElementaryFunctions.byName {
            table[name] = BuiltinFunction(1) { arguments, _ in .float(function(try number(name, arguments[0]))) }
        }
        return table
    }()

    private static func number(_ function: String, _ value: GraphValue) throws -> Double {
        guard let number = value.number else { throw wrongType(function, value, "a Number") }
        return number
    }
}
