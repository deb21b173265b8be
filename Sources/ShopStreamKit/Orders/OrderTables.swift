// OrderTables.swift — the three tables of the order service, and the items in them.

internal import TableEngine

/// `Inventory (productId)`, `Orders (userId, SK = "ORDER#<id>")`, `Payments (orderId, SK = "INTENT")`.
enum OrderTables {
    static let inventory = "Inventory"
    static let orders = "Orders"
    static let payments = "Payments"
    static let orderPrefix = "ORDER#"
    static let intent = "INTENT"

    static func create(in tables: TableStore) throws {
        let existing = Set(tables.listTables())
        let requests = [
            CreateTableRequest(name: inventory, keySchema: KeySchema(partitionKey: KeyAttribute("productId", .s))),
            CreateTableRequest(
                name: orders, keySchema: schema("userId", "SK"), streamViewType: .newAndOldImages),
            CreateTableRequest(name: payments, keySchema: schema("orderId", "SK")),
        ]
        for request in requests where !existing.contains(request.name) { _ = try tables.createTable(request) }
    }

    private static func schema(_ partition: String, _ sort: String) -> KeySchema {
        KeySchema(partitionKey: KeyAttribute(partition, .s), sortKey: KeyAttribute(sort, .s))
    }

    static func orderKey(_ orderID: String, _ userID: String) -> Item {
        ["userId": .s(userID), "SK": .s(orderPrefix + orderID)]
    }

    static func paymentKey(_ orderID: String) -> Item {
        ["orderId": .s(orderID), "SK": .s(intent)]
    }

    /// The order in an item of the `Orders` table; nil if the item is something else.
    static func order(_ item: Item) -> Order? {
        guard let key = item["SK"]?.string, key.hasPrefix(orderPrefix), let userID = item["userId"]?.string,
            let productID = item["productId"]?.string, let amount = item["amountCents"]?.int,
            let status = item["status"]?.string.flatMap(OrderStatus.init), let createdAt = item["createdAt"]?.int
        else { return nil }
        return Order(
            orderID: String(key.dropFirst(orderPrefix.count)), userID: userID, productID: productID,
            amountCents: amount, status: status, createdAt: StorageInstant(milliseconds: Int64(createdAt)))
    }
}
