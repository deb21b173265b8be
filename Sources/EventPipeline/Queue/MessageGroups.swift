// MessageGroups.swift — which messages may be received next. Plain state: events in, decisions out.
//
// Invariants:
//  1. A group is in `ready` exactly if it has messages and none of them is in flight.
//  2. `ready` is ordered by the groups' oldest messages.
//  3. A group's messages are in the order in which they were sent, those in flight included.

struct MessageGroups: Sendable {
    private struct Group {
        var sequences = AscendingSequences()
        var inFlightCount = 0
    }

    private struct Entry {
        var group: String
        var sentAt: StorageInstant
        /// Set while in flight.
        var visibleAt: StorageInstant?
    }

    private var groups: [String: Group] = [:]
    private var entries: [UInt64: Entry] = [:]
    private var inFlight: Set<UInt64> = []
    /// All messages, oldest first; those deleted in the middle are skipped once they are the oldest.
    private var sendOrder = AscendingSequences()
    /// Oldest message of each receivable group.
    private var ready: [UInt64] = []

    var visibleCount: Int { entries.count - inFlight.count }
    var inFlightCount: Int { inFlight.count }
    var hasReceivable: Bool { !ready.isEmpty }

    /// The earliest moment at which a message in flight becomes visible.
    var nextVisibility: StorageInstant? {
        inFlight.compactMap { entries[$0]?.visibleAt }.min()
    }

    func contains(_ sequence: UInt64) -> Bool { entries[sequence] != nil }

    // MARK: Decisions

    /// Up to `count` messages to receive: as many as possible of the group with the oldest message, then of the next.
    func receivable(count: Int) -> [UInt64] {
        var chosen: [UInt64] = []
        for head in ready {
            guard chosen.count < count, let name = entries[head]?.group, let group = groups[name] else { break }
            chosen.append(contentsOf: group.sequences.elements.prefix(count - chosen.count))
        }
        return chosen
    }

    /// Messages sent at or before `limit`, oldest first, at most `count`; those in flight are left to their consumers.
    /// Later messages were sent later, so the search ends early.
    func sent(atOrBefore limit: StorageInstant, count: Int) -> [UInt64] {
        var found: [UInt64] = []
        for sequence in sendOrder.elements {
            guard let entry = entries[sequence] else { continue }
            guard found.count < count, entry.sentAt <= limit else { break }
            if entry.visibleAt == nil { found.append(sequence) }
        }
        return found
    }

    /// Messages whose time in flight is over.
    func dueForVisibility(at now: StorageInstant) -> [UInt64] {
        inFlight.filter { sequence in entries[sequence]?.visibleAt.map { $0 <= now } ?? false }
    }

    // MARK: Events

    mutating func sent(_ sequence: UInt64, group name: String, at instant: StorageInstant) {
        entries[sequence] = Entry(group: name, sentAt: instant)
        sendOrder.append(sequence)
        changing(name) { $0.sequences.append(sequence) }
    }

    mutating func received(_ sequence: UInt64, visibleAt: StorageInstant) {
        guard let entry = entries[sequence] else { return }
        entries[sequence]?.visibleAt = visibleAt
        guard inFlight.insert(sequence).inserted else { return }
        changing(entry.group) { $0.inFlightCount += 1 }
    }

    mutating func becameVisible(_ sequence: UInt64) {
        guard let entry = entries[sequence], inFlight.remove(sequence) != nil else { return }
        entries[sequence]?.visibleAt = nil
        changing(entry.group) { $0.inFlightCount -= 1 }
    }

    mutating func deleted(_ sequence: UInt64) {
        guard let entry = entries.removeValue(forKey: sequence) else { return }
        let wasInFlight = inFlight.remove(sequence) != nil
        changing(entry.group) { group in
            if wasInFlight { group.inFlightCount -= 1 }
            group.sequences.remove(sequence)
        }
        while let oldest = sendOrder.first, entries[oldest] == nil { sendOrder.remove(oldest) }
    }

    mutating func purged() {
        self = MessageGroups()
    }

    /// Changes a group and keeps `ready` right.
    private mutating func changing(_ name: String, _ change: (inout Group) -> Void) {
        var group = groups.removeValue(forKey: name) ?? Group()
        if group.inFlightCount == 0, let head = group.sequences.first { removeFromReady(head) }
        change(&group)
        if group.inFlightCount == 0, let head = group.sequences.first { ready.insert(head, at: position(of: head)) }
        if !group.sequences.isEmpty { groups[name] = group }
    }

    private mutating func removeFromReady(_ head: UInt64) {
        let position = position(of: head)
        if position < ready.count, ready[position] == head { ready.remove(at: position) }
    }

    /// Where `head` is, or belongs, in `ready`.
    private func position(of head: UInt64) -> Int {
        var (low, high) = (0, ready.count)
        while low < high {
            let middle = low + (high - low) / 2
            if ready[middle] < head { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Rising numbers, added at the end and mostly removed at the front.
struct AscendingSequences: Sendable {
    private var storage: [UInt64] = []
    private var head = 0

    var elements: ArraySlice<UInt64> { storage[head...] }
    var first: UInt64? { elements.first }
    var isEmpty: Bool { head == storage.count }

    mutating func append(_ sequence: UInt64) {
        storage.append(sequence)
    }

    mutating func remove(_ sequence: UInt64) {
        // Consumers delete the oldest first, so the search is short.
        guard let position = elements.firstIndex(of: sequence) else { return }
        guard position == head else {
            storage.remove(at: position)
            return
        }
        head += 1
        guard head > 32, head * 2 > storage.count else { return }
        storage.removeFirst(head)
        head = 0
    }
}
