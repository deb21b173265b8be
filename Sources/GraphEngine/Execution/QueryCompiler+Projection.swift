// QueryCompiler+Projection.swift — WITH and RETURN: projection, grouping, DISTINCT, ORDER BY, SKIP, LIMIT, WHERE.

extension QueryCompiler {
    /// One column: an item, or a variable that `*` brought in.
    private struct Column {
        var name: String
        var expression: Expression
        var hasAlias: Bool
        var slot: Int
        var kind: VariableKind
    }

    mutating func compile(_ projection: Projection, predicate: Expression?, isReturn: Bool) throws {
        let input = scope
        let items = try expandedItems(projection)
        let isAggregating = items.contains { $0.expression.containsAggregate }
        let result = try isAggregating ? aggregate(items) : project(items)
        scope = Scope()
        for column in result { scope.declare(column.name, Binding(slot: column.slot, kind: column.kind)) }
        if projection.isDistinct { stages.append(.distinct(result.map(\.slot))) }
        let seesInput = !projection.isDistinct && !isAggregating
        try compileOrder(projection, result, input: input, seesInput: seesInput)
        if let predicate { try compileFilter(predicate, result, input: input, seesInput: seesInput) }
        if isReturn { columns = result.map { ($0.name, $0.slot) } }
    }

    private func expandedItems(_ projection: Projection) throws -> [ProjectionItem] {
        var items: [ProjectionItem] = []
        if projection.includesAll {
            guard !scope.names.isEmpty else {
                throw CypherError.syntax(
                    "NoVariablesInScope", "RETURN * is not allowed when there are no variables in scope",
                    at: projection.position)
            }
            for name in scope.names.sorted(by: { $0.compareCodePoints(to: $1) < 0 }) {
                items.append(
                    ProjectionItem(
                        expression: .variable(name, projection.position), name: name, hasAlias: false,
                        position: projection.position))
            }
        }
        items += projection.items
        var names: Set<String> = []
        for item in items where !names.insert(item.name).inserted {
            throw CypherError.syntax(
                "ColumnNameConflict", "Multiple result columns with the same name are not supported", at: item.position)
        }
        return items
    }

    // MARK: - Without aggregation

    private mutating func project(_ items: [ProjectionItem]) throws -> [Column] {
        let binder = binder
        var computed: [(slot: Int, expression: Expression)] = []
        var result: [Column] = []
        for item in items {
            let bound = try binder.bindValue(item.expression)
            var slot: Int
            if case .slot(let existing) = bound {
                slot = existing
            } else {
                slot = slots.next()
                computed.append((slot, bound))
            }
            // Two names for one variable are two columns.
            if result.contains(where: { $0.slot == slot }) {
                slot = slots.next()
                computed.append((slot, bound))
            }
            result.append(column(item, slot, binder))
        }
        if !computed.isEmpty { stages.append(.project(computed)) }
        return result
    }

    private func column(_ item: ProjectionItem, _ slot: Int, _ binder: Binder) -> Column {
        Column(
            name: item.name, expression: item.expression, hasAlias: item.hasAlias, slot: slot,
            kind: binder.kind(of: item.expression))
    }

    // MARK: - With aggregation

    private mutating func aggregate(_ items: [ProjectionItem]) throws -> [Column] {
        let collector = AggregateCollector()
        var binder = binder
        var plan = AggregatePlan(keys: [], calls: [], outputs: [])
        let keys = items.filter { !$0.expression.containsAggregate }
        let keyTexts = Set(keys.map(\.expression.canonicalText))
        var result: [Column] = []
        for item in items {
            binder.aggregates = collector
            if item.expression.containsAggregate {
                try checkGrouping(item.expression, keyTexts, at: item.position)
            }
            let bound = try binder.bindValue(item.expression)
            if !item.expression.containsAggregate { plan.keys.append(bound) }
            let slot = slots.next()
            plan.outputs.append((slot, bound))
            result.append(column(item, slot, binder))
        }
        plan.calls = collector.calls
        stages.append(.aggregate(plan))
        return result
    }

    /// Outside its aggregates an expression may use grouping keys and constants only (CIP2021-07-07).
    private func checkGrouping(
        _ expression: Expression, _ keys: Set<String>, at position: SourcePosition, locals: Set<String> = []
    ) throws {
        if case .aggregate = expression { return }
        if keys.contains(expression.canonicalText) { return }
        if case .variable(let name, _) = expression {
            if locals.contains(name) { return }
            throw CypherError.syntax(
                "AmbiguousAggregationExpression",
                "Aggregation column contains implicit grouping expressions. For example, in 'RETURN n.a, n.a + n.b + "
                    + "count(*)' the aggregation expression 'n.a + n.b + count(*)' includes the implicit grouping key "
                    + "'n.b'. It may be possible to rewrite the query by extracting these grouping/aggregation "
                    + "expressions into a preceding WITH clause. Illegal expression(s): \(name)",
                at: position)
        }
        var inner = locals
        switch expression {
        case .quantifier(let quantifier): inner.insert(quantifier.variable.name)
        case .comprehension(let comprehension): inner.insert(comprehension.variable.name)
        case .reduce(let reduction): inner.formUnion([reduction.accumulator.name, reduction.variable.name])
        default: break
        }
        for child in expression.children { try checkGrouping(child, keys, at: position, locals: inner) }
    }

