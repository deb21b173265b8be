// PageRequests.swift — the requests that read many items, page by page, and the ones that concern many keys.

/// Reads items of one partition in the order of their sort keys.
public struct QueryRequest: Sendable, Hashable {
    public var table: String
    public var index: String?
    /// One equality on the partition key and at most one condition on the sort key.
    public var keyCondition: String
    /// Judged after the page is read; what it refuses counts as scanned.
    public var filter: String?
    public var projection: String?
    public var names: [String: String]
    public var values: [String: AttributeValue]
    /// Ascending order of the sort keys, or descending.
    public var scanIndexForward: Bool
    /// Items that are read, before the filter.
    public var limit: Int?
    /// The last key of the page before.
    public var exclusiveStartKey: Item?

    public init(
        table: String, index: String? = nil, keyCondition: String, filter: String? = nil, projection: String? = nil,
        names: [String: String] = [:], values: [String: AttributeValue] = [:], scanIndexForward: Bool = true,
        limit: Int? = nil, exclusiveStartKey: Item? = nil
    ) {
        self.table = table
        self.index = index
        self.keyCondition = keyCondition
        self.filter = filter
        self.projection = projection
        self.names = names
        self.values = values
        self.scanIndexForward = scanIndexForward
        self.limit = limit
        self.exclusiveStartKey = exclusiveStartKey
    }
}

/// Reads items of all partitions, in no meaningful order.
public struct ScanRequest: Sendable, Hashable {
    public var table: String
    public var index: String?
    public var filter: String?
    public var projection: String?
    public var names: [String: String]
    public var values: [String: AttributeValue]
    public var limit: Int?
    public var exclusiveStartKey: Item?
    /// With `totalSegments`: which part of the table to read, from 0.
    public var segment: Int?
    public var totalSegments: Int?

    public init(
        table: String, index: String? = nil, filter: String? = nil, projection: String? = nil,
        names: [String: String] = [:], values: [String: AttributeValue] = [:], limit: Int? = nil,
        exclusiveStartKey: Item? = nil, segment: Int? = nil, totalSegments: Int? = nil
    ) {
        self.table = table
        self.index = index
        self.filter = filter
        self.projection = projection
        self.names = names
        self.values = values
        self.limit = limit
        self.exclusiveStartKey = exclusiveStartKey
        self.segment = segment
        self.totalSegments = totalSegments
    }
}

/// A page of a query or scan.
public struct ItemPage: Sendable, Hashable {
    public let items: [Item]
    /// Items that were read, before the filter.
    public let scannedCount: Int
    /// Where to go on; `nil` if there is nothing more. A page may be empty and still have one.
    public let lastEvaluatedKey: Item?

    public var count: Int { items.count }
}

/// The keys that a batch reads from one table, and what it wants of the items.
public struct KeysAndAttributes: Sendable, Hashable {
    public var keys: [Item]
    public var projection: String?
    public var names: [String: String]

    public init(keys: [Item], projection: String? = nil, names: [String: String] = [:]) {
        self.keys = keys
        self.projection = projection
        self.names = names
    }
}

/// The answer to a batch of reads.
public struct BatchGetItemResponse: Sendable, Hashable {
    public let responses: [String: [Item]]
    /// What the limits of the response left for another request.
    public let unprocessedKeys: [String: KeysAndAttributes]
}

/// One write of a batch.
public enum WriteRequest: Sendable, Hashable {
    case put(Item)
    case delete(key: Item)
}
