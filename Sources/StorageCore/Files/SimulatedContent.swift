// SimulatedContent.swift — the bytes of one file on the simulated disk: what programs see, and what a power cut leaves.
//
// Three layers: `durable` is on the platter, `changes` are in the page cache and not yet there, `current` is both
// together. Invariants:
//  1. Unless a sync has failed, `current` is `durable` with `changes` applied in order.
//  2. The unit of survival is the sector of 512 bytes, at multiples of 512 from the start of the file. A surviving sector
//     holds what it held at some moment after the last sync: never half of one write and half of another's bytes out of
//     order.

internal import StorageTypes

struct SimulatedContent {
    static let sectorByteCount = 512

    /// One unsynced step. `order` is the disk-wide number of the operation.
    struct Change {
        enum Action {
            case write(offset: Int, bytes: [UInt8])
            case truncate(byteCount: Int)
        }

        var order: Int
        var action: Action
        /// A sync that should have made it durable failed: the system believes the pages clean, no later sync writes
        /// them.
        var isLost = false
    }

    private(set) var current: [UInt8] = []
    private(set) var durable: [UInt8] = []
    private(set) var changes: [Change] = []

    init() {}

    /// Content that is on the platter already.
    init(durable: [UInt8]) {
        self.current = durable
        self.durable = durable
    }

    mutating func apply(_ action: Change.Action, order: Int) {
        action.apply(to: &current)
        changes.append(Change(order: order, action: action))
    }

    /// Makes everything durable except what an earlier failed sync lost.
    mutating func sync() {
        if changes.contains(where: \.isLost) {
            syncAroundLostPages()
        } else {
            for change in changes { change.action.apply(to: &durable) }
            changes.removeAll()
        }
    }

    /// The outcome of a failed sync: the new bytes stay readable, but the system has given up writing them.
    mutating func failSync() {
        for index in changes.indices { changes[index].isLost = true }
    }

    /// The same content, its unsynced changes counted from another start.
    func renumbered(by difference: Int) -> SimulatedContent {
        var copy = self
        for index in copy.changes.indices { copy.changes[index].order += difference }
        return copy
    }

    /// Damage on the platter, seen by every reader.
    mutating func flipBit(_ bitOffset: Int) {
        let (offset, mask) = (bitOffset / 8, UInt8(1) << UInt8(bitOffset % 8))
        if current.indices.contains(offset) { current[offset] ^= mask }
        if durable.indices.contains(offset) { durable[offset] ^= mask }
        for index in changes.indices {
            guard case .write(let start, var bytes) = changes[index].action else { continue }
            guard bytes.indices.contains(offset - start) else { continue }
            bytes[offset - start] ^= mask
            changes[index].action = .write(offset: start, bytes: bytes)
        }
    }

    /// Sectors written since the failed sync go out whole, with the length of the file, which is kept elsewhere than its
    /// pages; sectors that were lost keep their old bytes.
    private mutating func syncAroundLostPages() {
        var dirty: Set<Int> = []
        for change in changes {
            switch change.action {
            case .truncate: change.action.apply(to: &durable)
            case .write: if !change.isLost { dirty.formUnion(change.action.sectors(fileByteCount: 0)) }
            }
        }
        durable.resize(to: current.count)
        for sector in dirty {
            let range = Self.range(of: sector).clamped(to: 0..<current.count)
            durable.replaceSubrange(range, with: current[range])
        }
        changes = changes.filter(\.isLost).flatMap { $0.sectorPieces(outside: dirty) }
    }

    static func range(of sector: Int) -> Range<Int> {
        sector * sectorByteCount..<(sector + 1) * sectorByteCount
    }
}

extension SimulatedContent.Change {
    /// The parts of a write that lie outside some sectors, one for each sector.
    fileprivate func sectorPieces(outside excluded: Set<Int>) -> [Self] {
        guard case .write(let offset, let bytes) = action else { return [] }
        return action.sectors(fileByteCount: 0).filter { !excluded.contains($0) }.map { sector in
            let range = SimulatedContent.range(of: sector).clamped(to: offset..<offset + bytes.count)
            let piece = Array(bytes[range.lowerBound - offset..<range.upperBound - offset])
            return Self(order: order, action: .write(offset: range.lowerBound, bytes: piece), isLost: isLost)
        }
    }
}

extension SimulatedContent.Change.Action {
    func apply(to content: inout [UInt8]) {
        switch self {
        case .truncate(let byteCount):
            content.resize(to: byteCount)
        case .write(let offset, let bytes):
            if offset == content.count {
                content.append(contentsOf: bytes)
            } else if !bytes.isEmpty {
                content.resize(to: max(content.count, offset + bytes.count))
                content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            }
        }
    }

    /// The sectors the action touches in a file of a given length.
    func sectors(fileByteCount: Int) -> Range<Int> {
        let sector = SimulatedContent.sectorByteCount
        switch self {
        case .truncate(let byteCount):
            return byteCount / sector..<max(byteCount / sector, (fileByteCount + sector - 1) / sector)
        case .write(let offset, let bytes):
            guard !bytes.isEmpty else { return 0..<0 }
            return offset / sector..<(offset + bytes.count - 1) / sector + 1
        }
    }

    /// The first part of a write, up to a sector boundary of the file.
    func torn(afterSectors count: Int) -> Self? {
        guard case .write(let offset, let bytes) = self else { return nil }
        let end = (offset / SimulatedContent.sectorByteCount + count) * SimulatedContent.sectorByteCount
        let kept = min(max(end - offset, 0), bytes.count)
        return kept == 0 ? nil : .write(offset: offset, bytes: Array(bytes[..<kept]))
    }
}

extension Array where Element == UInt8 {
    /// Cuts the end off, or fills up with zeros.
    fileprivate mutating func resize(to byteCount: Int) {
        if byteCount < count {
            removeLast(count - byteCount)
        } else if byteCount > count {
            // An array is copied at once, a repeated element one by one.
            append(contentsOf: [UInt8](repeating: 0, count: byteCount - count))
        }
    }
}
