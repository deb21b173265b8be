// UnsafeKeyspaceSlots.swift — the keyspaces that a batch writes to, looked at without counting references.
//
// A commit asks each of them several times for its tree. The references are counted once, where a keyspace comes in.

/// Keyspaces by the slots that a batch's entries name.
@safe
struct UnsafeKeyspaceSlots: Sendable {
    /// Keeps what `places` leads to.
    private(set) var keyspaces: [Keyspace] = []
    private var places: [Unmanaged<Keyspace>] = unsafe []

    var count: Int { keyspaces.count }

    /// The slot of a keyspace, a new one if it has none.
    @inline(__always)
    mutating func slot(of keyspace: Keyspace) -> UInt32 {
        let place = unsafe Unmanaged.passUnretained(keyspace)
        for slot in keyspaces.indices where unsafe places[slot].toOpaque() == place.toOpaque() { return UInt32(slot) }
        keyspaces.append(keyspace)
        unsafe places.append(place)
        return UInt32(keyspaces.count - 1)
    }

    mutating func removeAll() {
        keyspaces.clear()
        unsafe places.clear()
    }

    @inline(__always)
    func withKeyspace<R>(_ slot: UInt32, _ body: (Keyspace) throws -> R) rethrows -> R {
        unsafe try places[Int(slot)]._withUnsafeGuaranteedRef { try body($0) }
    }

    /// Calls `body` with the tree that a keyspace is in; in the writer lane, where no keyspace moves.
    @inline(__always)
    func withTree<R>(_ slot: UInt32, _ body: (Tree) throws -> R) rethrows -> R {
        try withKeyspace(slot) { unsafe try $0.treeInPlace._withUnsafeGuaranteedRef { try body($0) } }
    }

    @inline(__always)
    func forEachTree(_ body: (Tree) throws -> Void) rethrows {
        for slot in 0..<UInt32(truncatingIfNeeded: count) { try withTree(slot, body) }
    }

    @inline(__always)
    func first(where predicate: (Keyspace) throws -> Bool) rethrows -> Keyspace? {
        for slot in 0..<UInt32(truncatingIfNeeded: count) where try withKeyspace(slot, predicate) {
            return keyspaces[Int(slot)]
        }
        return nil
    }
}
