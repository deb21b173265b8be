// StreamRecordCodec.swift — stream records as bytes.
//
//     key   = commit sequence (8 bytes, big endian)  ordinal in the commit (4 bytes, big endian)
//     value = version (1 byte, 01)  event (1 byte)  view (1 byte)  identity (1 byte)
//             commit time (8 bytes, big endian, µs since 1970)  keys (item)
//             new image: length (varint), row or nothing          old image: length (varint), row or nothing
//
//     event    1 INSERT  2 MODIFY  3 REMOVE
//     view     1 KEYS_ONLY  2 NEW_IMAGE  3 OLD_IMAGE  4 NEW_AND_OLD_IMAGES
//     identity 0 a caller  1 time to live; any other reads as 0
//
// Images are rows as the table stores them (see ItemCodec.swift), so the table's bytes are copied, not encoded again.
// Whatever else the bytes are is refused with `StorageError.corruption`.

internal import StorageTypes

/// A stream record as it is stored. The bytes on disk are explicit; do not renumber.
struct StoredStreamRecord {
    static let version: UInt8 = 1

    var event: StreamRecord.EventName
    var viewType: StreamViewType
    var identity: StreamRecord.UserIdentity?
    var commitTime: StorageInstant
    var keys: Item
    var newRow: [UInt8]?
    var oldRow: [UInt8]?

    func encode() -> [UInt8] {
        var bytes: [UInt8] = [Self.version, event.code, viewType.code, identity == nil ? 0 : 1]
        bytes.append(bigEndian: commitTime.microseconds)
        bytes.append(item: keys)
        bytes.append(lengthPrefixed: newRow ?? [])
        bytes.append(lengthPrefixed: oldRow ?? [])
        return bytes
    }

    init(
        event: StreamRecord.EventName, viewType: StreamViewType, identity: StreamRecord.UserIdentity?,
        commitTime: StorageInstant, keys: Item, newRow: [UInt8]?, oldRow: [UInt8]?
    ) {
        self.event = event
        self.viewType = viewType
        self.identity = identity
        self.commitTime = commitTime
        self.keys = keys
        self.newRow = newRow
        self.oldRow = oldRow
    }

    init(decoding bytes: RawSpan) throws {
        var decoder = ItemDecoder(bytes)
        try decoder.expectVersion(Self.version)
        guard let event = StreamRecord.EventName(code: try decoder.byte()),
            let viewType = StreamViewType(code: try decoder.byte())
        else { throw StorageError.corruption("A stream record has an unknown event or view.") }
        self.event = event
        self.viewType = viewType
        identity = try decoder.byte() == 1 ? .timeToLive : nil
        commitTime = StorageInstant(microseconds: try decoder.bigEndian(Int64.self))
        keys = try decoder.item()
        newRow = try decoder.binary()
        oldRow = try decoder.binary()
        if newRow?.isEmpty == true { newRow = nil }
        if oldRow?.isEmpty == true { oldRow = nil }
        guard decoder.isAtEnd else { throw StorageError.corruption("Bytes follow a stream record.") }
    }

    /// The time of a record, without reading the rest of it.
    static func commitTime(of bytes: RawSpan) throws -> StorageInstant {
        var decoder = ItemDecoder(bytes)
        try decoder.expectVersion(version)
        for _ in 0..<3 { _ = try decoder.byte() }
        return StorageInstant(microseconds: try decoder.bigEndian(Int64.self))
    }

    /// The record as consumers see it.
    func record(at position: StreamSequenceNumber, of name: StreamName) throws -> StreamRecord {
        let newImage = try newRow.map { try ItemCodec.decode($0.rawSpan) }
        let oldImage = try oldRow.map { try ItemCodec.decode($0.rawSpan) }
        return StreamRecord(
            eventID: name.eventID(of: position), eventName: event, keys: keys, newImage: newImage, oldImage: oldImage,
            sequenceNumber: position,
            sizeBytes: keys.sizeInBytes + (newImage?.sizeInBytes ?? 0) + (oldImage?.sizeInBytes ?? 0),
            streamViewType: viewType, approximateCreationDateTime: commitTime, userIdentity: identity)
    }
}

extension StreamSequenceNumber {
    static let keyByteCount = 12

    var keyBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.keyByteCount)
        bytes.append(bigEndian: commit.rawValue)
        bytes.append(bigEndian: ordinal)
        return bytes
    }

    init(decoding bytes: RawSpan) throws {
        guard bytes.byteCount == Self.keyByteCount else {
            throw StorageError.corruption("A position in a stream has \(bytes.byteCount) bytes, not 12.")
        }
        var decoder = ItemDecoder(bytes)
        let commit = try decoder.bigEndian(UInt64.self)
        self.init(commit: SequenceNumber(commit), ordinal: try decoder.bigEndian(UInt32.self))
    }

    /// The position right behind this one; the last position of all is its own successor.
    var successor: StreamSequenceNumber {
        if ordinal < .max { return StreamSequenceNumber(commit: commit, ordinal: ordinal + 1) }
        guard commit.rawValue < .max else { return self }
        return StreamSequenceNumber(commit: commit.next, ordinal: 0)
    }
}

extension StreamRecord.EventName {
    fileprivate var code: UInt8 {
        switch self {
        case .insert: 1
        case .modify: 2
        case .remove: 3
        }
    }

    fileprivate init?(code: UInt8) {
        guard let known = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = known
    }
}

extension StreamViewType {
    fileprivate var code: UInt8 {
        switch self {
        case .keysOnly: 1
        case .newImage: 2
        case .oldImage: 3
        case .newAndOldImages: 4
        }
    }

    fileprivate init?(code: UInt8) {
        guard let known = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = known
    }
}
