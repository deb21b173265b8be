// SelectionBinder.swift — gives the expressions of a SELECT list their types, and collects its aggregates.

struct SelectionBinder {
    let table: Table
    let scope: UserTypes
    private(set) var aggregates: [Aggregate] = []
    private var isInAggregate = false

    init(_ table: Table, _ scope: UserTypes) {
        self.table = table
        self.scope = scope
    }

    /// - Parameter expected: the type that a marker or literal has where nothing else tells.
    mutating func bind(
        _ expression: SelectExpression, as expected: CQLType? = nil, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        switch expression {
        case .column(let name): return .column(try table.requiredColumn(name))
        case .count:
            try checkIsNotInAggregate()
            return aggregate(try AggregateFunction("count", nil), nil)
        case .writetime(let operand): return .cellTime(try cellTime(.writetime, operand, &binder))
        case .maxWritetime(let operand): return .cellTime(try cellTime(.maxwritetime, operand, &binder))
        case .timeToLive(let operand): return .cellTime(try cellTime(.ttl, operand, &binder))
        case .call(let name, let arguments): return try call(name, arguments, expected, &binder)
        case .cast(let operand, let type):
            let value = try bind(operand, as: type, &binder)
            return .call(try ScalarFunction.cast(value.type, to: type), [value])
        case .typeHint(let written, let operand):
            let type = try written.resolved(in: scope)
            let value = try bind(operand, as: type, &binder)
            guard value.type.form == type.form else {
                throw CQLError.invalid(
                    "Selector \(operand.name) cannot be used as (\(type)) value: it is of type \(value.type)")
            }
            return value
        case .binary(let operation, let left, let right): return try binary(operation, left, right, expected, &binder)
        case .negation(let operand):
            let value = try bind(operand, as: expected, &binder)
            return .call(try ScalarFunction.negation(value.type, of: operand.name), [value])
        case .element(let base, let key): return try element(base, key, &binder)
        case .slice(let base, let lower, let upper): return try slice(base, lower, upper, &binder)
        case .field(let base, let name): return try field(base, name, &binder)
        case .list(let elements): return try collection(elements, expected, "list", &binder)
        case .set(let elements) where elements.isEmpty && expected?.isUserType == true:
            return try fields([], expected, &binder)
        case .set(let elements): return try collection(elements, expected, "set", &binder)
        case .map(let entries): return try collection(entries, expected, "map", &binder)
        case .tuple(let elements): return try tuple(elements, expected, &binder)
        case .userDefined(let fields): return try self.fields(fields, expected, &binder)
        case .term(let term): return try self.term(term, expected, &binder)
        }
    }

    private mutating func cellTime(
        _ function: CellTime.Function, _ operand: SelectExpression, _ binder: inout TermBinder
    ) throws -> CellTime {
        let name: String
        switch operand {
        case .column(let column), .element(.column(let column), _), .slice(.column(let column), _, _),
            .field(.column(let column), _):
            name = column
        default:
            throw CQLError.invalid("Cannot use selection function \(function.rawValue) on \(operand.name)")
        }
        let column = try table.requiredColumn(name)
        guard !column.isPrimaryKey else {
            throw CQLError.invalid("Cannot use selection function \(function.rawValue) on PRIMARY KEY part \(name)")
        }
        // What may be selected of a column has a time.
        let part: CellTime.Part =
            switch try bind(operand, &binder) {
            case .element(_, let key, let keyType, _): .element(key, keyType: keyType)
            case .slice(_, let lower, let upper, let keyType): .slice(from: lower, to: upper, keyType: keyType)
            case .field(_, let index, _): .field(index)
            default: .whole
            }
        return CellTime(function: function, column: column, part: part)
    }

    // MARK: Functions

    private mutating func aggregate(_ function: AggregateFunction, _ argument: SelectedValue?) -> SelectedValue {
        aggregates.append(Aggregate(function: function, argument: argument))
        return .aggregate(aggregates.count - 1, function.resultType)
    }

