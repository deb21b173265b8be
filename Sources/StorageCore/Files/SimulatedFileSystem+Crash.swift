// SimulatedFileSystem+Crash.swift — the disk as it is found after a crash.

internal import StorageTypes
internal import Synchronization

extension SimulatedFileSystem {
    /// Which of the steps that no sync has made durable a crash leaves.
    public enum Survivors: Sendable, Hashable, CaseIterable {
        /// None: the least that a power cut may leave.
        case syncedOnly
        /// All, and they are no more durable than before: what the death of the process leaves. An operation that the
        /// power cut interrupted did not happen.
        case everything
        /// A random number of the oldest; the next one, if it is a write, is torn at a random sector.
        case torn
        /// Each name change survives or not; each sector of a file, and its length, is left at any moment since the last
        /// sync: all independently, by chance.
        case reordered
    }

    /// A new disk with what survives, powered, without faults or locks. This disk stays as it is, so that one crash can be
    /// looked at with many survivors.
    ///
    /// - Parameter seed: Decides what survives; by default derived from this disk's seed and its number of operations.
    public func crash(_ survivors: Survivors, seed: UInt64? = nil) -> SimulatedFileSystem {
        disk.withLock { disk in
            var mixing = SeededRandom(seed: self.seed ^ UInt64(disk.operationCount) << 32)
            let seed = seed ?? mixing.next()
            var crash = SimulatedCrash(disk: disk, seed: seed)
            return SimulatedFileSystem(crash.survivingDisk(survivors, seed: seed), seed: seed)
        }
    }
}

/// The making of a new disk from an old one; copies all, shares nothing.
private struct SimulatedCrash {
    private let old: SimulatedDisk
    private var random: SeededRandom
    private var copies: [ObjectIdentifier: SimulatedNode] = [:]

    init(disk: SimulatedDisk, seed: UInt64) {
        old = disk
        random = SeededRandom(seed: seed)
    }

    mutating func survivingDisk(_ survivors: SimulatedFileSystem.Survivors, seed: UInt64) -> SimulatedDisk {
        switch survivors {
        case .syncedOnly:
            disk(seed, names: []) { content, _, _ in content.durable }
        case .everything:
            clone(seed)
        case .torn:
            torn(seed)
        case .reordered:
            reordered(seed)
        }
    }

    private typealias ContentRule = (SimulatedContent, SimulatedContent.Change?, inout SeededRandom) -> [UInt8]

    private mutating func torn(_ seed: UInt64) -> SimulatedDisk {
        let orders = unsyncedOrders()
        let survivorCount = Int.random(in: 0...orders.count, using: &random)
        let firstLost = survivorCount < orders.count ? orders[survivorCount] : .max
        return disk(seed, names: allNameChanges.filter { $0.order < firstLost }) { content, inFlight, random in
            content.survivorsOfPrefix(before: firstLost, inFlight: inFlight, using: &random)
        }
    }

    private mutating func reordered(_ seed: UInt64) -> SimulatedDisk {
        // A fair coin for each of a hundred sectors would never leave nearly all or nearly none.
        let probability = [0.1, 0.5, 0.9][Int.random(in: 0..<3, using: &random)]
        let names = allNameChanges.filter { _ in Double.random(in: 0..<1, using: &random) < probability }
        return disk(seed, names: names) { content, inFlight, random in
            content.survivorsReordered(inFlight: inFlight, newestProbability: probability, using: &random)
        }
    }

    private var allNameChanges: [SimulatedNameChange] {
        guard case .names(let change) = old.inFlight else { return old.nameChanges }
        return old.nameChanges + [change]
    }

    private func inFlightChange(of node: SimulatedNode) -> SimulatedContent.Change? {
        guard case .content(let interrupted, let change) = old.inFlight, interrupted === node else { return nil }
        return change
    }

    // MARK: A disk on which everything is durable

