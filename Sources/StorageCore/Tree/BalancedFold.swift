// BalancedFold.swift — many parts become one, neighbours first.
//
// A thousand small changes of a large value, combined one after the other, copy the value a thousand times. Halves that are
// combined by themselves first copy it ten times.

extension RandomAccessCollection {
    /// Combines all elements in their order, grouped as a balanced tree; nil if there are none. `combine` must be associative.
    func balancedFold(_ combine: (Element, Element) throws -> Element) rethrows -> Element? {
        guard let first else { return nil }
        let count = count
        if count == 1 { return first }
        let middle = index(startIndex, offsetBy: count / 2)
        guard let left = try self[..<middle].balancedFold(combine),
            let right = try self[middle...].balancedFold(combine)
        else { return nil }
        return try combine(left, right)
    }
}
