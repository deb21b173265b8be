// CounterPool.swift — scratch space for counting, used again and again.

internal import Synchronization

/// Lends scratch space: as many as run at once.
final class CounterPool: Sendable {
    private final class Lent: @unchecked Sendable {
        // Guarded by being in the pool or with one borrower, never both.
        var scratch = UnsafeCounterScratch()
    }

    private let free = Mutex<[Lent]>([])

    func withScratch<Result>(_ body: (inout UnsafeCounterScratch) throws -> Result) rethrows -> Result {
        let lent = free.withLock { $0.popLast() } ?? Lent()
        defer {
            lent.scratch.clear()
            free.withLock { $0.append(lent) }
        }
        return try body(&lent.scratch)
    }
}
