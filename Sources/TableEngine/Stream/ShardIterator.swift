// ShardIterator.swift — positions in a stream as the service hands them out: opaque text that expires.

public import StorageCore

/// A position in a stream's shard, valid for 15 minutes.
public struct ShardIterator: Sendable, Hashable, CustomStringConvertible {
    /// Opaque; at most 2,048 characters.
    public let token: String

    public init(token: String) {
        self.token = token
    }

    public var description: String { token }

    static let lifetime = Duration.seconds(15 * 60)

    /// What the token says. The stream's name comes first: table names hold no bar.
    struct Content {
        var arn: String
        /// The last position that was read; `nil` before the oldest record.
        var position: StreamSequenceNumber?
        var issued: StorageInstant

        var token: String {
            "\(arn)|1|\(position?.description ?? "TRIM_HORIZON")|\(issued.microseconds)"
        }
    }

    /// - Throws: `ValidationException` for a token that was never issued.
    func content() throws -> Content {
        let parts = token.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[1] == "1", let issued = Int64(parts[3]) else { throw Self.invalid }
        let position = StreamSequenceNumber(parts[2])
        guard position != nil || parts[2] == "TRIM_HORIZON" else { throw Self.invalid }
        return Content(arn: parts[0], position: position, issued: StorageInstant(microseconds: issued))
    }

    private static let invalid = TableError.validation("Invalid ShardIterator")
}

/// Where an iterator begins.
public enum ShardIteratorType: Sendable, Hashable {
    /// At the oldest record that is kept.
    case trimHorizon
    /// Behind the newest record.
    case latest
    case atSequenceNumber(StreamSequenceNumber)
    case afterSequenceNumber(StreamSequenceNumber)
}

/// A page of a stream.
public struct GetRecordsResponse: Sendable, Hashable {
    public let records: [StreamRecord]
    /// Where to go on; `nil` at the end of a stream that was disabled.
    public let nextShardIterator: ShardIterator?
}

/// What a stream is.
public struct StreamDescription: Sendable, Hashable {
    public let streamARN: String
    public let streamLabel: String
    public let tableName: String
    public let keySchema: KeySchema
    public let streamViewType: StreamViewType
    public let isEnabled: Bool
    public let creation: StorageInstant
    public let shardID: String
    public let startingSequenceNumber: StreamSequenceNumber
    /// `nil` while the shard is open.
    public let endingSequenceNumber: StreamSequenceNumber?
}
