// DurabilityGate.swift — who waits for the device, and the one sync that serves them all.
//
// A thread that waits syncs itself if nobody does: for everyone who had committed by then. Who comes while a sync is under
// way waits for it, or for the one after it, and the sync thread leads that one, and goes on as long as others wait: so the
// device never idles until some waiter has woken up. Tasks never block: the sync thread always leads for them.
//
// Those whom a sync has served tend to come back at once. So where a sync had several waiters, the next one waits for as
// many, a quarter of the last sync's duration at most and never more than a millisecond: one sync for all instead of two
// for half of them each, which is what a device that takes its time for a sync is short of.
//
// `durableSequence` moves forward only, after a sync that began after the commit was appended. The first failure is final:
// what a failed sync left on the device is unknown.
//
// Threads sleep for one of two events: the end of the sync under way, and the end of the one after it. Each sync wakes those
// it has served and nobody else.

internal import CStorage
internal import Synchronization

final class DurabilityGate: Sendable {
    @safe private struct Waiter {
        var sequence: UInt64
        var continuation: UnsafeContinuation<StorageError?, Never>
    }

    private struct State {
        var isSyncing = false
        /// What the sync under way makes durable.
        var target: UInt64 = 0
        /// The event that the sync under way, or else the next one, ends with.
        var current = 0
        /// Threads that wait for a sync that has not begun.
        var followerCount = 0
        var isThreadRunning = false
        /// How many waited for the last sync, or came while it was under way; until `gatheringEnd`, in monotonic
        /// nanoseconds, the next one waits for as many.
        var expectedCount = 0
        var servedThreadCount = 0
        var gatheringEnd: UInt64 = 0
        var failure: StorageError?
        var waiters: [Waiter] = []
        var isStopped = false
    }

    /// Only the sync thread waits for its signals.
    private let state = ConditionLock(State())
    private let ends = [Event(), Event()]
    private let durable: Atomic<UInt64>
    private let hasFailed = Atomic<Bool>(false)
    /// The newest commit that is applied; a sync makes everything up to it durable.
    private let target: @Sendable () -> UInt64
    private let sync: @Sendable () throws -> Void
    private let didAdvance: @Sendable (UInt64) -> Void
    /// Whether a thread syncs for tasks; without one they sync for themselves.
    private let hasThread: Bool

    init(
        durable: UInt64, hasThread: Bool, target: @escaping @Sendable () -> UInt64,
        sync: @escaping @Sendable () throws -> Void, didAdvance: @escaping @Sendable (UInt64) -> Void
    ) {
        self.durable = Atomic(durable)
        self.hasThread = hasThread
        self.target = target
        self.sync = sync
        self.didAdvance = didAdvance
    }

    // Sequentially consistent for the protocol of `UnsafeSnapshotSlots`.
    var durableSequence: UInt64 { durable.load(ordering: .sequentiallyConsistent) }

    /// Why a sync failed; nil if none did.
    var failure: StorageError? {
        guard hasFailed.load(ordering: .acquiring) else { return nil }
        return state.withLock { $0.failure }
    }

    /// Returns once `sequence` is on the device, syncing on this thread if nobody else does.
    func wait(for sequence: UInt64) throws {
        enum Step { case lead(UInt64), follow(Event, UInt32, wakesThread: Bool), done }
        while durableSequence < sequence {
            let step: Step = try state.withLock { state in
                if let failure = state.failure { throw failure }
                if self.durableSequence >= sequence { return .done }
                if !state.isSyncing {
                    guard isGathering(state) else { return .lead(begin(&state)) }
                    state.followerCount += 1
                    // The thread sleeps until the first of those whom it waits for has come, and then until the last.
                    let wakesThread = state.followerCount == 1 || isComplete(state)
                    return .follow(ends[state.current], ends[state.current].count, wakesThread: wakesThread)
                }
                let isServed = sequence <= state.target
                if !isServed { state.followerCount += 1 }
                let end = ends[isServed ? state.current : 1 - state.current]
                return .follow(end, end.count, wakesThread: false)
            }
            switch step {
            case .lead(let target): lead(target)
            case .follow(let end, let count, let wakesThread):
                if wakesThread { state.withLockAndSignal { _ in } }
                end.wait(beyond: count)
            case .done: return
            }
        }
    }

    /// Whether the sync thread waits for more of those who are expected.
    private func isGathering(_ state: State) -> Bool {
        state.isThreadRunning && state.expectedCount > 1 && cstorage_monotonic_nanoseconds() < state.gatheringEnd
    }

    private func isComplete(_ state: State) -> Bool {
        state.followerCount + state.waiters.count >= state.expectedCount
    }

