import Foundation
import StorageCore
import TableEngine
import Testing

/// The code of Docs/guides/tables.md, run.
@Suite("The guide to tables")
struct GuideTests {
    @Test("the guide's code does what it says")
    func code() async throws {
        let storage = try Storage.inMemory()
        let store = try makeTables(storage)
        try await buy(store)
        try readOrders(store)
        try await readStream(store)
    }

    private func makeTables(_ storage: Storage) throws -> TableStore {
        let store = try TableStore(storage: storage)
        try store.createTable(
            CreateTableRequest(name: "Inventory", partitionKey: KeyAttribute("productId", .s)))
        try store.createTable(
            CreateTableRequest(
                name: "Orders", partitionKey: KeyAttribute("userId", .s), sortKey: KeyAttribute("SK", .s),
                streamViewType: .newAndOldImages))

        let item: Item = ["productId": "prod_001", "stock": 12, "price": 19.99, "tags": .ss(["new", "sale"])]
        try store.putItem(PutItemRequest(table: "Inventory", item: item), durability: .synced)

        let stock = try store.getItem(["productId": "prod_001"], from: "Inventory")?["stock"]?.int
        #expect(stock == 12)
        return store
    }

    private func buy(_ store: TableStore) async throws {
        try update(store)
        try purchase(store)
        try purchase(store)
        let item = try store.getItem(["productId": "prod_001"], from: "Inventory")
        #expect(item?["stock"] == 10)
        #expect(item?["status"] == "SELLING")
    }

    private func update(_ store: TableStore) throws {
        try store.updateItem(
            UpdateItemRequest(
                table: "Inventory", key: ["productId": "prod_001"], update: "SET stock = stock - :one, #s = :status",
                condition: "stock > :zero", names: ["#s": "status"],
                values: [":one": 1, ":zero": 0, ":status": "SELLING"]))
    }

    private func purchase(_ store: TableStore) throws {
        let purchase = TransactWriteItemsRequest(
            [
                .update(
                    UpdateItemRequest(
                        table: "Inventory", key: ["productId": "prod_001"], update: "SET stock = stock - :one",
                        condition: "stock > :zero", values: [":one": 1, ":zero": 0])),
                .put(
                    PutItemRequest(
                        table: "Orders", item: ["userId": "usr_8821", "SK": "ORDER#1", "status": "PENDING"],
                        condition: "attribute_not_exists(SK)")),
            ], clientRequestToken: "order-1")
        do {
            try store.transactWriteItems(purchase, durability: .synced)
        } catch let error as TableError where error.code == .transactionCanceled {
            let codes = error.cancellationReasons.map(\.code)
            print(codes[0] == .conditionalCheckFailed ? "out of stock" : "duplicate order")
        }
    }

    private func readOrders(_ store: TableStore) throws {
        let page = try store.query(
            QueryRequest(
                table: "Orders", keyCondition: "userId = :user AND begins_with(SK, :orders)",
                values: [":user": "usr_8821", ":orders": "ORDER#"], scanIndexForward: false, limit: 20))
        for order in page.items { print(order) }
        #expect(page.items.map { $0["status"] } == ["PENDING"])
    }

    private func readStream(_ store: TableStore) async throws {
        let stream = try store.stream(of: "Orders")
        var position: StreamSequenceNumber?
        try await stream.waitForRecords(after: position)
        for record in try stream.records(after: position, limit: 100) {
            print(record.eventName, record.keys, record.newImage ?? [:])
            position = record.sequenceNumber
        }
        #expect(position != nil)
    }

    @Test("every line of the guide's code is run here")
    func completeness() throws {
        let here = URL(fileURLWithPath: #filePath)
        let guide = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Docs/guides/tables.md")
        let source = Set(try lines(of: String(contentsOf: here, encoding: .utf8)))
        let blocks = try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
        #expect(blocks.count == 5)
        for block in blocks {
            let code = block.components(separatedBy: "```")[0]
            for line in lines(of: code) where !source.contains(line) {
                Issue.record("the guide has a line that is not run: \(line)")
            }
        }
    }

    private func lines(of text: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
