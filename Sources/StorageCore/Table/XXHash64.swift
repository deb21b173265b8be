// XXHash64.swift — XXH64 (Yann Collet, xxHash specification 0.1.1), the hash of the table filters. Part of the file format.

private let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
private let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
private let prime3: UInt64 = 0x1656_67B1_9E37_79F9
private let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
private let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

/// XXH64 of `bytes` with seed 0.
func xxHash64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let base = bytes.baseAddress else { return avalanche(prime5) }
    let count = bytes.count
    var offset = 0
    var hash = count >= 32 ? unsafe hashStripes(base, count, &offset) : prime5
    hash &+= UInt64(count)
    while offset &+ 8 <= count {
        hash ^= unsafe round(0, readInteger(base, offset, as: UInt64.self))
        hash = rotate(hash, 27) &* prime1 &+ prime4
        offset &+= 8
    }
    if offset &+ 4 <= count {
        hash ^= unsafe UInt64(readInteger(base, offset, as: UInt32.self)) &* prime1
        hash = rotate(hash, 23) &* prime2 &+ prime3
        offset &+= 4
    }
    while offset < count {
        hash ^= unsafe UInt64(base.load(fromByteOffset: offset, as: UInt8.self)) &* prime5
        hash = rotate(hash, 11) &* prime1
        offset &+= 1
    }
    return avalanche(hash)
}

/// The 32-byte stripes at the front, in four lanes.
private func hashStripes(_ base: UnsafeRawPointer, _ count: Int, _ offset: inout Int) -> UInt64 {
    var lane1 = prime1 &+ prime2
    var lane2 = prime2
    var lane3: UInt64 = 0
    var lane4 = 0 &- prime1
    while offset &+ 32 <= count {
        lane1 = unsafe round(lane1, readInteger(base, offset, as: UInt64.self))
        lane2 = unsafe round(lane2, readInteger(base, offset &+ 8, as: UInt64.self))
        lane3 = unsafe round(lane3, readInteger(base, offset &+ 16, as: UInt64.self))
        lane4 = unsafe round(lane4, readInteger(base, offset &+ 24, as: UInt64.self))
        offset &+= 32
    }
    var hash = rotate(lane1, 1) &+ rotate(lane2, 7) &+ rotate(lane3, 12) &+ rotate(lane4, 18)
    hash = mergeRound(hash, lane1)
    hash = mergeRound(hash, lane2)
    hash = mergeRound(hash, lane3)
    return mergeRound(hash, lane4)
}

@inline(__always)
private func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    value &<< bits | value &>> (64 &- bits)
}

@inline(__always)
private func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
}

@inline(__always)
private func mergeRound(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
}

private func avalanche(_ value: UInt64) -> UInt64 {
    var hash = value
    hash = (hash ^ (hash &>> 33)) &* prime2
    hash = (hash ^ (hash &>> 29)) &* prime3
    return hash ^ (hash &>> 32)
}
