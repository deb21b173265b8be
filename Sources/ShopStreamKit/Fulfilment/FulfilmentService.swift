// FulfilmentService.swift — the queue of orders to be sent out.

/// The fulfilment message of an order: `{orderId, userId, productId, amount}`.
public struct FulfilmentRequest: Sendable, Hashable, Codable {
    public let orderId: String
    public let userId: String
    public let productId: String
    /// In cents.
    public let amount: Int

    public init(orderId: String, userId: String, productId: String, amount: Int) {
        self.orderId = orderId
        self.userId = userId
        self.productId = productId
        self.amount = amount
    }
}

/// A fulfilment message that was received and is to be completed.
public struct ReceivedFulfilment: Sendable, Hashable {
    public let request: FulfilmentRequest
    public let receiptHandle: String
    /// How often the message was received, this time included.
    public let receiveCount: Int

    public init(request: FulfilmentRequest, receiptHandle: String, receiveCount: Int) {
        self.request = request
        self.receiptHandle = receiptHandle
        self.receiveCount = receiveCount
    }
}

/// Hands out orders in the order in which they were placed, each until it is completed.
public protocol FulfilmentService: Sendable {
    /// The next orders, at most ten; they stay hidden for the queue's visibility timeout. While any is in flight, those
    /// behind it wait: the queue keeps the order.
    func receive(max count: Int) async throws -> [ReceivedFulfilment]
    /// The order was taken care of: the message goes.
    func complete(_ fulfilment: ReceivedFulfilment) async throws
    /// Messages waiting and in flight.
    func backlog() async throws -> Int
    /// Messages that were received too often without being completed.
    func deadLetterCount() async throws -> Int
}
