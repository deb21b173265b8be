import StorageCore
import Testing

@testable import TableEngine

@Suite("Transactions")
struct TransactionTests {
    let shop: Shop
    var store: TableStore { shop.store }

    init() throws { shop = try Shop() }

    private func reasons(_ body: () throws -> Void) -> [CancellationReason] {
        do {
            try body()
            return []
        } catch let error as TableError {
            #expect(error.code == .transactionCanceled)
            let codes = error.cancellationReasons.map(\.code.rawValue).joined(separator: ", ")
            #expect(
                error.message
                    == "Transaction cancelled, please refer cancellation reasons for specific reasons [\(codes)]")
            return error.cancellationReasons
        } catch {
            Issue.record("\(error)")
            return []
        }
    }

    @Test("a purchase takes the unit, writes order and payment, in one commit")
    func purchase() throws {
        try shop.stock(2)
        let before = shop.storage.visibleSequence
        try store.transactWriteItems(Shop.purchase("1", by: "u"))
        #expect(shop.storage.visibleSequence.rawValue == before.rawValue + 1)
        #expect(try shop.stock() == 1)
        #expect(try store.getItem(["userId": "u", "SK": "ORDER#1"], from: "Orders")?["status"] == "PENDING")
        #expect(try store.getItem(["orderId": "1", "SK": "INTENT"], from: "Payments") != nil)
    }

    @Test("out of stock and duplicate order are told apart, and nothing is written")
    func cancellation() throws {
        try shop.stock(1)
        try store.transactWriteItems(Shop.purchase("1", by: "u"))
        let before = shop.storage.visibleSequence
        #expect(
            reasons { try store.transactWriteItems(Shop.purchase("2", by: "u")) }.map(\.code)
                == [.conditionalCheckFailed, .none, .none])
        try shop.stock(5)
        #expect(
            reasons { try store.transactWriteItems(Shop.purchase("1", by: "u")) }.map(\.code)
                == [.none, .conditionalCheckFailed, .none])
        try shop.stock(0)
        #expect(
            reasons { try store.transactWriteItems(Shop.purchase("1", by: "u")) }.map(\.code)
                == [.conditionalCheckFailed, .conditionalCheckFailed, .none])
        #expect(try shop.stock() == 0)
        #expect(shop.storage.visibleSequence.rawValue == before.rawValue + 2)
    }

    @Test("500 concurrent buyers of the last unit: one wins, 499 learn that it is sold")
    func lastUnit() async throws {
        try shop.stock(1)
        let store = shop.store
        let outcomes = await withTaskGroup(of: [CancellationReason.Code].self) { group in
            for buyer in 0..<500 {
                group.addTask {
                    do {
                        try await store.transactWriteItems(
                            Shop.purchase("\(buyer)", by: "user\(buyer)"), durability: .synced)
                        return []
                    } catch {
                        return (error as? TableError)?.cancellationReasons.map(\.code) ?? [.throttlingError]
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter(\.isEmpty).count == 1)
        #expect(outcomes.filter { $0 == [.conditionalCheckFailed, .none, .none] }.count == 499)
        #expect(try shop.stock() == 0)
        #expect(try store.scan(ScanRequest(table: "Orders")).count == 1)
        #expect(try store.scan(ScanRequest(table: "Payments")).count == 1)
        #expect(try shop.storage.verify().problems == [])
    }

    @Test("a failed condition carries its item where the action asked for it")
    func itemInReason() throws {
        try shop.stock(0)
        let check = ConditionCheck(
            table: "Inventory", key: ["productId": "p1"], condition: "stock > :z", values: [":z": 0],
            returnValuesOnConditionCheckFailure: .allOld)
        var absent = check
        absent.key = ["productId": "none"]
        let found = reasons {
            try store.transactWriteItems(
                TransactWriteItemsRequest([.conditionCheck(check), .conditionCheck(absent)]))
        }
        #expect(found.map(\.item) == [["productId": "p1", "stock": 0], nil])
        #expect(found.map(\.message) == ["The conditional request failed", "The conditional request failed"])
    }

    @Test("an action that its item makes impossible cancels, and those behind it report None")
    func validationReason() throws {
        try shop.stock(1)
        try store.putItem(PutItemRequest(table: "Inventory", item: ["productId": "s", "stock": "text"]))
        let impossible = TransactWriteItem.update(
            UpdateItemRequest(
                table: "Inventory", key: ["productId": "s"], update: "SET stock = stock - :one", values: [":one": 1]))
        let failing = TransactWriteItem.conditionCheck(
            ConditionCheck(table: "Inventory", key: ["productId": "p1"], condition: "attribute_not_exists(stock)"))
        var other = failing
        if case .conditionCheck(var check) = failing {
            check.key = ["productId": "p2"]
            check.condition = "attribute_exists(stock)"
            other = .conditionCheck(check)
        }
        let found = reasons { try store.transactWriteItems(TransactWriteItemsRequest([failing, impossible, other])) }
        #expect(found.map(\.code) == [.conditionalCheckFailed, .validationError, .none])
        #expect(found[1].message == "An operand in the update expression has an incorrect data type")
        let wrongKey = reasons {
            try store.transactWriteItems(
                TransactWriteItemsRequest([
                    .delete(DeleteItemRequest(table: "Inventory", key: ["productId": 1])), impossible,
                ]))
        }
        #expect(wrongKey.map(\.code) == [.validationError, .none])
        #expect(wrongKey[0].message == "The provided key element does not match the schema")
    }

    @Test("what is wrong with the request as a whole is no cancellation")
    func requestErrors() throws {
        let put = TransactWriteItem.put(PutItemRequest(table: "Inventory", item: ["productId": "a"]))
        let delete = TransactWriteItem.delete(DeleteItemRequest(table: "Inventory", key: ["productId": "a"]))
        expectRefusal(.validation, "Transaction request cannot include multiple operations on one item") {
            try store.transactWriteItems(TransactWriteItemsRequest([put, delete]))
        }
        expectRefusal(.resourceNotFound, "Requested resource not found") {
            try store.transactWriteItems(
                TransactWriteItemsRequest([.put(PutItemRequest(table: "Nowhere", item: ["productId": "a"]))]))
        }
        expectRefusal(
            .validation,
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
                + "string value. Key: productId"
        ) {
            try store.transactWriteItems(
                TransactWriteItemsRequest([.put(PutItemRequest(table: "Inventory", item: ["productId": ""]))]))
        }
        expectRefusal(.validation, "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"a\"") {
            try store.transactWriteItems(
                TransactWriteItemsRequest([
                    .put(PutItemRequest(table: "Inventory", item: ["productId": "a"], condition: "a"))
                ]))
        }
        expectRefusal(
            .validation,
            "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: "
                + "Member must have length greater than or equal to 1"
        ) { try store.transactWriteItems(TransactWriteItemsRequest([])) }
        let puts = (0..<101).map { number in
            TransactWriteItem.put(PutItemRequest(table: "Inventory", item: ["productId": .s("\(number)")]))
        }
        #expect(throws: TableError.self) { try store.transactWriteItems(TransactWriteItemsRequest(puts)) }
        try store.transactWriteItems(TransactWriteItemsRequest(Array(puts.dropLast())))
        #expect(try store.scan(ScanRequest(table: "Inventory")).count == 100)
    }

    @Test("a request with a token is carried out once within ten minutes")
    func idempotency() throws {
        try shop.stock(5)
        try store.transactWriteItems(Shop.purchase("1", by: "u", token: "token"))
        try store.transactWriteItems(Shop.purchase("1", by: "u", token: "token"))
        #expect(try shop.stock() == 4)
        do {
            try store.transactWriteItems(Shop.purchase("2", by: "u", token: "token"))
            Issue.record("another request with a used token should be refused")
        } catch let error as TableError {
            #expect(error.code == .idempotentParameterMismatch)
        }
        shop.clock.advance(by: .seconds(601))
        try store.transactWriteItems(Shop.purchase("2", by: "u", token: "token"))
        #expect(try shop.stock() == 3)
    }

    @Test("a cancelled request leaves its token unused")
    func tokenOfCancelled() throws {
        try shop.stock(0)
        #expect(reasons { try store.transactWriteItems(Shop.purchase("1", by: "u", token: "t")) }.count == 3)
        try shop.stock(1)
        try store.transactWriteItems(Shop.purchase("1", by: "u", token: "t"))
        #expect(try shop.stock() == 0)
    }

    @Test("a token that is empty or longer than 36 characters is refused")
    func tokenLength() {
        for token in ["", String(repeating: "t", count: 37)] {
            #expect(throws: TableError.self) {
                try store.transactWriteItems(Shop.purchase("1", by: "u", token: token))
            }
        }
    }

    @Test("tokens survive a restart")
    func durableTokens() throws {
        let directory = TemporaryDirectory()
        let request = TransactWriteItemsRequest(
            [
                .update(
                    UpdateItemRequest(
                        table: "Counters", key: ["id": "c"], update: "ADD n :one", values: [":one": 1]))
            ], clientRequestToken: "token")
        for _ in 0..<2 {
            let storage = try Storage.open(at: directory.path)
            let store = try TableStore(storage: storage)
            if store.listTables().isEmpty {
                try store.createTable(CreateTableRequest(name: "Counters", partitionKey: KeyAttribute("id", .s)))
            }
            try store.transactWriteItems(request, durability: .synced)
            #expect(try store.getItem(["id": "c"], from: "Counters")?["n"] == 1)
            try storage.close()
        }
    }

    @Test("a transaction that is refused inside an open one writes nothing, and the open one goes on")
    func nested() throws {
        try shop.stock(0)
        let store = store
        try shop.storage.write { transaction in
            try store.putItem(PutItemRequest(table: "Inventory", item: ["productId": "before"]), in: transaction)
            #expect(throws: TableError.self) {
                try store.transactWriteItems(Shop.purchase("1", by: "u"), in: transaction)
            }
        }
        #expect(try store.getItem(["productId": "before"], from: "Inventory") != nil)
        #expect(try store.scan(ScanRequest(table: "Orders")).count == 0)
    }

    @Test("reads of a transaction are of one moment, in the order of the requests")
    func transactGet() throws {
        try shop.stock(3)
        try store.transactWriteItems(Shop.purchase("1", by: "u"))
        let items = try store.transactGetItems(
            TransactGetItemsRequest([
                GetItemRequest(table: "Orders", key: ["userId": "u", "SK": "ORDER#1"], projection: "productId"),
                GetItemRequest(table: "Inventory", key: ["productId": "none"]),
                GetItemRequest(table: "Inventory", key: ["productId": "p1"]),
            ]))
        #expect(items == [["productId": "p1"], nil, ["productId": "p1", "stock": 2]])
    }

    @Test("a read of one item twice, or by a wrong key, is refused")
    func transactGetRefusals() {
        let get = GetItemRequest(table: "Inventory", key: ["productId": "a"])
        expectRefusal(.validation, "Transaction request cannot include multiple operations on one item") {
            _ = try store.transactGetItems(TransactGetItemsRequest([get, get]))
        }
        let found = reasons {
            _ = try store.transactGetItems(
                TransactGetItemsRequest([get, GetItemRequest(table: "Inventory", key: ["x": 1])]))
        }
        #expect(found.map(\.code) == [.none, .validationError])
    }
}
