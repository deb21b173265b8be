import Testing

@testable import GraphEngine

/// A random shop, as a list of purchases beside the graph: the simplest correct model.
private struct Shop {
    let graph: GraphStore
    var purchases: [(user: Int, product: Int, id: RelationshipID)] = []
    var random: SeededRandom
    static let users = 12
    static let products = 9

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        graph = try GraphStore(storage: Storage.inMemory())
        try graph.createUniqueConstraint(label: "User", property: "userId")
        try graph.createUniqueConstraint(label: "Product", property: "productId")
        try graph.storage.write { transaction in
            for user in 0..<Self.users {
                try graph.mergeNode(label: "User", key: "userId", value: GraphValue(user), in: transaction)
            }
            for product in 0..<Self.products {
                try graph.mergeNode(label: "Product", key: "productId", value: GraphValue(product), in: transaction)
            }
        }
    }

    func user(_ number: Int) -> NodeID { NodeID(rawValue: UInt32(number)) }
    func product(_ number: Int) -> NodeID { NodeID(rawValue: UInt32(Self.users + number)) }

    mutating func buy() throws {
        let user = Int.random(in: 0..<Self.users, using: &random)
        let product = Int.random(in: 0..<Self.products, using: &random)
        let id = try graph.storage.write {
            try graph.createRelationship(
                from: self.user(user), type: "PURCHASED", to: self.product(product), in: $0)
        }
        purchases.append((user, product, id))
    }

    mutating func giveBack() throws {
        guard let index = purchases.indices.randomElement(using: &random) else { return }
        let id = Int64(purchases.remove(at: index).id.rawValue)
        try graph.execute("MATCH ()-[r]->() WHERE id(r) = $id DELETE r", parameters: ["id": .integer(id)])
    }

    /// Paths product ← user → other with two different relationships.
    func alsoBought(_ product: Int, distinct: Bool) -> [Int: Int] {
        var paths: [Int: Int] = [:]
        var people: [Int: Set<Int>] = [:]
        for first in purchases where first.product == product {
            for second in purchases where second.user == first.user && second.id != first.id {
                paths[second.product, default: 0] += 1
                people[second.product, default: []].insert(first.user)
            }
        }
        return distinct ? people.mapValues(\.count) : paths
    }

    func recommended(_ user: Int, distinct: Bool) -> [Int: Int] {
        let owned = Set(purchases.filter { $0.user == user }.map(\.product))
        var paths: [Int: Int] = [:]
        var people: [Int: Set<Int>] = [:]
        for own in purchases where own.user == user {
            for shared in purchases where shared.product == own.product && shared.user != user {
                for third in purchases where third.user == shared.user && !owned.contains(third.product) {
                    paths[third.product, default: 0] += 1
                    people[third.product, default: []].insert(shared.user)
                }
            }
        }
        return distinct ? people.mapValues(\.count) : paths
    }
}

@Suite("Traversals")
struct TraversalTests {
    private static func ranked(_ counts: [Int: Int]) -> [[GraphValue]] {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { [GraphValue($0.key), GraphValue($0.value)] }
    }

    private func check(_ shop: Shop, seed: UInt64) throws {
        for product in 0..<Shop.products {
            for distinct in [false, true] {
                var expected = shop.alsoBought(product, distinct: distinct)
                let withSelf = Self.ranked(expected)
                let inCypher = try shop.graph.execute(
                    """
                    MATCH (x:Product {productId: $p})<-[:PURCHASED]-(v:User)-[:PURCHASED]->(o:Product)
                    RETURN o.productId AS id, count(\(distinct ? "DISTINCT " : "")v) AS n ORDER BY n DESC, id LIMIT 4
                    """, parameters: ["p": GraphValue(product)])
                #expect(inCypher.rows.map(\.values) == Array(withSelf.prefix(4)), "seed \(seed)")
                expected[product] = nil
                let inSwift = try shop.graph.coNeighbourCounts(
                    of: shop.product(product), via: "PURCHASED", limit: 5, distinct: distinct, label: "Product")
                let ids = inSwift.map { [GraphValue(Int($0.node.rawValue) - Shop.users), GraphValue($0.count)] }
                #expect(ids == Array(Self.ranked(expected).prefix(5)), "seed \(seed)")
            }
        }
        for user in 0..<Shop.users {
            for distinct in [false, true] {
                let found = try shop.graph.recommendationCounts(
                    for: shop.user(user), via: "PURCHASED", limit: 100, distinct: distinct, label: "Product")
                let ids = found.map { [GraphValue(Int($0.node.rawValue) - Shop.users), GraphValue($0.count)] }
                #expect(ids == Self.ranked(shop.recommended(user, distinct: distinct)), "seed \(seed)")
            }
        }
    }

