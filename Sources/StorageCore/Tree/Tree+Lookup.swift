// Tree+Lookup.swift — the value of one key, found from the newest source to the oldest.

extension Keyspace {
    /// Calls `body` with the value of `key` as of `sequence`; false if the key is absent.
    ///
    /// - Parameters:
    ///   - key: The tree key: keyspace prefix and user key.
    ///   - newer: Operands of the key that lie above the tree (an open transaction's), newest first.
    func withValue(
        of key: UnsafeRawBufferPointer, sequence: UInt64, readTime: StorageInstant, newer: [[UInt8]] = [],
        traceSink: (any AccessTraceSink)? = nil, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        // The sequence was there first, so the state holds all that it sees.
        try withTreeInSection { state, counters in
            var search = unsafe UnsafeLookup(
                self, sequence, readTime: readTime.microseconds, operands: newer, traceSink: traceSink)
            return unsafe try search.run(in: state, counters, key, body)
        }
    }

    /// Calls `body` with the newest value of `key`; false if the key is absent.
    ///
    /// Without a snapshot, so the order is the reverse of a snapshot's: the state first, the sequence second. That shows one
    /// key at a moment between the two:
    /// - Every commit that was visible when the state was taken is in it.
    /// - No version that counts was dropped from it: a compaction that the state shows had ended before it was taken, and has
    ///   kept the newest version of each key among the commits visible then, none of which is newer than the sequence.
    /// - Of the commits in between, the state holds those up to some commit and none after it (those went to a newer memtable,
    ///   or to another tree), and shows those that had become visible.
    /// A read time is taken only where a version expires, after the state: so it is not before any purge of what it holds.
    func withNewestValue(
        of key: UnsafeRawBufferPointer, storage: Storage, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        try withTreeInSection { state, counters in
            var search = unsafe UnsafeLookup(self, storage.commits.visibleSequence, storage: storage)
            return unsafe try search.run(in: state, counters, key, body)
        }
    }

    /// The newest versions of a key in memtables that are operands: up to the first one that is not, or to so many.
    func operandCount(of key: UnsafeRawBufferPointer, maxSequence: UInt64, upTo limit: Int) -> Int {
        withTreeInSection { state, _ in
            var count = 0
            var goesOn = true
            for index in 0..<state.memtableReferences.count where goesOn {
                unsafe state.memtableReferences[index]._withUnsafeGuaranteedRef { memtable in
                    unsafe memtable.forEachVersion(of: key, maxSequence: maxSequence) { entry in
                        goesOn = unsafe entry.kind == .merge && count < limit
                        if goesOn { count += 1 }
                        return goesOn
                    }
                }
            }
            return count
        }
    }

    /// Calls `body` with the keyspace's entries, in a section of the storage's.
    @inline(__always)
    func withTreeInSection<R>(_ body: (TreeState, TreeCounters) throws -> R) rethrows -> R {
        let section = sections.enter()
        defer { sections.leave(section) }
        var home = unsafe treeInPlace
        while true {
            let state = unsafe home._withUnsafeGuaranteedRef { unsafe $0.stateInSection }
            let now = unsafe treeInPlace
            // If it moved in between, the old tree may have let go of it already. It moves once at most.
            guard unsafe now.toOpaque() == home.toOpaque() else {
                unsafe home = unsafe now
                continue
            }
            return unsafe try home._withUnsafeGuaranteedRef { tree in
                unsafe try state._withUnsafeGuaranteedRef { try body($0, tree.counters) }
            }
        }
    }
}

/// The state of a look-up on its way down. Keyspace and storage outlive it.
@unsafe
struct UnsafeLookup {
    private unowned(unsafe) let keyspace: Keyspace
    let sequence: UInt64
    /// Nil where nothing has asked for it yet.
    private var readTime: Int64?
    /// Tells the read time.
    private unowned(unsafe) let storage: Storage?
    private let traceSink: (any AccessTraceSink)?
    /// Newest first.
    private var operands: [[UInt8]]
    /// The newest range delete met so far that covers the key.
    private var tombstone: UInt64 = 0
    private(set) var hash: UInt64?
    /// Nil where nothing has asked for it yet, `.some(nil)` where the key has none.
    private var clustering: UInt128??
    private(set) var tally = LookupTally()
    private var hasMetVersion = false
    private(set) var isDone = false
    private(set) var isFound = false

    init(
        _ keyspace: Keyspace, _ sequence: UInt64, readTime: Int64, operands: [[UInt8]],
        traceSink: (any AccessTraceSink)?
    ) {
        unsafe self.keyspace = keyspace
        unsafe self.sequence = sequence
        unsafe self.readTime = readTime
        unsafe storage = nil
        unsafe self.operands = operands
        unsafe self.traceSink = traceSink
    }