    private func checkIsNotInAggregate() throws {
        guard !isInAggregate else {
            throw CQLError.invalid("aggregate functions cannot be used as arguments of aggregate functions")
        }
    }

    private mutating func call(
        _ name: String, _ arguments: [SelectExpression], _ expected: CQLType?, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        if name == "token" { return try token(arguments, &binder) }
        if AggregateFunction.isName(name) {
            guard arguments.count == 1 else {
                throw CQLError.invalid(
                    "Invalid number of arguments in call to function system.\(name): 1 required but \(arguments.count) provided"
                )
            }
            try checkIsNotInAggregate()
            isInAggregate = true
            defer { isInAggregate = false }
            let argument = try bind(arguments[0], &binder)
            return aggregate(try AggregateFunction(name, argument.type), argument)
        }
        // What has a type of its own is bound first; the function tells the types of the others. Nothing is bound twice,
        // which would double the time with every level of nesting.
        var typed: [SelectedValue?] = []
        for argument in arguments { typed.append(argument.isUntyped ? nil : try bind(argument, &binder)) }
        let function = try resolve(name, arguments, typed.map { $0?.type })
        var values: [SelectedValue] = []
        for ((argument, value), type) in zip(zip(arguments, typed), function.argumentTypes) {
            values.append(
                try value.map { try fit($0, of: argument, to: type, &binder) } ?? bind(argument, as: type, &binder))
        }
        return .call(function, values)
    }

    /// A value that was bound without a type in mind, as a value of this type: a literal takes the type, and so do its
    /// members that are literals; all else keeps its own.
    private mutating func fit(
        _ value: SelectedValue, of expression: SelectExpression, to type: CQLType, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        guard value.type.form != type.form else { return value }
        if case .term = expression { return try bind(expression, as: type, &binder) }
        guard case .collection(_, let members) = value, let expressions = expression.members else { return value }
        let types = type.bare.components
        guard !types.isEmpty else { return .collection(type, members) }
        if let kind = expression.literalKind { try Self.check(kind, members.count, type) }
        var fitted: [SelectedValue] = []
        for (index, (member, expression)) in zip(members, expressions).enumerated() {
            fitted.append(try fit(member, of: expression, to: types[index % types.count], &binder))
        }
        return .collection(type, fitted)
    }

    /// Constants have the type that the function wants, else their own; a list in brackets may be a vector too.
    private func resolve(
        _ name: String, _ arguments: [SelectExpression], _ types: [CQLType?]
    ) throws -> ScalarFunction {
        do {
            return try ScalarFunction.resolve(name, arguments: types, written: arguments.map(\.name), returning: nil)
        } catch {
            let natural = zip(arguments, types).map { argument, type -> CQLType? in
                if type == nil, case .term(.constant(let constant)) = argument { return constant.naturalType }
                return type
            }
            let open = zip(arguments, types).map { argument, type -> CQLType? in
                if case .list = argument { return nil }
                return type
            }
            let fractions = zip(arguments, types).map { argument, type -> CQLType? in
                if case .term(.constant(.float)) = argument { return nil }
                return type
            }
            for attempt in [natural, open, fractions] where attempt != types {
                if let function = try? ScalarFunction.resolve(name, arguments: attempt, returning: nil) {
                    return function
                }
            }
            throw error
        }
    }

    private mutating func token(
        _ arguments: [SelectExpression], _ binder: inout TermBinder
    ) throws -> SelectedValue {
        let key = table.definition.partitionKey
        if arguments == key.map({ .column($0.name) }) { return .token }
        let function = try ScalarFunction.token(key.map(\.type), argumentCount: arguments.count)
        var values: [SelectedValue] = []
        for (argument, column) in zip(arguments, key) {
            values.append(try bind(argument, as: column.type, &binder))
        }
        return .call(function, values)
    }

