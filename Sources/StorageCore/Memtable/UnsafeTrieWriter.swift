// UnsafeTrieWriter.swift — the one that adds to a trie; its file says what readers rely on.

internal import CStorage

/// Owns the memory of a trie and is the only one to add to it.
@safe struct UnsafeTrieWriter: ~Copyable {
    let trie: UnsafeTrie
    private var entries = UnsafeArena(firstChunk: 4096)
    /// Apart from the entries, so that look-ups share cache lines and pages with other look-ups only.
    private var branches = UnsafeArena(firstChunk: 512)

    /// Bytes of memory held.
    var byteCount: Int { entries.byteCount + branches.byteCount }

    init() {
        let root = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
        unsafe UnsafeTrieLink.none.store(at: root)
        unsafe trie = UnsafeTrie(root: root)
    }

    deinit { unsafe trie.root.deallocate() }

    /// Adds an entry. The caller is the only writer, and no entry of the same key and sequence is there yet.
    mutating func insert(_ entry: UnsafeEntry) {
        let new = unsafe makeEntry(entry)
        let key = unsafe entry.key
        var slot = unsafe trie.root
        var link = unsafe UnsafeTrieLink.load(slot)
        if unsafe link.isNone { return unsafe new.store(at: slot) }
        while unsafe link.isBranch {
            let branch = unsafe link.branch
            let symbol = unsafe branch.symbol(of: key)
            if unsafe branch.depth <= key.count, let next = unsafe branch.slot(of: symbol) {
                let child = unsafe UnsafeTrieLink.load(next)
                if unsafe !child.isNone {
                    unsafe slot = next
                    unsafe link = child
                    continue
                }
            }
            let other = unsafe UnsafeTrie.anyEntry(link).key
            if let parting = unsafe UnsafeTrie.parting(key, other), unsafe parting < branch.depth {
                return unsafe part(key, other, at: parting, new)
            }
            return unsafe add(new, symbol, to: branch, at: slot)
        }
        let other = unsafe link.key
        if let parting = unsafe UnsafeTrie.parting(key, other) {
            unsafe part(key, other, at: parting, new)
        } else {
            unsafe addVersion(new, over: link, at: slot)
        }
    }

    private mutating func makeEntry(_ entry: UnsafeEntry) -> UnsafeTrieLink {
        let (keyCount, valueCount) = unsafe (entry.key.count, entry.value.count)
        let start = unsafe entries.allocate(byteCount: UnsafeTrie.entryHeaderByteCount + keyCount + valueCount)
        unsafe start.storeBytes(of: entry.sequence << 8 | UInt64(entry.kind.rawValue), as: UInt64.self)
        unsafe start.storeBytes(of: entry.expiry, toByteOffset: 8, as: Int64.self)
        unsafe start.storeBytes(of: UInt32(truncatingIfNeeded: keyCount), toByteOffset: 16, as: UInt32.self)
        unsafe start.storeBytes(of: UInt32(truncatingIfNeeded: valueCount), toByteOffset: 20, as: UInt32.self)
        let key = unsafe start + UnsafeTrie.entryHeaderByteCount
        if let source = unsafe entry.key.baseAddress { unsafe key.copyMemory(from: source, byteCount: keyCount) }
        if let source = unsafe entry.value.baseAddress {
            unsafe (key + keyCount).copyMemory(from: source, byteCount: valueCount)
        }
        // The next entry is as large, as a rule.
        unsafe entries.prefetchNext(byteCount: min(UnsafeTrie.entryHeaderByteCount + keyCount + valueCount, 1024))
        return unsafe UnsafeTrieLink(start, tag: UnsafeTrieLink.entryTag)
    }

    // MARK: Branches

    private mutating func makeBranch(size: Int, depth: Int) -> UnsafeTrieBranch {
        let byteCount = unsafe UnsafeTrieBranch.byteCounts[size]
        let memory = unsafe branches.allocate(byteCount: byteCount, alignment: UnsafeTrieBranch.alignment)
        return unsafe UnsafeTrieBranch(at: memory, size: size, depth: depth)
    }

    /// Adds a child to a branch, or to a larger copy that takes the branch's place.
    private mutating func add(
        _ new: UnsafeTrieLink, _ symbol: Int, to branch: UnsafeTrieBranch, at slot: UnsafeMutableRawPointer
    ) {
        guard symbol >= 0, unsafe branch.isFull else { return unsafe branch.add(symbol, new) }
        let larger = unsafe makeBranch(size: Int(branch.size) + 1, depth: branch.depth)
        unsafe branch.copyChildren(to: larger)
        unsafe larger.add(symbol, new)
        unsafe UnsafeTrieLink(larger.address, tag: 0).store(at: slot)
    }

    /// Puts a branch where the way to `key` parts from the way to `other`, which is there already.
    private mutating func part(
        _ key: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, at depth: Int, _ new: UnsafeTrieLink
    ) {
        var slot = unsafe trie.root
        var link = unsafe UnsafeTrieLink.load(slot)
        while unsafe link.isBranch, unsafe link.branch.depth < depth {
            guard let next = unsafe link.branch.slot(of: link.branch.symbol(of: other)) else { break }
            unsafe slot = next
            unsafe link = .load(slot)
        }
        let branch = unsafe makeBranch(size: 0, depth: depth)
        unsafe branch.add(UnsafeTrieBranch.symbol(of: other, at: depth), link)
        unsafe branch.add(UnsafeTrieBranch.symbol(of: key, at: depth), new)
        unsafe UnsafeTrieLink(branch.address, tag: 0).store(at: slot)
    }

    // MARK: Versions

    /// Adds an entry of a key that has one already; as a rule the newest.
    private mutating func addVersion(
        _ new: UnsafeTrieLink, over link: UnsafeTrieLink, at slot: UnsafeMutableRawPointer
    ) {
        let newest = unsafe link.isVersion ? link : makeVersion(of: link, older: .none)
        if unsafe new.sequence > newest.sequence {
            let version = unsafe makeVersion(of: new, older: newest)
            // Before the version can be found: who looks for what is newer than `newest` at a sequence of today finds it.
            unsafe newest.setNewer(version)
            return unsafe version.store(at: slot)
        }
        var newer = unsafe newest
        while unsafe !newer.older.isNone, unsafe newer.older.sequence > new.sequence { unsafe newer = newer.older }
        let older = unsafe newer.older
        let version = unsafe makeVersion(of: new, older: older)
        unsafe version.setNewer(newer)
        unsafe newer.setOlder(version)
        if unsafe !older.isNone { unsafe older.setNewer(version) }
        if unsafe newest.word != link.word { unsafe newest.store(at: slot) }
    }

    private mutating func makeVersion(of entry: UnsafeTrieLink, older: UnsafeTrieLink) -> UnsafeTrieLink {
        let memory = unsafe branches.allocate(byteCount: UnsafeTrieLink.versionByteCount)
        return unsafe .makeVersion(at: memory, entry: entry, older: older)
    }
}
