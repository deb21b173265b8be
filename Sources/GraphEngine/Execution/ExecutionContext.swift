// ExecutionContext.swift — what a running statement works with.

/// One execution of one query. Used by one thread.
final class ExecutionContext {
    let graph: GraphReader
    /// nil for a statement that only reads.
    let writer: GraphWriter?
    let parameters: [String: GraphValue]

    init(graph: GraphReader, writer: GraphWriter?, parameters: [String: GraphValue]) {
        self.graph = graph
        self.writer = writer
        self.parameters = parameters
    }

    var evaluator: Evaluator { Evaluator(context: self) }

    /// Matches a pattern inside an expression; `body` answers whether it wants more.
    func match(_ query: PatternQuery, _ row: Row, _ body: (Row) throws -> Bool) throws {
        guard let plan = query.plan else { return }
        var matcher = Matcher(plan: plan, context: self)
        _ = try matcher.run(row, body)
    }

    func requireWriter() throws -> GraphWriter {
        guard let writer else { throw StorageError(.readOnly, "A reading statement tried to write.") }
        return writer
    }

    /// The value of SKIP or LIMIT.
    func count(_ expression: Expression, _ clause: String) throws -> Int {
        switch try evaluator.evaluate(expression, []) {
        case .integer(let value) where value >= 0: return Int(clamping: value)
        case .integer(let value):
            throw CypherError.argument(
                "NegativeIntegerArgument",
                "\(clause): Invalid input. '\(value)' is not a valid value. "
                    + "Must be a non-negative integer")
        case let other:
            throw CypherError.argument(
                "InvalidArgumentType",
                "\(clause): Invalid input. '\(other)' is not a valid value. "
                    + "Must be a non-negative integer")
        }
    }
}
