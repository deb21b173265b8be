// The power goes at a sample of moments of buying and fanning out. Whatever of it survives: acknowledged orders are all
// there; units sold, orders and payments are equally many; and every order takes effect exactly once.

import ShopStreamKit
import Testing

@Suite("Purchases under power cuts")
struct PurchaseCrashTests {
    private static let stock = 5
    /// Every so many operations of the disk; coprime to the pattern of a commit, so that samples wander over it.
    private static let stride = 5

    private func open(_ machine: Machine) throws -> ShopStream {
        try machine.open { $0.cachePersistence = .none }
    }

    /// Opens, buys, fans out, flushes, until the power goes. Gives the orders that were acknowledged.
    private func trade(_ machine: Machine) async -> Set<String> {
        var acknowledged: Set<String> = []
        do {
            let shop = try open(machine)
            try await shop.createUser("usr_1")
            try await shop.orders.setStock(Self.stock, of: "prod_001")
            for index in 0..<6 {
                let refusal = try await refusal {
                    acknowledged.insert(try await shop.orders.place(order("usr_1", "prod_001", "ord_\(index)")).orderID)
                }
                #expect(refusal?.reason == (index < Self.stock ? nil : .outOfStock))
                if index == 1 { try await shop.fanOut.drain() }
                if index == 2 { try shop.storage.flush() }
                if index == 3 { _ = try await shop.fanOut.fulfilment.drain() }
            }
            try await shop.fanOut.drain()
            try await shop.close()
        } catch {
            #expect(machine.disk.isPowerOff, "only a power cut may fail: \(error)")
        }
        return acknowledged
    }

    private func check(_ machine: Machine, _ acknowledged: Set<String>, _ place: String) async throws {
        let shop = try open(machine)
        let orders = try shop.orderIDs
        #expect(orders.isSuperset(of: acknowledged), "\(place)")
        let payments = Set(try shop.items(of: "Payments").compactMap { $0["orderId"]?.string })
        #expect(payments == orders, "\(place)")
        if let stock = try await shop.orders.stock(of: "prod_001") {
            #expect(stock == Self.stock - orders.count, "\(place)")
        } else {
            #expect(orders.isEmpty, "\(place)")
        }
        try await shop.fanOut.drain()
        #expect(try shop.purchaseEdges == orders.sorted(), "\(place)")
        #expect(try await shop.shipAll() == orders.sorted(), "\(place)")
        if try await shop.users.profile(of: "usr_1") != nil {
            #expect(try await shop.users.orderHistory(of: "usr_1") == orders.sorted(), "\(place)")
        } else {
            #expect(orders.isEmpty, "\(place): the profile was there before the first synced order")
        }
        #expect(try shop.verify().problems == [], "\(place)")
    }

    @Test(
        "after a power cut, orders, payments, stock and every consumer agree",
        arguments: SimulatedFileSystem.Survivors.allCases, [false, true])
    func powerCut(survivors: SimulatedFileSystem.Survivors, usesSQLite: Bool) async throws {
        let whole = Machine(disk: SimulatedFileSystem(seed: 1), usesSQLite: usesSQLite)
        #expect(await trade(whole).count == Self.stock)
        let operationCount = whole.disk.operationCount
        #expect(operationCount > 60)
        for operation in Swift.stride(from: 1, through: operationCount, by: Self.stride) {
            let machine = Machine(disk: SimulatedFileSystem(seed: UInt64(operation)), usesSQLite: usesSQLite)
            machine.disk.cutPower(atOperation: operation)
            let acknowledged = await trade(machine)
            try await check(
                machine.crashed(survivors), acknowledged,
                "operation \(operation) of \(operationCount), \(survivors)\(usesSQLite ? ", SQLite" : "")")
        }
    }
}
