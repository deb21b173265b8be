// Stage.swift — the stages of a running query: rows are pushed from one to the next.
//
// Reading stages pass rows on as they find them. Stages that change the graph, sort or group take in all of their
// input first: a clause sees everything earlier clauses did and nothing that later ones do (CIP2015-10-27).

/// A stage that passes every row on, and the base of all others.
class Stage {
    let context: ExecutionContext
    let next: Stage?

    init(context: ExecutionContext, next: Stage?) {
        self.context = context
        self.next = next
    }

    var evaluator: Evaluator { context.evaluator }

    /// Takes a row; false if no more are wanted.
    func push(_ row: Row) throws -> Bool { try forward(row) }

    /// No more rows will come.
    func finish() throws { try next?.finish() }

    final func forward(_ row: Row) throws -> Bool { try next?.push(row) ?? true }

    /// Passes collected rows on, then finishes.
    final func forwardAll(_ rows: [Row]) throws {
        for row in rows where try !forward(row) { break }
        try next?.finish()
    }
}

final class MatchStage: Stage {
    private let plan: MatchPlan
    private let isOptional: Bool

    init(_ plan: MatchPlan, isOptional: Bool, context: ExecutionContext, next: Stage?) {
        self.plan = plan
        self.isOptional = isOptional
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        var isMatched = false
        var matcher = Matcher(plan: plan, context: context)
        let goesOn = try matcher.run(row) { match in
            isMatched = true
            return try forward(match)
        }
        guard isOptional, !isMatched else { return goesOn }
        var empty = row
        for slot in plan.newSlots { empty[slot] = .null }
        return try forward(empty)
    }
}

final class UnwindStage: Stage {
    private let list: Expression
    private let slot: Int

    init(_ list: Expression, slot: Int, context: ExecutionContext, next: Stage?) {
        self.list = list
        self.slot = slot
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        var row = row
        switch try evaluator.evaluate(list, row) {
        case .null: return true
        case .list(let elements):
            for element in elements {
                row[slot] = element
                guard try forward(row) else { return false }
            }
            return true
        case let single:
            row[slot] = single
            return try forward(row)
        }
    }
}

final class ProjectStage: Stage {
    private let outputs: [(slot: Int, expression: Expression)]

    init(_ outputs: [(slot: Int, expression: Expression)], context: ExecutionContext, next: Stage?) {
        self.outputs = outputs
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        var projected = row
        for output in outputs { projected[output.slot] = try evaluator.evaluate(output.expression, row) }
        return try forward(projected)
    }
}

final class FilterStage: Stage {
    private let predicate: Expression

    init(_ predicate: Expression, context: ExecutionContext, next: Stage?) {
        self.predicate = predicate
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        try evaluator.holds(predicate, row) ? try forward(row) : true
    }
}

final class DistinctStage: Stage {
    private let slots: [Int]
    private var seen: Set<[GraphValue]> = []

    init(_ slots: [Int], context: ExecutionContext, next: Stage?) {
        self.slots = slots
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        seen.insert(slots.map { row[$0] }).inserted ? try forward(row) : true
    }
}

final class SkipStage: Stage {
    private var remaining: Int

    init(_ count: Expression, context: ExecutionContext, next: Stage?) throws {
        remaining = try context.count(count, "SKIP")
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        guard remaining == 0 else {
            remaining -= 1
            return true
        }
        return try forward(row)
    }
}

final class LimitStage: Stage {
    private var remaining: Int

    init(_ count: Expression, context: ExecutionContext, next: Stage?) throws {
        remaining = try context.count(count, "LIMIT")
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        guard remaining > 0 else { return false }
        remaining -= 1
        return try forward(row) && remaining > 0
    }
}

/// The end of the pipeline.
final class ResultStage: Stage {
    private let slots: [Int]
    private(set) var rows: [[GraphValue]] = []

    init(_ slots: [Int], context: ExecutionContext) {
        self.slots = slots
        super.init(context: context, next: nil)
    }

    override func push(_ row: Row) throws -> Bool {
        if !slots.isEmpty { rows.append(slots.map { row[$0] }) }
        return true
    }
}
