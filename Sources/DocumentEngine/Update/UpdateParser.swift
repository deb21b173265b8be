// UpdateParser.swift — update documents to operations, with the server's refusals.
//
// Source: the server's update_driver.cpp, modifier_table and the parsing of each node in db/update.

struct UpdateParser {
    private var modifiers: [UpdateModifier] = []

    static func parse(_ update: Document) throws(DocumentError) -> [UpdateModifier] {
        var parser = UpdateParser()
        for (name, value) in update.fields { try parser.parse(name, value) }
        return parser.modifiers
    }

    private static let names: Set<String> = [
        "$set", "$setOnInsert", "$unset", "$inc", "$mul", "$min", "$max", "$currentDate", "$rename", "$push",
        "$addToSet", "$pop", "$pull", "$pullAll",
    ]

    private mutating func parse(_ name: String, _ value: BSONValue) throws(DocumentError) {
        guard Self.names.contains(name) else {
            throw .failedToParse(
                "Unknown modifier: \(name). Expected a valid update modifier or pipeline-style update specified as an "
                    + "array")
        }
        guard case .document(let fields) = value else {
            throw .failedToParse(
                "Modifiers operate on fields but we found type \(value.type.alias) instead. For example: {$mod: "
                    + "{<field>: ...}} not {\(name): \(value.shellText)}")
        }
        for (field, operand) in fields.fields {
            let path = try Self.path(field)
            let operation = try Self.operation(name, path, operand)
            try append(UpdateModifier(path: path, operation: operation))
            if case .rename(let target) = operation { try checkConflict(target, with: modifiers.dropLast()) }
        }
    }

    private mutating func append(_ modifier: UpdateModifier) throws(DocumentError) {
        try checkConflict(modifier.path, with: modifiers[...])
        modifiers.append(modifier)
    }

    /// No two operations may touch the same field, or one a part of the other's.
    private func checkConflict(_ path: FieldPath, with others: ArraySlice<UpdateModifier>) throws(DocumentError) {
        for other in others {
            for touched in other.touchedPaths where touched.overlaps(path) {
                let shorter = touched.components.count < path.components.count ? touched : path
                throw DocumentError(
                    .conflictingUpdateOperators,
                    "Updating the path '\(path.text)' would create a conflict at '\(shorter.text)'")
            }
        }
    }

    private static func path(_ text: String) throws(DocumentError) -> FieldPath {
        guard !text.isEmpty else { throw DocumentError(.emptyFieldName, "An empty update path is not valid.") }
        let path = FieldPath(text)
        for component in path.components {
            if component.name.isEmpty {
                throw DocumentError(
                    .emptyFieldName,
                    "The update path '\(text)' contains an empty field name, which is not allowed.")
            }
            if component.name == "$" || component.name.hasPrefix("$[") {
                throw .badValue("The positional operator in '\(text)' is not allowed in this context")
            }
            if component.name.utf8.first == UInt8(ascii: "$") {
                throw DocumentError(
                    .dollarPrefixedFieldName,
                    "The dollar ($) prefixed field '\(component.name)' in '\(text)' is not allowed in the context of "
                        + "an update's replacement document. Consider using an aggregation pipeline with $replaceWith.")
            }
        }
        return path
    }

    private static func operation(
        _ name: String, _ path: FieldPath, _ operand: BSONValue
    ) throws(DocumentError) -> UpdateOperation {
        switch name {
        case "$set": return .set(operand)
        case "$setOnInsert": return .setOnInsert(operand)
        case "$unset": return .unset
        case "$inc": return .increment(try number(operand, path, "increment"))
        case "$mul": return .multiply(try number(operand, path, "multiply"))
        case "$min": return .minimum(operand)
        case "$max": return .maximum(operand)
        case "$currentDate": return .currentDate(isTimestamp: try isTimestamp(operand))
        case "$rename": return .rename(to: try renameTarget(operand, path))
        case "$push": return .push(try ArrayOperandParser.push(operand))
        case "$addToSet": return .addToSet(try ArrayOperandParser.addToSet(operand))
        case "$pop": return .pop(first: try ArrayOperandParser.popsFirst(operand))
        case "$pull": return .pull(try ArrayOperandParser.pull(operand))
        default: return .pull(try ArrayOperandParser.pullAll(operand))
        }
    }

    private static func number(_ value: BSONValue, _ path: FieldPath, _ verb: String) throws(DocumentError) -> BSONValue
    {
        guard value.type.isNumber else {
            throw .typeMismatch("Cannot \(verb) with non-numeric argument: {\(path.text): \(value.shellText)}")
        }
        return value
    }

    private static func isTimestamp(_ operand: BSONValue) throws(DocumentError) -> Bool {
        switch operand {
        case .bool: return false
        case .document(let document):
            guard let name = document.fieldNames.first, name == "$type", document.count == 1 else {
                throw .badValue("Unrecognized $currentDate option: \(document.fieldNames.first ?? "")")
            }
            switch document["$type"] {
            case .string("date"): return false
            case .string("timestamp"): return true
            default:
                throw .badValue(
                    "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: "
                        + "'date'}}}")
            }
        default:
            throw .badValue(
                "\(operand.type.alias) is not valid type for $currentDate. Please use a boolean ('true') or a $type "
                    + "expression ({$type: 'timestamp/date'}).")
        }
    }

    private static func renameTarget(_ operand: BSONValue, _ source: FieldPath) throws(DocumentError) -> FieldPath {
        guard case .string(let text) = operand else {
            throw .badValue("The 'to' field for $rename must be a string: \(source.text): \(operand.shellText)")
        }
        let target = try path(text)
        guard target != source else {
            throw .badValue(
                "The source and target field for $rename must differ: \(source.text): \"\(target.text)\"")
        }
        guard !target.overlaps(source) else {
            throw .badValue(
                "The source and target field for $rename must not be on the same path: \(source.text): "
                    + "\"\(target.text)\"")
        }
        return target
    }
}
