// UsersChapter.swift — profiles: a schema that refuses, fields that it does not name, unique verified addresses.

internal import ShopStreamKit

struct UsersChapter {
    let transcript: Transcript
    let shop: ShopStream

    init(_ transcript: Transcript, _ shop: ShopStream) {
        self.transcript = transcript
        self.shop = shop
    }

    private var users: DocumentCollection { shop.documents.database("shopstream").collection("users") }
    private var now: BSONValue { .date(shop.storage.clock.now) }

    func play() async throws {
        transcript.chapter("1. Users: flexible profiles under a schema (document store)")
        try insertFullProfile()
        try refuseIncompleteProfile()
        try refuseSecondVerifiedAddress()
        try refuseVerifyingTakenAddress()
        try warnOnly()
        try spareInvalidDocuments()
        try addToSetAndPush()
    }

    private func insertFullProfile() throws {
        let profile: Document = [
            "userId": "usr_8821", "email": "ada@example.com", "emailVerified": true, "createdAt": now,
            "streamingQuality": "1080p", "paymentMethods": [["type": "card", "last4": "4242", "default": true]],
            "addressBook": [["label": "home", "city": "London", "postcode": "EC1A"]],
            "preferences": ["theme": "dark", "notifications": ["live": true, "email": false]],
        ]
        transcript.statement("db.users.insertOne(\(profile))")
        let inserted = try users.insertOne(profile)
        transcript.result("{ acknowledged: \(inserted.acknowledged), insertedId: \(inserted.insertedID) }")
        transcript.check("a full profile with fields that the schema does not name inserts", inserted.acknowledged)
        transcript.check("its id is an ObjectId", inserted.insertedID.objectIDValue != nil)
        let found = try users.findOne(["email": "ada@example.com", "addressBook.city": "London"])
        transcript.check("it is found by a path into an array", found?["userId"]?.stringValue == "usr_8821")
    }

    private func refuseIncompleteProfile() throws {
        transcript.statement(#"db.users.insertOne({ email: "test@example.com" })"#)
        let error = try refusal { _ = try users.insertOne(["email": "test@example.com"]) }
        transcript.result(error.map { "\($0)" } ?? "inserted")
        transcript.check("it is refused with code 121, Document failed validation", error?.code.rawValue == 121)
        let details = error?.errInfo?["details"]?.documentValue
        transcript.check("the details name $jsonSchema", details?["operatorName"]?.stringValue == "$jsonSchema")
        let rule = details?["schemaRulesNotSatisfied"]?.arrayValue?.first?.documentValue
        transcript.check("the rule is required", rule?["operatorName"]?.stringValue == "required")
        transcript.check(
            "missingProperties are userId and createdAt",
            rule?["missingProperties"]?.arrayValue?.compactMap(\.stringValue) == ["userId", "createdAt"])
    }

    private func refuseSecondVerifiedAddress() throws {
        transcript.statement("two unverified profiles with the address shared@example.com")
        for user in ["usr_1", "usr_2"] { try users.insertOne(profile(user, "shared@example.com", isVerified: false)) }
        transcript.check(
            "both are there", try users.countDocuments(["email": "shared@example.com"]), equals: 2)
        transcript.statement(
            #"db.users.insertOne({ userId: "usr_3", email: "ada@example.com", emailVerified: true, … })"#)
        let error = try refusal { _ = try users.insertOne(profile("usr_3", "ada@example.com", isVerified: true)) }
        transcript.result(error.map { "\($0)" } ?? "inserted")
        transcript.check("a second verified profile is refused with code 11000", error?.code.rawValue == 11000)
        transcript.check("keyPattern is { email: 1 }", error?.keyPattern == ["email": 1])
        transcript.check("keyValue is { email: \"ada@example.com\" }", error?.keyValue == ["email": "ada@example.com"])
    }

    private func refuseVerifyingTakenAddress() throws {
        try users.insertOne(profile("usr_4", "ada@example.com", isVerified: false))
        transcript.statement(#"db.users.updateOne({ userId: "usr_4" }, { $set: { emailVerified: true } })"#)
        let error = try refusal {
            _ = try users.updateOne(["userId": "usr_4"], ["$set": ["emailVerified": true]])
        }
        transcript.check("verifying an address that is verified elsewhere is refused", error?.code.rawValue == 11000)
        transcript.check(
            "and changes nothing",
            try users.findOne(["userId": "usr_4"])?["emailVerified"]?.boolValue == false)
    }

    private func warnOnly() throws {
        let database = shop.documents.database("shopstream")
        let drafts = try database.createCollection(
            "drafts", options: CollectionOptions(validator: validator, validationAction: .warn))
        transcript.statement(#"db.drafts.insertOne({ email: "no user id" })   // validationAction: "warn""#)
        let inserted = try drafts.insertOne(["email": "no user id"])
        transcript.check("validationAction warn inserts, and logs a warning", inserted.acknowledged)
    }

    private func spareInvalidDocuments() throws {
        let database = shop.documents.database("shopstream")
        let legacy = try database.createCollection("legacy")
        try legacy.insertOne(["name": "from before the schema"])
        try database.collMod(
            "legacy", CollectionModification(validator: validator, validationLevel: .moderate))
        transcript.statement(#"db.legacy.updateOne({}, { $set: { seen: true } })   // validationLevel: "moderate""#)
        let updated = try legacy.updateOne([:], ["$set": ["seen": true]])
        transcript.check("a document that was invalid before can be updated", updated.modifiedCount, equals: 1)
    }

    private func addToSetAndPush() throws {
        let filter: Document = ["userId": "usr_1"]
        for _ in 0..<2 {
            try users.updateOne(filter, ["$addToSet": ["orderHistory": "ord_1"], "$push": ["visits": "live_1"]])
        }
        transcript.statement(#"twice: { $addToSet: { orderHistory: "ord_1" }, $push: { visits: "live_1" } }"#)
        let found = try users.findOne(filter)
        transcript.check("$addToSet leaves one entry", found?["orderHistory"]?.arrayValue?.count == 1)
        transcript.check("$push leaves two", found?["visits"]?.arrayValue?.count == 2)
    }

    private var validator: Document {
        ["$jsonSchema": ["bsonType": "object", "required": ["userId"]]]
    }

    private func profile(_ userID: String, _ email: String, isVerified: Bool) -> Document {
        [
            "userId": .string(userID), "email": .string(email), "emailVerified": .bool(isVerified), "createdAt": now,
        ]
    }

    private func refusal(_ body: () throws -> Void) throws -> DocumentError? {
        do {
            try body()
            return nil
        } catch let error as DocumentError {
            return error
        }
    }
}
