// UnsafeSourceMerge.swift — several sources as one stream of entries, in tree order.
//
// Invariants, while the stream is on an entry:
// (1) `current` is the source whose head comes first in the direction of the walk, `runnerUp` the one whose head would
//     come first without it, -1 if there is none. So a step that leaves `current` in front of `runnerUp`, which is most of
//     them, compares once, and with one source not at all.
// (2) A head that is valid holds the current entry of its source, whose pointers are good until that source moves. A head
//     is marked invalid before its source moves, so that after an error nothing points to where something was.

/// Merges sources that have no entry (key and sequence) in common.
///
/// The direction is set by a seek and kept until the next: `next` follows `seek` and `seekToFirst`, `previous` follows
/// `seekBackward` and `seekToLast`.
@safe
struct UnsafeSourceMerge: ~Copyable {
    @unsafe private struct Head {
        let handle: UnsafeSourceHandle
        var isValid: Bool
        var entry: UnsafeEntry
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
        let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        for index in sources.indices {
            unsafe (heads + index).initialize(
                to: Head(
                    handle: sources[index].handle, isValid: false,
                    entry: UnsafeEntry(
                        key: nothing, sequence: 0, kind: .delete, expiry: UnsafeEntry.noExpiry, value: nothing)))
        }
    }

    deinit {
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
        try position(all: 1) { try $0.seekToFirst() }
    }

    mutating func seekToLast() throws {
        try position(all: -1) { try $0.seekToLast() }
    }

    mutating func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        try position(all: 1) { unsafe try $0.seek(key: key, sequence: sequence) }
    }

    mutating func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        try position(all: -1) { unsafe try $0.seekBackward(key: key, sequence: sequence) }
    }

    /// Moves the sources from `first` on that stand before `key` to their first entry at or after it. Only forwards.
    mutating func skip(to key: UnsafeRawBufferPointer, sourcesFrom first: Int) throws {
        current = -1
        for index in first..<max(count, first) {
            guard unsafe heads[index].isValid, unsafe compareBytes(heads[index].entry.key, key) < 0 else { continue }
            try position(index) { unsafe try $0.seek(key: key, sequence: SequenceNumber.max.rawValue) }
        }
        choose(1)
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
        choose(1)
    }

    private func isBefore(_ index: Int, _ key: UnsafeRawBufferPointer, _ sequence: UInt64) -> Bool {
        unsafe heads[index].isValid
            && compareEntries(heads[index].entry.key, heads[index].entry.sequence, key, sequence) < 0
    }

    /// Moves the sources from `first` on that stand at or after `key` to their last entry before it. Only backwards.
    mutating func skipBackward(to key: UnsafeRawBufferPointer, sourcesFrom first: Int) throws {
        current = -1
        for index in first..<max(count, first) {
            guard unsafe heads[index].isValid, unsafe compareBytes(heads[index].entry.key, key) >= 0 else { continue }
            try position(index) { unsafe try $0.seekBackward(key: key, sequence: SequenceNumber.max.rawValue) }
        }
        choose(-1)
    }

    private mutating func position(all sign: Int, _ move: (EntrySource) throws -> Void) throws {
        current = -1
        for index in 0..<count { try position(index, move) }
        choose(sign)
    }

    private func position(_ index: Int, _ move: (EntrySource) throws -> Void) throws {
        unsafe heads[index].isValid = false
        try move(sources[index])
        loadOther(index)
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
            choose(1)
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
            choose(-1)
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

    /// A scan of all heads: a tree has a handful of sources, where a heap would not pay.
    /// - Parameter sign: 1 forwards, -1 backwards.
    private mutating func choose(_ sign: Int) {
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
