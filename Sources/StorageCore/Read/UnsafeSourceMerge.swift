// UnsafeSourceMerge.swift — several sources as one stream of entries, in tree order.
//
// Invariants, while the stream is on an entry:
// (1) `current` is the source whose head comes first in the direction of the walk, `runnerUp` the one whose head would
//     come first without it, -1 if there is none. So a step that leaves `current` in front of `runnerUp`, which is most of
//     them, compares once, and with one source not at all.
// (2) A head that is valid holds the current entry of its source, whose pointers are good until that source moves. A head
//     is marked invalid before its source moves, so that after an error nothing points to where something was.
// (3) A head that is postponed holds a key that none of its source's entries comes before, and the source is anywhere.
//     `current` is never postponed: a source is looked at when the walk comes to where it may have something, and not at
//     all if the walk ends before.

/// Merges sources that have no entry (key and sequence) in common.
///
/// The direction is set by a seek and kept until the next: `next` follows `seek` and `seekToFirst`, `previous` follows
/// `seekBackward` and `seekToLast`.
@safe
struct UnsafeSourceMerge: ~Copyable {
    @unsafe private struct Head {
        let handle: UnsafeSourceHandle
        var isValid: Bool
        var isPostponed = false
        var entry: UnsafeEntry
        /// No entry of the source that will be asked for comes before it; empty where that is not known.
        let first: UnsafeMutableRawBufferPointer
        /// All of them come before it; empty where that is not known.
        let end: UnsafeMutableRawBufferPointer
    }

    private let sources: [EntrySource]
    private let heads: UnsafeMutablePointer<Head>
    private let count: Int
    private var current = -1
    private var runnerUp = -1

    init(_ sources: [EntrySource]) {
        self.sources = sources
        count = sources.count
        unsafe heads = .allocate(capacity: max(count, 1))
        for index in sources.indices {
            let groupKeys = sources[index].groupKeys
            unsafe (heads + index).initialize(
                to: Head(
                    handle: sources[index].handle, isValid: false,
                    entry: Self.placeholder(UnsafeRawBufferPointer(start: nil, count: 0)),
                    first: Self.copy(groupKeys?.first), end: Self.copy(groupKeys?.end)))
        }
    }

    /// In front of all entries with a key.
    private static func placeholder(_ key: UnsafeRawBufferPointer) -> UnsafeEntry {
        unsafe UnsafeEntry(
            key: key, sequence: SequenceNumber.max.rawValue, kind: .delete, expiry: UnsafeEntry.noExpiry,
            value: UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private static func copy(_ key: [UInt8]?) -> UnsafeMutableRawBufferPointer {
        guard let key else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: key.count, alignment: 8)
        unsafe copy.copyBytes(from: key)
        return unsafe copy
    }

    deinit {
        for index in 0..<count {
            unsafe heads[index].first.deallocate()
            unsafe heads[index].end.deallocate()
        }
        unsafe heads.deinitialize(count: count)
        unsafe heads.deallocate()
    }

    var isValid: Bool { current >= 0 }

    /// The current entry, valid until the stream moves. It must be on one.
    var entry: UnsafeEntry {
        @inline(__always)
        get {
            precondition(current >= 0, "A cursor is read only where it is valid.")
            return unsafe heads[current].entry
        }
    }

    // MARK: Seeks

    mutating func seekToFirst() throws {
        current = -1
        for index in 0..<count { try position(index) { try $0.seekToFirst() } }
        try choose(1)
    }

    mutating func seekToLast() throws {
        current = -1
        for index in 0..<count { try position(index) { try $0.seekToLast() } }
        try choose(-1)
    }

    mutating func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        current = -1
        for index in 0..<count {
            let first = unsafe UnsafeRawBufferPointer(heads[index].first)
            if unsafe !first.isEmpty && compareBytes(key, first) < 0 {
                unsafe postpone(index, until: first)
            } else {
                try position(index) { unsafe try $0.seek(key: key, sequence: sequence) }
            }
        }
        try choose(1)
    }

