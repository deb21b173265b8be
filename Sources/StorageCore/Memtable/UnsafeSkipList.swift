// UnsafeSkipList.swift — the ordered structure under a memtable, after LevelDB's db/skiplist.h and Pugh (1990).
//
// Thread safety: `insert` needs one writer at a time (the writer lane). Reads need nothing: they may run beside an
// insert, as long as the list is kept alive by its owner.
//
// Invariants:
// (1) A node is never removed or moved before the list goes.
// (2) A node's bytes never change once it is linked, except its next pointers.
// (3) A node is linked with release stores from the bottom level up, after its bytes and its own next pointers are
//     written; readers follow next pointers with acquire loads. So who finds a node sees all of it.
// (4) Order: key by memcmp, then sequence descending. No two nodes are equal in both.
//
// Node, eight-byte aligned, in the arena:
//   0  u64 sequence << 8 | kind      8  i64 expiry
//  16  u32 key byte count           20  u32 value byte count
//  24  u32 height                   28  u32 unused
//  32  height next pointers of 8 bytes, then the key, then the value

internal import CStorage

/// The list as readers see it: nothing but where it begins. Its memory belongs to an `UnsafeSkipListWriter`.
@unsafe struct UnsafeSkipList {
    typealias Node = UnsafeMutableRawPointer

    static let maximumHeight = 14
    fileprivate static let nextOffset = 32

    fileprivate let head: Node

    var first: Node? { unsafe Self.next(head, 0) }

    var last: Node? {
        var node = unsafe head
        for level in unsafe stride(from: Self.maximumHeight - 1, through: 0, by: -1) {
            while let next = unsafe Self.next(node, level) { unsafe node = next }
        }
        return unsafe node == head ? nil : node
    }

    /// The first node at or after (key, sequence).
    func seek(_ key: UnsafeRawBufferPointer, _ sequence: UInt64) -> Node? {
        unsafe search(key, sequence).next
    }

    /// The last node at or before (key, sequence).
    func seekBackward(_ key: UnsafeRawBufferPointer, _ sequence: UInt64) -> Node? {
        let (node, next) = unsafe search(key, sequence)
        if let next = unsafe next, unsafe Self.equals(next, key, sequence) { return unsafe next }
        return unsafe node == head ? nil : node
    }

    /// The node before `node`; costs a search, since nodes carry no backward pointers.
    func previous(_ node: Node) -> Node? {
        let entry = unsafe Self.entry(node)
        let before = unsafe search(entry.key, entry.sequence).before
        return unsafe before == head ? nil : before
    }

    /// The last node before (key, sequence), and the one that was seen after it. The latter is not to be loaded again:
    /// an insert beside the search may have put a node between the two, which is before (key, sequence) as well.
    private func search(_ key: UnsafeRawBufferPointer, _ sequence: UInt64) -> (before: Node, next: Node?) {
        var node = unsafe head
        var following: Node?
        for level in unsafe stride(from: Self.maximumHeight - 1, through: 0, by: -1) {
            unsafe following = Self.next(node, level)
            while let next = unsafe following, unsafe Self.isBefore(next, key, sequence) {
                unsafe node = next
                unsafe following = Self.next(node, level)
            }
        }
        return unsafe (node, following)
    }

    @inline(__always)
    static func next(_ node: Node, _ level: Int) -> Node? {
        unsafe cstorage_load_acquire_pointer(node + nextOffset + level * 8)
    }

    @inline(__always)
    fileprivate static func setNext(_ node: Node, _ level: Int, _ next: Node?) {
        unsafe cstorage_store_release_pointer(node + nextOffset + level * 8, next)
    }

    @inline(__always)
    static func entry(_ node: Node) -> UnsafeEntry {
        let trailer = unsafe node.load(as: UInt64.self)
        let keyCount = unsafe Int(node.load(fromByteOffset: 16, as: UInt32.self))
        let valueCount = unsafe Int(node.load(fromByteOffset: 20, as: UInt32.self))
        let height = unsafe Int(node.load(fromByteOffset: 24, as: UInt32.self))
        let key = unsafe node + nextOffset + height * 8
        return unsafe UnsafeEntry(
            key: UnsafeRawBufferPointer(start: key, count: keyCount),
            sequence: trailer >> 8,
            kind: EntryKind(rawValue: UInt8(truncatingIfNeeded: trailer)) ?? .delete,
            expiry: node.load(fromByteOffset: 8, as: Int64.self),
            value: UnsafeRawBufferPointer(start: key + keyCount, count: valueCount))
    }

