// MergingCursor.swift — several sources as one stream of entries, in tree order.

/// Merges sources that have no entry (key and sequence) in common.
///
/// The direction is set by a seek and kept until the next: `next` follows `seek` and `seekToFirst`, `previous` follows
/// `seekBackward` and `seekToLast`.
@safe final class MergingCursor {
    private let sources: [EntrySource]
    /// The current entry of each source; nil where it is exhausted.
    private var heads: [UnsafeEntry?]
    private var current = -1

    init(_ sources: [EntrySource]) {
        self.sources = sources
        unsafe heads = Array(repeating: nil, count: sources.count)
    }

    var isValid: Bool { current >= 0 }

    /// Valid until the cursor moves.
    var entry: UnsafeEntry {
        guard current >= 0, let entry = unsafe heads[current] else {
            preconditionFailure("A cursor is read only where it is valid.")
        }
        return unsafe entry
    }

    func seekToFirst() throws {
        for index in sources.indices { try sources[index].seekToFirst() }
        loadHeads()
        chooseSmallest()
    }

    func seekToLast() throws {
        for index in sources.indices { try sources[index].seekToLast() }
        loadHeads()
        chooseLargest()
    }

    func seek(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        for index in sources.indices { unsafe try sources[index].seek(key: key, sequence: sequence) }
        loadHeads()
        chooseSmallest()
    }

    func seekBackward(key: UnsafeRawBufferPointer, sequence: UInt64) throws {
        for index in sources.indices { unsafe try sources[index].seekBackward(key: key, sequence: sequence) }
        loadHeads()
        chooseLargest()
    }

    func next() throws {
        assert(isValid)
        try sources[current].next()
        loadHead(current)
        chooseSmallest()
    }

    func previous() throws {
        assert(isValid)
        try sources[current].previous()
        loadHead(current)
        chooseLargest()
    }

    /// Moves the sources from `first` on that stand before `key` to their first entry at or after it. Only forwards, after
    /// `seek` or `next`.
    func skip(to key: UnsafeRawBufferPointer, sourcesFrom first: Int) throws {
        for index in first..<max(sources.count, first) {
            guard let head = unsafe heads[index], unsafe compareBytes(head.key, key) < 0 else { continue }
            unsafe try sources[index].seek(key: key, sequence: SequenceNumber.max.rawValue)
            loadHead(index)
        }
        chooseSmallest()
    }

    /// Moves the sources from `first` on that stand at or after `key` to their last entry before it. Only backwards, after
    /// `seekBackward` or `previous`.
    func skipBackward(to key: UnsafeRawBufferPointer, sourcesFrom first: Int) throws {
        for index in first..<max(sources.count, first) {
            guard let head = unsafe heads[index], unsafe compareBytes(head.key, key) >= 0 else { continue }
            unsafe try sources[index].seekBackward(key: key, sequence: SequenceNumber.max.rawValue)
            loadHead(index)
        }
        chooseLargest()
    }

    private func loadHeads() {
        for index in sources.indices { loadHead(index) }
    }

    private func loadHead(_ index: Int) {
        unsafe heads[index] = sources[index].isValid ? sources[index].entry : nil
    }

    private func chooseSmallest() { choose { $0 < 0 } }
    private func chooseLargest() { choose { $0 > 0 } }

    /// A scan: a tree has a handful of sources, where a heap would not pay.
    @inline(__always)
    private func choose(_ isBetter: (Int) -> Bool) {
        var best = -1
        for index in unsafe heads.indices {
            guard let candidate = unsafe heads[index] else { continue }
            guard best >= 0, let leader = unsafe heads[best] else {
                best = index
                continue
            }
            if unsafe isBetter(compareEntries(candidate.key, candidate.sequence, leader.key, leader.sequence)) {
                best = index
            }
        }
        current = best
    }
}
