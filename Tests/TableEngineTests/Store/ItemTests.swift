import StorageCore
import Testing

@testable import TableEngine

@Suite("Items")
struct ItemTests {
    let shop: Shop
    var store: TableStore { shop.store }

    init() throws { shop = try Shop() }

    private func put(
        _ item: Item, _ condition: String? = nil, values: [String: AttributeValue] = [:],
        returning: ReturnValues = .none, onFailure: ReturnValuesOnConditionCheckFailure = .none
    ) throws -> Item? {
        try store.putItem(
            PutItemRequest(
                table: "Inventory", item: item, condition: condition, values: values, returnValues: returning,
                returnValuesOnConditionCheckFailure: onFailure))
    }

    @Test("a put replaces the whole item and returns the old one where asked")
    func put() throws {
        #expect(try put(["productId": "a", "x": 1], returning: .allOld) == nil)
        #expect(try put(["productId": "a", "y": 2], returning: .allOld) == ["productId": "a", "x": 1])
        #expect(try store.getItem(["productId": "a"], from: "Inventory") == ["productId": "a", "y": 2])
        #expect(try store.getItem(["productId": "b"], from: "Inventory") == nil)
    }

    @Test("a failed condition changes nothing, and carries the item where asked")
    func failedCondition() throws {
        _ = try put(["productId": "a", "x": 1])
        let sequence = shop.storage.visibleSequence
        expectRefusal(.conditionalCheckFailed, "The conditional request failed") {
            _ = try put(["productId": "a", "x": 2], "attribute_not_exists(productId)")
        }
        do {
            _ = try put(["productId": "a", "x": 2], "x > :v", values: [":v": 5], onFailure: .allOld)
            Issue.record("the condition should have failed")
        } catch let error as TableError {
            #expect(error.item == ["productId": "a", "x": 1])
            #expect(error.exceptionName == "ConditionalCheckFailedException")
        }
        #expect(shop.storage.visibleSequence == sequence)
        #expect(try store.getItem(["productId": "a"], from: "Inventory")?["x"] == 1)
    }

