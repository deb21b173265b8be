// ModificationPlan.swift — INSERT, UPDATE and DELETE with names resolved and types known.

/// One modification, ready to be executed any number of times.
struct ModificationPlan: Sendable {
    enum Kind: Sendable {
        case insert, update, delete
    }

    enum Condition: Sendable {
        case none
        case notExists
        case exists
        case columns([ColumnTest])
    }

    struct ColumnTest: Sendable {
        /// What of the column is tested.
        enum Part: Sendable {
            case whole
            case element(BoundTerm, keyType: CQLType)
            case field(Int)
        }

        var column: ColumnDefinition
        var part: Part
        /// The type of the part.
        var type: CQLType
        var comparison: Comparison
        var terms: [BoundTerm]
        /// `IN ?`: the one term is the whole list.
        var isListMarker: Bool
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
    /// Whether the values of all columns come out of one text.
    private(set) var parsesJSON = false
    /// Whether rows must be read before they are written.
    private(set) var needsRead = false
    /// What is shown, to those who see masks, of rows that a condition was tested by.
    private(set) var maskedColumns: MaskedColumns?
    /// The columns that are read before they are written.
    private(set) var readColumns: Set<UInt16> = []

    var isConditional: Bool {
        if case .none = condition { return false }
        return true
    }

    /// Whether what is read is the state before the batch that the statement is in. Counters see what was counted since.
    var readsBeforeBatch: Bool { needsRead && !table.definition.isCounter }

    init(_ statement: ModificationStatement, table: Table, binder: inout TermBinder) throws {
        guard !table.isView else { throw CQLError.invalid("Cannot directly modify a materialized view") }
        self.table = table
        try Self.checkCounter(statement, table)
        let definition = table.definition
        binder.partitionKeyTypes = definition.partitionKey.map(\.type)
        switch statement.kind {
        case .insertJSON(let json, let keepsMissing):
            kind = .insert
            parsesJSON = true
            let insert = try InsertColumns(json: json, keepsMissing: keepsMissing, table, &binder)
            partition = insert.partition
            clustering = insert.clustering
            operations = insert.operations
        case .insert(let columns, let values):
            kind = .insert
            let insert = try InsertColumns(columns, values, table, &binder)
            partition = insert.partition
            clustering = insert.clustering
            operations = insert.operations
        case .update(let assignments):
            // Markers are numbered by their place in the text, so the order of binding does not matter.
            kind = .update
            try Self.checkStatic(assignments.map(\.column), statement, table, "UPDATE")
            let clause = try WhereClause(
                modification: statement.relations, table: table, isDelete: false, binder: &binder)
            partition = try clause.wholePartition()
            clustering = clause.clustering
            for assignment in assignments { operations.append(try CellOperation(assignment, table, &binder)) }
        case .delete(let deletions):
            kind = .delete
            try Self.checkStatic(deletions.map(\.column), statement, table, "DELETE")
            let clause = try WhereClause(
                modification: statement.relations, table: table, isDelete: true, binder: &binder)
            partition = try clause.wholePartition()
            clustering = clause.clustering
            for deletion in deletions { operations.append(try CellOperation(deletion, table, &binder)) }
        }
        readColumns = Set(operations.filter(\.needsRead).map(\.column.id))
        needsRead = !readColumns.isEmpty
        try splitOperations()
        condition = try Self.condition(statement.condition, table, &binder)
        try checkConditionalRows()
        try checkClustering(definition)
        timestamp = try statement.using.timestamp.map { try binder.bind($0, as: .bigint, receiver: "[timestamp]") }
        timeToLive = try statement.using.timeToLive.map { try binder.bind($0, as: .int, receiver: "[ttl]") }
        try checkCondition()
        if isConditional, !definition.masks.isEmpty { maskedColumns = try MaskedColumns(table, binder.scope) }
    }

    private static func checkCounter(_ statement: ModificationStatement, _ table: Table) throws {
        guard table.definition.isCounter else { return }
        if case .insert = statement.kind {
            throw CQLError.invalid("INSERT statements are not allowed on counter tables, use UPDATE instead")
        }
        if case .insertJSON = statement.kind {
            throw CQLError.invalid("INSERT statements are not allowed on counter tables, use UPDATE instead")
        }
        guard statement.using.timestamp == nil else {
            throw CQLError.invalid("Cannot provide custom timestamp for counter updates")
        }
        guard statement.using.timeToLive == nil else {
            throw CQLError.invalid("Cannot provide custom TTL for counter updates")
        }
        guard case .none = statement.condition else {
            throw CQLError.invalid("Conditional updates are not supported on counter tables")
        }
    }

