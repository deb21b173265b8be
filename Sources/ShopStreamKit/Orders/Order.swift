// Order.swift — orders, their states, and why an order is refused.

public import TableEngine

/// What a buyer asks for.
public struct OrderRequest: Sendable, Hashable {
    public var userID: String
    public var productID: String
    public var amountCents: Int
    /// Given by the caller, it makes the call idempotent: a second order with it is refused as a duplicate, whoever
    /// places it. Nil draws a new one.
    public var orderID: String?
    /// Makes the call idempotent: repeating the same request with it answers as the first time did, also after a restart.
    /// Without an order id, the order's id is made of it. Of two different requests with it, the second is refused as a
    /// duplicate.
    public var clientRequestToken: String?

    public init(
        userID: String, productID: String, amountCents: Int, orderID: String? = nil, clientRequestToken: String? = nil
    ) {
        self.userID = userID
        self.productID = productID
        self.amountCents = amountCents
        self.orderID = orderID
        self.clientRequestToken = clientRequestToken
    }
}

/// The answer to an order that was accepted: `{ ok: true, orderId }`.
public struct PlacedOrder: Sendable, Hashable {
    public let orderID: String
    public var ok: Bool { true }

    public init(orderID: String) {
        self.orderID = orderID
    }
}

/// Where an order stands.
///
/// ```
/// PENDING ──capture──▶ PAID ──fulfil──▶ FULFILLED
///    │                   │
///    ├──fail payment──▶ PAYMENT_FAILED      (stock goes back)
///    └──cancel──────────┴──▶ CANCELLED      (stock goes back)
/// ```
public enum OrderStatus: String, Sendable, Hashable, CaseIterable {
    case pending = "PENDING"
    case paid = "PAID"
    case paymentFailed = "PAYMENT_FAILED"
    case fulfilled = "FULFILLED"
    case cancelled = "CANCELLED"
}

/// Where a payment stands.
public enum PaymentStatus: String, Sendable, Hashable, CaseIterable {
    case initiated = "INITIATED"
    case captured = "CAPTURED"
    case failed = "FAILED"
    case voided = "VOIDED"
}

public struct Order: Sendable, Hashable {
    public var orderID: String
    public var userID: String
    public var productID: String
    public var amountCents: Int
    public var status: OrderStatus
    public var createdAt: StorageInstant

    public init(
        orderID: String, userID: String, productID: String, amountCents: Int, status: OrderStatus,
        createdAt: StorageInstant
    ) {
        self.orderID = orderID
        self.userID = userID
        self.productID = productID
        self.amountCents = amountCents
        self.status = status
        self.createdAt = createdAt
    }
}

/// Why an order, or a change of one, was refused. Nothing was written.
public struct OrderRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Reason: Sendable, Hashable {
        /// Stock is 0, or the product is unknown.
        case outOfStock
        /// There is an order with this id already.
        case duplicateOrder
        /// The order is not in a state from which this may happen; nil where there is no such order.
        case illegalTransition(from: OrderStatus?, to: OrderStatus)
    }

    public let reason: Reason
    /// One for each action of the transaction, as `TransactWriteItems` reports them.
    public let cancellationReasons: [CancellationReason]

    public init(reason: Reason, cancellationReasons: [CancellationReason]) {
        self.reason = reason
        self.cancellationReasons = cancellationReasons
    }

    public var description: String {
        switch reason {
        case .outOfStock: "out of stock"
        case .duplicateOrder: "duplicate order"
        case .illegalTransition(let from, let to):
            "an order that is \(from?.rawValue ?? "absent") can't become \(to.rawValue)"
        }
    }
}
