// UnsafeTrie.swift — the ordered structure under a memtable: an adaptive radix trie over whole keys.
//
// A branch says only at which byte its keys part (`UnsafeTrieBranch`): what they share before it is not stored, and is
// checked once, against the key of an entry. So a look-up costs a cache miss for each branch below the hot ones at the
// top, and one for the entry, whatever the length of the keys; a skip list costs one for each comparison.
//
// Thread safety: `UnsafeTrieWriter.insert` needs one writer at a time (the writer lane). Reads need nothing: they may run
// beside an insert, as long as the trie is kept alive by its owner.
//
// Invariants:
// (1) Nothing is removed, moved or freed before the trie goes; a branch that was outgrown stays as it was.
// (2) Bytes of an entry never change once it is linked.
// (3) Every change becomes visible by one store with release order of a word that readers load with acquire order, after
//     all bytes behind it are written: so who finds something sees all of it.
// (4) All keys below a branch agree in the bytes before its depth and part at it; it has two children at least. Depths
//     grow on the way down.
// (5) Versions of a key hang in one chain, newest first; links between branches lead to its newest version.
//
// A reader that is inside an outgrown branch, or on a version that has become the second newest, misses only what was
// inserted after it got there. Readers see entries up to a sequence that was published before they began, so none of
// those concerns them.

internal import CStorage

/// The trie as readers see it: nothing but where it begins. Its memory belongs to an `UnsafeTrieWriter`.
@unsafe struct UnsafeTrie {
    static let entryHeaderByteCount = 24

    /// The address of the first link.
    let root: UnsafeMutableRawPointer

    /// The newest version of a key; none if the key is absent.
    func find(_ key: UnsafeRawBufferPointer) -> UnsafeTrieLink {
        var link = unsafe UnsafeTrieLink.load(root)
        while unsafe link.isBranch {
            let branch = unsafe link.branch
            guard unsafe branch.depth <= key.count else { return unsafe .none }
            unsafe link = branch.child(branch.symbol(of: key))
        }
        guard unsafe !link.isNone, unsafe Self.isEqual(link.key, key) else { return unsafe .none }
        return unsafe link
    }

    @inline(__always)
    private static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        unsafe left.count == right.count && cstorage_compare(left.baseAddress, right.baseAddress, right.count) == 0
    }

    /// Some entry at or below a link, one of those that came last.
    static func anyEntry(_ link: UnsafeTrieLink) -> UnsafeTrieLink {
        var link = unsafe link
        while unsafe link.isBranch { unsafe link = link.branch.latestChild }
        return unsafe link
    }

    /// The first byte in which two keys differ, counting the end as one; nil if they are equal.
    @inline(__always)
    static func parting(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int? {
        let common = min(left.count, right.count)
        let shared = unsafe cstorage_common_prefix(left.baseAddress, right.baseAddress, common)
        return shared == common && left.count == right.count ? nil : shared
    }
}
