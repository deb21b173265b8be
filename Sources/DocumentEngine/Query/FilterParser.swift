// FilterParser.swift — filter documents to match expressions: the logical operators and the shape of the document.
//
// Source: the server's MatchExpressionParser (db/matcher/expression_parser.cpp) for structure, codes and texts.

enum FilterParser {
    /// - Throws: 2 (BadValue) for an unknown operator or a wrong operand, 9 and 14 as the operators say.
    static func parse(_ filter: Document) throws(DocumentError) -> MatchExpression {
        try filter.checkNesting()
        return try parse(filter, depth: 0)
    }

    static func parse(_ filter: Document, depth: Int) throws(DocumentError) -> MatchExpression {
        guard depth <= Document.maximumDepth else {
            throw .badValue("exceeded maximum query tree depth of 100")
        }
        var clauses: [MatchExpression] = []
        for (name, value) in filter.fields {
            if name.utf8.first == UInt8(ascii: "$") {
                if let clause = try parseTopLevel(name, value, depth: depth) { clauses.append(clause) }
            } else {
                clauses += try parseField(FieldPath(name), value, depth: depth)
            }
        }
        return clauses.count == 1 ? clauses[0] : .and(clauses)
    }

    private static func parseTopLevel(
        _ name: String, _ value: BSONValue, depth: Int
    ) throws(DocumentError) -> MatchExpression? {
        switch name {
        case "$and": return .and(try parseClauses(name, value, depth: depth))
        case "$or": return .or(try parseClauses(name, value, depth: depth))
        case "$nor": return .nor(try parseClauses(name, value, depth: depth))
        case "$comment": return nil
        case "$jsonSchema":
            guard case .document(let schema) = value else { throw .typeMismatch("$jsonSchema must be an object") }
            return .schema(try JSONSchema(schema))
        case "$alwaysTrue": return .and([])
        case "$alwaysFalse": return .or([])
        case "$expr", "$where", "$text", "$sampleRate":
            throw DocumentError(.queryFeatureNotAllowed, "\(name) is not allowed in this context")
        default:
            throw .badValue(
                "unknown top level operator: \(name). If you have a field name that starts with a '$' symbol, "
                    + "consider using $getField or $setField.")
        }
    }

    private static func parseClauses(
        _ name: String, _ value: BSONValue, depth: Int
    ) throws(DocumentError) -> [MatchExpression] {
        guard case .array(let elements) = value else { throw .badValue("\(name) must be an array") }
        guard !elements.isEmpty else { throw .badValue("\(name) argument must be a non-empty array") }
        var clauses: [MatchExpression] = []
        for element in elements {
            guard case .document(let clause) = element else {
                throw .badValue("$or/$and/$nor entries need to be full objects")
            }
            clauses.append(try parse(clause, depth: depth + 1))
        }
        return clauses
    }

    /// What one field asks: an operator document, a pattern, or a value to equal.
    static func parseField(
        _ path: FieldPath, _ value: BSONValue, depth: Int
    ) throws(DocumentError) -> [MatchExpression] {
        switch value {
        case .document(let document) where isOperatorDocument(document):
            return try parseOperators(path, document, depth: depth)
        case .regex(let regex):
            return [.leaf(path, .regex(try PatternMatcher(regex.pattern, options: regex.options)))]
        case .undefined: throw .badValue("cannot compare to undefined")
        default: return [.leaf(path, .compare(.equal, BSONOperand(value)))]
        }
    }

    /// Whether the first field is an operator; references to other collections only look like one.
    static func isOperatorDocument(_ document: Document) -> Bool {
        guard let first = document.fieldNames.first, first.utf8.first == UInt8(ascii: "$") else { return false }
        return first != "$ref" && first != "$id" && first != "$db"
    }

    private static func parseOperators(
        _ path: FieldPath, _ document: Document, depth: Int
    ) throws(DocumentError) -> [MatchExpression] {
        let operands = OperatorOperands(path: path, all: document, depth: depth)
        var clauses: [MatchExpression] = []
        for (name, value) in document.fields {
            guard name.utf8.first == UInt8(ascii: "$") else { throw .badValue("unknown operator: \(name)") }
            if let clause = try operands.parse(name, value) { clauses.append(clause) }
        }
        return clauses
    }
}
