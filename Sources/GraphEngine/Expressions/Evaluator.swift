// Evaluator.swift — computes bound expressions over a row.
//
// Recursion is bounded by the parser's nesting limit: operator chains are loops.

/// The values of a statement's variables at one point of its execution, by slot.
typealias Row = [GraphValue]

struct Evaluator {
    let context: ExecutionContext

    func evaluate(_ expression: Expression, _ row: Row) throws -> GraphValue {
        switch expression {
        case .literal(let value): return value
        case .slot(let slot): return row[slot]
        case .parameter(let name): return try parameter(name)
        case .variable(let name, let position):
            throw CypherError.syntax("UndefinedVariable", "Variable `\(name)` not defined", at: position)
        case .list(let elements): return .list(try elements.map { try evaluate($0, row) })
        case .map(let entries): return try map(entries, row)
        case .property(let owner, let key): return try property(key, of: try evaluate(owner, row))
        case .index(let owner, let index): return try element(evaluate(index, row), of: evaluate(owner, row))
        case .slice(let owner, let from, let to): return try slice(owner, from, to, row)
        case .not(let operand): return try not(evaluate(operand, row))
        case .negate(let operand): return try evaluate(operand, row).negated()
        case .plus(let operand): return try evaluate(operand, row).requiringNumber()
        case .chain(let first, let rest): return try chain(first, rest, row)
        case .comparison(let first, let rest): return try comparison(first, rest, row)
        case .isNull(let operand, let negated): return .boolean(try evaluate(operand, row).isNull != negated)
        case .hasLabels(let operand, let labels): return try hasLabels(labels, evaluate(operand, row))
        case .conditional(let expression): return try conditional(expression, row)
        case .function(let call): return try function(call, row)
        case .quantifier(let quantifier): return try evaluate(quantifier, row)
        case .comprehension(let comprehension): return try evaluate(comprehension, row)
        case .reduce(let reduction): return try evaluate(reduction, row)
        case .exists, .countMatches, .patternComprehension: return try pattern(expression, row)
        case .aggregate(let call):
            throw CypherError.syntax(
                "InvalidAggregation",
                "Invalid use of aggregating function \(call.function.rawValue)(...) in this context",
                at: call.position)
        }
    }

    /// Whether a predicate holds: neither false nor unknown.
    func holds(_ predicate: Expression, _ row: Row) throws -> Bool {
        switch try evaluate(predicate, row) {
        case .boolean(let value): return value
        case .null: return false
        // A list is a predicate too: does it have elements?
        case .list(let elements): return !elements.isEmpty
        case let other: throw CypherError.typeMismatch(expected: "Boolean", got: other)
        }
    }

    private func parameter(_ name: String) throws -> GraphValue {
        guard let value = context.parameters[name] else {
            throw CypherError(.parameterMissing, "MissingParameter", "Expected parameter(s): \(name)")
        }
        return value
    }

    private func map(_ entries: [(key: String, value: Expression)], _ row: Row) throws -> GraphValue {
        var result: [String: GraphValue] = [:]
        for entry in entries { result[entry.key] = try evaluate(entry.value, row) }
        return .map(result)
    }

    // MARK: - Access

    func property(_ key: String, of owner: GraphValue) throws -> GraphValue {
        switch owner {
        case .null: return .null
        case .node(let node): return try context.graph.property(key, of: node.id)
        case .relationship(let relationship): return try context.graph.property(key, of: relationship.id)
        case .map(let map): return map[key] ?? .null
        default: throw CypherError.typeMismatch(expected: "Map, Node or Relationship", got: owner)
        }
    }

    private func element(_ index: GraphValue, of owner: GraphValue) throws -> GraphValue {
        switch (owner, index) {
        case (.null, _), (_, .null): return .null
        case (.list(let elements), .integer(let index)):
            let position = index < 0 ? index &+ Int64(elements.count) : index
            return position >= 0 && position < elements.count ? elements[Int(position)] : .null
        case (.list, _):
            throw CypherError.type(
                "ListElementAccessByNonInteger",
                "Type mismatch: list index must be given as Integer, but was \(index.typeName)")
        case (_, .string(let key)): return try property(key, of: owner)
        case (.map, _), (.node, _), (.relationship, _):
            throw CypherError.type(
                "MapElementAccessByNonString",
                "Type mismatch: map key must be given as String, but was \(index.typeName)")
        default: throw CypherError.typeMismatch(expected: "List or Map", got: owner)
        }
    }

    /// The lower bound is part of the slice, the upper is not; bounds outside the list are cut, negative ones count
    /// from its end.
    private func slice(_ owner: Expression, _ from: Expression?, _ to: Expression?, _ row: Row) throws -> GraphValue {
        let list = try evaluate(owner, row)
        let lower = try from.map { try evaluate($0, row) } ?? .integer(0)
        let upper = try to.map { try evaluate($0, row) } ?? .integer(.max)
        if list.isNull || lower.isNull || upper.isNull { return .null }
        guard case .list(let elements) = list else { throw CypherError.typeMismatch(expected: "List", got: list) }
        let start = try bound(lower, count: elements.count)
        let end = try bound(upper, count: elements.count)
        return .list(start < end ? Array(elements[start..<end]) : [])
    }

    private func bound(_ value: GraphValue, count: Int) throws -> Int {
        guard case .integer(let index) = value else { throw CypherError.typeMismatch(expected: "Integer", got: value) }
        let position = index < 0 ? max(0, index &+ Int64(count)) : index
        return Int(min(position, Int64(count)))
    }

    private func hasLabels(_ labels: LabelExpression, _ value: GraphValue) throws -> GraphValue {
        switch value {
        case .null: return .null
        case .node(let node):
            if case .label(let name) = labels { return .boolean(try context.graph.hasLabel(name, node.id)) }
            return .boolean(labels.matches(try context.graph.labels(of: node.id)))
        case .relationship(let relationship): return .boolean(labels.matches([relationship.type]))
        default: throw CypherError.typeMismatch(expected: "Node or Relationship", got: value)
        }
    }

    // MARK: - Conditions and calls

    private func conditional(_ expression: CaseExpression, _ row: Row) throws -> GraphValue {
        let subject = try expression.subject.map { try evaluate($0, row) }
        for branch in expression.branches {
            let isTaken: Bool
            if let subject {
                isTaken = try subject.isEqual(to: evaluate(branch.when, row)) == true
            } else {
                isTaken = try holds(branch.when, row)
            }
            if isTaken { return try evaluate(branch.then, row) }
        }
        return try expression.otherwise.map { try evaluate($0, row) } ?? .null
    }

    private func function(_ call: FunctionCall, _ row: Row) throws -> GraphValue {
        guard let function = call.function else {
            throw CypherError.syntax("UnknownFunction", "Unknown function '\(call.name)'", at: call.position)
        }
        let arguments = try call.arguments.map { try evaluate($0, row) }
        if function.propagatesNull, arguments.contains(where: \.isNull) { return .null }
        return try function.body(arguments, context)
    }

    private func pattern(_ expression: Expression, _ row: Row) throws -> GraphValue {
        switch expression {
        case .exists(let query):
            var isFound = false
            try context.match(query, row) { _ in
                isFound = true
                return false
            }
            return .boolean(isFound)
        case .countMatches(let query):
            var count: Int64 = 0
            try context.match(query, row) { _ in
                count += 1
                return true
            }
            return .integer(count)
        case .patternComprehension(let query, let projection):
            var results: [GraphValue] = []
            try context.match(query, row) { match in
                results.append(try evaluate(projection, match))
                return true
            }
            return .list(results)
        default: return .null
        }
    }
}
