// QueueRecords.swift — a queue's keyspace `pipeline/queue/<name>`.
//
//   00                                last sequence number given
//   01 sequence (8 bytes big-endian)  message: what was sent; never changed
//   02 sequence (8 bytes big-endian)  delivery: how often received, until when invisible, which handle
//   03 length (1 byte) group, id      deduplication: the message that an id stands for; expires after five minutes;
//                                     length 0 and no group where ids are the whole queue's
//
// Values are written by `RecordWriter`, format version 1. The first byte of a key is the kind of record: do not
// renumber.

enum QueueKey {
    static let lastSequence: [UInt8] = [0]
    static let messages = KeyRange.prefix([1])
    static let deliveries = KeyRange.prefix([2])
    static let deduplication = KeyRange.prefix([3])

    static func message(_ sequence: UInt64) -> [UInt8] { [1] + bigEndian(sequence) }
    static func delivery(_ sequence: UInt64) -> [UInt8] { [2] + bigEndian(sequence) }
    /// A group's length goes in front of it, so that group and id can't run together.
    static func deduplication(_ id: String, group: String?) -> [UInt8] {
        var key: [UInt8] = [3, UInt8(truncatingIfNeeded: group?.utf8.count ?? 0)]
        if let group { key.append(contentsOf: group.utf8) }
        key.append(contentsOf: id.utf8)
        return key
    }

    /// The sequence number of a message's or delivery's key.
    static func sequence(_ key: [UInt8]) -> UInt64? {
        guard key.count == 9 else { return nil }
        return key.dropFirst().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bigEndian(_ value: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
    }
}

/// What was sent.
struct StoredMessage: Sendable {
    var messageID: String
    var groupID: String
    var deduplicationID: String
    var body: String
    var attributes: [String: String]
    var sentAt: StorageInstant

    func encoded() -> [UInt8] {
        var writer = RecordWriter(version: 1)
        writer.append(messageID)
        writer.append(groupID)
        writer.append(deduplicationID)
        writer.append(body)
        writer.append(sentAt)
        writer.append(UInt32(attributes.count))
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            writer.append(name)
            writer.append(value)
        }
        return writer.bytes
    }
}

extension StoredMessage {
    init(decoding bytes: [UInt8], keyspace: String) throws {
        var reader = try RecordReader(bytes, version: 1, keyspace: keyspace)
        messageID = try reader.text()
        groupID = try reader.text()
        deduplicationID = try reader.text()
        body = try reader.text()
        sentAt = try reader.instant()
        attributes = [:]
        for _ in 0..<(try reader.uint32()) {
            let name = try reader.text()
            attributes[name] = try reader.text()
        }
        try reader.finish()
    }
}

/// The receives of a message so far.
struct Delivery: Sendable, Hashable {
    var receiveCount: UInt32
    var firstReceivedAt: StorageInstant
    /// In flight until then.
    var visibleAt: StorageInstant
    /// Tells the handle of this receive from earlier ones.
    var nonce: UInt64

    func encoded() -> [UInt8] {
        var writer = RecordWriter(version: 1)
        writer.append(receiveCount)
        writer.append(firstReceivedAt)
        writer.append(visibleAt)
        writer.append(nonce)
        return writer.bytes
    }
}

extension Delivery {
    init(decoding bytes: [UInt8], keyspace: String) throws {
        var reader = try RecordReader(bytes, version: 1, keyspace: keyspace)
        receiveCount = try reader.uint32()
        firstReceivedAt = try reader.instant()
        visibleAt = try reader.instant()
        nonce = try reader.uint64()
        try reader.finish()
    }
}

/// The message that a deduplication id stands for.
struct DeduplicationEntry: Sendable {
    var messageID: String
    var sequence: UInt64
    var sentAt: StorageInstant

    func encoded() -> [UInt8] {
        var writer = RecordWriter(version: 1)
        writer.append(messageID)
        writer.append(sequence)
        writer.append(sentAt)
        return writer.bytes
    }
}

extension DeduplicationEntry {
    init(decoding bytes: [UInt8], keyspace: String) throws {
        var reader = try RecordReader(bytes, version: 1, keyspace: keyspace)
        messageID = try reader.text()
        sequence = try reader.uint64()
        sentAt = try reader.instant()
        try reader.finish()
    }
}
