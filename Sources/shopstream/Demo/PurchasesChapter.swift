// PurchasesChapter.swift — a shop's purchases through the order service and the fan-out.

internal import ShopStreamKit

struct PurchasesChapter {
    private static let concurrentBuyers = 256

    let transcript: Transcript
    let shop: ShopStream
    let log: PurchaseLog

    init(_ transcript: Transcript, _ shop: ShopStream, _ log: PurchaseLog) {
        self.transcript = transcript
        self.shop = shop
        self.log = log
    }

    func play() async throws {
        transcript.chapter("8. Purchases: \(log.origin)")
        transcript.note(
            "\(log.purchases.count) purchases by \(log.customers.count) customers of \(log.products.count) products")
        try await prepare()
        try await place()
        try await fanOut()
        try await alsoBought()
    }

    /// Profiles for the customers, stock for the products.
    private func prepare() async throws {
        let now = BSONValue.date(shop.storage.clock.now)
        let users = shop.documents.database("shopstream").collection("users")
        let profiles = log.customers.map { customer -> Document in
            ["userId": .string(customer), "email": .string("\(customer)@example.com"), "createdAt": now]
        }
        _ = try users.insertMany(profiles)
        var units: [Int: Int] = [:]
        for purchase in log.purchases { units[purchase.product, default: 0] += 1 }
        for (product, count) in units {
            _ = try await shop.tables.putItem(
                PutItemRequest(
                    table: "Inventory", item: ["productId": .s(log.products[product].id), "stock": .n(count)]))
        }
    }

    private func place() async throws {
        let bar = transcript.progress("orders", total: log.purchases.count)
        let watch = Stopwatch()
        let orders = shop.orders
        let log = log
        var placed = 0
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, purchase) in log.purchases.enumerated() {
                if index >= Self.concurrentBuyers, try await group.next() != nil {
                    placed += 1
                    bar.update(placed)
                }
                let request = log.request(purchase)
                group.addTask { _ = try await orders.place(request) }
            }
            while try await group.next() != nil {
                placed += 1
                bar.update(placed)
            }
        }
        transcript.note(
            "\(decimal(Double(placed) / watch.seconds, 0)) orders a second, each on the device before it was answered, "
                + "\(Self.concurrentBuyers) buyers at a time")
        transcript.check("every purchase is an order", placed, equals: log.purchases.count)
        var left = 0
        for product in log.products { left += try await shop.orders.stock(of: product.id) ?? 0 }
        transcript.check("all stock is sold, no more", left, equals: 0)
    }

    private func fanOut() async throws {
        let watch = Stopwatch()
        let total = log.purchases.count
        let bar = transcript.progress("fan-out", total: total * shop.fanOut.mappings.count)
        var done = 0
        for mapping in shop.fanOut.mappings {
            var delivered = 0
            var progress = try await mapping.runOnce()
            while progress.delivered + progress.filtered + progress.discarded > 0 || progress.failures > 0 {
                delivered += progress.delivered
                bar.update(done + min(delivered, total))
                progress = try await mapping.runOnce()
            }
            done += total
        }
        bar.finish()
        transcript.note("\(decimal(Double(done) / watch.seconds, 0)) effects a second, each with its checkpoint")
        let bestCustomer = log.bestCustomer
        let history = try await shop.users.orderHistory(of: log.customers[bestCustomer])
        transcript.check(
            "the best customer's profile lists every order", history.count,
            equals: log.purchases.filter { $0.customer == bestCustomer }.count)
        let edges = try await shop.graph.execute("MATCH (:User)-[p:PURCHASED]->(:Product) RETURN count(p) AS edges")
        guard case .integer(let count)? = edges.rows.first?["edges"] else {
            return transcript.check("the graph answers with a number", false)
        }
        transcript.check("the graph has an edge for every purchase", Int(count) >= log.purchases.count)
    }

    private func alsoBought() async throws {
        transcript.statement("the most sold products, and what their buyers also bought")
        for product in log.mostSold(5) {
            let watch = Stopwatch()
            let counts = try await shop.recommendations.alsoBought(log.products[product].id, limit: 3)
            let milliseconds = watch.milliseconds
            transcript.result("\(log.title(of: log.products[product].id)) (\(decimal(milliseconds, 3)) ms)")
            for count in counts { transcript.result("  \(count.count) × \(log.title(of: count.productID))") }
            let expected = log.alsoBought(product)
            transcript.check(
                "as many buyers as counting by hand gives", counts.map(\.count), equals: Array(expected.prefix(3)))
        }
    }
}
