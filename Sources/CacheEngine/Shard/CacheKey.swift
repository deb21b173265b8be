// CacheKey.swift — a key on its way into a shard: its bytes and its hash, computed once.

struct CacheKey: ~Escapable {
    let bytes: RawSpan
    /// The upper half of the key's hash; the lower half has chosen the shard.
    let hash: UInt32

    @_lifetime(copy bytes)
    @inline(__always)
    init(_ bytes: RawSpan, hash: UInt32) {
        self.bytes = bytes
        self.hash = hash
    }
}
