// Orders: bought, out of stock, duplicate; the last unit; idempotent by order id and by token.

import ShopStreamKit
import Testing

@Suite("Orders")
struct OrderTests {
    private let machine = Machine()

    @Test("an order takes a unit and writes the order and its payment intent")
    func bought() async throws {
        let shop = try machine.open()
        try await shop.orders.setStock(10, of: "prod_001")
        let placed = try await shop.orders.place(order("usr_8821", "prod_001", "ord_1001"))
        #expect(placed.ok)
        #expect(placed.orderID == "ord_1001")
        #expect(try await shop.orders.stock(of: "prod_001") == 9)
        #expect(
            try await shop.orders.order("ord_1001", by: "usr_8821")
                == Order(
                    orderID: "ord_1001", userID: "usr_8821", productID: "prod_001", amountCents: 1999, status: .pending,
                    createdAt: StorageInstant(milliseconds: machine.clock.now.milliseconds)))
        let items = try shop.items(of: "Payments")
        #expect(items == [["orderId": "ord_1001", "SK": "INTENT", "amountCents": 1999, "status": "INITIATED"]])
    }

    @Test("out of stock is told by the first reason, and nothing is written", arguments: [0, nil])
    func outOfStock(stock: Int?) async throws {
        let shop = try machine.open()
        if let stock { try await shop.orders.setStock(stock, of: "prod_001") }
        let refusal = try #require(
            try await refusal { _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1")) })
        #expect(refusal.reason == .outOfStock)
        #expect(refusal.cancellationReasons.map(\.code) == [.conditionalCheckFailed, .none, .none])
        #expect(refusal.cancellationReasons.first?.message == "The conditional request failed")
        #expect(try shop.items(of: "Orders").isEmpty)
        #expect(try shop.items(of: "Payments").isEmpty)
        #expect(try await shop.orders.stock(of: "prod_001") == stock)
    }

    @Test("a duplicate is told by the second reason, and nothing is written")
    func duplicate() async throws {
        let shop = try machine.open()
        try await shop.orders.setStock(10, of: "prod_001")
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1"))
        try await shop.orders.capturePayment(of: "ord_1", by: "usr_1")
        let before = try shop.items(of: "Payments")
        let refusal = try #require(
            try await refusal { _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1", cents: 5)) })
        #expect(refusal.reason == .duplicateOrder)
        #expect(refusal.cancellationReasons.prefix(2).map(\.code) == [.none, .conditionalCheckFailed])
        #expect(refusal.cancellationReasons.count == 3)
        #expect(try await shop.orders.stock(of: "prod_001") == 9)
        #expect(try shop.items(of: "Payments") == before)
    }

    @Test("an order id that another user took is refused: one order id has one payment")
    func foreignOrderID() async throws {
        let shop = try machine.open()
        try await shop.orders.setStock(10, of: "prod_001")
        _ = try await shop.orders.place(order("usr_1", "prod_001", "ord_1"))
        try await shop.orders.capturePayment(of: "ord_1", by: "usr_1")
        let refusal = try await refusal {
            _ = try await shop.orders.place(order("usr_2", "prod_001", "ord_1", cents: 5))
        }
        #expect(refusal?.reason == .duplicateOrder)
        #expect(try await shop.orders.payment(of: "ord_1") == .captured)
        #expect(try await shop.orders.stock(of: "prod_001") == 9)
        #expect(try shop.items(of: "Orders").count == 1)
    }

    @Test("of 500 buyers of the last unit one gets it, and 499 are told that it is out of stock")
    func lastUnit() async throws {
        let shop = try machine.open { $0.storage.backgroundWork = .threads }
        try await shop.orders.setStock(1, of: "prod_last")
        let orders = shop.orders
        let refusals = try await withThrowingTaskGroup(of: OrderRefusal?.self) { group in
            for buyer in 0..<500 {
                group.addTask {
                    try await refusal { _ = try await orders.place(order("buyer_\(buyer)", "prod_last")) }
                }
            }
            return try await group.reduce(into: [OrderRefusal?]()) { $0.append($1) }
        }
        #expect(refusals.count { $0 == nil } == 1)
        let reasons = refusals.compactMap { $0 }
        #expect(reasons.allSatisfy { $0.reason == .outOfStock })
        #expect(reasons.allSatisfy { $0.cancellationReasons.map(\.code) == [.conditionalCheckFailed, .none, .none] })
        #expect(try await shop.orders.stock(of: "prod_last") == 0)
        #expect(try shop.items(of: "Orders").count == 1)
        #expect(try shop.items(of: "Payments").count == 1)
        try await shop.close()
    }

    @Test("a token makes the call idempotent, at once, later, and after a restart")
    func token() async throws {
        var shop = try machine.open()
        try await shop.orders.setStock(10, of: "prod_001")
        let request = order("usr_1", token: "tok_77")
        let first = try await shop.orders.place(request)
        #expect(try await shop.orders.place(request) == first)
        machine.clock.advance(by: .seconds(60))
        try await shop.close()
        shop = try machine.open()
        #expect(try await shop.orders.place(request) == first)
        #expect(try await shop.orders.stock(of: "prod_001") == 9)
        #expect(try shop.items(of: "Orders").count == 1)
        let other = try await refusal { _ = try await shop.orders.place(order("usr_1", token: "tok_77", cents: 1)) }
        #expect(other?.reason == .duplicateOrder)
        #expect(try await shop.orders.place(order("usr_1", token: "tok_78")) != first)
        #expect(try await shop.orders.stock(of: "prod_001") == 8)
    }

    @Test("50 concurrent calls with one token place one order, and all are told its id")
    func concurrentToken() async throws {
        let shop = try machine.open { $0.storage.backgroundWork = .threads }
        try await shop.orders.setStock(10, of: "prod_001")
        let orders = shop.orders
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await orders.place(order("usr_1", token: "tok_1")).orderID } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await shop.orders.stock(of: "prod_001") == 9)
        try await shop.close()
    }

    @Test("a user's orders come in the order of their ids, without those of others")
    func listing() async throws {
        let shop = try machine.open()
        try await shop.orders.setStock(10, of: "prod_001")
        for (user, id) in [("usr_1", "b"), ("usr_1", "a"), ("usr_2", "c")] {
            _ = try await shop.orders.place(order(user, "prod_001", id))
        }
        #expect(try await shop.orders.orders(by: "usr_1").map(\.orderID) == ["a", "b"])
        #expect(try await shop.orders.orders(by: "usr_3").isEmpty)
    }
}