    /// Copies what is reachable from the root by durable names and the surviving changes to them.
    private mutating func disk(
        _ seed: UInt64, names changes: [SimulatedNameChange], content rule: ContentRule
    ) -> SimulatedDisk {
        var names: [ObjectIdentifier: [String: SimulatedNode]] = [:]
        func update(_ place: SimulatedNameChange.Place, _ node: SimulatedNode?) {
            names[ObjectIdentifier(place.directory), default: place.directory.durableNames][place.name] = node
        }
        for change in changes {
            if let removed = change.removed { update(removed, nil) }
            if let added = change.added { update(added.place, added.node) }
        }
        var disk = SimulatedDisk(root: copyDurable(old.root, names: names, content: rule), seed: seed)
        disk.capacity = old.capacity
        disk.usedByteCount = copies.values.reduce(0) { $0 + $1.footprint }
        return disk
    }

    private mutating func copyDurable(
        _ node: SimulatedNode, names: [ObjectIdentifier: [String: SimulatedNode]], content rule: ContentRule
    ) -> SimulatedNode {
        if let copy = copies[ObjectIdentifier(node)] { return copy }
        let copy = SimulatedNode(node.kind)
        copies[ObjectIdentifier(node)] = copy
        if node.kind == .file {
            copy.content = SimulatedContent(durable: rule(node.content, inFlightChange(of: node), &random))
        }
        // In order of names, so that chance falls the same way in every run.
        for (name, child) in names[ObjectIdentifier(node), default: node.durableNames].sorted(by: { $0.key < $1.key }) {
            let childCopy = copyDurable(child, names: names, content: rule)
            childCopy.nameCount += 1
            copy.durableNames[name] = childCopy
        }
        copy.names = copy.durableNames
        return copy
    }

    /// The numbers of all steps that are not durable, ascending.
    private func unsyncedOrders() -> [Int] {
        var orders = Set(allNameChanges.map(\.order))
        if case .content(_, let change) = old.inFlight { orders.insert(change.order) }
        var seen: Set<ObjectIdentifier> = []
        var toVisit = [old.root] + allNameChanges.compactMap { $0.added?.node }
        while let node = toVisit.popLast() {
            guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
            orders.formUnion(node.content.changes.map(\.order))
            toVisit.append(contentsOf: node.names.values)
            toVisit.append(contentsOf: node.durableNames.values)
        }
        return orders.sorted()
    }

    // MARK: A disk on which nothing has changed

    private mutating func clone(_ seed: UInt64) -> SimulatedDisk {
        var disk = SimulatedDisk(root: clone(old.root), seed: seed)
        for change in old.nameChanges {
            var copy = change
            copy.order -= old.operationCount
            copy.removed = change.removed.map { clone($0) }
            copy.added = change.added.map { (place: clone($0.place), node: clone($0.node)) }
            disk.nameChanges.append(copy)
        }
        disk.capacity = old.capacity
        disk.usedByteCount = copies.values.reduce(0) { $0 + $1.footprint }
        return disk
    }

    private mutating func clone(_ place: SimulatedNameChange.Place) -> SimulatedNameChange.Place {
        SimulatedNameChange.Place(directory: clone(place.directory), name: place.name)
    }

    private mutating func clone(_ node: SimulatedNode) -> SimulatedNode {
        if let copy = copies[ObjectIdentifier(node)] { return copy }
        let copy = SimulatedNode(node.kind)
        copies[ObjectIdentifier(node)] = copy
        // The new disk counts from 1 again; what is unsynced came before.
        copy.content = node.content.renumbered(by: -old.operationCount)
        copy.allocatedByteCount = node.allocatedByteCount
        for (name, child) in node.names {
            let childCopy = clone(child)
            childCopy.nameCount += 1
            copy.names[name] = childCopy
        }
        for (name, child) in node.durableNames { copy.durableNames[name] = clone(child) }
        return copy
    }
}
