// CacheStore+Lists.swift — LPUSH, RPUSH, LRANGE, LTRIM and their relatives: recent chat and other short histories.

/// An end of a list: `head` is the left one of LPUSH, `tail` the right one of RPUSH.
public enum CacheListEnd: Sendable, Hashable {
    case head, tail
}

extension CacheStore {
    /// Adds elements one after the other at one end (LPUSH, RPUSH). Returns the new length.
    ///
    /// With `ifPresent` nothing happens, and 0 is returned, if the key is absent (LPUSHX, RPUSHX).
    @discardableResult
    public func push(
        _ elements: [some CacheBytes], to end: CacheListEnd, of key: some CacheBytes, ifPresent: Bool = false
    ) throws(CacheError) -> Int {
        let length = try withShardForWriting(of: key) { state, key throws(CacheError) -> Int in
            if ifPresent, try state.list(key) == nil { return 0 }
            return try state.updateList(key) { list throws(CacheError) in
                for element in elements {
                    switch end {
                    case .head: list.prepend(element.byteArray)
                    case .tail: list.append(element.byteArray)
                    }
                }
                return list.count
            }
        }
        try writeThrough()
        return length
    }

    /// Adds one element at the head and keeps the newest `limit`: a bounded history in one step (LPUSH and LTRIM).
    public func pushBounded(
        _ element: some CacheBytes, to key: some CacheBytes, limit: Int
    ) throws(CacheError) {
        precondition(limit > 0, "A bounded history keeps at least one element.")
        try withShardForWriting(of: key) { state, key throws(CacheError) in
            try state.updateList(key) { list throws(CacheError) in
                list.prepend(element.byteArray)
                if list.count > limit { list.trim(to: 0..<limit) }
            }
        }
        try writeThrough()
    }

    /// Removes one element at an end; `nil` if the key is absent (LPOP, RPOP).
    public func pop(from end: CacheListEnd, of key: some CacheBytes) throws(CacheError) -> [UInt8]? {
        try pop(1, from: end, of: key)?.first
    }

    /// Removes up to `count` elements at an end; `nil` if the key is absent (LPOP and RPOP with a count).
    public func pop(_ count: Int, from end: CacheListEnd, of key: some CacheBytes) throws(CacheError) -> [[UInt8]]? {
        guard count >= 0 else { throw .outOfRange }
        let popped = try withShard(of: key) { state, key throws(CacheError) -> [[UInt8]]? in
            guard try state.list(key) != nil else { return nil }
            return try state.updateList(key) { list throws(CacheError) in
                (0..<min(count, list.count)).compactMap { _ in end == .head ? list.popFirst() : list.popLast() }
            }
        }
        try writeThrough()
        return popped
    }

    /// The elements from `start` to `end`, both included; negative positions count from the end (LRANGE).
    public func elements(_ start: Int = 0, _ end: Int = -1, of key: some CacheBytes) throws(CacheError) -> [[UInt8]] {
        try withShard(of: key) { state, key throws(CacheError) in
            guard let list = try state.list(key) else { return [] }
            return list.elements(in: Self.positions(start, end, count: list.count))
        }
    }

    /// Keeps the elements from `start` to `end`, both included (LTRIM). An empty list is gone.
    public func trim(_ key: some CacheBytes, to start: Int, _ end: Int) throws(CacheError) {
        try withShard(of: key) { state, key throws(CacheError) in
            guard try state.list(key) != nil else { return }
            try state.updateList(key) { list throws(CacheError) in
                list.trim(to: Self.positions(start, end, count: list.count))
            }
        }
        try writeThrough()
    }

    /// How many elements the list has (LLEN).
    public func elementCount(of key: some CacheBytes) throws(CacheError) -> Int {
        try withShard(of: key) { state, key throws(CacheError) in try state.list(key)?.count ?? 0 }
    }

    /// The element at a position, negative from the end (LINDEX).
    public func element(at position: Int, of key: some CacheBytes) throws(CacheError) -> [UInt8]? {
        try withShard(of: key) { state, key throws(CacheError) in
            guard let list = try state.list(key) else { return nil }
            let index = position < 0 ? list.count + position : position
            return (0..<list.count).contains(index) ? list[index] : nil
        }
    }

    /// Replaces the element at a position (LSET).
    public func setElement(at position: Int, of key: some CacheBytes, to value: some CacheBytes) throws(CacheError) {
        try withShardForWriting(of: key) { state, key throws(CacheError) in
            guard try state.list(key) != nil else { throw .noSuchKey }
            try state.updateList(key) { list throws(CacheError) in
                let index = position < 0 ? list.count + position : position
                guard (0..<list.count).contains(index) else { throw .indexOutOfRange }
                list[index] = value.byteArray
            }
        }
        try writeThrough()
    }

    /// Redis' reading of two inclusive positions that may be negative or out of range.
    private static func positions(_ start: Int, _ end: Int, count: Int) -> Range<Int> {
        let first = max(0, start < 0 ? count.addingClamped(start) : start)
        let last = min(count - 1, end < 0 ? count.addingClamped(end) : end)
        return first <= last ? first..<(last + 1) : 0..<0
    }
}

extension Int {
    fileprivate func addingClamped(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
