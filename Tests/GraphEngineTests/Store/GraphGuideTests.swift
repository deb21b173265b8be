// The code of Docs/guides/graph.md, run against a real directory.

import Foundation
import GraphEngine
import Testing

@Suite("The graph guide")
struct GraphGuideTests {
    private final class TemporaryDirectory {
        let path = NSTemporaryDirectory() + "graph-\(UUID().uuidString)"

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test("the code of the guide does what the guide says, and its graph survives a restart")
    func guide() throws {
        let temporary = TemporaryDirectory()
        let directory = temporary.path
        let storage = try Storage.open(at: directory)
        let graph = try GraphStore(storage: storage)

        try graph.execute("CREATE CONSTRAINT user_id IF NOT EXISTS FOR (u:User) REQUIRE u.userId IS UNIQUE")
        try graph.createUniqueConstraint(label: "Product", property: "productId")

        let text = """
            MERGE (u:User {userId: $user})
            MERGE (p:Product {productId: $product})
            MERGE (u)-[:PURCHASED {orderId: $order}]->(p)
            """
        let parameters: [String: GraphValue] = ["user": "usr_1", "product": "prod_1", "order": "ord_1"]
        #expect(try graph.execute(text, parameters: parameters).counters.relationshipsCreated == 1)
        #expect(try graph.execute(text, parameters: parameters).counters.relationshipsCreated == 0)

        try storage.write { transaction in
            let user = try graph.mergeNode(label: "User", key: "userId", value: "usr_2", in: transaction).id
            let product = try graph.mergeNode(label: "Product", key: "productId", value: "prod_1", in: transaction).id
            try graph.mergeRelationship(
                from: user, type: "PURCHASED", to: product, properties: ["orderId": "ord_2"], in: transaction)
        }
        for order in ["ord_3", "ord_4"] {
            try graph.execute(text, parameters: ["user": "usr_2", "product": "prod_2", "order": .string(order)])
        }
        try check(graph)
        try storage.close()

        let reopened = try Storage.open(at: directory)
        let again = try GraphStore(storage: reopened)
        try check(again)
        #expect(try again.execute(text, parameters: parameters).counters.containsUpdates == false)
        #expect(try reopened.verify().problems == [])
        try reopened.close()
    }

    private func check(_ graph: GraphStore) throws {
        func alsoBought(_ count: String) throws -> [[GraphValue]] {
            try graph.execute(
                """
                MATCH (:Product {productId: $product})<-[:PURCHASED]-(v:User)-[:PURCHASED]->(o:Product)
                WHERE o.productId <> $product
                RETURN o.productId AS product, \(count) AS buyers ORDER BY buyers DESC, product LIMIT 10
                """,
                parameters: ["product": "prod_1"]
            ).rows.map(\.values)
        }
        #expect(try alsoBought("count(DISTINCT v)") == [["prod_2", 1]])
        #expect(try alsoBought("count(v)") == [["prod_2", 2]])
        let product = try #require(try graph.nodeID(label: "Product", key: "productId", value: "prod_1"))
        #expect(
            try graph.coNeighbourCounts(of: product, via: "PURCHASED", limit: 10, distinct: true).map(\.count) == [1])
        let user = try #require(try graph.nodeID(label: "User", key: "userId", value: "usr_1"))
        let recommended = try graph.recommendationCounts(for: user, via: "PURCHASED", limit: 10, distinct: true)
        #expect(try recommended.map { try graph.node($0.node)?["productId"] } == ["prod_2"])
        #expect(try graph.neighbours(of: user, type: "PURCHASED", direction: .outgoing) == [product])
    }
}
