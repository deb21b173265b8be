// ShardState+Expiry.swift — active expiry: entries are removed soon after they are due, read or not.

extension ShardState {
    /// Looks at up to `budget` references of the wheel and removes the entries that are due.
    ///
    /// Returns how many references were looked at: fewer than `budget` when nothing more is due.
    mutating func expire(budget: Int) -> Int {
        let now = now
        var visited = 0
        while visited < budget, let (reference, bucket) = wheel.next(now: now) {
            visited += 1
            visit(reference, bucket: bucket, now: now)
        }
        return visited
    }

    private mutating func visit(_ reference: BlockReference, bucket: UInt16, now: Int64) {
        let block = table.arena.block(reference)
        // Another, earlier bucket has taken the block over.
        guard block.wheelBucket == bucket else { return }
        block.wheelBucket = ExpiryWheel.noBucket
        guard block.kind != .free, block.expiry != 0 else { return }
        guard block.expiry <= now else { return wheel.register(reference, block) }
        guard let index = table.index(of: reference, hash: UInt32(hasher.hash(block.key) >> 32)) else { return }
        statistics.activelyExpired += 1
        remove(at: index)
    }
}
