// EmbeddedFulfilmentService.swift — fulfilment on a FIFO queue with a dead-letter queue behind it.

internal import EventPipeline

struct EmbeddedFulfilmentService: FulfilmentService {
    static let queueName = "fulfilment.fifo"
    static let deadLetterQueueName = "fulfilment-dead.fifo"
    static let group = "fulfilment"
    static let maximumReceiveCount = 5
    /// Longer than the 24 hours for which the order stream can deliver a record again.
    static let sentMarkLifetime = Duration.seconds(48 * 3600)

    let queue: FIFOQueue
    let deadLetters: FIFOQueue
    /// The ids of orders whose messages were sent: the queue's own deduplication forgets them after five minutes.
    private let sent: Keyspace

    init(storage: Storage) throws {
        sent = try storage.keyspace("fulfilment/sent", options: KeyspaceOptions(expiry: .engine))
        deadLetters = try FIFOQueue(storage: storage, name: Self.deadLetterQueueName)
        queue = try FIFOQueue(
            storage: storage, name: Self.queueName,
            redrivePolicy: RedrivePolicy(deadLetterQueue: deadLetters, maxReceiveCount: Self.maximumReceiveCount))
    }

    /// Sends the message of an order, unless it was sent before.
    func send(_ request: FulfilmentRequest, in transaction: WriteTransaction) throws {
        let key = Array(request.orderId.utf8)
        guard try !transaction.contains(sent, key.rawSpan) else { return }
        try queue.sendMessage(
            FulfilmentText.encode(request), groupID: Self.group, deduplicationID: request.orderId, in: transaction)
        let mark: [UInt8] = []
        try transaction.put(
            sent, key.rawSpan, mark.rawSpan, expiry: transaction.commitTime.advanced(by: Self.sentMarkLifetime))
    }

    func receive(max count: Int) async throws -> [ReceivedFulfilment] {
        try queue.receiveMessages(maxCount: count).compactMap { message in
            FulfilmentText.decode(message.body).map {
                ReceivedFulfilment(
                    request: $0, receiptHandle: message.receiptHandle, receiveCount: message.approximateReceiveCount)
            }
        }
    }

    func complete(_ fulfilment: ReceivedFulfilment) async throws {
        try queue.deleteMessage(receiptHandle: fulfilment.receiptHandle)
    }

    func backlog() async throws -> Int {
        let attributes = queue.attributes
        return attributes.approximateNumberOfMessages + attributes.approximateNumberOfMessagesNotVisible
    }

    func deadLetterCount() async throws -> Int { deadLetters.attributes.approximateNumberOfMessages }
}
