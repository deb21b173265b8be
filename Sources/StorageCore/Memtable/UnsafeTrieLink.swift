// UnsafeTrieLink.swift — what a word of the trie leads to: a branch, an entry, or the versions of a key.
//
// Entry, eight-byte aligned, never changed after it is linked:
//   0  u64 sequence << 8 | kind      8  i64 expiry
//  16  u32 key byte count           20  u32 value byte count
//  24  key, then value
//
// Version, for keys with more than one entry, newest first:
//   0  address of the entry          8  u64 its sequence
//  16  link to the next older one   24  link to the next newer one
//  32  link to one further down, or to itself       40  u64 how many there are from here down
// The links at 32 are those of Myers' skew-binary lists ("An applicative random-access stack", 1983): with them any
// version is found in O(log n) steps, and a new one in front costs O(1).

internal import CStorage

/// A word that leads nowhere (0) or to something in the arena; the lowest two bits say to what.
@unsafe struct UnsafeTrieLink {
    static let entryTag: UInt = 1
    static let versionTag: UInt = 2
    private static let tagMask: UInt = 3

    let word: UInt

    static var none: UnsafeTrieLink { unsafe UnsafeTrieLink(word: 0) }

    @inline(__always)
    init(word: UInt) {
        unsafe self.word = word
    }

    @inline(__always)
    init(_ address: UnsafeMutableRawPointer, tag: UInt) {
        unsafe word = UInt(bitPattern: address) | tag
    }

    /// What the word at an address leads to, with all its bytes.
    @inline(__always)
    static func load(_ address: UnsafeMutableRawPointer) -> UnsafeTrieLink {
        unsafe UnsafeTrieLink(word: cstorage_load_acquire_word(address))
    }

    /// Publishes what the link leads to.
    @inline(__always)
    func store(at address: UnsafeMutableRawPointer) {
        unsafe cstorage_store_release_word(address, word)
    }

    var isNone: Bool { unsafe word == 0 }
    var isBranch: Bool { unsafe word & Self.tagMask == 0 && word != 0 }
    var isVersion: Bool { unsafe word & Self.versionTag != 0 }

    /// Where it leads; only if it leads anywhere.
    @inline(__always)
    var address: UnsafeMutableRawPointer {
        guard let address = unsafe UnsafeMutableRawPointer(bitPattern: word & ~Self.tagMask) else {
            preconditionFailure("A link that leads nowhere is not followed.")
        }
        return unsafe address
    }

    var branch: UnsafeTrieBranch { unsafe UnsafeTrieBranch(address: address) }

    /// Where the entry begins; for versions, that of this version.
    @inline(__always)
    var entryAddress: UnsafeMutableRawPointer {
        unsafe isVersion ? UnsafeTrieLink(word: address.load(as: UInt.self)).address : address
    }

    @inline(__always)
    var entry: UnsafeEntry {
        let start = unsafe entryAddress
        let trailer = unsafe start.load(as: UInt64.self)
        let keyCount = unsafe Int(start.load(fromByteOffset: 16, as: UInt32.self))
        let valueCount = unsafe Int(start.load(fromByteOffset: 20, as: UInt32.self))
        let key = unsafe start + UnsafeTrie.entryHeaderByteCount
        return unsafe UnsafeEntry(
            key: UnsafeRawBufferPointer(start: key, count: keyCount), sequence: trailer >> 8,
            kind: EntryKind(rawValue: UInt8(truncatingIfNeeded: trailer)) ?? .delete,
            expiry: start.load(fromByteOffset: 8, as: Int64.self),
            value: UnsafeRawBufferPointer(start: key + keyCount, count: valueCount))
    }

    @inline(__always)
    var key: UnsafeRawBufferPointer {
        let start = unsafe entryAddress
        return unsafe UnsafeRawBufferPointer(
            start: start + UnsafeTrie.entryHeaderByteCount,
            count: Int(start.load(fromByteOffset: 16, as: UInt32.self)))
    }

    @inline(__always)
    var sequence: UInt64 {
        unsafe isVersion
            ? address.load(fromByteOffset: 8, as: UInt64.self) : address.load(as: UInt64.self) >> 8
    }

    // MARK: Versions

    /// The next older version of the same key.
    var older: UnsafeTrieLink { unsafe isVersion ? Self.load(address + 16) : .none }

    /// The next newer version of the same key.
    var newer: UnsafeTrieLink { unsafe isVersion ? Self.load(address + 24) : .none }

    fileprivate var jump: UnsafeTrieLink {
        unsafe UnsafeTrieLink(word: address.load(fromByteOffset: 32, as: UInt.self))
    }

    fileprivate var depth: UInt64 { unsafe address.load(fromByteOffset: 40, as: UInt64.self) }

    /// The newest version that is not newer than `sequence`, from this one on; none if all are newer.
    func newest(atMost sequence: UInt64) -> UnsafeTrieLink {
        var link = unsafe self
        while unsafe !link.isNone, unsafe link.sequence > sequence {
            if unsafe link.isVersion, unsafe link.jump.word != link.word, unsafe link.jump.sequence > sequence {
                unsafe link = link.jump
            } else {
                unsafe link = link.older
            }
        }
        return unsafe link
    }

    /// The oldest version from this one on.
    var oldest: UnsafeTrieLink {
        var link = unsafe self
        while unsafe link.isVersion {
            if unsafe link.jump.word != link.word {
                unsafe link = link.jump
            } else if unsafe !link.older.isNone {
                unsafe link = link.older
            } else {
                break
            }
        }
        return unsafe link
    }
}

extension UnsafeTrieLink {
    static let versionByteCount = 48

    /// Writes a version of one entry that is not linked from anywhere yet.
    /// - Parameter older: The version below it.
    static func makeVersion(
        at memory: UnsafeMutableRawPointer, entry: UnsafeTrieLink, older: UnsafeTrieLink
    ) -> UnsafeTrieLink {
        let version = unsafe UnsafeTrieLink(memory, tag: versionTag)
        unsafe memory.storeBytes(of: entry.word, toByteOffset: 0, as: UInt.self)
        unsafe memory.storeBytes(of: entry.sequence, toByteOffset: 8, as: UInt64.self)
        unsafe memory.storeBytes(of: older.word, toByteOffset: 16, as: UInt.self)
        unsafe memory.storeBytes(of: 0, toByteOffset: 24, as: UInt.self)
        let isFirst = unsafe older.isNone
        let jump = unsafe isFirst ? version : jumpTarget(over: older)
        unsafe memory.storeBytes(of: jump.word, toByteOffset: 32, as: UInt.self)
        unsafe memory.storeBytes(of: isFirst ? 1 : older.depth + 1, toByteOffset: 40, as: UInt64.self)
        return unsafe version
    }

    private static func jumpTarget(over older: UnsafeTrieLink) -> UnsafeTrieLink {
        let jump = unsafe older.jump
        let first = unsafe older.depth &- jump.depth
        let second = unsafe jump.depth &- jump.jump.depth
        return unsafe first == second ? jump.jump : older
    }

    func setOlder(_ link: UnsafeTrieLink) { unsafe link.store(at: address + 16) }
    func setNewer(_ link: UnsafeTrieLink) { unsafe link.store(at: address + 24) }
}
