// RangeTombstoneHistory.swift — the range deletes of a memtable, as a reader at any sequence sees them.
//
// Invariant: versions are in the order of their sequences, and version n holds the range deletes up to its sequence. Since a map is
// never changed, a version costs what its range delete has changed: O(log n).

/// What the range deletes of a memtable came to after each of them. Plain state; the memtable keeps it behind a lock.
struct RangeTombstoneHistory: Sendable {
    private var versions: [(sequence: UInt64, map: RangeTombstoneMap)] = []
    private var random = SeededRandom(seed: 0x7E57)
    private(set) var byteCount = 0

    /// Takes a range delete that is not older than those before it.
    mutating func insert(_ tombstone: RangeTombstone) {
        let map = (versions.last?.map ?? RangeTombstoneMap()).inserting(tombstone, random: &random)
        byteCount += tombstone.lower.count + tombstone.upper.count + Self.pathByteCount(versions.count)
        if versions.last?.sequence == tombstone.sequence { versions.removeLast() }
        versions.append((tombstone.sequence, map))
    }

    /// About what two paths of copied nodes take.
    private static func pathByteCount(_ count: Int) -> Int {
        128 * (2 + (Int.bitWidth - count.leadingZeroBitCount) * 3 / 2)
    }

    /// The range deletes that a reader at `sequence` sees.
    func map(atMost sequence: UInt64) -> RangeTombstoneMap {
        // Readers of the present are the many.
        if let last = versions.last, last.sequence <= sequence { return last.map }
        let count = versions.partitioningIndex { $0.sequence > sequence }
        return count > 0 ? versions[count - 1].map : RangeTombstoneMap()
    }

    /// For each stretch of keys, and for each of the snapshots and the present, the newest range delete that it sees, if the
    /// snapshot before does not see it too. No reader at any of them can tell these from all there were.
    /// - Parameter snapshots: Ascending.
    func tombstones(seenAt snapshots: [UInt64]) -> [RangeTombstone] {
        var tombstones: [RangeTombstone] = []
        var floor: UInt64 = 0
        for snapshot in snapshots + [.max] {
            guard let newest = versions.last?.sequence, newest > floor else { break }
            let covers = map(atMost: snapshot).covers.filter { $0.sequence > floor }
            tombstones += covers.map { RangeTombstone(lower: $0.lower, upper: $0.upper, sequence: $0.sequence) }
            floor = snapshot
        }
        return tombstones
    }
}
