import Foundation
import StorageCore
import Testing

@testable import TableEngine

/// Answers recorded from the service, as `aws-recorded/test_dynamodb.snapshot.json` holds them.
enum Recording {
    static let file: URL? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let folder =
            ProcessInfo.processInfo.environment["SHOPSTREAM_CONFORMANCE"].map { URL(fileURLWithPath: $0) }
            ?? root.appendingPathComponent("../shared/conformance")
        let file = folder.appendingPathComponent("aws-recorded/test_dynamodb.snapshot.json")
        return FileManager.default.fileExists(atPath: file.path) ? file : nil
    }()

    static var isPresent: Bool { file != nil }

    /// What the service answered in one of the recorded tests.
    static func content(_ test: String) throws -> [String: Any] {
        let data = try Data(contentsOf: try #require(file))
        let all = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
        let entry = try #require(all.first { $0.key.hasSuffix("::" + test) })
        return try #require(entry.value["recorded-content"] as? [String: Any])
    }

    static func item(_ json: Any?) throws -> Item? {
        guard let json else { return nil }
        let attributes = try #require(json as? [String: [String: Any]])
        return Item(try attributes.map { ($0.key, try value($0.value)) })
    }

    private static func value(_ json: [String: Any]) throws -> AttributeValue {
        switch try #require(json.first) {
        case ("S", let text as String): return .s(text)
        case ("N", let text as String): return try .number(text)
        default: throw TableError(.validation, "The recordings hold a type that this test does not read.")
        }
    }
}

@Suite("Answers recorded from the service", .enabled(if: Recording.isPresent))
struct RecordedStreamTests {
    let storage: Storage
    let store: TableStore

    init() throws {
        storage = try Storage.inMemory()
        store = try TableStore(storage: storage)
    }

    private func makeTable(_ key: String, _ view: StreamViewType) throws {
        try store.createTable(
            CreateTableRequest(name: "Table", partitionKey: KeyAttribute(key, .s), streamViewType: view))
    }

    private func put(_ item: Item) throws {
        try store.putItem(PutItemRequest(table: "Table", item: item))
    }

    private func update(_ key: Item, _ text: String, _ values: [String: AttributeValue]) -> UpdateItemRequest {
        UpdateItemRequest(table: "Table", key: key, update: text, values: values)
    }

    /// Compares the stream with the recorded records, field by field.
    private func expectRecords(of test: String) throws {
        let page = try #require(try Recording.content(test)["get-records"] as? [String: Any])
        let recorded = try #require(page["Records"] as? [[String: Any]])
        try storage.sync()
        let records = try store.stream(of: "Table").records(after: nil, limit: 100)
        #expect(records.count == recorded.count)
        for (record, expected) in zip(records, recorded) {
            let change = try #require(expected["dynamodb"] as? [String: Any])
            #expect(record.eventName.rawValue == expected["eventName"] as? String)
            #expect(record.eventVersion == expected["eventVersion"] as? String)
            #expect(record.eventSource == expected["eventSource"] as? String)
            #expect(record.sizeBytes == change["SizeBytes"] as? Int)
            #expect(record.streamViewType.rawValue == change["StreamViewType"] as? String)
            #expect(try record.keys == Recording.item(change["Keys"]))
            #expect(try record.newImage == Recording.item(change["NewImage"]))
            #expect(try record.oldImage == Recording.item(change["OldImage"]))
        }
    }

    @Test("the records of transactions")
    func transactions() throws {
        try makeTable("id", .newAndOldImages)
        try put(["id": "Fred"])
        try store.transactWriteItems(
            TransactWriteItemsRequest([
                .put(PutItemRequest(table: "Table", item: ["id": "NewKey"])),
                .put(PutItemRequest(table: "Table", item: ["id": "Fred"])),
            ]))
        let both: [String: AttributeValue] = [":a": "value1", ":b": "value2"]
        try store.transactWriteItems(
            TransactWriteItemsRequest([.update(update(["id": "NewKey"], "SET attr1 = :a, attr2 = :b", both))]))
        try store.transactWriteItems(
            TransactWriteItemsRequest([.update(update(["id": "NonExistentKey"], "SET attr1 = :a", [":a": "value1"]))]))
        try store.transactWriteItems(
            TransactWriteItemsRequest([.delete(DeleteItemRequest(table: "Table", key: ["id": "NewKey"]))]))
        try put(["id": "Fred", "name": "Fred"])
        try expectRecords(of: "test_transact_write_items_streaming")
    }

