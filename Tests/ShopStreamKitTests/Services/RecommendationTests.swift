// Recommendations against a naive count over random purchases and views, in Swift and in Cypher.

import ShopStreamKit
import Testing

@Suite("Recommendations")
struct RecommendationTests {
    /// Who bought or watched what, and in what order products were first seen.
    private struct Model {
        var byUser: [String: Set<String>] = [:]
        var firstSeen: [String] = []

        mutating func add(_ product: String, by user: String) {
            byUser[user, default: []].insert(product)
            if !firstSeen.contains(product) { firstSeen.append(product) }
        }

        func also(_ product: String) -> [String] {
            ranked(byUser.values.filter { $0.contains(product) }.map { $0.subtracting([product]) })
        }

        func recommendations(for user: String) -> [String] {
            let own = byUser[user] ?? []
            let peers = byUser.filter { $0.key != user && !$0.value.isDisjoint(with: own) }
            return ranked(peers.values.map { $0.subtracting(own) })
        }

        /// `product count`, most frequent first, ties by when the product was first seen.
        private func ranked(_ baskets: [Set<String>]) -> [String] {
            var counts: [String: Int] = [:]
            for product in baskets.joined() { counts[product, default: 0] += 1 }
            return firstSeen.filter { counts[$0] != nil }
                .enumerated()
                .sorted { (counts[$1.element] ?? 0, $0.offset) < (counts[$0.element] ?? 0, $1.offset) }
                .map { "\($0.element) \(counts[$0.element] ?? 0)" }
        }
    }

    private static let alsoBought = """
        MATCH (:Product {productId: $product})<-[:PURCHASED]-(v:User)-[:PURCHASED]->(other:Product)
        WHERE other.productId <> $product
        RETURN other.productId AS product, count(DISTINCT v) AS buyers ORDER BY buyers DESC, product
        """

    private func text(_ counts: [ProductCount]) -> [String] { counts.map { "\($0.productID) \($0.count)" } }

    private func cypher(_ shop: ShopStream, _ product: String) throws -> [String] {
        try shop.graph.execute(Self.alsoBought, parameters: ["product": .string(product)]).rows.map { row in
            guard case .string(let id) = row["product"], case .integer(let count) = row["buyers"] else { return "?" }
            return "\(id) \(count)"
        }
    }

    @Test("also bought, recommended and also viewed are what a naive count says, also after a restart")
    func againstModel() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("recommendations: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let machine = Machine()
        var shop = try machine.open()
        var purchases = Model()
        var views = Model()
        let users = (0..<15).map { "usr_\($0)" }
        // All products are first seen in one order, so that ties of both kinds of edges rank alike.
        let products = (0..<12).map { "prod_\($0)" }
        for product in products {
            try await shop.recommendations.recordView(of: product, by: "usr_first")
            views.add(product, by: "usr_first")
            purchases.firstSeen.append(product)
        }
        for number in 0..<120 {
            let user = users[Int.random(in: 0..<users.count, using: &random)]
            let product = products[Int.random(in: 0..<products.count, using: &random)]
            if Bool.random(using: &random) {
                purchases.add(product, by: user)
                // Twice the same order; some buy a product several times under other orders.
                for _ in 0..<2 {
                    try await shop.recommendations.recordPurchase(of: product, by: user, orderID: "ord_\(number)")
                }
            } else {
                views.add(product, by: user)
                try await shop.recommendations.recordView(of: product, by: user)
            }
        }
        for _ in 0..<2 {
            for product in products {
                let expected = purchases.also(product)
                let bought = text(try await shop.recommendations.alsoBought(product, limit: 100))
                #expect(bought == expected, "seed \(seed)")
                #expect(try Set(cypher(shop, product)) == Set(bought), "seed \(seed)")
                #expect(
                    text(try await shop.recommendations.alsoViewed(product, limit: 100)) == views.also(product),
                    "seed \(seed)")
                #expect(
                    text(try await shop.recommendations.alsoBought(product, limit: 3)) == Array(expected.prefix(3)),
                    "seed \(seed)")
            }
            for user in users {
                #expect(
                    text(try await shop.recommendations.recommendations(for: user, limit: 100))
                        == purchases.recommendations(for: user), "seed \(seed)")
            }
            try await shop.close()
            shop = try machine.open()
        }
    }

    @Test("an unknown product or user has no recommendations")
    func unknown() async throws {
        let shop = try Machine().open()
        #expect(try await shop.recommendations.alsoBought("none", limit: 5).isEmpty)
        #expect(try await shop.recommendations.alsoViewed("none", limit: 5).isEmpty)
        #expect(try await shop.recommendations.recommendations(for: "none", limit: 5).isEmpty)
    }

    @Test("a limit of nothing, or less, gives nothing", arguments: [0, -1])
    func limits(limit: Int) async throws {
        let shop = try Machine().open()
        for user in ["ann", "ben"] {
            try await shop.recommendations.recordPurchase(of: "camera", by: user, orderID: "\(user)-1")
        }
        try await shop.recommendations.recordPurchase(of: "lens", by: "ann", orderID: "ann-2")
        #expect(
            try await shop.recommendations.alsoBought("camera", limit: 5) == [ProductCount(productID: "lens", count: 1)]
        )
        #expect(try await shop.recommendations.alsoBought("camera", limit: limit).isEmpty)
        #expect(try await shop.recommendations.recommendations(for: "ben", limit: limit).isEmpty)
    }

    @Test("merging a purchase in Cypher that Swift recorded creates nothing")
    func mergeAgrees() async throws {
        let shop = try Machine().open()
        try await shop.recommendations.recordPurchase(of: "camera", by: "ann", orderID: "o1")
        let counters = try merge(shop)
        #expect(counters.nodesCreated == 0)
        #expect(counters.relationshipsCreated == 0)
        #expect(try shop.purchaseEdges == ["o1"])
    }

    private func merge(_ shop: ShopStream) throws -> (nodesCreated: Int, relationshipsCreated: Int) {
        let counters = try shop.graph.execute(
            """
            MERGE (u:User {userId: 'ann'}) MERGE (p:Product {productId: 'camera'})
            MERGE (u)-[:PURCHASED {orderId: 'o1'}]->(p)
            """
        ).counters
        return (counters.nodesCreated, counters.relationshipsCreated)
    }
}
