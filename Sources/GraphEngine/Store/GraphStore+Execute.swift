// GraphStore+Execute.swift — running Cypher.

extension GraphStore {
    /// Runs a statement in a transaction of its own.
    ///
    /// A statement that only reads sees the newest commit and never waits for writers. One that writes runs alone; if
    /// it fails, nothing of it happened. The parsed and planned statement is kept, so pass values as parameters.
    ///
    /// - Throws: ``CypherError`` with Neo4j's code and text.
    @discardableResult
    public func execute(
        _ cypher: String, parameters: [String: GraphValue] = [:], durability: Durability = .buffered
    ) throws -> GraphResult {
        switch try statements.prepare(cypher, schema: constraints.schema) {
        case .schema(let statement): return try executeSchema(statement, durability)
        case .query(let statement) where statement.isUpdating:
            return try storage.write(durability) { try execute(cypher, parameters: parameters, in: $0) }
        case .query: return try executeReading(cypher, parameters)
        }
    }

    /// As the synchronous form; suspends where it has to wait for its turn or for the disk.
    @discardableResult
    public func execute(
        _ cypher: String, parameters: [String: GraphValue] = [:], durability: Durability = .buffered
    ) async throws -> GraphResult {
        switch try statements.prepare(cypher, schema: constraints.schema) {
        case .schema(let statement): return try executeSchema(statement, durability)
        case .query(let statement) where statement.isUpdating:
            return try await storage.write(durability) { try execute(cypher, parameters: parameters, in: $0) }
        case .query: return try executeReading(cypher, parameters)
        }
    }

    /// Runs a statement inside an open transaction: it sees what the transaction did before, and what it does commits
    /// with the rest. If it throws, let the error leave the transaction's body: the statement may be half done.
    ///
    /// - Throws: ``CypherError``; schema commands are refused here, as Neo4j refuses to mix them with data.
    @discardableResult
    public func execute(
        _ cypher: String, parameters: [String: GraphValue] = [:], in transaction: WriteTransaction
    ) throws -> GraphResult {
        guard case .query(let statement) = try statements.prepare(cypher, schema: constraints.schema) else {
            throw CypherError(
                .transactionType, "ForbiddenDueToTransactionType",
                "Tried to execute Schema modification after executing Write query. Schema commands need a transaction of "
                    + "their own.")
        }
        let writer = GraphWriter(store: self, transaction: transaction)
        let rows = try run(statement, reader: writer.reader, writer: writer, parameters)
        try writer.checkDeletions()
        let materialized = try materialize(rows, writer.reader)
        return GraphResult(columns: statement.columns, rows: materialized, counters: writer.counters)
    }

    private func executeReading(_ cypher: String, _ parameters: [String: GraphValue]) throws -> GraphResult {
        while true {
            guard case .query(let statement) = try statements.prepare(cypher, schema: constraints.schema) else {
                continue
            }
            let (snapshot, view) = index.matchingView { storage.snapshot() }
            // The plan may rely on a constraint that came or went meanwhile.
            guard constraints.fits(statement.schemaVersion, snapshot) else { continue }
            let reader = GraphReader(store: self, view: snapshot.view, adjacency: view)
            let rows = try run(statement, reader: reader, writer: nil, parameters)
            return GraphResult(
                columns: statement.columns, rows: try materialize(rows, reader), counters: GraphCounters())
        }
    }

    private func materialize(_ rows: [[GraphValue]], _ reader: GraphReader) throws -> [[GraphValue]] {
        try rows.map { try $0.map(reader.materialized) }
    }

    // MARK: - Running

    private func run(
        _ statement: CompiledStatement, reader: GraphReader, writer: GraphWriter?, _ parameters: [String: GraphValue]
    ) throws -> [[GraphValue]] {
        let context = ExecutionContext(graph: reader, writer: writer, parameters: parameters)
        var rows: [[GraphValue]] = []
        for query in statement.queries { rows += try Self.run(query, context) }
        guard statement.queries.count > 1, !statement.keepsDuplicates else { return rows }
        var seen: Set<[GraphValue]> = []
        return rows.filter { seen.insert($0).inserted }
    }

    private static func run(_ query: CompiledQuery, _ context: ExecutionContext) throws -> [[GraphValue]] {
        let result = ResultStage(query.columnSlots, context: context)
        var first: Stage = result
        for plan in query.stages.reversed() {
            first = try stage(plan, slotCount: query.slotCount, context: context, next: first)
        }
        _ = try first.push(Row(repeating: .null, count: query.slotCount))
        try first.finish()
        return result.rows
    }

    private static func stage(
        _ plan: StagePlan, slotCount: Int, context: ExecutionContext, next: Stage
    ) throws -> Stage {
        switch plan {
        case .match(let plan, let isOptional):
            MatchStage(plan, isOptional: isOptional, context: context, next: next)
        case .unwind(let list, let slot): UnwindStage(list, slot: slot, context: context, next: next)
        case .project(let outputs): ProjectStage(outputs, context: context, next: next)
        case .aggregate(let plan): AggregateStage(plan, slotCount: slotCount, context: context, next: next)
        case .coOccurrence(let plan): CoOccurrenceStage(plan, slotCount: slotCount, context: context, next: next)
        case .filter(let predicate): FilterStage(predicate, context: context, next: next)
        case .distinct(let slots): DistinctStage(slots, context: context, next: next)
        case .sort(let keys, let limit): try SortStage(keys, limit: limit, context: context, next: next)
        case .skip(let count): try SkipStage(count, context: context, next: next)
        case .limit(let count): try LimitStage(count, context: context, next: next)
        case .create(let plan): CreateStage(plan, context: context, next: next)
        case .merge(let plan): MergeStage(plan, context: context, next: next)
        case .set(let items): SetStage(items, context: context, next: next)
        case .remove(let items): RemoveStage(items, context: context, next: next)
        case .delete(let expressions, let detach):
            DeleteStage(expressions, detach: detach, context: context, next: next)
        }
    }
}

extension CompiledStatement {
    var columns: [String] { queries.first?.columns ?? [] }
}
