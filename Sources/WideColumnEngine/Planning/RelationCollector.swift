// RelationCollector.swift — the relations of a WHERE clause, column by column, with duplicates refused.

struct RelationCollector {
    let table: Table
    private(set) var columns: [String: ColumnRestriction] = [:]
    /// Restricted columns in the order of the text.
    private(set) var order: [String] = []
    private(set) var token: TokenRestriction?
    /// `(a, b) > (…)` and `(a, b) IN (…)`, none of a column that another one has.
    private var multiColumns: [ColumnRestriction] = []

    /// What is said of clustering columns, in the order of the key.
    var clustering: [ColumnRestriction] {
        let single = table.definition.clustering.compactMap { columns[$0.name] }
        guard !multiColumns.isEmpty else { return single }
        return (single + multiColumns).sorted { $0.column.position < $1.column.position }
    }

    /// Whether a relation, be it of one column or of several, says something of this one.
    func isRestricted(_ name: String) -> Bool { !restrictions(of: [name]).isEmpty }

    init(_ relations: [Relation], table: Table, binder: inout TermBinder) throws {
        self.table = table
        for relation in relations {
            switch relation.target {
            case .column(let name): try add(relation, on: try table.requiredColumn(name), &binder)
            case .token(let names): try add(token: relation, names, &binder)
            case .columns(let names): try add(multiColumn: relation, names, &binder)
            case .element(let name, let key):
                try add(entry: relation, key, on: try table.requiredColumn(name), &binder)
            }
        }
    }

    // MARK: One column

    private mutating func add(_ relation: Relation, on column: ColumnDefinition, _ binder: inout TermBinder) throws {
        try Self.check(relation, column)
        if multiColumns.contains(where: { $0.overlaps([column.name]) }) {
            guard relation.comparison.isSlice else { throw conflict(column.name) }
            return try add(slice: [try binder.bind(relation.terms[0], to: column)], relation.comparison, [column])
        }
        var restriction = columns[column.name] ?? ColumnRestriction(column: column)
        if columns[column.name] == nil { order.append(column.name) }
        switch relation.comparison {
        case .equal, .in:
            guard restriction.values == nil, !restriction.isSlice else { throw conflict(column.name) }
            restriction.values = try Self.values(relation, column, &binder)
            // IN with one value is `=`.
            restriction.isIn = relation.comparison == .in && (relation.isListMarker || relation.terms.count != 1)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard restriction.values == nil else { throw conflict(column.name) }
            try Self.addSlice(
                relation.comparison, try relation.terms.map { try binder.bind($0, to: column) }, column.name,
                &restriction.lower, &restriction.upper)
        case .contains, .containsKey: restriction.others.append(try Self.contains(relation, column, &binder))
        case .notEqual: throw CQLError.invalid("Unsupported \"!=\" relation: \(column.name) != \(relation.terms[0])")
        case .isNotNull: throw CQLError.invalid("Unsupported restriction: \(column.name) IS NOT NULL")
        }
        columns[column.name] = restriction
    }

    /// What kinds of columns can't be compared.
    private static func check(_ relation: Relation, _ column: ColumnDefinition) throws {
        let isContains = relation.comparison == .contains || relation.comparison == .containsKey
        if column.isMultiCell, !isContains, relation.comparison != .isNotNull, relation.comparison != .notEqual {
            if case .userType = column.type {
                throw CQLError.invalid(
                    "Non-frozen UDT column '\(column.name)' (\(column.type)) cannot be restricted by any relation")
            }
            throw CQLError.invalid(
                "Collection column '\(column.name)' (\(column.type)) cannot be restricted by a "
                    + "'\(relation.comparison.rawValue)' relation")
        }
        guard relation.comparison.isSlice, let durations = column.type.durations else { return }
        let kind = column.type.bare == .duration ? "duration columns" : durations
        throw CQLError.invalid("Slice restrictions are not supported on \(kind)")
    }

    /// `m[key] = value`.
    private mutating func add(
        entry relation: Relation, _ key: Term, on column: ColumnDefinition, _ binder: inout TermBinder
    ) throws {
        if case .list = column.type.bare {
            throw CQLError.invalid(
                "Indexes on list entries (\(column.name)[index] = value) are not currently supported.")
        }
        guard case .map(let keyType, let type) = column.type.bare else {
            throw CQLError.invalid("Column \(column.name) cannot be used as a map")
        }
        guard column.isMultiCell else {
            throw CQLError.invalid(
                "Map-entry equality predicates on frozen map column \(column.name) are not supported")
        }
        guard relation.comparison == .equal else {
            throw CQLError.invalid("Only EQ relations are supported on map entries")
        }
        var restriction = columns[column.name] ?? ColumnRestriction(column: column)
        if columns[column.name] == nil { order.append(column.name) }
        let keyTerm = try binder.bind(key, as: keyType, receiver: "key(\(column.name))")
        let value = try binder.bind(relation.terms[0], as: type, receiver: "value(\(column.name))")
        restriction.others.append(Filter(entryOf: column, keyTerm, keyType, type, value))
        columns[column.name] = restriction
    }