    /// Claims the next sync; what it is to make durable.
    private func begin(_ state: inout State) -> UInt64 {
        state.isSyncing = true
        state.servedThreadCount = state.followerCount
        state.followerCount = 0
        state.target = target()
        return state.target
    }

    /// Returns once `sequence` is on the device, without holding a thread.
    func waitSuspending(for sequence: UInt64) async throws {
        guard durableSequence < sequence else { return }
        guard hasThread else { return try wait(for: sequence) }
        let failure = unsafe await withUnsafeContinuation { continuation in
            enum Decision { case parked, done(StorageError?) }
            let decision: Decision = state.withLockAndSignal { state in
                if let failure = state.failure { return .done(failure) }
                if self.durableSequence >= sequence { return .done(nil) }
                if state.isStopped { return .done(StorageError(.closed, "The storage was closed.")) }
                unsafe state.waiters.append(Waiter(sequence: sequence, continuation: continuation))
                return .parked
            }
            if case .done(let failure) = decision { unsafe continuation.resume(returning: failure) }
        }
        if let failure { throw failure }
    }

    /// The sync thread: syncs when a task or more than one thread waits, and every `interval` for commits that nobody waits
    /// for.
    func run(interval: UInt64) {
        enum Step { case sync(UInt64), gather(UInt64), stop }
        state.withLock { $0.isThreadRunning = !$0.isStopped }
        while true {
            let step: Step? = state.wait(nanoseconds: interval) { state in
                if state.isStopped { return .stop }
                let isAwaited = state.followerCount > 0 || !state.waiters.isEmpty
                guard isAwaited, !state.isSyncing, state.failure == nil else { return nil }
                let now = cstorage_monotonic_nanoseconds()
                if !isComplete(state), now < state.gatheringEnd { return .gather(state.gatheringEnd - now) }
                return .sync(begin(&state))
            }
            switch step {
            case .stop: return
            case .sync(let target): lead(target)
            case .gather(let nanoseconds):
                _ = state.wait(nanoseconds: nanoseconds) { state in
                    state.isStopped || state.isSyncing || isComplete(state) ? () : nil
                }
            case nil:
                let target: UInt64? = state.withLock { state in
                    guard !state.isSyncing, state.failure == nil, self.durableSequence < self.target() else {
                        return nil
                    }
                    return begin(&state)
                }
                if let target { lead(target) }
            }
        }
    }

    /// Ends the sync thread and refuses tasks that come later.
    func stop() {
        let waiters = state.withLockAndSignal { state in
            state.isStopped = true
            state.isThreadRunning = false
            defer { state.waiters = [] }
            return state.waiters
        }
        // Threads that relied on the sync thread go on by themselves.
        for end in ends { end.happen() }
        for waiter in waiters {
            // The last sync may have served it without having got round to saying so.
            let isServed = waiter.sequence <= durableSequence
            unsafe waiter.continuation.resume(
                returning: isServed ? nil : StorageError(.closed, "The storage was closed."))
        }
    }

    /// Syncs as the leader that `begin` announced.
    private func lead(_ reached: UInt64) {
        let start = cstorage_monotonic_nanoseconds()
        var failure: StorageError?
        do {
            try sync()
            durable.store(reached, ordering: .sequentiallyConsistent)
        } catch {
            failure = StorageError(
                .commitOutcomeUnknown,
                "A sync of the log failed: commits that were waiting for it may or may not survive. Writes are refused "
                    + "until the storage is opened again.", cause: error)
        }
        let (ready, ended, leaderless) = state.withLockAndSignal { state in
            state.isSyncing = false
            state.failure = state.failure ?? failure
            if failure != nil { self.hasFailed.store(true, ordering: .releasing) }
            let ended = ends[state.current]
            state.current = 1 - state.current
            // The leader may be one of those who come back; one too few costs a little, one too many a timeout.
            state.expectedCount = state.servedThreadCount + state.followerCount + state.waiters.count
            let end = cstorage_monotonic_nanoseconds()
            state.gatheringEnd = end + min((end - start) / 4, 1_000_000)
            let isLeaderless = state.failure != nil || (state.followerCount > 0 && !state.isThreadRunning)
            let isReady: (Waiter) -> Bool = { failure != nil || $0.sequence <= reached }
            defer { state.waiters.removeAll(where: isReady) }
            return (state.waiters.filter(isReady), ended, isLeaderless ? ends[state.current] : nil)
        }
        ended.happen()
        leaderless?.happen()
        for waiter in ready { unsafe waiter.continuation.resume(returning: failure) }
        if failure == nil { didAdvance(reached) }
    }
}
