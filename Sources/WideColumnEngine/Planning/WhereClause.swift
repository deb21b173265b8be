// WhereClause.swift — sorts the relations of a WHERE clause by what can be done with them: partitions to look up,
// ranges of clustering keys to read, conditions to test row by row ([CA] cql3/restrictions/StatementRestrictions.java).

/// The planned form of a WHERE clause.
struct WhereClause: Sendable {
    /// Whole partition keys; `nil`: every partition, or those in `tokens`.
    var partition: PartitionRestriction?
    var tokens: TokenRestriction?
    var clustering: ClusteringRestriction
    var filters: [Filter] = []
}

/// `token(…) > x AND token(…) <= y`.
struct TokenRestriction: Sendable {
    var lower: SliceBound?
    var upper: SliceBound?

    /// The part of the ring as a range of stored keys.
    func range(_ context: ExecutionContext) throws -> KeyRange {
        KeyRange(
            lower: try lower.flatMap { try Self.key($0, after: !$0.isInclusive, context) },
            upper: try upper.flatMap { try Self.key($0, after: $0.isInclusive, context) })
    }

    /// The first key with this token, or with the next one.
    private static func key(_ bound: SliceBound, after: Bool, _ context: ExecutionContext) throws -> [UInt8]? {
        guard let term = bound.terms.first, case .bigint(let token) = try term.value(as: .bigint, context) else {
            throw CQLError.invalid("Invalid null token value")
        }
        var key: [UInt8] = []
        StorageKey.appendToken(token, to: &key)
        // Past the last token nothing follows: an upper bound is open then, a lower one excludes everything.
        return after ? StorageKey.successor(ofPrefix: key) ?? (bound.isInclusive ? nil : key + [0xFF]) : key
    }
}

/// A condition that each row is tested for.
struct Filter: Sendable {
    var column: ColumnDefinition
    var comparison: Comparison
    var operands: KeyValues

    /// Operands evaluated once for an execution.
    struct Evaluated {
        var column: ColumnDefinition
        var comparison: Comparison
        /// In ordered form; for CONTAINS as they are.
        var operands: [[UInt8]]

        func accepts(_ value: RawSpan) throws -> Bool {
            switch comparison {
            case .contains, .containsKey: return try contains(value)
            default:
                var ordered: [UInt8] = []
                try OrderedComponent.append(value, column.type, to: &ordered)
                return comparison.holds(ordered, operands)
            }
        }

        private func contains(_ value: RawSpan) throws -> Bool {
            switch (try CQLValue(value, type: column.type), column.type) {
            case (.list(let members), .list(let element)), (.set(let members), .set(let element)):
                return try members.contains { try $0.serialized(as: element) == operands.first }
            case (.map(let entries), .map(let key, let element)):
                return try entries.contains { entry in
                    let member =
                        try comparison == .contains
                        ? entry.value.serialized(as: element) : entry.key.serialized(as: key)
                    return member == operands.first
                }
            default: return false
            }
        }
    }

    func evaluate(_ context: ExecutionContext) throws -> Evaluated {
        var values = try operands.evaluate(context, column: column.name)
        if comparison != .contains, comparison != .containsKey {
            values = try values.map { try OrderedComponent.bytes($0, column.type) }
        }
        return Evaluated(column: column, comparison: comparison, operands: values)
    }
}

/// What the relations say of one column.
struct ColumnRestriction: Sendable {
    var column: ColumnDefinition
    /// `=` or IN.
    var values: KeyValues?
    var lower: SliceBound?
    var upper: SliceBound?
    var others: [Filter] = []

    var isSlice: Bool { lower != nil || upper != nil }

    /// The same restrictions as conditions on a row.
    var filters: [Filter] {
        var filters = others
        if let values { filters.append(Filter(column: column, comparison: .in, operands: values)) }
        if let lower {
            let comparison: Comparison = lower.isInclusive ? .greaterOrEqual : .greater
            filters.append(Filter(column: column, comparison: comparison, operands: .terms(lower.terms)))
        }
        if let upper {
            let comparison: Comparison = upper.isInclusive ? .lessOrEqual : .less
            filters.append(Filter(column: column, comparison: comparison, operands: .terms(upper.terms)))
        }
        return filters
    }
}
