// Tree.swift — one log-structured merge tree: a memtable, memtables on their way to disk, levels of tables.
//
// Several small keyspaces share a tree; every key starts with the id of its keyspace.

internal import Synchronization

/// How a tree is written and merged. Whether it is volatile is fixed when it is created.
struct TreeOptions: Sendable, Hashable {
    var isVolatile = false
    var compression = CompressionOptions()
    var filterBitsPerKey = 10
    var strategy = CompactionStrategy.leveled()
    /// Nil: that of the next line.
    var garbageThreshold: Double?
    var compactsAutomatically = true

    /// From which part of its entries on a table is rewritten for its garbage, unless the options say it.
    static let garbageThreshold = 0.2
}

extension TreeOptions {
    /// What a keyspace asks of its tree.
    init(_ options: KeyspaceOptions) {
        self.init(
            isVolatile: options.isVolatile, compression: options.compression,
            filterBitsPerKey: options.filterBitsPerKey, strategy: options.strategy,
            garbageThreshold: options.garbageThreshold.flatMap { $0.isNaN ? nil : $0 },
            compactsAutomatically: options.compactsAutomatically)
    }
}

/// A tree at one moment. Immutable: a reader takes a reference and reads on, whatever happens to the tree.
@safe final class TreeState: Sendable {
    /// Takes the writes.
    let memtable: Memtable
    /// Full memtables that are not flushed yet, newest first.
    let immutables: [Memtable]
    /// What older memtables of a volatile tree were rewritten into; older than all the others.
    let settled: Memtable?
    let levels: Levels
    /// The shared tree that the keyspace of this one comes from, while that has older entries of it; older than all the
    /// others. Any state of that tree will do that was there between the cut and the end of the move.
    let inherited: TreeState?
    /// All memtables, newest first.
    var memtables: [Memtable] { memtableReferences.objects }
    let memtableReferences: UnsafeReferences<Memtable>
    /// Made when they are first asked for.
    private let madeRangeTombstones = AtomicLazyReference<RangeTombstoneSet>()
    /// Made by the first look-up.
    private let madeFences = AtomicLazyReference<TreeFences>()
    /// The same, for those who need not count a reference.
    private let fencesInPlace = unsafe Atomic<Unmanaged<TreeFences>?>(nil)

    init(
        memtable: Memtable, immutables: [Memtable] = [], settled: Memtable? = nil, levels: Levels = Levels(),
        inherited: TreeState? = nil
    ) {
        self.memtable = memtable
        self.immutables = immutables
        self.settled = settled
        self.levels = levels
        self.inherited = inherited
        memtableReferences = UnsafeReferences([memtable] + immutables + (settled.map { [$0] } ?? []))
    }

    /// This state with something else in some places.
    func replacing(
        memtable: Memtable? = nil, immutables: [Memtable]? = nil, levels: Levels? = nil
    ) -> TreeState {
        let state = TreeState(
            memtable: memtable ?? self.memtable, immutables: immutables ?? self.immutables, settled: settled,
            levels: levels ?? self.levels, inherited: inherited)
        if levels == nil { state.adoptWhatFollowsFromLevels(of: self) }
        return state
    }

    /// This state on top of another tree's, or of none.
    func inheriting(_ inherited: TreeState?) -> TreeState {
        let state = TreeState(
            memtable: memtable, immutables: immutables, settled: settled, levels: levels, inherited: inherited)
        state.adoptWhatFollowsFromLevels(of: self)
        return state
    }

    /// How many memtables hold anything, those of the shared tree included.
    var filledMemtableCount: Int { memtables.count { !$0.isEmpty } + (inherited?.filledMemtableCount ?? 0) }

    /// The range deletes of all tables.
    func rangeTombstones() throws -> RangeTombstoneSet {
        if let made = madeRangeTombstones.load() { return made }
        let all = try levels.all.filter(\.hasRangeDeletes).flatMap { try $0.rangeTombstones().tombstones }
        return madeRangeTombstones.storeIfNil(RangeTombstoneSet(all))
    }

    /// Good as long as the state is.
    var fences: Unmanaged<TreeFences> {
        @inline(__always)
        get { unsafe fencesInPlace.load(ordering: .acquiring) ?? makeFences() }
    }

    @inline(never)
    private func makeFences() -> Unmanaged<TreeFences> { unsafe keep(TreeFences(levels)) }

    /// Takes over what was made for a state with the same levels: the lane changes memtables often, and tables are many.
    private func adoptWhatFollowsFromLevels(of other: TreeState) {
        if let made = other.madeFences.load() { _ = unsafe keep(made) }
        if let made = other.madeRangeTombstones.load() { _ = madeRangeTombstones.storeIfNil(made) }
    }

    private func keep(_ fences: TreeFences) -> Unmanaged<TreeFences> {
        let made = unsafe Unmanaged.passUnretained(madeFences.storeIfNil(fences))
        unsafe fencesInPlace.store(made, ordering: .releasing)
        return unsafe made
    }
}

@safe final class Tree: Sendable {
    let id: UInt32
    let isVolatile: Bool
    /// The shared tree that its keyspace has moved from, or is moving from; nil if it was made empty.
    let former: UInt32?
    /// The last commit of its keyspace that went into the former tree; `UInt64.max` until commits go here.
    let cut: Atomic<UInt64>
    private let currentOptions: Mutex<TreeOptions>
    private let published: Mutex<TreeState>
    /// What is published, for those who read inside a section.
    private let current: Atomic<Unmanaged<TreeState>>
    /// In which readers look at the state without a reference of their own.
    let sections: UnsafeReadSections
    let counters = TreeCounters()
    /// Set once the tree is out of the catalog: nobody flushes it any more.
    let isDropped = Atomic<Bool>(false)
    let pacer = WritePacer()
    /// The newest table that was there when none of its keyspaces had outgrown a shared tree.
    let surveyedThrough = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - cut: See the property.
    ///   - sections: Those of the storage.
    init(
        id: UInt32, options: TreeOptions, state: TreeState, former: UInt32? = nil, cut: UInt64 = .max,
        sections: UnsafeReadSections = UnsafeReadSections()
    ) {
        self.id = id
        isVolatile = options.isVolatile
        self.former = former
        self.cut = Atomic(cut)
        self.sections = sections
        currentOptions = Mutex(options)
        published = Mutex(state)
        unsafe current = unsafe Atomic(Unmanaged.passUnretained(state))
    }

    /// How new tables are written and which are merged next.
    var options: TreeOptions {
        get { currentOptions.withLock { $0 } }
        set { currentOptions.withLock { $0 = newValue } }
    }

    var state: TreeState { published.withLock { $0 } }

    /// The state, inside a section of the tree's: good until that ends.
    var stateInSection: Unmanaged<TreeState> {
        @inline(__always)
        get { unsafe current.load(ordering: .sequentiallyConsistent) }
    }

    /// The memtable that takes writes, inside a section of the tree's: good until that ends.
    var memtableInSection: Unmanaged<Memtable> {
        @inline(__always)
        get { unsafe stateInSection._withUnsafeGuaranteedRef { unsafe $0.memtableReferences[0] } }
    }

    /// Replaces the state by what `change` makes of it.
    @discardableResult
    func update(_ change: (TreeState) -> TreeState) -> TreeState {
        let (old, new) = published.withLock { state in
            let old = state
            state = change(old)
            unsafe current.store(Unmanaged.passUnretained(state), ordering: .sequentiallyConsistent)
            return (old, state)
        }
        if old !== new { sections.retire(old) }
        return new
    }
}
