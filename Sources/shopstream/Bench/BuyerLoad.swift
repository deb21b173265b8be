// BuyerLoad.swift — load by many callers at once, each of whom waits for an answer before the next request.
//
// The offered rate is dealt out to the buyers: buyer i of n is due at i, i + n, i + 2n, … A buyer who is still waiting when
// the next purchase is due starts it late, and its latency runs from when it was due. A buyer who was free starts when
// the timer wakes it; then the latency runs from there, so that the timer's slack is not charged to the storage.

import StorageTypes

/// A fixed rate spread over concurrent callers.
struct BuyerLoad {
    let buyers: Int
    let operationsPerSecond: Double
    let seconds: Double
    let clock: any StorageClock

    /// Runs `operation` with a different number each time, from as many tasks as there are buyers.
    func run(_ operation: @escaping @Sendable (Int) async throws -> Void) async throws -> LoadOutcome {
        let start = clock.monotonicNanoseconds
        let operationCount = Int(operationsPerSecond * seconds)
        var total = try await withThrowingTaskGroup(of: LoadOutcome.self) { group in
            for buyer in 0..<buyers {
                let turns = stride(from: buyer, to: operationCount, by: buyers)
                group.addTask { [self] in try await run(turns, from: start, operation) }
            }
            return try await group.reduce(into: LoadOutcome()) { $0.add($1) }
        }
        total.elapsedNanoseconds = clock.monotonicNanoseconds - start
        return total
    }

    private func run(
        _ turns: StrideTo<Int>, from start: UInt64, _ operation: @Sendable (Int) async throws -> Void
    ) async throws -> LoadOutcome {
        var outcome = LoadOutcome()
        for turn in turns {
            let due = start + UInt64(Double(turn) * 1e9 / operationsPerSecond)
            let wasLate = clock.monotonicNanoseconds >= due
            if !wasLate { try await sleep(until: due) }
            let begin = clock.monotonicNanoseconds
            try await operation(turn)
            outcome.record(due: wasLate ? due : begin, begin: begin, end: clock.monotonicNanoseconds)
        }
        return outcome
    }

    private func sleep(until due: UInt64) async throws {
        let now = clock.monotonicNanoseconds
        if now < due { try await Task.sleep(for: .nanoseconds(due - now)) }
    }
}
