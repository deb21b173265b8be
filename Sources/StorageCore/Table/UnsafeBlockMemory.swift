// UnsafeBlockMemory.swift — the one allocation of a block: what a search needs of it and its bytes, side by side.
//
// A read of a block that is in the cache but not in the processor's is a handful of cache and TLB misses, one after the
// other. So the reference count that a reader raises, the directory that it searches and the contents that it ends in
// share an allocation, and what every search touches is on its first lines:
//
//     object header, entries, directory's extent | location | directory (the reserve) | contents
//
// Invariant: nobody writes to it once it is shared; whoever made it fills it first.

/// What stands in front of a block's bytes.
struct BlockHeader {
    var entries: UnsafeBlockEntries
    var directory: UnsafeRestartDirectory
    /// What the block costs a cache.
    var byteCount: Int
    var location: BlockLocation

    /// Of memory that is not a block yet.
    static let none = BlockHeader(
        entries: UnsafeBlockEntries(), directory: UnsafeRestartDirectory(), byteCount: 0,
        location: BlockLocation(path: "", offset: 0))
}

/// The allocation; freed with its last reference.
@unsafe
final class UnsafeBlockMemory: ManagedBuffer<BlockHeader, UInt8> {
    deinit {
        unsafe header.directory.deallocate()
    }
}

/// The memory of one block's contents.
@safe
struct UnsafeBlockBytes: ~Copyable, @unchecked Sendable {
    // Guarded by immutability: filled by whoever made it, before it is shared.
    let base: UnsafeMutableRawPointer
    /// Bytes of the contents; the allocation may be larger.
    private(set) var count: Int
    /// Bytes in front of `base` for what a reader derives from the contents.
    let reserveByteCount: Int
    let memory: UnsafeBlockMemory

    /// - Parameter reserve: Bytes wanted in front of the contents; rounded up to cache lines.
    init(count: Int, reserve: Int = 0) {
        let reserved = (reserve + 63) & ~63
        // Aligned to a cache line for the filter.
        let capacity = reserved + count + 64
        let buffer = unsafe UnsafeBlockMemory.create(minimumCapacity: capacity) { _ in .none }
        unsafe memory = unsafeDowncast(buffer, to: UnsafeBlockMemory.self)
        unsafe base = memory.withUnsafeMutablePointerToElements {
            unsafe UnsafeMutableRawPointer($0).alignedUp(toMultipleOf: 64) + reserved
        }
        reserveByteCount = reserved
        self.count = count
    }

    mutating func truncate(to newCount: Int) {
        assert(newCount <= count)
        count = newCount
    }

    /// Valid as long as this value is.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: count) }
}
