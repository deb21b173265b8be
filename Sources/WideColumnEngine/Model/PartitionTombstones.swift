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

        /// Whether no key can lie in it.
        fileprivate var isVoid: Bool {
            guard let upper else { return false }
            return !lower.lexicographicallyPrecedes(upper)
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
        var union = RangeUnion()
        union.add(ranges, other.ranges)
        result.ranges = union.ranges
        return result
    }
}

/// Puts two lists of deleted ranges together, each of which ascends without overlaps, in one walk over both: cuts them at
/// each other's bounds, keeps the later deletion of each piece, and joins equal neighbours.
private struct RangeUnion {
    typealias Range = PartitionTombstones.Range

    private(set) var ranges: [Range] = []

    mutating func add(_ left: [Range], _ right: [Range]) {
        var (left, right) = (RangeWalk(left), RangeWalk(right))
        while let first = left.current, let second = right.current {
            if first.lower == second.lower {
                let upper = Self.earlier(first.upper, second.upper)
                append(
                    Range(lower: first.lower, upper: upper, deletion: .later(first.deletion, second.deletion)))
                left.skip(to: upper)
                right.skip(to: upper)
            } else if first.lower.lexicographicallyPrecedes(second.lower) {
                take(first, until: second.lower, from: &left)
            } else {
                take(second, until: first.lower, from: &right)
            }
        }
        append(remaining: &left)
        append(remaining: &right)
    }

    /// Takes what one list has alone, up to where the other begins.
    private mutating func take(_ range: Range, until bound: [UInt8], from walk: inout RangeWalk) {
        let upper = Self.earlier(range.upper, bound)
        append(Range(lower: range.lower, upper: upper, deletion: range.deletion))
        walk.skip(to: upper)
    }

    private mutating func append(remaining walk: inout RangeWalk) {
        while let range = walk.current {
            append(range)
            walk.skip(to: range.upper)
        }
    }

    private mutating func append(_ range: Range) {
        if let last = ranges.last, last.upper == range.lower, last.deletion == range.deletion {
            ranges[ranges.count - 1].upper = range.upper
        } else {
            ranges.append(range)
        }
    }

    /// The upper bound that comes first; `nil` is the end of the partition.
    private static func earlier(_ left: [UInt8]?, _ right: [UInt8]?) -> [UInt8]? {
        guard let left else { return right }
        guard let right else { return left }
        return right.lexicographicallyPrecedes(left) ? right : left
    }
}

/// Walks over a list of ranges, piece by piece. Statements name ranges in which nothing can be; they are left out.
private struct RangeWalk {
    private let ranges: [PartitionTombstones.Range]
    private var index = 0
    /// What is left of the range that the walk is in; `nil` at the end.
    private(set) var current: PartitionTombstones.Range?

    init(_ ranges: [PartitionTombstones.Range]) {
        self.ranges = ranges
        advance()
    }

    private mutating func advance() {
        current = nil
        while index < ranges.count, current == nil {
            if !ranges[index].isVoid { current = ranges[index] }
            index += 1
        }
    }

    /// Leaves out what lies before a bound, which is none behind the current range's own.
    mutating func skip(to bound: [UInt8]?) {
        if let bound, current?.upper != bound { current?.lower = bound } else { advance() }
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
