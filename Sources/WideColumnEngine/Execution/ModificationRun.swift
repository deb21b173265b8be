// ModificationRun.swift — one or more modifications as one unit: conditions first, then all writes, or none
// ([CA] cql3/statements/BatchStatement.java, ModificationStatement.java).

/// Modifications that commit together.
struct ModificationRun {
    var statements: [(plan: ModificationPlan, context: ExecutionContext)]
    var isBatch: Bool
    var limits: StatementLimits
    /// Microseconds: of a batch, for statements that have none of their own.
    var timestamp: Int64?
    var isUnlogged = false

    init(
        statements: [(plan: ModificationPlan, context: ExecutionContext)], isBatch: Bool, limits: StatementLimits
    ) {
        self.statements = statements
        self.isBatch = isBatch
        self.limits = limits
    }

    func execute(_ transaction: WriteTransaction) throws -> ResultSet {
        let isConditional = statements.contains { $0.plan.isConditional }
        var warnings: [String] = []
        if isConditional, var result = try refusal(transaction, &warnings) {
            result.warnings = warnings
            return result
        }
        var byteCount = 0
        let rowsBefore = try rowsBefore(transaction, &warnings)
        for (plan, context) in statements {
            var context = context
            // What was decided by reading must be newer than what was read, for all members.
            if isConditional { context.timestamp = nil }
            var executor = try ModificationExecutor(plan, context, transaction, batchTimestamp: timestamp)
            if plan.readsBeforeBatch { executor.rowsBefore = rowsBefore }
            try executor.run()
            byteCount += executor.byteCount
            warnings += executor.warnings
        }
        var result = isConditional ? try ConditionEvaluator.applied() : ResultSet.void
        if isBatch { warnings += try checkSize(byteCount) }
        result.warnings = warnings
        return result
    }

    /// The lists that members of the batch look into and other members may change: each member sees them as they were before
    /// the batch ([CA] statements/BatchStatement.java, `getMutations`, which reads first).
    private func rowsBefore(_ transaction: WriteTransaction, _ warnings: inout [String]) throws -> RowsBefore {
        var rows = RowsBefore()
        guard isBatch, statements.count > 1, statements.contains(where: { $0.plan.readsBeforeBatch }) else {
            return rows
        }
        let shared = Set(try partitionCounts().lazy.filter { $0.value > 1 }.map(\.key))
        for (plan, context) in statements where plan.readsBeforeBatch {
            var executor = try ModificationExecutor(plan, context, transaction, batchTimestamp: timestamp)
            executor.rowsBefore = rows
            try executor.readAhead(in: shared)
            rows = executor.rowsBefore
            warnings += executor.warnings
        }
        return rows
    }

    /// The answer where some condition does not hold. The rows of all conditions are one read.
    private func refusal(_ transaction: WriteTransaction, _ warnings: inout [String]) throws -> ResultSet? {
        if statements.count > 1, try partitionCounts().count > 1 {
            throw CQLError.invalid("Batch with conditions cannot span multiple partitions")
        }
        let columns = statements.reduce(into: Set<UInt16>()) { $0.formUnion($1.plan.testedColumns) }
        var evaluators: [ConditionEvaluator] = []
        var reading = TombstoneGuard.Reading()
        var readRows: Set<[UInt8]?> = []
        for (plan, context) in statements where plan.isConditional {
            let evaluator = try ConditionEvaluator(plan, context, transaction.view, columns: columns)
            if readRows.insert(evaluator.clustering).inserted {
                reading.note(evaluator.row, isLive: evaluator.rowExists)
                try context.tombstoneGuard?.check(
                    reading.tombstoneCount, plan.table.definition, row: evaluator.storedKey)
            }
            evaluators.append(evaluator)
        }
        warnings += evaluators.first?.context.tombstoneGuard?.warnings(reading) ?? []
        try checkConditions(of: evaluators)
        guard try evaluators.allSatisfy({ try $0.holds() }) else {
            return try ConditionEvaluator.notApplied(
                evaluators, isBatch: isBatch, updatesRows: statements.contains { $0.plan.updatesRows },
                updatesStatics: statements.contains { !$0.plan.staticOperations.isEmpty })
        }
        return nil
    }

    /// The kinds of conditions that exclude each other on one row ([CA] statements/CQL3CasRequest.java).
    private enum ConditionKind {
        case exists, notExists, columns
    }

