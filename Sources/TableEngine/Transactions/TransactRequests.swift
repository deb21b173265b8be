// TransactRequests.swift — the requests of transactions.

/// A condition on an item that a transaction does not change.
public struct ConditionCheck: Sendable, Hashable {
    public var table: String
    public var key: Item
    public var condition: String
    public var names: [String: String]
    public var values: [String: AttributeValue]
    public var returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure

    public init(
        table: String, key: Item, condition: String, names: [String: String] = [:],
        values: [String: AttributeValue] = [:],
        returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure = .none
    ) {
        self.table = table
        self.key = key
        self.condition = condition
        self.names = names
        self.values = values
        self.returnValuesOnConditionCheckFailure = returnValuesOnConditionCheckFailure
    }
}

/// One action of a transaction. `returnValues` of the requests is without effect here.
public enum TransactWriteItem: Sendable, Hashable {
    case put(PutItemRequest)
    case update(UpdateItemRequest)
    case delete(DeleteItemRequest)
    case conditionCheck(ConditionCheck)
}

/// Up to 100 actions on different items, all or none of which happen.
public struct TransactWriteItemsRequest: Sendable, Hashable {
    public var items: [TransactWriteItem]
    /// Makes the request idempotent: within ten minutes of success the same request with the same token does nothing.
    public var clientRequestToken: String?

    public init(_ items: [TransactWriteItem], clientRequestToken: String? = nil) {
        self.items = items
        self.clientRequestToken = clientRequestToken
    }
}

/// Up to 100 reads at one moment.
public struct TransactGetItemsRequest: Sendable, Hashable {
    public var items: [GetItemRequest]

    public init(_ items: [GetItemRequest]) {
        self.items = items
    }
}
