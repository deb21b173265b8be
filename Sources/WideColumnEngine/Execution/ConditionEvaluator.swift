// ConditionEvaluator.swift — the IF of INSERT, UPDATE, DELETE and BATCH, judged against the rows as they were before
// ([CA] cql3/conditions/ColumnCondition.java, statements/ModificationStatement.java).

/// Tests the conditions of one statement against the row it names.
struct ConditionEvaluator {
    let plan: ModificationPlan
    let context: ExecutionContext
    private(set) var row: RowContext
    /// The row that the statement names; `nil`: only the partition.
    let clustering: [UInt8]?
    /// Whether the row lives, or the static row where no other is named.
    let rowExists: Bool
    /// The first row of the partition, if it has one, where a condition of the partition alone does not hold or finds nothing.
    private var firstRow: RowContext?

    /// - Parameter columns: those that count where tombstones are counted.
    init(_ plan: ModificationPlan, _ context: ExecutionContext, _ view: ReadView, columns: Set<UInt16>) throws {
        self.plan = plan
        self.context = context
        var row = RowContext(plan.table, now: context.nowInSeconds ?? view.readTime.seconds)
        row.countedColumns = columns
        clustering = plan.clustering.isComplete ? try plan.clustering.rows(context).first : nil
        guard let prefix = try plan.partition.prefixes(context).first else {
            rowExists = false
            self.row = row
            return
        }
        rowExists = try row.load(plan.table.storage, partition: prefix, clustering: clustering, view)
        self.row = row
        guard !testsNamedRow, try clustering == nil && !rowExists || !holds() else { return }
        firstRow = try self.row.firstLiveRow(plan.table.storage, partition: prefix, view) { row, key in
            try context.tombstoneGuard?.check(row.tombstoneCount, plan.table.definition, row: key.array())
        }
    }

