// PagedMap.swift — a map from node to value that is cheap to copy and cheap to change after a copy.
//
// A radix tree of three levels (… × 256 × 64) of copy-on-write arrays: a change after a copy duplicates one path, a
// change without one happens in place.

struct PagedMap<Value: Sendable>: Sendable {
    private var top: [[[Value?]]] = []

    private static var leafCount: Int { 64 }
    private static var middleCount: Int { 256 }

    subscript(node: UInt32) -> Value? {
        get {
            let (first, second, third) = Self.path(to: node)
            guard first < top.count, second < top[first].count, third < top[first][second].count else { return nil }
            return top[first][second][third]
        }
        set {
            let (first, second, third) = Self.path(to: node)
            if newValue == nil, self[node] == nil { return }
            while top.count <= first { top.append([]) }
            while top[first].count <= second { top[first].append([]) }
            while top[first][second].count <= third { top[first][second].append(nil) }
            top[first][second][third] = newValue
        }
    }

    /// Changes the value of a node in place.
    mutating func update(_ node: UInt32, default empty: Value, _ change: (inout Value) -> Void) {
        if self[node] == nil { self[node] = empty }
        let (first, second, third) = Self.path(to: node)
        // Taken out while it changes, so that it is not copied.
        guard var value = top[first][second][third] else { return }
        top[first][second][third] = nil
        change(&value)
        top[first][second][third] = value
    }

    private static func path(to node: UInt32) -> (Int, Int, Int) {
        let index = Int(node)
        return (index / (leafCount * middleCount), index / leafCount % middleCount, index % leafCount)
    }
}
