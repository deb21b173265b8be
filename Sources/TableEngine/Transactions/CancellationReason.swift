// CancellationReason.swift — why one action of a transaction stood in its way, or that it did not.

/// The answer to one action of a cancelled transaction.
///
/// Source: the DynamoDB API reference, `CancellationReason` and `TransactionCanceledException`.
public struct CancellationReason: Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The action would have succeeded.
        case none = "None"
        case conditionalCheckFailed = "ConditionalCheckFailed"
        case itemCollectionSizeLimitExceeded = "ItemCollectionSizeLimitExceeded"
        case transactionConflict = "TransactionConflict"
        case provisionedThroughputExceeded = "ProvisionedThroughputExceeded"
        case throttlingError = "ThrottlingError"
        case validationError = "ValidationError"
    }

    public let code: Code
    /// `nil` for ``Code/none``.
    public let message: String?
    /// The item that failed the condition, where the action asked for it and the item exists.
    public let item: Item?

    public init(_ code: Code, message: String? = nil, item: Item? = nil) {
        self.code = code
        self.message = message
        self.item = item
    }

    public static let none = CancellationReason(.none)

    static func conditionFailed(_ item: Item?) -> CancellationReason {
        CancellationReason(.conditionalCheckFailed, message: TableError.conditionFailedMessage, item: item)
    }

    public var description: String {
        guard let message else { return code.rawValue }
        return "\(code.rawValue): \(message)"
    }
}