    mutating func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        current = -1
        for index in 0..<count {
            let end = unsafe UnsafeRawBufferPointer(heads[index].end)
            if unsafe !end.isEmpty && compareBytes(key, end) > 0 {
                unsafe postpone(index, until: end)
            } else {
                try position(index) { unsafe try $0.seekBackward(key: key, sequence: sequence) }
            }
        }
        try choose(-1)
    }

    /// Moves the sources from `first` on that stand before `key` to their first entry at or after it. Only forwards.
    mutating func skip(to key: UnsafeRawBufferPointer, sourcesFrom first: Int) throws {
        current = -1
        for index in first..<max(count, first) {
            guard unsafe heads[index].isValid, unsafe compareBytes(heads[index].entry.key, key) < 0 else { continue }
            try position(index) { unsafe try $0.seek(key: key, sequence: SequenceNumber.max.rawValue) }
        }
        try choose(1)
    }

    /// Moves the sources that stand on versions of `key` newer than `sequence` past all of those. Only forwards, from a version
    /// of the key.
    mutating func skipVersions(of key: UnsafeRawBufferPointer, newerThan sequence: UInt64) throws {
        current = -1
        for index in 0..<count where unsafe isBefore(index, key, sequence) {
            // Most sources have one version of a key, and go on with their walk.
            try position(index) { try $0.next() }
            guard unsafe isBefore(index, key, sequence) else { continue }
            try position(index) { unsafe try $0.seek(key: key, sequence: sequence) }
        }
        try choose(1)
    }

    private func isBefore(_ index: Int, _ key: UnsafeRawBufferPointer, _ sequence: UInt64) -> Bool {
        unsafe heads[index].isValid && !heads[index].isPostponed
            && compareEntries(heads[index].entry.key, heads[index].entry.sequence, key, sequence) < 0
    }

    /// Moves the sources from `first` on that stand at or after `key` to their last entry before it. Only backwards.
    mutating func skipBackward(to key: UnsafeRawBufferPointer, sourcesFrom first: Int) throws {
        current = -1
        for index in first..<max(count, first) {
            guard unsafe heads[index].isValid, unsafe compareBytes(heads[index].entry.key, key) >= 0 else { continue }
            try position(index) { unsafe try $0.seekBackward(key: key, sequence: SequenceNumber.max.rawValue) }
        }
        try choose(-1)
    }

    private func position(_ index: Int, _ move: (EntrySource) throws -> Void) throws {
        unsafe heads[index].isValid = false
        unsafe heads[index].isPostponed = false
        try move(sources[index])
        loadOther(index)
    }

    /// Lets a source stand for a key that its entries lie behind, in the direction of the walk.
    private func postpone(_ index: Int, until key: UnsafeRawBufferPointer) {
        unsafe load(index, Self.placeholder(key))
        unsafe heads[index].isPostponed = true
    }

    // MARK: Steps

    @inline(__always)
    mutating func next() throws {
        let moved = current
        assert(moved >= 0)
        current = -1
        unsafe heads[moved].isValid = false
        switch unsafe heads[moved].handle {
        case .level(let level):
            unsafe try level.pointee.next()
            if unsafe level.pointee.isValid { unsafe load(moved, level.pointee.entry) }
        case .table(let table):
            unsafe try table.pointee.next()
            if unsafe table.pointee.isValid { unsafe load(moved, table.pointee.entry) }
        case .other:
            try sources[moved].next()
            loadOther(moved)
        }
        if unsafe heads[moved].isValid && (runnerUp < 0 || compare(moved, runnerUp) < 0) {
            current = moved
        } else {
            try choose(1)
        }
    }

    @inline(__always)
    mutating func previous() throws {
        let moved = current
        assert(moved >= 0)
        current = -1
        unsafe heads[moved].isValid = false
        switch unsafe heads[moved].handle {
        case .level(let level):
            unsafe try level.pointee.previous()
            if unsafe level.pointee.isValid { unsafe load(moved, level.pointee.entry) }
        case .table(let table):
            unsafe try table.pointee.previous()
            if unsafe table.pointee.isValid { unsafe load(moved, table.pointee.entry) }
        case .other:
            try sources[moved].previous()
            loadOther(moved)
        }
        if unsafe heads[moved].isValid && (runnerUp < 0 || compare(moved, runnerUp) > 0) {
            current = moved
        } else {
            try choose(-1)
        }
    }

    // MARK: Heads

    @inline(__always)
    private func load(_ index: Int, _ entry: UnsafeEntry) {
        unsafe heads[index].entry = entry
        unsafe heads[index].isValid = true
    }

    private func loadOther(_ index: Int) {
        if sources[index].isValid { unsafe load(index, sources[index].entry) }
    }

    @inline(__always)
    private func compare(_ left: Int, _ right: Int) -> Int {
        unsafe compareEntries(
            heads[left].entry.key, heads[left].entry.sequence, heads[right].entry.key, heads[right].entry.sequence)
    }

    /// - Parameter sign: 1 forwards, -1 backwards.
    private mutating func choose(_ sign: Int) throws {
        rank(sign)
        while current >= 0, unsafe heads[current].isPostponed {
            let index = current
            current = -1
            let key = unsafe heads[index].entry.key
            try position(index) {
                unsafe sign > 0
                    ? try $0.seek(key: key, sequence: SequenceNumber.max.rawValue)
                    : try $0.seekBackward(key: key, sequence: SequenceNumber.max.rawValue)
            }
            rank(sign)
        }
    }

    /// A scan of all heads: a tree has a handful of sources, where a heap would not pay.
    private mutating func rank(_ sign: Int) {
        current = -1
        runnerUp = -1
        for index in 0..<count where unsafe heads[index].isValid {
            if current < 0 {
                current = index
            } else if compare(index, current).signum() == -sign {
                runnerUp = current
                current = index
            } else if runnerUp < 0 || compare(index, runnerUp).signum() == -sign {
                runnerUp = index
            }
        }
    }
}
