// Keyspace.swift — a named ordered map from bytes to bytes.

internal import Synchronization

/// A named ordered map from bytes to bytes inside a storage, in memcmp order of its keys.
///
/// A keyspace is a handle: reads go through a ``ReadView``, writes through a ``WriteTransaction`` or ``WriteBatch``.
/// It is only good for the storage that gave it.
@safe public final class Keyspace: Sendable {
    public let name: String
    /// Never used again, not even after the keyspace is dropped.
    public let id: UInt32
    public let options: KeyspaceOptions
    /// Where the keyspace was when the handle was made.
    private let home: Tree
    let life: KeyspaceLife
    /// The id, big-endian: the first four bytes of every key in the tree.
    let prefix: [UInt8]
    // Options that every read or commit asks for: taken out of `options`, they are read without a copy of it.
    /// Whether reads hide what has expired.
    let judgesExpiry: Bool
    let isVolatile: Bool
    let clusteringLayout: ClusteringLayout?
    /// In which readers look at its tree. Those of the storage, so the same in each tree that it is in.
    let sections: UnsafeReadSections

    init(name: String, id: UInt32, options: KeyspaceOptions, tree: Tree, life: KeyspaceLife) {
        self.name = name
        self.id = id
        self.options = options
        home = tree
        self.life = life
        prefix = Self.prefix(of: id)
        judgesExpiry = options.expiry == .engine
        isVolatile = options.isVolatile
        clusteringLayout = options.clusteringLayout
        sections = tree.sections
    }

    /// The tree that takes its commits. Changes in the writer lane only, and once at most.
    var tree: Tree { life.movedTree ?? home }

    /// The same, for those who need not count a reference: good as long as the keyspace is.
    var treeInPlace: Unmanaged<Tree> {
        @inline(__always)
        get { unsafe life.ownTreeInPlace.load(ordering: .acquiring) ?? Unmanaged.passUnretained(home) }
    }

    /// Everything that has been committed to the keyspace so far.
    var treeState: TreeState { withTreeInSection { state, _ in state } }

    var isDropped: Bool { life.isDropped.load(ordering: .acquiring) }

    /// Refuses what asks for a keyspace that is gone: its entries go when nobody needs them, whatever snapshots there are.
    @inline(__always)
    func checkNotDropped() throws {
        if isDropped { throw dropped }
    }

    /// Looks a key up by `find`, which tells whether it is there, unless the keyspace is gone. That is asked before, and again
    /// where nothing was found, since the drop may have come in between.
    @inline(__always)
    func findUnlessDropped(_ find: () throws -> Bool) throws -> Bool {
        try checkNotDropped()
        let isFound = try find()
        if !isFound { try checkNotDropped() }
        return isFound
    }

    var dropped: StorageError { StorageError(.notFound, "Keyspace \"\(name)\" was dropped.") }

    /// What a table says of the keyspace.
    var record: KeyspaceRecord {
        let tree = tree
        return KeyspaceRecord(
            id: id, name: name, tree: tree.id, expiry: options.expiry,
            isDedicated: tree.former != nil || options.isDedicated, isArchived: options.isArchived,
            mergeOperator: life.mergeOperator)
    }

    static let prefixByteCount = 4

    /// The id that a tree key starts with.
    static func id(ofTreeKey key: some Sequence<UInt8>) -> UInt32 {
        key.prefix(prefixByteCount).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }

    /// The same of a key that has the whole prefix.
    static func id(ofTreeKey key: RawSpan) -> UInt32 {
        (0..<prefixByteCount).reduce(UInt32(0)) { id, index in
            unsafe id << 8 | UInt32(key.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
    }

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

/// What all handles to one keyspace share, whatever options they were opened with.
@safe final class KeyspaceLife: Sendable {
    /// The name of the operator that it was created with; empty where there is none.
    let mergeOperator: String
    /// Set once the keyspace is out of the catalog.
    let isDropped = Atomic<Bool>(false)
    let counters = KeyspaceCounters()
    /// The tree that it has moved to since the storage was opened.
    private let ownTree = AtomicLazyReference<Tree>()
    /// The same, where every read and every commit asks: set after the other, which keeps it.
    fileprivate let ownTreeInPlace = unsafe Atomic<Unmanaged<Tree>?>(nil)

    init(mergeOperator: String) {
        self.mergeOperator = mergeOperator
    }

    /// Nil where it has not moved.
    var movedTree: Tree? { unsafe ownTreeInPlace.load(ordering: .acquiring)?.takeUnretainedValue() }

    /// From here on the keyspace is found in its own tree. In the writer lane, before the first commit goes there.
    func move(to own: Tree) {
        let kept = ownTree.storeIfNil(own)
        unsafe ownTreeInPlace.store(Unmanaged.passUnretained(kept), ordering: .releasing)
    }
}
