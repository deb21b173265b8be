import Testing

@testable import DocumentEngine

/// The users collection of the platform's acceptance scenario, statement by statement.
@Suite struct UsersScenarioTests {
    static let validator: Document = [
        "$jsonSchema": [
            "bsonType": "object", "required": ["userId", "email", "createdAt"],
            "properties": [
                "userId": ["bsonType": "string"], "email": ["bsonType": "string", "pattern": "^.+@.+\\..+$"],
                "createdAt": ["bsonType": "date"],
            ],
        ]
    ]

    private let storage: Storage
    private let store: DocumentStore
    private let users: DocumentCollection

    init() throws {
        storage = try Storage.inMemory()
        store = try DocumentStore(storage: storage)
        users = try store.database("shop").createCollection(
            "users", options: CollectionOptions(validator: Self.validator))
        try users.createIndex(
            ["email": 1],
            options: IndexOptions(
                unique: true, partialFilterExpression: ["emailVerified": true], name: "unique_verified_email"))
    }

    private func profile(_ id: String, email: String = "a@example.com", verified: Bool = false) -> Document {
        [
            "userId": .string(id), "email": .string(email), "emailVerified": .bool(verified),
            "createdAt": .date(BSONDate(milliseconds: 1_741_615_200_000)), "streamingQuality": "1080p",
            "paymentMethods": [["type": "card", "last4": "4242", "default": true]],
            "addressBook": [["label": "home", "city": "London", "postcode": "EC1A"]],
            "preferences": ["notifications": ["email": true, "push": false]],
        ]
    }

    @Test("a full profile with undeclared fields inserts, and is found as it was")
    func fullProfile() throws {
        let result = try users.insertOne(profile("usr_1"))
        #expect(result.acknowledged)
        let id = try #require(result.insertedID.objectIDValue)
        let found = try #require(try users.findOne(["_id": .objectID(id)]))
        #expect(found.fieldNames.first == "_id")
        #expect(found.value(at: "addressBook.0.city") == "London")
        #expect(try users.findOne(["preferences.notifications.email": true, "addressBook.city": "London"]) == found)
    }

    @Test("a document without the required fields is refused with the error document")
    func refusedDocument() throws {
        do {
            try users.insertOne(["email": "test@example.com"])
            Issue.record("the document was accepted")
        } catch let error as DocumentError {
            #expect(error.code.rawValue == 121)
            #expect(error.codeName == "DocumentValidationFailure")
            #expect(error.errmsg == "Document failed validation")
            let info = try #require(error.errInfo)
            #expect(info["failingDocumentId"]?.objectIDValue != nil)
            #expect(
                info["details"] == [
                    "operatorName": "$jsonSchema",
                    "schemaRulesNotSatisfied": [
                        [
                            "operatorName": "required", "specifiedAs": ["required": ["userId", "email", "createdAt"]],
                            "missingProperties": ["userId", "createdAt"],
                        ]
                    ],
                ])
        }
        #expect(try users.countDocuments() == 0)
    }

    @Test("unverified profiles may share an email, a second verified one is refused")
    func partialUniqueIndex() throws {
        try users.insertMany([profile("usr_1"), profile("usr_2"), profile("usr_3", verified: true)])
        do {
            try users.insertOne(profile("usr_4", verified: true))
            Issue.record("the document was accepted")
        } catch let error as DocumentError {
            #expect(error.code == .duplicateKey)
            #expect(
                error.errmsg == "E11000 duplicate key error collection: shop.users index: unique_verified_email "
                    + "dup key: { email: \"a@example.com\" }")
            #expect(error.keyPattern == ["email": 1])
            #expect(error.keyValue == ["email": "a@example.com"])
        }
        let update = documentError {
            try users.updateOne(["userId": "usr_1"], ["$set": ["emailVerified": true]])
        }
        #expect(update.code == 11000)
        #expect(try users.countDocuments(["emailVerified": true]) == 1)
        try users.updateOne(["userId": "usr_3"], ["$set": ["emailVerified": false]])
        #expect(try users.updateOne(["userId": "usr_1"], ["$set": ["emailVerified": true]]).modifiedCount == 1)
        #expect(try storage.verify().problems == [])
    }

    @Test("the verified profile of an email is found through the partial index, and only by a query it covers")
    func partialIndexIsUsed() throws {
        let covered = try users.explain(["email": "a@example.com", "emailVerified": true])
        #expect(covered.value(at: "queryPlanner.winningPlan.inputStage.indexName") == "unique_verified_email")
        let uncovered = try users.explain(["email": "a@example.com"])
        #expect(uncovered.value(at: "queryPlanner.winningPlan.stage") == "COLLSCAN")
    }

    @Test("with the action warn, an invalid document goes in and is logged")
    func warn() throws {
        let recorder = LogRecorder()
        let store = try DocumentStore(storage: try Storage.inMemory(), logger: recorder.logger)
        let options = CollectionOptions(validator: Self.validator, validationAction: .warn)
        let users = try store.database("shop").createCollection("users", options: options)
        try users.insertOne(["_id": 1, "email": "x@example.com"])
        #expect(try users.countDocuments() == 1)
        let line = try #require(recorder.messages.first)
        #expect(line.contains("warning") && line.contains("id=20294") && line.contains("missingProperties"))
        #expect(recorder.messages.count == 1)
    }

    @Test("with the level moderate, updates of already invalid documents pass, others do not")
    func moderate() throws {
        let database = store.database("shop")
        try users.insertOne(["_id": 1, "email": "x@example.com"], bypassDocumentValidation: true)
        try users.insertOne(profile("usr_2"))
        #expect(documentError { try users.updateOne(["_id": 1], ["$set": ["a": 1]]) }.code == 121)
        try database.collMod("users", CollectionModification(validationLevel: .moderate))
        #expect(try users.updateOne(["_id": 1], ["$set": ["a": 1]]).modifiedCount == 1)
        #expect(documentError { try users.updateOne(["userId": "usr_2"], ["$unset": ["email": ""]]) }.code == 121)
        #expect(documentError { try users.insertOne(["_id": 2]) }.code == 121)
        try database.collMod("users", CollectionModification(validationLevel: .off))
        #expect(try users.insertOne(["_id": 2]).insertedID == 2)
    }

    @Test("$addToSet twice leaves one entry, $push twice leaves two")
    func orderHistory() throws {
        try users.insertOne(profile("usr_1"))
        for expected in [1, 0] {
            let result = try users.updateOne(["userId": "usr_1"], ["$addToSet": ["orderHistory": "ord_1"]])
            #expect(result.matchedCount == 1)
            #expect(result.modifiedCount == expected)
        }
        #expect(try users.findOne(["userId": "usr_1"])?["orderHistory"] == ["ord_1"])
        for _ in 0..<2 { try users.updateOne(["userId": "usr_1"], ["$push": ["orderHistory": "ord_2"]]) }
        #expect(try users.findOne(["userId": "usr_1"])?["orderHistory"] == ["ord_1", "ord_2", "ord_2"])
    }
}
