// PartitionKeyCodec.swift — partition keys as Cassandra serializes them for hashing.
//
//   one column       the value's binary format
//   several columns  for each  ┌ length: uint16 ┬ value ┬ 00 ┐

enum PartitionKeyCodec {
    static func append(_ components: [[UInt8]], to key: inout [UInt8]) {
        if components.count == 1 {
            key.append(contentsOf: components[0])
            return
        }
        for component in components {
            key.appendBigEndian(UInt16(truncatingIfNeeded: component.count))
            key.append(contentsOf: component)
            key.append(0)
        }
    }

    /// The components' ranges in a serialized key.
    static func components(of key: RawSpan, count: Int) throws -> [Range<Int>] {
        guard count > 1 else { return [0..<key.byteCount] }
        var reader = ByteReader(key)
        var ranges: [Range<Int>] = []
        for _ in 0..<count {
            ranges.append(try reader.skip(Int(try reader.bigEndian(UInt16.self))))
            _ = try reader.uint8()
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
        return ranges
    }
}

extension TableDefinition {
    /// The components of a row's stored key in their binary format, partition key first.
    func keyComponents(of key: RawSpan) throws -> [[UInt8]] {
        try keyComponents(of: key, StorageKey.Parts(key))
    }

    func keyComponents(of key: RawSpan, _ parts: StorageKey.Parts) throws -> [[UInt8]] {
        let partition = parts.partitionKey
        var components = try PartitionKeyCodec.components(of: partition.rawSpan, count: partitionKey.count)
            .map { Array(partition[$0]) }
        guard parts.kind == .row else { return components }
        var offset = parts.clusteringOffset
        for column in clustering {
            var component: [UInt8] = []
            try OrderedComponent.decode(
                key, at: &offset, column.type, descending: column.isDescending, into: &component)
            components.append(component)
        }
        return components
    }
}