    @Test("also-bought and recommendations agree with counting by hand, while the graph changes")
    func againstModel() throws {
        let seed = UInt64.random(in: .min ... .max)
        var shop = try Shop(seed: seed)
        for _ in 0..<3 {
            for _ in 0..<25 { try shop.buy() }
            for _ in 0..<6 { try shop.giveBack() }
            try check(shop, seed: seed)
        }
        #expect(try shop.graph.storage.verify().problems == [], "seed \(seed)")
        // Opened again, everything is in rows instead of in changes.
        let graph = try GraphStore(storage: shop.graph.storage)
        for product in 0..<Shop.products {
            #expect(
                try graph.coNeighbourCounts(of: shop.product(product), via: "PURCHASED", limit: 50)
                    == shop.graph.coNeighbourCounts(of: shop.product(product), via: "PURCHASED", limit: 50),
                "seed \(seed)")
        }
    }

    @Test("the compiled plan answers what the general plan answers")
    func compiledPlan() throws {
        let seed = UInt64.random(in: .min ... .max)
        var shop = try Shop(seed: seed)
        for _ in 0..<60 { try shop.buy() }
        try shop.graph.execute("MATCH (u:User) WHERE u.userId < 6 CREATE (u)-[:PURCHASED]->(:Gift)")
        try checkCompiledPlan(shop, seed: seed)
        // Candidates without the key fall into one group.
        try shop.graph.execute("MATCH (u:User) WHERE u.userId < 6 CREATE (u)-[:PURCHASED]->(:Product)")
        try checkCompiledPlan(shop, seed: seed)
    }

    private func checkCompiledPlan(_ shop: Shop, seed: UInt64) throws {
        let texts = [
            "RETURN o.productId AS k, count(*) AS n ORDER BY n DESC, k LIMIT 3",
            "RETURN o.productId AS k, count(v) AS n ORDER BY n DESC, k SKIP 1 LIMIT 3",
            "RETURN o AS k, count(v) AS n ORDER BY n DESC, id(o) LIMIT 5",
            "WITH o AS k, count(DISTINCT v) AS n ORDER BY n DESC, id(k) LIMIT 4 RETURN k.productId, n",
        ]
        let filters = ["", "WHERE o <> x", "WHERE o.productId <> x.productId", "WHERE o.productId <> $p"]
        for (text, filter) in texts.flatMap({ text in filters.map { (text, $0) } }) {
            for (label, value) in [("", 3), (":Product", 3), (":Product", 3.0), (":Product", .float(.nan))]
                as [(String, GraphValue)]
            {
                let pattern =
                    "MATCH (x:Product {productId: $p})<-[:PURCHASED]-(v:User)-[:PURCHASED]->(o\(label)) \(filter) "
                let compiled = try shop.graph.execute(pattern + text, parameters: ["p": value])
                // Inside a transaction the general plan runs: memory does not know its writes.
                let general = try shop.graph.storage.write {
                    try shop.graph.execute(pattern + text, parameters: ["p": value], in: $0)
                }
                #expect(compiled.rows == general.rows, "seed \(seed): \(pattern)\(text)")
            }
        }
    }

    @Test("rows and changes fold into new rows without losing a relationship")
    func folding() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        var table = AdjacencyTable()
        var model: [UInt64: (UInt32, UInt32)] = [:]
        for id in 0..<UInt64(3_000) {
            let node = UInt32.random(in: 0..<400, using: &random)
            let neighbour = UInt32.random(in: 0..<50, using: &random)
            table.add(node: node, .init(neighbour: neighbour, relationship: id))
            model[id] = (node, neighbour)
            if id % 7 == 0, let victim = model.randomElement(using: &random) {
                table.remove(victim.key, of: victim.value.0)
                model[victim.key] = nil
            }
            if id % 500 == 499 {
                let copy = table
                table = table.folded()
                #expect(table.isSettled)
                for node in 0..<UInt32(400) {
                    let expected = Set(model.filter { $0.value.0 == node }.map(\.key))
                    for version in [copy, table] {
                        var found: Set<UInt64> = []
                        _ = version.forEach(node) { found.insert($0.relationship).inserted }
                        #expect(found == expected, "seed \(seed)")
                    }
                    #expect(table.degree(of: node) == expected.count)
                }
            }
        }
        #expect(table.count == model.count)
    }

    @Test("a copied table does not see later changes")
    func copies() {
        var table = AdjacencyTable()
        for id in 0..<UInt64(600) { table.add(node: 5, .init(neighbour: 1, relationship: id)) }
        let copy = table
        table.add(node: 5, .init(neighbour: 2, relationship: 900))
        table.add(node: 70_000, .init(neighbour: 2, relationship: 901))
        table.remove(0, of: 5)
        #expect(copy.degree(of: 5) == 600)
        #expect(copy.degree(of: 70_000) == 0)
        #expect(table.degree(of: 5) == 600)
        #expect(table.degree(of: 70_000) == 1)
    }
}
