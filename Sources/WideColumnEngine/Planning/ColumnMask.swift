// ColumnMask.swift — MASKED WITH: what is shown of a column to those who may not see its values ([CA]
// cql3/functions/masking/ColumnMask.java, doc developing/cql/dynamic-data-masking.adoc).

/// The mask of a column: a masking function with its arguments, but for the first, which is the column's value.
struct ColumnMask: Hashable, Sendable {
    /// Without a keyspace; all masking functions are of `system`.
    var function: String
    /// Constants, and collections of them.
    var arguments: [Term]

    /// As DESCRIBE shows it.
    var cql: String { "system.\(text)" }

    private var text: String { "\(function)(\(arguments.map(\.description).joined(separator: ", ")))" }

    /// Refuses what can't mask a column of this type.
    func check(column: String, _ type: CQLType, _ scope: UserTypes) throws {
        guard arguments.allSatisfy(\.isLiteral) else {
            throw CQLError.invalid("The arguments of masking function \(text) have to be constants")
        }
        guard let masking = try ScalarFunction.masking(function, [type] + arguments.map { _ in nil }) else {
            guard ScalarFunction.isKnown(function) else {
                throw CQLError.invalid(
                    "Unable to find masking function for \(column), no declared function matches the signature \(text)")
            }
            guard !AggregateFunction.isName(function) else {
                throw CQLError.invalid("Aggregate function \(text) cannot be used for masking table columns")
            }
            throw CQLError.invalid("Not masking function \(text) cannot be used for masking table columns")
        }
        guard masking.returnType.form == type.form else {
            throw CQLError.invalid(
                "Masking function \(text) return type is \(masking.returnType). This is different to the type of the masked "
                    + "column \(column) of type \(type). Masking functions can only be attached to table columns of the "
                    + "same data type.")
        }
        _ = try bound(to: masking, scope)
    }

    /// What is shown in the place of the column.
    func value(of column: ColumnDefinition, _ scope: UserTypes) throws -> SelectedValue {
        guard let masking = try ScalarFunction.masking(function, [column.type] + arguments.map { _ in nil }) else {
            throw StorageError.corruption("The mask of the column \(column.name) is no masking function.")
        }
        let arguments = zip(try bound(to: masking, scope), masking.argumentTypes.dropFirst())
        return .call(masking, [.column(column)] + arguments.map { .term($0, $1) })
    }

    private func bound(to masking: ScalarFunction, _ scope: UserTypes) throws -> [BoundTerm] {
        // Literals have no markers.
        var binder = TermBinder([], scope: scope)
        var bound: [BoundTerm] = []
        for (argument, type) in zip(arguments, masking.argumentTypes.dropFirst()) {
            bound.append(try binder.bind(argument, as: type, receiver: "arg(\(function))"))
        }
        return bound
    }

    /// The types of the arguments.
    func argumentTypes(of type: CQLType) throws -> [CQLType] {
        Array(
            try ScalarFunction.masking(function, [type] + arguments.map { _ in nil })?.argumentTypes.dropFirst() ?? [])
    }
}

extension ColumnMask {
    /// The mask after fields of a type were renamed that its arguments may have values of.
    ///
    /// - Parameter type: of the column, with the fields as they were.
    func renamingFields(of old: UserType, as new: UserType, _ type: CQLType) throws -> ColumnMask {
        var mask = self
        mask.arguments = zip(arguments, try argumentTypes(of: type)).map { $0.renamingFields(of: old, as: new, $1) }
        return mask
    }
}

extension Term {
    /// Whether the term means the same whenever it is evaluated.
    fileprivate var isLiteral: Bool {
        switch self {
        case .constant: true
        case .marker, .call, .binary, .negation, .cast, .conversion: false
        case .list(let terms), .set(let terms), .tuple(let terms): terms.allSatisfy(\.isLiteral)
        case .map(let entries): entries.allSatisfy { $0.key.isLiteral && $0.value.isLiteral }
        case .userDefined(let fields): fields.allSatisfy(\.value.isLiteral)
        }
    }
}

/// What is shown in the place of a table's columns.
struct MaskedColumns: Sendable {
    private var values: [UInt16: SelectedValue] = [:]
    private var token: SelectedValue?

    init(_ table: Table, _ scope: UserTypes) throws {
        let definition = table.definition
        for column in definition.columns {
            guard let mask = definition.masks[column.id] else { continue }
            values[column.id] = try mask.value(of: column, scope)
        }
        if definition.partitionKey.contains(where: { values[$0.id] != nil }) {
            let function = try ScalarFunction.token(
                definition.partitionKey.map(\.type), argumentCount: definition.partitionKey.count)
            token = .call(function, definition.partitionKey.map { self[$0] })
        }
    }

    subscript(column: ColumnDefinition) -> SelectedValue { values[column.id] ?? .column(column) }

    /// The value made of what is shown. Times of cells are no values.
    func applied(to value: SelectedValue) -> SelectedValue {
        switch value {
        case .column(let column): self[column]
        case .token: token ?? value
        case .cellTime, .aggregate, .term: value
        case .call(let function, let arguments): .call(function, arguments.map(applied))
        case .binary(let operation, let left, let right): .binary(operation, applied(to: left), applied(to: right))
        case .element(let base, let key, let keyType, let type):
            .element(applied(to: base), key, keyType: keyType, type)
        case .slice(let base, let from, let to, let keyType):
            .slice(applied(to: base), from: from, to: to, keyType: keyType)
        case .field(let base, let index, let type): .field(applied(to: base), index, type)
        case .collection(let type, let members): .collection(type, members.map(applied))
        }
    }
}

extension SelectPlan {
    /// The plan for those who see masks in the place of values; nil where the table has none.
    func masked(_ scope: UserTypes) throws -> SelectPlan? {
        guard !table.definition.masks.isEmpty else { return nil }
        let shown = try MaskedColumns(table, scope)
        var plan = self
        plan.selection = selection.map(shown.applied)
        plan.aggregates = aggregates.map {
            Aggregate(function: $0.function, argument: $0.argument.map(shown.applied))
        }
        plan.plainSelection = plan.isPlain ? PlainSelection(plan.selection, table) : nil
        return plan
    }

    /// Refuses to tell, by the rows that a restriction leaves, what a mask hides ([CA] statements/SelectStatement.java,
    /// `authorize`).
    func checkRestrictions(for userName: String) throws {
        let masks = table.definition.masks
        let queried = table.definition.columns.filter { masks[$0.id] != nil && restrictedColumns.contains($0.name) }
        guard queried.isEmpty else {
            throw CQLError(
                .unauthorized,
                "User \(userName) has no UNMASK nor SELECT_UNMASK permission on table \(table.identifier), "
                    + "cannot query masked columns [\(queried.map(\.name).joined(separator: ", "))]")
        }
    }
}
