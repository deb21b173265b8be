// UnsafeArena.swift — memory that is handed out piece by piece and freed all at once.

/// A bump allocator. One thread allocates; any thread may read what was published with a release store.
@safe struct UnsafeArena: ~Copyable {
    private var chunks: [UnsafeMutableRawPointer] = unsafe []
    private var next: UnsafeMutableRawPointer
    private var remaining = 0
    private var chunkByteCount: Int

    /// Bytes reserved from the system.
    private(set) var byteCount = 0

    /// Chunks double from `firstChunk` up to a mebibyte, so that a thousand small memtables stay small.
    init(firstChunk: Int = 4096) {
        chunkByteCount = firstChunk
        unsafe next = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 8)
        unsafe chunks.append(next)
    }

    deinit {
        for index in unsafe chunks.indices { unsafe chunks[index].deallocate() }
    }

    /// Uninitialised memory, aligned to eight bytes, valid until the arena goes.
    mutating func allocate(byteCount count: Int) -> UnsafeMutableRawPointer {
        let rounded = (count + 7) & ~7
        if rounded > remaining { addChunk(atLeast: rounded) }
        let result = unsafe next
        unsafe next = next + rounded
        remaining -= rounded
        return unsafe result
    }

    private mutating func addChunk(atLeast minimum: Int) {
        let size = max(minimum, chunkByteCount)
        chunkByteCount = min(chunkByteCount * 2, 1 << 20)
        unsafe next = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        unsafe chunks.append(next)
        remaining = size
        byteCount += size
    }
}