    // MARK: - Order and conditions

    /// A binder that knows the columns by name and by expression and, where allowed, the variables before them.
    private func outputBinder(_ columns: [Column], input: Scope, seesInput: Bool) -> Binder {
        var visible = seesInput ? input : Scope()
        for column in columns { visible.declare(column.name, Binding(slot: column.slot, kind: column.kind)) }
        var binder = Binder(scope: visible, slots: slots, schema: schema)
        for column in columns {
            if case .variable(let name, _) = column.expression, columns.contains(where: { $0.name == name }) {
                continue
            }
            // An expression that uses a name which a column gives a new meaning is not that column's expression.
            let isShadowed = column.expression.variables().contains { variable in
                columns.contains { $0.name == variable.name && $0.slot != input[variable.name]?.slot }
            }
            if !isShadowed || column.expression.containsAggregate {
                binder.substitutions[column.expression.canonicalText] = column.slot
            }
        }
        return binder
    }

    private mutating func compileOrder(
        _ projection: Projection, _ columns: [Column], input: Scope, seesInput: Bool
    ) throws {
        let binder = outputBinder(columns, input: input, seesInput: seesInput)
        let limit = try projection.limit.map { try count($0, "LIMIT") }
        let skip = try projection.skip.map { try count($0, "SKIP") }
        if !projection.orderBy.isEmpty {
            let keys = try projection.orderBy.map { item in
                try checkSortAggregates(item.expression, columns, at: projection.position)
                return SortKey(expression: try binder.bind(item.expression), isDescending: item.isDescending)
            }
            stages.append(.sort(keys, limit: topCount(skip: skip, limit: limit)))
        }
        if let skip { stages.append(.skip(skip)) }
        if let limit { stages.append(.limit(limit)) }
    }

    private func topCount(skip: Expression?, limit: Expression?) -> Expression? {
        guard let limit else { return nil }
        return skip.map { .chain($0, [(.add, limit)]) } ?? limit
    }

    private func checkSortAggregates(
        _ expression: Expression, _ columns: [Column], at position: SourcePosition
    ) throws {
        guard expression.containsAggregate else { return }
        guard !columns.contains(where: { $0.expression.containsAggregate }) else {
            let keyColumns = columns.filter { !$0.expression.containsAggregate }
            let known = Set(columns.map(\.name) + keyColumns.flatMap { $0.expression.variables().map(\.name) })
            for variable in expression.variablesOutsideAggregates where !known.contains(variable.name) {
                throw CypherError.syntax(
                    "UndefinedVariable", "Variable `\(variable.name)` not defined", at: variable.position)
            }
            let keys = keyColumns.map(\.expression.canonicalText)
            return try checkGrouping(expression, Set(keys), at: position, locals: Set(columns.map(\.name)))
        }
        throw CypherError.syntax(
            "InvalidAggregation",
            "Cannot use aggregation in ORDER BY if there are no aggregate expressions in the preceding RETURN/WITH",
            at: position)
    }

    /// SKIP and LIMIT see no variables.
    private func count(_ expression: Expression, _ clause: String) throws -> Expression {
        if let variable = expression.variables().first {
            throw CypherError.syntax(
                "NonConstantExpression",
                "It is not allowed to refer to variables in \(clause), so that the value for \(clause) can be statically "
                    + "calculated", at: variable.position)
        }
        switch expression {
        case .literal(.integer(let value)) where value < 0:
            throw CypherError(
                .syntax, "NegativeIntegerArgument",
                "Invalid input. '\(value)' is not a valid value. Must be a non-negative integer")
        case .literal(.float), .literal(.string), .literal(.boolean):
            throw CypherError(
                .syntax, "InvalidArgumentType", "Invalid input. Must be a non-negative integer in \(clause)")
        default: break
        }
        return try Binder(scope: Scope(), slots: slots, schema: schema).bind(expression)
    }

    private mutating func compileFilter(
        _ predicate: Expression, _ columns: [Column], input: Scope, seesInput: Bool
    ) throws {
        let binder = outputBinder(columns, input: input, seesInput: seesInput)
        try binder.requireBoolean(predicate)
        if predicate.containsAggregate {
            throw CypherError(
                .syntax, "InvalidAggregation", "Invalid use of aggregating function in this context")
        }
        stages.append(.filter(try binder.bind(predicate)))
    }
}
