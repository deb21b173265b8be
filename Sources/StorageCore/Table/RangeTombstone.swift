// RangeTombstone.swift — the deletion of all older entries between two keys.

internal import StorageTypes

/// Deletes every entry with lower ≤ key < upper whose sequence is smaller than its own.
struct RangeTombstone: Equatable, Sendable {
    let lower: [UInt8]
    let upper: [UInt8]
    let sequence: UInt64

    /// Sorted by (lower ascending, sequence descending), as tables store them. Those that delete nothing are left out; of two
    /// with the same lower bound and sequence only the wider one is kept: it deletes all that the other does.
    static func tableOrdered(_ tombstones: [RangeTombstone]) -> [RangeTombstone] {
        let sorted = tombstones.filter { $0.lower.lexicographicallyPrecedes($0.upper) }.sorted { left, right in
            if left.lower != right.lower { return left.lower.lexicographicallyPrecedes(right.lower) }
            if left.sequence != right.sequence { return left.sequence > right.sequence }
            return right.upper.lexicographicallyPrecedes(left.upper)
        }
        var result: [RangeTombstone] = []
        for tombstone in sorted {
            if let last = result.last, last.lower == tombstone.lower, last.sequence == tombstone.sequence { continue }
            result.append(tombstone)
        }
        return result
    }

    /// Reads all entries of a range tombstone block.
    static func decode(_ block: Block) throws -> [RangeTombstone] {
        var cursor = UnsafeBlockCursor()
        cursor.load(block)
        var result: [RangeTombstone] = []
        try cursor.seekToFirst()
        while cursor.isValid {
            let tombstone = unsafe RangeTombstone(
                lower: Array(cursor.key), upper: Array(cursor.value), sequence: cursor.sequence)
            try tombstone.check(kind: cursor.kind, after: result.last, in: block)
            result.append(tombstone)
            try cursor.next()
        }
        return result
    }

    private func check(kind: EntryKind, after previous: RangeTombstone?, in block: Block) throws {
        guard kind == .delete, lower.lexicographicallyPrecedes(upper) else {
            throw block.location.corruption("A range tombstone is not a deletion or its bounds are not in order.")
        }
        guard let previous else { return }
        let ascends =
            previous.lower == lower
            ? previous.sequence > sequence : previous.lower.lexicographicallyPrecedes(lower)
        guard ascends else { throw block.location.corruption("Range tombstones are out of order.") }
    }
}
