// UnsafeArena.swift — memory that is handed out piece by piece and freed all at once.

internal import CStorage
internal import Synchronization

/// A bump allocator. One thread allocates; any thread may read what was published with a release store.
@safe struct UnsafeArena: ~Copyable {
    @safe private struct Chunk {
        var start: UnsafeMutableRawPointer
        var byteCount: Int
    }

    private var chunks: [Chunk] = []
    private var next: UInt = 0
    private var end: UInt = 0
    private var chunkByteCount: Int

    /// Bytes reserved from the system.
    private(set) var byteCount = 0

    /// Chunks double from `firstChunk` up to the size of a huge page, so that a thousand small memtables stay small.
    init(firstChunk: Int) {
        chunkByteCount = firstChunk
    }

    deinit {
        for chunk in chunks {
            if chunk.byteCount == ChunkPool.chunkByteCount {
                unsafe ChunkPool.shared.giveBack(unsafe chunk.start)
            } else {
                unsafe chunk.start.deallocate()
            }
        }
    }

    /// Uninitialised memory, valid until the arena goes.
    /// - Parameter alignment: A power of two, at most 64.
    @inline(__always)
    mutating func allocate(byteCount count: Int, alignment: UInt = 8) -> UnsafeMutableRawPointer {
        var start = (next &+ (alignment &- 1)) & ~(alignment &- 1)
        if start &+ UInt(bitPattern: count) > end {
            addChunk(atLeast: count)
            start = next
        }
        next = start &+ UInt(bitPattern: count)
        guard let result = unsafe UnsafeMutableRawPointer(bitPattern: start) else {
            preconditionFailure("An arena's chunk is never at address zero.")
        }
        return unsafe result
    }

    /// Asks for the memory that the next pieces will come from.
    @inline(__always)
    func prefetchNext(byteCount: Int) {
        unsafe cstorage_prefetch_for_stores(
            UnsafeRawPointer(bitPattern: next), min(byteCount, Int(bitPattern: end &- next)))
    }

    /// Has large chunks ready, with their pages in place, if arenas have taken any since the last call. The arenas of the
    /// writer lane then don't wait for the system to clear two mebibytes. On any thread but that one.
    static func prepareChunks() { ChunkPool.shared.prepare() }

    private mutating func addChunk(atLeast minimum: Int) {
        let size = max(minimum, chunkByteCount)
        chunkByteCount = min(chunkByteCount * 2, ChunkPool.chunkByteCount)
        let start =
            unsafe size == ChunkPool.chunkByteCount
            ? ChunkPool.shared.take() : UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        chunks.append(unsafe Chunk(start: start, byteCount: size))
        next = UInt(bitPattern: start)
        end = next + UInt(size)
        byteCount += size
    }
}

/// Large chunks that flushed memtables left, or that were made ahead of time: the memory is mapped already, and its pages
/// are in place.
private final class ChunkPool: @unchecked Sendable {  // guarded by `state`
    static let chunkByteCount = 2 << 20
    /// What a memtable of the default size holds; more goes back to the system.
    private static let limit = 32
    /// Chunks made ahead of time: what a writer fills while who makes them waits for a device.
    private static let readyCount = 4

    static let shared = ChunkPool()

    private struct State {
        var free: [UInt] = []
        /// Whether a chunk was taken since chunks were last made ahead of time.
        var isInUse = false
    }

    private let state = Mutex(State())

    func take() -> UnsafeMutableRawPointer {
        let address = state.withLock { state in
            state.isInUse = true
            return state.free.popLast()
        }
        if let address, let chunk = unsafe UnsafeMutableRawPointer(bitPattern: address) { return unsafe chunk }
        return unsafe cstorage_map_chunk(Self.chunkByteCount)
    }

    func giveBack(_ chunk: UnsafeMutableRawPointer) {
        let isKept = state.withLock { state in
            guard state.free.count < Self.limit else { return false }
            state.free.append(UInt(bitPattern: chunk))
            return true
        }
        if !isKept { unsafe cstorage_unmap_chunk(chunk, Self.chunkByteCount) }
    }

    func prepare() {
        let missing = state.withLock { state in
            defer { state.isInUse = false }
            return state.isInUse ? Self.readyCount - state.free.count : 0
        }
        guard missing > 0 else { return }
        for _ in 0..<missing {
            let chunk = unsafe cstorage_map_chunk(Self.chunkByteCount)
            unsafe cstorage_prefault_chunk(chunk, Self.chunkByteCount)
            unsafe giveBack(chunk)
        }
    }
}
