// EmbeddedFulfilmentService.swift — fulfilment on a FIFO queue with a dead-letter queue behind it.

internal import EventPipeline

struct EmbeddedFulfilmentService: FulfilmentService {
    static let queueName = "fulfilment.fifo"
    static let deadLetterQueueName = "fulfilment-dead.fifo"
    static let group = "fulfilment"
    static let maximumReceiveCount = 5

    let queue: FIFOQueue
    let deadLetters: FIFOQueue

    init(storage: Storage) throws {
        deadLetters = try FIFOQueue(storage: storage, name: Self.deadLetterQueueName)
        queue = try FIFOQueue(
            storage: storage, name: Self.queueName,
            redrivePolicy: RedrivePolicy(deadLetterQueue: deadLetters, maxReceiveCount: Self.maximumReceiveCount))
    }

    /// Sends the message of an order; the order id deduplicates it.
    @discardableResult
    func send(_ request: FulfilmentRequest, in transaction: WriteTransaction) throws -> SentMessage {
        try queue.sendMessage(
            FulfilmentText.encode(request), groupID: Self.group, deduplicationID: request.orderId, in: transaction)
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
