import Foundation
import Testing

@testable import DocumentEngine

/// The code of Docs/guides/documents.md, as it stands there.
@Suite struct GuideTests {
    @Test("the guide's code runs as written")
    func guide() throws {
        let storage = try Storage.inMemory()
        let store = try DocumentStore(storage: storage)
        let shop = store.database("shop")
        let validator: Document = [
            "$jsonSchema": [
                "bsonType": "object", "required": ["userId", "email"],
                "properties": [
                    "userId": ["bsonType": "string"],
                    "email": ["bsonType": "string", "pattern": "^.+@.+\\..+$"],
                ],
            ]
        ]
        let users = try shop.createCollection("users", options: CollectionOptions(validator: validator))
        try users.createIndex(
            ["email": 1], options: IndexOptions(unique: true, partialFilterExpression: ["emailVerified": true]))
        do {
            try users.insertOne(["email": "test@example.com"])
        } catch let error as DocumentError {
            print(error.code.rawValue, error.errmsg, error.errInfo ?? [:])
        }
        let id = try users.insertOne(["userId": "usr_1", "email": "ada@example.com", "tags": ["new"]]).insertedID
        try users.updateOne(["_id": id], ["$set": ["address.city": "London"], "$addToSet": ["tags": "vip"]])
        let londoners = try users.find(
            ["address.city": "London", "tags": ["$in": ["vip"]]],
            options: FindOptions(sort: ["email": 1], limit: 10, projection: ["email": 1, "_id": 0]))
        let count = try users.countDocuments(["email": ["$regex": "@example"]])
        #expect(londoners == [["email": "ada@example.com"]])
        #expect(count == 1)
        let plan = try users.explain(["email": "ada@example.com", "emailVerified": true])
        print(plan.value(at: "queryPlanner.winningPlan.inputStage.indexName") ?? "COLLSCAN")
        #expect(plan.value(at: "queryPlanner.winningPlan.inputStage.indexName") == "email_1")
        let audit = try shop.createCollection("audit")
        try storage.write(.synced) { transaction in
            try users.updateOne(["_id": id], ["$inc": ["orders": 1]], in: transaction)
            try audit.insertOne(["user": id, "what": "ordered"], in: transaction)
        }
        #expect(try users.findOne(["_id": id])?["orders"] == 1)
        #expect(try audit.findOne() != nil)
    }

    @Test("every line of code in the guide is a line of this test")
    func guideIsTested() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let guide = try String(contentsOf: root.appending(path: "Docs/guides/documents.md"), encoding: .utf8)
        let source = try String(contentsOf: URL(fileURLWithPath: #filePath), encoding: .utf8)
        let tested = Set(source.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
        let blocks = guide.components(separatedBy: "```swift\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        #expect(blocks.count > 4)
        for line in blocks.joined().split(separator: "\n") where !line.contains("Storage.open(at:") {
            #expect(tested.contains(line.trimmingCharacters(in: .whitespaces)), "\(line)")
        }
    }
}
