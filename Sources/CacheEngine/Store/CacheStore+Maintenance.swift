// CacheStore+Maintenance.swift — active expiry in bounded steps and writing behind, by a background task or by the owner.

internal import Synchronization

extension CacheStore {
    /// Removes entries that are due, looking at no more than `budget` candidates in each shard.
    ///
    /// Returns whether something is left to do.
    @discardableResult
    public func step(budget: Int = 1000) -> Bool {
        var isBehind = false
        for shard in shards where shard.read({ $0.expire(budget: budget) }) >= budget { isBehind = true }
        return isBehind
    }

    /// Calls `step(budget:)` ten times a second, and without a pause while it is behind.
    func startMaintenance() {
        guard options.runsInBackground else { return }
        let task = Task.detached(priority: .utility) { [weak self] in
            while !Task.isCancelled {
                guard let isBehind = self?.maintain() else { return }
                if isBehind { await Task.yield() } else { try? await Task.sleep(for: .milliseconds(100)) }
            }
        }
        maintenance.withLock { $0 = task }
    }

    private func maintain() -> Bool {
        let isBehind = step()
        // A failed write leaves the storage refusing writes; `save()` and `close()` tell the owner.
        if options.persistence == .writeBehind { try? save() }
        return isBehind
    }
}
