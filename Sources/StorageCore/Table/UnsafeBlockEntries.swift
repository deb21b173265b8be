// UnsafeBlockEntries.swift — decodes the entries of a block in place, without reference counting.
//
// Invariant: no offset that is handed out leads outside the block, whatever its bytes are.

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

/// A view of a block's entries and restart points. Whoever uses it keeps the block alive.
@safe
struct UnsafeBlockEntries: @unchecked Sendable {
    // Guarded by immutability: nobody writes to a block's bytes.
    let base: UnsafeRawPointer
    /// Where the entries end and the restart points begin.
    let byteCount: Int
    let restartCount: Int

    /// No entries.
    init() {
        unsafe base = Self.nothing
        (byteCount, restartCount) = (0, 0)
    }

    // Never freed, never read: an address for views of nothing.
    private nonisolated(unsafe) static let nothing = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8))

    init(base: UnsafeRawPointer, byteCount: Int, restartCount: Int) {
        unsafe self.base = base
        self.byteCount = byteCount
        self.restartCount = restartCount
    }

    /// The offset of a restart point; it is inside the entries.
    @inline(__always)
    func restart(_ index: Int) -> Int {
        unsafe Int(readInteger(base, byteCount &+ index &* 4, as: UInt32.self))
    }

    /// Decodes the entry at `offset`; nil if it can't be. Whether `shared` fits the previous key is for the caller to check.
    @inline(__always)
    func entry(at offset: Int) -> BlockEntry? {
        var next = offset
        let limit = byteCount
        guard let shared = unsafe readVarint(base, &next, limit), let unshared = unsafe readVarint(base, &next, limit),
            let valueByteCount = unsafe readVarint(base, &next, limit), let tag = unsafe readVarint(base, &next, limit),
            let kind = EntryKind(rawValue: UInt8(truncatingIfNeeded: tag & 3)), tag >> 59 == 0
        else { return nil }
        var expiry = TableFormat.noExpiry
        if tag & 4 != 0 {
            guard limit &- next >= 8 else { return nil }
            expiry = unsafe readInteger(base, next, as: Int64.self)
            guard expiry != TableFormat.noExpiry else { return nil }
            next &+= 8
        }
        let room = UInt64(limit &- next)
        guard unshared <= room, valueByteCount <= room &- unshared, shared <= UInt64(limit) else {
            return nil
        }
        return BlockEntry(
            offset: offset, shared: Int(shared), unshared: Int(unshared), suffixOffset: next,
            valueByteCount: Int(valueByteCount), sequence: tag &>> 3, kind: kind, expiry: expiry)
    }

    /// The entry at a restart point, whose key is written whole.
    @inline(__always)
    func entry(atRestart index: Int) -> BlockEntry? {
        guard let entry = entry(at: restart(index)), entry.shared == 0 else { return nil }
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

    /// The last restart point before `offset`; nil if `offset` is 0. Looks at `hint` and the one before it first.
    @inline(__always)
    func restart(beforeOffset offset: Int, near hint: Int) -> Int? {
        guard hint > 0, hint < restartCount, restart(hint &- 1) < offset else { return restart(beforeOffset: offset) }
        if restart(hint) >= offset { return hint &- 1 }
        guard hint &+ 1 == restartCount || restart(hint &+ 1) >= offset else { return restart(beforeOffset: offset) }
        return hint
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
}
