// UnsafeBlockArena.swift — memory for entries: chunks of one mebibyte cut into blocks of fixed size classes.
//
// Invariants:
//  1. A block keeps its size class for ever, so a reference always points at the start of a block, live or free.
//  2. Chunks are released only with the arena, so reading a block through an old reference is always safe.
//  3. Reference 0 is never given out: it means "no block".

/// A reference to a block: chunk number in the upper 16 bits, 16-byte unit inside the chunk in the lower 16.
typealias BlockReference = UInt32

@safe
struct UnsafeBlockArena: ~Copyable {
    private var chunks: [UnsafeMutableRawPointer] = unsafe []
    /// The first unused unit of the newest chunk.
    private var nextUnit = unitsPerChunk
    private var freeLists = [BlockReference](repeating: 0, count: classCount)
    /// Bytes in live blocks, by size class.
    private(set) var liveByteCount = 0

    private static let unitByteCount = 16
    private static let unitsPerChunk = 1 << 16
    private static let maxChunkCount = 1 << 16
    /// Blocks of 1…64 units each have a class; above that there is one class per power of two.
    private static let exactClassCount = 64
    private static let classCount = exactClassCount + 7
    static let maxBlockByteCount = (exactClassCount << 7) * unitByteCount

    deinit {
        for index in unsafe 0..<chunks.count {
            unsafe chunks[index].deallocate()
        }
    }

    @inline(__always)
    func block(_ reference: BlockReference) -> UnsafeBlock {
        let chunk = unsafe chunks[Int(reference >> 16)]
        return unsafe UnsafeBlock(base: chunk + Int(reference & 0xFFFF) * Self.unitByteCount)
    }

    /// A block of at least `byteCount` bytes, its kind still `free`; `nil` when the arena is full.
    mutating func allocate(byteCount: Int) -> BlockReference? {
        let sizeClass = Self.sizeClass(byteCount: byteCount)
        let recycled = freeLists[sizeClass]
        if recycled != 0 {
            freeLists[sizeClass] = block(recycled).payload
            liveByteCount += Self.byteCount(ofClass: sizeClass)
            return recycled
        }
        return carve(sizeClass: sizeClass)
    }

    /// Gives a live block back.
    mutating func free(_ reference: BlockReference) {
        let block = block(reference)
        let sizeClass = Self.sizeClass(byteCount: block.byteCount)
        block.kind = .free
        block.expiry = 0
        block.payload = freeLists[sizeClass]
        freeLists[sizeClass] = reference
        liveByteCount -= Self.byteCount(ofClass: sizeClass)
    }

    /// Whether blocks of these sizes come from the same class, so that one can turn into the other in place.
    static func sameClass(_ left: Int, _ right: Int) -> Bool {
        sizeClass(byteCount: left) == sizeClass(byteCount: right)
    }

    /// Bytes that a block for `byteCount` bytes takes.
    static func allocatedByteCount(for byteCount: Int) -> Int {
        self.byteCount(ofClass: sizeClass(byteCount: byteCount))
    }

    private mutating func carve(sizeClass: Int) -> BlockReference? {
        let units = Self.byteCount(ofClass: sizeClass) / Self.unitByteCount
        if nextUnit + units > Self.unitsPerChunk {
            guard unsafe chunks.count < Self.maxChunkCount else { return nil }
            let byteCount = Self.unitsPerChunk * Self.unitByteCount
            unsafe chunks.append(.allocate(byteCount: byteCount, alignment: Self.unitByteCount))
            nextUnit = unsafe chunks.count == 1 ? 1 : 0
        }
        let reference = unsafe BlockReference(chunks.count - 1) << 16 | BlockReference(nextUnit)
        nextUnit += units
        block(reference).initialize()
        liveByteCount += units * Self.unitByteCount
        return reference
    }

    private static func sizeClass(byteCount: Int) -> Int {
        let units = (byteCount + unitByteCount - 1) / unitByteCount
        guard units > exactClassCount else { return units - 1 }
        // 65…128 units are the first class above the exact ones.
        let log2 = Int.bitWidth - (units - 1).leadingZeroBitCount
        return exactClassCount + log2 - 7
    }

    private static func byteCount(ofClass sizeClass: Int) -> Int {
        guard sizeClass >= exactClassCount else { return (sizeClass + 1) * unitByteCount }
        return (exactClassCount << (sizeClass - exactClassCount + 1)) * unitByteCount
    }
}
