// UnsafeUndeletedPartitions.swift — partitions that were looked at lately and have no deletions.
//
// Invariant: what is found in the table was put there in the generation that is asked for; a new one empties it.

/// A small table of partitions, by the low bits of their tokens.
// Sendable: it alone owns its memory, and there are no copies of it.
@safe struct UnsafeUndeletedPartitions: ~Copyable, @unchecked Sendable {
    private static let setCount = 128
    /// So many partitions of a set are known; a further one takes the place of the one that came longest ago.
    private static let slotsInSet = 4
    private static let slotByteCount = 64
    private static let setByteCount = slotsInSet * slotByteCount

    /// Each slot: the length of the prefix in one byte, 0 where it is free, and the prefix. Nothing before it is needed.
    private var memory: UnsafeMutableRawBufferPointer
    private var generation = 0

    init() { unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0) }

    deinit { unsafe memory.deallocate() }

    /// - Parameter prefix: the stored keys' prefix of the partition.
    func contains(_ prefix: RawSpan, generation: Int) -> Bool {
        guard generation == self.generation, unsafe !memory.isEmpty, let start = Self.offset(of: prefix) else {
            return false
        }
        for offset in stride(from: start, to: start + Self.setByteCount, by: Self.slotByteCount)
        where unsafe Int(memory[offset]) == prefix.byteCount {
            let known = unsafe UnsafeRawBufferPointer(rebasing: memory[offset + 1..<offset + 1 + prefix.byteCount])
            if unsafe RawSpan(_unsafeBytes: known).equals(prefix) { return true }
        }
        return false
    }

    mutating func insert(_ prefix: RawSpan, generation: Int) {
        guard let start = Self.offset(of: prefix) else { return }
        if unsafe memory.isEmpty {
            unsafe memory = .allocate(byteCount: Self.setCount * Self.setByteCount, alignment: Self.slotByteCount)
            clear()
        }
        if generation != self.generation { clear() }
        self.generation = generation
        let kept = Self.setByteCount - Self.slotByteCount
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start + Self.slotByteCount..<start + Self.setByteCount])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<start + kept]))
        unsafe memory[start] = UInt8(prefix.byteCount)
        unsafe prefix.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(start + 1)...]).copyMemory(from: bytes)
        }
    }

    private func clear() { unsafe memory.initializeMemory(as: UInt8.self, repeating: 0) }

    /// Where the set of a prefix begins; `nil` where it is too long.
    private static func offset(of prefix: RawSpan) -> Int? {
        guard (8..<slotByteCount).contains(prefix.byteCount) else { return nil }
        let low = unsafe prefix.unsafeLoadUnaligned(fromByteOffset: 6, as: UInt16.self)
        return Int(UInt16(bigEndian: low)) % setCount * setByteCount
    }
}
