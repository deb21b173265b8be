// CoOccurrenceStage.swift — runs a CoOccurrencePlan.

final class CoOccurrenceStage: Stage {
    private let plan: CoOccurrencePlan
    private let slotCount: Int

    init(_ plan: CoOccurrencePlan, slotCount: Int, context: ExecutionContext, next: Stage?) {
        self.plan = plan
        self.slotCount = slotCount
        super.init(context: context, next: next)
    }

    /// The first stage of its query: takes one row.
    override func push(_ row: Row) throws -> Bool {
        if let view = context.graph.adjacency, try run(row, view) { return true }
        return try runGeneral(row)
    }

    private func runGeneral(_ row: Row) throws -> Bool {
        let end = PassingStage(context: context, next: next)
        let aggregate = AggregateStage(plan.aggregate, slotCount: slotCount, context: context, next: end)
        let match = MatchStage(plan.general, isOptional: false, context: context, next: aggregate)
        _ = try match.push(row)
        try match.finish()
        return true
    }

    /// False if the general plan has to run.
    private func run(_ row: Row, _ view: AdjacencyView) throws -> Bool {
        var anchors: [Row] = []
        var matcher = Matcher(plan: plan.anchor, context: context)
        _ = try matcher.run(row) { match in
            anchors.append(match)
            return true
        }
        guard let anchor = anchors.first else { return true }
        guard case .node(let node) = anchor[plan.first.from], let count = try kernel(view) else { return false }
        return try context.graph.store.counterPool.withScratch { scratch in
            context.graph.store.counterPool.withScratch { count.run(from: node.id, middles: &$0, &scratch) }
            guard try keysAreDistinct(scratch, view) else { return false }
            try emit(scratch, anchor, from: node.id)
            return true
        }
    }

    /// nil if a type or label has no token yet: then nothing matches, which the general plan finds out by itself.
    private func kernel(_ view: AdjacencyView) throws -> CoNeighbourCount? {
        let graph = context.graph
        guard let first = try graph.typeTokens(plan.first.types)?.first,
            let second = try graph.typeTokens(plan.second.types)?.first
        else { return nil }
        var count = CoNeighbourCount(
            view: view, firstType: first, firstSide: plan.first.direction.side, secondType: second,
            secondSide: plan.second.direction.side)
        count.isDistinct = plan.isDistinct
        if let label = plan.middleLabel {
            guard let token = try graph.store.tokens.token(.label, label, in: graph.view) else { return nil }
            count.middleLabel = token
        }
        return count
    }

    /// Nodes without the key property would all fall into one group.
    private func keysAreDistinct(_ scratch: borrowing UnsafeCounterScratch, _ view: AdjacencyView) throws -> Bool {
        guard let constraint = plan.keyConstraint else { return true }
        // The statement asks for the constraint's label: if all nodes with it have the key, so have the candidates.
        if let label = try context.graph.store.tokens.token(.label, constraint.label, in: context.graph.view),
            view.nodeCount(label: label) == view.keyCount(constraint.id)
        {
            return true
        }
        var areDistinct = true
        scratch.forEachTouched { node, _ in
            if !view.hasKey(constraint.id, node) { areDistinct = false }
        }
        return areDistinct
    }

    /// Passes groups on by descending count until neither the limit nor a tie with its last group wants more.
    private func emit(_ scratch: borrowing UnsafeCounterScratch, _ anchor: Row, from node: NodeID) throws {
        var progress = Progress(limit: try context.count(plan.limit, "LIMIT"), filters: plan.filters)
        if let exclusion = plan.exclusion {
            if AnchorExclusion.isReflexive(try evaluator.evaluate(exclusion.value, anchor)) {
                progress.excluded = node
            } else {
                progress.filters.append(exclusion.filter)
            }
        }
        // Most often a few more than the limit are enough; all are ranked only if conditions or ties want more.
        let best = scratch.top(min(progress.limit, 1 << 20) + 8) { _ in true }
        for candidate in best where try !pass(candidate, anchor, &progress) { return }
        guard best.count < scratch.touchedCount else { return }
        var candidates = scratch.candidates()
        for _ in best { _ = candidates.pop() }
        while let candidate = candidates.pop() {
            if try !pass(candidate, anchor, &progress) { return }
        }
    }

    private struct Progress {
        let limit: Int
        var filters: [Expression]
        /// Fails the conditions, whatever else they are.
        var excluded: NodeID?
        var accepted = 0
        var lastCount = Int.max
    }

    /// Passes a group on if it meets the conditions; false if no more are wanted.
    private func pass(_ candidate: NodeCount, _ anchor: Row, _ progress: inout Progress) throws -> Bool {
        if progress.accepted >= progress.limit, candidate.count < progress.lastCount { return false }
        if candidate.node == progress.excluded { return true }
        var row = anchor
        row[plan.second.to] = .node(GraphNode(id: candidate.node))
        guard try progress.filters.allSatisfy({ try evaluator.holds($0, row) }) else { return true }
        progress.accepted += 1
        progress.lastCount = candidate.count
        row[plan.aggregate.calls[0].slot] = GraphValue(candidate.count)
        let input = row
        for output in plan.aggregate.outputs {
            row[output.slot] = try evaluator.evaluate(output.expression, input)
        }
        return try forward(row)
    }
}

/// Passes rows on but not the end of them: that is told by the stage it works for.
private final class PassingStage: Stage {
    override func finish() throws {}
}

extension PatternDirection {
    /// Of a directed pattern.
    var side: Side { self == .incoming ? .incoming : .outgoing }
}
