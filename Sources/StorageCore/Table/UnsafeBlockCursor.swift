// UnsafeBlockCursor.swift — walks one entry block in both directions, building keys in a buffer of its own.
//
// Invariant: while valid, `key` holds the whole key of `entry`, and `run` is either empty or holds the offsets of the
// entries between the entry's restart point and the entry itself (exclusive), so that each step back decodes a few
// entries at most, not the run again.

/// A position in a block. It retains the block; key and value stay valid until it moves or loads another block. A move that
/// throws leaves it on no entry.
@safe
struct UnsafeBlockCursor: ~Copyable {
    private(set) var block: Block?
    private(set) var isValid = false
    private var entry = BlockEntry(
        offset: 0, shared: 0, unshared: 0, suffixOffset: 0, valueByteCount: 0, sequence: 0, kind: .delete, expiry: 0)
    private var keyBuffer = UnsafeByteBuilder()
    private var run: [UInt32] = []

    /// Changes the block; the cursor is not on an entry then.
    mutating func load(_ newBlock: Block) {
        block = newBlock
        invalidate()
    }

    /// Leaves the current entry; the block stays.
    mutating func invalidate() {
        isValid = false
        if !run.isEmpty { run.removeAll(keepingCapacity: true) }
    }

    var key: UnsafeRawBufferPointer { unsafe keyBuffer.bytes }
    var sequence: UInt64 { entry.sequence }
    var kind: EntryKind { entry.kind }
    var expiry: Int64 { entry.expiry }

    var value: UnsafeRawBufferPointer {
        guard let block else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe block.value(entry)
    }

    mutating func seekToFirst() throws {
        invalidate()
        guard let block, block.restartCount > 0 else { return }
        try start(block, restart: 0)
    }

    mutating func seekToLast() throws {
        invalidate()
        guard let block, block.restartCount > 0 else { return }
        try start(block, restart: block.restartCount - 1)
        isValid = false
        while entry.endOffset < block.entriesByteCount { try advance(block) }
        isValid = true
    }

    /// To the first entry at or after (key, sequence).
    mutating func seek(_ target: UnsafeRawBufferPointer, _ sequence: UInt64) throws {
        invalidate()
        guard let block, let restart = unsafe try block.restartBefore(target, sequence) else { return }
        try start(block, restart: restart)
        while isValid, unsafe compareEntries(key, entry.sequence, target, sequence) < 0 { try next() }
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
    mutating func next() throws {
        guard isValid, let block else { return }
        if !run.isEmpty { run.removeAll(keepingCapacity: true) }
        isValid = false
        guard entry.endOffset < block.entriesByteCount else { return }
        try advance(block)
        isValid = true
    }

    /// To the previous entry; no longer valid before the first one.
    mutating func previous() throws {
        guard isValid, let block else { return }
        isValid = false
        if run.isEmpty { try collectRun(block) }
        guard let offset = run.popLast() else { return }
        let earlier = try block.entry(at: Int(offset))
        try rebuildKey(block, of: earlier, keeping: entry.shared)
        entry = earlier
        isValid = true
    }

    private mutating func start(_ block: Block, restart: Int) throws {
        entry = try block.entry(atRestart: restart)
        unsafe keyBuffer.replace(after: 0, with: block.suffix(entry))
        isValid = true
    }

    private mutating func advance(_ block: Block) throws {
        let following = try block.entry(at: entry.endOffset)
        guard following.shared <= keyBuffer.count else { throw block.badEntry(following.offset) }
        entry = following
        unsafe keyBuffer.replace(after: following.shared, with: block.suffix(following))
    }

    /// Notes the offsets of the entries from the restart point before the current entry up to it.
    private mutating func collectRun(_ block: Block) throws {
        guard let restart = block.restart(beforeOffset: entry.offset) else { return }
        var earlier = try block.entry(atRestart: restart)
        run.append(UInt32(earlier.offset))
        while earlier.endOffset < entry.offset {
            let following = try block.entry(at: earlier.endOffset)
            guard following.shared <= earlier.keyByteCount else { throw block.badEntry(following.offset) }
            earlier = following
            run.append(UInt32(earlier.offset))
        }
        guard earlier.endOffset == entry.offset, entry.shared <= earlier.keyByteCount else {
            run.removeAll(keepingCapacity: true)
            throw block.badEntry(entry.offset)
        }
    }

    /// Makes `keyBuffer`, which holds the key of the entry after `earlier`, hold the key of `earlier`: they have the first
    /// `kept` bytes in common, and each byte behind stands in the suffix of the nearest entry that did not share it.
    private mutating func rebuildKey(_ block: Block, of earlier: BlockEntry, keeping kept: Int) throws {
        keyBuffer.resize(to: earlier.keyByteCount)
        var source = earlier
        var missingEnd = earlier.keyByteCount
        var index = run.count
        while missingEnd > kept {
            let from = max(source.shared, kept)
            if from < missingEnd {
                let bytes = unsafe block.base + (source.suffixOffset + from - source.shared)
                unsafe (keyBuffer.base + from).copyMemory(from: bytes, byteCount: missingEnd - from)
                missingEnd = from
            }
            guard missingEnd > kept else { return }
            index -= 1
            guard index >= 0 else { throw block.badEntry(earlier.offset) }
            source = try block.entry(at: Int(run[index]))
        }
    }
}
