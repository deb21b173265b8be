// UnsafeBlockCursor.swift — walks one entry block in both directions, building keys in a buffer of its own.
//
// Invariant: while valid, `key` is the whole key of `entry` (in the block where it is written whole there, otherwise in
// `keyBuffer`), and `run` is either empty or holds the offsets of the entries between the entry's restart point and the
// entry itself (exclusive), so that each step back decodes a few entries at most, not the run again.
//
// A step costs less than a miss of the processor's cache, and a block's entries are spread over kilobytes. So a cursor
// that goes on asks for the lines some entries ahead of it, in its direction, each line once.

internal import CStorage

/// A position in a block. It retains the block; key and value stay valid until it moves or loads another block. A move that
/// throws leaves it on no entry.
@safe
struct UnsafeBlockCursor: ~Copyable {
    private(set) var block: Block?
    /// The block's, looked at directly so that no step counts references.
    private var entries = UnsafeBlockEntries()
    private(set) var isValid = false
    private var entry = BlockEntry(
        offset: 0, shared: 0, unshared: 0, suffixOffset: 0, valueByteCount: 0, sequence: 0, kind: .delete, expiry: 0)
    private(set) var key = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    private var keyBuffer = UnsafeByteBuilder(empty: ())
    /// Whether `keyBuffer` holds the key.
    private var isBuffered = false
    private var run: [UInt32] = []
    /// The restart point that the walk was last at, where a step back looks first.
    private var lastRestart = 0
    /// Up to where, going forwards, lines have been asked for.
    private var requestedEnd = 0
    /// Down to where, going backwards.
    private var requestedStart = Int.max

    /// Changes the block; the cursor is not on an entry then.
    mutating func load(_ newBlock: Block) {
        block = newBlock
        entries = newBlock.entries
        unsafe key = UnsafeRawBufferPointer(start: nil, count: 0)
        isBuffered = false
        invalidate()
    }

    /// Leaves the current entry; the block stays.
    mutating func invalidate() {
        isValid = false
        if !run.isEmpty { run.removeAll(keepingCapacity: true) }
    }

    var sequence: UInt64 { entry.sequence }
    var kind: EntryKind { entry.kind }
    var expiry: Int64 { entry.expiry }

    var value: UnsafeRawBufferPointer { unsafe entries.value(entry) }

    /// The restart point at or before the current entry.
    var restart: Int { entries.restart(beforeOffset: entry.offset &+ 1) ?? 0 }

    mutating func seekToFirst() throws {
        invalidate()
        guard entries.restartCount > 0 else { return }
        try start(restart: 0)
        requestForwards()
        isValid = true
    }

    mutating func seekToLast() throws {
        invalidate()
        guard entries.restartCount > 0 else { return }
        try start(restart: entries.restartCount - 1)
        while entry.endOffset < entries.byteCount { try advance() }
        requestBackwards()
        isValid = true
    }

    /// To the first entry at or after (key, sequence).
    mutating func seek(_ target: UnsafeRawBufferPointer, _ sequence: UInt64) throws {
        invalidate()
        guard let restart = unsafe try block?.restart(for: target, sequence) else { return }
        try start(restart: restart)
        isValid = true
        while unsafe compareEntries(key, entry.sequence, target, sequence) < 0 {
            isValid = false
            guard entry.endOffset < entries.byteCount else { return }
            try advance()
            isValid = true
        }
    }

    /// To the last entry at or before (key, sequence).
    mutating func seekBackward(_ target: UnsafeRawBufferPointer, _ sequence: UInt64) throws {
        unsafe try seek(target, sequence)
        if !isValid {
            try seekToLast()
        } else if unsafe compareEntries(key, entry.sequence, target, sequence) != 0 {
            try previous()
        }
    }

    /// To the next entry; no longer valid behind the last one.
    @inline(__always)
    mutating func next() throws {
        guard isValid else { return }
        invalidate()
        guard entry.endOffset < entries.byteCount else { return }
        try advance()
        requestForwards()
        isValid = true
    }

    /// To the previous entry; no longer valid before the first one.
    @inline(__always)
    mutating func previous() throws {
        guard isValid else { return }
        isValid = false
        if run.isEmpty {
            guard let restart = entries.restart(beforeOffset: entry.offset, near: lastRestart) else { return }
            lastRestart = restart
            let first = try decoded(entries.entry(atRestart: restart), entries.restart(restart))
            guard first.endOffset < entry.offset else { return try stepBack(toRestart: first) }
            try collectRun(entries, from: first)
        }
        guard let offset = run.popLast() else { return }
        let earlier = try decoded(entries.entry(at: Int(offset)), Int(offset))
        if earlier.shared == 0 {
            unsafe key = entries.suffix(earlier)
            isBuffered = false
        } else {
            try rebuildKey(entries, of: earlier, keeping: entry.shared)
        }
        entry = earlier
        requestBackwards()
        isValid = true
    }

