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
        restrictsClustering = !collector.clustering.isEmpty
        let partitionRestrictions = definition.partitionKey.compactMap { collector.columns[$0.name] }
        restrictsPartition = tokens != nil || !partitionRestrictions.isEmpty
        hasPartitionIn = partitionRestrictions.contains(where: \.isIn)
        let allFilters = Self.allFilters(collector, definition)
        // A partition that is not wholly restricted can be found by an index on something that is.
        let filtersFreely = allowsFiltering || Self.lookup(allFilters, table) != nil
        try restrictPartition(collector, definition, filtersFreely)
        if partition == nil {
            filters += collector.clustering.flatMap(\.filters)
        } else {
            try restrictClustering(collector, filtersFreely)
        }
        for column in definition.staticColumns + definition.regularColumns {
            filters += collector.columns[column.name]?.filters ?? []
        }
        try useIndex(of: table, allowsFiltering)
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

    /// Keys that are given whole are quicker than any index: one is of use for the conditions that are left.
    private mutating func useIndex(of table: Table, _ allowsFiltering: Bool) throws {
        guard !filters.isEmpty else { return }
        index = Self.lookup(filters, table)
        guard allowsFiltering || index != nil && filters.count == 1 else {
            throw CQLError.invalid(Self.filteringMessage)
        }
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
        if values.count == definition.partitionKey.count {
            // Of partitions that are named, those whose token is in the range ([CA] restrictions/TokenFilter.java).
            partition = PartitionRestriction(columns: definition.partitionKey, values: values, tokens: tokens)
            tokens = nil
            filters += restricted.flatMap(\.others)
        } else {
            filters += restricted.flatMap(\.filters)
        }
    }

    /// Restrictions that don't make ranges of keys are tested row by row.
    private mutating func restrictClustering(_ collector: RelationCollector, _ allowsFiltering: Bool) throws {
        for restriction in collector.clustering {
            if let refusal = clustering.append(restriction) {
                guard allowsFiltering else { throw refusal }
                filters += restriction.filters
            } else {
                filters += restriction.others
            }
        }
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
