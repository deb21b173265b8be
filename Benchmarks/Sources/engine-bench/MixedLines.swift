// A purchase that must be on disk, while live-session events pour into the same log.

import BenchmarkKit
import StorageCore
import Synchronization
import TableEngine
import WideColumnEngine

struct MixedLines {
    let context: EngineContext
    private static let name = "purchase, synced, beside 33,333 events/s"
    private static let eventsPerSecond: UInt64 = 33_333

    func run() async throws {
        guard context.includesAny(of: [Self.name]) else { return }
        context.report.heading("Orders beside events: one buyer, one writer of events at the offered rate")
        context.report.note(try SyncProbe.describe(context.directory))
        // The figure is the mean wait; what counts is the 99th percentile below it.
        try await context.report.line(Self.name, unit: .milliseconds, ours: { try await purchases() })
    }

    private func purchases() async throws -> Timing {
        try await withFreshStorage(in: context.directory) { storage, _ in
            let orders = OrderLines(context: context)
            let tables = try TableStore(storage: storage)
            try orders.createTables(in: tables)
            let events = try EventStatements(storage: storage)
            let (workload, count) = (context.workload, context.sizes.mixedPurchases)
            let flag = Flag()
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Self.offer(events, workload, until: flag) }
                let timing = try await measure { meter in
                    for index in 0..<count {
                        try await tables.transactWriteItems(workload.purchaseRequest(index), durability: .synced)
                        meter.lap()
                    }
                    return UInt64(count)
                }
                flag.isRaised.store(true, ordering: .releasing)
                try await group.waitForAll()
                return timing
            }
        }
    }

    /// Inserts events at the offered rate: what one millisecond is owed, then a pause until the next.
    private static func offer(
        _ events: EventStatements, _ workload: ShopWorkload, until flag: Flag
    ) async throws {
        let start = Clocks.wallNanoseconds
        var offered = 0
        while !flag.isRaised.load(ordering: .acquiring) {
            let owed = Int((Clocks.wallNanoseconds - start) / 1000 * eventsPerSecond / 1_000_000)
            while offered < owed {
                try events.insert(offered, of: workload)
                offered += 1
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

private final class Flag: Sendable {
    let isRaised = Atomic<Bool>(false)
}
