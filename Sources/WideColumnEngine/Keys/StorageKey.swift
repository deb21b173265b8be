// StorageKey.swift — where a partition and its rows lie in a table's keyspace.
//
//   ┌───────────────────────┬────────────────────────────┬──────┬────────────────────────┐
//   │ token, sign flipped   │ partition key, escaped     │ kind │ clustering key         │
//   │ 8                     │ (00 as 00 FF), then 00 00  │ 1    │ components, kind 2 only│
//   └───────────────────────┴────────────────────────────┴──────┴────────────────────────┘
//
// The partition key is serialized as Cassandra does for hashing: a single column's binary format, or for each of
// several ┌ length: uint16 ┬ bytes ┬ 00 ┐. So the order of keys is the order of the ring, and tokens are those that
// drivers compute. Clustering components are `OrderedComponent`s, so rows lie in clustering order.

/// What follows a partition key. Stored in keys: do not renumber.
enum RecordKind: UInt8, Sendable {
    case partitionTombstones = 0
    case staticRow = 1
    case row = 2
}

enum StorageKey {
    /// Rows lie in clustering order behind token and partition key.
    static let rowLayout = ClusteringLayout(fixedByteCount: 8, tag: RecordKind.row.rawValue)

    /// The longest partition key that Cassandra accepts.
    static let maximumPartitionKeyByteCount = 65535

    /// Every key up to this length can be stored: the storage's limit is 256 KiB with what it puts in front.
    static let maximumByteCount = (256 << 10) - 64

    /// Appends token and partition key: the prefix of everything in the partition.
    static func appendPartition(_ partitionKey: RawSpan, to key: inout [UInt8]) throws {
        guard partitionKey.byteCount > 0 else { throw CQLError.invalid("Key may not be empty") }
        guard partitionKey.byteCount <= maximumPartitionKeyByteCount else {
            throw CQLError.invalid(
                "Key length of \(partitionKey.byteCount) is longer than maximum of \(maximumPartitionKeyByteCount)")
        }
        appendToken(Murmur3.token(partitionKey), to: &key)
        OrderedComponent.appendEscaped(partitionKey, to: &key)
    }

    static func appendToken(_ token: Int64, to key: inout [UInt8]) {
        key.appendBigEndian(UInt64(bitPattern: token) ^ 1 << 63)
    }

    /// A stored key taken apart.
    struct Parts {
        var token: Int64
        /// Serialized, as it was hashed.
        var partitionKey: [UInt8]
        var kind: RecordKind
        /// The bytes of the token and the partition key.
        var prefixByteCount: Int
        /// Where the clustering components begin.
        var clusteringOffset: Int { prefixByteCount + 1 }

        init(_ key: RawSpan) throws {
            var reader = ByteReader(key)
            token = Int64(bitPattern: try reader.bigEndian(UInt64.self) ^ 1 << 63)
            partitionKey = []
            var offset = reader.offset
            try OrderedComponent.decodeEscaped(key, at: &offset, into: &partitionKey)
            prefixByteCount = offset
            guard offset < key.byteCount,
                let kind = RecordKind(rawValue: unsafe key.unsafeLoad(fromByteOffset: offset, as: UInt8.self))
            else { throw ByteReader.tooShort }
            self.kind = kind
        }
    }

    /// The first byte string after all that start with `prefix`; `nil` if there is none.
    static func successor(ofPrefix prefix: [UInt8]) -> [UInt8]? {
        var bytes = prefix
        while let last = bytes.popLast() {
            if last < 0xFF {
                bytes.append(last + 1)
                return bytes
            }
        }
        return nil
    }
}
