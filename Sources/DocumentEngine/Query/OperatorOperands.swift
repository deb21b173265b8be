// OperatorOperands.swift — the operators that stand below a field, one parsing function each.

/// The operator document of one field while it is parsed.
struct OperatorOperands {
    let path: FieldPath
    /// All operators of the field: `$regex` looks for its `$options` here.
    let all: Document
    let depth: Int

    /// The clause of one operator; `nil` if it adds nothing by itself (`$comment`, `$options`).
    func parse(_ name: String, _ value: BSONValue) throws(DocumentError) -> MatchExpression? {
        switch name {
        case "$eq", "$lt", "$lte", "$gt", "$gte": return try comparison(name, value)
        case "$ne":
            if case .regex = value { throw .badValue("Can't have regex as arg to $ne.") }
            return .not(try comparison("$eq", value), writtenAs: name)
        case "$in": return .leaf(path, .inList(try inList(name, value)))
        case "$nin": return .not(.leaf(path, .inList(try inList(name, value))), writtenAs: name)
        case "$not": return try negation(value)
        case "$exists":
            let exists = MatchExpression.leaf(path, .exists)
            return value.isTruthy ? exists : .not(exists, writtenAs: name)
        case "$type": return .leaf(path, .type(try TypeArgument.parse(value, operatorName: name), written: value))
        case "$regex": return .leaf(path, .regex(try regex(value)))
        case "$options":
            guard all["$regex"] != nil else { throw .badValue("$options needs a $regex") }
            return nil
        case "$size": return .leaf(path, .size(try size(value)))
        case "$all": return try allOf(value)
        case "$elemMatch": return try elementMatch(value)
        case "$mod": return try mod(value)
        case "$comment": return nil
        default: throw .badValue("unknown operator: \(name)")
        }
    }

    private func comparison(_ name: String, _ value: BSONValue) throws(DocumentError) -> MatchExpression {
        guard let comparison = ComparisonOperator(rawValue: name) else { throw .badValue("unknown operator: \(name)") }
        if case .undefined = value { throw .badValue("cannot compare to undefined") }
        if case .regex = value, comparison != .equal {
            throw .badValue("Can't have RegEx as arg to predicate over field '\(path.text)'.")
        }
        return .leaf(path, .compare(comparison, BSONOperand(value)))
    }

    private func inList(_ name: String, _ value: BSONValue) throws(DocumentError) -> InList {
        guard case .array(let values) = value else { throw .badValue("\(name) needs an array") }
        return try InList(values)
    }

    private func negation(_ value: BSONValue) throws(DocumentError) -> MatchExpression {
        switch value {
        case .regex(let regex):
            let pattern = try PatternMatcher(regex.pattern, options: regex.options)
            return .not(.leaf(path, .regex(pattern)), writtenAs: "$not")
        case .document(let document):
            guard !document.isEmpty else { throw .badValue("$not cannot be empty") }
            guard depth < Document.maximumDepth else { throw .badValue("exceeded maximum query tree depth of 100") }
            let operands = OperatorOperands(path: path, all: document, depth: depth + 1)
            var clauses: [MatchExpression] = []
            for (name, value) in document.fields {
                if let clause = try operands.parse(name, value) { clauses.append(clause) }
            }
            return .not(clauses.count == 1 ? clauses[0] : .and(clauses), writtenAs: "$not")
        default: throw .badValue("$not needs a regex or a document")
        }
    }

    private func regex(_ value: BSONValue) throws(DocumentError) -> PatternMatcher {
        let written = try options()
        switch value {
        case .string(let pattern): return try PatternMatcher(pattern, options: written ?? "")
        case .regex(let regex):
            guard regex.options.isEmpty || written == nil else {
                throw DocumentError(.regexOptionsConflict, "options set in both $regex and $options")
            }
            return try PatternMatcher(regex.pattern, options: written ?? regex.options)
        default: throw .badValue("$regex has to be a string")
        }
    }

    private func options() throws(DocumentError) -> String? {
        guard let value = all["$options"] else { return nil }
        guard case .string(let text) = value else { throw .badValue("$options has to be a string") }
        return text
    }

