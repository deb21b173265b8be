// Filter.swift — conditions that rows are tested for one by one.

/// A condition that each row is tested for.
struct Filter: Sendable {
    enum Target: Sendable {
        case column(ColumnDefinition)
        /// `m[key]`, with the type of the key and of the value.
        case entry(ColumnDefinition, key: BoundTerm, keyType: CQLType, CQLType)
        /// `(a, b)`.
        case columns([ColumnDefinition])
    }

    var target: Target
    var comparison: Comparison
    var operands: KeyValues

    init(_ column: ColumnDefinition, _ comparison: Comparison, _ operands: KeyValues) {
        target = .column(column)
        self.comparison = comparison
        self.operands = operands
    }

    /// - Parameter operands: of the first columns, as many as they are for.
    init(_ columns: [ColumnDefinition], _ comparison: Comparison, _ operands: KeyValues) {
        let count = operands.columnCount
        target = count == 1 ? .column(columns[0]) : .columns(Array(columns.prefix(count)))
        self.comparison = comparison
        self.operands = operands
    }

    init(entryOf column: ColumnDefinition, _ key: BoundTerm, _ keyType: CQLType, _ type: CQLType, _ value: BoundTerm) {
        target = .entry(column, key: key, keyType: keyType, type)
        comparison = .equal
        operands = .terms([value])
    }

    /// The one column that the filter is about.
    var column: ColumnDefinition? {
        switch target {
        case .column(let column), .entry(let column, _, _, _): column
        case .columns: nil
        }
    }

    /// A filter with its operands evaluated once for an execution.
    struct Evaluated {
        var filter: Filter
        /// In ordered form, prepared for the comparison.
        var operands: [[UInt8]]
        /// The key of a map's entry.
        var key: CQLValue = .null
    }

    func evaluate(_ context: ExecutionContext) throws -> Evaluated {
        switch target {
        case .columns(let columns):
            let tuples = try operands.evaluate(context, columns: columns.map(\.name))
            return Evaluated(
                filter: self, operands: comparison.prepared(try tuples.map { try Self.ordered($0, columns) }))
        case .entry(let column, let key, let keyType, let type):
            let key = try Self.entryKey(key, keyType, of: column, context)
            let bytes = try evaluateOperands(context, "map value", of: column)
            return Evaluated(
                filter: self, operands: try bytes.map { try OrderedComponent.bytes($0, type) }, key: key)
        case .column(let column):
            let bytes = try evaluateOperands(context, "value", of: column)
            let type = memberType(of: column)
            return Evaluated(
                filter: self, operands: comparison.prepared(try bytes.map { try Self.comparable($0, type) }))
        }
    }

    /// - Parameter role: what the operand is, as messages say it ([CA] db/filter/RowFilter.java, `validate`).
    private func evaluateOperands(
        _ context: ExecutionContext, _ role: String, of column: ColumnDefinition
    ) throws -> [[UInt8]] {
        guard let operand = operands.single else { return try operands.evaluate(context, column: column.name) }
        switch try operand.evaluate(context) {
        case .null: throw CQLError.invalid("Unsupported null \(role) for column \(column.name)")
        case .unset: throw CQLError.invalid("Unsupported unset \(role) for column \(column.name)")
        case .bytes(let bytes): return [bytes]
        }
    }

    /// No map has a null for a key ([CA] db/filter/RowFilter.java, `MapElementExpression.validate`).
    private static func entryKey(
        _ key: BoundTerm, _ type: CQLType, of column: ColumnDefinition, _ context: ExecutionContext
    ) throws -> CQLValue {
        switch try key.evaluate(context) {
        case .null: throw CQLError.invalid("Unsupported null map key for column \(column.name)")
        case .unset: throw CQLError.invalid("Unsupported unset map key for column \(column.name)")
        case .bytes(let bytes): return try CQLValue(bytes.rawSpan, type: type)
        }
    }

    /// What the operands are compared with: the column, or its elements.
    private func memberType(of column: ColumnDefinition) -> CQLType {
        switch (comparison, column.type.bare) {
        case (.contains, .list(let element)), (.contains, .set(let element)), (.contains, .map(_, let element)): element
        case (.containsKey, .map(let key, _)): key
        default: column.type
        }
    }

    private static func comparable(_ bytes: [UInt8], _ type: CQLType) throws -> [UInt8] {
        type.contains { $0 == .duration } ? bytes : try OrderedComponent.bytes(bytes, type)
    }

    private static func ordered(_ members: [[UInt8]], _ columns: [ColumnDefinition]) throws -> [UInt8] {
        var ordered: [UInt8] = []
        for (value, column) in zip(members, columns) {
            try OrderedComponent.append(value.rawSpan, column.type, to: &ordered)
        }
        return ordered
    }
}

extension Filter.Evaluated {
    /// Whether a row has what the filter asks for; a null never does.
    func accepts(_ row: RowContext) throws -> Bool {
        switch filter.target {
        case .columns(let columns):
            var ordered: [UInt8] = []
            for column in columns {
                guard let value = row.bytes(of: column) else { return false }
                try OrderedComponent.append(value.rawSpan, column.type, to: &ordered)
            }
            return filter.comparison.holds(ordered, operands)
        case .entry(let column, _, let keyType, let type):
            guard let bytes = row.bytes(of: column) else { return false }
            let value = try CQLValue(bytes.rawSpan, type: column.type).element(at: key, keyType)
            return value.isNull ? false : filter.comparison.holds(try value.orderedBytes(type), operands)
        case .column(let column):
            var isAccepted = false
            _ = try row.withValue(of: column) { isAccepted = try accepts($0, column) }
            return isAccepted
        }
    }

    private func accepts(_ value: RawSpan, _ column: ColumnDefinition) throws -> Bool {
        switch filter.comparison {
        case .contains, .containsKey: return try contains(value, column)
        default:
            if column.type.contains({ $0 == .duration }) { return filter.comparison.holds(value.array(), operands) }
            var ordered: [UInt8] = []
            try OrderedComponent.append(value, column.type, to: &ordered)
            return filter.comparison.holds(ordered, operands)
        }
    }

    private func contains(_ value: RawSpan, _ column: ColumnDefinition) throws -> Bool {
        switch (try CQLValue(value, type: column.type), column.type.bare) {
        case (.list(let members), .list(let element)), (.set(let members), .set(let element)):
            return try members.contains { try $0.orderedBytes(element) == operands.first }
        case (.map(let entries), .map(let key, let element)):
            return try entries.contains { entry in
                let member =
                    try filter.comparison == .contains
                    ? entry.value.orderedBytes(element) : entry.key.orderedBytes(key)
                return member == operands.first
            }
        default: return false
        }
    }
}
