// ItemRequests.swift — the requests that concern one item.

/// What a write returns.
public enum ReturnValues: String, Sendable, Hashable, CaseIterable {
    case none = "NONE"
    /// The item as it was.
    case allOld = "ALL_OLD"
    /// The parts that the update wrote, as they were.
    case updatedOld = "UPDATED_OLD"
    /// The item as it is now.
    case allNew = "ALL_NEW"
    /// The parts that the update wrote, as they are now.
    case updatedNew = "UPDATED_NEW"
}

/// What an error carries when a condition fails.
public enum ReturnValuesOnConditionCheckFailure: String, Sendable, Hashable, CaseIterable {
    case none = "NONE"
    /// The item that failed the condition.
    case allOld = "ALL_OLD"
}

/// Writes a whole item, in place of the one with its key.
public struct PutItemRequest: Sendable, Hashable {
    public var table: String
    public var item: Item
    public var condition: String?
    /// What the `#names` of the condition stand for.
    public var names: [String: String]
    /// What the `:values` of the condition stand for.
    public var values: [String: AttributeValue]
    /// `none` or `allOld`; in a transaction nothing is returned.
    public var returnValues: ReturnValues
    public var returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure

    public init(
        table: String, item: Item, condition: String? = nil, names: [String: String] = [:],
        values: [String: AttributeValue] = [:], returnValues: ReturnValues = .none,
        returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure = .none
    ) {
        self.table = table
        self.item = item
        self.condition = condition
        self.names = names
        self.values = values
        self.returnValues = returnValues
        self.returnValuesOnConditionCheckFailure = returnValuesOnConditionCheckFailure
    }
}

/// Changes attributes of an item; an absent item is made, with the key's attributes.
public struct UpdateItemRequest: Sendable, Hashable {
    public var table: String
    public var key: Item
    /// Without one only the condition is checked, and an absent item is made.
    public var update: String?
    public var condition: String?
    public var names: [String: String]
    public var values: [String: AttributeValue]
    public var returnValues: ReturnValues
    public var returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure

    public init(
        table: String, key: Item, update: String? = nil, condition: String? = nil, names: [String: String] = [:],
        values: [String: AttributeValue] = [:], returnValues: ReturnValues = .none,
        returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure = .none
    ) {
        self.table = table
        self.key = key
        self.update = update
        self.condition = condition
        self.names = names
        self.values = values
        self.returnValues = returnValues
        self.returnValuesOnConditionCheckFailure = returnValuesOnConditionCheckFailure
    }
}

/// Removes an item; that it is absent is no error.
public struct DeleteItemRequest: Sendable, Hashable {
    public var table: String
    public var key: Item
    public var condition: String?
    public var names: [String: String]
    public var values: [String: AttributeValue]
    /// `none` or `allOld`; in a transaction nothing is returned.
    public var returnValues: ReturnValues
    public var returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure

    public init(
        table: String, key: Item, condition: String? = nil, names: [String: String] = [:],
        values: [String: AttributeValue] = [:], returnValues: ReturnValues = .none,
        returnValuesOnConditionCheckFailure: ReturnValuesOnConditionCheckFailure = .none
    ) {
        self.table = table
        self.key = key
        self.condition = condition
        self.names = names
        self.values = values
        self.returnValues = returnValues
        self.returnValuesOnConditionCheckFailure = returnValuesOnConditionCheckFailure
    }
}

/// Reads an item, or parts of it.
public struct GetItemRequest: Sendable, Hashable {
    public var table: String
    public var key: Item
    public var projection: String?
    public var names: [String: String]

    public init(table: String, key: Item, projection: String? = nil, names: [String: String] = [:]) {
        self.table = table
        self.key = key
        self.projection = projection
        self.names = names
    }
}
