// ModificationPlan.swift — INSERT, UPDATE and DELETE with names resolved and types known.

/// One modification, ready to be executed any number of times.
struct ModificationPlan: Sendable {
    enum Kind: Sendable {
        case insert, update, delete
    }

    /// Sets a cell to a term, or deletes it.
    struct CellOperation: Sendable {
        var column: ColumnDefinition
        var term: BoundTerm
    }

    enum Condition: Sendable {
        case none
        case notExists
        case exists
        case columns([ColumnTest])
    }

    struct ColumnTest: Sendable {
        var column: ColumnDefinition
        var comparison: Comparison
        var terms: [BoundTerm]
    }

    let table: Table
    let kind: Kind
    var partition: PartitionRestriction
    var clustering: ClusteringRestriction
    /// In the order of column ids, the order of cells.
    var operations: [CellOperation] = []
    var staticOperations: [CellOperation] = []
    var timestamp: BoundTerm?
    var timeToLive: BoundTerm?
    var condition: Condition = .none

    var isConditional: Bool {
        if case .none = condition { return false }
        return true
    }

    init(_ statement: ModificationStatement, table: Table, binder: inout TermBinder) throws {
        guard !table.isView else { throw CQLError.invalid("Cannot directly modify a materialized view") }
        self.table = table
        let definition = table.definition
        switch statement.kind {
        case .insert(let columns, let values):
            kind = .insert
            let insert = try InsertColumns(columns, values, table, &binder)
            partition = insert.partition
            clustering = insert.clustering
            operations = insert.operations
        case .update(let assignments):
            // Markers are numbered by their place in the text, so the order of binding does not matter.
            kind = .update
            let clause = try WhereClause(
                modification: statement.relations, table: table, isDelete: false, binder: &binder)
            partition = try clause.wholePartition()
            clustering = clause.clustering
            operations = try assignments.map { try Self.operation($0, table, &binder) }
        case .delete(let deletions):
            kind = .delete
            let clause = try WhereClause(
                modification: statement.relations, table: table, isDelete: true, binder: &binder)
            partition = try clause.wholePartition()
            clustering = clause.clustering
            operations = try deletions.map { try Self.operation($0, table) }
        }
        try splitOperations()
        try checkClustering(definition)
        timestamp = try statement.using.timestamp.map { try binder.bind($0, as: .bigint, receiver: "[timestamp]") }
        timeToLive = try statement.using.timeToLive.map { try binder.bind($0, as: .int, receiver: "[ttl]") }
        condition = try Self.condition(statement.condition, table, &binder)
        try checkCondition()
    }

    // MARK: Operations

    private static func operation(
        _ assignment: Assignment, _ table: Table, _ binder: inout TermBinder
    ) throws -> CellOperation {
        let column = try table.requiredColumn(assignment.column)
        guard !column.isPrimaryKey else {
            throw CQLError.invalid("PRIMARY KEY part \(column.name) found in SET part")
        }
        switch assignment.operation {
        case .set(let term): return CellOperation(column: column, term: try binder.bind(term, to: column))
        case .setElement(let key, let term): throw invalid("\(column.name)[\(key)] = \(term)", column)
        case .add(let term): throw invalid("\(column.name) = \(column.name) + \(term)", column)
        case .prepend(let term): throw invalid("\(column.name) = \(term) + \(column.name)", column)
        case .subtract(let term): throw invalid("\(column.name) = \(column.name) - \(term)", column)
        }
    }

    private static func invalid(_ operation: String, _ column: ColumnDefinition) -> CQLError {
        column.type.isCollection
            ? .invalid("Invalid operation (\(operation)) for frozen collection column \(column.name)")
            : .invalid("Invalid operation (\(operation)) for non counter column \(column.name)")
    }

    private static func operation(_ deletion: Deletion, _ table: Table) throws -> CellOperation {
        let column = try table.requiredColumn(deletion.column)
        guard !column.isPrimaryKey else {
            throw CQLError.invalid("Invalid identifier \(column.name) for deletion (should not be a PRIMARY KEY part)")
        }
        guard deletion.element == nil else {
            throw CQLError.invalid("Invalid deletion operation for frozen collection column \(column.name)")
        }
        return CellOperation(column: column, term: .null)
    }

    private mutating func splitOperations() throws {
        operations.sort { $0.column.id < $1.column.id }
        for (operation, next) in zip(operations, operations.dropFirst()) where operation.column.id == next.column.id {
            throw CQLError.invalid("Multiple incompatible setting of column \(operation.column.name)")
        }
        staticOperations = operations.filter { $0.column.kind == .static }
        operations.removeAll { $0.column.kind == .static }
    }

