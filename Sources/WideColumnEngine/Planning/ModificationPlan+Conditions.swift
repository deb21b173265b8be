// ModificationPlan+Conditions.swift — the tests of IF ([CA] cql3/conditions/ColumnCondition.java).

extension ModificationPlan {
    /// The columns that the condition is tested by: of one of existence all that the statement could write ([CA]
    /// statements/CQL3CasRequest.java, `columnsToRead`).
    var testedColumns: Set<UInt16> {
        switch condition {
        case .none: return []
        case .columns(let tests): return Set(tests.map(\.column.id))
        case .exists, .notExists:
            let definition = table.definition
            let regular = clustering.isComplete ? definition.regularColumns : []
            return Set((regular + (staticOperations.isEmpty ? [] : definition.staticColumns)).map(\.id))
        }
    }

    /// Whether the statement names rows, or prefixes of their keys ([CA] statements/ModificationStatement.java,
    /// `updatesRegularRows`).
    var updatesRows: Bool { table.definition.clustering.isEmpty || !clustering.isUnrestricted }

    /// Whether the condition is of static columns and no others. Then the first row of the partition is read for it, to tell
    /// one that has rows from one that is not there ([CA] statements/CQL3CasRequest.java, `readCommand`).
    var testsStaticColumnsOnly: Bool {
        guard case .columns(let tests) = condition else { return false }
        return tests.allSatisfy { $0.column.kind == .static }
    }

    static func condition(
        _ clause: ConditionClause, _ table: Table, _ binder: inout TermBinder
    ) throws -> Condition {
        switch clause {
        case .none: return .none
        case .notExists: return .notExists
        case .exists: return .exists
        case .columns(let conditions):
            var tests: [ColumnTest] = []
            for condition in conditions { tests.append(try test(condition, table, &binder)) }
            return .columns(tests)
        }
    }

    private static func test(
        _ condition: ColumnCondition, _ table: Table, _ binder: inout TermBinder
    ) throws -> ColumnTest {
        let column = try table.requiredColumn(condition.column)
        guard !column.isPrimaryKey else {
            throw CQLError.invalid("PRIMARY KEY column '\(column.name)' cannot have IF conditions")
        }
        if condition.comparison == .contains || condition.comparison == .containsKey {
            return try containsTest(condition, column, &binder)
        }
        let (part, type, receiver) = try part(condition, column, &binder)
        if condition.comparison.isSlice, let durations = type.durations {
            throw CQLError.invalid("Slice conditions are not supported on \(durations)")
        }
        var terms: [BoundTerm] = []
        if condition.isListMarker {
            terms = [try binder.bind(condition.terms[0], as: .list(type), receiver: "in(\(receiver))")]
        } else {
            for term in condition.terms { terms.append(try binder.bind(term, as: type, receiver: receiver)) }
        }
        return ColumnTest(
            column: column, part: part, type: type, comparison: condition.comparison, terms: terms,
            isListMarker: condition.isListMarker)
    }

    /// `IF c CONTAINS v`, `IF c CONTAINS KEY k` (CASSANDRA-10537).
    private static func containsTest(
        _ condition: ColumnCondition, _ column: ColumnDefinition, _ binder: inout TermBinder
    ) throws -> ColumnTest {
        let member = try column.memberType(condition.comparison)
        let receiver = condition.comparison == .containsKey ? "key(\(column.name))" : "value(\(column.name))"
        let term = try binder.bind(condition.terms[0], as: member, receiver: receiver)
        return ColumnTest(
            column: column, part: .whole, type: member, comparison: condition.comparison, terms: [term],
            isListMarker: false)
    }

    private static func part(
        _ condition: ColumnCondition, _ column: ColumnDefinition, _ binder: inout TermBinder
    ) throws -> (ColumnTest.Part, CQLType, String) {
        if let key = condition.element {
            switch column.type.bare {
            case .list(let element):
                let index = try binder.bind(key, as: .int, receiver: "idx(\(column.name))")
                return (.element(index, keyType: .int), element, "value(\(column.name))")
            case .map(let keyType, let value):
                let bound = try binder.bind(key, as: keyType, receiver: "key(\(column.name))")
                return (.element(bound, keyType: keyType), value, "value(\(column.name))")
            case .set:
                throw CQLError.invalid("Invalid element access syntax for set column \(column.name)")
            default:
                throw CQLError.invalid("Invalid element access syntax for non-collection column \(column.name)")
            }
        }
        if let field = condition.field {
            guard case .userType(let user) = column.type.bare else {
                throw CQLError.invalid("Invalid field access syntax for non-UDT column \(column.name)")
            }
            guard let index = user.index(of: field) else {
                throw CQLError.invalid("Unknown field \(field) for column \(column.name)")
            }
            return (.field(index), user.fields[index].type, "\(column.name).\(field)")
        }
        return (.whole, column.type, column.name)
    }
}
