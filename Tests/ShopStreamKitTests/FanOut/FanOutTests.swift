// The fan-out: each order once in profile, queue and graph; consumers that were away, came late, or met a bad record.

import ShopStreamKit
import Synchronization
import Testing

@Suite("Fan-out")
struct FanOutTests {
    private let machine = Machine()

    private func place(_ range: Range<Int>, in shop: ShopStream) async throws {
        for index in range {
            _ = try await shop.orders.place(order("usr_\(index % 2)", "prod_\(index % 3)", id(index)))
        }
    }

    private func id(_ index: Int) -> String { "ord_\(1000 + index)" }

    private func stockedShop() async throws -> ShopStream {
        let shop = try machine.open()
        for user in 0..<2 { try await shop.createUser("usr_\(user)") }
        for product in 0..<3 { try await shop.orders.setStock(1000, of: "prod_\(product)") }
        return shop
    }

    @Test("an order reaches the profile, the fulfilment queue and the graph, in order")
    func effects() async throws {
        let shop = try await stockedShop()
        try await place(0..<10, in: shop)
        try await shop.fanOut.drain()
        for user in 0..<2 {
            let expected = (0..<10).filter { $0 % 2 == user }.map(id)
            #expect(try await shop.users.orderHistory(of: "usr_\(user)") == expected)
        }
        #expect(try shop.purchaseEdges == (0..<10).map(id))
        #expect(try await shop.fulfilment.backlog() == 10)
        let first = try #require(try await shop.fulfilment.receive(max: 1).first)
        #expect(
            (first.request.orderId, first.request.userId, first.request.productId, first.request.amount)
                == (id(0), "usr_0", "prod_0", 1999))
        try await shop.fulfilment.complete(first)
        #expect(try await shop.shipAll() == (1..<10).map(id))
        #expect(try await shop.fulfilment.backlog() == 0)
    }

    @Test("only the insertion of an order counts: its further life and other items reach no one")
    func filters() async throws {
        let shop = try await stockedShop()
        try await place(0..<1, in: shop)
        try await shop.fanOut.drain()
        try await shop.orders.capturePayment(of: id(0), by: "usr_0")
        try await shop.orders.fulfil(id(0), by: "usr_0")
        _ = try await shop.tables.putItem(
            PutItemRequest(table: "Orders", item: ["userId": "usr_0", "SK": "NOTE#1"]), durability: .synced)
        for mapping in [shop.fanOut.profile, shop.fanOut.fulfilment, shop.fanOut.recommendations] {
            let progress = try await mapping.drain()
            #expect(progress.delivered == 0)
            #expect(progress.filtered == 3)
            #expect(progress.discarded == 0)
        }
        #expect(try await shop.fulfilment.backlog() == 1)
    }

    @Test("delivered twice, every record changes nothing anywhere")
    func redelivery() async throws {
        let shop = try await stockedShop()
        try await place(0..<20, in: shop)
        try await shop.fanOut.drain()
        for mapping in [shop.fanOut.profile, shop.fanOut.fulfilment, shop.fanOut.recommendations] {
            try mapping.redeliver(after: nil)
            #expect(try await mapping.drain().delivered == 20)
        }
        #expect(try await shop.users.orderHistory(of: "usr_0").count == 10)
        #expect(try shop.purchaseEdges == (0..<20).map(id))
        #expect(try await shop.shipAll() == (0..<20).map(id))
    }

    @Test("delivered again hours later, after the queue's five minutes, an order is still sent out once")
    func lateRedelivery() async throws {
        var shop = try await stockedShop()
        try await place(0..<3, in: shop)
        try await shop.fanOut.drain()
        #expect(try await shop.shipAll() == (0..<3).map(id))
        machine.clock.advance(by: .seconds(20 * 3600))
        try await shop.close()
        shop = try machine.open()
        for mapping in [shop.fanOut.profile, shop.fanOut.fulfilment, shop.fanOut.recommendations] {
            try mapping.redeliver(after: nil)
            #expect(try await mapping.drain().delivered == 3)
        }
        #expect(try await shop.fulfilment.backlog() == 0)
        #expect(try shop.purchaseEdges == (0..<3).map(id))
    }

    @Test("a consumer that was away for four hours catches up in order; orders don't wait for it")
    func stoppedConsumer() async throws {
        let shop = try await stockedShop()
        try await place(0..<5, in: shop)
        try await shop.fanOut.drain()
        try shop.fanOut.recommendations.setEnabled(false)
        for hour in 1...4 {
            machine.clock.advance(by: .seconds(3600))
            try await place(hour * 5..<hour * 5 + 5, in: shop)
            try await shop.fanOut.drain()
        }
        #expect(try shop.purchaseEdges.count == 5)
        #expect(try await shop.users.orderHistory(of: "usr_0").count == 13)
        #expect(try await shop.fulfilment.backlog() == 25)
        try shop.fanOut.recommendations.setEnabled(true)
        #expect(try await shop.fanOut.recommendations.drain().delivered == 20)
        #expect(try shop.purchaseEdges == (0..<25).map(id))
        let inOrder = try await shop.graph.execute("MATCH ()-[p:PURCHASED]->() RETURN p.orderId AS id ORDER BY id(p)")
        #expect(inOrder.rows.map { $0["id"] } == (0..<25).map { .string(id($0)) })
    }

    @Test("a further consumer sees every order from the start, and goes on after a restart where it was")
    func furtherConsumer() async throws {
        let seen = Mutex<[String]>([])
        func analytics(_ shop: ShopStream) throws -> EventSourceMapping {
            try shop.orderStreamConsumer(
                named: "analytics", options: EventSourceMappingOptions(filters: [.eventName(.insert)]),
                handler: .external { batch in
                    seen.withLock { $0 += batch.records.compactMap { $0.keys["SK"]?.string } }
                    return .success
                })
        }
        var shop = try await stockedShop()
        try await place(0..<7, in: shop)
        try await shop.fanOut.drain()
        _ = try await analytics(shop).drain()
        #expect(seen.withLock { $0 } == (0..<7).map { "ORDER#" + id($0) })
        try await place(7..<9, in: shop)
        try await shop.close()
        shop = try machine.open()
        _ = try await analytics(shop).drain()
        #expect(seen.withLock { $0 } == (0..<9).map { "ORDER#" + id($0) })
    }

    @Test("a record that no consumer can process ends among the dead letters; those behind it go on")
    func poison() async throws {
        let shop = try await stockedShop()
        try await place(0..<3, in: shop)
        _ = try await shop.tables.putItem(
            PutItemRequest(table: "Orders", item: ["userId": "usr_bad", "SK": "ORDER#bad"]), durability: .synced)
        try await place(3..<6, in: shop)
        try await shop.fanOut.drain()
        for name in ["orders-profile", "orders-fulfilment", "orders-recommendations"] {
            let letters = try shop.fanOut.deadLetters.documents(ofMapping: name)
            #expect(letters.count == 1, "\(name)")
            let letter = try ExtendedJSON.document(#require(letters.first))
            let context = letter["requestContext"]?.documentValue
            #expect(context?["functionArn"]?.stringValue == name)
            #expect(context?["condition"]?.stringValue == "RetryAttemptsExhausted")
            #expect(context?["approximateInvokeCount"]?.intValue == 2)
            let batch = letter["DDBStreamBatchInfo"]?.documentValue
            #expect(batch?["batchSize"]?.intValue == 1)
            #expect(batch?["startSequenceNumber"] == batch?["endSequenceNumber"])
        }
        #expect(try shop.purchaseEdges == (0..<6).map(id))
        #expect(try await shop.users.orderHistory(of: "usr_1") == [id(1), id(3), id(5)])
        #expect(try await shop.shipAll() == (0..<6).map(id))
    }

    @Test("a batch with a record that fails is bisected until the record is alone among the dead letters")
    func bisection() async throws {
        let shop = try await stockedShop()
        try await place(0..<16, in: shop)
        let poison = "ORDER#" + id(11)
        let sent = Mutex<Set<String>>([])
        let letters = try DeadLetterStore(storage: shop.storage)
        let mail = try shop.orderStreamConsumer(
            named: "mail",
            options: EventSourceMappingOptions(
                maximumRetryAttempts: 2, bisectBatchOnFunctionError: true, onFailure: .store(letters),
                backoff: BackoffPolicy(base: .zero, maximum: .zero)),
            handler: .external { batch in
                let keys = batch.records.compactMap { $0.keys["SK"]?.string }
                if keys.contains(poison) { throw Undeliverable() }
                sent.withLock { $0.formUnion(keys) }
                return .success
            })
        while case .waiting = try await mail.drain().next {}
        #expect(sent.withLock { $0 } == Set((0..<16).filter { $0 != 11 }.map { "ORDER#" + id($0) }))
        let found = try letters.documents(ofMapping: "mail")
        #expect(found.count == 1)
        let batch = try ExtendedJSON.document(#require(found.first))["DDBStreamBatchInfo"]?.documentValue
        #expect(batch?["batchSize"]?.intValue == 1)
        #expect(try await shop.orders.stock(of: "prod_0") == 994)
    }

    private struct Undeliverable: Error {}

    @Test("closing does not wait for a consumer that pauses between repetitions")
    func closingDuringBackoff() async throws {
        let shop = try machine.open {
            $0.startsFanOut = true
            $0.storage.backgroundWork = .threads
            $0.fanOut.maximumRetryAttempts = 100
            $0.fanOut.backoff = BackoffPolicy(base: .seconds(86_400), maximum: .seconds(86_400))
        }
        _ = try await shop.tables.putItem(
            PutItemRequest(table: "Orders", item: ["userId": "usr_bad", "SK": "ORDER#bad"]), durability: .synced)
        try await Task.sleep(for: .milliseconds(100))
        let start = ContinuousClock.now
        try await shop.close()
        // Far less than the pause, and enough for a machine that is busy with other tests.
        #expect(ContinuousClock.now - start < .seconds(1800))
    }

    @Test("a message that is received too often without being completed goes to the dead-letter queue")
    func redrive() async throws {
        let shop = try await stockedShop()
        try await place(0..<2, in: shop)
        try await shop.fanOut.drain()
        for count in 1...5 {
            #expect(try await shop.fulfilment.receive(max: 1).first?.receiveCount == count)
            #expect(try await shop.fulfilment.receive(max: 1).isEmpty)
            machine.clock.advance(by: .seconds(31))
        }
        #expect(try await shop.fulfilment.receive(max: 1).first?.request.orderId == id(1))
        #expect(try await shop.fulfilment.deadLetterCount() == 1)
    }

    @Test("started with the platform, the consumers deliver by themselves, and closing stops them")
    func runner() async throws {
        let shop = try machine.open {
            $0.startsFanOut = true
            $0.storage.backgroundWork = .threads
        }
        #expect(
            shop.fanOut.profile.isRunning && shop.fanOut.fulfilment.isRunning && shop.fanOut.recommendations.isRunning)
        try await shop.createUser("usr_0")
        try await shop.orders.setStock(5, of: "prod_0")
        for index in 0..<5 { _ = try await shop.orders.place(order("usr_0", "prod_0", id(index))) }
        // Consumers share their threads with all other tests, so they may take long to get one.
        let deadline = ContinuousClock.now + .seconds(1800)
        func isDone() async throws -> Bool {
            let history = try await shop.users.orderHistory(of: "usr_0").count
            let backlog = try await shop.fulfilment.backlog()
            return try history == 5 && backlog == 5 && edgeCount(shop) == 5
        }
        while try await !isDone(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await isDone())
        try await shop.close()
        #expect(!shop.fanOut.profile.isRunning && !shop.fanOut.fulfilment.isRunning)
        #expect(!shop.fanOut.recommendations.isRunning)
        await #expect(throws: StorageError.self) { try await shop.orders.setStock(1, of: "prod_0") }
    }

    private func edgeCount(_ shop: ShopStream) throws -> Int { try shop.purchaseEdges.count }
}
