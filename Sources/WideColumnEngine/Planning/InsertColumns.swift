// InsertColumns.swift — the columns of an INSERT: which make the key, which become cells.

/// The columns of an INSERT, sorted into key and cells.
struct InsertColumns {
    var partition: PartitionRestriction
    var clustering: ClusteringRestriction
    var operations: [CellOperation] = []

    init(_ columns: [String], _ values: [Term], _ table: Table, _ binder: inout TermBinder) throws {
        guard columns.count == values.count else { throw CQLError.invalid("Unmatched column names/values") }
        guard Set(columns).count == columns.count else {
            throw CQLError.invalid("The column names contains duplicates")
        }
        var keyTerms: [String: BoundTerm] = [:]
        var operations: [CellOperation] = []
        for (name, value) in zip(columns, values) {
            let column = try table.requiredColumn(name)
            if column.isPrimaryKey {
                keyTerms[name] = try binder.bind(value, to: column)
            } else {
                operations.append(try CellOperation.set(column, value, &binder))
            }
        }
        try self.init(keyTerms, operations, table)
    }

    /// INSERT JSON: every column's value comes out of one text.
    ///
    /// - Parameter keepsMissing: DEFAULT UNSET: columns that the text does not name keep what they have.
    init(json: Term, keepsMissing: Bool, _ table: Table, _ binder: inout TermBinder) throws {
        let text = try binder.bind(json, as: .text, receiver: "[json]")
        var keyTerms: [String: BoundTerm] = [:]
        var operations: [CellOperation] = []
        for column in table.definition.columns {
            let term = BoundTerm.jsonMember(
                text, column: column.name, type: column.type, names: table.definition.columns.map(\.name),
                unsetIfMissing: keepsMissing && !column.isPrimaryKey)
            if column.isPrimaryKey {
                keyTerms[column.name] = term
            } else {
                operations.append(
                    CellOperation(column: column, action: column.isMultiCell ? .setAll(term) : .set(term)))
            }
        }
        try self.init(keyTerms, operations, table)
    }

    private init(_ keyTerms: [String: BoundTerm], _ operations: [CellOperation], _ table: Table) throws {
        self.operations = operations
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
