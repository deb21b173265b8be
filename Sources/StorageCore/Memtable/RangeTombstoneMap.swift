// RangeTombstoneMap.swift — which range delete covers a key, as a search tree of boundaries that is never changed.
//
// A node says: from its key on, up to the next node's, keys are covered by the range delete of its sequence; by none where
// that is 0. Before the first node nothing is covered.
//
// Invariants:
// (1) Nodes are in key order, and a heap by priority (a treap: Seidel and Aragon, 1996), so its depth is logarithmic
//     in expectation, whatever the order of the inserts.
// (2) A node never changes. Inserting copies the path to what it changes; the older map stays as it was.
// A range delete adds two boundaries at most, and takes away those inside it: inserting costs O(log n) nodes, plus the
// letting go of boundaries that earlier inserts have paid for.

/// Range deletes as they stand after one of them, each key with the newest that covers it.
struct RangeTombstoneMap: Sendable {
    /// A stretch of keys that one range delete covers.
    struct Cover: Sendable, Equatable {
        var sequence: UInt64
        var lower: [UInt8]
        var upper: [UInt8]
    }

    fileprivate final class Node: Sendable {
        let key: [UInt8]
        let sequence: UInt64
        let priority: UInt64
        let left: Node?
        let right: Node?

        init(key: [UInt8], sequence: UInt64, priority: UInt64, left: Node? = nil, right: Node? = nil) {
            self.key = key
            self.sequence = sequence
            self.priority = priority
            self.left = left
            self.right = right
        }

        func with(left: Node?, right: Node?) -> Node {
            Node(key: key, sequence: sequence, priority: priority, left: left, right: right)
        }
    }

    private var root: Node?

    init() {}

    private init(_ root: Node?) { self.root = root }

    var isEmpty: Bool { root == nil }

    /// The map with one more range delete, which is not older than those in it.
    func inserting(_ tombstone: RangeTombstone, random: inout SeededRandom) -> RangeTombstoneMap {
        guard compareBytes(tombstone.lower, tombstone.upper) < 0 else { return self }
        let (below, rest) = Self.split(root, tombstone.lower)
        let (inside, above) = Self.split(rest, tombstone.upper)
        let before = Self.last(below)?.sequence ?? 0
        let after = Self.last(inside)?.sequence ?? before
        var joined = below
        if before != tombstone.sequence {
            joined = Self.join(
                joined, Node(key: tombstone.lower, sequence: tombstone.sequence, priority: random.next()))
        }
        let continues = Self.first(above).map { $0.key == tombstone.upper } ?? false
        if !continues, after != tombstone.sequence {
            joined = Self.join(joined, Node(key: tombstone.upper, sequence: after, priority: random.next()))
        }
        return RangeTombstoneMap(Self.join(joined, above))
    }

    /// The newest range delete that covers `key`; 0 if none does.
    func newestSequence(covering key: UnsafeRawBufferPointer) -> UInt64 {
        var node = root
        var sequence: UInt64 = 0
        while let current = node {
            if unsafe compareBytes(current.key, key) <= 0 {
                sequence = current.sequence
                node = current.right
            } else {
                node = current.left
            }
        }
        return sequence
    }

    /// The stretch around `key` that one range delete covers, the newest of those that cover `key`; nil if none does.
    func cover(of key: UnsafeRawBufferPointer) -> Cover? {
        var node = root
        var floor: Node?
        var ceiling: Node?
        while let current = node {
            if unsafe compareBytes(current.key, key) <= 0 {
                floor = current
                node = current.right
            } else {
                ceiling = current
                node = current.left
            }
        }
        // What is covered has an end.
        guard let floor, let ceiling, floor.sequence > 0 else { return nil }
        return Cover(sequence: floor.sequence, lower: floor.key, upper: ceiling.key)
    }

    /// All stretches that are covered, in key order.
    var covers: [Cover] {
        var covers: [Cover] = []
        var open: Node?
        Self.forEach(root) { node in
            if let open, open.sequence > 0 {
                covers.append(Cover(sequence: open.sequence, lower: open.key, upper: node.key))
            }
            open = node
        }
        return covers
    }

    // MARK: Trees

    /// What lies below `key`, and the rest.
    private static func split(_ node: Node?, _ key: [UInt8]) -> (Node?, Node?) {
        guard let node else { return (nil, nil) }
        if compareBytes(node.key, key) < 0 {
            let (middle, above) = split(node.right, key)
            return (node.with(left: node.left, right: middle), above)
        }
        let (below, middle) = split(node.left, key)
        return (below, node.with(left: middle, right: node.right))
    }

    /// Joins two trees, all keys of the first below those of the second.
    private static func join(_ left: Node?, _ right: Node?) -> Node? {
        guard let left else { return right }
        guard let right else { return left }
        if left.priority > right.priority {
            return left.with(left: left.left, right: join(left.right, right))
        }
        return right.with(left: join(left, right.left), right: right.right)
    }

    private static func first(_ node: Node?) -> Node? {
        var node = node
        while let left = node?.left { node = left }
        return node
    }

    private static func last(_ node: Node?) -> Node? {
        var node = node
        while let right = node?.right { node = right }
        return node
    }

    /// Depth is logarithmic, so is the recursion.
    private static func forEach(_ node: Node?, _ body: (Node) -> Void) {
        guard let node else { return }
        forEach(node.left, body)
        body(node)
        forEach(node.right, body)
    }
}
