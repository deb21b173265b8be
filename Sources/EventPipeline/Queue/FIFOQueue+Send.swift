// FIFOQueue+Send.swift — SendMessage and PurgeQueue.

internal import Crypto
internal import StorageTypes
internal import Synchronization

extension FIFOQueue {
    /// Sends a message.
    ///
    /// A message whose deduplication id was sent less than five minutes ago is accepted and not added; the answer names the
    /// original.
    /// - Throws: `QueueError` for parameters that SQS refuses; `StorageError`.
    @discardableResult
    public func sendMessage(
        _ body: String, groupID: String, deduplicationID: String? = nil, attributes: [String: String] = [:]
    ) throws -> SentMessage {
        try storage.write(options.durability) { transaction in
            try sendMessage(
                body, groupID: groupID, deduplicationID: deduplicationID, attributes: attributes, in: transaction)
        }
    }

    /// Sends a message as part of a transaction: it is in the queue when and if the transaction commits.
    @discardableResult
    public func sendMessage(
        _ body: String, groupID: String, deduplicationID: String? = nil, attributes: [String: String] = [:],
        in transaction: WriteTransaction
    ) throws -> SentMessage {
        try Self.validate(body: body, groupID: groupID, deduplicationID: deduplicationID)
        let effectiveID = try deduplicationID ?? contentID(of: body)
        let now = now
        if let original = try original(of: effectiveID, groupID: groupID, now: now, in: transaction) {
            return SentMessage(
                messageID: original.messageID, sequenceNumber: Self.digits(original.sequence), isDuplicate: true)
        }
        let message = StoredMessage(
            messageID: makeMessageID(), groupID: groupID, deduplicationID: effectiveID, body: body,
            attributes: attributes, sentAt: transaction.commitTime)
        let sequence = try add(message, in: transaction)
        let entry = DeduplicationEntry(messageID: message.messageID, sequence: sequence, sentAt: now)
        try transaction.put(
            keyspace, deduplicationKey(effectiveID, groupID), entry.encoded(),
            expiry: now.advanced(by: Self.deduplicationInterval))
        return SentMessage(messageID: message.messageID, sequenceNumber: Self.digits(sequence), isDuplicate: false)
    }

    /// Removes every message and forgets every deduplication id; at most once in 60 seconds (PurgeQueue).
    public func purge() throws {
        let now = now
        try lastPurge.withLock { last in
            if let last, now < last.advanced(by: .seconds(60)) { throw QueueError.purgeInProgress(name) }
            last = now
        }
        try storage.write(options.durability) { transaction in
            for range in [QueueKey.messages, QueueKey.deliveries, QueueKey.deduplication] {
                try transaction.deleteRange(keyspace, range)
            }
            transaction.onCommit { [self] _ in groups.withLock { $0.purged() } }
        }
    }

    /// Adds a message without asking for duplicates. Returns its sequence number.
    func add(_ message: StoredMessage, in transaction: WriteTransaction) throws -> UInt64 {
        let sequence = try nextSequence(in: transaction)
        try transaction.put(keyspace, QueueKey.message(sequence), message.encoded())
        transaction.onCommit { [self] _ in
            groups.withLock { $0.sent(sequence, group: message.groupID, at: message.sentAt) }
            arrivals.notify()
        }
        return sequence
    }

    private func nextSequence(in transaction: WriteTransaction) throws -> UInt64 {
        let last = try Self.lastSequence(of: keyspace, in: transaction.view)
        guard last < .max else { throw StorageError.corruption("The sequence numbers of queue \(name) are used up.") }
        var writer = RecordWriter(version: 1)
        writer.append(last + 1)
        try transaction.put(keyspace, QueueKey.lastSequence, writer.bytes)
        return last + 1
    }

    // MARK: Deduplication

    private func original(
        of id: String, groupID: String, now: StorageInstant, in transaction: WriteTransaction
    ) throws -> DeduplicationEntry? {
        guard let bytes = try transaction.view.get(keyspace, deduplicationKey(id, groupID)) else { return nil }
        let entry = try DeduplicationEntry(decoding: bytes, keyspace: keyspace.name)
        return now < entry.sentAt.advanced(by: Self.deduplicationInterval) ? entry : nil
    }

    private func deduplicationKey(_ id: String, _ groupID: String) -> [UInt8] {
        QueueKey.deduplication(id, group: options.deduplicatesByGroup ? groupID : nil)
    }

    private func contentID(of body: String) throws(QueueError) -> String {
        guard options.contentBasedDeduplication else { throw .missingDeduplicationID }
        // Consumers see it: SQS gives the digest as `MessageDeduplicationId`.
        return Hexadecimal.text(SHA256.hash(data: Array(body.utf8)))
    }

    // MARK: Parameters

    private static func validate(body: String, groupID: String, deduplicationID: String?) throws(QueueError) {
        guard !body.isEmpty else { throw .missingBody }
        guard body.utf8.count <= maxBodyByteCount else { throw .bodyTooLong(limit: maxBodyByteCount) }
        try validate(id: groupID, parameter: "MessageGroupId")
        if let deduplicationID { try validate(id: deduplicationID, parameter: "MessageDeduplicationId") }
    }

    /// 1 to 128 letters, digits and punctuation: the printable ASCII characters but the blank.
    private static func validate(id: String, parameter: String) throws(QueueError) {
        guard (1...128).contains(id.utf8.count), id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .invalidValue(
                id, for: parameter,
                reason: "\(parameter) can only include alphanumeric and punctuation characters. 1 to 128 in length.")
        }
    }

    /// A random UUID (version 4).
    private func makeMessageID() -> String {
        let (high, low) = random.withLock { ($0.next(), $0.next()) }
        return RandomUUID.text(high, low)
    }
}
