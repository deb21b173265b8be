// Block.swift — an entry block in memory: one allocation, its restart points checked, immutable from then on.
//
// Invariant: no offset that this file hands out leads outside the block, whatever its bytes are.

/// The memory of one block's contents, freed once.
@safe
struct UnsafeBlockBytes: ~Copyable, @unchecked Sendable {
    // Guarded by immutability: filled by whoever made it, before it is shared.
    let base: UnsafeMutableRawPointer
    /// Bytes of the contents; the allocation may be larger.
    private(set) var count: Int

    init(count: Int) {
        // Aligned to a cache line for the filter; a spare byte because an empty allocation has no address.
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: count + 1, alignment: 64)
        self.count = count
    }

    deinit {
        unsafe base.deallocate()
    }

    mutating func truncate(to newCount: Int) {
        assert(newCount <= count)
        count = newCount
    }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }
}

/// The place of a block, for error messages.
struct BlockLocation: Sendable {
    let path: String
    let offset: UInt64

    func corruption(_ message: String) -> StorageError {
        .corruption(message, file: path, offset: Int64(exactly: offset))
    }
}

/// One decoded entry of a block: numbers only, offsets count from the start of the block.
struct BlockEntry {
    var offset: Int
    var shared: Int
    var unshared: Int
    var suffixOffset: Int
    var valueByteCount: Int
    var sequence: UInt64
    var kind: EntryKind
    var expiry: Int64

    var keyByteCount: Int { shared &+ unshared }
    var valueOffset: Int { suffixOffset &+ unshared }
    var endOffset: Int { suffixOffset &+ unshared &+ valueByteCount }
}

/// A block of entries (data, index, range tombstones, properties, meta index) in memory.
@safe
final class Block: Sendable {
    let location: BlockLocation
    private let contents: UnsafeBlockBytes
    let restartCount: Int
    /// Where the entries end and the restart points begin.
    let entriesByteCount: Int

    /// Checks restart count and restart points.
    init(_ contents: consuming UnsafeBlockBytes, location: BlockLocation) throws {
        let count = contents.count
        guard count >= 4, count <= Int(Int32.max) * 2 else { throw location.corruption("The block is too short.") }
        restartCount = unsafe Int(readInteger(contents.base, count - 4, as: UInt32.self))
        guard restartCount <= (count - 4) / 4 else {
            throw location.corruption("The block has more restart points than room for them.")
        }
        entriesByteCount = count - 4 - restartCount * 4
        self.location = location
        self.contents = contents
        try checkRestarts()
    }

    var base: UnsafeRawPointer { unsafe UnsafeRawPointer(contents.base) }

    /// What the block costs a cache.
    var byteCount: Int { contents.count }

    /// The offset of a restart point; it is inside the entries.
    @inline(__always)
    func restart(_ index: Int) -> Int {
        unsafe Int(readInteger(base, entriesByteCount &+ index &* 4, as: UInt32.self))
    }

    private func checkRestarts() throws {
        guard (restartCount == 0) == (entriesByteCount == 0) else {
            throw location.corruption("The block has entries without restart points or the reverse.")
        }
        var previous = -1
        for index in 0..<restartCount {
            let offset = restart(index)
            guard offset > previous, offset < entriesByteCount, index > 0 || offset == 0 else {
                throw location.corruption("Restart point \(index) of the block is out of order or outside.")
            }
            previous = offset
        }
    }

    /// Decodes the entry at `offset`. Whether `shared` fits the previous key is for the caller to check.
    @inline(__always)
    func entry(at offset: Int) throws -> BlockEntry {
        var next = offset
        let limit = entriesByteCount
        guard let shared = unsafe readVarint(base, &next, limit), let unshared = unsafe readVarint(base, &next, limit),
            let valueByteCount = unsafe readVarint(base, &next, limit), let tag = unsafe readVarint(base, &next, limit),
            let kind = EntryKind(rawValue: UInt8(truncatingIfNeeded: tag & 3)), tag >> 59 == 0
        else { throw badEntry(offset) }
        var expiry = TableFormat.noExpiry
        if tag & 4 != 0 {
            guard limit &- next >= 8 else { throw badEntry(offset) }
            expiry = unsafe readInteger(base, next, as: Int64.self)
            guard expiry != TableFormat.noExpiry else { throw badEntry(offset) }
            next &+= 8
        }
        let room = UInt64(limit &- next)
        guard unshared <= room, valueByteCount <= room &- unshared, shared <= UInt64(limit) else {
            throw badEntry(offset)
        }
        return BlockEntry(
            offset: offset, shared: Int(shared), unshared: Int(unshared), suffixOffset: next,
            valueByteCount: Int(valueByteCount), sequence: tag &>> 3, kind: kind, expiry: expiry)
    }

    /// The entry at a restart point, whose key is written whole.
    @inline(__always)
    func entry(atRestart index: Int) throws -> BlockEntry {
        let entry = try entry(at: restart(index))
        guard entry.shared == 0 else { throw badEntry(entry.offset) }
        return entry
    }

    @inline(__always)
    func suffix(_ entry: BlockEntry) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + entry.suffixOffset, count: entry.unshared)
    }

    @inline(__always)
    func value(_ entry: BlockEntry) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + entry.valueOffset, count: entry.valueByteCount)
    }

    /// The last restart point whose entry comes before (key, sequence); the first if there is none; nil in an empty block.
    func restartBefore(_ key: UnsafeRawBufferPointer, _ sequence: UInt64) throws -> Int? {
        guard restartCount > 0 else { return nil }
        var low = 0
        var high = restartCount
        while high &- low > 1 {
            let middle = (low &+ high) / 2
            let entry = try entry(atRestart: middle)
            if unsafe compareEntries(suffix(entry), entry.sequence, key, sequence) < 0 {
                low = middle
            } else {
                high = middle
            }
        }
        return low
    }

    /// The last restart point before `offset`; nil if `offset` is 0.
    func restart(beforeOffset offset: Int) -> Int? {
        guard offset > 0 else { return nil }
        var low = 0
        var high = restartCount
        while high &- low > 1 {
            let middle = (low &+ high) / 2
            if restart(middle) < offset { low = middle } else { high = middle }
        }
        return low
    }

    @inline(never)
    func badEntry(_ offset: Int) -> StorageError {
        location.corruption("The entry at byte \(offset) of the block can't be decoded.")
    }
}
