// FIFOQueue.swift — a durable queue with the semantics of Amazon SQS FIFO queues.
//
// Every operation is one commit. Decisions are made inside the storage's writer lane, from records read through the
// transaction and from `MessageGroups`, which is changed by commit actions only: so it always matches what is visible.

internal import Synchronization

/// A durable first-in-first-out queue: messages of a group are received in order, one consumer at a time.
///
/// - A message is accepted once within five minutes by its deduplication id, across restarts and whether or not it was
///   received and deleted meanwhile; a duplicate answers the original's id.
/// - While a message of a group is in flight, no other message of that group is received.
/// - A message that is not deleted before its visibility timeout comes back, in its place.
/// - A message received `maxReceiveCount` times moves to the dead-letter queue, if the queue has one, and its group goes
///   on.
/// - A send or a delete may be part of a transaction of the caller's: it happens with its commit or not at all.
///
/// At most one `FIFOQueue` may be open for a name at a time. Time is the storage's clock.
/// Source: Amazon SQS developer guide, "FIFO delivery logic", "Exactly-once processing".
public final class FIFOQueue: Sendable {
    public let name: String
    public let options: FIFOQueueOptions
    public let redrivePolicy: RedrivePolicy?
    let storage: Storage
    let keyspace: Keyspace
    let groups = Mutex(MessageGroups())
    let random: Mutex<SeededRandom>
    let arrivals = Signal()
    let lastPurge = Mutex<StorageInstant?>(nil)

    static let deduplicationInterval = Duration.seconds(300)
    static let maxBodyByteCount = 1 << 20

    /// Opens or creates a queue; its name ends with `.fifo`.
    /// - Throws: `QueueError` for options out of range; `StorageError`.
    public init(
        storage: Storage, name: String, options: FIFOQueueOptions = FIFOQueueOptions(),
        redrivePolicy: RedrivePolicy? = nil
    ) throws {
        try Self.validate(name: name)
        try options.validate()
        precondition(
            redrivePolicy.map { $0.deadLetterQueue.storage === storage } ?? true,
            "A dead-letter queue lives in the same storage as its source, so that a move is one commit.")
        self.name = name
        self.options = options
        self.redrivePolicy = redrivePolicy
        self.storage = storage
        keyspace = try storage.keyspace("pipeline/queue/\(name)", options: KeyspaceOptions(expiry: .engine))
        random = Mutex(SeededRandom(seed: options.seed ?? .random(in: .min ... .max)))
        try load()
        registerCrossCheck()
    }

    var now: StorageInstant { storage.clock.now }

    /// How many messages there are.
    public var attributes: FIFOQueueAttributes {
        let now = now
        return groups.withLock { groups in
            let due = groups.dueForVisibility(at: now).count
            return FIFOQueueAttributes(
                approximateNumberOfMessages: groups.visibleCount + due,
                approximateNumberOfMessagesNotVisible: groups.inFlightCount - due)
        }
    }

    private static func validate(name: String) throws(QueueError) {
        let stem = name.utf8.dropLast(5)
        guard name.hasSuffix(".fifo"), (1...75).contains(stem.count), stem.allSatisfy(isNameByte) else {
            throw QueueError(
                code: "InvalidParameterValue",
                message: "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
                    + "must end with .fifo suffix and be 1 to 80 in length.")
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Rebuilds the groups from the records.
    private func load() throws {
        let snapshot = storage.snapshot()
        var loaded = MessageGroups()
        var cursor = try snapshot.view.cursor(keyspace, QueueKey.messages)
        try cursor.seekToFirst()
        while cursor.isValid {
            let message = try StoredMessage(decoding: cursor.value.array(), keyspace: keyspace.name)
            guard let sequence = QueueKey.sequence(cursor.key.array()) else {
                throw StorageError.corruption("Keyspace \"\(keyspace.name)\" has a message under a malformed key.")
            }
            loaded.sent(sequence, group: message.groupID, at: message.sentAt)
            if let delivery = try delivery(sequence, in: snapshot.view) {
                loaded.received(sequence, visibleAt: delivery.visibleAt)
            }
            try cursor.next()
        }
        groups.withLock { $0 = loaded }
    }

    // MARK: Records

    func message(_ sequence: UInt64, in view: ReadView) throws -> StoredMessage? {
        try view.get(keyspace, QueueKey.message(sequence)).map {
            try StoredMessage(decoding: $0, keyspace: keyspace.name)
        }
    }

    func delivery(_ sequence: UInt64, in view: ReadView) throws -> Delivery? {
        try view.get(keyspace, QueueKey.delivery(sequence)).map { try Delivery(decoding: $0, keyspace: keyspace.name) }
    }

    /// Removes a message with all that belongs to it but its deduplication entry.
    func remove(_ sequence: UInt64, in transaction: WriteTransaction) throws {
        try transaction.delete(keyspace, QueueKey.message(sequence))
        try transaction.delete(keyspace, QueueKey.delivery(sequence))
        transaction.onCommit { [self] _ in
            groups.withLock { $0.deleted(sequence) }
            arrivals.notify()
        }
    }

    static func digits(_ sequence: UInt64) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits
    }
}

extension WriteTransaction {
    // The queue's keys are made on the spot: forms that take arrays keep them alive for the call.
    func put(_ keyspace: Keyspace, _ key: [UInt8], _ value: [UInt8], expiry: StorageInstant? = nil) throws {
        try put(keyspace, key.rawSpan, value.rawSpan, expiry: expiry)
    }

    func delete(_ keyspace: Keyspace, _ key: [UInt8]) throws {
        try delete(keyspace, key.rawSpan)
    }
}

extension ReadView {
    func get(_ keyspace: Keyspace, _ key: [UInt8]) throws -> [UInt8]? {
        try get(keyspace, key.rawSpan)
    }
}
