// TableError.swift — what a caller of the table engine sees when a request is refused: DynamoDB's exception and text.

/// A refused request: the name of DynamoDB's exception, its original message, and what it carries.
///
/// Failures of the environment (disk, files) are `StorageError`s, never this.
///
/// Source: the exceptions and messages of the DynamoDB API reference and of tests recorded against the service.
public struct TableError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The exceptions by the service's names.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        case validation = "ValidationException"
        case conditionalCheckFailed = "ConditionalCheckFailedException"
        case transactionCanceled = "TransactionCanceledException"
        case idempotentParameterMismatch = "IdempotentParameterMismatchException"
        case resourceNotFound = "ResourceNotFoundException"
        case resourceInUse = "ResourceInUseException"
        case limitExceeded = "LimitExceededException"
        case expiredIterator = "ExpiredIteratorException"
        case trimmedDataAccess = "TrimmedDataAccessException"
    }

    public let code: Code
    /// The service's text, to the letter.
    public let message: String
    /// The item that failed the condition, where `ReturnValuesOnConditionCheckFailure` asked for it.
    public let item: Item?
    /// One per action of a cancelled transaction, in the order of the actions; empty otherwise.
    public let cancellationReasons: [CancellationReason]

    public init(
        _ code: Code, _ message: String, item: Item? = nil, cancellationReasons: [CancellationReason] = []
    ) {
        self.code = code
        self.message = message
        self.item = item
        self.cancellationReasons = cancellationReasons
    }

    /// The exception's name, such as `ConditionalCheckFailedException`.
    public var exceptionName: String { code.rawValue }

    public var description: String { "\(code.rawValue): \(message)" }
}

extension TableError {
    static func validation(_ message: String) -> TableError {
        TableError(.validation, message)
    }

    /// The family of messages that begin with "One or more parameter values were invalid: ".
    static func invalidParameter(_ detail: String) -> TableError {
        TableError(.validation, "One or more parameter values were invalid: " + detail)
    }

    static func conditionFailed(_ item: Item?) -> TableError {
        TableError(.conditionalCheckFailed, conditionFailedMessage, item: item)
    }

    static let conditionFailedMessage = "The conditional request failed"

    /// The table of a data operation does not exist.
    static let tableNotFound = TableError(.resourceNotFound, "Requested resource not found")

    /// The table of a table operation does not exist.
    static func tableNotFound(_ name: String) -> TableError {
        TableError(.resourceNotFound, "Requested resource not found: Table: \(name) not found")
    }
}
