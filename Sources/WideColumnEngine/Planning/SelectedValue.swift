// SelectedValue.swift — one value of the SELECT list, with its type known.

indirect enum SelectedValue: Sendable {
    case column(ColumnDefinition)
    /// The timestamp of a column's cell, or of the cells of its elements.
    case writetime(ColumnDefinition)
    case maxWritetime(ColumnDefinition)
    /// The seconds that a column's cell has left, or its elements' cells.
    case timeToLive(ColumnDefinition)
    case token
    case call(ScalarFunction, [SelectedValue])
    /// The result of the plan's aggregate with this index.
    case aggregate(Int, CQLType)
    case binary(ArithmeticOperation, SelectedValue, SelectedValue)
    case element(SelectedValue, BoundTerm, keyType: CQLType, CQLType)
    case slice(SelectedValue, from: BoundTerm?, to: BoundTerm?, keyType: CQLType)
    case field(SelectedValue, Int, CQLType)
    /// A literal with values in it; a map's keys and values alternate.
    case collection(CQLType, [SelectedValue])
    case term(BoundTerm, CQLType)

    var type: CQLType {
        switch self {
        case .column(let column): column.type
        case .writetime(let column): column.isMultiCell ? .list(.bigint) : .bigint
        case .timeToLive(let column): column.isMultiCell ? .list(.int) : .int
        case .maxWritetime, .token: .bigint
        case .call(let function, _): function.returnType
        case .aggregate(_, let type), .element(_, _, _, let type), .field(_, _, let type), .collection(let type, _),
            .term(_, let type):
            type
        case .binary(let operation, _, _): operation.result
        case .slice(let base, _, _, _): base.type.frozenType
        }
    }

    /// The columns that the value is made of.
    var columns: [ColumnDefinition] {
        switch self {
        case .column(let column), .writetime(let column), .maxWritetime(let column), .timeToLive(let column): [column]
        case .call(_, let arguments), .collection(_, let arguments): arguments.flatMap(\.columns)
        case .binary(_, let left, let right): left.columns + right.columns
        case .element(let base, _, _, _), .slice(let base, _, _, _), .field(let base, _, _): base.columns
        case .token, .aggregate, .term: []
        }
    }
}

/// An aggregate of a SELECT list.
struct Aggregate: Sendable {
    var function: AggregateFunction
    /// `nil`: `count(*)`.
    var argument: SelectedValue?
}

extension SelectExpression {
    /// The column name that Cassandra gives the expression.
    var name: String {
        switch self {
        case .column(let name): name
        case .count: "count"
        case .writetime(let operand): "writetime(\(operand.name))"
        case .maxWritetime(let operand): "maxwritetime(\(operand.name))"
        case .timeToLive(let operand): "ttl(\(operand.name))"
        case .call(let name, let arguments): "system.\(name)(\(Self.names(arguments)))"
        case .cast(let operand, let type): "cast(\(operand.name) as \(type))"
        case .typeHint(let type, let operand): "(\(type))\(operand.name)"
        case .binary(.subtract, .term(.constant(.integer("0"))), let operand): "-\(operand.name)"
        case .binary(let operation, let left, let right): "\(left.name) \(operation.rawValue) \(right.name)"
        case .element(let base, let key): "\(base.name)[\(key)]"
        case .slice(let base, let lower, let upper):
            "\(base.name)[\(lower?.description ?? "")..\(upper?.description ?? "")]"
        case .field(let base, let name): "\(base.name).\(name)"
        case .list(let elements): "[\(Self.names(elements))]"
        case .set(let elements): "{\(Self.names(elements))}"
        case .tuple(let elements): "(\(Self.names(elements)))"
        case .map(let entries):
            "{\(stride(from: 0, to: entries.count, by: 2).map { "\(entries[$0].name): \(entries[$0 + 1].name)" }.joined(separator: ", "))}"
        case .term(let term): term.description
        }
    }

    private static func names(_ expressions: [SelectExpression]) -> String {
        expressions.map(\.name).joined(separator: ", ")
    }
}
