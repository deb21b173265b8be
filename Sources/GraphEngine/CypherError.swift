// CypherError.swift — what a statement, a constraint or a value that can't be honoured answers: Neo4j's code and text.

/// An error of the property-graph model, with the code and the text that a Neo4j 5 user knows.
///
/// Source: Neo4j Status Codes (Operations Manual, "Status codes for errors and notifications"). `detail` is the
/// openCypher Technology Compatibility Kit's name of the cause, such as `UndefinedVariable`.
public struct CypherError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of errors the engine answers, named as openCypher names them.
    public enum Kind: String, Sendable, Hashable {
        case syntax = "SyntaxError"
        case semantic = "SemanticError"
        case type = "TypeError"
        case argument = "ArgumentError"
        case arithmetic = "ArithmeticError"
        case entityNotFound = "EntityNotFound"
        case parameterMissing = "ParameterMissing"
        case procedure = "ProcedureError"
        case constraintVerificationFailed = "ConstraintVerificationFailed"
        case constraintValidationFailed = "ConstraintValidationFailed"
        case constraintCreationFailed = "ConstraintCreationFailed"
        case constraintAlreadyExists = "ConstraintAlreadyExists"
        case constraintNameTaken = "ConstraintWithNameAlreadyExists"
        case equivalentRule = "EquivalentSchemaRuleAlreadyExists"
        case constraintDropFailed = "ConstraintDropFailed"
        case resourceLimit = "ResourceLimit"
        case transactionType = "ForbiddenDueToTransactionType"
    }

    public let kind: Kind
    /// openCypher's name of the cause, e.g. `VariableAlreadyBound`.
    public let detail: String
    public let message: String

    init(_ kind: Kind, _ detail: String, _ message: String) {
        self.kind = kind
        self.detail = detail
        self.message = message
    }

    /// Neo4j's status code, e.g. `Neo.ClientError.Statement.SyntaxError`.
    public var code: String {
        switch kind {
        case .syntax, .semantic, .type, .argument, .arithmetic, .entityNotFound, .parameterMissing:
            "Neo.ClientError.Statement.\(kind.rawValue)"
        case .procedure:
            "Neo.ClientError.Procedure.ProcedureNotFound"
        case .constraintVerificationFailed:
            "Neo.ClientError.Schema.ConstraintValidationFailed"
        case .constraintValidationFailed, .constraintAlreadyExists, .constraintNameTaken, .equivalentRule:
            "Neo.ClientError.Schema.\(kind.rawValue)"
        case .constraintCreationFailed, .constraintDropFailed:
            "Neo.DatabaseError.Schema.\(kind.rawValue)"
        case .transactionType:
            "Neo.ClientError.Transaction.\(kind.rawValue)"
        case .resourceLimit:
            "Neo.ClientError.General.TransactionOutOfMemoryError"
        }
    }

    public var description: String { "\(code): \(message)" }
}

extension CypherError {
    /// A `SyntaxError` that points at its place, as Neo4j prints it: the message, the place, the line and a caret.
    static func syntax(_ detail: String, _ message: String, at position: SourcePosition) -> CypherError {
        CypherError(.syntax, detail, "\(message) \(position)")
    }

    static func type(_ detail: String, _ message: String) -> CypherError {
        CypherError(.type, detail, message)
    }

    static func typeMismatch(expected: String, got value: GraphValue) -> CypherError {
        CypherError(
            .type, "InvalidArgumentType",
            "Type mismatch: expected \(expected) but was \(value.typeName)")
    }

    static func argument(_ detail: String, _ message: String) -> CypherError {
        CypherError(.argument, detail, message)
    }

    static let integerOverflow = CypherError(.arithmetic, "IntegerOverflow", "long overflow")
    static let divisionByZero = CypherError(.arithmetic, "DivisionByZero", "/ by zero")
}
