// User profiles: flexible fields under a schema, unique verified addresses, idempotent arrays.

import ShopStreamKit
import Testing

@Suite("Users")
struct UserTests {
    private let machine = Machine()

    private func profile(_ userID: String, _ email: String, isVerified: Bool) -> Document {
        [
            "userId": .string(userID), "email": .string(email), "emailVerified": .bool(isVerified),
            "createdAt": .date(machine.clock.now),
        ]
    }

    @Test("a full profile with undeclared fields inserts and comes back as it was")
    func fullProfile() async throws {
        let shop = try machine.open()
        let profile: Document = [
            "userId": "usr_8821", "email": "ada@example.com", "createdAt": .date(machine.clock.now),
            "streamingQuality": "1080p", "paymentMethods": [["type": "card", "last4": "4242", "default": true]],
            "addressBook": [["label": "home", "city": "London", "postcode": "EC1A"]],
            "preferences": ["theme": "dark", "notifications": ["live": true, "email": false]],
        ]
        let result = try await shop.users.create(profile)
        #expect(result.acknowledged)
        #expect(result.insertedID.objectIDValue != nil)
        let found = try #require(try await shop.users.profile(of: "usr_8821"))
        for field in ["streamingQuality", "paymentMethods", "addressBook", "preferences"] {
            #expect(found[field] == profile[field])
        }
        #expect(try await shop.users.find(["addressBook.city": "London"], limit: 10).count == 1)
        #expect(try await shop.users.find(["addressBook.city": "Paris"], limit: 10).isEmpty)
    }

    @Test("a profile without its required fields is refused with the rules that it breaks")
    func validation() async throws {
        let shop = try machine.open()
        let error = try #require(
            await #expect(throws: DocumentError.self) { try await shop.users.create(["email": "test@example.com"]) })
        #expect(error.code.rawValue == 121)
        #expect(error.errmsg == "Document failed validation")
        let details = error.errInfo?["details"]?.documentValue
        #expect(details?["operatorName"]?.stringValue == "$jsonSchema")
        let rules = try #require(details?["schemaRulesNotSatisfied"]?.arrayValue)
        #expect(rules.count == 1)
        let rule = rules.first?.documentValue
        #expect(rule?["operatorName"]?.stringValue == "required")
        #expect(rule?["specifiedAs"] == ["required": ["userId", "email", "createdAt"]])
        #expect(rule?["missingProperties"] == ["userId", "createdAt"])
        #expect(try await shop.users.find([:], limit: 1).isEmpty)
    }

    @Test("an address that is no address is refused by its pattern")
    func pattern() async throws {
        let shop = try machine.open()
        let error = await #expect(throws: DocumentError.self) {
            try await shop.users.create(profile("usr_1", "nobody", isVerified: false))
        }
        #expect(error?.code.rawValue == 121)
    }

    @Test("unverified profiles may share an address; a second verified one is refused, inserted or updated")
    func uniqueVerifiedEmail() async throws {
        let shop = try machine.open()
        for user in ["usr_1", "usr_2"] {
            try await shop.users.create(profile(user, "a@example.com", isVerified: false))
        }
        try await shop.users.verifyEmail(of: "usr_1")
        let inserted = await #expect(throws: DocumentError.self) {
            try await shop.users.create(profile("usr_3", "a@example.com", isVerified: true))
        }
        #expect(inserted?.code.rawValue == 11000)
        #expect(inserted?.keyPattern == ["email": 1])
        #expect(inserted?.keyValue == ["email": "a@example.com"])
        let updated = await #expect(throws: DocumentError.self) { try await shop.users.verifyEmail(of: "usr_2") }
        #expect(updated?.code.rawValue == 11000)
        #expect(try await shop.users.profile(of: "usr_2")?["emailVerified"]?.boolValue == false)
        #expect(try await shop.users.profile(of: "usr_3") == nil)
    }

    @Test("validationAction warn inserts; validationLevel moderate spares documents that were invalid before")
    func lenientValidation() throws {
        let shop = try machine.open()
        let database = shop.documents.database("shopstream")
        let validator: Document = ["$jsonSchema": ["bsonType": "object", "required": ["userId"]]]
        let drafts = try database.createCollection(
            "drafts", options: CollectionOptions(validator: validator, validationAction: .warn))
        #expect(try drafts.insertOne(["email": "no user id"]).acknowledged)
        let legacy = try database.createCollection("legacy")
        try legacy.insertOne(["name": "before"])
        try database.collMod("legacy", CollectionModification(validator: validator, validationLevel: .moderate))
        #expect(try legacy.updateOne(["name": "before"], ["$set": ["seen": true]]).modifiedCount == 1)
        #expect(throws: DocumentError.self) { try legacy.insertOne(["name": "after"]) }
        try legacy.insertOne(["userId": "usr_1"])
        #expect(throws: DocumentError.self) { try legacy.updateOne(["userId": "usr_1"], ["$unset": ["userId": ""]]) }
    }

    @Test("$addToSet twice leaves one entry, $push twice leaves two")
    func arrays() async throws {
        let shop = try machine.open()
        try await shop.createUser("usr_1")
        for _ in 0..<2 {
            try await shop.users.update(
                "usr_1", ["$addToSet": ["orderHistory": "ord_1"], "$push": ["visits": "live_1"]])
        }
        let found = try await shop.users.profile(of: "usr_1")
        #expect(found?["orderHistory"] == ["ord_1"])
        #expect(found?["visits"] == ["live_1", "live_1"])
        #expect(try await shop.users.orderHistory(of: "usr_1") == ["ord_1"])
        #expect(try await shop.users.orderHistory(of: "nobody") == [])
    }
}
