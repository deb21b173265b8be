// EmbeddedUserService.swift — profiles in the collection `shopstream.users` of the document engine.

internal import DocumentEngine

struct EmbeddedUserService: UserService {
    static let database = "shopstream"
    static let collectionName = "users"

    let users: DocumentCollection

    init(documents: DocumentStore) throws {
        let database = documents.database(Self.database)
        users = database.collection(Self.collectionName)
        if !database.listCollections().contains(where: { $0.name == Self.collectionName }) {
            try database.createCollection(
                Self.collectionName,
                options: CollectionOptions(validator: Self.validator, validationAction: .error), durability: .synced)
        }
        try users.createIndex(
            ["email": 1],
            options: IndexOptions(
                unique: true, partialFilterExpression: ["emailVerified": true], name: "unique_verified_email"),
            durability: .synced)
        try users.createIndex(["userId": 1], options: IndexOptions(name: "userId"), durability: .synced)
    }

    static let validator: Document = [
        "$jsonSchema": [
            "bsonType": "object", "required": ["userId", "email", "createdAt"],
            "properties": [
                "userId": ["bsonType": "string"],
                "email": ["bsonType": "string", "pattern": "^.+@.+\\..+$"],
                "createdAt": ["bsonType": "date"],
            ],
        ]
    ]

    func create(_ profile: Document) async throws -> InsertOneResult {
        try users.insertOne(profile)
    }

    func profile(of userID: String) async throws -> Document? {
        try users.findOne(["userId": .string(userID)])
    }

    func update(_ userID: String, _ update: Document) async throws -> UpdateResult {
        try users.updateOne(["userId": .string(userID)], update)
    }

    func verifyEmail(of userID: String) async throws {
        try users.updateOne(["userId": .string(userID)], ["$set": ["emailVerified": true]])
    }

    func find(_ filter: Document, limit: Int) async throws -> [Document] {
        try users.find(filter, options: FindOptions(limit: limit))
    }

    func orderHistory(of userID: String) async throws -> [String] {
        try await profile(of: userID)?["orderHistory"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// Adds an order to the history; twice changes nothing. A user without a profile has none to add to.
    func addOrder(_ orderID: String, toHistoryOf userID: String, in transaction: WriteTransaction) throws {
        try users.updateOne(
            ["userId": .string(userID)], ["$addToSet": ["orderHistory": .string(orderID)]], in: transaction)
    }
}
