// MappingCheckpoint.swift — how far a mapping is, in the keyspace `pipeline/checkpoints`; its name is the key.
//
//   byte 0   format version, 1
//   byte 1   flags (4 bytes little-endian): bit 0 there is a position, bit 1 the mapping is disabled
//   byte 5   commit of the position (8 bytes little-endian)
//   byte 13  ordinal of the position (4 bytes little-endian)

internal import TableEngine

struct MappingCheckpoint: Sendable, Hashable {
    /// The last record that is done; `nil` before the first.
    var position: StreamSequenceNumber?
    var isDisabled = false

    static let keyspaceName = "pipeline/checkpoints"

    func encoded() -> [UInt8] {
        var writer = RecordWriter(version: 1)
        writer.append((position == nil ? 0 : 1) | (isDisabled ? 2 : 0) as UInt32)
        writer.append(position?.commit.rawValue ?? 0)
        writer.append(position?.ordinal ?? 0)
        return writer.bytes
    }

    init(position: StreamSequenceNumber?, isDisabled: Bool = false) {
        self.position = position
        self.isDisabled = isDisabled
    }

    init(decoding bytes: [UInt8]) throws {
        var reader = try RecordReader(bytes, version: 1, keyspace: Self.keyspaceName)
        let flags = try reader.uint32()
        let commit = try reader.uint64()
        let ordinal = try reader.uint32()
        try reader.finish()
        guard flags <= 3, commit <= SequenceNumber.max.rawValue else {
            throw StorageError.corruption("A record of keyspace \"\(Self.keyspaceName)\" has an impossible position.")
        }
        position = flags & 1 == 0 ? nil : StreamSequenceNumber(commit: SequenceNumber(commit), ordinal: ordinal)
        isDisabled = flags & 2 != 0
    }
}
