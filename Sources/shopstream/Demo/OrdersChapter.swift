// OrdersChapter.swift — one transaction for each order: never oversold, never charged twice.

internal import ShopStreamKit

struct OrdersChapter {
    let transcript: Transcript
    let shop: ShopStream

    init(_ transcript: Transcript, _ shop: ShopStream) {
        self.transcript = transcript
        self.shop = shop
    }

    private var orders: any OrderService { shop.orders }

    func play() async throws {
        transcript.chapter("3. Orders: conditional transactions (transactional table)")
        try await buy()
        try await lastUnit()
        try await idempotency()
        try await lifeCycle()
    }

    private func buy() async throws {
        try await orders.setStock(10, of: "prod_001")
        transcript.statement(
            """
            TransactWriteItems [
              Update Inventory { productId: "prod_001" }  SET stock = stock - :one  if stock > :zero
              Put    Orders    { userId: "usr_8821", SK: "ORDER#ord_1001", … PENDING }  if attribute_not_exists(SK)
              Put    Payments  { orderId: "ord_1001", SK: "INTENT", … INITIATED } ]
            """)
        let placed = try await orders.place(order("usr_8821", "prod_001", "ord_1001"))
        transcript.result("{ ok: \(placed.ok), orderId: \"\(placed.orderID)\" }")
        transcript.check("the order is placed", placed, equals: PlacedOrder(orderID: "ord_1001"))
        transcript.check("one unit is gone", try await orders.stock(of: "prod_001"), equals: 9)
        transcript.check("the payment is INITIATED", try await orders.payment(of: "ord_1001"), equals: .initiated)

        transcript.statement("the same order again")
        let refusal = await refusal { _ = try await orders.place(order("usr_8821", "prod_001", "ord_1001")) }
        transcript.result(reasons(refusal))
        transcript.check("refused as a duplicate: the second action failed", refusal?.reason, equals: .duplicateOrder)
        transcript.check("nothing was written", try await orders.stock(of: "prod_001"), equals: 9)
    }

    private func lastUnit() async throws {
        try await orders.setStock(1, of: "prod_last")
        transcript.statement("500 buyers at once, one unit left")
        let orders = orders
        let watch = Stopwatch()
        let outcomes = await withTaskGroup(of: OrderRefusal.Reason?.self) { group in
            for buyer in 0..<500 {
                group.addTask {
                    do {
                        _ = try await orders.place(
                            OrderRequest(
                                userID: "buyer_\(buyer)", productID: "prod_last", amountCents: 4999,
                                orderID: "last_\(buyer)"))
                        return nil
                    } catch {
                        return (error as? OrderRefusal)?.reason
                            ?? .illegalTransition(from: nil, to: .pending)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let won = outcomes.filter { $0 == nil }.count
        let outOfStock = outcomes.filter { $0 == .outOfStock }.count
        transcript.result("\(won) ok, \(outOfStock) out of stock, in \(decimal(watch.milliseconds, 1)) ms")
        transcript.check("exactly one buyer gets it", won, equals: 1)
        transcript.check("499 are told: out of stock", outOfStock, equals: 499)
        transcript.check("stock is 0", try await orders.stock(of: "prod_last"), equals: 0)
        let payments = try shop.tables.scan(
            ScanRequest(
                table: "Payments", filter: "begins_with(orderId, :prefix)", values: [":prefix": .s("last_")]))
        transcript.check("there is one payment intent", payments.items.count, equals: 1)
    }

    private func idempotency() async throws {
        transcript.statement(#"twice: place(…, clientRequestToken: "tok_77")"#)
        let request = OrderRequest(
            userID: "usr_8821", productID: "prod_001", amountCents: 1999, clientRequestToken: "tok_77")
        let first = try await orders.place(request)
        let second = try await orders.place(request)
        transcript.result("\(first.orderID), \(second.orderID)")
        transcript.check("both calls answer with the same order", first, equals: second)
        transcript.check("one unit was taken", try await orders.stock(of: "prod_001"), equals: 8)
    }

    private func lifeCycle() async throws {
        transcript.statement(
            "capture, fulfil; then cancel a fulfilled order, cancel a pending one, capture a cancelled one")
        try await orders.capturePayment(of: "ord_1001", by: "usr_8821")
        try await orders.fulfil("ord_1001", by: "usr_8821")
        transcript.check(
            "PENDING → PAID → FULFILLED", try await orders.order("ord_1001", by: "usr_8821")?.status, equals: .fulfilled
        )
        let late = await refusal { try await orders.cancel("ord_1001", by: "usr_8821") }
        transcript.check(
            "a fulfilled order can't be cancelled", late?.reason,
            equals: .illegalTransition(from: .fulfilled, to: .cancelled))

        _ = try await orders.place(order("usr_8821", "prod_001", "ord_1002"))
        try await orders.cancel("ord_1002", by: "usr_8821")
        transcript.check("a cancelled order's unit goes back", try await orders.stock(of: "prod_001"), equals: 8)
        let charged = await refusal { try await orders.capturePayment(of: "ord_1002", by: "usr_8821") }
        transcript.check("a cancelled order can't be charged", charged != nil)

        _ = try await orders.place(order("usr_8821", "prod_001", "ord_1003"))
        try await orders.failPayment(of: "ord_1003", by: "usr_8821")
        transcript.check("a failed payment's unit goes back", try await orders.stock(of: "prod_001"), equals: 8)
    }

    private func order(_ user: String, _ product: String, _ id: String) -> OrderRequest {
        OrderRequest(userID: user, productID: product, amountCents: 1999, orderID: id)
    }

    private func reasons(_ refusal: OrderRefusal?) -> String {
        guard let refusal else { return "placed" }
        return
            "TransactionCanceledException: [\(refusal.cancellationReasons.map(\.code.rawValue).joined(separator: ", "))]"
    }

    private func refusal(_ body: () async throws -> Void) async -> OrderRefusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? OrderRefusal
        }
    }
}
