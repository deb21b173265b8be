// CoOccurrencePlan.swift — recognises "expand, expand, count, top k" and runs it on the in-memory adjacency.
//
//     MATCH (x:L {key: …})-[:A]-(v)-[:B]-(o) WHERE <conditions on o>
//     RETURN o…, count(v) AS n ORDER BY n DESC… LIMIT k
//
// The general plan makes a row for each path; this one makes one for each candidate that can be among the first k.
// It stands in for the match and the aggregation; sorting, and everything after, stays as it is.

struct CoOccurrencePlan: Sendable {
    /// Binds x: at most one node.
    var anchor: MatchPlan
    var first: ExpandStep
    var middleLabel: String?
    var second: ExpandStep
    /// Conditions on o, and on nothing that is bound after x.
    var filters: [Expression]
    /// One more, which most often says no more than that o is not x.
    var exclusion: AnchorExclusion?
    var isDistinct: Bool
    /// The grouping key is the value of this constraint's property: no two nodes share one.
    var keyConstraint: UniqueConstraint?
    var aggregate: AggregatePlan
    /// How many groups can matter, best counts first.
    var limit: Expression
    /// Runs instead where memory does not show what the statement must see.
    var general: MatchPlan
}

extension CoOccurrencePlan {
    /// The plan, if the first stages of a query have the shape.
    init?(_ stages: [StagePlan], schema: SchemaView) {
        guard stages.count >= 3, case .match(let match, isOptional: false) = stages[0],
            case .aggregate(let aggregate) = stages[1], case .sort(let keys, let limit?) = stages[2],
            let shape = Shape(match)
        else { return nil }
        guard aggregate.calls.count == 1, aggregate.calls[0].call.function == .count,
            Self.counts(aggregate.calls[0].call, shape), Self.sortsByCount(keys, aggregate)
        else { return nil }
        let outer = Set([shape.first.to])
        guard aggregate.keys.allSatisfy({ $0.slots.isDisjoint(with: outer) && !$0.containsPattern }) else { return nil }
        var constraint: UniqueConstraint?
        if !aggregate.keys.contains(where: { $0.isSlot(shape.second.to) }) {
            constraint = Self.keyConstraint(aggregate.keys, shape, schema)
            guard constraint != nil else { return nil }
        }
        anchor = shape.anchor
        first = shape.first
        middleLabel = shape.middleLabel
        second = shape.second
        filters = shape.filters
        isDistinct = aggregate.calls[0].call.isDistinct
        keyConstraint = constraint
        self.aggregate = aggregate
        self.limit = limit
        general = match
        separateExclusion()
    }

    /// Takes the condition that o's key is not the value by which x was found out of the filters.
    private mutating func separateExclusion() {
        guard let keyConstraint, case .nodeByUniqueKey(_, keyConstraint, let value)? = anchor.steps.first else {
            return
        }
        let index = filters.firstIndex {
            guard case .comparison(.property(let owner, keyConstraint.property), let rest) = $0, rest.count == 1 else {
                return false
            }
            return owner.isSlot(second.to) && rest[0].operation == .notEqual
                && rest[0].operand.isSameConstant(as: value)
        }
        guard let index else { return }
        exclusion = AnchorExclusion(filter: filters.remove(at: index), value: value)
    }

    /// `count(*)`, `count(v)`, `count(DISTINCT v)`.
    private static func counts(_ call: AggregateCall, _ shape: Shape) -> Bool {
        guard let argument = call.argument else { return !call.isDistinct }
        return argument.isSlot(shape.first.to) || (argument.isSlot(shape.second.to) && !call.isDistinct)
    }

    private static func sortsByCount(_ keys: [SortKey], _ aggregate: AggregatePlan) -> Bool {
        guard let key = keys.first, key.isDescending, case .slot(let slot) = key.expression else { return false }
        return aggregate.outputs.contains { $0.slot == slot && $0.expression.isSlot(aggregate.calls[0].slot) }
    }

    private static func keyConstraint(
        _ keys: [Expression], _ shape: Shape, _ schema: SchemaView
    ) -> UniqueConstraint? {
        for case .property(let owner, let property) in keys where owner.isSlot(shape.second.to) {
            for label in shape.targetLabels {
                if let constraint = schema.constraint(label: label, property: property) { return constraint }
            }
        }
        return nil
    }

    /// The match of the shape, taken apart.
    private struct Shape {
        var anchor: MatchPlan
        var first: ExpandStep
        var middleLabel: String?
        var second: ExpandStep
        var filters: [Expression] = []
        /// Labels that o certainly has.
        var targetLabels: [String] = []

        init?(_ plan: MatchPlan) {
            guard case .nodeByUniqueKey? = plan.steps.first else { return nil }
            let expands = plan.steps.indices.filter { index in
                if case .expand = plan.steps[index] { true } else { false }
            }
            guard expands.count == 2, case .expand(let first) = plan.steps[expands[0]],
                case .expand(let second) = plan.steps[expands[1]], Self.isSimple(first), Self.isSimple(second),
                second.from == first.to, second.to != first.from
            else { return nil }
            self.first = first
            self.second = second
            anchor = MatchPlan(steps: Array(plan.steps[..<expands[0]]), newSlots: [], checksUniqueness: false)
            guard readMiddle(plan.steps[(expands[0] + 1)..<expands[1]]) else { return nil }
            guard readFilters(plan.steps[(expands[1] + 1)...]) else { return nil }
        }

        private static func isSimple(_ step: ExpandStep) -> Bool {
            step.length == nil && !step.toIsBound && step.relationship == nil && step.types.count == 1
                && step.direction != .both
        }

        /// Between the expands: nothing, or a label of v.
        private mutating func readMiddle(_ steps: ArraySlice<MatchStep>) -> Bool {
            for step in steps {
                guard case .filter(.hasLabels(let owner, .label(let name))) = step, owner.isSlot(first.to),
                    middleLabel == nil
                else { return false }
                middleLabel = name
            }
            return true
        }

        private mutating func readFilters(_ steps: ArraySlice<MatchStep>) -> Bool {
            for step in steps {
                guard case .filter(let filter) = step, !filter.slots.contains(first.to), !filter.containsPattern else {
                    return false
                }
                if case .hasLabels(let owner, let labels) = filter, owner.isSlot(second.to) {
                    targetLabels += labels.required
                }
                filters.append(filter)
            }
            return true
        }
    }
}

/// The condition `o.key <> value` where x was found as the one node whose key is that value.
///
/// Every candidate has the key and no two share one: so it holds of all nodes but x, unless the value does not even
/// equal itself.
struct AnchorExclusion: Sendable {
    var filter: Expression
    var value: Expression

    static func isReflexive(_ value: GraphValue) -> Bool {
        switch value {
        case .boolean, .integer, .string: true
        default: false
        }
    }
}

extension Expression {
    /// Whether both are the same parameter, or the same literal.
    func isSameConstant(as other: Expression) -> Bool {
        switch (self, other) {
        case (.parameter(let left), .parameter(let right)): left == right
        case (.literal(let left), .literal(let right)): left == right
        default: false
        }
    }

    func isSlot(_ slot: Int) -> Bool {
        if case .slot(slot) = self { true } else { false }
    }
}
