// ArrayReuse.swift — arrays that are filled and emptied again and again.

extension Array {
    /// Removes all elements and keeps the memory: `removeAll(keepingCapacity: true)`, but a shorter way where there are
    /// few of them.
    @inlinable
    @inline(__always)
    package mutating func clear() {
        if count > 8 { removeAll(keepingCapacity: true) }
        while !isEmpty { removeLast() }
    }
}
