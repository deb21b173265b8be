// EntryTable.swift — the hash table from key bytes to entries: open addressing, eight bytes a slot.
//
// A slot is the upper half of the key's hash (32 bits) and a block reference (32 bits); 0 is an empty slot. An entry's
// home is the top bits of its hash, so slots lie roughly in hash order: growing splits every home in two, which is what
// makes a stateless scan cursor possible.
//
// Invariants:
//  1. Between an entry's home and its slot there is no empty slot (linear probing); removal shifts entries back, so
//     there are no tombstones.
//  2. At most 13 of 16 slots are taken.
//  3. Growing and removing read only the slots, never the entries.

struct EntryTable: ~Copyable {
    private(set) var slots: [UInt64]
    private(set) var count = 0
    var arena = UnsafeBlockArena()
    /// 32 less the number of home bits.
    private var homeShift: UInt32

    private static let initialHomeBits: UInt32 = 4

    init() {
        homeShift = 32 - Self.initialHomeBits
        slots = [UInt64](repeating: 0, count: 1 << Self.initialHomeBits)
    }

    var slotByteCount: Int { slots.count * MemoryLayout<UInt64>.stride }

    @inline(__always)
    private static func reference(_ slot: UInt64) -> BlockReference { BlockReference(truncatingIfNeeded: slot) }

    @inline(__always)
    private static func hash(_ slot: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: slot >> 32) }

    @inline(__always)
    private func home(_ hash: UInt32) -> Int { Int(hash >> homeShift) }

    /// The slot that holds `key`.
    func index(of key: RawSpan, hash: UInt32) -> Int? {
        let mask = slots.count - 1
        var index = home(hash)
        while true {
            let slot = slots[index]
            if slot == 0 { return nil }
            if Self.hash(slot) == hash, arena.block(Self.reference(slot)).key.equals(key) { return index }
            index = (index + 1) & mask
        }
    }

    /// The slot that holds a given block, whose key has this hash.
    func index(of reference: BlockReference, hash: UInt32) -> Int? {
        let wanted = UInt64(hash) << 32 | UInt64(reference)
        let mask = slots.count - 1
        var index = home(hash)
        while slots[index] != 0 {
            if slots[index] == wanted { return index }
            index = (index + 1) & mask
        }
        return nil
    }

    func reference(at index: Int) -> BlockReference { Self.reference(slots[index]) }

    /// Adds an entry whose key is not in the table.
    mutating func insert(_ reference: BlockReference, hash: UInt32) {
        if (count + 1) * 16 > slots.count * 13 { grow() }
        place(UInt64(hash) << 32 | UInt64(reference))
        count += 1
    }

    /// Points a slot at another block with the same key.
    mutating func replace(at index: Int, with reference: BlockReference) {
        slots[index] = (slots[index] & 0xFFFF_FFFF_0000_0000) | UInt64(reference)
    }

    /// Empties a slot; the block is left to the caller.
    mutating func remove(at index: Int) {
        let mask = slots.count - 1
        var hole = index
        var next = (hole + 1) & mask
        while slots[next] != 0 {
            // An entry may fill the hole unless its home lies behind the hole.
            let distance = (next - home(Self.hash(slots[next]))) & mask
            if distance >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        slots[hole] = 0
        count -= 1
    }

    /// Calls `body` with every entry whose hash lies in one home, starting with the home of `cursor`.
    ///
    /// Returns the cursor of the next home, or `nil` behind the last. An entry that stays in the table during a whole
    /// scan is met at least once, whatever is added or removed meanwhile.
    func scan(from cursor: UInt32, _ body: (BlockReference) -> Void) -> UInt32? {
        let mask = slots.count - 1
        let wanted = home(cursor)
        var index = wanted
        while slots[index] != 0 {
            if home(Self.hash(slots[index])) == wanted { body(Self.reference(slots[index])) }
            index = (index + 1) & mask
        }
        return wanted == mask ? nil : UInt32(wanted + 1) << homeShift
    }

    /// An entry picked by chance, looked for from a random slot on; `nil` in an empty table.
    func randomEntry(using random: inout SeededRandom) -> BlockReference? {
        guard count > 0 else { return nil }
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: random.next()) & mask
        while slots[index] == 0 { index = (index + 1) & mask }
        return Self.reference(slots[index])
    }

    private mutating func place(_ slot: UInt64) {
        let mask = slots.count - 1
        var index = home(Self.hash(slot))
        while slots[index] != 0 { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func grow() {
        precondition(homeShift > 0, "A shard of the cache holds at most 2^32 slots; use more shards.")
        let old = slots
        homeShift -= 1
        slots = [UInt64](repeating: 0, count: old.count * 2)
        for slot in old where slot != 0 { place(slot) }
    }
}
