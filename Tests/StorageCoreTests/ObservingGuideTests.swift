// The code of Docs/guides/storage-observing.md, compiled and run.

import StorageCore
import Synchronization
import Testing

private final class SlowThings: StorageTraceSink {
    let log = Mutex<[String]>([])

    func record(_ event: StorageEvent) {
        switch event {
        case .slowSync(let duration): note("A sync took \(duration).")
        case .stallEnded(let keyspaces, let duration): note("Writers to \(keyspaces) waited \(duration).")
        case .failed(let work, let error): note("\(work) failed: \(error)")
        case .flushEnded(let input, let result) where result.error == nil:
            note("\(input.entryCount) entries of \(input.keyspaces) are in \(result.tableCount) table.")
        default: break
        }
    }

    private func note(_ text: String) { log.withLock { $0.append(text) } }
}

private final class Touched: AccessTraceSink {
    let events = Mutex<[AccessEvent]>([])

    func record(_ event: AccessEvent) { events.withLock { $0.append(event) } }
}

@Suite("Guide to observing the storage")
struct ObservingGuideTests {
    @Test("the guide's code does what the guide says")
    func code() throws {
        let sink = SlowThings()
        var options = StorageOptions()
        options.traceSink = sink
        options.slowSyncThreshold = .milliseconds(20)
        options.fileSystem = SimulatedFileSystem()
        let storage = try Storage.open(at: "/shop", options: options)
        let orders = try storage.keyspace("orders")
        try storage.write(.synced) { try $0.put(orders, [1].rawSpan, [2].rawSpan) }
        try storage.flush()

        let statistics = storage.statistics
        let page = "\(statistics)"
        let written = statistics.writeAmplification
        let hits = statistics.blockCache.hitRate
        let slowest = statistics.syncs.p999
        let behind = statistics.total.compactionDebtByteCount
        #expect(page.contains("orders") && behind == 0 && hits == nil)
        #expect(try #require(written) > 1 && slowest >= statistics.syncs.median)
        #expect(sink.log.withLock { $0 }.contains("1 entries of [\"orders\"] are in 1 table."))

        let touched = Touched()
        let snapshot = storage.snapshot().traced(by: touched)
        let value = try snapshot.view.get(orders, [1].rawSpan)
        try storage.write { transaction in
            transaction.traceSink = touched
            try transaction.put(orders, [3].rawSpan, [4].rawSpan)
        }
        #expect(value == [2])
        let events = touched.events.withLock { $0 }
        #expect(events.contains { if case .tableSearched(_, true) = $0 { true } else { false } })
        #expect(events.last == .keyWritten(keyspace: "orders", key: [3]))
        try storage.close()
    }
}