    // MARK: Operations

    private mutating func splitOperations() throws {
        operations.sort { $0.column.id < $1.column.id }
        if kind == .delete { removeRepeatedDeletions() }
        for (operation, next) in zip(operations, operations.dropFirst())
        where operation.column.id == next.column.id && (operation.isWhole || next.isWhole) {
            throw Self.incompatible(operation)
        }
        if kind == .update { try checkFields() }
        staticOperations = operations.filter { $0.column.kind == .static }
        operations.removeAll { $0.column.kind == .static }
    }

    private static func incompatible(_ operation: CellOperation) -> CQLError {
        .syntax("Multiple incompatible setting of column \(operation.column.name)")
    }

    /// Fields of one value are set one by one, and none of them twice ([CA] cql3/Operation.java, `SetField`).
    private func checkFields() throws {
        var seen: Set<[Int]> = []
        for operation in operations {
            guard case .setField(let field, _) = operation.action else { continue }
            guard seen.insert([Int(operation.column.id), field]).inserted else { throw Self.incompatible(operation) }
        }
    }

    /// Of a column that is deleted as a whole nothing else needs to be.
    private mutating func removeRepeatedDeletions() {
        let whole = Set(operations.filter(\.isWhole).map(\.column.id))
        var seen: Set<UInt16> = []
        operations.removeAll { operation in
            whole.contains(operation.column.id)
                && (!operation.isWhole || !seen.insert(operation.column.id).inserted)
        }
    }

    /// Static columns are those of the partition, whatever row is named ([CA] restrictions/StatementRestrictions.java).
    private static func checkStatic(
        _ columns: [String], _ statement: ModificationStatement, _ table: Table, _ verb: String
    ) throws {
        func isStatic(_ name: String) -> Bool { table.column(name)?.kind == .static }
        guard !columns.isEmpty, columns.allSatisfy(isStatic) else { return }
        if case .columns(let conditions) = statement.condition, !conditions.map(\.column).allSatisfy(isStatic) {
            return
        }
        let restrictsClustering = statement.relations.contains { relation in
            relation.target.columns.contains { table.column($0)?.kind == .clustering }
        }
        guard !restrictsClustering else {
            throw CQLError.invalid(
                "Invalid restrictions on clustering columns since the \(verb) statement modifies only static columns")
        }
    }

    /// Conditions on rows need whole keys ([CA] statements/DeleteStatement.java).
    private func checkConditionalRows() throws {
        guard isConditional, !clustering.isComplete, kind != .insert else { return }
        var testsRow = false
        if case .columns(let tests) = condition { testsRow = tests.contains { $0.column.kind == .regular } }
        guard kind == .delete else {
            let missing = table.definition.clustering.dropFirst(clustering.valueColumnCount).map(\.name)
            guard !testsRow else {
                throw CQLError.invalid("Some clustering keys are missing: \(missing.joined(separator: ", "))")
            }
            return
        }
        let rule = "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to "
        guard operations.isEmpty, !staticOperations.isEmpty else {
            throw CQLError.invalid("\(rule)delete non static columns")
        }
        guard !testsRow else { throw CQLError.invalid("\(rule)use IF condition on non static columns") }
    }

    /// Whole rows need whole clustering keys; static columns need none.
    private func checkClustering(_ definition: TableDefinition) throws {
        let touchesOnlyStatic = operations.isEmpty && !staticOperations.isEmpty
        if touchesOnlyStatic, clustering.isUnrestricted { return }
        let isWholeDelete = kind == .delete && operations.isEmpty && staticOperations.isEmpty
        guard !isWholeDelete, !clustering.isComplete else { return }
        if kind == .delete {
            throw CQLError.invalid("Range deletions are not supported for specific columns")
        }
        let missing = definition.clustering.dropFirst(clustering.valueColumnCount).map(\.name)
        throw CQLError.invalid("Some clustering keys are missing: \(missing.joined(separator: ", "))")
    }

    // MARK: Conditions

    private func checkCondition() throws {
        guard isConditional else { return }
        guard timestamp == nil else {
            throw CQLError.invalid("Cannot provide custom timestamp for conditional updates")
        }
        let word = kind == .delete ? "deletions" : "updates"
        guard partition.values.allSatisfy({ $0.single != nil }) else {
            throw CQLError.invalid("IN on the partition key is not supported with conditional \(word)")
        }
        guard clustering.values.allSatisfy({ $0.single != nil }) else {
            throw CQLError.invalid("IN on the clustering key columns is not supported with conditional \(word)")
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
