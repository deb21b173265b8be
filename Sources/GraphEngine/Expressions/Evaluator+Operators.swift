// Evaluator+Operators.swift — three-valued logic, comparison chains and the binary operators.

extension Evaluator {
    func not(_ value: GraphValue) throws -> GraphValue {
        switch value {
        case .null: return .null
        case .boolean(let value): return .boolean(!value)
        default: throw CypherError.typeMismatch(expected: "Boolean", got: value)
        }
    }

    func chain(
        _ first: Expression, _ rest: [(operation: BinaryOperator, operand: Expression)], _ row: Row
    ) throws -> GraphValue {
        var result = try evaluate(first, row)
        for (operation, operand) in rest {
            result = try apply(operation, result, operand, row)
        }
        return result
    }

    private func apply(
        _ operation: BinaryOperator, _ left: GraphValue, _ operand: Expression, _ row: Row
    ) throws -> GraphValue {
        switch operation {
        case .and:
            // The right side is not evaluated if the left decides.
            if case .boolean(false) = left { return false }
            return try Self.and(left, evaluate(operand, row))
        case .or:
            if case .boolean(true) = left { return true }
            return try Self.or(left, evaluate(operand, row))
        default:
            return try Self.apply(operation, left, evaluate(operand, row))
        }
    }

    private static func apply(
        _ operation: BinaryOperator, _ left: GraphValue, _ right: GraphValue
    ) throws -> GraphValue {
        switch operation {
        case .and: try and(left, right)
        case .or: try or(left, right)
        case .xor: try xor(left, right)
        case .startsWith: text(left, right) { $0.starts(with: $1) }
        case .endsWith: text(left, right) { $0.reversed().starts(with: $1.reversed()) }
        case .contains: text(left, right) { $0.contains(subsequence: $1) }
        case .regularExpression: try matchesWhole(left, right)
        case .in: try isElement(left, of: right)
        case .add: try left.adding(right)
        case .concatenate: try left.concatenating(right)
        case .subtract: try left.subtracting(right)
        case .multiply: try left.multiplied(by: right)
        case .divide: try left.divided(by: right)
        case .remainder: try left.remainder(dividingBy: right)
        case .power: try left.raised(to: right)
        }
    }

    // MARK: - Three-valued logic

    private static func truth(_ value: GraphValue) throws -> Bool? {
        switch value {
        case .null: return nil
        case .boolean(let value): return value
        default: throw CypherError.typeMismatch(expected: "Boolean", got: value)
        }
    }

    private static func and(_ left: GraphValue, _ right: GraphValue) throws -> GraphValue {
        let (a, b) = (try truth(left), try truth(right))
        if a == false || b == false { return false }
        return a == nil || b == nil ? .null : true
    }

    private static func or(_ left: GraphValue, _ right: GraphValue) throws -> GraphValue {
        let (a, b) = (try truth(left), try truth(right))
        if a == true || b == true { return true }
        return a == nil || b == nil ? .null : false
    }

    private static func xor(_ left: GraphValue, _ right: GraphValue) throws -> GraphValue {
        guard let a = try truth(left), let b = try truth(right) else { return .null }
        return .boolean(a != b)
    }

    // MARK: - Comparison

    /// `a < b <= c` is `a < b AND b <= c`, each operand evaluated once.
    func comparison(
        _ first: Expression, _ rest: [(operation: ComparisonOperator, operand: Expression)], _ row: Row
    ) throws -> GraphValue {
        var left = try evaluate(first, row)
        var isUnknown = false
        for (operation, operand) in rest {
            let right = try evaluate(operand, row)
            switch Self.compare(left, operation, right) {
            case false?: return false
            case nil: isUnknown = true
            case true?: break
            }
            left = right
        }
        return isUnknown ? .null : true
    }

    static func compare(_ left: GraphValue, _ operation: ComparisonOperator, _ right: GraphValue) -> Bool? {
        switch operation {
        case .equal: return left.isEqual(to: right)
        case .notEqual: return left.isEqual(to: right).map { !$0 }
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard let order = left.compare(to: right) else { return nil }
            switch operation {
            case .less: return order == .less
            case .lessOrEqual: return order == .less || order == .equal
            case .greater: return order == .greater
            default: return order == .greater || order == .equal
            }
        }
    }

    /// `x IN list`: whether some element equals x; unknown if none does but a null takes part.
    static func isElement(_ value: GraphValue, of list: GraphValue) throws -> GraphValue {
        if list.isNull { return .null }
        guard case .list(let elements) = list else { throw CypherError.typeMismatch(expected: "List", got: list) }
        var isUnknown = false
        for element in elements {
            switch value.isEqual(to: element) {
            case true?: return true
            case nil: isUnknown = true
            case false?: break
            }
        }
        return isUnknown ? .null : false
    }

    // MARK: - Text

    /// Text predicates compare code points; operands that are no strings make them unknown.
    private static func text(
        _ left: GraphValue, _ right: GraphValue, _ test: ([UInt8], [UInt8]) -> Bool
    ) -> GraphValue {
        guard case .string(let a) = left, case .string(let b) = right else { return .null }
        return .boolean(test(Array(a.utf8), Array(b.utf8)))
    }

    /// `=~` matches the whole string.
    private static func matchesWhole(_ left: GraphValue, _ right: GraphValue) throws -> GraphValue {
        guard case .string(let text) = left, case .string(let pattern) = right else { return .null }
        let expression: Regex<AnyRegexOutput>
        do {
            expression = try Regex(pattern)
        } catch {
            throw CypherError.argument("InvalidRegularExpression", "Invalid Regex: \(pattern)")
        }
        return .boolean((try? expression.wholeMatch(in: text)) != nil)
    }
}

extension Array where Element == UInt8 {
    fileprivate func contains(subsequence other: [UInt8]) -> Bool {
        guard other.count <= count else { return false }
        for start in 0...(count - other.count) where self[start...].starts(with: other) { return true }
        return false
    }
}
