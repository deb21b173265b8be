// RecommendationService.swift — who bought and watched what, and what follows from it.

/// A product and how often it was counted.
public struct ProductCount: Sendable, Hashable {
    public let productID: String
    public let count: Int

    public init(productID: String, count: Int) {
        self.productID = productID
        self.count = count
    }
}

/// Recommendations from the purchase and viewing relationships.
public protocol RecommendationService: Sendable {
    /// Notes a purchase. The same order twice changes nothing.
    func recordPurchase(of productID: String, by userID: String, orderID: String) async throws
    /// Notes that a user watched a product. Twice changes nothing.
    func recordView(of productID: String, by userID: String) async throws

    /// Products bought by the buyers of a product, without itself, ranked by how many of the buyers bought them; ties in
    /// the order in which products were first seen.
    func alsoBought(_ productID: String, limit: Int) async throws -> [ProductCount]
    /// Products watched by those who watched a product, without itself.
    func alsoViewed(_ productID: String, limit: Int) async throws -> [ProductCount]
    /// Products bought by people who share purchases with the user, without those the user owns.
    func recommendations(for userID: String, limit: Int) async throws -> [ProductCount]
}
