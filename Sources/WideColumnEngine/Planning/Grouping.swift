// Grouping.swift — GROUP BY: prefixes of the primary key, the last one perhaps under a function that never decreases.

/// Which rows belong together: those whose key begins alike.
struct Grouping: Sendable {
    /// How many clustering columns are part of the group; `nil`: groups are whole partitions.
    let clusteringCount: Int
    /// A function of the next column in the place of the column itself.
    let function: SelectedValue?

    /// `nil` without GROUP BY.
    init?(
        _ expressions: [SelectExpression], _ table: Table, _ whereClause: WhereClause, _ binder: inout TermBinder
    ) throws {
        guard !expressions.isEmpty else { return nil }
        let key = table.definition.partitionKey + table.definition.clustering
        var next = 0
        var function: SelectedValue?
        for expression in expressions {
            var name = ""
            if case .column(let column) = expression {
                guard function == nil else { throw Self.functionNotLast }
                name = column
            } else {
                guard case .call(let called, let arguments) = expression,
                    case .column(let column)? = arguments.first(where: { if case .column = $0 { true } else { false } })
                else { throw Self.wrongOrder }
                guard called == "floor" else { throw Self.notMonotonic(called, arguments) }
                guard function == nil else { throw Self.functionNotLast }
                name = column
                guard try table.requiredColumn(name).kind == .clustering else {
                    throw CQLError.invalid(
                        "Group by functions are only supported on clustering columns, got \(name)")
                }
                var selection = SelectionBinder(table, binder.scope)
                function = try selection.bind(expression, &binder)
                guard function?.columns.count == 1 else { throw Self.notMonotonic(called, arguments) }
            }
            let column = try table.requiredColumn(name)
            guard column.isPrimaryKey else {
                throw CQLError.invalid(
                    "Group by is currently only supported on the columns of the PRIMARY KEY, got \(name)")
            }
            guard let position = key.firstIndex(where: { $0.name == name }), position >= next,
                Self.areFixed(key[next..<position], whereClause)
            else { throw Self.wrongOrder }
            next = position + 1
        }
        guard next >= table.definition.partitionKey.count else {
            throw CQLError.invalid("Group by is not supported on only a part of the partition key")
        }
        clusteringCount = max(0, next - table.definition.partitionKey.count - (function == nil ? 0 : 1))
        self.function = function
    }

    private static var functionNotLast: CQLError {
        .invalid("Functions are only supported on the last element of the GROUP BY clause")
    }

    private static func notMonotonic(_ name: String, _ arguments: [SelectExpression]) -> CQLError {
        .invalid(
            "Only monotonic functions are supported in the GROUP BY clause. Got: system.\(name) : "
                + "(\(arguments.map(\.name).joined(separator: ", ")))")
    }

    private static var wrongOrder: CQLError {
        .invalid("Group by currently only support groups of columns following their declared order in the PRIMARY KEY")
    }

    /// Columns that `=` gives one value, be it by a filter, may be left out.
    private static func areFixed(_ columns: ArraySlice<ColumnDefinition>, _ whereClause: WhereClause) -> Bool {
        columns.allSatisfy(whereClause.hasSingleValue)
    }
}
