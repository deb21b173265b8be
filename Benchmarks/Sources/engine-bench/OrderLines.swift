// Purchases as one TransactWriteItems of three actions, and reads of single items.

import BenchmarkKit
import StorageCore
import TableEngine

struct OrderLines {
    let context: EngineContext
    private static let names = ["purchase, buffered", "purchase, synced, 256 buyers", "get an item"]
    private var workload: ShopWorkload { context.workload }
    private var sizes: EngineSizes { context.sizes }

    func run() async throws {
        guard context.includesAny(of: Self.names) else { return }
        context.report.heading("Orders: inventory, order and payment in one transaction of three conditional actions")
        try await context.report.line(
            Self.names[0], ours: { try await buffered() }, peerName: SQLiteDatabase.name, peer: { try await peer() })
        if context.report.includes(Self.names[1]) {
            context.report.note(try SyncProbe.describe(context.directory))
            try await context.report.line(Self.names[1], ours: { try await synced() })
        }
        try await context.report.line(
            Self.names[2], ours: { try await getItems() }, peerName: SQLiteDatabase.name,
            peer: { try await peerItems() })
    }

    // MARK: Ours

    private func buffered() async throws -> Timing {
        try await withTables { tables in
            try measure { meter in
                for index in 0..<sizes.purchases {
                    try tables.transactWriteItems(workload.purchaseRequest(index))
                    meter.lap()
                }
                return UInt64(sizes.purchases)
            }
        }
    }

    /// Every buyer is a task that waits for its purchase to be on disk before it buys again.
    private func synced() async throws -> Timing {
        try await withTables { tables in
            try await measure { meter in
                let (workload, each) = (workload, sizes.syncedPurchasesPerBuyer)
                let all = try await inTasks(sizes.syncedBuyers) { buyer, meter in
                    for index in buyer * each..<(buyer + 1) * each {
                        try await tables.transactWriteItems(workload.purchaseRequest(index), durability: .synced)
                        meter.lap()
                    }
                }
                meter.add(all)
                return UInt64(all.operations)
            }
        }
    }

    private func getItems() async throws -> Timing {
        try await withTables { tables in
            try measure { meter in
                var stock: UInt64 = 0
                for step in 0..<sizes.itemReads {
                    let item = try tables.getItem(["productId": .s(product(ofRead: step))], from: "Inventory")
                    stock &+= UInt64(item?["stock"]?.int ?? 0)
                    meter.lap()
                }
                return stock
            }
        }
    }

    /// The three tables with every product in stock for the whole line.
    private func withTables(_ body: (TableStore) async throws -> Timing) async throws -> Timing {
        try await withFreshStorage(in: context.directory) { storage, _ in
            let tables = try TableStore(storage: storage)
            try createTables(in: tables)
            return try await body(tables)
        }
    }

    func createTables(in tables: TableStore) throws {
        try tables.createTable(CreateTableRequest(name: "Inventory", partitionKey: KeyAttribute("productId", .s)))
        try tables.createTable(
            CreateTableRequest(
                name: "Orders", partitionKey: KeyAttribute("userId", .s), sortKey: KeyAttribute("SK", .s),
                streamViewType: .newAndOldImages))
        try tables.createTable(
            CreateTableRequest(
                name: "Payments", partitionKey: KeyAttribute("orderId", .s), sortKey: KeyAttribute("SK", .s)))
        for index in 0..<workload.productCount {
            let item: Item = [
                "productId": .s(workload.product(index)), "stock": .n(max(sizes.purchases, sizes.mixedPurchases)),
                "title": .s("Product number \(index)"),
            ]
            try tables.putItem(PutItemRequest(table: "Inventory", item: item))
        }
    }

    private func product(ofRead step: Int) -> String {
        workload.product(randomIndex(step: step, seed: workload.seed, count: workload.productCount))
    }

    // MARK: The peer

    private func peer() async throws -> Timing {
        try await withScratchDirectory(in: context.directory) { directory in
            let orders = try SQLiteOrders(directory: directory, workload: workload, stock: sizes.purchases)
            return try measure { meter in
                for index in 0..<sizes.purchases {
                    try orders.purchase(index, of: workload)
                    meter.lap()
                }
                return UInt64(sizes.purchases)
            }
        }
    }

    private func peerItems() async throws -> Timing {
        try await withScratchDirectory(in: context.directory) { directory in
            let orders = try SQLiteOrders(directory: directory, workload: workload, stock: sizes.purchases)
            return try measure { meter in
                var stock: UInt64 = 0
                for step in 0..<sizes.itemReads {
                    stock &+= UInt64(try orders.stock(of: product(ofRead: step)))
                    meter.lap()
                }
                return stock
            }
        }
    }
}

extension ShopWorkload {
    func purchaseRequest(_ index: Int) -> TransactWriteItemsRequest {
        let (order, user, product) = (
            order(index), user(ofOrder: index), product(ofOrder: index)
        )
        let amount = amountCents(ofOrder: index)
        return TransactWriteItemsRequest([
            .update(
                UpdateItemRequest(
                    table: "Inventory", key: ["productId": .s(product)], update: "SET stock = stock - :one",
                    condition: "stock > :zero", values: [":one": 1, ":zero": 0])),
            .put(
                PutItemRequest(
                    table: "Orders",
                    item: [
                        "userId": .s(user), "SK": .s("ORDER#\(order)"), "productId": .s(product),
                        "amountCents": .n(amount), "status": "PENDING", "createdAt": "2025-03-10T14:00:00Z",
                    ], condition: "attribute_not_exists(SK)")),
            .put(
                PutItemRequest(
                    table: "Payments",
                    item: ["orderId": .s(order), "SK": "INTENT", "amountCents": .n(amount), "status": "INITIATED"])),
        ])
    }
}
