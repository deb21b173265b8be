// AggregateStage.swift — groups rows by their keys and folds each group.

final class AggregateStage: Stage {
    private struct Group {
        /// Stands for all rows of the group: they agree in everything the outputs may use.
        var first: Row
        var aggregators: [Aggregator]
    }

    private let plan: AggregatePlan
    private let emptyRow: Row
    private var groups: [Group] = []
    private var positions: [[GraphValue]: Int] = [:]

    init(_ plan: AggregatePlan, slotCount: Int, context: ExecutionContext, next: Stage?) {
        self.plan = plan
        emptyRow = Row(repeating: .null, count: slotCount)
        super.init(context: context, next: next)
    }

    override func push(_ row: Row) throws -> Bool {
        let position = try position(of: row)
        for (index, element) in plan.calls.enumerated() {
            guard let argument = element.call.argument else {
                groups[position].aggregators[index].addRow()
                continue
            }
            let value = try evaluator.evaluate(argument, row)
            let second = try element.call.secondArgument.map { try evaluator.evaluate($0, row) }
            try groups[position].aggregators[index].add(value, second: second)
        }
        return true
    }

    private func position(of row: Row) throws -> Int {
        let keys = try plan.keys.map { try evaluator.evaluate($0, row) }
        if let position = positions[keys] { return position }
        positions[keys] = groups.count
        groups.append(Group(first: row, aggregators: plan.calls.map { Aggregator($0.call) }))
        return groups.count - 1
    }

    override func finish() throws {
        // Without keys there is one group, even of no rows.
        if plan.keys.isEmpty, groups.isEmpty { _ = try position(of: emptyRow) }
        for group in groups {
            var row = group.first
            for (index, element) in plan.calls.enumerated() { row[element.slot] = group.aggregators[index].result }
            let input = row
            for output in plan.outputs { row[output.slot] = try evaluator.evaluate(output.expression, input) }
            if try !forward(row) { break }
        }
        try next?.finish()
    }
}
