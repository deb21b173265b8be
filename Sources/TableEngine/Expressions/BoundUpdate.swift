// BoundUpdate.swift — an update with the request's names and values, ready to change items.

/// An update whose operands are known.
struct BoundUpdate: Sendable {
    let expression: UpdateExpression
    let binding: Binding

    /// - Throws: the service's complaint about undefined placeholders, overlapping paths or operands, in the service's
    ///   order.
    init(
        _ expression: UpdateExpression, names: [String: String], values: [String: AttributeValue]
    ) throws(ExpressionError) {
        self.expression = expression
        binding = try expression.scope.bind(names: names, values: values, order: .namesFirst)
        try DocumentPath.checkDistinct(targets)
        if let error = expression.operandCountError { throw error }
        for check in expression.checks { try self.check(check) }
    }

    /// The paths that the update writes.
    var targets: [DocumentPath] { expression.targets.map { binding.paths[$0] } }

    /// The complaint about the first key attribute that the update writes, if it writes one.
    func errorWriting(keyAttributes: [String]) -> TableError? {
        for slot in expression.targets {
            let name = binding.paths[slot].root
            guard keyAttributes.contains(where: name.equalsUTF8) else { continue }
            return TableError.invalidParameter("Cannot update attribute \(name). This attribute is part of the key")
        }
        return nil
    }

    private func check(_ check: UpdateCheck) throws(ExpressionError) {
        switch check {
        case .pathRequired(let function): throw .pathRequired(function.rawValue)
        case .operand(let name, let operand, let wanted):
            guard let type = literalType(of: operand), type != wanted else { return }
            throw .operandType(function: name, type.rawValue)
        case .member(let section, let slot, let allowsNumber):
            let type = binding.values[slot].type
            guard !type.isSet, !(allowsNumber && type == .n) else { return }
            throw .operandType(operator: section, type.longName)
        }
    }

    private func literalType(of operand: UpdateOperand) -> AttributeType? {
        switch operand {
        case .value(let slot): binding.values[slot].type
        case .listAppend: .l
        case .path, .ifNotExists, .invalid: nil
        }
    }
}

extension AttributeType {
    /// The name that complaints about ADD and DELETE use.
    fileprivate var longName: String {
        switch self {
        case .s: "STRING"
        case .n: "NUMBER"
        case .b: "BINARY"
        case .bool: "BOOLEAN"
        case .null: "NULL"
        case .l: "LIST"
        case .m: "MAP"
        case .ss: "STRING_SET"
        case .ns: "NUMBER_SET"
        case .bs: "BINARY_SET"
        }
    }
}