    @Test("an update changes what it names, makes an absent item, and returns what was asked for")
    func update() throws {
        func update(_ text: String, _ values: [String: AttributeValue], _ returning: ReturnValues) throws -> Item? {
            try store.updateItem(
                UpdateItemRequest(
                    table: "Inventory", key: ["productId": "a"], update: text, values: values, returnValues: returning))
        }
        #expect(try update("SET m = :m", [":m": ["x": 1, "y": 2]], .allOld) == nil)
        #expect(try update("SET m.x = :v, z = :v", [":v": 9], .updatedNew) == ["m": ["x": 9], "z": 9])
        #expect(try update("SET m.x = :v", [":v": 7], .updatedOld) == ["m": ["x": 9]])
        #expect(try update("REMOVE z", [:], .allNew) == ["productId": "a", "m": ["x": 7, "y": 2]])
        #expect(try update("REMOVE zzz", [:], .updatedNew) == nil)
        #expect(
            try store.updateItem(
                UpdateItemRequest(table: "Inventory", key: ["productId": "new"], returnValues: .allNew))
                == ["productId": "new"])
    }

    @Test("a delete returns the item where asked, and an absent item is no error")
    func delete() throws {
        _ = try put(["productId": "a", "x": 1])
        let request = DeleteItemRequest(table: "Inventory", key: ["productId": "a"], returnValues: .allOld)
        #expect(try store.deleteItem(request) == ["productId": "a", "x": 1])
        #expect(try store.deleteItem(request) == nil)
        #expect(try store.getItem(["productId": "a"], from: "Inventory") == nil)
    }

    @Test("a projection reads parts of an item")
    func projection() throws {
        _ = try put(["productId": "a", "m": ["x": 1, "y": 2], "l": [1, 2, 3]])
        let request = GetItemRequest(
            table: "Inventory", key: ["productId": "a"], projection: "m.#y, l[2]", names: ["#y": "y"])
        #expect(try store.getItem(request) == ["m": ["y": 2], "l": [3]])
    }

    @Test("keys that do not fit the schema are refused in the service's words")
    func keyRefusals() throws {
        expectRefusal(.validation, "One or more parameter values were invalid: Missing the key productId in the item") {
            _ = try put(["x": 1])
        }
        expectRefusal(
            .validation,
            "One or more parameter values were invalid: Type mismatch for key productId expected: S actual: N"
        ) { _ = try put(["productId": 1]) }
        expectRefusal(
            .validation,
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
                + "string value. Key: productId"
        ) { _ = try put(["productId": ""]) }
        expectRefusal(
            .validation,
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
        ) { _ = try put(["productId": .s(String(repeating: "k", count: 2049))]) }
        expectRefusal(
            .validation,
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of "
                + "1024 bytes"
        ) {
            try store.putItem(
                PutItemRequest(table: "Orders", item: ["userId": "u", "SK": .s(String(repeating: "k", count: 1025))]))
        }
        for key in [["x": "a"], ["productId": 1], ["productId": "a", "x": 1], [:]] as [Item] {
            expectRefusal(.validation, "The provided key element does not match the schema") {
                _ = try store.getItem(key, from: "Inventory")
            }
        }
    }

    @Test("requests that the service refuses are refused in its words")
    func requestRefusals() throws {
        expectRefusal(.validation, "ReturnValues can only be ALL_OLD or NONE") {
            _ = try put(["productId": "a"], returning: .allNew)
        }
        expectRefusal(
            .validation,
            "One or more parameter values were invalid: Cannot update attribute productId. This attribute is part of the key"
        ) {
            try store.updateItem(
                UpdateItemRequest(
                    table: "Inventory", key: ["productId": "a"], update: "SET productId = :v", values: [":v": "b"]))
        }
        expectRefusal(
            .validation,
            "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"
        ) { _ = try put(["productId": "a"], values: [":v": 1]) }
        expectRefusal(.validation, "Item size has exceeded the maximum allowed size") {
            _ = try put(["productId": "a", "x": .s(String(repeating: "x", count: 409_600))])
        }
        _ = try put(["productId": "a", "x": .s(String(repeating: "x", count: 400_000))])
        expectRefusal(.validation, "Item size to update has exceeded the maximum allowed size") {
            try store.updateItem(
                UpdateItemRequest(
                    table: "Inventory", key: ["productId": "a"], update: "SET y = :v",
                    values: [":v": .s(String(repeating: "y", count: 10_000))]))
        }
        expectRefusal(.validation, "One or more parameter values were invalid: An string set  may not be empty") {
            _ = try put(["productId": "a", "s": .ss([])])
        }
    }

    @Test("several tables change in one commit, or none does")
    func openTransaction() throws {
        struct Abandoned: Error {}
        let (store, storage) = (store, shop.storage)
        #expect(throws: Abandoned.self) {
            try storage.write { transaction in
                try store.putItem(PutItemRequest(table: "Inventory", item: ["productId": "a"]), in: transaction)
                #expect(try store.getItem(["productId": "a"], from: "Inventory", in: transaction) != nil)
                throw Abandoned()
            }
        }
        #expect(try store.getItem(["productId": "a"], from: "Inventory") == nil)
        #expect(try store.stream(of: "Inventory").records(after: nil, limit: 10).isEmpty)
    }

    @Test("items are read as of a snapshot")
    func snapshots() throws {
        _ = try put(["productId": "a", "x": 1])
        let snapshot = shop.storage.snapshot()
        _ = try put(["productId": "a", "x": 2])
        #expect(try store.getItem(["productId": "a"], from: "Inventory", at: snapshot)?["x"] == 1)
        #expect(try store.getItem(["productId": "a"], from: "Inventory")?["x"] == 2)
    }

    @Test("batches read and write several tables")
    func batches() throws {
        try store.batchWriteItem([
            "Inventory": [.put(["productId": "a", "x": 1]), .put(["productId": "b"])],
            "Payments": [.put(["orderId": "o", "SK": "INTENT"])],
        ])
        try store.batchWriteItem(["Inventory": [.delete(key: ["productId": "b"])]])
        let response = try store.batchGetItem([
            "Inventory": KeysAndAttributes(keys: [["productId": "a"], ["productId": "b"]], projection: "x"),
            "Payments": KeysAndAttributes(keys: [["orderId": "o", "SK": "INTENT"]]),
        ])
        #expect(response.responses == ["Inventory": [["x": 1]], "Payments": [["orderId": "o", "SK": "INTENT"]]])
        #expect(response.unprocessedKeys.isEmpty)
    }

    @Test("batches beyond their limits are refused, and a refused batch writes nothing")
    func batchRefusals() throws {
        expectRefusal(.validation, "Too many items requested for the BatchWriteItem call") {
            try store.batchWriteItem(["Inventory": (0..<26).map { .put(["productId": .s("\($0)")]) }])
        }
        expectRefusal(.validation, "Too many items requested for the BatchGetItem call") {
            _ = try store.batchGetItem([
                "Inventory": KeysAndAttributes(keys: (0..<101).map { ["productId": .s("\($0)")] })
            ])
        }
        expectRefusal(.validation, "Provided list of item keys contains duplicates") {
            try store.batchWriteItem(["Inventory": [.put(["productId": "a"]), .delete(key: ["productId": "a"])]])
        }
        expectRefusal(.validation, "The provided key element does not match the schema") {
            try store.batchWriteItem(["Inventory": [.put(["productId": "a"]), .delete(key: ["x": "a"])]])
        }
        #expect(try store.getItem(["productId": "a"], from: "Inventory") == nil)
    }

    @Test("a batch whose items exceed 16 MB leaves the rest unprocessed")
    func largeBatch() throws {
        let text = AttributeValue.s(String(repeating: "x", count: 400_000))
        for number in 0..<45 { _ = try put(["productId": .s("\(number)"), "x": text]) }
        let response = try store.batchGetItem([
            "Inventory": KeysAndAttributes(keys: (0..<45).map { ["productId": .s("\($0)")] })
        ])
        #expect(response.responses["Inventory"]?.count == 41)
        #expect(response.unprocessedKeys["Inventory"]?.keys.count == 4)
    }
}
