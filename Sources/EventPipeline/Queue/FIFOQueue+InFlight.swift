// FIFOQueue+InFlight.swift — DeleteMessage and ChangeMessageVisibility: what a consumer does with what it received.

internal import Synchronization

extension FIFOQueue {
    /// Deletes a message that is in flight; one that is deleted already is no error.
    /// - Throws: `QueueError` if the receipt handle is malformed or its visibility timeout is over.
    public func deleteMessage(receiptHandle: String) throws {
        try storage.write(options.durability) { try deleteMessage(receiptHandle: receiptHandle, in: $0) }
    }

    /// Deletes a message as part of a transaction: its effect and its deletion happen together or not at all.
    public func deleteMessage(receiptHandle: String, in transaction: WriteTransaction) throws {
        let handle = try ReceiptHandle(receiptHandle)
        guard try message(handle.sequence, in: transaction.view) != nil else { return }
        _ = try current(handle, at: now, in: transaction) { .expiredHandle(receiptHandle) }
        try remove(handle.sequence, in: transaction)
    }

    /// Sets anew how long a message in flight stays so, counted from now; zero gives it back at once.
    public func changeMessageVisibility(receiptHandle: String, to timeout: Duration) throws {
        try Self.validate(visibilityTimeout: timeout)
        let handle = try ReceiptHandle(receiptHandle)
        try storage.write(options.durability) { transaction in
            let now = now
            var delivery = try current(handle, at: now, in: transaction) { .notInFlight(receiptHandle) }
            delivery.visibleAt = now.advanced(by: timeout)
            try transaction.put(keyspace, QueueKey.delivery(handle.sequence), delivery.encoded())
            transaction.onCommit { [self, delivery] _ in
                groups.withLock { $0.received(handle.sequence, visibleAt: delivery.visibleAt) }
                arrivals.notify()
            }
        }
    }

    /// The delivery that a handle stands for, if the message is still in flight by it.
    private func current(
        _ handle: ReceiptHandle, at now: StorageInstant, in transaction: WriteTransaction,
        otherwise error: () -> QueueError
    ) throws -> Delivery {
        guard let delivery = try delivery(handle.sequence, in: transaction.view), delivery.nonce == handle.nonce,
            delivery.visibleAt > now
        else { throw error() }
        return delivery
    }
}
