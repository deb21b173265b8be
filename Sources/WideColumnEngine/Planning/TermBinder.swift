// TermBinder.swift — gives terms their types, and markers with them.

/// A bound marker: what it is for.
public struct BoundMarker: Hashable, Sendable {
    /// The name of `:name`, or of the column or clause that receives the value.
    public var name: String
    public var type: CQLType
    /// The keyspace and table of the column; empty in statements of several tables.
    public var keyspace: String
    public var table: String
}

/// Binds the terms of one statement and collects its markers.
struct TermBinder {
    private let names: [String?]
    private var markers: [BoundMarker?]
    /// Where the user-defined types that casts name are looked up.
    let scope: UserTypes
    /// The table that markers are for.
    var table: TableIdentifier?
    /// Of the table whose columns receive the terms: what `token` takes.
    var partitionKeyTypes: [CQLType]?

    init(_ markerNames: [String?], scope: UserTypes) {
        names = markerNames
        markers = Array(repeating: nil, count: markerNames.count)
        self.scope = scope
    }

    /// Every marker, once all terms are bound.
    func boundMarkers() throws -> [BoundMarker] {
        try markers.map { marker in
            guard let marker else { throw CQLError.invalid("A bound marker is used where none is allowed") }
            return marker
        }
    }

    mutating func bind(_ term: Term, to column: ColumnDefinition) throws -> BoundTerm {
        try bind(term, as: column.type, receiver: column.name)
    }

    mutating func bind(_ term: Term, as type: CQLType, receiver: String) throws -> BoundTerm {
        switch term {
        case .constant(.null): return .null
        case .constant(let constant):
            return .bytes(try constant.value(as: type, receiver: receiver).serialized(as: type))
        case .marker(let index):
            markers[index] = BoundMarker(
                name: names[index] ?? receiver, type: type, keyspace: table?.keyspace ?? "", table: table?.name ?? "")
            return .marker(index: index, type: type)
        case .call(let name, let arguments): return try bind(call: name, arguments, as: type)
        case .binary(let operation, let left, let right):
            return try bind(operation, left, right, as: type, receiver)
        case .negation(let operand): return try bind(negationOf: operand, as: type, receiver)
        case .cast(let written, let inner):
            let castType = try written.resolved(in: scope)
            guard castType.form == type.form else {
                throw CQLError.invalid("Cannot assign value \(term) to \(receiver) of type \(type)")
            }
            return try bind(inner, as: castType, receiver: receiver)
        case .list, .set, .map, .tuple, .userDefined: return try bind(collection: term, as: type, receiver: receiver)
        }
    }

    /// Constants take the type that the other operand or the receiver has.
    private mutating func bind(
        _ operation: ArithmeticOperator, _ left: Term, _ right: Term, as type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        let isMoving = (type == .timestamp || type == .date) && operation != .multiply
        let leftType = try self.type(of: left) ?? type
        let rightType = try self.type(of: right) ?? (isMoving ? .duration : type)
        let bound = try ArithmeticOperation(
            operation, leftType, rightType, of: (left.description, right.description))
        guard bound.result == type || bound.result.isNumeric && type.isNumeric && Self.widens(bound.result, type) else {
            throw CQLError.invalid(
                "Type error: cannot assign result of function system._\(operation) (type \(bound.result)) to \(receiver) (type \(type))"
            )
        }
        return .binary(
            bound, try bind(left, as: leftType, receiver: receiver), try bind(right, as: rightType, receiver: receiver))
    }

    private mutating func bind(
        negationOf operand: Term, as type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        let operandType = try self.type(of: .negation(operand)) ?? type
        let function = try ScalarFunction.negation(operandType, of: operand.description)
        guard function.returnType == type || Self.widens(function.returnType, type) else {
            throw CQLError.invalid(
                "Type error: cannot assign result of function system.\(function.name) (type \(function.returnType)) to "
                    + "\(receiver) (type \(type))")
        }
        return .call(function, [try bind(operand, as: operandType, receiver: receiver)])
    }

    private static func widens(_ from: CQLType, _ to: CQLType) -> Bool { from == .bigint && to == .counter }

    private mutating func bind(call name: String, _ arguments: [Term], as type: CQLType?) throws -> BoundTerm {
        let function = try resolve(name, arguments, returning: type)
        var bound: [BoundTerm] = []
        for (index, (argument, type)) in zip(arguments, function.argumentTypes).enumerated() {
            bound.append(try bind(argument, as: type, receiver: "arg\(index)(\(name))"))
        }
        return .call(function, bound)
    }

    private func resolve(_ name: String, _ arguments: [Term], returning type: CQLType?) throws -> ScalarFunction {
        if name == "token", let partitionKeyTypes {
            return try ScalarFunction.token(partitionKeyTypes, argumentCount: arguments.count).returning(type)
        }
        return try ScalarFunction.resolve(
            name, arguments: try arguments.map { try self.type(of: $0) }, returning: type)
    }

    /// The type of a function's argument where it is plain; a string may become many things.
    private func type(of term: Term) throws -> CQLType? {
        switch term {
        case .binary(_, let left, let right):
            guard let left = try type(of: left), let right = try type(of: right) else { return nil }
            return ArithmeticOperation.promoted(left, right) ?? left
        // A constant takes the type that is wanted.
        case .negation(.constant): return nil
        case .negation(let operand): return try type(of: operand)
        case .constant(.string), .constant(.integer): return nil
        case .constant(let constant): return constant.naturalType
        case .cast(let type, _): return try type.resolved(in: scope)
        case .call(let name, let arguments):
            return try resolve(name, arguments, returning: nil).returnType
        case .marker, .list, .set, .map, .tuple, .userDefined: return nil
        }
    }
}
