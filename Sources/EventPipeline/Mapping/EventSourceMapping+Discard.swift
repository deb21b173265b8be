// EventSourceMapping+Discard.swift — giving up: the batch is described to its destination, and the records behind it go on.

internal import Logging
internal import Synchronization
internal import TableEngine

extension EventSourceMapping {
    /// The description and the checkpoint commit together: a record is never lost between them.
    func discard(
        _ batch: PendingBatch, _ condition: DiscardCondition, _ state: inout MappingState
    ) async throws {
        logger.error(
            "Gave up \(batch.records.count) records from \(batch.records[0].sequenceNumber): \(condition.rawValue)")
        let letter = DeadLetter(
            batch, condition, mapping: self, requestID: makeRequestID(), now: storage.clock.now)
        try await storage.write(options.durability) { transaction in
            try send(letter, in: transaction)
            try store(batch.coveredThrough, in: transaction)
        }
        state.finishedFirst()
    }

    private func send(_ letter: DeadLetter?, in transaction: WriteTransaction) throws {
        guard let letter else { return }
        switch options.onFailure {
        case .queue(let queue):
            try queue.sendMessage(
                letter.json, groupID: name, deduplicationID: letter.deduplicationID, in: transaction)
        case .store(let store):
            try store.add(letter, in: transaction)
        case nil:
            break
        }
    }

    private func makeRequestID() -> String {
        let (high, low) = run.withLock { ($0.random.next(), $0.random.next()) }
        return RandomUUID.text(high, low)
    }
}

extension DeadLetter {
    /// The same batch given up for the same reason is one message.
    fileprivate var deduplicationID: String {
        "\(startSequenceNumber)-\(endSequenceNumber)-\(condition.rawValue)"
    }
}
