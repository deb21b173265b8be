// ExpressionError.swift — what is wrong with an expression, before it is said which expression.

/// A complaint about an expression's text or its operands, without the prefix that names the expression.
struct ExpressionError: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }

    /// As the caller sees it: "Invalid ConditionExpression: …".
    func tableError(in kind: ExpressionKind) -> TableError {
        .validation("Invalid \(kind.rawValue): \(message)")
    }

    static let empty = ExpressionError("The expression can not be empty;")
    static let redundantParentheses = ExpressionError("The expression has redundant parentheses;")

    static func syntax(token: String, near: String) -> ExpressionError {
        ExpressionError("Syntax error; token: \"\(token)\", near: \"\(near)\"")
    }

    static func tooLong(_ byteCount: Int) -> ExpressionError {
        ExpressionError("Expression size has exceeded the maximum allowed size; expression size: \(byteCount)")
    }

    static func tooDeepPath(_ levels: Int) -> ExpressionError {
        ExpressionError("The document path has too many nesting elements; nesting levels: \(levels)")
    }

    static func reservedWord(_ name: String) -> ExpressionError {
        ExpressionError("Attribute name is a reserved keyword; reserved keyword: \(name)")
    }

    static func unknownFunction(_ name: String) -> ExpressionError {
        ExpressionError("Invalid function name; function: \(name)")
    }

    static func misusedFunction(_ name: String) -> ExpressionError {
        ExpressionError("The function is not allowed to be used this way in an expression; function: \(name)")
    }

    static func undefinedName(_ name: String) -> ExpressionError {
        ExpressionError(
            "An expression attribute name used in the document path is not defined; attribute name: \(name)")
    }

    static func undefinedValue(_ name: String) -> ExpressionError {
        ExpressionError("An expression attribute value used in expression is not defined; attribute value: \(name)")
    }

    static func operandCount(_ function: String, _ count: Int) -> ExpressionError {
        ExpressionError(
            "Incorrect number of operands for operator or function; operator or function: \(function), "
                + "number of operands: \(count)")
    }

    static func operandType(function: String, _ type: String) -> ExpressionError {
        ExpressionError(
            "Incorrect operand type for operator or function; operator or function: \(function), operand type: \(type)")
    }

    static func operandType(operator name: String, _ type: String) -> ExpressionError {
        ExpressionError("Incorrect operand type for operator or function; operator: \(name), operand type: \(type)")
    }

    static func pathRequired(_ function: String) -> ExpressionError {
        ExpressionError("Operator or function requires a document path; operator or function: \(function)")
    }

    static func notDistinct(_ name: String, _ path: DocumentPath) -> ExpressionError {
        ExpressionError(
            "The first operand must be distinct from the remaining operands for this operator or function; "
                + "operator: \(name), first operand: \(path)")
    }

    static func collision(_ kind: DocumentPath.Collision, _ one: DocumentPath, _ two: DocumentPath) -> ExpressionError {
        let verb = kind == .overlap ? "overlap" : "conflict"
        return ExpressionError(
            "Two document paths \(verb) with each other; must remove or rewrite one of these paths; "
                + "path one: \(one), path two: \(two)")
    }
}

/// The request parameters that hold expressions.
enum ExpressionKind: String, Sendable {
    case condition = "ConditionExpression"
    case filter = "FilterExpression"
    case keyCondition = "KeyConditionExpression"
    case update = "UpdateExpression"
    case projection = "ProjectionExpression"
}
