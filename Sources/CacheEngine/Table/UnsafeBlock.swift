// UnsafeBlock.swift — one entry in memory: a 16-byte header, the key, and the value if it is short.
//
//   byte 0   word A   bits 20–63  expiry, milliseconds since 1970; 0 = none
//                     bits 16–19  kind
//                     bits 0–15   usage: the eviction policy's record of accesses
//   byte 8   word B   bits 32–63  inline value's byte count, or index of the value in the object pool;
//                                 in a free block the next free block
//                     bits 16–31  key's byte count
//                     bits 0–15   bucket of the expiry wheel that holds a reference to this block
//   byte 16  key bytes, then the inline value's bytes
//
// Invariant: the wheel bucket of a block is right even while the block is free: the reference in the wheel outlives
// the entry and serves whichever entry moves in.

/// What a block holds.
enum BlockKind: UInt8 {
    case free = 0
    /// A string short enough to lie in the block.
    case inlineString = 1
    /// A value in the object pool.
    case object = 2
}

/// A view of a block's memory. Its pointer stays valid as long as the arena that gave it.
@safe
struct UnsafeBlock {
    private let base: UnsafeMutableRawPointer

    static let headerByteCount = 16
    static let maxKeyByteCount = Int(UInt16.max)
    /// The largest expiry that fits: the year 2527. Later ones are clamped.
    static let maxExpiry: Int64 = (1 << 44) - 1

    @inline(__always)
    init(base: UnsafeMutableRawPointer) {
        unsafe self.base = base
    }

    private var wordA: UInt64 {
        @inline(__always) get { unsafe base.load(as: UInt64.self) }
        nonmutating set { unsafe base.storeBytes(of: newValue, as: UInt64.self) }
    }

    private var wordB: UInt64 {
        @inline(__always) get { unsafe base.load(fromByteOffset: 8, as: UInt64.self) }
        nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: 8, as: UInt64.self) }
    }

    /// Milliseconds since 1970, or 0 where there is none.
    var expiry: Int64 {
        @inline(__always) get { Int64(wordA >> 20) }
        nonmutating set { wordA = (wordA & 0xF_FFFF) | UInt64(newValue) << 20 }
    }

    var kind: BlockKind {
        @inline(__always) get { BlockKind(rawValue: UInt8(wordA >> 16 & 0xF)) ?? .free }
        nonmutating set { wordA = (wordA & ~0xF_0000) | UInt64(newValue.rawValue) << 16 }
    }

    var usage: UInt16 {
        @inline(__always) get { UInt16(truncatingIfNeeded: wordA) }
        nonmutating set { wordA = (wordA & ~0xFFFF) | UInt64(newValue) }
    }

    /// The inline value's byte count, the object's index, or the next free block.
    var payload: UInt32 {
        @inline(__always) get { UInt32(truncatingIfNeeded: wordB >> 32) }
        nonmutating set { wordB = (wordB & 0xFFFF_FFFF) | UInt64(newValue) << 32 }
    }

    var keyByteCount: Int {
        @inline(__always) get { Int(wordB >> 16 & 0xFFFF) }
        nonmutating set { wordB = (wordB & ~0xFFFF_0000) | UInt64(newValue) << 16 }
    }

    var wheelBucket: UInt16 {
        @inline(__always) get { UInt16(truncatingIfNeeded: wordB) }
        nonmutating set { wordB = (wordB & ~0xFFFF) | UInt64(newValue) }
    }

    /// Bytes that the header, the key and the inline value take.
    var byteCount: Int {
        Self.headerByteCount + keyByteCount + (kind == .inlineString ? Int(payload) : 0)
    }

    var key: RawSpan {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            let bytes = unsafe RawSpan(_unsafeStart: base + Self.headerByteCount, byteCount: keyByteCount)
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// The inline value; only where the kind is `inlineString`.
    var inlineValue: RawSpan {
        @_lifetime(borrow self)
        @inline(__always)
        get {
            let start = unsafe base + Self.headerByteCount + keyByteCount
            let bytes = unsafe RawSpan(_unsafeStart: start, byteCount: Int(payload))
            return unsafe _overrideLifetime(bytes, borrowing: self)
        }
    }

    /// Makes a new block out of raw memory: free, and in no wheel bucket.
    func initialize() {
        wordA = 0
        wordB = UInt64(ExpiryWheel.noBucket)
    }

    /// The block must be large enough for header and key.
    func setKey(_ key: RawSpan) {
        keyByteCount = key.byteCount
        copy(key, to: Self.headerByteCount)
    }

    /// The block must be large enough, and its key set.
    func setInlineValue(_ value: RawSpan) {
        kind = .inlineString
        payload = UInt32(value.byteCount)
        copy(value, to: Self.headerByteCount + keyByteCount)
    }

    private func copy(_ bytes: RawSpan, to offset: Int) {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            // The value may come from this very block (APPEND), hence a move.
            unsafe (base + offset).copyMemory(from: start, byteCount: source.count)
        }
    }
}
