// FIFOQueue+Receive.swift — ReceiveMessage, with the redrive and the retention that happen on the way.

internal import Synchronization

extension FIFOQueue {
    private static let maxReceiveCount = 10
    /// Messages past their retention that one receive removes at most.
    private static let retentionBudget = 100

    /// Receives up to ten messages: as many as possible of one group, then of others; none if none can be received.
    ///
    /// They stay invisible for `visibilityTimeout` (default: the queue's), counted from now.
    public func receiveMessages(
        maxCount: Int = 1, visibilityTimeout: Duration? = nil
    ) throws -> [ReceivedMessage] {
        let timeout = try validated(maxCount: maxCount, visibilityTimeout: visibilityTimeout)
        return try storage.write(options.durability) { transaction in
            try receive(maxCount, timeout, in: transaction)
        }
    }

    /// Receives as above; where there is nothing, waits for messages up to `waitTime`, at most 20 s (long polling).
    public func receiveMessages(
        maxCount: Int = 1, visibilityTimeout: Duration? = nil, waitTime: Duration
    ) async throws -> [ReceivedMessage] {
        guard (.zero...(.seconds(20))).contains(waitTime) else {
            throw QueueError.invalidValue(
                "\(waitTime.components.seconds)", for: "WaitTimeSeconds", reason: "Must be >= 0 and <= 20, if provided."
            )
        }
        let timeout = try validated(maxCount: maxCount, visibilityTimeout: visibilityTimeout)
        let deadline = ContinuousClock.now.advanced(by: waitTime)
        while true {
            let generation = arrivals.generation
            let messages = try await storage.write(options.durability) { transaction in
                try receive(maxCount, timeout, in: transaction)
            }
            let rest = ContinuousClock.now.duration(to: deadline)
            guard messages.isEmpty, rest > .zero else { return messages }
            try await arrivals.wait(after: generation, atMost: min(rest, timeUntilVisibility ?? rest))
        }
    }

    /// How long until the next message in flight comes back; at least a millisecond.
    private var timeUntilVisibility: Duration? {
        groups.withLock { $0.nextVisibility }.map { max(now.duration(to: $0), .milliseconds(1)) }
    }

    private func validated(maxCount: Int, visibilityTimeout: Duration?) throws(QueueError) -> Duration {
        guard (1...Self.maxReceiveCount).contains(maxCount) else {
            throw .invalidValue(
                "\(maxCount)", for: "MaxNumberOfMessages", reason: "Must be between 1 and 10, if provided.")
        }
        let timeout = visibilityTimeout ?? options.visibilityTimeout
        try Self.validate(visibilityTimeout: timeout)
        return timeout
    }

    static func validate(visibilityTimeout: Duration) throws(QueueError) {
        guard (.zero...(.seconds(43_200))).contains(visibilityTimeout) else {
            throw .invalidValue(
                "\(visibilityTimeout.components.seconds)", for: "VisibilityTimeout",
                reason: "Must be between 0 and 43200, if provided.")
        }
    }

    // MARK: In the lane

    private func receive(
        _ maxCount: Int, _ timeout: Duration, in transaction: WriteTransaction
    ) throws -> [ReceivedMessage] {
        let now = now
        // Plans on a copy: the groups themselves change with the commit.
        var plan = groups.withLock { $0 }
        returnDue(at: now, &plan, in: transaction)
        try dropExpired(at: now, &plan, in: transaction)
        var received: [ReceivedMessage] = []
        while received.count < maxCount {
            let candidates = plan.receivable(count: maxCount - received.count)
            guard !candidates.isEmpty else { break }
            var moved = false
            for sequence in candidates {
                if let message = try deliver(sequence, now: now, timeout: timeout, in: transaction) {
                    received.append(message)
                } else {
                    plan.deleted(sequence)
                    moved = true
                }
            }
            // What moved to the dead-letter queue made room: others of its group may come now.
            guard moved else { break }
            for message in received { plan.received(Self.sequence(of: message), visibleAt: now.advanced(by: timeout)) }
        }
        return received
    }

    private static func sequence(of message: ReceivedMessage) -> UInt64 {
        UInt64(message.sequenceNumber) ?? 0
    }

    private func returnDue(at now: StorageInstant, _ plan: inout MessageGroups, in transaction: WriteTransaction) {
        for sequence in plan.dueForVisibility(at: now) {
            plan.becameVisible(sequence)
            transaction.onCommit { [self] _ in groups.withLock { $0.becameVisible(sequence) } }
        }
    }

    private func dropExpired(
        at now: StorageInstant, _ plan: inout MessageGroups, in transaction: WriteTransaction
    ) throws {
        let limit = now.advanced(by: .zero - options.retention)
        for sequence in plan.sent(atOrBefore: limit, count: Self.retentionBudget) {
            plan.deleted(sequence)
            try remove(sequence, in: transaction)
        }
    }

    /// Puts a message in flight; `nil` if it was received too often and went to the dead-letter queue instead.
    private func deliver(
        _ sequence: UInt64, now: StorageInstant, timeout: Duration, in transaction: WriteTransaction
    ) throws -> ReceivedMessage? {
        guard let message = try message(sequence, in: transaction.view) else {
            throw StorageError.corruption("Queue \(name) lacks the record of message \(Self.digits(sequence)).")
        }
        let previous = try delivery(sequence, in: transaction.view)
        let receiveCount = previous?.receiveCount ?? 0
        if let redrivePolicy, receiveCount >= redrivePolicy.maxReceiveCount {
            try redrive(sequence, message, to: redrivePolicy.deadLetterQueue, in: transaction)
            return nil
        }
        let delivery = Delivery(
            receiveCount: receiveCount < .max ? receiveCount + 1 : .max,
            firstReceivedAt: previous?.firstReceivedAt ?? now,
            visibleAt: now.advanced(by: timeout), nonce: random.withLock { $0.next() })
        try transaction.put(keyspace, QueueKey.delivery(sequence), delivery.encoded())
        transaction.onCommit { [self] _ in groups.withLock { $0.received(sequence, visibleAt: delivery.visibleAt) } }
        return ReceivedMessage(sequence, message, delivery)
    }

    /// The message keeps its id; the time from which its retention counts starts anew, as for FIFO queues in SQS.
    private func redrive(
        _ sequence: UInt64, _ message: StoredMessage, to deadLetterQueue: FIFOQueue, in transaction: WriteTransaction
    ) throws {
        var moved = message
        moved.sentAt = transaction.commitTime
        _ = try deadLetterQueue.add(moved, in: transaction)
        try remove(sequence, in: transaction)
    }
}

extension ReceivedMessage {
    init(_ sequence: UInt64, _ message: StoredMessage, _ delivery: Delivery) {
        self.init(
            messageID: message.messageID,
            receiptHandle: ReceiptHandle(sequence: sequence, nonce: delivery.nonce).description,
            body: message.body, groupID: message.groupID, deduplicationID: message.deduplicationID,
            sequenceNumber: FIFOQueue.digits(sequence), attributes: message.attributes, sentTimestamp: message.sentAt,
            approximateReceiveCount: Int(delivery.receiveCount),
            approximateFirstReceiveTimestamp: delivery.firstReceivedAt)
    }
}
