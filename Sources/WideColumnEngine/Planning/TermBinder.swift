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
        case .call(let name, let arguments): return try bind(call: name, arguments, as: type, receiver)
        case .binary(let operation, let left, let right):
            return try bind(operation, left, right, as: type, receiver)
        case .negation(let operand): return try bind(negationOf: operand, as: type, receiver)
        case .cast(let written, let inner):
            let castType = try written.resolved(in: scope)
            guard type.takes(castType) else {
                throw CQLError.invalid("Cannot assign value \(term) to \(receiver) of type \(type)")
            }
            return try bind(inner, as: castType, receiver: receiver).assigned(from: castType, to: type)
        case .conversion(let operand, let target):
            return try bind(conversionOf: operand, to: target, as: type, receiver)
        case .list, .set, .map, .tuple, .userDefined: return try bind(collection: term, as: type, receiver: receiver)
        }
    }

    /// Constants take the type that the other operand or the receiver has.
    private mutating func bind(
        _ operation: ArithmeticOperator, _ left: Term, _ right: Term, as type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        let isMoving = (type == .timestamp || type == .date) && operation != .multiply
        let leftType = try self.type(of: left, wanted: type) ?? type
        let rightType = try self.type(of: right, wanted: type) ?? (isMoving ? .duration : type)
        let bound = try ArithmeticOperation(
            operation, leftType, rightType, of: (left.description, right.description))
        guard type.takes(bound.result) else {
            throw CQLError.invalid(
                "Type error: cannot assign result of function system._\(operation) (type \(bound.result)) to \(receiver) (type \(type))"
            )
        }
        let term = BoundTerm.binary(
            bound, try bind(left, as: leftType, receiver: receiver), try bind(right, as: rightType, receiver: receiver))
        return try term.assigned(from: bound.result, to: type)
    }

    private mutating func bind(
        negationOf operand: Term, as type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        let operandType = try self.type(of: .negation(operand), wanted: type) ?? type
        let function = try ScalarFunction.negation(operandType, of: operand.description)
        guard type.takes(function.returnType) else {
            throw CQLError.invalid(
                "Type error: cannot assign result of function system.\(function.name) (type \(function.returnType)) to "
                    + "\(receiver) (type \(type))")
        }
        return try BoundTerm.call(function, [try bind(operand, as: operandType, receiver: receiver)])
            .assigned(from: function.returnType, to: type)
    }

    /// A literal has the type of its own that it would have alone, a marker the one that is asked for.
    private mutating func bind(
        conversionOf operand: Term, to target: CQLType, as type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        let operandType = try self.type(of: operand, wanted: nil) ?? operand.naturalType ?? target
        let function = try ScalarFunction.cast(operandType, to: target).returning(type, to: receiver)
        return try BoundTerm.call(
            function, [try bind(operand, as: operandType, receiver: "arg0(\(function.name))")]
        ).assigned(from: target, to: type)
    }

    private mutating func bind(
        call name: String, _ arguments: [Term], as type: CQLType, _ receiver: String
    ) throws -> BoundTerm {
        let function = try resolve(name, arguments, returning: type, to: receiver)
        var bound: [BoundTerm] = []
        for (index, (argument, type)) in zip(arguments, function.argumentTypes).enumerated() {
            bound.append(try bind(argument, as: type, receiver: "arg\(index)(\(name))"))
        }
        return try BoundTerm.call(function, bound).assigned(from: function.returnType, to: type)
    }

    private func resolve(
        _ name: String, _ arguments: [Term], returning type: CQLType?, to receiver: String? = nil
    ) throws -> ScalarFunction {
        if AggregateFunction.isName(name) {
            throw CQLError.invalid("Aggregation function are not supported in the where clause")
        }
        if name == "token", let partitionKeyTypes {
            return try ScalarFunction.token(partitionKeyTypes, argumentCount: arguments.count)
                .returning(type, to: receiver)
        }
        let wanted = ScalarFunction.mathNames.contains(name) ? type : nil
        let types = try arguments.map { try self.type(of: $0, wanted: wanted) }
        do {
            return try ScalarFunction.resolve(
                name, arguments: types, written: arguments.map(\.description), returning: type, to: receiver)
        } catch {
            // A literal with a fraction may be any of the types that have some.
            let open = zip(arguments, types).map { $0.isFraction ? nil : $1 }
            guard open != types, let function = try? ScalarFunction.resolve(name, arguments: open, returning: type),
                zip(arguments, function.argumentTypes).allSatisfy({ !$0.isFraction || $1.hasFractions })
            else { throw error }
            return function
        }
    }

    /// The type of a term where it is plain; `nil` for one that may become many things, as a string may, or one that takes the
    /// type that is wanted.
    private func type(of term: Term, wanted: CQLType?) throws -> CQLType? {
        switch term {
        case .binary(_, let left, let right):
            guard let left = try type(of: left, wanted: wanted), let right = try type(of: right, wanted: wanted) else {
                return nil
            }
            return ArithmeticOperation.promoted(left, right) ?? left
        // A constant takes the type that is wanted.
        case .negation(.constant): return nil
        case .negation(let operand): return try type(of: operand, wanted: wanted)
        case .constant(.float) where wanted?.hasFractions == true: return nil
        case .constant(.string), .constant(.integer): return nil
        case .constant(let constant): return constant.naturalType
        case .cast(let type, _): return try type.resolved(in: scope)
        case .conversion(_, let target): return target
        case .call(let name, let arguments):
            guard ScalarFunction.mathNames.contains(name), arguments.count == 1 else {
                return try resolve(name, arguments, returning: nil).returnType
            }
            let type = try type(of: arguments[0], wanted: wanted)
            return type == .counter ? .bigint : type
        // `(term)` is the term itself.
        case .tuple(let terms) where terms.count == 1: return try type(of: terms[0], wanted: wanted)
        case .marker, .list, .set, .map, .tuple, .userDefined: return nil
        }
    }
}

extension BoundTerm {
    /// The term as a value of a type that takes its own. A whole number is written as short as a `varint` is elsewhere: as
    /// a key it would be another one otherwise.
    fileprivate func assigned(from own: CQLType, to type: CQLType) throws -> BoundTerm {
        guard type == .varint, own != .varint else { return self }
        return .call(try ScalarFunction.cast(own == .timestamp ? .bigint : own, to: .varint), [self])
    }
}

extension Term {
    /// The type of a term of literals where nothing else tells.
    fileprivate var naturalType: CQLType? {
        switch self {
        case .constant(let constant): return constant.naturalType
        case .negation(let operand): return operand.naturalType
        case .binary(_, let left, let right):
            guard let left = left.naturalType, let right = right.naturalType else { return nil }
            return ArithmeticOperation.promoted(left, right)
        case .cast(let type, _), .conversion(_, let type): return type
        case .tuple(let terms) where terms.count == 1: return terms[0].naturalType
        case .call(let name, let arguments) where ScalarFunction.mathNames.contains(name):
            return arguments.first?.naturalType
        default: return nil
        }
    }

    /// Whether the term is a number with a fraction or an exponent.
    fileprivate var isFraction: Bool {
        if case .constant(.float) = self { return true }
        return false
    }
}

extension CQLType {
    /// Whether numbers of the type may have fractions: what they are written as takes the type that is wanted of these.
    fileprivate var hasFractions: Bool { self == .float || self == .double || self == .decimal }
}
