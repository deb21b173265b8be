// Murmur3.swift — the hash that places partitions on the token ring.

/// MurmurHash3 x64-128 as Cassandra computes it ([CA] utils/MurmurHash.java `hash3_x64_128`, dht/Murmur3Partitioner).
///
/// It differs from Austin Appleby's in the tail, where Cassandra treats bytes as signed. Drivers compute the same
/// tokens, so this must never change.
enum Murmur3 {
    /// The token of a serialized partition key: the first half of the hash, `Int64.min` replaced by `Int64.max`.
    static func token(_ key: RawSpan) -> Int64 {
        let hash = unsafe key.withUnsafeBytes { unsafe firstHalf($0) }
        let token = Int64(bitPattern: hash)
        return token == .min ? .max : token
    }

    private static let c1: UInt64 = 0x87C3_7B91_1142_53D5
    private static let c2: UInt64 = 0x4CF5_AD43_2745_937F

    private static func firstHalf(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var (h1, h2): (UInt64, UInt64) = (0, 0)
        let blocks = key.count / 16
        for block in 0..<blocks {
            let k1 = unsafe UInt64(littleEndian: key.loadUnaligned(fromByteOffset: block * 16, as: UInt64.self))
            let k2 = unsafe UInt64(littleEndian: key.loadUnaligned(fromByteOffset: block * 16 + 8, as: UInt64.self))
            h1 ^= mixFirst(k1)
            h1 = (rotate(h1, 27) &+ h2) &* 5 &+ 0x52DC_E729
            h2 ^= mixSecond(k2)
            h2 = (rotate(h2, 31) &+ h1) &* 5 &+ 0x3849_5AB5
        }
        let tail = unsafe UnsafeRawBufferPointer(rebasing: key[(blocks * 16)...])
        if tail.count > 8 { h2 ^= unsafe mixSecond(signedTail(tail, from: 8, to: tail.count)) }
        if tail.count > 0 { h1 ^= unsafe mixFirst(signedTail(tail, from: 0, to: min(8, tail.count))) }
        h1 ^= UInt64(key.count)
        h2 ^= UInt64(key.count)
        h1 &+= h2
        h2 &+= h1
        h1 = finalMix(h1)
        h2 = finalMix(h2)
        return h1 &+ h2
    }

    /// The bytes of a tail, each extended with its sign before it is shifted to its place.
    private static func signedTail(_ tail: UnsafeRawBufferPointer, from start: Int, to end: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in start..<end {
            let signed = unsafe Int64(Int8(bitPattern: tail[index]))
            value ^= UInt64(bitPattern: signed) << UInt64((index - start) * 8)
        }
        return value
    }

    private static func mixFirst(_ value: UInt64) -> UInt64 { rotate(value &* c1, 31) &* c2 }
    private static func mixSecond(_ value: UInt64) -> UInt64 { rotate(value &* c2, 33) &* c1 }

    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
        value << count | value >> (64 - count)
    }

    private static func finalMix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed ^= mixed >> 33
        mixed = mixed &* 0xFF51_AFD7_ED55_8CCD
        mixed ^= mixed >> 33
        mixed = mixed &* 0xC4CE_B9FE_1A85_EC53
        return mixed ^ mixed >> 33
    }
}
