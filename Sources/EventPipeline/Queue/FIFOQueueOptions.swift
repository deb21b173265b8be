// FIFOQueueOptions.swift — a queue's attributes, and what it answers about itself.

public struct FIFOQueueOptions: Sendable {
    /// Messages without a deduplication id get the SHA-256 of their body as one.
    public var contentBasedDeduplication: Bool
    /// Deduplication ids count for their message group only, not for the whole queue (`DeduplicationScope`).
    public var deduplicatesByGroup: Bool
    /// How long a received message stays invisible, 0 s to 12 h; a receive may ask for another time.
    public var visibilityTimeout: Duration
    /// How long a message is kept, 60 s to 14 days.
    public var retention: Duration
    /// How far every commit of the queue has to get; a send inside a transaction has the transaction's durability.
    public var durability: Durability
    /// Seeds message ids and receipt handles; `nil` draws a random one.
    public var seed: UInt64?

    public init(
        contentBasedDeduplication: Bool = false, deduplicatesByGroup: Bool = false,
        visibilityTimeout: Duration = .seconds(30), retention: Duration = .seconds(4 * 86_400),
        durability: Durability = .buffered, seed: UInt64? = nil
    ) {
        self.contentBasedDeduplication = contentBasedDeduplication
        self.deduplicatesByGroup = deduplicatesByGroup
        self.visibilityTimeout = visibilityTimeout
        self.retention = retention
        self.durability = durability
        self.seed = seed
    }

    func validate() throws(QueueError) {
        try check(visibilityTimeout, .zero...(.seconds(43_200)), "VisibilityTimeout")
        try check(retention, .seconds(60)...(.seconds(14 * 86_400)), "MessageRetentionPeriod")
    }

    private func check(_ value: Duration, _ range: ClosedRange<Duration>, _ name: String) throws(QueueError) {
        guard range.contains(value) else {
            throw QueueError(code: "InvalidAttributeValue", message: "Invalid value for the parameter \(name).")
        }
    }
}

/// Where messages go that were received too often without being deleted.
public struct RedrivePolicy: Sendable {
    public let deadLetterQueue: FIFOQueue
    /// A message that was received this often is moved instead of received again, 1 to 1000.
    public let maxReceiveCount: Int

    public init(deadLetterQueue: FIFOQueue, maxReceiveCount: Int) throws(QueueError) {
        guard (1...1000).contains(maxReceiveCount) else {
            throw .invalidValue(
                "\(maxReceiveCount)", for: "RedrivePolicy",
                reason: "Invalid value for maxReceiveCount: must be between 1 and 1000.")
        }
        self.deadLetterQueue = deadLetterQueue
        self.maxReceiveCount = maxReceiveCount
    }
}

/// `GetQueueAttributes`. In this queue the numbers are exact.
public struct FIFOQueueAttributes: Sendable, Hashable {
    /// Messages that could be received, now or once their group is free.
    public var approximateNumberOfMessages: Int
    /// Messages in flight.
    public var approximateNumberOfMessagesNotVisible: Int
}

/// What a send answers.
public struct SentMessage: Sendable, Hashable {
    public let messageID: String
    /// 20 digits, rising within a message group.
    public let sequenceNumber: String
    /// Whether the message was accepted but is a duplicate: then id and sequence number are those of the original.
    /// (SQS doesn't tell.)
    public let isDuplicate: Bool
}

public struct ReceivedMessage: Sendable, Hashable {
    public let messageID: String
    public let receiptHandle: String
    public let body: String
    public let groupID: String
    public let deduplicationID: String
    public let sequenceNumber: String
    /// The caller's own attributes.
    public let attributes: [String: String]
    public let sentTimestamp: StorageInstant
    public let approximateReceiveCount: Int
    public let approximateFirstReceiveTimestamp: StorageInstant
}