    /// The stored key of the row, or of the partition's static row.
    var storedKey: [UInt8] {
        get throws {
            let prefix = try plan.partition.prefixes(context).first ?? []
            guard let clustering else { return prefix + [RecordKind.staticRow.rawValue] }
            return prefix + [RecordKind.row.rawValue] + clustering
        }
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
        if test.comparison == .contains || test.comparison == .containsKey { return try contains(test) }
        let value = try part(of: test).map { try ordered($0, test.type) }
        let operands = try operands(of: test)
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

    /// Whether the collection has the value, or the map the key.
    private func contains(_ test: ModificationPlan.ColumnTest) throws -> Bool {
        guard let first = try operands(of: test).first, let operand = first else {
            throw CQLError.invalid("Invalid comparison with null for operator \"\(test.comparison.rawValue)\"")
        }
        guard let bytes = row.bytes(of: test.column) else { return false }
        let members: [CQLValue] =
            switch try CQLValue(bytes.rawSpan, type: test.column.type) {
            case .list(let members), .set(let members): members
            case .map(let entries): entries.map { test.comparison == .contains ? $0.value : $0.key }
            default: []
            }
        return try members.contains { try ordered($0.serialized(as: test.type), test.type) == operand }
    }

    /// A form that compares as the type does; durations only compare equal.
    private func ordered(_ bytes: [UInt8], _ type: CQLType) throws -> [UInt8] {
        if type.contains({ $0 == .duration }) { return bytes }
        // A collection without elements is null.
        return try OrderedComponent.bytes(bytes, type)
    }

    private func operands(of test: ModificationPlan.ColumnTest) throws -> [[UInt8]?] {
        if test.isListMarker {
            guard case .list(let values) = try test.terms[0].value(as: .list(test.type), context) else {
                throw CQLError.invalid("Invalid null list in IN condition")
            }
            return try values.map { try ordered($0.serialized(as: test.type), test.type) }
        }
        return try test.terms.map { term in
            switch try term.evaluate(context) {
            case .unset: throw CQLError.invalid("Invalid 'unset' value in condition")
            case .null: return nil
            case .bytes(let bytes):
                if test.type.isMultiCell, test.type.isCollection, bytes.allSatisfy({ $0 == 0 }), bytes.count == 4 {
                    return nil
                }
                return try ordered(bytes, test.type)
            }
        }
    }

    /// The value that the test is about; `nil` for null.
    private func part(of test: ModificationPlan.ColumnTest) throws -> [UInt8]? {
        let key = try key(of: test)
        guard let bytes = row.bytes(of: test.column) else { return nil }
        switch test.part {
        case .whole: return bytes
        case .field(let index):
            guard case .userDefined(let fields) = try CQLValue(bytes.rawSpan, type: test.column.type),
                index < fields.count, !fields[index].value.isNull
            else { return nil }
            return try fields[index].value.serialized(as: test.type)
        case .element(_, let keyType):
            let element = try CQLValue(bytes.rawSpan, type: test.column.type).element(at: key, keyType)
            return element.isNull ? nil : try element.serialized(as: test.type)
        }
    }

    /// The key or index of the element that the test is about; null for other tests.
    private func key(of test: ModificationPlan.ColumnTest) throws -> CQLValue {
        guard case .element(let term, let keyType) = test.part else { return .null }
        let key = try term.value(as: keyType, context)
        guard !key.isNull else {
            throw CQLError.invalid(
                "Invalid null value for \(test.column.type.isList ? "list" : "map") element access")
        }
        if test.column.type.isList, case .int(let index) = key, index < 0 {
            throw CQLError.invalid("Invalid negative list index \(index)")
        }
        return key
    }

    // MARK: The answer

    static func applied() throws -> ResultSet {
        var builder = RowBuilder(columns: [ResultColumn(name: ResultSet.appliedColumn, type: .boolean)])
        try builder.append(.boolean(true), .boolean)
        try builder.endRow()
        return ResultSet(builder.storage())
    }

    /// What a statement answers that was not applied: what was read, if anything was, of the condition's columns, or of
    /// all where a condition is one of existence. A batch adds the key, and has a row for each row that exists
    /// ([CA] ModificationStatement.buildCasFailureResultSet, BatchStatement.makeCasRequest).
    ///
    /// - Parameters:
    ///   - updatesRows: whether any statement is about a row, not about the partition alone.
    ///   - updatesStatics: whether any statement writes static columns.
    static func notApplied(
        _ evaluators: [ConditionEvaluator], isBatch: Bool, updatesRows: Bool, updatesStatics: Bool
    ) throws -> ResultSet {
        let shown = shown(evaluators)
        var selected: [ColumnDefinition] = []
        var columns = [ResultColumn(name: ResultSet.appliedColumn, type: .boolean)]
        if let definition = shown.first?.evaluator.plan.table.definition {
            if isBatch { selected = definition.partitionKey + definition.clustering }
            var known = Set(selected.map(\.id))
            for evaluator in evaluators {
                selected += evaluator.testedColumns.filter { known.insert($0.id).inserted }
            }
            if evaluators.contains(where: \.testsExistence) { selected = definition.columns }
            columns += selected.map { ResultColumn(name: $0.name, type: $0.type, table: definition.identifier) }
        }
        // What the statements don't write is not read for IF EXISTS ([CA] CQL3CasRequest.java, `columnsToRead`).
        let readsStatics = updatesStatics || !evaluators.contains(where: \.testsExistence)
        var builder = RowBuilder(columns: columns)
        for (evaluator, row) in shown {
            try builder.append(.boolean(false), .boolean)
            let masks = evaluator.context.showsMasks ? evaluator.plan.maskedColumns : nil
            for column in selected {
                // What belongs to rows is not read for the partition alone.
                guard updatesRows || column.kind != .regular, readsStatics || column.kind != .static else {
                    try builder.appendNull()
                    continue
                }
                try row.append(masks?[column] ?? .column(column), evaluator.context, to: &builder)
            }
            try builder.endRow()
        }
        if shown.isEmpty {
            try builder.append(.boolean(false), .boolean)
            try builder.endRow()
        }
        return ResultSet(builder.storage())
    }

    /// What is shown of what was read, each row once and in the order of the key: the rows that conditions name. Where none
    /// names a row, the first one of the partition; where none of these exists, the static row ([CA] CQL3CasRequest.java,
    /// `readCommand`).
    private static func shown(
        _ evaluators: [ConditionEvaluator]
    ) -> [(evaluator: ConditionEvaluator, row: RowContext)] {
        let naming = evaluators.filter(\.testsNamedRow)
        var shown: [ConditionEvaluator] = []
        var known: Set<[UInt8]?> = []
        for evaluator in naming where evaluator.rowExists {
            if known.insert(evaluator.clustering).inserted { shown.append(evaluator) }
        }
        guard shown.isEmpty else {
            return shown.sorted { ($0.clustering ?? []).lexicographicallyPrecedes($1.clustering ?? []) }
                .map { ($0, $0.row) }
        }
        if naming.isEmpty {
            for evaluator in evaluators {
                if let row = evaluator.firstRow { return [(evaluator, row)] }
            }
        }
        guard let evaluator = evaluators.first(where: \.readsPartition) else { return [] }
        var row = evaluator.row
        row.clearRow()
        return [(evaluator, row)]
    }

    /// Whether the condition is about the row that the statement names, be it not of static columns alone.
    private var testsNamedRow: Bool {
        if case .none = plan.condition { return false }
        return clustering != nil && !plan.testsStaticColumnsOnly
    }

    /// Whether something was read though the row does not exist: a static row that is written or asked for.
    private var readsPartition: Bool {
        if !plan.staticOperations.isEmpty { return row.hasLiveStaticRow }
        guard case .columns(let tests) = plan.condition else { return false }
        return tests.contains { $0.column.kind == .static && row.bytes(of: $0.column) != nil }
    }

    private var testsExistence: Bool {
        switch plan.condition {
        case .exists, .notExists: true
        case .none, .columns: false
        }
    }

    private var testedColumns: [ColumnDefinition] {
        if case .columns(let tests) = plan.condition { return tests.map(\.column) }
        return []
    }
}
