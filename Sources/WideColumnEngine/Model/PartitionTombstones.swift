// PartitionTombstones.swift — the deletions above a partition's rows: of the partition and of ranges of rows.
//
//   ┌───────┬──────────────────────────┬──────────────┬──────────┐
//   │ flags │ partition deletion       │ range count  │ ranges … │
//   │ 1     │ timestamp 8, time 8, if 0│ varint       │          │
//   └───────┴──────────────────────────┴──────────────┴──────────┘
//   range  ┌ lower: length varint, bytes ┬ upper: 1 + length varint (0: open), bytes ┬ timestamp 8 ┬ deletion time 8 ┐
//
//   flags: bit 0 partition deletion, bit 7 set (clear: RowFragment); others clear.
//
// A range is an interval of encoded clustering keys, lower bound inside, upper bound outside. Because keys compare by
// memcmp, prefixes, `<`, `<=`, `>`, `>=` are all such intervals. Invariants: ranges ascend, don't overlap, and two
// that touch have different deletions; so equal sets of deletions have equal bytes.

struct PartitionTombstones: Hashable, Sendable {
    struct Range: Hashable, Sendable {
        var lower: [UInt8]
        /// `nil`: to the end of the partition.
        var upper: [UInt8]?
        var deletion: DeletionTime

        func contains(_ clustering: RawSpan) -> Bool {
            guard clustering.compare(lower.rawSpan) >= 0 else { return false }
            guard let upper else { return true }
            return clustering.compare(upper.rawSpan) < 0
        }
    }

    var partition = DeletionTime.none
    var ranges: [Range] = []

    init() {}

    init(partition: DeletionTime) {
        self.partition = partition
    }

    init(range: Range) {
        ranges = [range]
    }

    var isEmpty: Bool { partition.isNone && ranges.isEmpty }

    /// The deletion that counts for a row: the latest of all that cover it.
    func deletion(of clustering: RawSpan) -> DeletionTime {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            let lower = ranges[middle].lower
            if clustering.compare(lower.rawSpan) >= 0 { low = middle + 1 } else { high = middle }
        }
        guard low > 0, ranges[low - 1].contains(clustering) else { return partition }
        return .later(partition, ranges[low - 1].deletion)
    }
}

// MARK: - Merging

extension PartitionTombstones {
    /// Both sets of deletions in one: at every point the later of the two.
    func merged(with other: PartitionTombstones) -> PartitionTombstones {
        var result = PartitionTombstones(partition: .later(partition, other.partition))
        result.ranges = Self.fragments(of: ranges + other.ranges)
        return result
    }

    /// Cuts overlapping ranges at each other's bounds, keeps the latest deletion of each piece, joins equal neighbours.
    private static func fragments(of ranges: [Range]) -> [Range] {
        var bounds = ranges.map(\.lower) + ranges.compactMap(\.upper)
        bounds.sort { $0.lexicographicallyPrecedes($1) }
        var result: [Range] = []
        for (index, lower) in bounds.enumerated() {
            let upper = index + 1 < bounds.count ? bounds[index + 1] : nil
            guard lower != upper else { continue }
            let covering = ranges.filter { $0.contains(lower.rawSpan) }
            guard let first = covering.first else { continue }
            let deletion = covering.dropFirst().reduce(first.deletion) { .later($0, $1.deletion) }
            if let last = result.last, last.upper == lower, last.deletion == deletion {
                result[result.count - 1].upper = upper
            } else {
                result.append(Range(lower: lower, upper: upper, deletion: deletion))
            }
        }
        return result
    }
}

// MARK: - Codec

extension PartitionTombstones {
    init(_ bytes: RawSpan) throws {
        var reader = ByteReader(bytes)
        let flags = try reader.uint8()
        guard flags & ~1 == RowFragmentFlags.partitionTombstones else { throw ByteReader.tooShort }
        if flags & 1 != 0 { partition = try Self.deletion(&reader) }
        let count = try reader.varint()
        guard count >= 0, count <= reader.remainingCount / 18 else { throw ByteReader.tooShort }
        for _ in 0..<count {
            let lower = bytes.extracting(try reader.skip(try reader.varint())).array()
            let upperCount = try reader.varint()
            let upper = upperCount == 0 ? nil : bytes.extracting(try reader.skip(upperCount - 1)).array()
            ranges.append(Range(lower: lower, upper: upper, deletion: try Self.deletion(&reader)))
        }
        guard reader.isAtEnd else { throw ByteReader.tooShort }
    }

    private static func deletion(_ reader: inout ByteReader) throws -> DeletionTime {
        let timestamp = try reader.bigEndian(Int64.self)
        return DeletionTime(timestamp: timestamp, localDeletionTime: try reader.bigEndian(Int64.self))
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(RowFragmentFlags.partitionTombstones | (partition.isNone ? 0 : 1))
        if !partition.isNone { Self.append(partition, to: &bytes) }
        bytes.appendVarint(ranges.count)
        for range in ranges {
            bytes.appendVarint(range.lower.count)
            bytes.append(contentsOf: range.lower)
            bytes.appendVarint(range.upper.map { $0.count + 1 } ?? 0)
            bytes.append(contentsOf: range.upper ?? [])
            Self.append(range.deletion, to: &bytes)
        }
    }

    private static func append(_ deletion: DeletionTime, to bytes: inout [UInt8]) {
        bytes.appendBigEndian(deletion.timestamp)
        bytes.appendBigEndian(deletion.localDeletionTime)
    }
}
