// UnsafeReadSections.swift — reads what others replace, without a lock and without counting references.
//
// What is shared and replaced as a whole (a tree's state, a table's reader) is reached through an atomic pointer. Readers
// load it inside a section; whoever replaces it first changes the pointer, then retires what it led to, which is let go
// of once no section is left in which it can have been found.
//
// A section is a slot on a cache line of its own: 0 where it is free, otherwise the epoch at which its reader entered. Where
// all slots are taken, a locked list takes over. All loads and stores named here are sequentially consistent:
//
// (1) A reader loads the epoch, enters its slot with it, and only then loads pointers.
// (2) Who retires has changed the pointer before, raises the epoch, files the object under the new epoch `t`, and only then
//     looks at the slots. An object is let go of when every section that is found has entered at `t` or later.
//
// Why nothing is let go of that a section may hold: let a section hold an object that it found through the pointer. Its load
// of the pointer came before the change, so its entry came before the look, and the epoch that it had loaded, before the
// epoch became `t`, is below `t`. So a look finds the section, and finds it too early, until the reader has left. Leaving
// releases and the look acquires: what the reader has read happens before the object goes. The list keeps to the same order,
// since it is locked where a reader enters and where who retires looks.
//
// Why nothing is kept for ever: a reader that leaves loads the epoch after that. Either it has not changed since the reader
// entered, and then no look has been kept waiting by this section; or the reader looks itself. A look that found the section
// came before its leaving, and the raised epoch before that look, so the reader sees it.
//
// A section may be entered inside another, by the same thread too. Nothing waits for a section to end.

internal import CStorage
internal import Synchronization

/// The sections in which the readers of one storage are, and what waits for them to end.
@safe
final class UnsafeReadSections: @unchecked Sendable {
    /// Where a reader is noted.
    struct Section {
        fileprivate let place: Int
        fileprivate let epoch: UInt64
    }

    private struct Slot: ~Copyable {
        let epoch = Atomic<UInt64>(0)
        // Two lines, because processors fetch them in pairs.
        private let padding = (0, 0, 0, 0, 0, 0, 0)
        private let neighbour = (0, 0, 0, 0, 0, 0, 0, 0)
    }

    private struct Surplus {
        var nextPlace = UnsafeReadSections.slotCount
        var epochs: [Int: UInt64] = [:]
    }

    private struct Released {
        var objects: [any AnyObject & Sendable] = []
        /// Asks for `letGo`; nil where nobody would call it.
        var request: (@Sendable () -> Void)?
    }

    static let slotCount = 64

    // Guarded by being atomic words that never move.
    private let slots: UnsafeMutablePointer<Slot>
    private let surplus = Mutex(Surplus())
    private let epoch = Atomic<UInt64>(1)
    private let retired = Mutex<[(epoch: UInt64, object: any AnyObject & Sendable)]>([])
    /// What no reader can hold any more, while it waits for the thread that lets go of it.
    private let released = Mutex(Released())

    init() {
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: Self.slotCount * MemoryLayout<Slot>.stride, alignment: 128)
        unsafe slots = memory.bindMemory(to: Slot.self, capacity: Self.slotCount)
        for index in 0..<Self.slotCount { unsafe (slots + index).initialize(to: Slot()) }
    }

    deinit {
        unsafe slots.deinitialize(count: Self.slotCount)
        unsafe slots.deallocate()
    }

    /// Begins a section, to be ended by the same call's `leave`.
    @inline(__always)
    func enter() -> Section {
        let start = Int(truncatingIfNeeded: UInt64(cstorage_thread_identity()) &* 0x9E37_79B9_7F4A_7C15 >> 32)
        for step in 0..<Self.slotCount {
            let place = (start &+ step) & (Self.slotCount &- 1)
            let epoch = epoch.load(ordering: .sequentiallyConsistent)
            let isEntered = unsafe slots[place].epoch.compareExchange(
                expected: 0, desired: epoch, ordering: .sequentiallyConsistent
            ).exchanged
            if isEntered { return Section(place: place, epoch: epoch) }
        }
        return enterSurplus()
    }

    @inline(never)
    private func enterSurplus() -> Section {
        surplus.withLock { surplus in
            let epoch = epoch.load(ordering: .sequentiallyConsistent)
            surplus.nextPlace += 1
            surplus.epochs[surplus.nextPlace] = epoch
            return Section(place: surplus.nextPlace, epoch: epoch)
        }
    }

    @inline(__always)
    func leave(_ section: Section) {
        if section.place < Self.slotCount {
            unsafe slots[section.place].epoch.store(0, ordering: .sequentiallyConsistent)
        } else {
            surplus.withLock { _ = $0.epochs.removeValue(forKey: section.place) }
        }
        if epoch.load(ordering: .sequentiallyConsistent) != section.epoch { release() }
    }

    /// Takes what no pointer leads to any more, and lets go of it when no reader can hold it.
    func retire(_ object: any AnyObject & Sendable) {
        retired.withLock { retired in
            let now = epoch.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
            retired.append((now, object))
        }
        release()
    }

    /// Leaves letting go to a thread that calls `letGo` when `request` asks for it; nil ends that. Who ends the last section may be
    /// in the writer lane, and it takes milliseconds to give back the memory of a memtable.
    func deferRelease(_ request: (@Sendable () -> Void)?) { released.withLock { $0.request = request } }

    /// Lets go of what waits for it.
    func letGo() {
        let objects = released.withLock { released in
            defer { released.objects = [] }
            return released.objects
        }
        _ = consume objects
    }

    /// How many objects wait for readers.
    var retiredCount: Int { retired.withLock { $0.count } }

    @inline(never)
    private func release() {
        // Freed after the lock is released: what goes here may take tables and their files along.
        let freed = retired.withLock { retired -> [any AnyObject & Sendable] in
            guard !retired.isEmpty else { return [] }
            let earliest = earliestEntry()
            let count = retired.prefix { $0.epoch <= earliest }.count
            let freed = retired.prefix(count).map(\.object)
            retired.removeFirst(count)
            return freed
        }
        if freed.isEmpty { return }
        let request = letGo(of: consume freed)
        request?()
    }

    /// Lets go of objects, or has that done by whom the result asks for it.
    private func letGo(of objects: consuming [any AnyObject & Sendable]) -> (@Sendable () -> Void)? {
        released.withLock { released in
            if released.request != nil { released.objects += objects }
            return released.request
        }
    }

    /// The epoch of the section that was entered first.
    private func earliestEntry() -> UInt64 {
        var earliest = UInt64.max
        for index in 0..<Self.slotCount {
            let entry = unsafe slots[index].epoch.load(ordering: .sequentiallyConsistent)
            if entry != 0 { earliest = min(earliest, entry) }
        }
        return surplus.withLock { min(earliest, $0.epochs.values.min() ?? .max) }
    }
}