    /// To the entry of a restart point, which is said to be right before the current one: the usual step back among large
    /// entries, each of which is a restart point.
    @inline(__always)
    private mutating func stepBack(toRestart earlier: BlockEntry) throws {
        guard earlier.endOffset == entry.offset, entry.shared <= earlier.keyByteCount else {
            throw badEntry(entry.offset)
        }
        unsafe key = entries.suffix(earlier)
        isBuffered = false
        entry = earlier
        requestBackwards()
        isValid = true
    }

    private mutating func start(restart: Int) throws {
        guard let block else { return }
        entry = try block.entry(atRestart: restart)
        lastRestart = restart
        unsafe key = entries.suffix(entry)
        isBuffered = false
        requestedEnd = 0
        requestedStart = .max
    }

    /// How far a cursor that goes on looks ahead, in bytes, and how much of it one step asks for at most: the processor has
    /// room for some twenty requests.
    private static let lookahead = 1024
    private static let largestRequest = 12 * 64

    /// Asks for the current entry's lines and those that follow.
    @inline(__always)
    private mutating func requestForwards() {
        var place = max(requestedEnd, entry.offset)
        let end = min(entry.endOffset &+ Self.lookahead, place &+ Self.largestRequest, entries.byteCount)
        while place < end {
            unsafe cstorage_prefetch(entries.base + place)
            place &+= 64
        }
        requestedEnd = place
    }

    /// Asks for the current entry's lines and those in front of them.
    @inline(__always)
    private mutating func requestBackwards() {
        var place = min(requestedStart, entry.endOffset)
        let start = max(entry.offset &- Self.lookahead, place &- Self.largestRequest, 0)
        while place > start {
            place &-= 64
            unsafe cstorage_prefetch(entries.base + place)
        }
        requestedStart = place
    }

    @inline(__always)
    private mutating func advance() throws {
        guard let following = entries.entry(at: entry.endOffset), unsafe following.shared <= key.count else {
            throw badEntry(entry.endOffset)
        }
        entry = following
        if following.shared == 0 {
            unsafe key = entries.suffix(following)
            isBuffered = false
        } else {
            bufferKey(upTo: following.shared)
            unsafe keyBuffer.replace(after: following.shared, with: entries.suffix(following))
            unsafe key = keyBuffer.bytes
        }
    }

    /// Makes `keyBuffer` hold the first bytes of the key at least.
    @inline(__always)
    private mutating func bufferKey(upTo count: Int) {
        guard !isBuffered else { return }
        unsafe keyBuffer.replace(after: 0, with: UnsafeRawBufferPointer(rebasing: key[..<count]))
        isBuffered = true
    }

    /// Notes the offsets of the entries from `first`, that of the restart point before the current entry, up to it.
    private mutating func collectRun(_ entries: UnsafeBlockEntries, from first: BlockEntry) throws {
        var earlier = first
        run.append(UInt32(earlier.offset))
        while earlier.endOffset < entry.offset {
            let following = try decoded(entries.entry(at: earlier.endOffset), earlier.endOffset)
            guard following.shared <= earlier.keyByteCount else { throw badEntry(following.offset) }
            earlier = following
            run.append(UInt32(earlier.offset))
        }
        guard earlier.endOffset == entry.offset, entry.shared <= earlier.keyByteCount else {
            throw badEntry(entry.offset)
        }
    }

    /// Makes `key`, which is the key of the entry after `earlier`, the key of `earlier`: they have the first `kept` bytes in
    /// common, and each byte behind stands in the suffix of the nearest entry that did not share it.
    private mutating func rebuildKey(_ entries: UnsafeBlockEntries, of earlier: BlockEntry, keeping kept: Int) throws {
        bufferKey(upTo: kept)
        keyBuffer.resize(to: earlier.keyByteCount)
        unsafe key = keyBuffer.bytes
        var source = earlier
        var missingEnd = earlier.keyByteCount
        var index = run.count
        while true {
            let from = max(source.shared, kept)
            if from < missingEnd {
                let bytes = unsafe entries.base + (source.suffixOffset + from - source.shared)
                unsafe (keyBuffer.base + from).copyMemory(from: bytes, byteCount: missingEnd - from)
                missingEnd = from
            }
            guard missingEnd > kept else { return }
            index -= 1
            guard index >= 0 else { throw badEntry(earlier.offset) }
            let offset = Int(run[index])
            source = try decoded(entries.entry(at: offset), offset)
        }
    }

    @inline(__always)
    private func decoded(_ entry: BlockEntry?, _ offset: Int) throws -> BlockEntry {
        guard let entry else { throw badEntry(offset) }
        return entry
    }

    @inline(never)
    private func badEntry(_ offset: Int) -> any Error {
        block?.badEntry(offset) ?? StorageError.corruption("The entry at byte \(offset) of a block can't be decoded.")
    }
}
