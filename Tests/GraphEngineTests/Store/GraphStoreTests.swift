import GraphEngine
import Synchronization
import Testing

@Suite("Graph store")
struct GraphStoreTests {
    private struct Refused: Error {}

    private final class Flag: Sendable {
        let value = Mutex(false)
    }

    private func shopGraph() throws -> GraphStore {
        let graph = try GraphStore(storage: Storage.inMemory())
        try graph.createUniqueConstraint(label: "User", property: "userId")
        try graph.createUniqueConstraint(label: "Product", property: "productId")
        return graph
    }

    private func purchase(
        _ graph: GraphStore, _ user: String, _ product: String, order: String, in transaction: WriteTransaction
    ) throws -> Bool {
        let buyer = try graph.mergeNode(label: "User", key: "userId", value: .string(user), in: transaction).id
        let bought = try graph.mergeNode(label: "Product", key: "productId", value: .string(product), in: transaction)
            .id
        return try graph.mergeRelationship(
            from: buyer, type: "PURCHASED", to: bought, properties: ["orderId": .string(order)], in: transaction
        ).isCreated
    }

    @Test("merging a purchase twice changes nothing, another order is another relationship")
    func idempotentPurchase() throws {
        let graph = try shopGraph()
        func buy(_ order: String) throws -> Bool {
            try graph.storage.write { try purchase(graph, "u1", "p1", order: order, in: $0) }
        }
        #expect(try buy("o1"))
        #expect(try !buy("o1"))
        #expect(try buy("o2"))
        #expect(try graph.execute("MATCH (:User)-[r:PURCHASED]->(:Product) RETURN count(r) AS n").rows[0]["n"] == 2)
        #expect(try graph.storage.verify().problems == [])
    }

    @Test("the Cypher form of the same purchase is idempotent too")
    func idempotentCypher() throws {
        let graph = try shopGraph()
        let text = """
            MERGE (u:User {userId: $user}) MERGE (p:Product {productId: $product})
            MERGE (u)-[:PURCHASED {orderId: $order}]->(p)
            """
        let parameters: [String: GraphValue] = ["user": "u1", "product": "p1", "order": "o1"]
        let first = try graph.execute(text, parameters: parameters).counters
        #expect(first.nodesCreated == 2 && first.relationshipsCreated == 1)
        #expect(!(try graph.execute(text, parameters: parameters).counters.containsUpdates))
    }

    @Test("a failed transaction leaves neither records nor memory changed")
    func rollback() throws {
        let graph = try shopGraph()
        #expect(throws: Refused.self) {
            try graph.storage.write { transaction in
                _ = try purchase(graph, "u1", "p1", order: "o1", in: transaction)
                let seen = try graph.execute("MATCH (:User)-[r:PURCHASED]->() RETURN count(r) AS n", in: transaction)
                #expect(seen.rows[0]["n"] == 1)
                throw Refused()
            }
        }
        #expect(try graph.execute("MATCH (n) RETURN count(n) AS n").rows[0]["n"] == 0)
        #expect(try graph.nodeID(label: "User", key: "userId", value: "u1") == nil)
        #expect(try graph.storage.verify().problems == [])
        try graph.storage.write { _ = try purchase(graph, "u1", "p1", order: "o1", in: $0) }
        #expect(try graph.execute("MATCH (n) RETURN id(n) AS i ORDER BY i").rows.map { $0["i"] } == [0, 1])
        #expect(try graph.storage.verify().problems == [])
    }

    @Test("a graph opened again over its storage is the same graph")
    func reopening() throws {
        let graph = try shopGraph()
        for number in 0..<30 {
            try graph.storage.write {
                _ = try purchase(graph, "u\(number % 7)", "p\(number % 5)", order: "o\(number)", in: $0)
            }
        }
        try graph.execute("MATCH (:User {userId: 'u3'})-[r:PURCHASED {orderId: 'o3'}]->() DELETE r")
        let text = "MATCH (u:User)-[r:PURCHASED]->(p) RETURN u.userId AS u, p.productId AS p, r.orderId AS o ORDER BY o"
        let again = try GraphStore(storage: graph.storage)
        #expect(try again.execute(text).rows == graph.execute(text).rows)
        #expect(try again.execute(text).rows.count == 29)
        #expect(try again.execute("SHOW CONSTRAINTS").rows.count == 2)
        #expect(throws: CypherError.self) { try again.execute("CREATE (:User {userId: 'u3'})") }
        #expect(try again.storage.verify().problems == [])
    }

    @Test("verify finds a contradiction between adjacency and records")
    func crossCheck() throws {
        let graph = try shopGraph()
        try graph.storage.write { _ = try purchase(graph, "u1", "p1", order: "o1", in: $0) }
        let relationships = try #require(graph.storage.existingKeyspace("graph/relationships"))
        try graph.storage.write { try $0.deleteRange(relationships, .all) }
        let problems = try graph.storage.verify().problems
        #expect(problems.contains { $0.contains("relationship 0, which does not exist") })
    }

    @Test("readers beside a writer always see whole commits")
    func concurrentReaders() async throws {
        let graph = try shopGraph()
        let isDone = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<150 {
                    try await graph.storage.write { transaction in
                        _ = try purchase(graph, "u\(number)", "even", order: "a\(number)", in: transaction)
                        _ = try purchase(graph, "u\(number)", "odd", order: "b\(number)", in: transaction)
                    }
                }
                isDone.value.withLock { $0 = true }
            }
            group.addTask {
                while !isDone.value.withLock({ $0 }) {
                    let row = try await graph.execute(
                        "MATCH (u:User) OPTIONAL MATCH (u)-[r:PURCHASED]->(p) RETURN count(DISTINCT u) AS u, count(r) AS r"
                    ).rows[0]
                    #expect((row["r"].integer ?? -1) == 2 * (row["u"].integer ?? -1))
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        #expect(try graph.storage.verify().problems == [])
    }

    @Test("merging a node without a unique constraint is refused: it could not be unique")
    func mergeNeedsConstraint() throws {
        let graph = try GraphStore(storage: Storage.inMemory())
        #expect(throws: CypherError.self) { try graph.mergeNode(label: "User", key: "userId", value: "u1") }
    }
}
