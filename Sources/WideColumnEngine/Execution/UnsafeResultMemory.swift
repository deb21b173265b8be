// UnsafeResultMemory.swift — where the memory of results comes from and goes back to.
//
// Results come and go with every read, and the larger ones lie where an allocator hands its memory back to the system, to
// fault it in again for the next. So some blocks of the two sizes that most larger results have are kept.
//
// Invariants: a block is in `kept` or with one owner; there are `maximumKeptCount` of each size at most, 1 MB in all.

internal import Synchronization

enum UnsafeResultMemory {
    /// What a result begins with. It grows by four: most are small, and a copy costs more than the room.
    static let initialByteCount = 1536
    private static let mediumByteCount = 1536 << 4
    static let largeByteCount = 1536 << 6
    private static let maximumKeptCount = 8

    // Sendable: whoever takes a block out is its owner.
    @safe private struct Block: @unchecked Sendable {
        let memory: UnsafeMutableRawBufferPointer
    }

    private static let kept = Mutex<(medium: [Block], large: [Block])>(([], []))

    static func allocate(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let block: Block? =
            switch byteCount {
            case mediumByteCount: kept.withLock { $0.medium.popLast() }
            case largeByteCount: kept.withLock { $0.large.popLast() }
            default: nil
            }
        return unsafe block?.memory ?? .allocate(byteCount: byteCount, alignment: 8)
    }

    static func deallocate(_ memory: UnsafeMutableRawBufferPointer) {
        let block = unsafe Block(memory: memory)
        let byteCount = memory.count
        let isKept =
            switch byteCount {
            case mediumByteCount: kept.withLock { keep(block, in: &$0.medium) }
            case largeByteCount: kept.withLock { keep(block, in: &$0.large) }
            default: false
            }
        if !isKept { unsafe memory.deallocate() }
    }

    private static func keep(_ block: Block, in blocks: inout [Block]) -> Bool {
        guard blocks.count < maximumKeptCount else { return false }
        blocks.append(block)
        return true
    }
}