    private mutating func binary(
        _ operation: ArithmeticOperator, _ left: SelectExpression, _ right: SelectExpression, _ expected: CQLType?,
        _ binder: inout TermBinder
    ) throws -> SelectedValue {
        let leftValue: SelectedValue
        let rightValue: SelectedValue
        if left.isMarker, !right.isUntyped {
            rightValue = try bind(right, &binder)
            leftValue = try bind(left, as: rightValue.type, &binder)
        } else {
            leftValue = try bind(left, as: left.isMarker ? expected : nil, &binder)
            rightValue = try bind(
                right, as: right.isMarker ? operation.operandType(besides: leftValue.type) : nil, &binder)
        }
        let bound = try ArithmeticOperation(
            operation, leftValue.type, rightValue.type, of: (left.name, right.name))
        return .binary(bound, leftValue, rightValue)
    }

    // MARK: Parts of values

    private mutating func element(
        _ base: SelectExpression, _ key: Term, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        let value = try bind(base, &binder)
        switch value.type.bare {
        case .map(let keyType, let element):
            return .element(
                value, try self.key(key, keyType, "element", value, base, &binder), keyType: keyType, element)
        case .set(let element):
            return .element(
                value, try self.key(key, element, "element", value, base, &binder), keyType: element, element)
        case .list, .vector:
            throw CQLError.invalid("Element selection is only allowed on sets and maps, but \(base.name) is a list")
        default:
            throw CQLError.invalid(
                "Invalid element selection: \(base.name) is of type \(value.type) is not a collection")
        }
    }

    /// What an element or a bound of a slice is found by; a literal null is refused as a marker's is.
    private func key(
        _ term: Term, _ type: CQLType, _ part: String, _ value: SelectedValue, _ base: SelectExpression,
        _ binder: inout TermBinder
    ) throws -> BoundTerm {
        let bound = try binder.bind(term, as: type, receiver: "key(\(base.name))")
        if case .null = bound {
            throw CQLError.invalid("Invalid null value for \(part) selection on \(value.columnName)")
        }
        return bound
    }

    private mutating func slice(
        _ base: SelectExpression, _ lower: Term?, _ upper: Term?, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        let value = try bind(base, &binder)
        let keyType: CQLType
        switch value.type.bare {
        case .map(let key, _): keyType = key
        case .set(let element): keyType = element
        case .list, .vector:
            throw CQLError.invalid("Slice selection is only allowed on sets and maps, but \(base.name) is a list")
        default:
            throw CQLError.invalid("Invalid slice selection: \(base.name) of type \(value.type) is not a collection")
        }
        let from = try lower.map { try key($0, keyType, "slice", value, base, &binder) }
        let to = try upper.map { try key($0, keyType, "slice", value, base, &binder) }
        return .slice(value, from: from, to: to, keyType: keyType)
    }

    private mutating func field(
        _ base: SelectExpression, _ name: String, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        let value = try bind(base, &binder)
        guard case .userType(let user) = value.type.bare else {
            throw CQLError.invalid(
                "Invalid field selection: \(base.name) of type \(value.type) is not a user type")
        }
        guard let index = user.index(of: name) else {
            throw CQLError.invalid("\(base.name) of type \(value.type) has no field \(name)")
        }
        return .field(value, index, user.fields[index].type)
    }

    // MARK: Literals

    private mutating func term(
        _ term: Term, _ expected: CQLType?, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        if let type = expected { return .term(try binder.bind(term, as: type, receiver: "[selection]"), type) }
        guard case .constant(let constant) = term, let type = constant.naturalType else {
            throw CQLError.invalid(
                "Cannot infer type for term \(term) in selection clause (try using a cast to force a type)")
        }
        return .term(try binder.bind(term, as: type, receiver: "[selection]"), type)
    }

