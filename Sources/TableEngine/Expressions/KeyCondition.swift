// KeyCondition.swift — which items of a partition a query reads.

/// A query's key condition: one partition, and perhaps a range of its sort keys.
struct KeyCondition: Sendable {
    enum SortCondition: Sendable {
        case compare(Comparator, AttributeValue)
        case between(AttributeValue, AttributeValue)
        case beginsWith(AttributeValue)
    }

    let partition: AttributeValue
    let sort: SortCondition?

    /// Reads a bound condition against a table's keys.
    ///
    /// - Throws: `ValidationException` for anything but one equality on the partition key and at most one condition on
    ///   the sort key.
    init(_ condition: BoundCondition, partitionKey: String, sortKey: String?) throws {
        var parts: [String: SortCondition] = [:]
        try Self.collect(condition.expression.root, condition.binding, into: &parts)
        guard parts.count <= 2 else { throw TableError.validation("Conditions can be of length 1 or 2 only") }
        guard let onPartition = parts.removeValue(forKey: partitionKey) else {
            throw Self.missing(partitionKey)
        }
        guard case .compare(.equal, let partition) = onPartition else { throw Self.unsupported }
        self.partition = partition
        guard let sortKey else {
            guard parts.isEmpty else { throw Self.unsupported }
            sort = nil
            return
        }
        sort = parts.removeValue(forKey: sortKey)
        guard parts.isEmpty else { throw Self.missing(sortKey) }
    }

    /// The values of the condition, to be checked against the key's type.
    var sortValues: [AttributeValue] {
        switch sort {
        case .compare(_, let value), .beginsWith(let value): [value]
        case .between(let lower, let upper): [lower, upper]
        case nil: []
        }
    }

    private static func collect(
        _ condition: Condition, _ binding: Binding, into parts: inout [String: SortCondition]
    ) throws {
        let found: (name: String, condition: SortCondition)
        switch condition {
        case .all(let conditions): return try conditions.forEach { try collect($0, binding, into: &parts) }
        case .any: throw operatorError("OR")
        case .not: throw operatorError("NOT")
        case .membership: throw operatorError("IN")
        case .comparison(.notEqual, _, _): throw operatorError("<>")
        case .comparison(let comparator, let left, let right):
            let (name, values) = try split([left, right], binding)
            // A value on the left is the same condition seen from the other side.
            let isFlipped = if case .value = left { true } else { false }
            found = (name, .compare(isFlipped ? comparator.flipped : comparator, values[0]))
        case .between(let operand, let lower, let upper):
            let (name, values) = try split([operand, lower, upper], binding)
            found = (name, .between(values[0], values[1]))
        case .function(.beginsWith, let operands):
            let (name, values) = try split(operands, binding)
            found = (name, .beginsWith(values[0]))
        case .function(let function, _): throw operatorError(function.rawValue)
        }
        guard parts.updateValue(found.condition, forKey: found.name) == nil else {
            throw TableError.validation("KeyConditionExpressions must only contain one condition per key")
        }
    }

    /// The one attribute among the operands, and the values besides it.
    private static func split(
        _ operands: [Operand], _ binding: Binding
    ) throws -> (name: String, values: [AttributeValue]) {
        var names: [String] = []
        var values: [AttributeValue] = []
        for operand in operands {
            switch operand {
            case .size, .invalid:
                throw TableError.validation("KeyConditionExpressions cannot contain nested operations")
            case .value(let slot): values.append(binding.values[slot])
            case .path(let slot):
                let path = binding.paths[slot]
                guard path.elements.count == 1 else {
                    throw TableError.validation("KeyConditionExpressions cannot have conditions on nested attributes")
                }
                names.append(path.root)
            }
        }
        guard let name = names.first else { throw conditionError("No key attribute specified") }
        guard names.count == 1 else { throw conditionError("Multiple attribute names used in one condition") }
        return (name, values)
    }

    private static func operatorError(_ name: String) -> TableError {
        .validation("Invalid operator used in KeyConditionExpression: \(name)")
    }

    private static func conditionError(_ detail: String) -> TableError {
        .validation("Invalid condition in KeyConditionExpression: \(detail)")
    }

    private static func missing(_ name: String) -> TableError {
        .validation("Query condition missed key schema element: \(name)")
    }

    private static let unsupported = TableError.validation("Query key condition not supported")
}
