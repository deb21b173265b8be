// EmbeddedRecommendationService.swift — recommendations on the property graph: `(User)-[:PURCHASED {orderId}]->(Product)`
// and `(User)-[:VIEWED]->(Product)`.

internal import GraphEngine

struct EmbeddedRecommendationService: RecommendationService {
    let graph: GraphStore

    static let userLabel = "User"
    static let userKey = "userId"
    static let productLabel = "Product"
    static let productKey = "productId"
    static let purchased = "PURCHASED"
    static let viewed = "VIEWED"

    init(graph: GraphStore) throws {
        self.graph = graph
        try graph.createUniqueConstraint(label: Self.userLabel, property: Self.userKey)
        try graph.createUniqueConstraint(label: Self.productLabel, property: Self.productKey)
    }

    // MARK: Writing

    func recordPurchase(of productID: String, by userID: String, orderID: String) async throws {
        try await graph.storage.write {
            try recordPurchase(of: productID, by: userID, orderID: orderID, in: $0)
        }
    }

    func recordPurchase(
        of productID: String, by userID: String, orderID: String, in transaction: WriteTransaction
    ) throws {
        let (user, product) = try mergeEnds(userID, productID, in: transaction)
        try graph.mergeRelationship(
            from: user, type: Self.purchased, to: product, properties: ["orderId": .string(orderID)], in: transaction)
    }

    func recordView(of productID: String, by userID: String) async throws {
        try await graph.storage.write { transaction in
            let (user, product) = try mergeEnds(userID, productID, in: transaction)
            try graph.mergeRelationship(from: user, type: Self.viewed, to: product, in: transaction)
        }
    }

    private func mergeEnds(
        _ userID: String, _ productID: String, in transaction: WriteTransaction
    ) throws -> (user: NodeID, product: NodeID) {
        let user = try graph.mergeNode(
            label: Self.userLabel, key: Self.userKey, value: .string(userID), in: transaction)
        let product = try graph.mergeNode(
            label: Self.productLabel, key: Self.productKey, value: .string(productID), in: transaction)
        return (user.id, product.id)
    }

    // MARK: Reading

    func alsoBought(_ productID: String, limit: Int) async throws -> [ProductCount] {
        try shared(productID, via: Self.purchased, limit)
    }

    func alsoViewed(_ productID: String, limit: Int) async throws -> [ProductCount] {
        try shared(productID, via: Self.viewed, limit)
    }

    private func shared(_ productID: String, via type: String, _ limit: Int) throws -> [ProductCount] {
        guard
            let product = try graph.nodeID(
                label: Self.productLabel, key: Self.productKey, value: .string(productID))
        else { return [] }
        return try productCounts(graph.coNeighbourCounts(of: product, via: type, limit: limit, distinct: true))
    }

    func recommendations(for userID: String, limit: Int) async throws -> [ProductCount] {
        guard let user = try graph.nodeID(label: Self.userLabel, key: Self.userKey, value: .string(userID)) else {
            return []
        }
        return try productCounts(
            graph.recommendationCounts(for: user, via: Self.purchased, limit: limit, distinct: true))
    }

    private func productCounts(_ counts: [NodeCount]) throws -> [ProductCount] {
        try counts.compactMap { counted in
            guard case .string(let productID)? = try graph.node(counted.node)?.properties[Self.productKey] else {
                return nil
            }
            return ProductCount(productID: productID, count: counted.count)
        }
    }
}
