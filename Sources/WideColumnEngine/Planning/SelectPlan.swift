// SelectPlan.swift — SELECT with names resolved and types known.

/// A SELECT, ready to be executed any number of times.
struct SelectPlan: Sendable {
    let table: Table
    var selection: [SelectedValue]
    let layout: ResultLayout
    /// The names of the selected values: the members of SELECT JSON's objects.
    let names: [String]
    let isJSON: Bool
    var aggregates: [Aggregate]
    let grouping: Grouping?
    let whereClause: WhereClause
    let isDistinct: Bool
    /// Rows are read against their stored order.
    let isReversed: Bool
    /// Rows of several partitions are merged by clustering order, or groups of rows by the columns of ORDER BY.
    let mergesPartitions: Bool
    /// How many clustering columns ORDER BY compares, with those that `=` gives one value.
    let orderedColumnCount: Int
    let limit: BoundTerm?
    let perPartitionLimit: BoundTerm?
    /// The short way of a selection that has one.
    var plainSelection: PlainSelection?
    /// The markers among the selected values that need a value.
    private let selectionMarkers: [SelectionMarker]
    /// The columns that WHERE names.
    let restrictedColumns: Set<String>

    var columns: [ResultColumn] { layout.columns }

    /// Whether many rows become one.
    var isAggregate: Bool { !aggregates.isEmpty || grouping != nil }

    init(_ statement: SelectStatement, table: Table, binder: inout TermBinder) throws {
        self.table = table
        let definition = table.definition
        binder.partitionKeyTypes = definition.partitionKey.map(\.type)
        var selectionBinder = SelectionBinder(table, binder.scope)
        if statement.selectors.isEmpty {
            selection = definition.columns.map { .column($0) }
            names = definition.columns.map(\.name)
        } else {
            var values: [SelectedValue] = []
            for selector in statement.selectors {
                values.append(try selectionBinder.bind(selector.expression, &binder))
            }
            selection = values
            names = statement.selectors.map { $0.alias ?? $0.expression.name }
        }
        isJSON = statement.isJSON
        aggregates = selectionBinder.aggregates
        layout = ResultLayout(
            isJSON
                ? [ResultColumn(name: "[json]", type: .text, table: table.identifier)]
                : zip(selection, names).map { ResultColumn(name: $1, type: $0.type, table: table.identifier) })
        whereClause = try WhereClause(
            select: statement.relations, table: table, allowsFiltering: statement.allowsFiltering, binder: &binder)
        isDistinct = statement.isDistinct
        grouping = try Grouping(statement.groupBy, table, whereClause, &binder)
        perPartitionLimit = try statement.perPartitionLimit.map {
            try binder.bind($0, as: .int, receiver: "[per_partition_limit]")
        }
        limit = try statement.limit.map { try binder.bind($0, as: .int, receiver: "[limit]") }
        isReversed = try Self.isReversed(statement.orderings, whereClause, table)
        let isOnePartition = whereClause.partition?.values.allSatisfy { $0.single != nil } ?? false
        mergesPartitions =
            !statement.orderings.isEmpty && !isOnePartition && (aggregates.isEmpty || grouping != nil)
        orderedColumnCount = (statement.orderings.compactMap { table.column($0.column)?.position }.max() ?? -1) + 1
        restrictedColumns = Set(statement.relations.flatMap(\.target.columns))
        selectionMarkers = (selection + aggregates.compactMap(\.argument) + [grouping?.function].compactMap(\.self))
            .flatMap(\.markers)
        if isPlain { plainSelection = PlainSelection(selection, table) }
        try checkAggregates()
        try checkDistinct(statement)
        try checkStatic(statement)
    }

    /// Static columns are those of the partition, whatever row is named ([CA] restrictions/StatementRestrictions.java).
    private func checkStatic(_ statement: SelectStatement) throws {
        guard !statement.selectors.isEmpty, !statement.isDistinct, whereClause.restrictsClustering else { return }
        let kinds = (selection + aggregates.compactMap(\.argument)).flatMap(\.columns).map(\.kind)
        guard kinds.contains(.static), kinds.allSatisfy({ $0 == .static || $0 == .partitionKey }) else { return }
        throw CQLError.invalid("Cannot restrict clustering columns when selecting only static columns")
    }

    /// Whether values go into the result as they are stored, if the selection has nothing but columns.
    var isPlain: Bool { !isJSON && aggregates.isEmpty && grouping == nil && whereClause.filters.isEmpty }

    /// Refuses values that the markers of the selection can't have, whether or not there are rows.
    func checkSelection(_ values: [CQLValue]) throws {
        for marker in selectionMarkers { try marker.check(values[marker.index]) }
    }

    private func checkAggregates() throws {
        guard perPartitionLimit == nil || aggregates.isEmpty || grouping != nil else {
            throw CQLError.invalid("PER PARTITION LIMIT is not allowed with aggregate queries.")
        }
    }

    private func checkDistinct(_ statement: SelectStatement) throws {
        guard isDistinct else { return }
        let restrictsRows = restrictedColumns.contains { table.column($0)?.kind == .regular }
        guard !whereClause.restrictsClustering, !restrictsRows else {
            throw CQLError.invalid(
                "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns.")
        }
        let selection = selection + aggregates.compactMap(\.argument)
        for value in selection {
            for column in value.columns where column.kind != .partitionKey && column.kind != .static {
                throw CQLError.invalid(
                    "SELECT DISTINCT queries must only request partition key columns and/or static columns (not \(column.name))"
                )
            }
        }
        let selected = Set(selection.flatMap(\.columns).map(\.name))
        let isOfAll =
            (whereClause.partition == nil || whereClause.index != nil) && !selection.contains(where: \.hasToken)
        if isOfAll, let missing = table.definition.partitionKey.first(where: { !selected.contains($0.name) }) {
            throw CQLError.invalid(
                "SELECT DISTINCT queries must request all the partition key columns (missing \(missing.name))")
        }
        guard perPartitionLimit == nil else {
            throw CQLError.invalid("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries")
        }
        guard
            statement.groupBy.allSatisfy({ expression in
                guard case .column(let name) = expression else { return true }
                return table.column(name)?.kind == .partitionKey
            })
        else {
            throw CQLError.invalid("Grouping on clustering columns is not allowed for SELECT DISTINCT queries")
        }
    }

    // MARK: ORDER BY

    private static func isReversed(
        _ orderings: [SelectStatement.Ordering], _ whereClause: WhereClause, _ table: Table
    ) throws -> Bool {
        guard !orderings.isEmpty else { return false }
        guard whereClause.index == nil else {
            throw CQLError.invalid("ORDER BY with 2ndary indexes is not supported.")
        }
        guard whereClause.partition != nil else {
            throw CQLError.invalid("ORDER BY is only supported when the partition key is restricted by an EQ or an IN.")
        }
        var directions: Set<Bool> = []
        var next = 0
        for ordering in orderings {
            let column = try table.requiredColumn(ordering.column)
            guard column.kind == .clustering else {
                throw CQLError.invalid(
                    "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got \(column.name)"
                )
            }
            // Columns that `=` gives one value order nothing (CASSANDRA-10271).
            while next < column.position, whereClause.hasSingleValue(table.definition.clustering[next]) { next += 1 }
            guard column.position == next else {
                throw CQLError.invalid(
                    "Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY"
                )
            }
            next += 1
            directions.insert(ordering.isDescending != column.isDescending)
        }
        guard directions.count == 1 else { throw CQLError.invalid("Unsupported order by relation") }
        return directions.contains(true)
    }
}
