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
        restrictsClustering =
            collector.multiColumn != nil || definition.clustering.contains { collector.columns[$0.name] != nil }
        let allFilters = Self.allFilters(collector, definition)
        // A partition that is not wholly restricted can be found by an index on something that is.
        let lookup = Self.lookup(allFilters, table)
        let filtersFreely = allowsFiltering || lookup != nil
        try restrictPartition(collector, definition, filtersFreely)
        if partition == nil {
            if let multiColumn = collector.multiColumn {
                filters += multiColumn.filters(collector.multiColumnNames.count)
            }
            for column in definition.clustering { filters += collector.columns[column.name]?.filters ?? [] }
        } else {
            try restrictClustering(collector, definition, filtersFreely)
        }
        for column in definition.staticColumns + definition.regularColumns {
            guard let restriction = collector.columns[column.name] else { continue }
            if restriction.isIn {
                throw CQLError.invalid(
                    "IN predicates on non-primary-key columns (\(column.name)) is not yet supported")
            }
            filters += restriction.filters
        }
        try useIndex(lookup, allowsFiltering)
    }

    private static func allFilters(_ collector: RelationCollector, _ definition: TableDefinition) -> [Filter] {
        definition.columns.flatMap { collector.columns[$0.name]?.filters ?? [] }
    }

    /// The first condition that an index answers.
    private static func lookup(_ filters: [Filter], _ table: Table) -> IndexLookup? {
        for index in table.indexes where index.definition.isBuilt {
            for filter in filters where index.answers(filter) { return IndexLookup(index: index, filter: filter) }
        }
        return nil
    }

    /// Keys that are given whole are quicker than any index.
    private mutating func useIndex(_ lookup: IndexLookup?, _ allowsFiltering: Bool) throws {
        guard !filters.isEmpty else { return }
        guard let lookup, let column = lookup.filter.column?.name,
            filters.contains(where: { $0.column?.name == column })
        else {
            guard allowsFiltering else { throw CQLError.invalid(Self.filteringMessage) }
            return
        }
        guard allowsFiltering || filters.count == 1 else { throw CQLError.invalid(Self.filteringMessage) }
        index = lookup
    }

    private mutating func restrictPartition(
        _ collector: RelationCollector, _ definition: TableDefinition, _ allowsFiltering: Bool
    ) throws {
        let restricted = definition.partitionKey.compactMap { collector.columns[$0.name] }
        if restricted.contains(where: \.isSlice), !allowsFiltering {
            throw CQLError.invalid(
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function)")
        }
        if tokens != nil, let mixed = restricted.first {
            let key = definition.partitionKey.map(\.name).joined(separator: ", ")
            throw CQLError.invalid(
                "Columns \"\(mixed.column.name)\" cannot be restricted by both a normal relation and a token relation: "
                    + "token(\(key))")
        }
        let values = restricted.compactMap(\.values)
        if values.count == definition.partitionKey.count, tokens == nil {
            partition = PartitionRestriction(columns: definition.partitionKey, values: values)
            filters += restricted.flatMap(\.others)
        } else {
            filters += restricted.flatMap(\.filters)
        }
    }

    private mutating func restrictClustering(
        _ collector: RelationCollector, _ definition: TableDefinition, _ allowsFiltering: Bool
    ) throws {
        if let multiColumn = collector.multiColumn {
            let first = multiColumn.slice?.firstColumn ?? 0
            let leading = definition.clustering.prefix(first).compactMap { collector.columns[$0.name]?.values }
            clustering = multiColumn
            if first > 0 {
                guard leading.count == first else {
                    throw Self.preceding(
                        definition.clustering[first], definition.clustering[leading.count], isSlice: false)
                }
                clustering.values = leading
            }
            for column in definition.clustering.dropFirst(first) {
                filters += collector.columns[column.name]?.filters ?? []
            }
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
                continue
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

extension ClusteringRestriction {
    /// Restrictions of several columns at once as conditions on a row.
    fileprivate func filters(_ columnCount: Int) -> [Filter] {
        let first = slice?.firstColumn ?? 0
        let columns = Array(columns.dropFirst(first))
        var filters: [Filter] = []
        if let tuples {
            let count = tuples.first?.count ?? columnCount
            filters.append(Filter(Array(columns.prefix(count)), .in, tuples))
        }
        if let lower = slice?.lower {
            let comparison: Comparison = lower.isInclusive ? .greaterOrEqual : .greater
            filters.append(Filter(Array(columns.prefix(lower.terms.count)), comparison, [lower.terms]))
        }
        if let upper = slice?.upper {
            let comparison: Comparison = upper.isInclusive ? .lessOrEqual : .less
            filters.append(Filter(Array(columns.prefix(upper.terms.count)), comparison, [upper.terms]))
        }
        return filters
    }
}

extension SecondaryIndex {
    /// Whether the index's entries of one value are the rows that the filter accepts.
    func answers(_ filter: Filter) -> Bool {
        guard filter.column?.name == column.name else { return false }
        switch (filter.target, filter.comparison, definition.kind) {
        case (.entry, .equal, .entries): return true
        case (.column, .equal, .values): return !column.isMultiCell
        case (.column, .equal, .full): return true
        case (.column, .contains, .values): return column.isMultiCell
        case (.column, .containsKey, .keys): return true
        default: return false
        }
    }
}
