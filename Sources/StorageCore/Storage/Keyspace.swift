// Keyspace.swift — a named ordered map from bytes to bytes.

internal import Synchronization

/// A named ordered map from bytes to bytes inside a storage, in memcmp order of its keys.
///
/// A keyspace is a handle: reads go through a ``ReadView``, writes through a ``WriteTransaction`` or ``WriteBatch``.
/// It is only good for the storage that gave it.
public final class Keyspace: Sendable {
    public let name: String
    /// Never used again, not even after the keyspace is dropped.
    public let id: UInt32
    public let options: KeyspaceOptions
    let tree: Tree
    /// The id, big-endian: the first four bytes of every key in the tree.
    let prefix: [UInt8]
    /// Shared by all handles of the keyspace.
    let presence: KeyspacePresence

    init(
        name: String, id: UInt32, options: KeyspaceOptions, tree: Tree, presence: KeyspacePresence = KeyspacePresence()
    ) {
        self.name = name
        self.presence = presence
        self.id = id
        self.options = options
        self.tree = tree
        prefix = Self.prefix(of: id)
    }

    static let prefixByteCount = 4

    static func prefix(of id: UInt32) -> [UInt8] {
        [UInt8(id >> 24), UInt8(id >> 16 & 0xFF), UInt8(id >> 8 & 0xFF), UInt8(id & 0xFF)]
    }

    /// A range of user keys as a range of tree keys.
    func treeRange(_ range: KeyRange) -> (lower: [UInt8], upper: [UInt8]) {
        let lower = prefix + (range.lower ?? [])
        // Ids are below 2^32 - 1, so the next id always exists.
        let upper = range.upper.map { prefix + $0 } ?? Self.prefix(of: id + 1)
        return (lower, upper)
    }
}

/// Whether a keyspace still exists.
final class KeyspacePresence: Sendable {
    private let wasDropped = Atomic<Bool>(false)

    var isDropped: Bool { wasDropped.load(ordering: .relaxed) }

    func drop() { wasDropped.store(true, ordering: .relaxed) }
}