    private func size(_ value: BSONValue) throws(DocumentError) -> Int {
        guard let number = BSONNumber(value) else {
            throw .badValue("Failed to parse $size. Expected a number in: $size: \(value.shellText)")
        }
        guard let count = number.exactInteger else {
            throw .badValue("Failed to parse $size. Expected an integer: $size: \(value.shellText)")
        }
        guard count >= 0 else {
            throw .badValue("Failed to parse $size. Expected a non-negative number in: $size: \(value.shellText)")
        }
        return Int(count)
    }

    private func allOf(_ value: BSONValue) throws(DocumentError) -> MatchExpression {
        guard case .array(let elements) = value else { throw .badValue("$all needs an array") }
        guard !elements.isEmpty else { return .or([]) }
        var clauses: [MatchExpression] = []
        for element in elements {
            if case .document(let document) = element, document.fieldNames.first == "$elemMatch" {
                clauses.append(try elementMatch(document["$elemMatch"] ?? .null))
            } else if case .document(let document) = element, FilterParser.isOperatorDocument(document) {
                throw .badValue("no $ expressions in $all")
            } else {
                clauses += try FilterParser.parseField(path, element, depth: depth + 1)
            }
        }
        return .all(path, clauses, written: value)
    }

    private func elementMatch(_ value: BSONValue) throws(DocumentError) -> MatchExpression {
        guard case .document(let document) = value else { throw .badValue("$elemMatch needs an Object") }
        guard depth < Document.maximumDepth else { throw .badValue("exceeded maximum query tree depth of 100") }
        if Self.isValueMatch(document) {
            let clauses = try FilterParser.parseField(.root, value, depth: depth + 1)
            let expression = clauses.count == 1 ? clauses[0] : .and(clauses)
            return .leaf(path, .elementMatchesValue(expression, written: value))
        }
        let expression = try FilterParser.parse(document, depth: depth + 1)
        return .leaf(path, .elementMatchesObject(expression, written: value))
    }

    /// `{$elemMatch: {$gt: 1}}` is about values, `{$elemMatch: {$or: […]}}` about documents.
    private static func isValueMatch(_ document: Document) -> Bool {
        guard let first = document.fieldNames.first, FilterParser.isOperatorDocument(document) else { return false }
        return !["$and", "$or", "$nor", "$where", "$expr", "$jsonSchema"].contains(first)
    }

    private func mod(_ value: BSONValue) throws(DocumentError) -> MatchExpression {
        guard case .array(let elements) = value else { throw .badValue("malformed mod, needs to be an array") }
        guard elements.count >= 2 else { throw .badValue("malformed mod, not enough elements") }
        guard elements.count == 2 else { throw .badValue("malformed mod, too many elements") }
        guard let divisor = BSONNumber(elements[0])?.truncatedInteger else {
            throw .badValue("malformed mod, divisor value is invalid")
        }
        guard let remainder = BSONNumber(elements[1])?.truncatedInteger else {
            throw .badValue("malformed mod, remainder value is invalid")
        }
        guard divisor != 0 else { throw .badValue("divisor cannot be 0") }
        return .leaf(path, .mod(divisor: divisor, remainder: remainder))
    }
}

/// The operand of `$type` and `bsonType`: aliases, numbers, or an array of them.
enum TypeArgument {
    static func parse(_ value: BSONValue, operatorName: String) throws(DocumentError) -> BSONTypeSet {
        guard case .array(let elements) = value else { return try parseOne(value) }
        guard !elements.isEmpty else { throw .failedToParse("\(operatorName) must match at least one type") }
        var types = BSONTypeSet()
        for element in elements { types.formUnion(try parseOne(element)) }
        return types
    }

    private static func parseOne(_ value: BSONValue) throws(DocumentError) -> BSONTypeSet {
        switch value {
        case .string("number"): return .numbers
        case .string(let alias):
            guard let type = BSONType(alias: alias) else { throw .badValue("Unknown type name alias: \(alias)") }
            return BSONTypeSet([type])
        case .int32, .int64, .double, .decimal128:
            guard let number = value.intValue, let type = BSONType.allCases.first(where: { $0.queryNumber == number })
            else { throw .badValue("Invalid numerical type code: \(value.shellText)") }
            return BSONTypeSet([type])
        default: throw .typeMismatch("type must be represented as a number or a string")
        }
    }
}
