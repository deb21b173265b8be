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

    @OptionGroup var load: LoadOptions

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
        try LoadOptions.validate(rate: rate)
        guard buyers > 0, buyers <= 100_000, products > 0 else {
            throw ValidationError("--buyers must be between 1 and 100,000, --products at least 1.")
        }
    }

    func run() async throws {
        try await data.withStorage { storage in
            let tables = try TableStore(storage: storage)
            try createTables(in: tables)
            // Orders of an earlier run in the same folder keep their numbers.
            let run = storage.clock.now.microseconds
            let (products, durability) = (products, durability == .synced ? Durability.synced : .buffered)
            let buying = BuyerLoad(
                buyers: buyers, operationsPerSecond: rate, seconds: load.duration, clock: SystemClock())
            StandardError.write("purchases: \(Int(load.duration.rounded(.up))) s of load\n")
            let outcome = try await buying.run { index in
                let request = Self.purchase(
                    index, order: "\(run)-\(index)", product: "prod_\(index &* 7919 % products)")
                try await tables.transactWriteItems(request, durability: durability)
            }
            let title = "purchases: \(buyers) buyers, \(self.durability.rawValue)"
            FigureSection("purchases", title, offeredRate: rate, outcome).print(asJSON: load.json)
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
