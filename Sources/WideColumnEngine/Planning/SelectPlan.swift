// SelectPlan.swift — SELECT with names resolved and types known.

/// A SELECT, ready to be executed any number of times.
struct SelectPlan: Sendable {
    let table: Table
    let selection: [SelectedValue]
    let columns: [ResultColumn]
    let whereClause: WhereClause
    let isDistinct: Bool
    /// Rows are read against their stored order.
    let isReversed: Bool
    /// Rows of several partitions are merged by clustering order.
    let mergesPartitions: Bool
    let limit: BoundTerm?
    let perPartitionLimit: BoundTerm?

    var isCount: Bool { selection.contains { $0.isCount } }

    init(_ statement: SelectStatement, table: Table, binder: inout TermBinder) throws {
        self.table = table
        let definition = table.definition
        selection = try Self.selection(statement.selectors, table, &binder)
        columns = zip(selection, Self.names(statement.selectors, definition)).map { value, name in
            ResultColumn(name: name, type: value.type)
        }
        whereClause = try WhereClause(
            select: statement.relations, table: table, allowsFiltering: statement.allowsFiltering, binder: &binder)
        isDistinct = statement.isDistinct
        perPartitionLimit = try statement.perPartitionLimit.map {
            try binder.bind($0, as: .int, receiver: "[per_partition_limit]")
        }
        limit = try statement.limit.map { try binder.bind($0, as: .int, receiver: "[limit]") }
        guard statement.groupBy.isEmpty else { throw CQLError.invalid("GROUP BY is not supported") }
        isReversed = try Self.isReversed(statement.orderings, whereClause, table)
        let isOnePartition = whereClause.partition?.values.allSatisfy { $0.single != nil } ?? false
        mergesPartitions = !statement.orderings.isEmpty && !isOnePartition
        try checkAggregates()
        try checkDistinct()
    }

    private func checkAggregates() throws {
        guard isCount else { return }
        guard perPartitionLimit == nil else {
            throw CQLError.invalid("PER PARTITION LIMIT is not allowed with aggregate queries.")
        }
        guard selection.allSatisfy(\.isCount) else {
            throw CQLError.invalid("Mixing aggregates and columns is not supported")
        }
    }

    private func checkDistinct() throws {
        guard isDistinct else { return }
        for value in selection {
            guard case .column(let column) = value, column.kind == .partitionKey || column.kind == .static else {
                throw CQLError.invalid(
                    "SELECT DISTINCT queries must only request partition key columns and/or static columns (not \(value.name))"
                )
            }
        }
        guard selection.contains(where: { $0.isPartitionKey }) || !table.definition.staticColumns.isEmpty else {
            throw CQLError.invalid("SELECT DISTINCT queries must request all the partition key columns")
        }
        guard perPartitionLimit == nil else {
            throw CQLError.invalid("PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries")
        }
    }

    // MARK: Selection

    private static func selection(
        _ selectors: [Selector], _ table: Table, _ binder: inout TermBinder
    ) throws -> [SelectedValue] {
        guard !selectors.isEmpty else { return table.definition.columns.map { .column($0) } }
        return try selectors.map { try SelectedValue($0.expression, table, &binder) }
    }

    private static func names(_ selectors: [Selector], _ definition: TableDefinition) -> [String] {
        guard !selectors.isEmpty else { return definition.columns.map(\.name) }
        return selectors.map { $0.alias ?? $0.expression.name }
    }

    // MARK: ORDER BY

    private static func isReversed(
        _ orderings: [SelectStatement.Ordering], _ whereClause: WhereClause, _ table: Table
    ) throws -> Bool {
        guard !orderings.isEmpty else { return false }
        guard whereClause.partition != nil else {
            throw CQLError.invalid("ORDER BY is only supported when the partition key is restricted by an EQ or an IN.")
        }
        var directions: Set<Bool> = []
        for (index, ordering) in orderings.enumerated() {
            let column = try table.requiredColumn(ordering.column)
            guard column.kind == .clustering else {
                throw CQLError.invalid(
                    "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got \(column.name)"
                )
            }
            guard column.position == index else {
                throw CQLError.invalid(
                    "Order by currently only supports the ordering of columns following their declared order in the PRIMARY KEY"
                )
            }
            directions.insert(ordering.isDescending != column.isDescending)
        }
        guard directions.count == 1 else { throw CQLError.invalid("Unsupported order by relation") }
        return directions.contains(true)
    }
}

extension SelectExpression {
    /// The column name that Cassandra gives the expression.
    fileprivate var name: String {
        switch self {
        case .column(let name): name
        case .count: "count"
        case .writetime(let column): "writetime(\(column))"
        case .timeToLive(let column): "ttl(\(column))"
        case .call(let name, let arguments):
            "system.\(name)(\(arguments.map(\.name).joined(separator: ", ")))"
        case .term(let term): term.description
        }
    }
}
