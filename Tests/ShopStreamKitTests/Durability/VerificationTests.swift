// A checkpoint is a platform of its own, and verify() sees what contradicts itself in any engine.

import ShopStreamKit
import Testing

@Suite("Checkpoint and verification")
struct VerificationTests {
    private func filledShop(_ machine: Machine) async throws -> ShopStream {
        let shop = try machine.open()
        try await shop.createUser("usr_1")
        try await shop.users.verifyEmail(of: "usr_1")
        try await shop.orders.setStock(10, of: "prod_001")
        for index in 0..<3 { _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_\(index)")) }
        try await shop.fanOut.drain()
        try await shop.live.join("live_1", "usr_1")
        try await shop.sessions.addToCart("prod_001", quantity: 1, of: "usr_1")
        return shop
    }

    @Test("a checkpoint opens, verifies, and holds all services at its moment; work goes on meanwhile")
    func checkpoint() async throws {
        let machine = Machine()
        let shop = try await filledShop(machine)
        try shop.checkpoint(to: "/copy")
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_after"))
        try await shop.fanOut.drain()
        let copy = try machine.open("/copy")
        #expect(try copy.verify().problems == [])
        #expect(try copy.orderIDs == ["ord_0", "ord_1", "ord_2"])
        #expect(try await copy.orders.stock(of: "prod_001") == 7)
        #expect(try copy.purchaseEdges == ["ord_0", "ord_1", "ord_2"])
        #expect(try await copy.users.orderHistory(of: "usr_1") == ["ord_0", "ord_1", "ord_2"])
        #expect(try await copy.sessions.cart(of: "usr_1") == [CartLine(productID: "prod_001", quantity: 1)])
        #expect(try await copy.events.events(ofSession: "live_1", after: .distantPast, limit: 5).count == 1)
        _ = try await copy.orders.place(order("usr_1", "prod_001", "ord_copy"))
        #expect(try !shop.orderIDs.contains("ord_copy"))
        #expect(try await shop.shipAll() == ["ord_0", "ord_1", "ord_2", "ord_after"])
        try await copy.close()
        try await shop.close()
    }

    @Test("a checkpoint into a directory that holds something is refused")
    func occupied() async throws {
        let machine = Machine()
        let shop = try await filledShop(machine)
        try shop.checkpoint(to: "/copy")
        #expect(throws: StorageError.self) { try shop.checkpoint(to: "/copy") }
        #expect(throws: StorageError.self) { try shop.checkpoint(to: "/shop") }
        #expect(try shop.verify().problems == [])
    }

    @Test(
        "an entry that vanished is reported",
        arguments: [
            "documents/shopstream.users/index/unique_verified_email", "wide/shopstream.user_events",
            "wide/shopstream.session_events", "table/Orders", "graph/adjacency", "graph/unique",
        ])
    func plantedInconsistency(keyspaceName: String) async throws {
        let shop = try await filledShop(Machine())
        let report = try shop.verify()
        #expect(report.isHealthy)
        #expect(report.crossChecks.count >= 5)
        let keyspace = try #require(shop.storage.existingKeyspace(keyspaceName))
        try removeFirstEntry(of: keyspace, from: shop)
        #expect(try !shop.verify().problems.isEmpty)
    }

    private func removeFirstEntry(of keyspace: Keyspace, from shop: ShopStream) throws {
        try shop.storage.write { transaction in
            var cursor = try transaction.view.cursor(keyspace)
            try cursor.seekToFirst()
            let isValid = cursor.isValid
            try #require(isValid)
            try transaction.delete(keyspace, cursor.key)
        }
    }
}
