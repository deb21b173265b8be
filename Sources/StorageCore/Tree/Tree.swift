// Tree.swift — one log-structured merge tree: a memtable, memtables on their way to disk, levels of tables.
//
// Several small keyspaces share a tree; every key starts with the id of its keyspace.

internal import Synchronization

/// What of a tree is fixed when it is created.
struct TreeOptions: Sendable, Hashable {
    var isVolatile = false
    var compression = CompressionOptions()
    var filterBitsPerKey = 10
    var strategy = CompactionStrategy.leveled
}

/// A tree at one moment. Immutable: a reader takes a reference and reads on, whatever happens to the tree.
final class TreeState: Sendable {
    /// Takes the writes.
    let memtable: Memtable
    /// Full memtables that are not flushed yet, newest first.
    let immutables: [Memtable]
    /// What older memtables of a volatile tree were rewritten into; older than all the others.
    let settled: Memtable?
    let levels: Levels
    /// All memtables, newest first.
    let memtables: [Memtable]
    /// Made by the first look-up.
    private let madeFences = AtomicLazyReference<TreeFences>()

    init(memtable: Memtable, immutables: [Memtable] = [], settled: Memtable? = nil, levels: Levels = Levels()) {
        self.memtable = memtable
        self.immutables = immutables
        self.settled = settled
        self.levels = levels
        memtables = [memtable] + immutables + (settled.map { [$0] } ?? [])
    }

    var fences: TreeFences { madeFences.load() ?? madeFences.storeIfNil(TreeFences(levels)) }
}

final class Tree: Sendable {
    let id: UInt32
    let options: TreeOptions
    private let published: Mutex<TreeState>
    let counters = TreeCounters()
    /// Set once the tree is out of the catalog: nobody flushes it any more.
    let isDropped = Atomic<Bool>(false)
    let pacer = WritePacer()

    init(id: UInt32, options: TreeOptions, state: TreeState) {
        self.id = id
        self.options = options
        published = Mutex(state)
    }

    var state: TreeState { published.withLock { $0 } }

    /// Replaces the state by what `change` makes of it.
    @discardableResult
    func update(_ change: (TreeState) -> TreeState) -> TreeState {
        published.withLock {
            $0 = change($0)
            return $0
        }
    }
}
