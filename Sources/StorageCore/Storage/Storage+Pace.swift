// Storage+Pace.swift — writers wait for the debt of their own trees; compactions yield to commits that wait for a sync.

internal import CStorage
internal import Synchronization

extension Storage {
    /// Notes how far a tree's tables are behind what its strategy asks for.
    func updatePressure(of tree: Tree) {
        let description = description(of: tree, tree.state.levels)
        tree.pacer.pressure = WritePace.pressure(
            of: CompactionPicker.debt(of: description), PaceLimits(description.settings))
    }

    /// What compaction still has to move.
    func compactionDebt(of tree: Tree) -> CompactionDebt {
        CompactionPicker.debt(of: description(of: tree, tree.state.levels))
    }

    /// How long the writer of a batch has to wait for one of its trees. In the lane only.
    func delay(_ tree: Tree, _ state: TreeState, byteCount: Int) -> UInt64 {
        guard options.backgroundWork == .threads else { return 0 }
        var pressure = tree.pacer.pressure
        if !state.immutables.isEmpty {
            let filled = Double(state.memtable.byteCount) / Double(max(memory.memtable, 1))
            let room = Double(options.maximumImmutableMemtables + 1)
            let used = (Double(state.immutables.count) + min(filled, 1)) / max(room, 1)
            pressure = max(pressure, WritePace.pressure(ofMemtables: used))
        }
        guard pressure > 0 else { return 0 }
        return tree.pacer.delay(byteCount: byteCount, pressure: pressure, now: cstorage_monotonic_nanoseconds())
    }

    /// How much a compaction writes between two looks at what others wait for.
    private static let interruptionByteCount = 16 << 20

    /// What is called before a compaction writes that may be stopped for others.
    func compactionPace(interrupting claim: CompactionTurns.Claim) -> @Sendable (Int) -> Void {
        let limit = compactionPace()
        let written = SharedCounter()
        return { byteCount in
            limit?(byteCount)
            let count = written.value.add(byteCount, ordering: .relaxed).newValue
            guard count >= Self.interruptionByteCount else { return }
            // Far below what is ever written, so that it does not come again.
            written.value.store(self.compactOthers(before: claim) ? 0 : .min / 2, ordering: .relaxed)
        }
    }

    /// What is called before a compaction writes; nil where nothing limits it.
    func compactionPace() -> (@Sendable (Int) -> Void)? {
        guard let limiter = ioLimiter else { return nil }
        let background = self.background
        let waiting = syncWaiterCount
        return { byteCount in
            if waiting.value.load(ordering: .relaxed) > 0 {
                _ = background.pause(nanoseconds: IORateLimiter.yieldNanoseconds)
            }
            let delay = limiter.reserve(byteCount: byteCount, now: cstorage_monotonic_nanoseconds())
            if delay > 0 { _ = background.pause(nanoseconds: delay) }
        }
    }
}

/// A counter that closures may keep.
final class SharedCounter: Sendable {
    let value = Atomic<Int>(0)
}
