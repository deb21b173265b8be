// SelectedValue.swift — one value of the SELECT list.

indirect enum SelectedValue: Sendable {
    case column(ColumnDefinition)
    case count
    /// The timestamp of a column's cell.
    case writetime(ColumnDefinition)
    /// The seconds that a column's cell has left.
    case timeToLive(ColumnDefinition)
    case token
    case call(ScalarFunction, [SelectedValue])
    case term(BoundTerm, CQLType)

    init(_ expression: SelectExpression, _ table: Table, _ binder: inout TermBinder) throws {
        switch expression {
        case .column(let name): self = .column(try table.requiredColumn(name))
        case .count: self = .count
        case .writetime(let name): self = .writetime(try Self.cellColumn(name, table, "writetime"))
        case .timeToLive(let name): self = .timeToLive(try Self.cellColumn(name, table, "ttl"))
        case .call("token", let arguments):
            guard arguments == table.definition.partitionKey.map({ .column($0.name) }) else {
                throw CQLError.invalid("The token() function must be applied to all partition key components")
            }
            self = .token
        case .call(let name, let arguments):
            var values: [SelectedValue] = []
            for argument in arguments { values.append(try SelectedValue(argument, table, &binder)) }
            self = .call(try ScalarFunction.resolve(name, arguments: values.map(\.type), returning: nil), values)
        case .term(let term):
            guard case .constant(let constant) = term, let type = constant.naturalType else {
                throw CQLError.invalid(
                    "Cannot infer type for term \(term) in selection clause (try using a cast to force a type)")
            }
            self = .term(try binder.bind(term, as: type, receiver: "[selection]"), type)
        }
    }

    private static func cellColumn(_ name: String, _ table: Table, _ function: String) throws -> ColumnDefinition {
        let column = try table.requiredColumn(name)
        guard !column.isPrimaryKey else {
            throw CQLError.invalid("Cannot use selection function \(function) on PRIMARY KEY part \(name)")
        }
        return column
    }

    var type: CQLType {
        switch self {
        case .column(let column): column.type
        case .count, .writetime, .token: .bigint
        case .timeToLive: .int
        case .call(let function, _): function.returnType
        case .term(_, let type): type
        }
    }

    var isCount: Bool {
        if case .count = self { return true }
        return false
    }

    var isPartitionKey: Bool {
        if case .column(let column) = self { return column.kind == .partitionKey }
        return false
    }

    var name: String {
        if case .column(let column) = self { return column.name }
        return "expression"
    }
}