    init(_ keyspace: Keyspace, _ sequence: UInt64, storage: Storage) {
        unsafe self.keyspace = keyspace
        unsafe self.sequence = sequence
        unsafe self.storage = storage
        unsafe operands = []
        unsafe traceSink = nil
    }

    @inline(__always)
    mutating func run(
        in state: TreeState, _ counters: TreeCounters, _ key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        defer {
            unsafe extendLifetime(keyspace)
            unsafe extendLifetime(storage)
        }
        if let sink = unsafe traceSink { sink.record(.memtables(count: state.filledMemtableCount)) }
        unsafe try visitMemtables(of: state, key, body)
        if unsafe !isDone {
            unsafe try visitTables(of: state, key, body)
            if unsafe !isDone, let inherited = state.inherited {
                unsafe try visitMemtables(of: inherited, key, body)
                if unsafe !isDone { unsafe try visitTables(of: inherited, key, body) }
            }
            unsafe counters.lookups.add(tally)
        }
        return unsafe try finish(key, body)
    }

    @inline(__always)
    mutating func visitMemtables(
        of state: TreeState, _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        for index in 0..<state.memtableReferences.count where unsafe !isDone {
            unsafe try state.memtableReferences[index]._withUnsafeGuaranteedRef { memtable in
                if !memtable.isEmpty { unsafe try visit(memtable, key, body) }
            }
        }
    }

    @inline(__always)
    private mutating func visitTables(
        of state: TreeState, _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        unsafe try state.fences._withUnsafeGuaranteedRef { fences in
            for level in 0..<fences.levelCount where unsafe !isDone {
                unsafe try visit(fences.level(level), isOrdered: level > 0, key, body)
            }
        }
    }

    private mutating func visit(
        _ memtable: Memtable, _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if memtable.hasRangeDeletes { unsafe cover(memtable.rangeTombstones(atMost: sequence), key) }
        unsafe try memtable.forEachVersion(of: key, maxSequence: sequence) { unsafe try visit($0, body) }
        unsafe stopIfCovered()
    }

    mutating func cover(_ tombstones: RangeTombstoneView, _ key: UnsafeRawBufferPointer) {
        guard !tombstones.isEmpty else { return }
        unsafe tombstone = unsafe max(tombstone, tombstones.newestSequence(covering: key))
    }

    /// Ends the search after a source with a range delete of the key: whatever lies deeper is older than that.
    mutating func stopIfCovered() {
        if unsafe tombstone > 0 { unsafe isDone = true }
    }

    /// Visits the tables of a level that may hold the key.
    private mutating func visit(
        _ fences: UnsafePointer<UnsafeLevelFences>, isOrdered: Bool, _ key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let number = unsafe fences.pointee.number(of: key) else { return }
        if isOrdered {
            guard let index = unsafe fences.pointee.index(holding: key, number) else { return }
            return unsafe try fences.pointee.table(index)._withUnsafeGuaranteedRef { unsafe try visit($0, key, body) }
        }
        for index in unsafe 0..<fences.pointee.count where unsafe !isDone && fences.pointee.mayHold(index, key, number)
        {
            unsafe try fences.pointee.table(index)._withUnsafeGuaranteedRef { unsafe try visit($0, key, body) }
        }
    }

    private mutating func visit(
        _ table: TableFile, _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if table.hasRangeDeletes {
            unsafe cover(RangeTombstoneView(try table.rangeTombstones(), atMost: sequence), key)
        }
        if let sink = unsafe traceSink {
            unsafe try visit(table, tracedBy: sink, key, body)
        } else {
            _ = unsafe try table.openInSection()._withUnsafeGuaranteedRef { unsafe try visit($0, key, body) }
        }
        unsafe stopIfCovered()
    }

    @inline(never)
    private mutating func visit(
        _ table: TableFile, tracedBy sink: any AccessTraceSink, _ key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let isSearched = unsafe try visit(table.open().traced(by: sink), key, body)
        sink.record(
            isSearched
                ? .tableSearched(number: table.number, isFound: unsafe hasMetVersion)
                : .tableRuledOut(number: table.number))
    }

    /// Whether the table was searched.
    private mutating func visit(
        _ reader: TableReader, _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        if unsafe isOutside(reader, key) { return false }
        guard unsafe mayBeIn(reader, key) else {
            unsafe tally.ruledOut += 1
            return false
        }
        unsafe tally.searched += 1
        unsafe hasMetVersion = false
        let hash = unsafe partitionHash(of: key, reader)
        unsafe try reader.forEachUnfilteredVersion(of: key, hash: hash, maxSequence: sequence) {
            unsafe try visit($0, body)
        }
        if unsafe !hasMetVersion { unsafe tally.misled += 1 }
        return true
    }

