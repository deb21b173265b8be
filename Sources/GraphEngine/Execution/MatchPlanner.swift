// MatchPlanner.swift — orders the steps of a match.
//
// Greedy: begin at what is already bound, else at the cheapest anchor (unique key, then label, then everything), expand
// from bound nodes, closing cycles first; put every condition right after the step that binds its last variable.

struct MatchPlanner {
    private static let stepLimit = 400

    private let graph: PatternGraph
    private let paths: [(slot: Int, PathTemplate)]
    private let schema: SchemaView
    private let inputSlots: Set<Int>
    private var bound: Set<Int>
    private var steps: [MatchStep] = []
    private var pendingFilters: [Expression]
    private var pendingEdges: [Int]
    private var plannedNodes: Set<Int> = []

    init(
        graph: PatternGraph, boundSlots: Set<Int>, paths: [(slot: Int, PathTemplate)], schema: SchemaView
    ) {
        self.graph = graph
        self.paths = paths
        self.schema = schema
        inputSlots = boundSlots
        bound = boundSlots
        pendingFilters = graph.filters
        pendingEdges = Array(graph.relationships.indices)
    }

    mutating func plan() throws -> MatchPlan {
        addReadyFilters()
        for node in graph.nodes where inputSlots.contains(node.slot) {
            plan(node, by: .boundNode(slot: node.slot))
        }
        for index in pendingEdges where graph.relationships[index].isBound { startFromRelationship(index) }
        while plannedNodes.count < graph.nodes.count || !pendingEdges.isEmpty {
            if let edge = nextEdge() { expand(edge) } else { placeAnchor() }
        }
        for path in paths { steps.append(.path(slot: path.slot, path.1)) }
        bound.formUnion(paths.map(\.slot))
        addReadyFilters()
        steps += pendingFilters.map { .filter($0) }
        guard steps.count <= Self.stepLimit else {
            throw CypherError(.resourceLimit, "PatternTooLarge", "The pattern is too large to be planned")
        }
        let newSlots = (graph.nodes.map(\.slot) + graph.relationships.map(\.slot) + paths.map(\.slot))
            .filter { !inputSlots.contains($0) }
        let needsUniqueness = graph.relationships.count > 1 || graph.relationships.contains { $0.pattern.length != nil }
        return MatchPlan(steps: steps, newSlots: newSlots, checksUniqueness: needsUniqueness)
    }

    // MARK: - Anchors

    private mutating func placeAnchor() {
        let candidates = graph.nodes.filter { !plannedNodes.contains($0.slot) }
        for node in candidates {
            if let step = seek(node) { return plan(node, by: step) }
        }
        for node in candidates {
            if let label = Self.label(node) { return plan(node, by: .nodesByLabel(slot: node.slot, label: label)) }
        }
        if let node = candidates.first { plan(node, by: .allNodes(slot: node.slot)) }
    }

    private static func label(_ node: PatternGraph.Node) -> String? {
        node.labels.lazy.flatMap(\.required).first
    }

    /// A look-up by unique key, if the node must have a constrained property equal to something known by now.
    private func seek(_ node: PatternGraph.Node) -> MatchStep? {
        for label in node.labels.flatMap(\.required) {
            for (key, value) in equalities(of: node) where isReady(value) {
                if let constraint = schema.constraint(label: label, property: key) {
                    return .nodeByUniqueKey(slot: node.slot, constraint: constraint, value: value)
                }
            }
        }
        return nil
    }

    /// From the node's map and from conditions `node.key = value`.
    private func equalities(of node: PatternGraph.Node) -> [(key: String, value: Expression)] {
        var result = node.properties
        for case .comparison(let left, let rest) in pendingFilters where rest.count == 1 && rest[0].operation == .equal
        {
            if case .property(.slot(node.slot), let key) = left { result.append((key, rest[0].operand)) }
            if case .property(.slot(node.slot), let key) = rest[0].operand { result.append((key, left)) }
        }
        return result
    }

    private func isReady(_ expression: Expression) -> Bool {
        !expression.containsPattern && expression.slots.subtracting(expression.localSlots).isSubset(of: bound)
    }

    private mutating func plan(_ node: PatternGraph.Node, by step: MatchStep) {
        steps.append(step)
        finish(node, knownLabel: Self.knownLabel(step))
    }

    private static func knownLabel(_ step: MatchStep) -> String? {
        switch step {
        case .nodesByLabel(_, let label): label
        case .nodeByUniqueKey(_, let constraint, _): constraint.label
        default: nil
        }
    }

    /// Marks the node as bound and adds its own conditions, labels first.
    private mutating func finish(_ node: PatternGraph.Node, knownLabel: String? = nil) {
        plannedNodes.insert(node.slot)
        bound.insert(node.slot)
        for labels in node.labels {
            if case .label(let name) = labels, name == knownLabel { continue }
            steps.append(.filter(.hasLabels(.slot(node.slot), labels)))
        }
        pendingFilters =
            node.properties.map { .comparison(.property(.slot(node.slot), $0.key), [(.equal, $0.value)]) }
            + pendingFilters
        addReadyFilters()
    }

    private mutating func addReadyFilters() {
        var waiting: [Expression] = []
        for filter in pendingFilters {
            if isReady(filter) { steps.append(.filter(filter)) } else { waiting.append(filter) }
        }
        pendingFilters = waiting
    }

    // MARK: - Relationships

    private mutating func startFromRelationship(_ index: Int) {
        let edge = graph.relationships[index]
        guard edge.pattern.length == nil else { return }
        pendingEdges.removeAll { $0 == index }
        steps.append(.boundRelationship(step(edge, isReversed: false)))
        for slot in [edge.from, edge.to] where !plannedNodes.contains(slot) { finishNode(slot) }
    }

    private mutating func finishNode(_ slot: Int) {
        if let node = graph.nodes.first(where: { $0.slot == slot }) { finish(node) }
    }

    /// A relationship with a bound end; one with two bound ends comes first, it only rejects rows.
    private func nextEdge() -> Int? {
        func boundEnds(_ index: Int) -> Int {
            let edge = graph.relationships[index]
            return (plannedNodes.contains(edge.from) ? 1 : 0) + (plannedNodes.contains(edge.to) ? 1 : 0)
        }
        return pendingEdges.first { boundEnds($0) == 2 } ?? pendingEdges.first { boundEnds($0) == 1 }
    }

    private mutating func expand(_ index: Int) {
        pendingEdges.removeAll { $0 == index }
        let edge = graph.relationships[index]
        let isReversed = !plannedNodes.contains(edge.from)
        let step = step(edge, isReversed: isReversed)
        steps.append(.expand(step))
        bound.insert(edge.slot)
        if step.toIsBound { addReadyFilters() } else { finishNode(step.to) }
    }

    private func step(_ edge: PatternGraph.Edge, isReversed: Bool) -> ExpandStep {
        let (from, to) = isReversed ? (edge.to, edge.from) : (edge.from, edge.to)
        return ExpandStep(
            from: from, to: to, toIsBound: plannedNodes.contains(to),
            relationship: edge.isObserved ? edge.slot : nil,
            boundList: edge.isBound && edge.pattern.length != nil ? edge.slot : nil,
            types: edge.pattern.types,
            direction: isReversed ? edge.pattern.direction.reversed : edge.pattern.direction,
            isReversed: isReversed, length: edge.pattern.length, hopProperties: edge.hopProperties)
    }
}
