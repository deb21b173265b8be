// WriteResults.swift — what a write answers, named as by the drivers.

/// The answer to `insertOne`.
public struct InsertOneResult: Sendable, Hashable {
    public let acknowledged: Bool
    /// The document's `_id`, made by the store if the document had none.
    public let insertedID: BSONValue
}

/// The answer to `insertMany`.
public struct InsertManyResult: Sendable, Hashable {
    public let acknowledged: Bool
    /// In the order of the documents.
    public let insertedIDs: [BSONValue]
}

/// The answer to `updateOne`, `updateMany` and `replaceOne`.
public struct UpdateResult: Sendable, Hashable {
    public let acknowledged: Bool
    public internal(set) var matchedCount: Int
    /// How many documents are different now; one that already was as asked is matched, not modified.
    public internal(set) var modifiedCount: Int
    /// The `_id` of the document that an upsert inserted.
    public internal(set) var upsertedID: BSONValue?
}

/// The answer to `deleteOne` and `deleteMany`.
public struct DeleteResult: Sendable, Hashable {
    public let acknowledged: Bool
    public internal(set) var deletedCount: Int
}

/// How documents are found and given back.
public struct FindOptions: Sendable, Hashable {
    /// Paths and directions: `["createdAt": -1]`.
    public var sort: Document?
    public var skip: Int
    /// 0 is no limit.
    public var limit: Int
    /// Fields to include (`["email": 1]`) or to exclude (`["email": 0]`).
    public var projection: Document?
    public var hint: IndexHint?

    public init(
        sort: Document? = nil, skip: Int = 0, limit: Int = 0, projection: Document? = nil, hint: IndexHint? = nil
    ) {
        self.sort = sort
        self.skip = skip
        self.limit = limit
        self.projection = projection
        self.hint = hint
    }
}

/// Which form of the document `findOneAndUpdate` gives back.
public enum ReturnDocument: Sendable, Hashable {
    case before
    case after
}
