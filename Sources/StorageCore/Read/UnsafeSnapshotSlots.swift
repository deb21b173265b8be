// UnsafeSnapshotSlots.swift — the snapshots that live, registered and released without a lock.
//
// A slot is a word on a cache line of its own: 0 where it is free, `claimed` while it is being filled, otherwise the
// snapshot's sequence plus one; and the snapshot's read time. Threads begin their search for a free slot at places of their
// own, so that readers on different threads do not share lines. Where all slots are taken, a locked list takes over.
//
// Protocol (all loads and stores named here are sequentially consistent but for the filling of a slot, which releases):
// (1) Who registers claims a slot first, and only then reads the sequence and the time it will read at.
// (2) Who asks what snapshots can see reads the newest sequence, or announces a purge time, first, and looks at the slots
//     afterwards; it waits for one that is being filled.
// So for every slot either the look finds the claim, or the claim comes after the look and then what the registering thread
// reads is not older than what was read or announced before the look.

internal import CStorage
internal import Synchronization

/// Sequences and read times of live snapshots.
@safe
struct UnsafeSnapshotSlots: ~Copyable, @unchecked Sendable {
    private struct Slot: ~Copyable {
        let word = Atomic<UInt64>(0)
        let readTime = Atomic<Int64>(0)
        // The rest of the line, so that neighbours are not on it.
        private let padding: (Int64, Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0, 0)
    }

    private static let claimed = UInt64.max
    static let count = 64

    private let slots: UnsafeMutablePointer<Slot>

    init() {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: Self.count * MemoryLayout<Slot>.stride, alignment: 64)
        unsafe slots = memory.bindMemory(to: Slot.self, capacity: Self.count)
        for index in 0..<Self.count { unsafe (slots + index).initialize(to: Slot()) }
    }

    deinit {
        unsafe slots.deinitialize(count: Self.count)
        unsafe slots.deallocate()
    }

    /// Claims a slot; nil if all are taken.
    func claim() -> Int? {
        let start = Int(truncatingIfNeeded: UInt64(cstorage_thread_identity()) &* 0x9E37_79B9_7F4A_7C15 >> 32)
        for step in 0..<Self.count {
            let index = (start &+ step) & (Self.count &- 1)
            let isClaimed = unsafe slots[index].word.compareExchange(
                expected: 0, desired: Self.claimed, ordering: .sequentiallyConsistent
            ).exchanged
            if isClaimed { return index }
        }
        return nil
    }

    /// Fills a claimed slot.
    func fill(_ index: Int, sequence: UInt64, readTime: Int64) {
        unsafe slots[index].readTime.store(readTime, ordering: .relaxed)
        unsafe slots[index].word.store(sequence &+ 1, ordering: .releasing)
    }

    func release(_ index: Int) {
        unsafe slots[index].word.store(0, ordering: .releasing)
    }

    /// Calls `body` with each slot that is taken, waiting for those that are being filled.
    func forEach(_ body: (_ sequence: UInt64, _ readTime: Int64) -> Void) {
        for index in 0..<Self.count {
            while true {
                let word = unsafe slots[index].word.load(ordering: .sequentiallyConsistent)
                if word == 0 { break }
                if word == Self.claimed {
                    cstorage_spin_hint()
                    continue
                }
                let readTime = unsafe slots[index].readTime.load(ordering: .acquiring)
                // Of another snapshot in between, if the word has changed; one of the same sequence, registered since the
                // look began, reads late enough by the protocol.
                guard unsafe slots[index].word.load(ordering: .acquiring) == word else { continue }
                body(word &- 1, readTime)
                break
            }
        }
    }
}
