// GraphValue+Arithmetic.swift — arithmetic: integers stay integers and overflow is an error; null in, null out.

extension GraphValue {
    func requiringNumber() throws -> GraphValue {
        switch self {
        case .integer, .float, .null: return self
        default: throw CypherError.typeMismatch(expected: "Float or Integer", got: self)
        }
    }

    func negated() throws -> GraphValue {
        switch self {
        case .null: return .null
        case .integer(let value):
            let (result, overflow) = Int64(0).subtractingReportingOverflow(value)
            if overflow { throw CypherError.integerOverflow }
            return .integer(result)
        case .float(let value): return .float(-value)
        default: throw CypherError.typeMismatch(expected: "Float or Integer", got: self)
        }
    }

    /// Numbers add; strings concatenate, with numbers and booleans too; lists concatenate or take one more element.
    func adding(_ other: GraphValue) throws -> GraphValue {
        switch (self, other) {
        case (.null, _), (_, .null): return .null
        case (.list(let left), .list(let right)): return .list(left + right)
        case (.list(let left), _): return .list(left + [other])
        case (_, .list(let right)): return .list([self] + right)
        case (.string(let left), .string(let right)): return .string(left + right)
        case (.string(let left), .integer), (.string(let left), .float), (.string(let left), .boolean):
            return .string(left + other.description)
        case (.integer, .string(let right)), (.float, .string(let right)), (.boolean, .string(let right)):
            return .string(description + right)
        default:
            return try arithmetic(other, "add", { $0.addingReportingOverflow($1) }, +)
        }
    }

    /// `||`: strings with strings, lists with lists.
    func concatenating(_ other: GraphValue) throws -> GraphValue {
        switch (self, other) {
        case (.null, _), (_, .null): return .null
        case (.string(let left), .string(let right)): return .string(left + right)
        case (.list(let left), .list(let right)): return .list(left + right)
        default: throw CypherError.typeMismatch(expected: "String or List", got: other)
        }
    }

    func subtracting(_ other: GraphValue) throws -> GraphValue {
        try arithmetic(other, "subtract", { $0.subtractingReportingOverflow($1) }, -)
    }

    func multiplied(by other: GraphValue) throws -> GraphValue {
        try arithmetic(other, "multiply", { $0.multipliedReportingOverflow(by: $1) }, *)
    }

    /// Integers divide towards zero; an integer divided by zero is an error, a float is not.
    func divided(by other: GraphValue) throws -> GraphValue {
        if case .integer = self, case .integer(0) = other { throw CypherError.divisionByZero }
        return try arithmetic(other, "divide", { $0.dividedReportingOverflow(by: $1) }, /)
    }

    func remainder(dividingBy other: GraphValue) throws -> GraphValue {
        if case .integer = self, case .integer(0) = other { throw CypherError.divisionByZero }
        // The smallest integer modulo -1 is 0, though its quotient overflows.
        if case .integer = self, case .integer(-1) = other { return 0 }
        return try arithmetic(other, "calculate modulus of", { $0.remainderReportingOverflow(dividingBy: $1) }) {
            $0.truncatingRemainder(dividingBy: $1)
        }
    }

    /// Always a float.
    func raised(to other: GraphValue) throws -> GraphValue {
        if isNull || other.isNull { return .null }
        guard let base = number, let exponent = other.number else {
            throw CypherError.typeMismatch(expected: "Float or Integer", got: number == nil ? self : other)
        }
        return .float(ElementaryFunctions.power(base, exponent))
    }

    private func arithmetic(
        _ other: GraphValue, _ verb: String, _ onIntegers: (Int64, Int64) -> (partialValue: Int64, overflow: Bool),
        _ onFloats: (Double, Double) -> Double
    ) throws -> GraphValue {
        if isNull || other.isNull { return .null }
        if case .integer(let left) = self, case .integer(let right) = other {
            let (result, overflow) = onIntegers(left, right)
            if overflow { throw CypherError.integerOverflow }
            return .integer(result)
        }
        guard let left = number, let right = other.number else {
            throw CypherError.type(
                "InvalidArgumentType", "Cannot \(verb) `\(typeName)` and `\(other.typeName)`")
        }
        return .float(onFloats(left, right))
    }
}
