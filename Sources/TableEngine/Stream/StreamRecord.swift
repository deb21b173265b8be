// StreamRecord.swift — one change of one item, as a consumer of the stream sees it.

public import StorageTypes

/// Which images a stream's records carry. It is fixed when the stream is enabled.
public enum StreamViewType: String, Sendable, Hashable, CaseIterable {
    case keysOnly = "KEYS_ONLY"
    case newImage = "NEW_IMAGE"
    case oldImage = "OLD_IMAGE"
    case newAndOldImages = "NEW_AND_OLD_IMAGES"

    public var includesNewImage: Bool { self == .newImage || self == .newAndOldImages }
    public var includesOldImage: Bool { self == .oldImage || self == .newAndOldImages }
}

/// One change of one item.
///
/// Each change gives exactly one record, in the commit of the change; the records of an item come in the order of its
/// changes. A write that changes nothing gives none.
///
/// Source: Amazon DynamoDB API reference, `Record` and `StreamRecord` of DynamoDB Streams.
public struct StreamRecord: Sendable, Hashable {
    public enum EventName: String, Sendable, Hashable, CaseIterable {
        case insert = "INSERT"
        case modify = "MODIFY"
        case remove = "REMOVE"
    }

    /// Who made the change, where it was not a caller: the expiry of items by time to live.
    public struct UserIdentity: Sendable, Hashable {
        public var type: String
        public var principalID: String

        public init(type: String, principalID: String) {
            self.type = type
            self.principalID = principalID
        }

        /// Deletions by time to live.
        public static let timeToLive = UserIdentity(type: "Service", principalID: "dynamodb.amazonaws.com")
    }

    /// 32 hexadecimal digits, the same whenever the record is read.
    public let eventID: String
    public let eventName: EventName
    public let eventVersion: String
    public let eventSource: String
    public let keys: Item
    /// The item after the change, where the view type includes it; `nil` after a removal.
    public let newImage: Item?
    /// The item before the change, where the view type includes it; `nil` for an insertion.
    public let oldImage: Item?
    public let sequenceNumber: StreamSequenceNumber
    /// The sizes of the keys and of the images that the record carries.
    public let sizeBytes: Int
    public let streamViewType: StreamViewType
    /// The commit's time.
    public let approximateCreationDateTime: StorageInstant
    public let userIdentity: UserIdentity?

    public init(
        eventID: String, eventName: EventName, eventVersion: String = "1.1", eventSource: String = "aws:dynamodb",
        keys: Item, newImage: Item?, oldImage: Item?, sequenceNumber: StreamSequenceNumber, sizeBytes: Int,
        streamViewType: StreamViewType, approximateCreationDateTime: StorageInstant,
        userIdentity: UserIdentity? = nil
    ) {
        self.eventID = eventID
        self.eventName = eventName
        self.eventVersion = eventVersion
        self.eventSource = eventSource
        self.keys = keys
        self.newImage = newImage
        self.oldImage = oldImage
        self.sequenceNumber = sequenceNumber
        self.sizeBytes = sizeBytes
        self.streamViewType = streamViewType
        self.approximateCreationDateTime = approximateCreationDateTime
        self.userIdentity = userIdentity
    }
}
