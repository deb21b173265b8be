// "Bought by the buyers of this product", ranked, in Cypher.

import BenchmarkKit
import GraphEngine
import StorageCore

struct RecommendationLines {
    let context: EngineContext
    private static let name = "also bought"
    private var workload: ShopWorkload { context.workload }
    private var sizes: EngineSizes { context.sizes }

    private static let alsoBought = """
        MATCH (p:Product {productId: $product})<-[:PURCHASED]-(:User)-[:PURCHASED]->(other:Product)
        WHERE other <> p
        RETURN other.productId AS product, count(*) AS buyers ORDER BY buyers DESC, product LIMIT 10
        """

    func run() async throws {
        guard context.includesAny(of: [Self.name]) else { return }
        context.report.heading("Recommendations: over \(sizes.graphPurchases) purchases, plan cached")
        try await withFreshStorage(in: context.directory) { storage, directory in
            let graph = try GraphStore(storage: storage)
            try load(into: graph)
            let peer = try SQLitePurchases(
                directory: directory, workload: workload, purchases: sizes.graphPurchases)
            try await context.report.line(
                Self.name, unit: .microseconds, ours: { try ours(graph) }, peerName: SQLiteDatabase.name,
                peer: { try peers(peer) })
        }
    }

    private func load(into graph: GraphStore) throws {
        try graph.execute("CREATE CONSTRAINT user_id FOR (u:User) REQUIRE u.userId IS UNIQUE")
        try graph.execute("CREATE CONSTRAINT product_id FOR (p:Product) REQUIRE p.productId IS UNIQUE")
        for start in stride(from: 0, to: sizes.graphPurchases, by: 500) {
            let rows = (start..<min(start + 500, sizes.graphPurchases)).map { index in
                let (buyer, product) = workload.purchase(index)
                return GraphValue.map([
                    "user": .string(workload.userIdentifier(buyer)), "product": .string(workload.product(product)),
                ])
            }
            try graph.execute(
                """
                UNWIND $rows AS row
                MERGE (u:User {userId: row.user})
                MERGE (p:Product {productId: row.product})
                MERGE (u)-[:PURCHASED]->(p)
                """, parameters: ["rows": .list(rows)])
        }
    }

    private func ours(_ graph: GraphStore) throws -> Timing {
        try measure { meter in
            var digest: UInt64 = 0
            for step in 0..<sizes.recommendations {
                let result = try graph.execute(
                    Self.alsoBought, parameters: ["product": .string(workload.product(product(ofQuery: step)))])
                let counts = result.rows.map { row in
                    if case .integer(let count) = row[1] { Int(count) } else { -1 }
                }
                digest &+= Self.digest(counts)
                meter.lap()
            }
            return digest
        }
    }

    private func peers(_ purchases: SQLitePurchases) throws -> Timing {
        try measure { meter in
            var digest: UInt64 = 0
            for step in 0..<sizes.recommendations {
                digest &+= Self.digest(try purchases.alsoBoughtCounts(product(ofQuery: step)))
                meter.lap()
            }
            return digest
        }
    }

    private func product(ofQuery step: Int) -> Int {
        randomIndex(step: step, seed: workload.seed, count: workload.productCount)
    }

    /// Of the counts only: products with the same count may be ranked either way.
    private static func digest(_ counts: [Int]) -> UInt64 {
        counts.reduce(1) { mix($0 &+ UInt64(truncatingIfNeeded: $1)) }
    }
}
