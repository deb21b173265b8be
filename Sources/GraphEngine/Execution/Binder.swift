// Binder.swift — gives every variable of an expression its slot and refuses what can be refused before running.

/// Binds expressions within one scope.
struct Binder {
    var scope: Scope
    let slots: SlotAllocator
    let schema: SchemaView
    /// Expressions that stand for a slot: the items of a projection, in its ORDER BY.
    var substitutions: [String: Int] = [:]
    /// Collects aggregate calls where they are allowed; nil where they are not.
    var aggregates: AggregateCollector?

    init(scope: Scope, slots: SlotAllocator, schema: SchemaView) {
        self.scope = scope
        self.slots = slots
        self.schema = schema
    }

    func bind(_ expression: Expression) throws -> Expression {
        if !substitutions.isEmpty, let slot = substitutions[expression.canonicalText] { return .slot(slot) }
        switch expression {
        case .literal, .parameter, .slot: return expression
        case .variable(let name, let position): return .slot(try slot(of: name, at: position))
        case .list(let elements): return .list(try elements.map(bind))
        case .map(let entries): return .map(try entries.map { ($0.key, try bind($0.value)) })
        case .property(let owner, let key):
            try requireMapLike(owner)
            return .property(try bind(owner), key)
        case .index(let owner, let index): return .index(try bind(owner), try bind(index))
        case .slice(let owner, let from, let to):
            return .slice(try bind(owner), from: try from.map(bind), to: try to.map(bind))
        case .not(let operand):
            try requireBoolean(operand)
            return .not(try bind(operand))
        case .negate(let operand): return .negate(try bind(operand))
        case .plus(let operand): return .plus(try bind(operand))
        case .chain(let first, let rest): return try bindChain(first, rest)
        case .comparison(let first, let rest):
            return .comparison(try bind(first), try rest.map { ($0.operation, try bind($0.operand)) })
        case .isNull(let operand, let negated): return .isNull(try bind(operand), negated: negated)
        case .hasLabels(let operand, let labels): return .hasLabels(try bind(operand), labels)
        case .conditional(let expression): return try bind(expression)
        case .function(let call): return try bind(call)
        case .aggregate(let call): return try bind(call)
        case .quantifier, .comprehension, .reduce: return try bindLocal(expression)
        case .exists(let query): return .exists(try bind(query).query)
        case .countMatches(let query): return .countMatches(try bind(query).query)
        case .patternComprehension(let query, let projection):
            let (bound, inner) = try bind(query)
            return .patternComprehension(bound, projection: try inner.bind(projection))
        }
    }

    func slot(of name: String, at position: SourcePosition) throws -> Int {
        guard let binding = scope[name] else {
            throw CypherError.syntax("UndefinedVariable", "Variable `\(name)` not defined", at: position)
        }
        return binding.slot
    }

    private func bindChain(
        _ first: Expression, _ rest: [(operation: BinaryOperator, operand: Expression)]
    ) throws -> Expression {
        switch rest[0].operation {
        case .and, .or, .xor:
            try requireBoolean(first)
            for element in rest { try requireBoolean(element.operand) }
        default: break
        }
        for element in rest {
            if case .in = element.operation { try requireList(element.operand) }
        }
        return .chain(try bind(first), try rest.map { ($0.operation, try bind($0.operand)) })
    }

    private func bind(_ expression: CaseExpression) throws -> Expression {
        .conditional(
            CaseExpression(
                subject: try expression.subject.map(bind),
                branches: try expression.branches.map { (try bind($0.when), try bind($0.then)) },
                otherwise: try expression.otherwise.map(bind)))
    }

    // MARK: - Calls

    private func bind(_ call: FunctionCall) throws -> Expression {
        guard let function = BuiltinFunction.all[call.name] else {
            throw CypherError.syntax("UnknownFunction", "Unknown function '\(call.name)'", at: call.position)
        }
        guard function.arity.contains(call.arguments.count) else {
            let what = call.arguments.count < function.arity.lowerBound ? "Insufficient" : "Too many"
            throw CypherError.syntax(
                "InvalidNumberOfArguments", "\(what) parameters for function '\(call.name)'", at: call.position)
        }
        try requireArgumentKind(of: call)
        var bound = call
        bound.function = function
        bound.arguments = try call.arguments.map(bind)
        return .function(bound)
    }

