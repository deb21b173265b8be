// CompactionFixture.swift — tables that exist on paper, for choosing compactions without I/O.

import StorageTypes

@testable import StorageCore

extension TableMetadata {
    /// A table of keyspace 1 with the keys `lower...upper`.
    static func paper(
        _ number: UInt64, _ lower: String, _ upper: String, _ sequences: ClosedRange<UInt64> = 1...1,
        byteCount: Int64 = 1000, entries: Int = 100, deletes: Int = 0, densest: Int = 0, rangeTombstones: Int = 0,
        expiring: Int = 0,
        expiry: ClosedRange<Int64>? = nil, times: ClosedRange<Int64>? = nil, keyspace: UInt32 = 1,
        compression: TableCompression = .lz4, isExclusive: Bool = false
    ) -> TableMetadata {
        TableMetadata(
            number: number, byteCount: byteCount, smallestKey: Keyspace.prefix(of: keyspace) + bytes(lower),
            largestKey: Keyspace.prefix(of: keyspace) + bytes(upper), largestKeyIsExclusive: isExclusive,
            smallestSequence: sequences.lowerBound, largestSequence: sequences.upperBound, entryCount: entries,
            deleteCount: deletes, mergeCount: 0, rangeTombstoneCount: rangeTombstones,
            expiringCount: expiry == nil ? 0 : (expiring == 0 ? entries : expiring), densestDeleteCount: densest,
            rawByteCount: Int(byteCount), earliestExpiry: expiry?.lowerBound ?? .max,
            latestExpiry: expiring == 0 ? expiry?.upperBound ?? .max : .max, earliestTime: times?.lowerBound ?? .min,
            latestTime: times?.upperBound ?? .max, compression: compression, checksum: 0)
    }
}

/// Tables of level 0 over the same keys, from the newest to the oldest.
func paperRow(_ sizes: [Int64], newest: UInt64 = 100) -> [TableMetadata] {
    sizes.enumerated().map { index, byteCount in
        let sequence = newest - UInt64(index)
        return TableMetadata.paper(sequence, "a", "z", sequence...sequence, byteCount: byteCount)
    }
}

/// A tree of keyspace 1 with the tables given by level.
func paperTree(
    _ levels: [Int: [TableMetadata]], _ strategy: CompactionStrategy = .leveled(),
    settings: CompactionSettings = CompactionSettings(
        levelZeroTableCount: 4, levelOneByteCount: 4000, tableByteCount: 1000),
    compression: CompressionOptions = CompressionOptions(upper: .lz4, bottom: .lz4)
) -> TreeDescription {
    var tables: [[TableMetadata]] = Array(repeating: [], count: Levels.count)
    for (level, listed) in levels { tables[level] = listed }
    var tree = TreeDescription(levels: tables, strategy: strategy, settings: settings, compression: compression)
    tree.keyspaces = [1]
    return tree
}

extension CompactionPlan {
    /// The numbers of the inputs, by level.
    var numbers: [Int: [UInt64]] {
        Dictionary(uniqueKeysWithValues: inputs.map { ($0.level, $0.tables.map(\.number)) })
    }
}