    private mutating func collection(
        _ elements: [SelectExpression], _ expected: CQLType?, _ kind: String, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        if let expected { try Self.check(kind, elements.count, expected) }
        var types = expected?.bare.components ?? []
        var values: [SelectedValue] = []
        let width = kind == "map" ? 2 : 1
        for (index, element) in elements.enumerated() {
            let position = index % width
            values.append(try bind(element, as: position < types.count ? types[position] : nil, &binder))
            if expected == nil, types.count < width { types.append(values[index].type) }
        }
        if let expected { return .collection(expected, values) }
        guard types.count == width else {
            throw CQLError.invalid(
                "Cannot infer type for term \(kind == "list" ? "[]" : "{}") in selection clause (try using a cast to force a type)"
            )
        }
        for (index, value) in values.enumerated() where value.type.form != types[index % width].form {
            throw CQLError.invalid(
                "Cannot infer type for term in selection clause (try using a cast to force a type)")
        }
        let frozen = types.map(\.frozenType)
        switch kind {
        case "list": return .collection(.frozen(.list(frozen[0])), values)
        case "set": return .collection(.frozen(.set(frozen[0])), values)
        default: return .collection(.frozen(.map(frozen[0], frozen[1])), values)
        }
    }

    /// `{name: value}` is a map, whose keys are columns, unless a user-defined type is expected.
    private mutating func fields(
        _ fields: [SelectExpression.Field], _ expected: CQLType?, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        guard let expected, case .userType(let user) = expected.bare else {
            return try collection(fields.flatMap { [.column($0.name), $0.value] }, expected, "map", &binder)
        }
        for field in fields where user.index(of: field.name) == nil {
            throw CQLError.invalid("Unknown field '\(field.name)' in value of user defined type \(user.name)")
        }
        var values: [SelectedValue] = []
        for field in user.fields {
            let value = fields.last { $0.name == field.name }?.value
            values.append(try value.map { try bind($0, as: field.type, &binder) } ?? .term(.null, field.type))
        }
        return .collection(expected, values)
    }

    /// Refuses a literal of a kind, or with a number of members, that no value of the type is written with.
    private static func check(_ kind: String, _ count: Int, _ type: CQLType) throws {
        switch (kind, type.bare) {
        case ("list", .list), ("set", .set), ("map", .map): return
        // `{}` is a map too.
        case ("set", .map) where count == 0: return
        case ("list", .vector(_, let expected)):
            guard count == expected else {
                throw CQLError.invalid(
                    "Invalid vector literal for [selection] of type \(type); expected \(expected) elements, but given \(count)"
                )
            }
        case ("tuple", .tuple(let types)):
            guard count <= types.count else {
                throw CQLError.invalid(
                    "Invalid tuple literal for [selection]: too many elements. Type \(type) expects \(types.count) "
                        + "but got \(count)")
            }
        default:
            throw CQLError.invalid(
                "Invalid \(kind)\(kind == "tuple" ? " type" : "") literal for [selection] of type \(type)")
        }
    }

    private mutating func tuple(
        _ elements: [SelectExpression], _ expected: CQLType?, _ binder: inout TermBinder
    ) throws -> SelectedValue {
        if let expected { try Self.check("tuple", elements.count, expected) }
        let types = expected?.bare.components ?? []
        var values: [SelectedValue] = []
        for (index, element) in elements.enumerated() {
            values.append(try bind(element, as: index < types.count ? types[index] : nil, &binder))
        }
        return .collection(expected ?? .tuple(values.map(\.type.frozenType)), values)
    }
}

extension SelectExpression {
    fileprivate var isMarker: Bool {
        if case .term(.marker) = self { return true }
        return false
    }

    /// Whether it may become many things: what it stands beside tells.
    fileprivate var isUntyped: Bool {
        switch self {
        case .term(.constant(.string)), .term(.constant(.integer)), .term(.marker), .term(.constant(.null)): true
        default: false
        }
    }

    /// What messages call a literal that has its members in the order of its type's.
    fileprivate var literalKind: String? {
        switch self {
        case .list: "list"
        case .set: "set"
        case .map: "map"
        case .tuple: "tuple"
        default: nil
        }
    }

    /// The members of a literal, as its value has them: a map's keys and values alternate.
    fileprivate var members: [SelectExpression]? {
        switch self {
        case .list(let elements), .set(let elements), .map(let elements), .tuple(let elements): elements
        default: nil
        }
    }
}
