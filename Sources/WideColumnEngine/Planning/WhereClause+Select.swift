// WhereClause+Select.swift — the rules of SELECT: what can be looked up, what needs ALLOW FILTERING.

extension WhereClause {
    static let filteringMessage =
        "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. "
        + "If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING"

    /// The WHERE clause of a SELECT.
    init(select relations: [Relation], table: Table, allowsFiltering: Bool, binder: inout TermBinder) throws {
        let collector = try RelationCollector(relations, table: table, binder: &binder)
        let definition = table.definition
        clustering = ClusteringRestriction(columns: definition.clustering)
        tokens = collector.token
        try restrictPartition(collector, definition, allowsFiltering)
        let needsScan = partition == nil
        if needsScan, collector.multiColumn != nil {
            throw CQLError.invalid("Multi-column relations need the whole partition key")
        }
        if needsScan {
            for column in definition.clustering { filters += collector.columns[column.name]?.filters ?? [] }
        } else {
            try restrictClustering(collector, definition, allowsFiltering)
        }
        for column in definition.staticColumns + definition.regularColumns {
            filters += collector.columns[column.name]?.filters ?? []
        }
        guard filters.isEmpty || allowsFiltering else { throw CQLError.invalid(Self.filteringMessage) }
    }

    private mutating func restrictPartition(
        _ collector: RelationCollector, _ definition: TableDefinition, _ allowsFiltering: Bool
    ) throws {
        let restricted = definition.partitionKey.compactMap { collector.columns[$0.name] }
        if restricted.contains(where: \.isSlice), !allowsFiltering {
            throw CQLError.invalid(
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function)")
        }
        let values = restricted.compactMap(\.values)
        if values.count == definition.partitionKey.count, tokens == nil {
            partition = PartitionRestriction(columns: definition.partitionKey, values: values)
        } else {
            filters += restricted.flatMap(\.filters)
        }
    }

    private mutating func restrictClustering(
        _ collector: RelationCollector, _ definition: TableDefinition, _ allowsFiltering: Bool
    ) throws {
        if let multiColumn = collector.multiColumn {
            clustering = multiColumn
            for column in definition.clustering { filters += collector.columns[column.name]?.filters ?? [] }
            return
        }
        var unrestricted: ColumnDefinition?
        var sliced: ColumnDefinition?
        for (index, column) in definition.clustering.enumerated() {
            guard let restriction = collector.columns[column.name] else {
                unrestricted = unrestricted ?? column
                continue
            }
            if let earlier = unrestricted ?? sliced {
                guard allowsFiltering else { throw Self.preceding(column, earlier, isSlice: unrestricted == nil) }
                filters += restriction.filters
            } else if let values = restriction.values {
                clustering.values.append(values)
            } else if restriction.isSlice {
                clustering.slice = ClusteringSlice(
                    firstColumn: index, lower: restriction.lower, upper: restriction.upper)
                sliced = column
            } else {
                unrestricted = column
            }
            filters += restriction.others
        }
    }

    static func preceding(_ column: ColumnDefinition, _ earlier: ColumnDefinition, isSlice: Bool) -> CQLError {
        isSlice
            ? .invalid(
                "Clustering column \"\(column.name)\" cannot be restricted (preceding column \"\(earlier.name)\" "
                    + "is restricted by a non-EQ relation)")
            : .invalid(
                "PRIMARY KEY column \"\(column.name)\" cannot be restricted as preceding column \"\(earlier.name)\" "
                    + "is not restricted")
    }
}
