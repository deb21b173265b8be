// Memtable.swift — the newest entries of a tree, in memory, in order.
//
// Thread safety: one writer (the writer lane), any number of readers beside it; `UnsafeTrie` says why.

internal import Synchronization

// Sendable: the trie has one writer and lock-free readers; the rest is behind `tombstones` or atomic.
@safe final class Memtable: @unchecked Sendable {
    private let trie: UnsafeTrie
    /// Used by the one writer only, so no access to it can overlap another.
    @exclusivity(unchecked) private var writer = UnsafeTrieWriter()
    private let count = Atomic<Int>(0)
    private let tombstones = Mutex(RangeTombstoneHistory())
    private let hasTombstones = Atomic<Bool>(false)
    private let approximateByteCount = Atomic<Int>(0)
    private let tombstoneByteCount = Atomic<Int>(0)
    private let newest = Atomic<UInt64>(0)
    private let oldest = Atomic<UInt64>(0)
    private let oldestTime = Atomic<Int64>(.max)
    private let newestTime = Atomic<Int64>(.min)

    init() {
        unsafe trie = writer.trie
    }

    /// Memory held, including what the arena has reserved ahead.
    var byteCount: Int {
        approximateByteCount.load(ordering: .relaxed) + tombstoneByteCount.load(ordering: .relaxed)
    }

    /// Whoever sees that a memtable is not empty sees its first sequence too.
    var isEmpty: Bool { entryCount == 0 && !hasTombstones.load(ordering: .acquiring) }

    var entryCount: Int { count.load(ordering: .acquiring) }

    /// The largest sequence written; 0 if none was.
    var lastSequence: UInt64 { newest.load(ordering: .acquiring) }

    /// The smallest sequence written; 0 if none was.
    var firstSequence: UInt64 { oldest.load(ordering: .acquiring) }

    /// The commit times of the first and the last sequence, as far as they were noted.
    var commitTimes: CommitTimes {
        let (first, last) = (oldestTime.load(ordering: .relaxed), newestTime.load(ordering: .relaxed))
        guard first <= last else { return .unknown }
        let points = [
            CommitTimes.Point(sequence: firstSequence, time: first),
            CommitTimes.Point(sequence: lastSequence, time: last),
        ]
        return CommitTimes(notBefore: points, notAfter: points)
    }

    // MARK: Writing, in the writer lane only

    /// Notes the time of a commit that writes here; times don't fall.
    func noteCommit(time: Int64) {
        if oldestTime.load(ordering: .relaxed) == .max { oldestTime.store(time, ordering: .relaxed) }
        newestTime.store(time, ordering: .relaxed)
    }

    /// The beginning of the way to any key.
    var descent: UnsafeTrieDescent { unsafe UnsafeTrieDescent(trie) }

    func insert(_ entry: UnsafeEntry) {
        unsafe writer.insert(entry)
        unsafe note(entry.sequence)
        // Only the writer stores it, so an addition need not be one step.
        count.store(count.load(ordering: .relaxed) + 1, ordering: .releasing)
        unsafe approximateByteCount.store(writer.byteCount, ordering: .relaxed)
    }

    /// Range deletes come in the order of their sequences.
    func insert(_ tombstone: RangeTombstone) {
        let byteCount = tombstones.withLock {
            $0.insert(tombstone)
            return $0.byteCount
        }
        tombstoneByteCount.store(byteCount, ordering: .relaxed)
        note(tombstone.sequence)
        hasTombstones.store(true, ordering: .releasing)
    }

    private func note(_ sequence: UInt64) {
        if oldest.load(ordering: .relaxed) == 0 { oldest.store(sequence, ordering: .releasing) }
        newest.store(sequence, ordering: .releasing)
    }

    // MARK: Reading

    var hasRangeDeletes: Bool { hasTombstones.load(ordering: .acquiring) }

    /// The range deletes up to `sequence`.
    func rangeTombstones(atMost sequence: UInt64) -> RangeTombstoneView {
        guard hasTombstones.load(ordering: .acquiring) else { return RangeTombstoneView(RangeTombstoneMap()) }
        return RangeTombstoneView(tombstones.withLock { $0.map(atMost: sequence) })
    }

    /// What of the range deletes readers at the given sequences, ascending, or at the present can tell apart.
    func rangeTombstones(seenAt snapshots: [UInt64]) -> [RangeTombstone] {
        guard hasTombstones.load(ordering: .acquiring) else { return [] }
        return tombstones.withLock { $0 }.tombstones(seenAt: snapshots)
    }

    /// Calls `visit` with the versions of `key` not newer than `sequence`, newest first, until it returns false.
    func forEachVersion(
        of key: UnsafeRawBufferPointer, maxSequence: UInt64, _ visit: (UnsafeEntry) throws -> Bool
    ) rethrows {
        var link = unsafe trie.find(key).newest(atMost: maxSequence)
        while unsafe !link.isNone {
            guard unsafe try visit(link.entry) else { return }
            unsafe link = link.older
        }
    }

    func makeCursor() -> MemtableCursor { unsafe MemtableCursor(self, trie) }
}

/// Walks a memtable both ways. Entries inserted meanwhile may or may not be met; their sequence tells them apart.
@safe final class MemtableCursor {
    private let memtable: Memtable
    @exclusivity(unchecked) private var path: UnsafeTriePath

    fileprivate init(_ memtable: Memtable, _ trie: UnsafeTrie) {
        self.memtable = memtable
        unsafe path = UnsafeTriePath(trie)
    }

    var isValid: Bool { unsafe !path.link.isNone }

    /// Valid while the memtable lives.
    var entry: UnsafeEntry {
        precondition(isValid, "A cursor is read only where it is valid.")
        return unsafe path.link.entry
    }

    func seekToFirst() { unsafe path.seekToFirst() }
    func seekToLast() { unsafe path.seekToLast() }
    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) { unsafe path.seek(key, sequence) }
    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) { unsafe path.seekBackward(key, sequence) }
    func next() { if isValid { unsafe path.next() } }
    func previous() { if isValid { unsafe path.previous() } }
}
