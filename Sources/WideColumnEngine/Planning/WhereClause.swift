// WhereClause.swift — sorts the relations of a WHERE clause by what can be done with them: partitions to look up,
// ranges of clustering keys to read, an index to use, conditions to test row by row
// ([CA] cql3/restrictions/StatementRestrictions.java).

/// The planned form of a WHERE clause.
struct WhereClause: Sendable {
    /// Whole partition keys; `nil`: every partition, or those in `tokens`.
    var partition: PartitionRestriction?
    var tokens: TokenRestriction?
    var clustering: ClusteringRestriction
    var filters: [Filter] = []
    /// The index to read by, instead of partitions; its filter is among `filters`.
    var index: IndexLookup?
    /// Whether any clustering column is restricted, be it by a filter: then a static row alone is no answer.
    var restrictsClustering = false
    /// Whether any column of the partition key is restricted, or its token.
    var restrictsPartition = false
    /// Whether one of them is by IN.
    var hasPartitionIn = false

    /// Whether `=` gives the key column one value, be it by a filter.
    func hasSingleValue(_ column: ColumnDefinition) -> Bool {
        if filters.contains(where: { $0.column?.name == column.name && $0.comparison == .equal }) { return true }
        if column.kind == .partitionKey {
            return partition.map { $0.values[column.position].single != nil } ?? false
        }
        return clustering.hasSingleValue(at: column.position)
    }
}

/// An index and the value to look up in it.
struct IndexLookup: Sendable {
    var index: SecondaryIndex
    var filter: Filter

    /// What the entries of the value begin with.
    func prefix(_ context: ExecutionContext) throws -> [UInt8] {
        let evaluated = try filter.evaluate(context)
        let value = evaluated.operands.first ?? []
        try checkLength(value, context)
        guard case .entry(_, _, let keyType, _) = filter.target else { return value }
        return try evaluated.key.orderedBytes(keyType) + value
    }
}

extension IndexLookup {
    /// Refuses values that no index has ([CA] db/filter/RowFilter.java, `validateForIndexing`).
    private func checkLength(_ ordered: [UInt8], _ context: ExecutionContext) throws {
        // The ordered form is never shorter than the value.
        guard ordered.count > SecondaryIndex.maximumValueByteCount, let column = filter.column else { return }
        let values = try filter.operands.evaluate(context, column: column.name)
        guard values.allSatisfy({ $0.count <= SecondaryIndex.maximumValueByteCount }) else {
            throw CQLError.invalid("Index expression values may not be larger than 64K")
        }
    }
}

/// `token(…) > x AND token(…) <= y`.
struct TokenRestriction: Sendable {
    var lower: SliceBound?
    var upper: SliceBound?
    /// Whether it is one token.
    var isSingle = false

    /// The part of the ring as a range of stored keys.
    func range(_ context: ExecutionContext) throws -> KeyRange {
        KeyRange(
            lower: try lower.flatMap { try Self.key($0, after: !$0.isInclusive, context) },
            upper: try upper.flatMap { bound in
                // The lowest token, which no key has, is the end of the ring as an upper bound ([CA] restrictions/
                // StatementRestrictions.java, `getPartitionKeyBoundsForTokenRestrictions`). Drivers divide the ring so.
                if !isSingle, try Self.token(bound, context) == .min { return nil }
                return try Self.key(bound, after: bound.isInclusive, context)
            })
    }

    private static func token(_ bound: SliceBound, _ context: ExecutionContext) throws -> Int64 {
        guard let term = bound.terms.first, case .bigint(let token) = try term.value(as: .bigint, context) else {
            throw CQLError.invalid("Invalid null token value")
        }
        return token
    }

    /// The first key with this token, or with the next one.
    private static func key(_ bound: SliceBound, after: Bool, _ context: ExecutionContext) throws -> [UInt8]? {
        var key: [UInt8] = []
        StorageKey.appendToken(try token(bound, context), to: &key)
        // Past the last token nothing follows: an upper bound is open then, a lower one excludes everything.
        return after ? StorageKey.successor(ofPrefix: key) ?? (bound.isInclusive ? nil : key + [0xFF]) : key
    }
}

/// What the relations say of one column, or of several clustering columns together.
struct ColumnRestriction: Sendable {
    /// Neighbours in the key, as many as the longest relation names.
    var columns: [ColumnDefinition]
    /// `=` or IN, of all the columns.
    var values: KeyValues?
    var isIn = false
    /// Of all the columns, or of the first of them.
    var lower: SliceBound?
    var upper: SliceBound?
    var others: [Filter] = []

    var column: ColumnDefinition { columns[0] }

    var isSlice: Bool { lower != nil || upper != nil }

    /// The same restrictions as conditions on a row.
    var filters: [Filter] {
        var filters = others
        if let values { filters.append(Filter(columns, isIn ? .in : .equal, values)) }
        if let lower {
            filters.append(Filter(columns, lower.isInclusive ? .greaterOrEqual : .greater, lower.values))
        }
        if let upper { filters.append(Filter(columns, upper.isInclusive ? .lessOrEqual : .less, upper.values)) }
        return filters
    }
}

extension ColumnRestriction {
    init(column: ColumnDefinition) { self.init(columns: [column]) }

    /// Whether some column has both restrictions.
    func overlaps(_ names: [String]) -> Bool { columns.contains { names.contains($0.name) } }
}
