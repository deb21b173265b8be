// UnsafeTrieDescent.swift — the ways to where keys belong, taken ahead of their inserts, to have the cache lines there in time.
//
// An insert follows links from branch to branch, and each link may be a cache miss that the next one waits for. A descent
// asks for a line and goes on with other keys, or lets its caller do other work, until the line has come. It changes
// nothing and proves nothing: the insert looks for itself.

internal import CStorage

/// A look-up in steps, none of which waits for memory if the one before was long enough ago.
///
/// Used in the writer lane, by the only one who adds to the trie, and no longer than the trie lives.
@safe struct UnsafeTrieDescent: BitwiseCopyable {
    /// Where the way leads on.
    private var link: UnsafeTrieLink
    /// Whether the key has parted from all that are there. What is left is the way to one of them, with which it is compared.
    private var hasParted = false

    /// A way that has ended.
    init() { unsafe link = .none }

    @inline(__always)
    init(_ trie: UnsafeTrie) { unsafe link = .load(trie.root) }

    /// Takes one step, from a branch to its child; false at the end of the way.
    @inline(__always)
    mutating func step(_ key: UnsafeRawBufferPointer) -> Bool {
        guard unsafe link.isBranch else { return false }
        let branch = unsafe link.branch
        if !hasParted, unsafe branch.depth <= key.count {
            unsafe link = branch.child(branch.symbol(of: key))
            hasParted = unsafe link.isNone
        } else {
            hasParted = true
        }
        if hasParted { unsafe link = branch.latestChild }
        // Of a small branch all, of others the head; of an entry its head and the beginning of its key.
        let address = unsafe link.address
        unsafe cstorage_prefetch(address)
        unsafe cstorage_prefetch(address + 64)
        unsafe cstorage_prefetch(address + 128)
        return true
    }
}

/// The descents for some entries of a batch, side by side.
struct TrieDescents {
    /// More would push one another's lines out.
    static let limit = 16

    private var descents = Array(repeating: UnsafeTrieDescent(), count: limit)
    private var positions = Array(repeating: 0, count: limit)
    private var count = 0

    /// Starts anew, for the live entries from a position on, up to the limit; the position after the last of them. Inside a
    /// section of the trees'.
    mutating func begin(_ batch: borrowing WriteBatch, from start: Int) -> Int {
        count = 0
        var slot: UInt32?
        var descent = UnsafeTrieDescent()
        var position = start
        while position < batch.entries.count, count < Self.limit {
            let entry = batch.entries[position]
            if entry.isLive {
                if entry.keyspace != slot {
                    slot = entry.keyspace
                    descent = batch.slots.withTree(entry.keyspace) {
                        unsafe $0.memtableInSection._withUnsafeGuaranteedRef { $0.descent }
                    }
                }
                descents[count] = descent
                positions[count] = position
                count += 1
            }
            position += 1
        }
        return position
    }

    /// Takes up to `limit` steps of each.
    mutating func step(_ batch: borrowing WriteBatch, limit: Int) {
        for _ in 0..<limit {
            var isAnyUnderWay = false
            for index in 0..<count {
                let isUnderWay = unsafe batch.withKey(of: positions[index]) { unsafe descents[index].step($0) }
                isAnyUnderWay = isAnyUnderWay || isUnderWay
            }
            guard isAnyUnderWay else { return }
        }
    }
}
