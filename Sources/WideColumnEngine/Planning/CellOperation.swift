// CellOperation.swift — what a statement does to one column ([CA] cql3/Operation.java, cql3/terms).

/// A change of one column's cells, or of some of them.
struct CellOperation: Sendable {
    enum Action: Sendable {
        /// The column's one cell. A null is a tombstone.
        case set(BoundTerm)
        /// All elements at once: what was there before is deleted.
        case setAll(BoundTerm)
        /// All elements, and those written at the same time too.
        case deleteAll
        /// Elements of a set or map, or at the end of a list.
        case add(BoundTerm)
        /// Elements at the beginning of a list.
        case prepend(BoundTerm)
        /// Elements of a set, keys of a map, or all equal elements of a list.
        case subtract(BoundTerm)
        /// A map's entry or a list's element.
        case setElement(key: BoundTerm, BoundTerm)
        case deleteElement(BoundTerm)
        /// A field of a user-defined type.
        case setField(Int, BoundTerm)
        /// Adds to a counter.
        case increment(BoundTerm)
        case decrement(BoundTerm)
    }

    var column: ColumnDefinition
    var action: Action

    /// Whether the column's present value decides what is written.
    var needsRead: Bool {
        switch (action, column.type) {
        case (.increment, _), (.decrement, _): true
        case (.subtract, .list), (.setElement, .list), (.deleteElement, .list): true
        default: false
        }
    }

    /// Whether the operation gives the column a value of its own, beside which no other operation makes sense.
    var isWhole: Bool {
        switch action {
        case .set, .setAll, .deleteAll: true
        default: false
        }
    }
}

// MARK: - SET

extension CellOperation {
    init(_ assignment: Assignment, _ table: Table, _ binder: inout TermBinder) throws {
        let column = try table.requiredColumn(assignment.column)
        guard !column.isPrimaryKey else { throw CQLError.invalid("PRIMARY KEY part \(column.name) found in SET part") }
        switch assignment.operation {
        case .set(let term): self = try Self.set(column, term, &binder)
        case .setElement(let key, let term): self = try Self.setElement(column, key, term, &binder)
        case .setField(let field, let term): self = try Self.setField(column, field, term, &binder)
        case .add(let term): self = try Self.add(column, term, &binder)
        case .prepend(let term):
            let text = "\(column.name) = \(term) + \(column.name)"
            guard case .list = column.type.bare else {
                throw CQLError.invalid("Invalid operation (\(text)) for non list column \(column.name)")
            }
            guard column.isMultiCell else {
                throw CQLError.invalid("Invalid operation (\(text)) for frozen list column \(column.name)")
            }
            self.init(column: column, action: .prepend(try binder.bind(term, to: column)))
        case .subtract(let term): self = try Self.subtract(column, term, &binder)
        }
    }

    /// `column = term`, also that of an INSERT.
    static func set(_ column: ColumnDefinition, _ term: Term, _ binder: inout TermBinder) throws -> CellOperation {
        guard column.type != .counter else {
            throw CQLError.invalid(
                "Cannot set the value of counter column \(column.name) (counters can only be incremented/decremented, not set)"
            )
        }
        let bound = try binder.bind(term, to: column)
        return CellOperation(column: column, action: column.isMultiCell ? .setAll(bound) : .set(bound))
    }

    private static func setElement(
        _ column: ColumnDefinition, _ key: Term, _ term: Term, _ binder: inout TermBinder
    ) throws -> CellOperation {
        let text = "\(column.name)[\(key)] = \(term)"
        guard column.type.isCollection else {
            throw CQLError.invalid("Invalid operation (\(text)) for non collection column \(column.name)")
        }
        switch column.type {
        case .list(let element):
            return CellOperation(
                column: column,
                action: .setElement(
                    key: try binder.bind(key, as: .int, receiver: "idx(\(column.name))"),
                    try binder.bind(term, as: element, receiver: "value(\(column.name))")))
        case .map(let keyType, let valueType):
            return CellOperation(
                column: column,
                action: .setElement(
                    key: try binder.bind(key, as: keyType, receiver: "key(\(column.name))"),
                    try binder.bind(term, as: valueType, receiver: "value(\(column.name))")))
        case .set: throw CQLError.invalid("Invalid operation (\(text)) for set column \(column.name)")
        default: throw CQLError.invalid("Invalid operation (\(text)) for frozen collection column \(column.name)")
        }
    }

