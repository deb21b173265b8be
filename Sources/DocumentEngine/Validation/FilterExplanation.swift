// FilterExplanation.swift — why a document does not match a validator written as a query.
//
// Source: the server's doc_validation_error.cpp. `inverted` explains why an expression matches where it should not
// (below `$nor` and `$not`).

struct FilterExplanation {
    /// Whether `specifiedAs` and the considered values are included.
    let isFull: Bool

    /// What the document breaks; the expression is known not to match it (or, inverted, to match it).
    func details(_ expression: MatchExpression, _ document: BSONView, inverted: Bool = false) -> Document {
        switch expression {
        case .and(let clauses): return combination("$and", clauses, document, inverted: inverted)
        case .or(let clauses): return combination("$or", clauses, document, inverted: inverted)
        case .nor(let clauses): return nor(clauses, document, inverted: inverted)
        case .not(let clause, let name): return negation(clause, name, document, inverted: inverted)
        case .leaf(let path, let predicate): return leaf(path, predicate, document, inverted: inverted)
        case .all(let path, _, let written):
            let reason =
                inverted ? "array did contain all specified values" : "array did not contain all specified values"
            return leafDocument("$all", path, written, reason, document, expanding: false)
        case .schema(let schema): return schemaDetails(schema, document, inverted: inverted)
        }
    }

    private func combination(
        _ name: String, _ clauses: [MatchExpression], _ document: BSONView, inverted: Bool
    ) -> Document {
        let key = inverted ? "clausesSatisfied" : "clausesNotSatisfied"
        let entries = entries(clauses, document, matching: inverted)
        return ["operatorName": .string(name), key: .array(entries)]
    }

    private func nor(_ clauses: [MatchExpression], _ document: BSONView, inverted: Bool) -> Document {
        let key = inverted ? "clausesNotSatisfied" : "clausesSatisfied"
        let entries = entries(clauses, document, matching: !inverted)
        return ["operatorName": "$nor", key: .array(entries)]
    }

    /// The clauses that match, each explained as matching, or those that don't.
    private func entries(_ clauses: [MatchExpression], _ document: BSONView, matching: Bool) -> [BSONValue] {
        var entries: [BSONValue] = []
        for (index, clause) in clauses.enumerated() where clause.matches(document) == matching {
            let details = details(clause, document, inverted: matching)
            entries.append(["index": .int(index), "details": .document(details)])
        }
        return entries
    }

    private func negation(
        _ clause: MatchExpression, _ name: String, _ document: BSONView, inverted: Bool
    ) -> Document {
        guard name != "$not", case .leaf(let path, let predicate) = clause else {
            let details = details(clause, document, inverted: !inverted)
            return ["operatorName": "$not", "details": .document(details)]
        }
        let (_, written) = predicate.writtenForm
        let operand: BSONValue = name == "$exists" ? .bool(false) : written
        let reason = predicate.reason(inverted: !inverted)
        return leafDocument(name, path, operand, reason, document, expanding: predicate.expandsLeafArrays)
    }

    private func schemaDetails(_ schema: JSONSchema, _ document: BSONView, inverted: Bool) -> Document {
        let explanation = SchemaExplanation(isFull: isFull)
        var fields: [(String, BSONValue)] = [("operatorName", "$jsonSchema")] + explanation.annotations(of: schema)
        if inverted {
            fields.append(("reason", "schema matched"))
        } else {
            fields.append(("schemaRulesNotSatisfied", .array(explanation.failures(of: document, under: schema))))
        }
        return Document(fields)
    }
}

// Leaves.
extension FilterExplanation {
    private func leaf(_ path: FieldPath, _ predicate: ValuePredicate, _ document: BSONView, inverted: Bool) -> Document
    {
        let (name, written) = predicate.writtenForm
        let values = consideredValues(path, document, expanding: predicate.expandsLeafArrays)
        if !inverted, let expected = predicate.expectedTypes, !values.isEmpty,
            !values.contains(where: { expected.contains($0.type) })
        {
            return typeMismatch(name, path, written, values, expected)
        }
        let reason = predicate.reason(inverted: inverted)
        return leafDocument(name, path, written, reason, document, expanding: predicate.expandsLeafArrays)
    }

