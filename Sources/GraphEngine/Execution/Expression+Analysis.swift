// Expression+Analysis.swift — questions about expressions: what they use, what they contain, whether two are the same.

extension Expression {
    /// The expressions directly inside this one; those of patterns are not among them.
    var children: [Expression] {
        switch self {
        case .literal, .parameter, .variable, .slot, .exists, .countMatches: []
        case .list(let elements): elements
        case .map(let entries): entries.map(\.value)
        case .property(let owner, _), .hasLabels(let owner, _): [owner]
        case .index(let owner, let index): [owner, index]
        case .slice(let owner, let from, let to): [owner, from, to].compactMap { $0 }
        case .not(let operand), .negate(let operand), .plus(let operand), .isNull(let operand, _): [operand]
        case .chain(let first, let rest): [first] + rest.map(\.operand)
        case .comparison(let first, let rest): [first] + rest.map(\.operand)
        case .conditional(let expression):
            [expression.subject, expression.otherwise].compactMap { $0 }
                + expression.branches.flatMap { [$0.when, $0.then] }
        case .function(let call): call.arguments
        case .aggregate(let call): [call.argument, call.secondArgument].compactMap { $0 }
        case .quantifier(let quantifier): [quantifier.list, quantifier.predicate]
        case .comprehension(let comprehension):
            [comprehension.list, comprehension.predicate, comprehension.projection].compactMap { $0 }
        case .reduce(let reduction): [reduction.initial, reduction.list, reduction.expression]
        case .patternComprehension(_, let projection): [projection]
        }
    }

    var containsAggregate: Bool {
        if case .aggregate = self { return true }
        return children.contains(where: \.containsAggregate)
    }

    var containsRandom: Bool {
        if case .function(let call) = self, call.name == "rand" { return true }
        return children.contains(where: \.containsRandom)
    }

    /// The place of a bare pattern that decides the value of the expression.
    var barePattern: SourcePosition? {
        switch self {
        case .exists(let query): query.isBare ? query.position : nil
        case .not(let operand), .property(let operand, _), .index(let operand, _): operand.barePattern
        case .function(let call) where call.name != "exists": call.arguments.lazy.compactMap(\.barePattern).first
        case .chain(let first, let rest): first.barePattern ?? rest.lazy.compactMap(\.operand.barePattern).first
        default: nil
        }
    }

    /// Whether the expression matches a pattern somewhere inside.
    var containsPattern: Bool {
        switch self {
        case .exists, .countMatches, .patternComprehension: true
        default: children.contains(where: \.containsPattern)
        }
    }

    /// The slots that a bound expression reads, those of its local variables included.
    var slots: Set<Int> {
        if case .slot(let slot) = self { return [slot] }
        return children.reduce(into: []) { $0.formUnion($1.slots) }
    }

    /// The slots given to local variables inside the expression.
    var localSlots: Set<Int> {
        var own: Set<Int> = []
        switch self {
        case .quantifier(let quantifier): own = [quantifier.variable.slot]
        case .comprehension(let comprehension): own = [comprehension.variable.slot]
        case .reduce(let reduction): own = [reduction.accumulator.slot, reduction.variable.slot]
        default: break
        }
        return children.reduce(into: own) { $0.formUnion($1.localSlots) }
    }

    /// The expressions that AND joins.
    var conjuncts: [Expression] {
        guard case .chain(let first, let rest) = self, rest.allSatisfy({ $0.operation == .and }) else { return [self] }
        return first.conjuncts + rest.flatMap { $0.operand.conjuncts }
    }

    /// The names of the variables used, local ones excepted; unbound expressions only.
    func variables(excluding locals: Set<String> = []) -> [(name: String, position: SourcePosition)] {
        if case .variable(let name, let position) = self { return locals.contains(name) ? [] : [(name, position)] }
        var inner = locals
        switch self {
        case .quantifier(let quantifier): inner.insert(quantifier.variable.name)
        case .comprehension(let comprehension): inner.insert(comprehension.variable.name)
        case .reduce(let reduction): inner.formUnion([reduction.accumulator.name, reduction.variable.name])
        default: break
        }
        return children.flatMap { $0.variables(excluding: inner) }
    }

    var variablesOutsideAggregates: [(name: String, position: SourcePosition)] {
        if case .aggregate = self { return [] }
        return containsAggregate ? children.flatMap(\.variablesOutsideAggregates) : variables()
    }

    /// A text that two unbound expressions share exactly if they are written the same, white space aside.
    var canonicalText: String {
        switch self {
        case .literal(let value): "\(value.typeName) \(value)"
        case .parameter(let name): "$`\(name)`"
        case .variable(let name, _): "`\(name)`"
        case .slot(let slot): "#\(slot)"
        case .property(let owner, let key): "\(owner.canonicalText).`\(key)`"
        case .function(let call): "\(call.name)(\(Self.join(call.arguments)))"
        case .aggregate(let call):
            "\(call.function.rawValue)(\(call.isDistinct ? "distinct " : "")\(Self.join(children)))"
        case .chain(let first, let rest):
            "(\(first.canonicalText)" + rest.map { " \($0.operation) \($0.operand.canonicalText)" }.joined() + ")"
        case .comparison(let first, let rest):
            "(\(first.canonicalText)" + rest.map { " \($0.operation.rawValue) \($0.operand.canonicalText)" }.joined()
                + ")"
        case .list: "[\(Self.join(children))]"
        case .map(let entries):
            "{" + entries.map { "`\($0.key)`: \($0.value.canonicalText)" }.joined(separator: ", ") + "}"
        case .index(let owner, let index): "\(owner.canonicalText)[\(index.canonicalText)]"
        case .slice(let owner, let from, let to):
            "\(owner.canonicalText)[\(from?.canonicalText ?? "")..\(to?.canonicalText ?? "")]"
        case .not(let operand): "not \(operand.canonicalText)"
        case .negate(let operand): "-\(operand.canonicalText)"
        case .plus(let operand): "+\(operand.canonicalText)"
        case .isNull(let operand, let negated): "(\(operand.canonicalText) is \(negated ? "not " : "")null)"
        case .hasLabels(let operand, let labels): "\(operand.canonicalText):\(labels)"
        case .conditional, .quantifier, .comprehension, .reduce, .exists, .countMatches, .patternComprehension:
            // Equal texts are not needed here: each is different from every other.
            "\(self)"
        }
    }

    private static func join(_ expressions: [Expression]) -> String {
        expressions.map(\.canonicalText).joined(separator: ", ")
    }
}