    @inline(__always)
    fileprivate static func isBefore(_ node: Node, _ key: UnsafeRawBufferPointer, _ sequence: UInt64) -> Bool {
        let order = unsafe compareKey(node, key)
        if order != 0 { return order < 0 }
        return unsafe node.load(as: UInt64.self) >> 8 > sequence
    }

    @inline(__always)
    private static func equals(_ node: Node, _ key: UnsafeRawBufferPointer, _ sequence: UInt64) -> Bool {
        unsafe compareKey(node, key) == 0 && node.load(as: UInt64.self) >> 8 == sequence
    }

    @inline(__always)
    private static func compareKey(_ node: Node, _ key: UnsafeRawBufferPointer) -> Int {
        let keyCount = unsafe Int(node.load(fromByteOffset: 16, as: UInt32.self))
        let height = unsafe Int(node.load(fromByteOffset: 24, as: UInt32.self))
        let nodeKey = unsafe node + nextOffset + height * 8
        let order = unsafe cstorage_compare(nodeKey, key.baseAddress, min(keyCount, key.count))
        return order != 0 ? Int(order) : keyCount - key.count
    }
}

/// Owns the memory of a list and is the only one to add to it.
@safe struct UnsafeSkipListWriter: ~Copyable {
    private typealias Node = UnsafeSkipList.Node

    let list: UnsafeSkipList
    private var arena: UnsafeArena
    private var random: SeededRandom
    private var height = 1

    /// Bytes of memory held.
    var byteCount: Int { arena.byteCount }

    init(seed: UInt64) {
        arena = UnsafeArena()
        random = SeededRandom(seed: seed)
        let head = unsafe arena.allocate(byteCount: UnsafeSkipList.nextOffset + UnsafeSkipList.maximumHeight * 8)
        for level in unsafe 0..<UnsafeSkipList.maximumHeight { unsafe UnsafeSkipList.setNext(head, level, nil) }
        unsafe list = UnsafeSkipList(head: head)
    }

    /// Adds an entry. The caller is the only writer, and no entry of the same key and sequence is there yet.
    mutating func insert(_ entry: UnsafeEntry) {
        let nodeHeight = randomHeight()
        let node = unsafe makeNode(entry, height: nodeHeight)
        unsafe withUnsafeTemporaryAllocation(of: Node.self, capacity: UnsafeSkipList.maximumHeight) { before in
            for level in before.indices { unsafe before.initializeElement(at: level, to: list.head) }
            unsafe findPredecessors(entry.key, entry.sequence, into: before)
            for level in 0..<nodeHeight {
                let predecessor = unsafe before[level]
                unsafe UnsafeSkipList.setNext(node, level, UnsafeSkipList.next(predecessor, level))
                unsafe UnsafeSkipList.setNext(predecessor, level, node)
            }
        }
        height = max(height, nodeHeight)
    }

    private mutating func makeNode(_ entry: UnsafeEntry, height: Int) -> Node {
        let keyOffset = unsafe UnsafeSkipList.nextOffset + height * 8
        let node = unsafe arena.allocate(byteCount: keyOffset + entry.key.count + entry.value.count)
        unsafe node.storeBytes(of: entry.sequence << 8 | UInt64(entry.kind.rawValue), toByteOffset: 0, as: UInt64.self)
        unsafe node.storeBytes(of: entry.expiry, toByteOffset: 8, as: Int64.self)
        unsafe node.storeBytes(of: UInt32(entry.key.count), toByteOffset: 16, as: UInt32.self)
        unsafe node.storeBytes(of: UInt32(entry.value.count), toByteOffset: 20, as: UInt32.self)
        unsafe node.storeBytes(of: UInt32(height), toByteOffset: 24, as: UInt32.self)
        if let key = unsafe entry.key.baseAddress {
            unsafe (node + keyOffset).copyMemory(from: key, byteCount: entry.key.count)
        }
        if let value = unsafe entry.value.baseAddress {
            unsafe (node + keyOffset + entry.key.count).copyMemory(from: value, byteCount: entry.value.count)
        }
        return unsafe node
    }

    /// Each level is a quarter as long as the one below it.
    private mutating func randomHeight() -> Int {
        let bits = random.next()
        return unsafe min(1 + bits.trailingZeroBitCount / 2, UnsafeSkipList.maximumHeight)
    }

    private func findPredecessors(
        _ key: UnsafeRawBufferPointer, _ sequence: UInt64, into before: UnsafeMutableBufferPointer<Node>
    ) {
        var node = unsafe list.head
        for level in stride(from: height - 1, through: 0, by: -1) {
            while let next = unsafe UnsafeSkipList.next(node, level),
                unsafe UnsafeSkipList.isBefore(next, key, sequence)
            {
                unsafe node = next
            }
            unsafe before[level] = node
        }
    }
}
