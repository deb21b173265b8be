// RecommendationsChapter.swift — also bought, in Cypher and in Swift.

internal import ShopStreamKit

struct RecommendationsChapter {
    let transcript: Transcript
    let shop: ShopStream

    init(_ transcript: Transcript, _ shop: ShopStream) {
        self.transcript = transcript
        self.shop = shop
    }

    static let alsoBought = """
        MATCH (:Product {productId: $product})<-[:PURCHASED]-(v:User)-[:PURCHASED]->(other:Product)
        WHERE other.productId <> $product
        RETURN other.productId AS product, count(DISTINCT v) AS buyers ORDER BY buyers DESC, product LIMIT 5
        """

    func play() async throws {
        transcript.chapter("5. Recommendations: viewers who bought this also bought (property graph)")
        let purchases = [
            ("ann", ["camera", "lens", "tripod"]), ("ben", ["camera", "lens"]), ("cid", ["camera", "bag"]),
            ("dot", ["lens", "filter"]), ("eve", ["camera"]),
        ]
        for (user, products) in purchases {
            for product in products {
                try await shop.recommendations.recordPurchase(
                    of: product, by: user, orderID: "\(user)-\(product)")
            }
        }
        transcript.statement(
            #"MERGE (u:User {userId: "ann"}) MERGE (p:Product {productId: "camera"}) MERGE (u)-[:PURCHASED {orderId: "ann-camera"}]->(p)"#
        )
        let merged = try await shop.graph.execute(
            """
            MERGE (u:User {userId: $user}) MERGE (p:Product {productId: $product})
            MERGE (u)-[:PURCHASED {orderId: $order}]->(p)
            """, parameters: ["user": "ann", "product": "camera", "order": "ann-camera"])
        transcript.check(
            "merging what is there creates nothing",
            merged.counters.nodesCreated + merged.counters.relationshipsCreated, equals: 0)
        try await alsoBoughtCamera()
        try await others()
    }

    private func alsoBoughtCamera() async throws {
        transcript.statement(Self.alsoBought + "   // $product = \"camera\"")
        let result = try await shop.graph.execute(Self.alsoBought, parameters: ["product": "camera"])
        for row in result.rows { transcript.result("\(row["product"]): \(row["buyers"])") }
        transcript.check(
            "lens, by two of its buyers, comes first", result.rows.first?["product"], equals: .string("lens"))
        transcript.check("with both counted", result.rows.first?["buyers"], equals: .integer(2))
        let counts = try await shop.recommendations.alsoBought("camera", limit: 5)
        transcript.result("alsoBought(\"camera\"): \(counts.map { "\($0.productID) \($0.count)" })")
        transcript.check("the Swift API says the same", counts.first?.productID, equals: "lens")
        transcript.check("and leaves the product itself out", !counts.contains { $0.productID == "camera" })
    }

    private func others() async throws {
        let recommended = try await shop.recommendations.recommendations(for: "eve", limit: 5)
        transcript.result("recommendations(for: \"eve\"): \(recommended.map { "\($0.productID) \($0.count)" })")
        transcript.check("eve, who has a camera, is recommended the lens", recommended.first?.productID, equals: "lens")
        transcript.check("and nothing that she owns", !recommended.contains { $0.productID == "camera" })
        for (user, product) in [
            ("ann", "drone"), ("ann", "strap"), ("ben", "drone"), ("ben", "strap"), ("cid", "strap"),
        ] {
            try await shop.recommendations.recordView(of: product, by: user)
        }
        let viewed = try await shop.recommendations.alsoViewed("strap", limit: 5)
        transcript.check("also from what they watched", viewed.first?.productID, equals: "drone")
    }
}
