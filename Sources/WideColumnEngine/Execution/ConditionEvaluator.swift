// ConditionEvaluator.swift — the IF of INSERT, UPDATE, DELETE and BATCH, judged against the rows as they were before
// ([CA] cql3/conditions/ColumnCondition.java, statements/ModificationStatement.java).

/// Tests the conditions of one statement against the row it names.
struct ConditionEvaluator {
    let plan: ModificationPlan
    let context: ExecutionContext
    private let row: RowContext
    private let rowExists: Bool

    init(_ plan: ModificationPlan, _ context: ExecutionContext, _ view: ReadView) throws {
        self.plan = plan
        self.context = context
        var row = RowContext(plan.table, now: view.readTime.seconds)
        rowExists = try Self.load(&row, plan, context, view)
        self.row = row
    }

    /// Reads the static row and the row; tells whether what the statement is about exists.
    private static func load(
        _ row: inout RowContext, _ plan: ModificationPlan, _ context: ExecutionContext, _ view: ReadView
    ) throws -> Bool {
        guard let prefix = try plan.partition.prefixes(context).first else { return false }
        let storage = plan.table.storage
        let tombstoneKey = prefix + [RecordKind.partitionTombstones.rawValue]
        try row.enter(try StorageKey.Parts(tombstoneKey.rawSpan))
        if let value = try view.get(storage, tombstoneKey.rawSpan) { try row.setTombstones(value.rawSpan) }
        let staticKey = prefix + [RecordKind.staticRow.rawValue]
        if let value = try view.get(storage, staticKey.rawSpan) { try row.setStaticRow(value.rawSpan) }
        guard plan.clustering.isComplete, let clustering = try plan.clustering.rows(context).first else {
            return row.hasLiveStaticRow
        }
        let offset = prefix.count + 1
        let key = prefix + [RecordKind.row.rawValue] + clustering
        guard let value = try view.get(storage, key.rawSpan),
            try row.setRow(key: key.rawSpan, clusteringOffset: offset, value: value.rawSpan)
        else {
            row.clearRow()
            return false
        }
        return true
    }

    func holds() throws -> Bool {
        switch plan.condition {
        case .none: true
        case .notExists: !rowExists
        case .exists: rowExists
        case .columns(let tests): try tests.allSatisfy { try holds($0) }
        }
    }

    private func holds(_ test: ModificationPlan.ColumnTest) throws -> Bool {
        let value = try row.bytes(of: test.column).map { try OrderedComponent.bytes($0, test.column.type) }
        var operands: [[UInt8]?] = []
        for term in test.terms {
            switch try term.evaluate(context) {
            case .unset: throw CQLError.invalid("Invalid 'unset' value in condition")
            case .null: operands.append(nil)
            case .bytes(let bytes): operands.append(try OrderedComponent.bytes(bytes, test.column.type))
            }
        }
        switch test.comparison {
        case .equal: return value == operands.first ?? nil
        case .notEqual: return value != operands.first ?? nil
        case .in: return operands.contains(value)
        default:
            guard let first = operands.first, let operand = first else {
                throw CQLError.invalid("Invalid comparison with null for operator \"\(test.comparison.rawValue)\"")
            }
            return value.map { test.comparison.holds($0, [operand]) } ?? false
        }
    }

    // MARK: The answer

    static func applied() throws -> ResultSet {
        var builder = RowBuilder(columns: [ResultColumn(name: ResultSet.appliedColumn, type: .boolean)])
        try builder.append(.boolean(true), .boolean)
        builder.endRow()
        return ResultSet(builder.storage())
    }

    /// What a statement answers that was not applied: IF NOT EXISTS the whole row, other conditions their columns. A
    /// batch adds the key, and has a row for each row that exists.
    static func notApplied(_ evaluators: [ConditionEvaluator], isBatch: Bool) throws -> ResultSet {
        guard let table = evaluators.first?.plan.table else { return try applied() }
        var selected: [ColumnDefinition] = isBatch ? table.definition.partitionKey + table.definition.clustering : []
        for evaluator in evaluators {
            selected += evaluator.answerColumns.filter { !selected.contains($0) }
        }
        if evaluators.allSatisfy({ $0.answerColumns.isEmpty }) { selected = [] }
        let applied = ResultColumn(name: ResultSet.appliedColumn, type: .boolean)
        var builder = RowBuilder(columns: [applied] + selected.map { ResultColumn(name: $0.name, type: $0.type) })
        let withRows = evaluators.filter { $0.rowExists || $0.row.hasLiveStaticRow }
        for evaluator in withRows.isEmpty ? Array(evaluators.prefix(1)) : withRows {
            try builder.append(.boolean(false), .boolean)
            for column in selected { try evaluator.row.append(.column(column), evaluator.context, to: &builder) }
            builder.endRow()
        }
        return ResultSet(builder.storage())
    }

    private var answerColumns: [ColumnDefinition] {
        switch plan.condition {
        case .none, .exists: []
        case .notExists: plan.table.definition.columns
        case .columns(let tests): tests.map(\.column)
        }
    }
}