    /// Whole rows need whole clustering keys; static columns need none.
    private func checkClustering(_ definition: TableDefinition) throws {
        let touchesOnlyStatic = operations.isEmpty && !staticOperations.isEmpty
        if touchesOnlyStatic, clustering.isUnrestricted { return }
        let isWholeDelete = kind == .delete && operations.isEmpty && staticOperations.isEmpty
        guard !isWholeDelete, !clustering.isComplete else { return }
        if kind == .delete, clustering.slice != nil {
            throw CQLError.invalid("Range deletions are not supported for specific columns")
        }
        let missing = definition.clustering.dropFirst(clustering.values.count).map(\.name)
        throw CQLError.invalid("Some clustering keys are missing: \(missing.joined(separator: ", "))")
    }

    // MARK: Conditions

    private static func condition(
        _ clause: ConditionClause, _ table: Table, _ binder: inout TermBinder
    ) throws -> Condition {
        switch clause {
        case .none: return .none
        case .notExists: return .notExists
        case .exists: return .exists
        case .columns(let conditions):
            var tests: [ColumnTest] = []
            for condition in conditions {
                let column = try table.requiredColumn(condition.column)
                guard !column.isPrimaryKey else {
                    throw CQLError.invalid("PRIMARY KEY column '\(column.name)' cannot have IF conditions")
                }
                var terms: [BoundTerm] = []
                for term in condition.terms { terms.append(try binder.bind(term, to: column)) }
                tests.append(ColumnTest(column: column, comparison: condition.comparison, terms: terms))
            }
            return .columns(tests)
        }
    }

    private func checkCondition() throws {
        guard isConditional else { return }
        guard timestamp == nil else {
            throw CQLError.invalid("Cannot provide custom timestamp for conditional updates")
        }
        let word = kind == .delete ? "deletions" : "updates"
        guard partition.values.allSatisfy({ $0.single != nil }) else {
            throw CQLError.invalid("IN on the partition key is not supported with conditional \(word)")
        }
        guard clustering.values.allSatisfy({ $0.single != nil }), (clustering.tuples?.count ?? 1) == 1 else {
            throw CQLError.invalid("IN on the clustering key columns is not supported with conditional \(word)")
        }
        guard clustering.isComplete || operations.isEmpty && !staticOperations.isEmpty else {
            throw CQLError.invalid(
                "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to use IF conditions"
            )
        }
    }
}

extension WhereClause {
    /// The partitions of a modification, which names them whole.
    fileprivate func wholePartition() throws -> PartitionRestriction {
        guard let partition else { throw CQLError.invalid("Some partition key parts are missing") }
        return partition
    }
}

/// The columns of an INSERT, sorted into key and cells.
private struct InsertColumns {
    var partition: PartitionRestriction
    var clustering: ClusteringRestriction
    var operations: [ModificationPlan.CellOperation] = []

    init(_ columns: [String], _ values: [Term], _ table: Table, _ binder: inout TermBinder) throws {
        guard columns.count == values.count else { throw CQLError.invalid("Unmatched column names/values") }
        guard Set(columns).count == columns.count else {
            throw CQLError.invalid("The column names contains duplicates")
        }
        var keyTerms: [String: BoundTerm] = [:]
        for (name, value) in zip(columns, values) {
            let column = try table.requiredColumn(name)
            let term = try binder.bind(value, to: column)
            if column.isPrimaryKey {
                keyTerms[name] = term
            } else {
                operations.append(ModificationPlan.CellOperation(column: column, term: term))
            }
        }
        let definition = table.definition
        let missing = definition.partitionKey.map(\.name).filter { keyTerms[$0] == nil }
        guard missing.isEmpty else {
            throw CQLError.invalid("Some partition key parts are missing: \(missing.joined(separator: ", "))")
        }
        partition = PartitionRestriction(
            columns: definition.partitionKey,
            values: definition.partitionKey.compactMap { keyTerms[$0.name].map { .terms([$0]) } })
        clustering = ClusteringRestriction(columns: definition.clustering)
        let given = definition.clustering.compactMap { keyTerms[$0.name] }
        let hasOnlyStatics = !operations.isEmpty && operations.allSatisfy { $0.column.kind == .static }
        if given.isEmpty, hasOnlyStatics { return }
        let missingClustering = definition.clustering.map(\.name).filter { keyTerms[$0] == nil }
        guard missingClustering.isEmpty else {
            throw CQLError.invalid("Some clustering keys are missing: \(missingClustering.joined(separator: ", "))")
        }
        clustering.values = given.map { .terms([$0]) }
    }
}
