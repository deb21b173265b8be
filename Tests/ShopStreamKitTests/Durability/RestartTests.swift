// A restart, a killed process, a power cut: what was acknowledged is there, and the services agree about it.

import ShopStreamKit
import Testing

@Suite("Restart")
struct RestartTests {
    /// Something in every service.
    private func fill(_ shop: ShopStream) async throws -> String {
        try await shop.createUser("usr_1")
        try await shop.orders.setStock(10, of: "prod_001")
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1"))
        try await shop.fanOut.drain()
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_2"))
        try await shop.recommendations.recordView(of: "prod_001", by: "usr_2")
        try await shop.live.say("hello", by: "usr_1", in: "live_1")
        try await shop.sessions.addToCart("prod_001", quantity: 2, of: "usr_1")
        return try await shop.sessions.signIn("usr_1")
    }

    private func expectFilled(_ shop: ShopStream, token: String?) async throws {
        #expect(try await shop.users.orderHistory(of: "usr_1") == ["ord_1"])
        #expect(try await shop.orders.stock(of: "prod_001") == 8)
        #expect(try await shop.orders.payment(of: "ord_2") == .initiated)
        #expect(try shop.purchaseEdges == ["ord_1"])
        #expect(try await shop.fulfilment.backlog() == 1)
        #expect(try await shop.events.events(ofSession: "live_1", after: .distantPast, limit: 9).map(\.type) == [.chat])
        if let token {
            #expect(try await shop.sessions.authenticate(token) == "usr_1")
            #expect(try await shop.sessions.cart(of: "usr_1") == [CartLine(productID: "prod_001", quantity: 2)])
            #expect(try await shop.live.recentChat(of: "live_1", limit: 9).map(\.text) == ["hello"])
        }
        try await shop.fanOut.drain()
        #expect(try await shop.users.orderHistory(of: "usr_1") == ["ord_1", "ord_2"])
        #expect(try shop.purchaseEdges == ["ord_1", "ord_2"])
        #expect(try await shop.shipAll() == ["ord_1", "ord_2"])
        #expect(try shop.verify().problems == [])
    }

    @Test("closed and opened again, every service has everything, and the fan-out goes on where it was")
    func restart() async throws {
        let machine = Machine()
        let shop = try machine.open()
        let token = try await fill(shop)
        try await shop.close()
        try await expectFilled(machine.open(), token: token)
    }

    @Test("without persistence of the cache a restart signs everyone out and loses nothing else")
    func volatileCache() async throws {
        let machine = Machine()
        let shop = try machine.open { $0.cachePersistence = .none }
        let token = try await fill(shop)
        try await shop.close()
        let reopened = try machine.open { $0.cachePersistence = .none }
        #expect(try await reopened.sessions.authenticate(token) == nil)
        try await expectFilled(reopened, token: nil)
    }

    @Test("a directory that is open can't be opened a second time, nor used when it is closed")
    func exclusive() async throws {
        let machine = Machine()
        let shop = try machine.open()
        let error = #expect(throws: StorageError.self) { _ = try machine.open() }
        #expect(error?.code == .locked)
        try await shop.createUser("usr_1")
        try await shop.close()
        await #expect(throws: StorageError.self) { try await shop.createUser("usr_2") }
        await #expect(throws: StorageError.self) { _ = try await shop.orders.place(order("usr_1", token: "tok")) }
        await #expect(throws: StorageError.self) { try await shop.live.say("hello", by: "usr_1", in: "live_1") }
        await #expect(throws: StorageError.self) {
            try await shop.recommendations.recordView(of: "prod_001", by: "usr_1")
        }
        #expect(try await machine.open().users.profile(of: "usr_1") != nil)
    }

    @Test("after a failed sync the platform refuses orders until it is closed and opened again")
    func failedSync() async throws {
        let machine = Machine()
        let shop = try machine.open()
        try await shop.orders.setStock(10, of: "prod_001")
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1"))
        _ = try await shop.sessions.signIn("usr_1")
        machine.disk.failOperation(number: 1, once: false, kind: .sync)
        await #expect(throws: StorageError.self) {
            _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_2"))
        }
        machine.disk.clearFaults()
        await #expect(throws: StorageError.self) {
            _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_3"))
        }
        // The cache can't be saved any more; the directory is given back all the same.
        await #expect(throws: StorageError.self) { try await shop.close() }
        let reopened = try machine.open()
        let orders = try reopened.orderIDs
        #expect(orders.contains("ord_1") && !orders.contains("ord_3"))
        #expect(try await reopened.orders.stock(of: "prod_001") == 10 - orders.count)
        _ = try await reopened.orders.place(order("usr_1", "prod_001", "ord_4"))
        try await reopened.close()
        try await reopened.close()
    }

    @Test("after its process was killed, with the cache written through, everything is there")
    func killedProcess() async throws {
        let machine = Machine()
        let shop = try machine.open { $0.cachePersistence = .writeThrough }
        let token = try await fill(shop)
        let reopened = try machine.crashed(.everything).open { $0.cachePersistence = .writeThrough }
        try await expectFilled(reopened, token: token)
    }

    @Test("after a power cut every acknowledged order is there and takes effect exactly once")
    func powerCut() async throws {
        let machine = Machine()
        let shop = try machine.open()
        try await shop.createUser("usr_1")
        try await shop.orders.setStock(100, of: "prod_001")
        var acknowledged: Set<String> = []
        for index in 0..<30 {
            acknowledged.insert(try await shop.orders.place(order("usr_1")).orderID)
            if index == 10 { try await shop.fanOut.drain() }
            if index == 20 { _ = try await shop.fanOut.fulfilment.drain() }
        }
        let reopened = try machine.crashed(.syncedOnly).open()
        #expect(try reopened.orderIDs == acknowledged)
        #expect(try reopened.items(of: "Payments").count == 30)
        #expect(try await reopened.orders.stock(of: "prod_001") == 70)
        try await reopened.fanOut.drain()
        #expect(try reopened.purchaseEdges == acknowledged.sorted())
        #expect(try await Set(reopened.users.orderHistory(of: "usr_1")) == acknowledged)
        #expect(try await reopened.users.orderHistory(of: "usr_1").count == 30)
        #expect(try await reopened.shipAll().sorted() == acknowledged.sorted())
        #expect(try reopened.verify().problems == [])
    }
}
