// ArrayOperandParser.swift — the operands of the array operators of an update.

enum ArrayOperandParser {
    /// A value to append, or `{$each: […], $position, $slice, $sort}`.
    static func push(_ operand: BSONValue) throws(DocumentError) -> ArrayPush {
        guard case .document(let clauses) = operand, clauses["$each"] != nil else {
            return ArrayPush(values: [operand])
        }
        var push = ArrayPush(values: [])
        for (name, value) in clauses.fields {
            switch name {
            case "$each": push.values = try each(value, "$push")
            case "$position": push.position = try integer(value, name)
            case "$slice": push.slice = try integer(value, name)
            case "$sort": push.sort = try sort(value)
            default: throw .badValue("Unrecognized clause in $push: \(name)")
            }
        }
        return push
    }

    static func addToSet(_ operand: BSONValue) throws(DocumentError) -> [BSONValue] {
        guard case .document(let clauses) = operand, clauses.fieldNames.first == "$each" else { return [operand] }
        guard clauses.count == 1, let values = clauses["$each"] else {
            throw .badValue("Found unexpected fields after $each in $addToSet: \(clauses.shellText)")
        }
        return try each(values, "$addToSet")
    }

    private static func each(_ value: BSONValue, _ name: String) throws(DocumentError) -> [BSONValue] {
        guard case .array(let values) = value else {
            throw .badValue(
                "The argument to $each in \(name) must be an array but it was of type: \(value.type.alias)")
        }
        return values
    }

    private static func integer(_ value: BSONValue, _ name: String) throws(DocumentError) -> Int {
        guard let number = value.intValue else {
            throw .badValue("The value for \(name) must be an integer value but was given type: \(value.type.alias)")
        }
        return number
    }

    private static func sort(_ value: BSONValue) throws(DocumentError) -> ArraySort {
        if let direction = value.intValue {
            guard direction == 1 || direction == -1 else { throw badSort() }
            return .elements(descending: direction < 0)
        }
        guard case .document(let document) = value, !document.isEmpty else { throw badSort() }
        var fields: [(FieldPath, descending: Bool)] = []
        for (name, direction) in document.fields {
            guard let number = direction.intValue, number == 1 || number == -1, !name.isEmpty else { throw badSort() }
            fields.append((FieldPath(name), number < 0))
        }
        return .fields(fields)
    }

    private static func badSort() -> DocumentError {
        .badValue(
            "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields")
    }

    static func popsFirst(_ operand: BSONValue) throws(DocumentError) -> Bool {
        switch operand.intValue {
        case 1: return false
        case -1: return true
        default: throw .failedToParse("$pop expects 1 or -1, found: \(operand.shellText)")
        }
    }

    static func pull(_ operand: BSONValue) throws(DocumentError) -> PullCondition {
        switch operand {
        case .document(let document) where FilterParser.isOperatorDocument(document):
            let clauses = try FilterParser.parseField(.root, operand, depth: 0)
            return .values(.and(clauses))
        case .document(let document): return .documents(try FilterParser.parse(document))
        case .regex: return .values(.and(try FilterParser.parseField(.root, operand, depth: 0)))
        default: return .equal([BSONOperand(operand)], isPullAll: false)
        }
    }

    static func pullAll(_ operand: BSONValue) throws(DocumentError) -> PullCondition {
        guard case .array(let values) = operand else {
            throw .badValue("$pullAll requires an array argument but was given a \(operand.type.alias)")
        }
        return .equal(values.map { BSONOperand($0) }, isPullAll: true)
    }
}