    private static func equalTwice(_ name: String) -> CQLError {
        .invalid("\(name) cannot be restricted by more than one relation if it includes an Equal")
    }

    private static func values(
        _ relation: Relation, _ column: ColumnDefinition, _ binder: inout TermBinder
    ) throws -> KeyValues {
        if relation.isListMarker {
            let marker = try binder.bind(
                relation.terms[0], as: .list(column.type), receiver: "in(\(column.name))")
            return .listMarker(marker, column.type)
        }
        return .terms(try relation.terms.map { try binder.bind($0, to: column) })
    }

    private static func addSlice(
        _ comparison: Comparison, _ terms: [BoundTerm], _ name: String, _ lower: inout SliceBound?,
        _ upper: inout SliceBound?
    ) throws {
        let isInclusive = comparison == .lessOrEqual || comparison == .greaterOrEqual
        let bound = SliceBound(terms: terms, isInclusive: isInclusive)
        if comparison == .greater || comparison == .greaterOrEqual {
            guard lower == nil else {
                throw CQLError.invalid("More than one restriction was found for the start bound on \(name)")
            }
            lower = bound
        } else {
            guard upper == nil else {
                throw CQLError.invalid("More than one restriction was found for the end bound on \(name)")
            }
            upper = bound
        }
    }

    private static func contains(
        _ relation: Relation, _ column: ColumnDefinition, _ binder: inout TermBinder
    ) throws -> Filter {
        let member = try column.memberType(relation.comparison)
        let part = relation.comparison == .containsKey ? "key" : "value"
        let term = try binder.bind(relation.terms[0], as: member, receiver: "\(part)(\(column.name))")
        return Filter(column, relation.comparison, .terms([term]))
    }

    // MARK: token()

    private mutating func add(token relation: Relation, _ names: [String], _ binder: inout TermBinder) throws {
        let key = table.definition.partitionKey.map(\.name)
        for name in names where !key.contains(name) { _ = try table.requiredColumn(name) }
        guard Set(names) == Set(key), names.count == key.count else {
            throw CQLError.invalid(
                "The token() function must be applied to all partition key components or none of them")
        }
        guard names == key else {
            throw CQLError.invalid(
                "The token function arguments must be in the partition key order: \(key.joined(separator: ", "))")
        }
        let term = try binder.bind(relation.terms[0], as: .bigint, receiver: "partition key token")
        var restriction = token ?? TokenRestriction()
        let name = "token(\(names.joined(separator: ", ")))"
        if relation.comparison == .equal {
            guard token == nil else { throw Self.equalTwice(name) }
            restriction.lower = SliceBound(terms: [term], isInclusive: true)
            restriction.upper = restriction.lower
            restriction.isSingle = true
        } else {
            guard relation.comparison.isSlice else {
                throw CQLError.invalid("\(relation.comparison.rawValue) cannot be used with the token function")
            }
            try Self.addSlice(relation.comparison, [term], name, &restriction.lower, &restriction.upper)
        }
        token = restriction
    }

    // MARK: Several columns

    private mutating func add(multiColumn relation: Relation, _ names: [String], _ binder: inout TermBinder) throws {
        let clustering = table.definition.clustering
        for (index, name) in names.enumerated() {
            let column = try table.requiredColumn(name)
            guard column.kind == .clustering else {
                throw CQLError.invalid(
                    "Multi-column relations can only be applied to clustering columns but was applied to: \(name)")
            }
            guard !names[..<index].contains(name) else {
                throw CQLError.invalid("Column \"\(name)\" appeared twice in a relation: \(relation.multiColumnText)")
            }
        }
        let first = clustering.firstIndex { $0.name == names.first } ?? 0
        let targets = Array(clustering.dropFirst(first).prefix(names.count))
        guard names == targets.map(\.name) else {
            throw CQLError.invalid(
                "Clustering columns must appear in the PRIMARY KEY order in multi-column relations: "
                    + relation.multiColumnText)
        }
        switch relation.comparison {
        case .equal, .in: try add(tuples: relation, targets, &binder)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            let tuple = try Self.tuple(relation.terms[0], targets, names.count, &binder)
            try add(slice: tuple, relation.comparison, targets)
        case .notEqual: throw CQLError.invalid("Unsupported \"!=\" relation: \(relation.multiColumnText)")
        default: throw CQLError.invalid("Unsupported multi-column relation: \(relation.comparison.rawValue)")
        }
    }

