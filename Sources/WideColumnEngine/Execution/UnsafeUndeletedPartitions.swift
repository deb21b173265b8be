// UnsafeUndeletedPartitions.swift — partitions that were looked at lately and have no deletions.
//
// Invariant: what is found in the table was put there in the generation that is asked for; a new one empties it.

/// A small table of partitions by the low bits of their tokens; the last of several that meet stays.
// Sendable: it alone owns its memory, and there are no copies of it.
@safe struct UnsafeUndeletedPartitions: ~Copyable, @unchecked Sendable {
    private static let slotCount = 512
    private static let slotByteCount = 64

    /// Each slot: the length of the prefix in one byte, 0 where it is free, and the prefix. Nothing before it is needed.
    private var memory: UnsafeMutableRawBufferPointer
    private var generation = 0

    init() { unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0) }

    deinit { unsafe memory.deallocate() }

    /// - Parameter prefix: the stored keys' prefix of the partition.
    func contains(_ prefix: RawSpan, generation: Int) -> Bool {
        guard generation == self.generation, unsafe !memory.isEmpty, let offset = Self.offset(of: prefix) else {
            return false
        }
        let slot = unsafe UnsafeRawBufferPointer(rebasing: memory[offset..<offset + Self.slotByteCount])
        return unsafe Int(slot[0]) == prefix.byteCount
            && RawSpan(_unsafeBytes: slot).extracting(1..<1 + prefix.byteCount).equals(prefix)
    }

    mutating func insert(_ prefix: RawSpan, generation: Int) {
        guard let offset = Self.offset(of: prefix) else { return }
        if unsafe memory.isEmpty {
            unsafe memory = .allocate(byteCount: Self.slotCount * Self.slotByteCount, alignment: Self.slotByteCount)
            clear()
        }
        if generation != self.generation { clear() }
        self.generation = generation
        unsafe memory[offset] = UInt8(prefix.byteCount)
        unsafe prefix.withUnsafeBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(offset + 1)...]).copyMemory(from: bytes)
        }
    }

    private func clear() { unsafe memory.initializeMemory(as: UInt8.self, repeating: 0) }

    /// Where a prefix belongs; `nil` where it is too long.
    private static func offset(of prefix: RawSpan) -> Int? {
        guard (8..<slotByteCount).contains(prefix.byteCount) else { return nil }
        let low = unsafe prefix.unsafeLoadUnaligned(fromByteOffset: 6, as: UInt16.self)
        return Int(UInt16(bigEndian: low)) % slotCount * slotByteCount
    }
}
