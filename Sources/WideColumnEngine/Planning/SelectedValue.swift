// SelectedValue.swift — one value of the SELECT list, with its type known.

indirect enum SelectedValue: Sendable {
    case column(ColumnDefinition)
    /// When a column's cell was written or how long it lives, or that of the cells of its elements.
    case cellTime(CellTime)
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
        case .cellTime(let time): time.type
        case .token: .bigint
        case .call(let function, _): function.returnType
        case .aggregate(_, let type), .element(_, _, _, let type), .field(_, _, let type), .collection(let type, _),
            .term(_, let type):
            type
        case .binary(let operation, _, _): operation.result
        case .slice(let base, _, _, _): base.type.frozenType
        }
    }

    /// Whether the value is made of the partition's token, and so of its key.
    var hasToken: Bool {
        switch self {
        case .token: true
        case .call(_, let arguments), .collection(_, let arguments): arguments.contains(where: \.hasToken)
        case .binary(_, let left, let right): left.hasToken || right.hasToken
        case .column, .cellTime, .aggregate, .element, .slice, .field, .term: false
        }
    }

    /// The columns that the value is made of.
    var columns: [ColumnDefinition] {
        switch self {
        case .column(let column): [column]
        case .cellTime(let time): [time.column]
        case .call(_, let arguments), .collection(_, let arguments): arguments.flatMap(\.columns)
        case .binary(_, let left, let right): left.columns + right.columns
        case .element(let base, _, _, _), .slice(let base, _, _, _), .field(let base, _, _): base.columns
        case .token, .aggregate, .term: []
        }
    }
}

/// `writetime(…)`, `maxwritetime(…)` or `ttl(…)` of a column, or of a part of one ([CA]
/// cql3/selection/WritetimeOrTTLSelector.java, ColumnTimestamps.java).
struct CellTime: Sendable {
    enum Function: String, Sendable {
        case writetime, maxwritetime, ttl
    }

    /// What of a column with several cells is asked for. A value of one cell has its time in all of its parts.
    enum Part: Sendable {
        case whole
        case element(BoundTerm, keyType: CQLType)
        case slice(from: BoundTerm?, to: BoundTerm?, keyType: CQLType)
        /// Of a user-defined type.
        case field(Int)
    }

    var function: Function
    var column: ColumnDefinition
    var part: Part

    /// Whether there is a time for each of several cells.
    var isList: Bool {
        guard column.isMultiCell, function != .maxwritetime else { return false }
        switch part {
        case .whole, .slice: return true
        case .element, .field: return false
        }
    }

    var type: CQLType {
        let type: CQLType = function == .ttl ? .int : .bigint
        return isList ? .list(type) : type
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
        case .negation(let operand): "-\(operand.name)"
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
        case .userDefined(let fields):
            "{\(fields.map { "\(CQLName.quotedIfNeeded($0.name)): \($0.value.name)" }.joined(separator: ", "))}"
        case .term(let term): term.description
        }
    }

    private static func names(_ expressions: [SelectExpression]) -> String {
        expressions.map(\.name).joined(separator: ", ")
    }
}
