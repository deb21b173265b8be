// ClusteringRestriction+MixedOrder.swift — slices over clustering columns some of which ascend and some descend ([CA]
// cql3/restrictions/MultiColumnRestriction.java, `SliceRestriction.boundsAsBuilders`).
//
// `(a, b) > (1, 2)` with `b` descending is no range of stored keys but several, one for each column of the bound:
//
//   a = 1   │ b > 2: comes before b = 2      a > 1: comes after all of a = 1
//
// A slice with two bounds is what the ranges of both have in common.

extension ClusteringRestriction {
    private typealias Bounds = (lower: [UInt8], upper: [UInt8]?)

    func hasMixedOrder(_ slice: ClusteringSlice) -> Bool {
        let count = max(slice.lower?.terms.count ?? 0, slice.upper?.terms.count ?? 0)
        return Set(columns[slice.firstColumn...].prefix(count).map(\.isDescending)).count > 1
    }

    /// Ranges of keys that begin with `prefix`: ascending, disjoint, none next to another.
    func mixedRanges(
        _ slice: ClusteringSlice, _ prefix: [UInt8], _ context: ExecutionContext
    ) throws -> [(lower: [UInt8], upper: [UInt8]?)] {
        var ranges: [Bounds] = [(prefix, StorageKey.successor(ofPrefix: prefix))]
        if let bound = slice.lower {
            ranges = try pieces(bound, isLower: true, from: slice.firstColumn, prefix, context)
        }
        if let bound = slice.upper {
            let others = try pieces(bound, isLower: false, from: slice.firstColumn, prefix, context)
            ranges = ranges.flatMap { range in others.compactMap { Self.intersection(range, $0) } }
        }
        return Self.joined(ranges)
    }

    /// What lies beyond a bound, a piece for each column that may be the first to differ from it.
    private func pieces(
        _ bound: SliceBound, isLower: Bool, from first: Int, _ prefix: [UInt8], _ context: ExecutionContext
    ) throws -> [Bounds] {
        var pieces: [Bounds] = []
        var equal = prefix
        for (index, term) in bound.terms.enumerated() {
            let key = equal + (try encode([term], from: first + index, context))
            if isLower == columns[first + index].isDescending {
                pieces.append((equal, key))
            } else if let next = StorageKey.successor(ofPrefix: key) {
                pieces.append((next, StorageKey.successor(ofPrefix: equal)))
            }
            equal = key
        }
        if bound.isInclusive { pieces.append((equal, StorageKey.successor(ofPrefix: equal))) }
        return pieces
    }

    private static func intersection(_ left: Bounds, _ right: Bounds) -> Bounds? {
        let lower = left.lower.lexicographicallyPrecedes(right.lower) ? right.lower : left.lower
        guard let upper = [left.upper, right.upper].compactMap({ $0 }).min(by: { $0.lexicographicallyPrecedes($1) })
        else { return (lower, nil) }
        return lower.lexicographicallyPrecedes(upper) ? (lower, upper) : nil
    }

    private static func joined(_ ranges: [Bounds]) -> [Bounds] {
        var joined: [Bounds] = []
        for range in ranges.sorted(by: { $0.lower.lexicographicallyPrecedes($1.lower) }) {
            if let upper = range.upper, !range.lower.lexicographicallyPrecedes(upper) { continue }
            if let last = joined.last, last.upper == range.lower {
                joined[joined.count - 1].upper = range.upper
            } else {
                joined.append(range)
            }
        }
        return joined
    }
}
