// Evaluator+Lists.swift — quantifiers, list comprehensions and reduce.

extension Evaluator {
    private func elements(_ list: Expression, _ row: Row) throws -> [GraphValue]? {
        switch try evaluate(list, row) {
        case .null: return nil
        case .list(let elements): return elements
        case let other: throw CypherError.typeMismatch(expected: "List", got: other)
        }
    }

    private func truth(_ predicate: Expression, _ row: Row) throws -> Bool? {
        switch try evaluate(predicate, row) {
        case .null: return nil
        case .boolean(let value): return value
        case let other: throw CypherError.typeMismatch(expected: "Boolean", got: other)
        }
    }

    /// Counts how often the predicate holds and how often it is unknown; the kind decides from the counts.
    func evaluate(_ quantifier: Quantifier, _ row: Row) throws -> GraphValue {
        guard let elements = try elements(quantifier.list, row) else { return .null }
        var inner = row
        var (holding, unknown) = (0, 0)
        for element in elements {
            inner[quantifier.variable.slot] = element
            switch try truth(quantifier.predicate, inner) {
            case true?: holding += 1
            case nil: unknown += 1
            case false?: break
            }
        }
        switch quantifier.kind {
        case .all:
            return holding + unknown < elements.count ? false : unknown > 0 ? .null : true
        case .any: return holding > 0 ? true : unknown > 0 ? .null : false
        case .none: return holding > 0 ? false : unknown > 0 ? .null : true
        case .single: return holding > 1 ? false : unknown > 0 ? .null : .boolean(holding == 1)
        }
    }

    func evaluate(_ comprehension: ListComprehension, _ row: Row) throws -> GraphValue {
        guard let elements = try elements(comprehension.list, row) else { return .null }
        var inner = row
        var results: [GraphValue] = []
        for element in elements {
            inner[comprehension.variable.slot] = element
            if let predicate = comprehension.predicate, try !holds(predicate, inner) { continue }
            results.append(try comprehension.projection.map { try evaluate($0, inner) } ?? element)
        }
        return .list(results)
    }

    func evaluate(_ reduction: Reduction, _ row: Row) throws -> GraphValue {
        guard let elements = try elements(reduction.list, row) else { return .null }
        var inner = row
        inner[reduction.accumulator.slot] = try evaluate(reduction.initial, row)
        for element in elements {
            inner[reduction.variable.slot] = element
            inner[reduction.accumulator.slot] = try evaluate(reduction.expression, inner)
        }
        return inner[reduction.accumulator.slot]
    }
}