    private func checkConditions(of evaluators: [ConditionEvaluator]) throws {
        guard evaluators.count > 1 else { return }
        var known: [[UInt8]?: ConditionKind] = [:]
        for evaluator in evaluators {
            let kind: ConditionKind
            // Tests of static columns are about the static row, whichever row the statement writes.
            var rows: Set<[UInt8]?> = [evaluator.clustering]
            switch evaluator.plan.condition {
            case .none: continue
            case .exists: kind = .exists
            case .notExists: kind = .notExists
            case .columns(let tests):
                kind = .columns
                rows = Set(tests.map { $0.column.kind == .static ? nil : evaluator.clustering })
            }
            for row in rows {
                guard let earlier = known.updateValue(kind, forKey: row), earlier != kind else { continue }
                let mixed =
                    kind == .columns || earlier == .columns
                    ? "IF conditions and IF [NOT] EXISTS" : "IF EXISTS and IF NOT EXISTS conditions"
                throw CQLError.invalid("Cannot mix \(mixed) for the same row")
            }
        }
    }

    /// How often the statements name each partition.
    private func partitionCounts() throws -> [RowsBefore.Partition: Int] {
        var counts: [RowsBefore.Partition: Int] = [:]
        for (plan, context) in statements {
            for prefix in try plan.partition.prefixes(context) {
                counts[.init(table: plan.table.identifier, prefix: prefix), default: 0] += 1
            }
        }
        return counts
    }

    /// Only batches over several partitions have limits, since one partition is written at once anyway.
    private func checkSize(_ byteCount: Int) throws -> [String] {
        let mayExceed = byteCount > limits.batchSizeWarningByteCount
        guard mayExceed || isUnlogged && statements.count > limits.unloggedBatchWarningPartitionCount else { return [] }
        let named = try partitionCounts().keys
        // Tables of one keyspace have their partitions of one key together.
        let partitions = Set(named.map { PartitionOfKeyspace(keyspace: $0.table.keyspace, prefix: $0.prefix) })
        guard partitions.count > 1 else { return [] }
        guard byteCount <= limits.batchSizeFailureByteCount else { throw CQLError.invalid("Batch too large") }
        let names = Set(named.map(\.table.description)).sorted().joined(separator: ", ")
        var warnings: [String] = []
        if mayExceed {
            let limit = limits.batchSizeWarningByteCount
            warnings.append(
                "Batch for [\(names)] is of size \(Self.kibibytes(byteCount)), exceeding specified threshold of "
                    + "\(Self.kibibytes(limit)) by \(Self.kibibytes(byteCount - limit)).")
        }
        if isUnlogged, partitions.count > limits.unloggedBatchWarningPartitionCount {
            warnings.append(
                "Unlogged batch covering \(partitions.count) partitions detected against table [\(names)]. "
                    + "You should use a logged batch for atomicity, or asynchronous writes for performance.")
        }
        return warnings
    }

    private struct PartitionOfKeyspace: Hashable {
        var keyspace: String
        var prefix: [UInt8]
    }

    private static func kibibytes(_ byteCount: Int) -> String {
        let thousandths = byteCount * 1000 / 1024
        let digits = String(thousandths % 1000)
        return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)KiB"
    }
}

extension WideColumnStore {
    /// Executes statements that commit together, with one timestamp for all that have none of their own.
    ///
    /// - Throws: `CQLError` where one of them is no modification, or as BATCH does.
    @discardableResult
    public func execute(_ batch: StatementBatch, options: ExecutionOptions = ExecutionOptions()) throws -> ResultSet {
        guard options.isTracing else { return try perform(batch, options, nil) }
        var context = options.traceContext
        context.request = .batch
        return try tracing(context, batch.statements.map(\.statement.cql).joined(separator: "; "), options) { tracer in
            let result = try perform(batch, options, tracer)
            tracer.endWriting()
            return result
        }
    }

    private func perform(
        _ batch: StatementBatch, _ options: ExecutionOptions, _ tracer: StatementTracer?
    ) throws -> ResultSet {
        try storage.write(options.durability) { transaction in
            if let tracer { transaction.traceSink = tracer }
            var statements: [(plan: ModificationPlan, context: ExecutionContext)] = []
            for (statement, values) in batch.statements {
                let plan = try statement.plan()
                try plan.check(values)
                guard case .modification(let modification) = plan.kind else {
                    throw CQLError.invalid(
                        "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.")
                }
                var context = statement.context(values, now: transaction.commitTime)
                context.timestamp = options.timestamp
                context.nowInSeconds = options.nowInSeconds.map(Int64.init)
                statement.prepare(&context, for: modification)
                context.showsMasks = options.maskedUserName != nil
                statements.append((modification, context))
            }
            try BatchPlan.check(statements.map(\.plan), batch.kind)
            var run = ModificationRun(statements: statements, isBatch: true, limits: limits)
            run.isUnlogged = batch.kind == .unlogged
            return try run.execute(transaction)
        }
    }
}