    /// Asks the filter; the key is hashed once for all tables.
    private mutating func mayBeIn(_ reader: TableReader, _ key: UnsafeRawBufferPointer) -> Bool {
        guard let lines = reader.filterLines else { return reader.holdsEntries }
        return unsafe lines.mayContain(hash: hash(of: key))
    }

    /// Whether the table's clusterings do not reach to that of the key, which is looked for once for all tables; if the key
    /// has none, whether all keys of the table do.
    @inline(__always)
    private mutating func isOutside(_ reader: TableReader, _ key: UnsafeRawBufferPointer) -> Bool {
        guard let layout = unsafe keyspace.clusteringLayout, let bounds = reader.clusteringBounds(by: layout)
        else { return false }
        if unsafe clustering == nil { unsafe clustering = .some(layout.clustering(of: key)) }
        guard case .some(let clustering) = unsafe clustering else { return false }
        return !bounds.mayContain(clustering)
    }

    /// The key's hash, if the table's index partitions have filters that ask for it.
    mutating func partitionHash(of key: UnsafeRawBufferPointer, _ reader: TableReader) -> UInt64 {
        reader.filterPartitions.isEmpty ? 0 : unsafe hash(of: key)
    }

    private mutating func hash(of key: UnsafeRawBufferPointer) -> UInt64 {
        let keyHash = unsafe hash ?? xxHash64(key)
        unsafe hash = keyHash
        return keyHash
    }

    // MARK: In steps, for look-ups of several keys at once

    /// Asks for the line of the filter that will be looked at.
    mutating func prefetchFilter(of reader: TableReader, _ key: UnsafeRawBufferPointer) {
        if let lines = reader.filterLines { unsafe lines.prefetch(hash: hash(of: key)) }
    }

    /// Whether the table has to be searched.
    mutating func beginVisit(_ reader: TableReader, _ key: UnsafeRawBufferPointer) -> Bool {
        if unsafe isOutside(reader, key) { return false }
        guard unsafe mayBeIn(reader, key) else {
            unsafe tally.ruledOut += 1
            return false
        }
        unsafe tally.searched += 1
        unsafe hasMetVersion = false
        return true
    }

    /// Visits the versions in the table; to be called for every table that has to be searched, found or not.
    mutating func endVisit(
        _ reader: TableReader, _ position: UnsafePointPosition?, _ key: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        if let position = unsafe position {
            unsafe try reader.forEachVersion(of: key, maxSequence: sequence, from: position) {
                unsafe try visit($0, body)
            }
        }
        if unsafe !hasMetVersion { unsafe tally.misled += 1 }
    }

    private mutating func isExpired(_ entry: UnsafeEntry) -> Bool {
        guard unsafe entry.expiry != UnsafeEntry.noExpiry, unsafe keyspace.judgesExpiry else { return false }
        let time = unsafe readTime ?? storage?.newestReadTime.microseconds ?? .min
        unsafe readTime = time
        return unsafe entry.expiry <= time
    }

    /// Takes the next older version; false when the search is over.
    private mutating func visit(_ entry: UnsafeEntry, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        unsafe hasMetVersion = true
        if unsafe entry.kind == .delete || entry.sequence < tombstone || isExpired(entry) {
            unsafe isDone = true
        } else if unsafe entry.kind == .merge {
            unsafe operands.append(Array(entry.value))
        } else {
            unsafe isDone = true
            unsafe isFound = true
            if unsafe operands.isEmpty {
                unsafe try body(entry.value)
            } else {
                unsafe operands.append(Array(entry.value))
            }
        }
        return unsafe !isDone
    }

    /// Folds what was collected; whether the key has a value.
    func finish(
        _ key: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Bool {
        guard unsafe !operands.isEmpty else { return unsafe isFound }
        let merged = unsafe try keyspace.fold(operands: operands.reversed(), key: key)
        unsafe try merged.withUnsafeBytes { unsafe try body($0) }
        return true
    }
}

extension Keyspace {
    /// Merges versions of a key.
    /// - Parameters:
    ///   - operands: Oldest first, not empty.
    ///   - key: The tree key.
    func fold(operands: some RandomAccessCollection<[UInt8]>, key: UnsafeRawBufferPointer) throws -> [UInt8] {
        let userKey = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: key.dropFirst(Keyspace.prefixByteCount)))
        let folded = try operands.balancedFold { older, newer in
            guard let mergeOperator = options.mergeOperator else {
                throw StorageError.invalidArgument(
                    "Keyspace \"\(name)\" holds merged values and was opened without its merge operator.")
            }
            var merged: [UInt8] = []
            try mergeOperator.merge(key: userKey, older: older.rawSpan, newer: newer.rawSpan, into: &merged)
            return merged
        }
        return folded ?? []
    }
}
