import StorageCore
import Testing

@testable import TableEngine

/// A store in memory with the tables of a shop, and a clock that a test moves.
struct Shop {
    let clock = ManualClock()
    let storage: Storage
    let store: TableStore

    init(streamViewType: StreamViewType? = .newAndOldImages) throws {
        storage = try Storage.inMemory(clock: clock)
        store = try TableStore(storage: storage)
        try store.createTable(
            CreateTableRequest(
                name: "Inventory", partitionKey: KeyAttribute("productId", .s), streamViewType: streamViewType))
        try store.createTable(
            CreateTableRequest(
                name: "Orders", partitionKey: KeyAttribute("userId", .s), sortKey: KeyAttribute("SK", .s),
                streamViewType: streamViewType))
        try store.createTable(
            CreateTableRequest(
                name: "Payments", partitionKey: KeyAttribute("orderId", .s), sortKey: KeyAttribute("SK", .s)))
    }

    /// Synced, so that the stream shows it at once.
    func stock(_ count: Int, of product: String = "p1") throws {
        try store.putItem(
            PutItemRequest(table: "Inventory", item: ["productId": .s(product), "stock": .n(count)]),
            durability: .synced)
    }

    func stock(of product: String = "p1") throws -> Int? {
        try store.getItem(["productId": .s(product)], from: "Inventory")?["stock"]?.int
    }

    /// The purchase of the shop: stock, order, payment.
    static func purchase(
        _ order: String, by user: String, of product: String = "p1", token: String? = nil
    ) -> TransactWriteItemsRequest {
        TransactWriteItemsRequest(
            [
                .update(
                    UpdateItemRequest(
                        table: "Inventory", key: ["productId": .s(product)], update: "SET stock = stock - :one",
                        condition: "stock > :zero", values: [":one": 1, ":zero": 0])),
                .put(
                    PutItemRequest(
                        table: "Orders",
                        item: [
                            "userId": .s(user), "SK": .s("ORDER#\(order)"), "productId": .s(product),
                            "status": "PENDING",
                        ], condition: "attribute_not_exists(SK)")),
                .put(
                    PutItemRequest(
                        table: "Payments", item: ["orderId": .s(order), "SK": "INTENT", "status": "INITIATED"])),
            ], clientRequestToken: token)
    }
}

/// Checks that `body` is refused with this exception and text.
func expectRefusal(
    _ code: TableError.Code, _ message: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let error as TableError {
        #expect(error.code == code, sourceLocation: sourceLocation)
        #expect(error.message == message, sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}
