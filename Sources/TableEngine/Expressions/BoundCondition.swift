// BoundCondition.swift — a condition with the request's names and values, ready to judge items.

/// A condition whose operands are known.
struct BoundCondition: Sendable {
    let expression: ConditionExpression
    let binding: Binding

    /// - Throws: the service's complaint about undefined placeholders or operands, in the service's order.
    init(
        _ expression: ConditionExpression, names: [String: String], values: [String: AttributeValue]
    ) throws(ExpressionError) {
        self.expression = expression
        binding = try expression.scope.bind(names: names, values: values, order: .appearance)
        if let error = expression.operandCountError { throw error }
        guard !expression.checks.isEmpty else { return }
        for check in expression.checks { try checkDistinct(check) }
        for check in expression.checks { try checkOperands(check) }
    }

    private func checkDistinct(_ check: OperandCheck) throws(ExpressionError) {
        guard case .distinct(let name, let left, let right) = check else { return }
        guard binding.paths[left] != binding.paths[right] else { throw .notDistinct(name, binding.paths[left]) }
    }

    private func checkOperands(_ check: OperandCheck) throws(ExpressionError) {
        switch check {
        case .distinct: break
        case .pathRequired(let function): throw .pathRequired(function.rawValue)
        case .functionOperand(let function, let operand, let types):
            guard let type = literalType(of: operand), !types.contains(type) else { return }
            throw .operandType(function: function.rawValue, type.rawValue)
        case .comparisonOperand(let name, let operand):
            guard let type = literalType(of: operand), !type.isOrdered else { return }
            throw .operandType(operator: name, type.rawValue)
        case .attributeTypeName(let operand): try checkTypeName(operand)
        case .bounds(let lower, let upper): try checkBounds(lower, upper)
        }
    }

    /// The type of an operand that no item decides.
    private func literalType(of operand: Operand) -> AttributeType? {
        switch operand {
        case .value(let slot): binding.values[slot].type
        case .size: .n
        case .path, .invalid: nil
        }
    }

    private func checkTypeName(_ operand: Operand) throws(ExpressionError) {
        guard case .value(let slot) = operand, case .s(let name) = binding.values[slot] else {
            let type = literalType(of: operand)?.rawValue ?? "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
            throw .operandType(function: ConditionFunction.attributeType.rawValue, type)
        }
        guard AttributeType(rawValue: name) != nil else {
            throw ExpressionError(
                "Invalid attribute type name found; type: \(name), valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}")
        }
    }

    private func checkBounds(_ lower: Operand, _ upper: Operand) throws(ExpressionError) {
        guard case .value(let lower) = lower, case .value(let upper) = upper else { return }
        let (low, high) = (binding.values[lower], binding.values[upper])
        guard low.type == high.type else {
            throw Self.boundsError("same data type for lower and upper bounds", low, high)
        }
        guard let order = low.compare(high), order > 0 else { return }
        throw Self.boundsError("upper bound to be greater than or equal to lower bound", low, high)
    }

    private static func boundsError(_ rule: String, _ low: AttributeValue, _ high: AttributeValue) -> ExpressionError {
        ExpressionError(
            "The BETWEEN operator requires \(rule); lower bound operand: AttributeValue: \(low.shortDescription), "
                + "upper bound operand: AttributeValue: \(high.shortDescription)")
    }
}

extension AttributeValue {
    /// The form that messages about bounds quote: `{S:abc}`.
    fileprivate var shortDescription: String {
        switch self {
        case .s(let value): "{S:\(value)}"
        case .n(let value): "{N:\(value)}"
        case .b(let value): "{B:\(Base64.encode(value))}"
        default: description
        }
    }
}
