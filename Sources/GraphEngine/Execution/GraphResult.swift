// GraphResult.swift — what a statement answers.

/// The rows of a statement, the names of their columns, and what the statement changed.
public struct GraphResult: Sendable {
    /// As written after RETURN, in order; known even if there are no rows.
    public let columns: [String]
    public let rows: [Row]
    public let counters: GraphCounters

    init(columns: [String], rows: [[GraphValue]], counters: GraphCounters) {
        self.columns = columns
        self.rows = rows.map { Row(values: $0, columns: columns) }
        self.counters = counters
    }

    /// One row: a value for each column.
    public struct Row: Sendable, Hashable {
        public let values: [GraphValue]
        private let columns: [String]

        init(values: [GraphValue], columns: [String]) {
            self.values = values
            self.columns = columns
        }

        public subscript(index: Int) -> GraphValue { values[index] }

        /// The value in a column; null if there is no such column.
        public subscript(column: String) -> GraphValue {
            columns.firstIndex(of: column).map { values[$0] } ?? .null
        }
    }
}
