// Block.swift — an entry block in memory: one allocation, its restart points checked, immutable from then on.

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

/// A block of entries (data, index, range tombstones, properties, meta index) in memory.
@safe
final class Block: Sendable {
    let location: BlockLocation
    /// The block's bytes, for as long as the block lives.
    let entries: UnsafeBlockEntries
    private let contents: UnsafeBlockBytes

    /// Checks restart count and restart points.
    init(_ contents: consuming UnsafeBlockBytes, location: BlockLocation) throws {
        let count = contents.count
        guard count >= 4, count <= Int(Int32.max) * 2 else { throw location.corruption("The block is too short.") }
        let restartCount = unsafe Int(readInteger(contents.base, count - 4, as: UInt32.self))
        guard restartCount <= (count - 4) / 4 else {
            throw location.corruption("The block has more restart points than room for them.")
        }
        unsafe entries = UnsafeBlockEntries(
            base: UnsafeRawPointer(contents.base), byteCount: count - 4 - restartCount * 4, restartCount: restartCount)
        self.location = location
        self.contents = contents
        try checkRestarts()
    }

    /// What the block costs a cache.
    var byteCount: Int { contents.count }

    var restartCount: Int { entries.restartCount }
    var entriesByteCount: Int { entries.byteCount }

    private func checkRestarts() throws {
        guard (restartCount == 0) == (entriesByteCount == 0) else {
            throw location.corruption("The block has entries without restart points or the reverse.")
        }
        var previous = -1
        for index in 0..<restartCount {
            let offset = entries.restart(index)
            guard offset > previous, offset < entriesByteCount, index > 0 || offset == 0 else {
                throw location.corruption("Restart point \(index) of the block is out of order or outside.")
            }
            previous = offset
        }
    }

    /// The last restart point whose entry comes before (key, sequence); the first if there is none; nil in an empty block.
    func restartBefore(_ key: UnsafeRawBufferPointer, _ sequence: UInt64) throws -> Int? {
        let entries = entries
        guard entries.restartCount > 0 else { return nil }
        var low = 0
        var high = entries.restartCount
        while high &- low > 1 {
            let middle = (low &+ high) / 2
            guard let entry = entries.entry(atRestart: middle) else { throw badEntry(entries.restart(middle)) }
            if unsafe compareEntries(entries.suffix(entry), entry.sequence, key, sequence) < 0 {
                low = middle
            } else {
                high = middle
            }
        }
        return low
    }

    @inline(never)
    func badEntry(_ offset: Int) -> StorageError {
        location.corruption("The entry at byte \(offset) of the block can't be decoded.")
    }
}