    private func leafDocument(
        _ name: String, _ path: FieldPath, _ written: BSONValue, _ reason: String, _ document: BSONView, expanding: Bool
    ) -> Document {
        let values = consideredValues(path, document, expanding: expanding)
        let isExistence = name == "$exists"
        var fields = specified(name, path, written)
        fields.append(("reason", .string(values.isEmpty && !isExistence ? "field was missing" : reason)))
        if !isExistence { fields += considered(values) }
        return Document([("operatorName", .string(name))] + fields)
    }

    private func typeMismatch(
        _ name: String, _ path: FieldPath, _ written: BSONValue, _ values: [BSONValue], _ expected: [BSONType]
    ) -> Document {
        var fields = [("operatorName", BSONValue.string(name))] + specified(name, path, written)
        fields.append(("reason", "type did not match"))
        fields += considered(values)
        let aliases = Set(values.map(\.type.alias)).sorted().map { BSONValue.string($0) }
        fields.append(aliases.count == 1 ? ("consideredType", aliases[0]) : ("consideredTypes", .array(aliases)))
        let expectedAliases = expected.map { BSONValue.string($0.alias) }
        let isSingle = expectedAliases.count == 1
        fields.append(isSingle ? ("expectedType", expectedAliases[0]) : ("expectedTypes", .array(expectedAliases)))
        return Document(fields)
    }

    private func specified(_ name: String, _ path: FieldPath, _ written: BSONValue) -> [(String, BSONValue)] {
        guard isFull else { return [] }
        let condition: BSONValue = .document(Document([(name, written)]))
        return [("specifiedAs", path.isRoot ? condition : .document(Document([(path.text, condition)])))]
    }

    private func considered(_ values: [BSONValue]) -> [(String, BSONValue)] {
        guard isFull, !values.isEmpty else { return [] }
        return [values.count == 1 ? ("consideredValue", values[0]) : ("consideredValues", .array(values))]
    }

    private func consideredValues(_ path: FieldPath, _ document: BSONView, expanding: Bool) -> [BSONValue] {
        var values: [BSONValue] = []
        _ = document.anyValue(at: path, expandingLeaf: expanding) { value in
            if let value { values.append(BSONValue(value)) }
            return false
        }
        return values
    }
}

extension ValuePredicate {
    /// The operator and operand as they are written in a filter.
    var writtenForm: (operatorName: String, operand: BSONValue) {
        switch self {
        case .compare(let comparison, let operand): (comparison.rawValue, operand.value)
        case .inList(let list): ("$in", .array(list.written))
        case .exists: ("$exists", .bool(true))
        case .type(_, let written): ("$type", written)
        case .regex(let pattern): ("$regex", .regex(BSONRegex(pattern.pattern, options: pattern.options)))
        case .size(let count): ("$size", .int(count))
        case .mod(let divisor, let remainder): ("$mod", [.int(Int(divisor)), .int(Int(remainder))])
        case .elementMatchesObject(_, let written), .elementMatchesValue(_, let written): ("$elemMatch", written)
        }
    }

    /// The types that a value must have for the operator to apply at all; `nil` if it applies to every type.
    var expectedTypes: [BSONType]? {
        switch self {
        case .regex: [.regex, .string, .symbol]
        case .mod: [.decimal128, .double, .int32, .int64]
        case .size, .elementMatchesObject, .elementMatchesValue: [.array]
        default: nil
        }
    }

    func reason(inverted: Bool) -> String {
        switch self {
        case .compare: inverted ? "comparison succeeded" : "comparison failed"
        case .inList: inverted ? "matching value found in array" : "no matching value found in array"
        case .exists: inverted ? "path does exist" : "path does not exist"
        case .type: inverted ? "type did match" : "type did not match"
        case .regex: inverted ? "regular expression did match" : "regular expression did not match"
        case .size: inverted ? "array length was equal to given size" : "array length was not equal to given size"
        case .mod: inverted ? "$mod did evaluate to expected remainder" : "$mod did not evaluate to expected remainder"
        case .elementMatchesObject, .elementMatchesValue:
            inverted ? "array did satisfy the child predicate" : "array did not satisfy the child predicate"
        }
    }
}
