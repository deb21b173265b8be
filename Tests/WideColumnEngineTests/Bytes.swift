@testable import WideColumnEngine

// The compiler can't borrow from a temporary array in every place; these forms take the array itself.

func token(_ key: [UInt8]) -> Int64 { Murmur3.token(key.rawSpan) }

func fragment(_ bytes: [UInt8]) throws -> RowFragment { try RowFragment(bytes.rawSpan) }

func tombstones(_ bytes: [UInt8]) throws -> PartitionTombstones { try PartitionTombstones(bytes.rawSpan) }

func appendPartition(_ partitionKey: [UInt8], to key: inout [UInt8]) throws {
    try StorageKey.appendPartition(partitionKey.rawSpan, to: &key)
}

extension PartitionTombstones {
    func timestamp(at clustering: [UInt8]) -> Int64 { deletion(of: clustering.rawSpan).timestamp }
}

extension CQLType {
    func value(of bytes: [UInt8]) throws -> CQLValue { try CQLValue(bytes.rawSpan, type: self) }
}
