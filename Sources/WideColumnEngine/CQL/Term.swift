// Term.swift — the right-hand sides of CQL: constants, markers, collections, function calls.

/// A term as the parser saw it; its type is known once it is bound to a column.
indirect enum Term: Hashable, Sendable {
    case constant(Constant)
    /// The bound marker with this index.
    case marker(Int)
    case call(String, [Term])
    case list([Term])
    case set([Term])
    case map([MapEntry])
    case tuple([Term])
    /// `{street: 'x', zip: 1}`.
    case userDefined([Field])
    case binary(ArithmeticOperator, Term, Term)
    /// `-term`.
    case negation(Term)
    /// `(type) term`.
    case cast(CQLType, Term)
    /// `CAST(term AS type)`.
    case conversion(Term, CQLType)

    struct Field: Hashable, Sendable {
        var name: String
        var value: Term
    }

    struct MapEntry: Hashable, Sendable {
        var key: Term
        var value: Term
    }
}

enum Constant: Hashable, Sendable {
    case null
    case string(String)
    case integer(String)
    case float(String)
    case uuid(CQLUUID)
    case boolean(Bool)
    case blob([UInt8])
    case duration(String)
}

extension Term: CustomStringConvertible {
    var description: String {
        switch self {
        case .constant(let constant): constant.description
        case .marker: "?"
        case .call(let name, let arguments): "\(name)(\(arguments.map(\.description).joined(separator: ", ")))"
        case .list(let terms): "[\(terms.map(\.description).joined(separator: ", "))]"
        case .set(let terms): "{\(terms.map(\.description).joined(separator: ", "))}"
        case .map(let entries): "{\(entries.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
        case .tuple(let terms): "(\(terms.map(\.description).joined(separator: ", ")))"
        case .userDefined(let fields):
            "{\(fields.map { "\(CQLName.quotedIfNeeded($0.name)): \($0.value)" }.joined(separator: ", "))}"
        case .binary(let operation, let left, let right): "\(left) \(operation.rawValue) \(right)"
        case .negation(let term):
            // Two signs would begin a comment.
            term.description.hasPrefix("-") ? "-(\(term))" : "-\(term)"
        case .cast(let type, let term): "(\(type))\(term)"
        case .conversion(let term, let type): "CAST(\(term) AS \(type))"
        }
    }
}

extension Constant: CustomStringConvertible {
    /// As CQL writes it.
    var description: String {
        switch self {
        case .null: "null"
        case .string(let value): CQLValue.quoted(value)
        case .integer(let digits), .float(let digits), .duration(let digits): digits
        case .uuid(let value): value.description
        case .boolean(let value): value ? "true" : "false"
        case .blob(let value): value.cqlHexadecimal
        }
    }

    /// What Cassandra's messages call the kind of the constant ([CA] cql3/terms/Constants.java).
    var kindName: String {
        switch self {
        case .null: "NULL"
        case .string: "STRING"
        case .integer: "INTEGER"
        case .float: "FLOAT"
        case .uuid: "UUID"
        case .boolean: "BOOLEAN"
        case .blob: "HEX"
        case .duration: "DURATION"
        }
    }
}