    @Test("the records of batches")
    func batches() throws {
        try makeTable("id", .newAndOldImages)
        try put(["id": "Fred"])
        try store.batchWriteItem(["Table": [.put(["id": "Fred"]), .put(["id": "NewKey"])]])
        try store.batchWriteItem(["Table": [.delete(key: ["id": "NewKey"])]])
        try put(["id": "Fred", "name": "Fred"])
        try expectRecords(of: "test_batch_write_items_streaming")
    }

    @Test("the records of a view of keys only")
    func keysOnly() throws {
        try makeTable("Username", .keysOnly)
        for user in ["Fred", "Alice"] as [AttributeValue] {
            try put(["Username": user])
            try store.updateItem(update(["Username": user], "SET S = :v", [":v": "x"]))
            try store.deleteItem(DeleteItemRequest(table: "Table", key: ["Username": user]))
        }
        try expectRecords(of: "test_dynamodb_stream_stream_view_type")
    }

    @Test("the records of updates, of which the second time the same is none")
    func updates() throws {
        try makeTable("id", .newAndOldImages)
        let values: [[String: AttributeValue]] = [
            [":a": "value1", ":b": "value2"], [":a": "value2", ":b": "value3"], [":a": "value2", ":b": "value3"],
        ]
        for values in values {
            try store.updateItem(update(["id": "my-item-id"], "SET attr1 = :a, attr2 = :b", values))
        }
        try expectRecords(of: "test_dynamodb_stream_records_with_update_item")
    }

    @Test("what puts return")
    func returnValues() throws {
        try store.createTable(CreateTableRequest(name: "Table", partitionKey: KeyAttribute("id", .s)))
        let content = try Recording.content("test_return_values_in_put_item")
        func attributes(_ answer: String) throws -> Item? {
            try Recording.item((content[answer] as? [String: Any])?["Attributes"])
        }
        let item: Item = ["id": "id1", "data": "foobar"]
        #expect(try store.putItem(PutItemRequest(table: "Table", item: item)) == attributes("PutFirstItem"))
        let again = PutItemRequest(table: "Table", item: item, returnValues: .allOld)
        #expect(try store.putItem(again) == attributes("PutFirstItemOLD"))
        #expect(try store.putItem(again) == attributes("PutFirstItemB"))
        let second = PutItemRequest(table: "Table", item: ["id": "id2"], returnValues: .allOld)
        #expect(try store.putItem(second) == attributes("PutSecondItem"))
    }

    @Test("the error of a failed condition, with its item")
    func failedCondition() throws {
        try store.createTable(CreateTableRequest(name: "Table", partitionKey: KeyAttribute("id", .s)))
        let content = try Recording.content("test_return_values_on_conditions_check_failure")
        let answer = try #require(content["items"] as? [String: Any])
        let error = try #require(answer["Error"] as? [String: String])
        let item = try #require(try Recording.item(answer["Item"]))
        try put(item)
        do {
            try store.deleteItem(
                DeleteItemRequest(
                    table: "Table", key: ["id": "456"], condition: "price < :low", values: [":low": 600],
                    returnValuesOnConditionCheckFailure: .allOld))
            Issue.record("the condition should have failed")
        } catch let refusal as TableError {
            #expect(refusal.exceptionName == error["Code"])
            #expect(refusal.message == error["Message"])
            #expect(refusal.item == item)
        }
    }

    @Test("the texts of errors")
    func errorTexts() throws {
        func recorded(_ test: String, _ key: String) throws -> String {
            let text = try #require(try Recording.content(test)[key] as? String)
            return text.replacingOccurrences(of: "<test-table>", with: "Table")
        }
        func text(_ operation: String, _ body: () throws -> Void) -> String? {
            do { try body() } catch let error as TableError {
                return
                    "An error occurred (\(error.exceptionName)) when calling the \(operation) operation: \(error.message)"
            } catch {}
            return nil
        }
        try store.createTable(CreateTableRequest(name: "Table", partitionKey: KeyAttribute("id", .s)))
        #expect(
            try text("CreateTable") {
                try store.createTable(CreateTableRequest(name: "Table", partitionKey: KeyAttribute("id", .s)))
            } == recorded("test_create_duplicate_table", "Error"))
        #expect(
            try text("TransactWriteItems") {
                try store.transactWriteItems(
                    TransactWriteItemsRequest([
                        .conditionCheck(
                            ConditionCheck(table: "Table", key: ["id": "a"], condition: "attribute_exists(id)")),
                        .put(PutItemRequest(table: "Table", item: ["id": "b"])),
                    ]))
            } == recorded("test_transaction_write_canceled", "Error"))
        #expect(
            try text("BatchWriteItem") {
                try store.batchWriteItem(["Table": [.delete(key: ["wrong": "a"])]])
            } == recorded("test_batch_write_not_matching_schema", "ValidationException"))
    }
}
