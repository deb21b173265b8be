// QueueError.swift — the errors an SQS user knows, with code and text.

/// A request that the queue refused: nothing was changed.
///
/// Codes and texts are those that Amazon SQS answers.
public struct QueueError: Error, Hashable, Sendable, CustomStringConvertible {
    public let code: String
    public let message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }

    static func invalidValue(_ value: String, for parameter: String, reason: String) -> QueueError {
        QueueError(
            code: "InvalidParameterValue",
            message: "Value \(value) for parameter \(parameter) is invalid. Reason: \(reason)")
    }

    static let missingBody = QueueError(
        code: "MissingParameter", message: "The request must contain the parameter MessageBody.")
    static let missingDeduplicationID = QueueError(
        code: "InvalidParameterValue",
        message:
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )

    static func bodyTooLong(limit: Int) -> QueueError {
        QueueError(
            code: "InvalidParameterValue",
            message: "One or more parameters are invalid. Reason: Message must be shorter than \(limit) bytes.")
    }

    static func expiredHandle(_ handle: String) -> QueueError {
        invalidValue(handle, for: "ReceiptHandle", reason: "The receipt handle has expired.")
    }

    static func malformedHandle(_ handle: String) -> QueueError {
        QueueError(
            code: "ReceiptHandleIsInvalid",
            message: "The input receipt handle \"\(handle)\" is not a valid receipt handle.")
    }

    static func notInFlight(_ handle: String) -> QueueError {
        invalidValue(
            handle, for: "ReceiptHandle",
            reason: "Message does not exist or is not available for visibility timeout change.")
    }

    static func purgeInProgress(_ queue: String) -> QueueError {
        QueueError(
            code: "AWS.SimpleQueueService.PurgeQueueInProgress",
            message: "Only one PurgeQueue operation on \(queue) is allowed every 60 seconds.")
    }
}
