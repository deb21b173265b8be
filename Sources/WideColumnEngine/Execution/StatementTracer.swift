// StatementTracer.swift — collects a statement's trace while it runs.

/// Notes what a statement does, with the time since it began.
struct StatementTracer {
    private let store: WideColumnStore
    private let start: UInt64
    private(set) var trace: StatementTrace

    init(_ store: WideColumnStore) {
        self.store = store
        start = store.monotonicNanoseconds
        let now = store.storage.snapshot().readTime
        trace = StatementTrace(id: store.generators.timeUUIDs.next(at: now), startedAt: now.milliseconds)
    }

    mutating func add(_ activity: String) {
        let now = store.storage.snapshot().readTime
        trace.add(
            activity, store.generators.timeUUIDs.next(at: now), elapsedNanoseconds: store.monotonicNanoseconds &- start)
    }
}
