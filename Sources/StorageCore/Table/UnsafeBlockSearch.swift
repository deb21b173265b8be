// UnsafeBlockSearch.swift — looks for one key in a block without building any key: the cursor of point reads.
//
// Invariant: `matchedByteCount` is the number of leading bytes that the current entry's key has in common with the
// target. An entry that shares more than that with its predecessor compares to the target as the predecessor did; for any
// other, the comparison goes on in its suffix. Prefix compression so saves comparing, not only space.

/// A forward search for the versions of one key. Whoever uses it keeps block and target alive.
@unsafe
struct UnsafeBlockSearch {
    private unowned(unsafe) let memory: UnsafeBlockMemory
    private let entries: UnsafeBlockEntries
    private let target: UnsafeRawBufferPointer
    private var matchedByteCount = 0
    private var keyByteCount = 0
    private(set) var entry: BlockEntry
    /// The place of the current entry among all, in a dense block.
    private(set) var position: Int
    /// How the current entry's key compares to the target: negative, zero or positive.
    private(set) var keyOrder = 0

    /// Positions at the first entry at or after (target, sequence); nil if the block has none.
    init?(_ block: Block, _ target: UnsafeRawBufferPointer, _ sequence: UInt64) throws {
        guard let restart = unsafe try block.restart(for: target, sequence) else { return nil }
        unsafe try self.init(block, target, restart: restart)
        while unsafe keyOrder < 0 || (keyOrder == 0 && entry.sequence > sequence) {
            guard unsafe try next() else { return nil }
        }
    }

    /// Positions at the block's first entry; nil if it has none.
    init?(first block: Block, _ target: UnsafeRawBufferPointer) throws {
        guard block.restartCount > 0 else { return nil }
        unsafe try self.init(block, target, restart: 0)
    }

    private init(_ block: Block, _ target: UnsafeRawBufferPointer, restart: Int) throws {
        unsafe memory = block.memory
        unsafe entries = block.entries
        unsafe self.target = target
        unsafe position = restart
        unsafe entry = try block.entry(atRestart: restart)
        unsafe compareSuffix()
    }

    /// Moves on; false at the end of the block.
    mutating func next() throws -> Bool {
        guard unsafe entry.endOffset < entries.byteCount else { return false }
        guard let following = unsafe entries.entry(at: entry.endOffset),
            unsafe following.shared <= keyByteCount
        else { throw unsafe Block(memory).badEntry(entry.endOffset) }
        unsafe entry = following
        unsafe position &+= 1
        if unsafe entry.shared <= matchedByteCount {
            unsafe compareSuffix()
        } else {
            unsafe keyByteCount = entry.keyByteCount
        }
        return true
    }

    /// Whether the current entry's key begins with the target.
    var startsWithTarget: Bool { unsafe matchedByteCount == target.count }

    var value: UnsafeRawBufferPointer { unsafe entries.value(entry) }

    /// The target equals the key up to `entry.shared`.
    private mutating func compareSuffix() {
        unsafe keyByteCount = entry.keyByteCount
        let suffix = unsafe entries.suffix(entry)
        let rest = unsafe UnsafeRawBufferPointer(rebasing: target[entry.shared...])
        let common = min(suffix.count, rest.count)
        var matched = 0
        if let left = suffix.baseAddress, let right = rest.baseAddress {
            matched = unsafe commonPrefixByteCount(left, right, common)
        }
        unsafe matchedByteCount = entry.shared + matched
        unsafe keyOrder = matched < common ? (suffix[matched] < rest[matched] ? -1 : 1) : suffix.count - rest.count
    }
}
