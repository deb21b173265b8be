// Background.swift — what background threads are asked to do, and what became of it.

internal import Synchronization

final class Background: Sendable {
    private struct State {
        var isFlushWanted = false
        var isCompactionWanted = false
        var isRemovalWanted = false
        var isArchiveWanted = false
        var isStopping = false
        /// Those of callers that work included.
        var threadCount = 0
    }

    enum Work { case flush, compaction, removal, archive }

    private let state = ConditionLock(State())
    private let failures = Mutex<[Work: StorageError]>([:])
    private let hasFailures = Atomic<Bool>(false)
    private let progress = Atomic<UInt64>(0)
    private let progressWaiters = CommitWaiters()

    /// Why the last flush failed, until one succeeds: memory would only fill up, so writes are refused. A compaction that
    /// fails is tried again, and costs readers time, not writers their commits.
    var refusal: StorageError? { failure(of: .flush) }

    /// Why the last attempt failed; nil if it did not.
    func failure(of work: Work) -> StorageError? {
        guard hasFailures.load(ordering: .acquiring) else { return nil }
        return failures.withLock { $0[work] }
    }

    func setFailure(_ error: StorageError?, of work: Work) {
        failures.withLock { failures in
            failures[work] = error
            hasFailures.store(!failures.isEmpty, ordering: .releasing)
        }
    }

    func request(_ work: Work) {
        state.withLockAndSignal { state in
            switch work {
            case .flush: state.isFlushWanted = true
            case .compaction: state.isCompactionWanted = true
            case .removal: state.isRemovalWanted = true
            case .archive: state.isArchiveWanted = true
            }
        }
    }

    /// Sleeps until the work is asked for, or for a time; false when the thread should end.
    func waitForRequest(_ work: Work, nanoseconds: UInt64 = .max) -> Bool {
        let isWanted = state.wait(nanoseconds: nanoseconds) { state in
            if state.isStopping { return false }
            switch work {
            case .flush where state.isFlushWanted: state.isFlushWanted = false
            case .compaction where state.isCompactionWanted: state.isCompactionWanted = false
            case .removal where state.isRemovalWanted: state.isRemovalWanted = false
            case .archive where state.isArchiveWanted: state.isArchiveWanted = false
            default: return nil
            }
            return true
        }
        return isWanted ?? true
    }

    /// Sleeps for a while after a failure; false when the thread should end.
    func pause(nanoseconds: UInt64) -> Bool {
        let isStopping = state.wait(nanoseconds: nanoseconds) { $0.isStopping ? true : nil }
        return isStopping == nil
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func threadStarted() { state.withLock { $0.threadCount += 1 } }
    func threadEnded() { state.withLockAndSignal { $0.threadCount -= 1 } }

    /// Runs `body` on a thread of the caller's as one of those that `stop` waits for.
    /// - Throws: `.closed` once they were asked to end; what `body` throws.
    func working<R>(_ body: () throws -> R) throws -> R {
        try state.withLock { state in
            guard !state.isStopping else { throw StorageError(.closed, "The storage was closed.") }
            state.threadCount += 1
        }
        defer { threadEnded() }
        return try body()
    }

    func requestStop() { state.withLockAndSignal { $0.isStopping = true } }

    /// Asks the threads to end and waits until they have.
    func stop() {
        requestStop()
        state.wait { $0.threadCount == 0 ? () : nil }
        progressWaiters.close()
    }

    // MARK: Room for writers

    /// A number that grows with every flush, compaction and failure.
    var progressCount: UInt64 { progress.load(ordering: .acquiring) }

    func madeProgress() {
        let count = progress.add(1, ordering: .acquiringAndReleasing).newValue
        state.withLockAndSignal { _ in }
        progressWaiters.signal(count)
    }

    func waitForProgress(after count: UInt64) {
        state.wait { state in self.progressCount > count || state.isStopping ? () : nil }
    }

    func waitForProgressSuspending(after count: UInt64) async throws {
        try await progressWaiters.wait(after: count) { self.progressCount }
    }
}