    private static func setField(
        _ column: ColumnDefinition, _ name: String, _ term: Term, _ binder: inout TermBinder
    ) throws -> CellOperation {
        let text = "\(column.name).\(name) = \(term)"
        guard case .userType(let user) = column.type.bare else {
            throw CQLError.invalid("Invalid operation (\(text)) for non-UDT column \(column.name)")
        }
        guard column.isMultiCell else {
            throw CQLError.invalid("Invalid operation (\(text)) for frozen UDT column \(column.name)")
        }
        guard let index = user.index(of: name) else {
            throw CQLError.invalid("UDT column \(column.name) does not have a field named \(name)")
        }
        let value = try binder.bind(term, as: user.fields[index].type, receiver: "\(column.name).\(name)")
        return CellOperation(column: column, action: .setField(index, value))
    }

    private static func add(
        _ column: ColumnDefinition, _ term: Term, _ binder: inout TermBinder
    ) throws -> CellOperation {
        switch column.type {
        case .counter: return CellOperation(column: column, action: .increment(try binder.bind(term, to: column)))
        case .list, .set, .map: return CellOperation(column: column, action: .add(try binder.bind(term, to: column)))
        case _ where column.type.isTupleOrUserType:
            throw CQLError.invalid(
                "Invalid operation (\(column.name) = \(column.name) + \(term)) for tuple column \(column.name)")
        default: throw invalid("\(column.name) = \(column.name) + \(term)", column)
        }
    }

    private static func subtract(
        _ column: ColumnDefinition, _ term: Term, _ binder: inout TermBinder
    ) throws -> CellOperation {
        switch column.type {
        case .counter: return CellOperation(column: column, action: .decrement(try binder.bind(term, to: column)))
        case .list, .set: return CellOperation(column: column, action: .subtract(try binder.bind(term, to: column)))
        case .map(let key, _):
            return CellOperation(
                column: column, action: .subtract(try binder.bind(term, as: .set(key), receiver: column.name)))
        default: throw invalid("\(column.name) = \(column.name) - \(term)", column)
        }
    }

    private static func invalid(_ operation: String, _ column: ColumnDefinition) -> CQLError {
        column.type.isCollection
            ? .invalid("Invalid operation (\(operation)) for frozen collection column \(column.name)")
            : .invalid("Invalid operation (\(operation)) for non counter column \(column.name)")
    }
}

extension CQLType {
    fileprivate var isTupleOrUserType: Bool {
        switch bare {
        case .tuple, .userType: true
        default: false
        }
    }
}

// MARK: - DELETE

extension CellOperation {
    init(_ deletion: Deletion, _ table: Table, _ binder: inout TermBinder) throws {
        let column = try table.requiredColumn(deletion.column)
        guard !column.isPrimaryKey else {
            throw CQLError.invalid("Invalid identifier \(column.name) for deletion (should not be a PRIMARY KEY part)")
        }
        switch (deletion.element, deletion.field) {
        case (let element?, _): self.init(column: column, action: try Self.deleteElement(column, element, &binder))
        case (nil, let field?): self.init(column: column, action: try Self.deleteField(column, field))
        default: self.init(column: column, action: column.isMultiCell ? .deleteAll : .set(.null))
        }
    }

    private static func deleteElement(
        _ column: ColumnDefinition, _ element: Term, _ binder: inout TermBinder
    ) throws -> Action {
        guard column.type.isCollection else {
            throw CQLError.invalid("Invalid deletion operation for non collection column \(column.name)")
        }
        switch column.type {
        case .list: return .deleteElement(try binder.bind(element, as: .int, receiver: "idx(\(column.name))"))
        case .set(let type), .map(let type, _):
            return .deleteElement(try binder.bind(element, as: type, receiver: "key(\(column.name))"))
        default: throw CQLError.invalid("Invalid deletion operation for frozen collection column \(column.name)")
        }
    }

    private static func deleteField(_ column: ColumnDefinition, _ name: String) throws -> Action {
        guard case .userType(let user) = column.type.bare else {
            throw CQLError.invalid("Invalid field deletion operation for non-UDT column \(column.name)")
        }
        guard column.isMultiCell else {
            throw CQLError.invalid("Frozen UDT column \(column.name) does not support field deletions")
        }
        guard let index = user.index(of: name) else {
            throw CQLError.invalid("UDT column \(column.name) does not have a field named \(name)")
        }
        return .setField(index, .null)
    }
}
