// FanOutChapter.swift — what an order sets off, a record delivered twice, a consumer that was away.

internal import ShopStreamKit

struct FanOutChapter {
    private static let missed = 50

    let transcript: Transcript
    let shop: ShopStream

    init(_ transcript: Transcript, _ shop: ShopStream) {
        self.transcript = transcript
        self.shop = shop
    }

    func play() async throws {
        transcript.chapter("4. Fan-out: the order stream feeds profile, fulfilment and graph (event pipeline)")
        try await fanOut()
        try await deliverAgain()
        try await stoppedConsumer()
        try await poisonRecord()
    }

    private func fanOut() async throws {
        transcript.statement("drain the three consumers of the Orders stream")
        try await shop.fanOut.drain()
        let history = try await shop.users.orderHistory(of: "usr_8821")
        transcript.result("orderHistory: \(history)")
        transcript.check(
            "the profile lists the user's orders", Set(history).isSuperset(of: ["ord_1001", "ord_1002", "ord_1003"]))
        let backlog = try await shop.fulfilment.backlog()
        transcript.check("each order is in the fulfilment queue once", backlog, equals: try orderCount())
        transcript.check("the graph has an edge for each order", try edgeCount(), equals: try orderCount())
    }

    private func deliverAgain() async throws {
        transcript.statement("every record is delivered once more")
        let before = try await state()
        for mapping in shop.fanOut.mappings { try mapping.redeliver(after: nil) }
        try await shop.fanOut.drain()
        transcript.check("nothing changes anywhere", try await state(), equals: before)
    }

    private func stoppedConsumer() async throws {
        transcript.statement("the recommendation consumer is disabled while \(Self.missed) orders come in")
        try shop.fanOut.recommendations.setEnabled(false)
        let before = try edgeCount()
        try await shop.orders.setStock(Self.missed, of: "prod_002")
        for index in 0..<Self.missed {
            _ = try await shop.orders.place(
                OrderRequest(
                    userID: "usr_\(index % 7)", productID: "prod_002", amountCents: 500, orderID: "away_\(index)"))
        }
        _ = try await shop.fanOut.profile.drain()
        _ = try await shop.fanOut.fulfilment.drain()
        transcript.check("orders succeed without it", try await shop.orders.stock(of: "prod_002"), equals: 0)
        transcript.check("the graph has not moved", try edgeCount(), equals: before)
        try shop.fanOut.recommendations.setEnabled(true)
        _ = try await shop.fanOut.recommendations.drain()
        transcript.check("when it comes back it catches up", try edgeCount(), equals: before + Self.missed)
    }

    private func poisonRecord() async throws {
        transcript.statement(#"a malformed order item gets into the table: { userId: "usr_bad", SK: "ORDER#bad" }"#)
        _ = try await shop.tables.putItem(
            PutItemRequest(table: "Orders", item: ["userId": "usr_bad", "SK": "ORDER#bad"]), durability: .synced)
        try await shop.orders.setStock(1, of: "prod_003")
        _ = try await shop.orders.place(
            OrderRequest(userID: "usr_8821", productID: "prod_003", amountCents: 100, orderID: "after_bad"))
        try await shop.fanOut.drain()
        let letters = try shop.fanOut.deadLetters.documents(ofMapping: "orders-profile")
        transcript.result(letters.first ?? "no dead letter")
        transcript.check("it ends among the dead letters, with its metadata", letters.count, equals: 1)
        let history = try await shop.users.orderHistory(of: "usr_8821")
        transcript.check("the records behind it go on", history.contains("after_bad"))
    }

    // MARK: What there is

    private struct State: Equatable {
        var history: [String]
        var backlog: Int
        var edges: Int
    }

    private func state() async throws -> State {
        State(
            history: try await shop.users.orderHistory(of: "usr_8821"), backlog: try await shop.fulfilment.backlog(),
            edges: try edgeCount())
    }

    private func edgeCount() throws -> Int {
        let result = try shop.graph.execute("MATCH (:User)-[p:PURCHASED]->(:Product) RETURN count(p) AS edges")
        guard case .integer(let count)? = result.rows.first?["edges"] else { return -1 }
        return Int(count)
    }

    private func orderCount() throws -> Int {
        try shop.tables.scan(ScanRequest(table: "Orders")).items.count
    }
}
