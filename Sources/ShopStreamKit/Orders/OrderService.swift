// OrderService.swift — stock, orders and payments: never charged twice, never oversold.

/// Places orders and leads them through their life.
///
/// Every change is one conditional transaction over inventory, orders and payments: it happens whole or not at all, and
/// it is on the device before the call returns.
public protocol OrderService: Sendable {
    /// Sets how many units of a product there are.
    func setStock(_ units: Int, of productID: String) async throws
    /// How many units of a product there are; nil if it is unknown.
    func stock(of productID: String) async throws -> Int?

    /// Takes one unit from stock, writes the order and the payment intent.
    /// - Throws: ``OrderRefusal``: `.outOfStock`, `.duplicateOrder`.
    func place(_ request: OrderRequest) async throws -> PlacedOrder

    /// The payment went through: the order is paid.
    func capturePayment(of orderID: String, by userID: String) async throws
    /// The payment failed: the order has failed, and the unit goes back to stock.
    func failPayment(of orderID: String, by userID: String) async throws
    /// The order was sent out.
    func fulfil(_ orderID: String, by userID: String) async throws
    /// The order is called off: the unit goes back to stock.
    func cancel(_ orderID: String, by userID: String) async throws

    func order(_ orderID: String, by userID: String) async throws -> Order?
    /// A user's orders in the order of their ids.
    func orders(by userID: String) async throws -> [Order]
    func payment(of orderID: String) async throws -> PaymentStatus?
}
