import StorageCore
import Testing

@testable import TableEngine

@Suite("Crashes")
struct CrashTests {
    /// What the buyers of a run were told.
    private struct Outcome {
        var acknowledged: [Int] = []
        var isReady = false
    }

    private func options(_ fileSystem: SimulatedFileSystem) -> StorageOptions {
        var options = StorageOptions()
        options.fileSystem = fileSystem
        options.clock = ManualClock()
        options.backgroundWork = .manual
        return options
    }

    /// Makes the shop and sells four units to five buyers, each sale synced, until the power goes.
    private func run(on fileSystem: SimulatedFileSystem) -> Outcome {
        var outcome = Outcome()
        do {
            let storage = try Storage.open(at: "/shop", options: options(fileSystem))
            let store = try TableStore(storage: storage)
            try store.createTable(
                CreateTableRequest(
                    name: "Inventory", partitionKey: KeyAttribute("productId", .s), streamViewType: .newAndOldImages))
            try store.createTable(
                CreateTableRequest(
                    name: "Orders", partitionKey: KeyAttribute("userId", .s), sortKey: KeyAttribute("SK", .s),
                    streamViewType: .newAndOldImages))
            try store.createTable(
                CreateTableRequest(
                    name: "Payments", partitionKey: KeyAttribute("orderId", .s), sortKey: KeyAttribute("SK", .s)))
            try store.putItem(
                PutItemRequest(table: "Inventory", item: ["productId": "p1", "stock": 4]), durability: .synced)
            outcome.isReady = true
            for order in 0..<5 {
                do {
                    try store.transactWriteItems(
                        Shop.purchase("\(order)", by: "u", token: "t\(order)"), durability: .synced)
                    outcome.acknowledged.append(order)
                } catch let error as TableError where error.code == .transactionCanceled {}
                if order == 2 { try storage.flush() }
            }
            try storage.close()
        } catch {
            // The power is off; what was acknowledged so far stands.
        }
        return outcome
    }

    private func check(_ fileSystem: SimulatedFileSystem, _ outcome: Outcome, _ place: Comment) throws {
        let storage = try Storage.open(at: "/shop", options: options(fileSystem))
        let store = try TableStore(storage: storage)
        #expect(try storage.verify().problems == [], place)
        guard outcome.isReady else { return }
        let orders = try store.scan(ScanRequest(table: "Orders")).items.compactMap { $0["SK"]?.string }
        let stock = try store.getItem(["productId": "p1"], from: "Inventory")?["stock"]?.int
        #expect(stock == 4 - orders.count, place)
        #expect(try store.scan(ScanRequest(table: "Payments")).count == orders.count, place)
        for order in outcome.acknowledged { #expect(orders.contains("ORDER#\(order)"), place) }
        let stream = try store.stream(of: "Orders")
        #expect(try stream.records(after: nil, limit: 100, level: .visible).count == orders.count, place)
        // A retry of what was acknowledged does nothing, by its token.
        for order in outcome.acknowledged {
            try store.transactWriteItems(Shop.purchase("\(order)", by: "u", token: "t\(order)"))
        }
        #expect(try store.getItem(["productId": "p1"], from: "Inventory")?["stock"]?.int == stock, place)
        try storage.close()
    }

    @Test("after a crash at any step sales are whole, acknowledged ones are there, and the stream tells them all")
    func everyStep() throws {
        let whole = SimulatedFileSystem(seed: 1)
        #expect(run(on: whole).acknowledged == [0, 1, 2, 3])
        let count = whole.operationCount
        for step in 1...count {
            let fileSystem = SimulatedFileSystem(seed: 1)
            fileSystem.cutPower(atOperation: step)
            let outcome = run(on: fileSystem)
            for survivors in SimulatedFileSystem.Survivors.allCases {
                try check(fileSystem.crash(survivors), outcome, "step \(step) of \(count), \(survivors)")
            }
        }
    }
}
