// OrderFanOut.swift — what happens to the rest of the platform when an order is placed.
//
// Three consumers of the order table's change stream, independent of one another and of the order service. Each one's
// effect and its checkpoint are one commit, so inside the storage a record takes effect exactly once; and each effect is
// idempotent by itself, so delivering a record again changes nothing.

internal import DocumentEngine
public import EventPipeline
internal import TableEngine

/// The consumers of the order stream.
public struct OrderFanOut: Sendable {
    /// Adds the order to the buyer's profile: `$addToSet: { orderHistory: orderId }`.
    public let profile: EventSourceMapping
    /// Sends the fulfilment message, deduplicated by the order id.
    public let fulfilment: EventSourceMapping
    /// Merges the graph edge `(user)-[:PURCHASED {orderId}]->(product)`.
    public let recommendations: EventSourceMapping
    /// Descriptions of the batches that a consumer gave up on.
    public let deadLetters: DeadLetterStore

    private let clock: any StorageClock

    /// All three, in a fixed order.
    public var mappings: [EventSourceMapping] { [profile, fulfilment, recommendations] }

    init(
        storage: Storage, stream: TableStream, users: EmbeddedUserService, fulfilment: EmbeddedFulfilmentService,
        recommendations: EmbeddedRecommendationService, options: FanOutOptions
    ) throws {
        clock = storage.clock
        let deadLetters = try DeadLetterStore(storage: storage)
        self.deadLetters = deadLetters
        func mapping(
            _ name: String, _ handle: @escaping @Sendable (Order, WriteTransaction) throws -> Void
        ) throws -> EventSourceMapping {
            try EventSourceMapping(
                name: name, stream: stream, storage: storage,
                options: EventSourceMappingOptions(
                    filters: [.eventName(.insert).and(.key("SK", hasPrefix: OrderTables.orderPrefix))],
                    maximumRetryAttempts: options.maximumRetryAttempts, bisectBatchOnFunctionError: true,
                    onFailure: .store(deadLetters), backoff: options.backoff),
                handler: .transactional { record, transaction in
                    guard let order = record.newImage.flatMap(OrderTables.order) else {
                        throw MalformedOrder(sequenceNumber: record.sequenceNumber.description)
                    }
                    try handle(order, transaction)
                })
        }
        profile = try mapping("orders-profile") { order, transaction in
            try users.addOrder(order.orderID, toHistoryOf: order.userID, in: transaction)
        }
        self.fulfilment = try mapping("orders-fulfilment") { order, transaction in
            let request = FulfilmentRequest(
                orderId: order.orderID, userId: order.userID, productId: order.productID, amount: order.amountCents)
            try fulfilment.send(request, in: transaction)
        }
        self.recommendations = try mapping("orders-recommendations") { order, transaction in
            try recommendations.recordPurchase(
                of: order.productID, by: order.userID, orderID: order.orderID, in: transaction)
        }
    }

    /// Starts all consumers.
    public func start() {
        for mapping in mappings { mapping.start() }
    }

    /// Stops all consumers after the batch at hand; their checkpoints stay.
    public func stop() async {
        for mapping in mappings { await mapping.stop() }
    }

    /// Delivers what the stream holds to all consumers and returns when each has handled every record or given it up. They
    /// must not be running.
    public func drain() async throws {
        for mapping in mappings {
            while case .waiting(let instant) = try await mapping.drain().next {
                try await Task.sleep(for: max(.milliseconds(1), clock.now.duration(to: instant)))
            }
        }
    }
}

/// An order item that lacks what an order has; the record ends among the dead letters.
struct MalformedOrder: Error, CustomStringConvertible {
    var sequenceNumber: String
    var description: String { "The order in stream record \(sequenceNumber) is malformed." }
}