    /// One tuple is a value for each column on its own; several are alternatives for all of them.
    private mutating func add(
        tuples relation: Relation, _ targets: [ColumnDefinition], _ binder: inout TermBinder
    ) throws {
        for column in targets where !restrictions(of: [column.name]).isEmpty { throw conflict(column.name) }
        var restriction = ColumnRestriction(columns: targets)
        restriction.isIn = true
        if relation.isListMarker {
            let types = targets.map(\.type)
            let name = "in(\(targets.map(\.name).joined(separator: ",")))"
            let marker = try binder.bind(relation.terms[0], as: .list(.tuple(types)), receiver: name)
            restriction.values = .tupleListMarker(marker, types)
            multiColumns.append(restriction)
            return
        }
        var tuples: [[BoundTerm]] = []
        for term in relation.terms { tuples.append(try Self.tuple(term, targets, targets.count, &binder)) }
        guard tuples.count == 1 else {
            restriction.values = .tuples(tuples, columnCount: targets.count)
            multiColumns.append(restriction)
            return
        }
        for (column, term) in zip(targets, tuples[0]) {
            columns[column.name] = ColumnRestriction(columns: [column], values: .terms([term]))
            order.append(column.name)
        }
    }

    /// Two bounds make one slice where they begin with the same column, however many columns each has.
    private mutating func add(
        slice terms: [BoundTerm], _ comparison: Comparison, _ targets: [ColumnDefinition]
    ) throws {
        let names = targets.map(\.name)
        var restriction = ColumnRestriction(columns: targets)
        for earlier in restrictions(of: names) {
            guard earlier.isSlice, earlier.others.isEmpty else {
                throw conflict(names.first { earlier.overlaps([$0]) } ?? names[0])
            }
            guard earlier.column.position == targets[0].position else {
                let later = earlier.column.position > targets[0].position ? earlier.column : targets[0]
                throw CQLError.invalid(
                    "Column \"\(later.name)\" cannot be restricted by two inequalities not starting with the same column"
                )
            }
            restriction = earlier
            if restriction.columns.count < targets.count { restriction.columns = targets }
        }
        let name = names.count == 1 ? names[0] : "(\(names.joined(separator: ", ")))"
        try Self.addSlice(comparison, terms, name, &restriction.lower, &restriction.upper)
        columns[names[0]] = nil
        multiColumns.removeAll { $0.overlaps(names) }
        multiColumns.append(restriction)
    }

    /// What has been said of any of the columns.
    private func restrictions(of names: [String]) -> [ColumnRestriction] {
        names.compactMap { columns[$0] } + multiColumns.filter { $0.overlaps(names) }
    }

    /// Why a column can't be restricted once more.
    func conflict(_ name: String) -> CQLError {
        let earlier = restrictions(of: [name]).first
        if earlier?.isIn == true {
            return .invalid("\(name) cannot be restricted by more than one relation if it includes a IN")
        }
        if earlier?.isSlice == true {
            return .invalid("Column \"\(name)\" cannot be restricted by both an equality and an inequality relation")
        }
        return Self.equalTwice(name)
    }

    private static func tuple(
        _ term: Term, _ columns: [ColumnDefinition], _ count: Int, _ binder: inout TermBinder
    ) throws -> [BoundTerm] {
        let members: [Term]
        switch term {
        case .tuple(let terms): members = terms
        case .marker:
            // The marker takes the whole tuple.
            let type = CQLType.tuple(columns.prefix(count).map(\.type))
            let name = columns.prefix(count).map(\.name).joined(separator: ", ")
            let marker = try binder.bind(term, as: type, receiver: "(\(name))")
            return (0..<count).map { .tupleMember(marker, type, $0) }
        default: throw CQLError.invalid("Invalid tuple value \(term) in a multi-column relation")
        }
        guard members.count == count else {
            throw CQLError.invalid(
                "Expected \(count) elements in value tuple, but got \(members.count): \(term)")
        }
        var bound: [BoundTerm] = []
        for (member, column) in zip(members, columns) { bound.append(try binder.bind(member, to: column)) }
        return bound
    }
}

extension Relation {
    /// As Cassandra's messages show it.
    fileprivate var multiColumnText: String {
        let names = "(\(target.columns.joined(separator: ", ")))"
        guard comparison == .in else { return "\(names) \(comparison.rawValue) \(terms.map(\.description).joined())" }
        return "\(names) IN \(isListMarker ? "?" : "(\(terms.map(\.description).joined(separator: ", ")))")"
    }
}

extension CQLType {
    /// What messages call values of the type where they are, or contain, durations, which have no order; `nil` where not.
    var durations: String? {
        guard contains({ $0 == .duration }) else { return nil }
        return switch bare {
        case .duration: "durations"
        case .tuple: "tuples containing durations"
        case .userType: "UDTs containing durations"
        default: "collections containing durations"
        }
    }
}

extension ColumnDefinition {
    /// The type of what CONTAINS looks for in the column, or CONTAINS KEY.
    func memberType(_ comparison: Comparison) throws -> CQLType {
        switch (type.bare, comparison) {
        case (.list(let element), .contains), (.set(let element), .contains), (.map(_, let element), .contains):
            return element
        case (.map(let key, _), .containsKey): return key
        default:
            let kind = comparison == .containsKey ? "map" : "collection"
            throw CQLError.invalid("Cannot use \(comparison.rawValue) on non-\(kind) column \(name)")
        }
    }
}