    private func bind(_ call: AggregateCall) throws -> Expression {
        guard let aggregates else {
            throw CypherError.syntax(
                "InvalidAggregation",
                "Invalid use of aggregating function \(call.function.rawValue)(...) in this context",
                at: call.position)
        }
        var inner = self
        inner.aggregates = nil
        inner.substitutions = [:]
        if call.argument?.containsRandom == true {
            throw CypherError.syntax(
                "NonConstantExpression",
                "Can't use non-deterministic (random) functions inside of aggregate functions.",
                at: call.position)
        }
        if call.argument?.containsAggregate == true {
            throw CypherError.syntax(
                "NestedAggregation", "Can't use aggregate functions inside of aggregate functions.", at: call.position)
        }
        var bound = call
        bound.argument = try call.argument.map(inner.bind)
        bound.secondArgument = try call.secondArgument.map(inner.bind)
        return .slot(aggregates.add(bound, slots))
    }

    // MARK: - Local variables

    /// A copy in which a local variable is visible. Aggregates may not use it, so they are barred inside.
    private func inside(_ variable: inout LocalVariable) -> Binder {
        variable.slot = slots.next()
        var inner = self
        inner.scope.declare(variable.name, Binding(slot: variable.slot, kind: .unknown))
        inner.aggregates = nil
        return inner
    }

    private func bindLocal(_ expression: Expression) throws -> Expression {
        switch expression {
        case .quantifier(var quantifier):
            quantifier.list = try bind(quantifier.list)
            let inner = inside(&quantifier.variable)
            quantifier.predicate = try inner.bind(quantifier.predicate)
            return .quantifier(quantifier)
        case .comprehension(var comprehension):
            comprehension.list = try bind(comprehension.list)
            let inner = inside(&comprehension.variable)
            comprehension.predicate = try comprehension.predicate.map(inner.bind)
            comprehension.projection = try comprehension.projection.map(inner.bind)
            return .comprehension(comprehension)
        case .reduce(var reduction):
            reduction.initial = try bind(reduction.initial)
            reduction.list = try bind(reduction.list)
            let outer = inside(&reduction.accumulator)
            let inner = outer.inside(&reduction.variable)
            reduction.expression = try inner.bind(reduction.expression)
            return .reduce(reduction)
        default:
            return expression
        }
    }

    private func bind(_ query: PatternQuery) throws -> (query: PatternQuery, inner: Binder) {
        var compiler = PatternCompiler(scope: scope, slots: slots, schema: schema)
        if query.isBare { try requireKnownVariables(query) }
        var bound = query
        bound.plan = try compiler.match(query.parts, predicate: query.predicate)
        var inner = self
        inner.scope = compiler.scope
        inner.aggregates = nil
        return (bound, inner)
    }
}

extension Binder {
    fileprivate func requireKnownVariables(_ query: PatternQuery) throws {
        for part in query.parts {
            for hop in part.hops { try requireKnown(hop.relationship.variable, at: hop.relationship.position) }
            for node in part.nodes { try requireKnown(node.variable, at: node.position) }
        }
    }

    private func requireKnown(_ name: String?, at position: SourcePosition) throws {
        guard let name, scope[name] == nil else { return }
        throw CypherError.syntax(
            "UndefinedVariable",
            "PatternExpressions are not allowed to introduce new variables: '\(name)'.", at: position)
    }

    /// Binds an expression whose value is kept: a bare pattern has a truth value only, so it may not be one.
    func bindValue(_ expression: Expression) throws -> Expression {
        if let position = expression.barePattern {
            throw CypherError.syntax(
                "UnexpectedSyntax",
                "A pattern expression should only be used in order to test the existence of a pattern. It can no longer "
                    + "be used inside the function size(), an alternative is to replace size() with COUNT {}.",
                at: position)
        }
        return try bind(expression)
    }
}

/// The aggregate calls of one projection.
final class AggregateCollector {
    private(set) var calls: [(slot: Int, call: AggregateCall)] = []

    func add(_ call: AggregateCall, _ slots: SlotAllocator) -> Int {
        let slot = slots.next()
        calls.append((slot, call))
        return slot
    }
}
