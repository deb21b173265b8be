// Partitioning.swift — the one binary search over what lies in order.

extension RandomAccessCollection {
    /// The first index for whose element a predicate holds that fails up to some place and holds from there on; `endIndex`
    /// if it holds nowhere.
    @inline(__always)
    package func partitioningIndex(where predicate: (Element) throws -> Bool) rethrows -> Index {
        var low = startIndex
        var count = distance(from: low, to: endIndex)
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if try predicate(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
