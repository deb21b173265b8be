// PurchasesBench.swift — `shopstream bench purchases`: transactions of three conditional actions by many buyers.

import ArgumentParser
import StorageCore
import StorageTypes
import TableEngine

struct PurchasesBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purchases",
        abstract: "Buys: stock, order and payment in one conditional transaction, by many buyers at once.")

    @Option(help: "Buyers at once; each waits for an answer before buying again.")
    var buyers = 256

    @Option(help: "Purchases offered each second by all buyers together.")
    var rate: Double = 2_000

    @Option(help: "How long the load lasts.")
    var seconds: Double = 30

    @Option(help: "synced: on disk before the answer; buffered: with the operating system.")
    var durability: PurchaseDurability = .synced

    @Option(help: "Products, all in stock.")
    var products = 1_000

    @OptionGroup var data: DataOptions

    enum PurchaseDurability: String, ExpressibleByArgument, CaseIterable {
        case synced
        case buffered
    }

    func validate() throws {
        guard buyers > 0, buyers <= 100_000, products > 0, rate > 0, rate <= 10_000_000, seconds > 0 else {
            throw ValidationError("--buyers, --products, --rate and --seconds must be positive.")
        }
    }

    func run() async throws {
        try await data.withStorage { storage in
            let tables = try TableStore(storage: storage)
            try createTables(in: tables)
            print("purchases: \(buyers) buyers, \(durability.rawValue), \(Int(rate)) offered each second")
            // Orders of an earlier run in the same folder keep their numbers.
            let run = storage.clock.now.microseconds
            let (products, durability) = (products, durability == .synced ? Durability.synced : .buffered)
            let load = BuyerLoad(buyers: buyers, operationsPerSecond: rate, seconds: seconds, clock: SystemClock())
            let outcome = try await load.run { index in
                let request = Self.purchase(
                    index, order: "\(run)-\(index)", product: "prod_\(index &* 7919 % products)")
                try await tables.transactWriteItems(request, durability: durability)
            }
            LoadPrinter.total(outcome, of: "purchases")
        }
    }

    /// Makes the tables unless an earlier run left them in a given folder, and fills the shelves.
    private func createTables(in tables: TableStore) throws {
        let existing = tables.listTables()
        let requests = [
            CreateTableRequest(name: "BenchInventory", partitionKey: KeyAttribute("productId", .s)),
            CreateTableRequest(
                name: "BenchOrders", partitionKey: KeyAttribute("userId", .s), sortKey: KeyAttribute("SK", .s),
                streamViewType: .newAndOldImages),
            CreateTableRequest(
                name: "BenchPayments", partitionKey: KeyAttribute("orderId", .s), sortKey: KeyAttribute("SK", .s)),
        ]
        for request in requests where !existing.contains(request.name) { try tables.createTable(request) }
        for index in 0..<products {
            let item: Item = ["productId": .s("prod_\(index)"), "stock": 1_000_000_000]
            try tables.putItem(PutItemRequest(table: "BenchInventory", item: item))
        }
    }

    private static func purchase(_ index: Int, order: String, product: String) -> TransactWriteItemsRequest {
        return TransactWriteItemsRequest([
            .update(
                UpdateItemRequest(
                    table: "BenchInventory", key: ["productId": .s(product)], update: "SET stock = stock - :one",
                    condition: "stock > :zero", values: [":one": 1, ":zero": 0])),
            .put(
                PutItemRequest(
                    table: "BenchOrders",
                    item: [
                        "userId": .s("usr_\(index % 100_000)"), "SK": .s("ORDER#\(order)"), "productId": .s(product),
                        "amountCents": 4_999, "status": "PENDING",
                    ], condition: "attribute_not_exists(SK)")),
            .put(
                PutItemRequest(
                    table: "BenchPayments",
                    item: ["orderId": .s(order), "SK": "INTENT", "amountCents": 4_999, "status": "INITIATED"])),
        ])
    }
}
