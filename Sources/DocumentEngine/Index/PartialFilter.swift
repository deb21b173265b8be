// PartialFilter.swift — which filters an index may have, and when a query may use it.
//
// Source: _checkValidFilterExpressions (db/catalog/index_catalog_impl.cpp) and isSubsetOf
// (db/matcher/expression_algo.cpp) of the server.

enum PartialFilter {
    static let maximumDepth = 4

    /// - Throws: 67 (CannotCreateIndex) for anything but `$and $or $in $eq $lt $lte $gt $gte $exists:true $type`.
    static func parse(_ filter: Document) throws(DocumentError) -> MatchExpression {
        let expression = try FilterParser.parse(filter)
        try check(expression, depth: 0)
        return expression
    }

    private static func check(_ expression: MatchExpression, depth: Int) throws(DocumentError) {
        guard depth <= maximumDepth else {
            throw DocumentError(
                .cannotCreateIndex, "partialFilterExpression depth may not exceed \(maximumDepth)")
        }
        switch expression {
        case .and(let clauses), .or(let clauses):
            for clause in clauses { try check(clause, depth: depth + 1) }
        case .leaf(_, .compare), .leaf(_, .exists), .leaf(_, .type): break
        case .leaf(_, .inList(let list)) where list.patterns.isEmpty: break
        default:
            throw DocumentError(
                .cannotCreateIndex, "Expression not supported in partial index: \(name(of: expression))")
        }
    }

    private static func name(of expression: MatchExpression) -> String {
        switch expression {
        case .not(_, let name): name
        case .nor: "$nor"
        case .all: "$all"
        case .leaf(_, let predicate): predicate.writtenForm.operatorName
        default: "$jsonSchema"
        }
    }

    /// Whether two filters are the same; the order of clauses does not matter.
    static func areEquivalent(_ left: Document?, _ right: Document?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return normalised(left) == normalised(right)
    }

    private static func normalised(_ filter: Document) -> [String] {
        filter.fields.flatMap { name, value -> [String] in
            guard name == "$and", let clauses = value.arrayValue else {
                return [ExtendedJSON.canonical([name: value] as Document)]
            }
            return clauses.flatMap { $0.documentValue.map { normalised($0) } ?? [] }
        }.sorted()
    }

    /// Whether every document that matches the query is known to match the filter. Anything unproven is `false`.
    static func contains(_ filter: MatchExpression, everyMatchOf query: MatchExpression) -> Bool {
        // The filter's conjunctions and disjunctions are unfolded before the query's.
        switch filter {
        case .and(let clauses): return clauses.allSatisfy { contains($0, everyMatchOf: query) }
        case .or(let clauses):
            if clauses.contains(where: { contains($0, everyMatchOf: query) }) { return true }
        default: break
        }
        switch query {
        case .and(let clauses): return clauses.contains { contains(filter, everyMatchOf: $0) }
        case .all(_, let clauses, _): return clauses.contains { contains(filter, everyMatchOf: $0) }
        case .or(let clauses): return !clauses.isEmpty && clauses.allSatisfy { contains(filter, everyMatchOf: $0) }
        default: return leaf(filter, covers: query)
        }
    }

    private static func leaf(_ filter: MatchExpression, covers query: MatchExpression) -> Bool {
        guard case .leaf(let filterPath, let filterPredicate) = filter else { return false }
        if case .not(let negated, _) = query { return isExistence(filterPredicate, filterPath, impliedByNot: negated) }
        guard case .leaf(let path, let predicate) = query, path == filterPath else { return false }
        switch filterPredicate {
        case .exists: return impliesExistence(predicate)
        case .compare(let comparison, let bound): return compare(comparison, bound, covers: predicate)
        case .inList(let list):
            return list.operands.contains { compare(.equal, $0, covers: predicate) }
                || coversEach(of: predicate) { operand in list.contains(operand.view) }
        case .type(let types, _):
            if case .type(let queried, _) = predicate { return queried.isSubset(of: types) }
            return false
        default: return false
        }
    }

    /// `{$not: {$eq: null}}` and `{$nin: [null, …]}` imply existence.
    private static func isExistence(
        _ predicate: ValuePredicate, _ path: FieldPath, impliedByNot negated: MatchExpression
    ) -> Bool {
        guard case .exists = predicate, case .leaf(path, let inner) = negated else { return false }
        switch inner {
        case .compare(.equal, let operand): return operand.type == .null
        case .inList(let list): return list.containsNull
        default: return false
        }
    }

    private static func impliesExistence(_ predicate: ValuePredicate) -> Bool {
        switch predicate {
        case .compare(_, let operand): ![.null, .minKey, .maxKey].contains(operand.type)
        case .inList(let list): !list.containsNull
        default: true
        }
    }

    private static func compare(
        _ comparison: ComparisonOperator, _ bound: BSONOperand, covers predicate: ValuePredicate
    ) -> Bool {
        switch predicate {
        case .compare(let other, let operand): interval(comparison, bound, covers: other, operand)
        case .inList: coversEach(of: predicate) { interval(comparison, bound, covers: .equal, $0) }
        default: false
        }
    }

    /// Every value of a queried `$in`, which must hold no pattern.
    private static func coversEach(of predicate: ValuePredicate, _ covers: (BSONOperand) -> Bool) -> Bool {
        switch predicate {
        case .inList(let list): list.patterns.isEmpty && !list.operands.isEmpty && list.operands.allSatisfy(covers)
        default: false
        }
    }

    private static func interval(
        _ comparison: ComparisonOperator, _ bound: BSONOperand, covers other: ComparisonOperator, _ operand: BSONOperand
    ) -> Bool {
        guard bound.type.canonicalRank == operand.type.canonicalRank else { return false }
        if isNaN(bound) || isNaN(operand) {
            return isNaN(bound) && isNaN(operand) && comparison.includesEqual && other.includesEqual
        }
        let order = operand.view.compare(bound.view)
        switch (comparison, other) {
        case (.equal, .equal): return order == 0
        case (.less, .less), (.lessOrEqual, .less), (.lessOrEqual, .lessOrEqual), (.lessOrEqual, .equal):
            return order <= 0
        case (.less, .lessOrEqual), (.less, .equal): return order < 0
        case (.greater, .greater), (.greaterOrEqual, .greater), (.greaterOrEqual, .greaterOrEqual),
            (.greaterOrEqual, .equal):
            return order >= 0
        case (.greater, .greaterOrEqual), (.greater, .equal): return order > 0
        default: return false
        }
    }

    private static func isNaN(_ operand: BSONOperand) -> Bool {
        BSONNumber(operand.view)?.isNaN ?? false
    }
}
