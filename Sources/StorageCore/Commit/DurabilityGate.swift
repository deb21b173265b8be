// DurabilityGate.swift — who waits for the device, and the one sync that serves them all.
//
// A thread that waits syncs itself if nobody does: for everyone who had committed by then. Who comes while a sync is under
// way waits for it, or for the one after it, and the sync thread leads that one, and goes on as long as others wait: so the
// device never idles until some waiter has woken up. Tasks never block: the sync thread always leads for them.
//
// Those whom a sync has served tend to come back at once. So where a sync had several waiters, the next one gathers as
// many, for the last sync's duration at most and never more than a millisecond: one sync for all instead of two for half
// of them each. A sync costs as much processor time as waking some dozens of threads. The thread that completes the
// gathering leads at once, and the first to come keeps its time: nobody else has to be woken for it.
//
// `durableSequence` moves forward only, after a sync that began after the commit was appended. The first failure is final:
// what a failed sync left on the device is unknown. `didAdvance` is told in order.
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
        /// Counts the syncs that have begun.
        var round: UInt64 = 0
        /// Threads that wait for a sync that has not begun.
        var followerCount = 0
        /// Whether one of them sleeps until `gatheringEnd` at most, to lead then.
        var hasTimekeeper = false
        var isThreadRunning = false
        /// Whether the sync thread does.
        var isThreadGathering = false
        /// How many waited for the last sync, or came while it was under way; until `gatheringEnd`, in monotonic
        /// nanoseconds, the next one waits for as many.
        var expectedCount = 0
        var servedThreadCount = 0
        var gatheringEnd: UInt64 = 0
        var failure: StorageError?
        var waiters: [Waiter] = []
        var isStopped = false
    }

    private static let gatheringLimit: UInt64 = 1_000_000

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

    /// Threads that wait for a sync that has not begun.
    var followerCount: Int { state.withLock { $0.followerCount } }

    /// Returns once `sequence` is on the device, syncing on this thread if nobody else does.
    func wait(for sequence: UInt64) throws {
        var caller = Caller()
        while durableSequence < sequence {
            let step: Step = try state.withLock { state in
                if let failure = state.failure { throw failure }
                if self.durableSequence >= sequence { return .done }
                return state.isSyncing ? follow(sequence, &caller, &state) : gather(&caller, &state)
            }
            switch step {
            case .lead(let target): lead(target)
            case .follow(let end, let count): end.wait(beyond: count)
            case .keepTime(let end, let count, let nanoseconds): end.wait(beyond: count, nanoseconds: nanoseconds)
            case .done: return
            }
        }
    }

    /// What a thread does next.
    private enum Step {
        case lead(UInt64), follow(Event, UInt32), keepTime(Event, UInt32, nanoseconds: UInt64), done
    }

    /// What a thread that waits knows of itself.
    private struct Caller {
        /// The round in which it was counted as a follower.
        var round: UInt64?
        var keepsTime = false

        /// Counts it among the followers, once a round.
        mutating func join(_ state: inout State) {
            guard round != state.round else { return }
            round = state.round
            keepsTime = false
            state.followerCount += 1
        }
    }

    /// While a sync is under way: waits for it, or for the one after it.
    private func follow(_ sequence: UInt64, _ caller: inout Caller, _ state: inout State) -> Step {
        let isServed = sequence <= state.target
        if !isServed { caller.join(&state) }
        let end = ends[isServed ? state.current : 1 - state.current]
        return .follow(end, end.count)
    }

    /// While none is: leads the next one, unless others are expected.
    private func gather(_ caller: inout Caller, _ state: inout State) -> Step {
        caller.join(&state)
        guard let nanoseconds = gatheringNanoseconds(state) else { return .lead(begin(&state)) }
        let end = ends[state.current]
        guard caller.keepsTime || !(state.hasTimekeeper || state.isThreadGathering) else {
            return .follow(end, end.count)
        }
        state.hasTimekeeper = true
        caller.keepsTime = true
        return .keepTime(end, end.count, nanoseconds: nanoseconds)
    }

    /// How long the next sync waits yet for those who are expected; nil if it is to begin.
    private func gatheringNanoseconds(_ state: State) -> UInt64? {
        guard !isComplete(state) else { return nil }
        let now = cstorage_monotonic_nanoseconds()
        return now < state.gatheringEnd ? state.gatheringEnd - now : nil
    }

    private func isComplete(_ state: State) -> Bool {
        state.followerCount + state.waiters.count >= state.expectedCount
    }

    /// Claims the next sync; what it is to make durable.
    private func begin(_ state: inout State) -> UInt64 {
        state.isSyncing = true
        state.round += 1
        state.servedThreadCount = state.followerCount
        state.followerCount = 0
        state.hasTimekeeper = false
        state.target = target()
        return state.target
    }

    /// Returns once `sequence` is on the device, without holding a thread.
    func waitSuspending(for sequence: UInt64) async throws {
        guard durableSequence < sequence else { return }
        guard hasThread else { return try wait(for: sequence) }
        let failure = unsafe await withUnsafeContinuation { continuation in
            enum Decision { case parked(wakesThread: Bool), done(StorageError?) }
            let decision: Decision = state.withLock { state in
                if let failure = state.failure { return .done(failure) }
                if self.durableSequence >= sequence { return .done(nil) }
                if state.isStopped { return .done(StorageError(.closed, "The storage was closed.")) }
                unsafe state.waiters.append(Waiter(sequence: sequence, continuation: continuation))
                // Who ends a sync looks for waiters, and so does the thread when its time for gathering is up.
                return .parked(wakesThread: !state.isSyncing && (!state.isThreadGathering || isComplete(state)))
            }
            switch decision {
            case .parked(let wakesThread): if wakesThread { state.signal() }
            case .done(let failure): unsafe continuation.resume(returning: failure)
            }
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
                state.isThreadGathering = false
                if state.isStopped { return .stop }
                let isAwaited = (state.followerCount > 0 && !state.hasTimekeeper) || !state.waiters.isEmpty
                guard isAwaited, !state.isSyncing, state.failure == nil else { return nil }
                guard let nanoseconds = gatheringNanoseconds(state) else { return .sync(begin(&state)) }
                state.isThreadGathering = true
                return .gather(nanoseconds)
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
            state.isThreadGathering = false
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
        if failure == nil { didAdvance(reached) }
        let end = state.withLock { finish(&$0, reached, failure, since: start) }
        if end.wakesThread { state.signal() }
        end.served.happen()
        end.leaderless?.happen()
        for waiter in end.waiters { unsafe waiter.continuation.resume(returning: failure) }
    }

    /// Whom the end of a sync wakes.
    private struct End {
        var served: Event
        /// Of threads that have to lead themselves, or to be told of a failure.
        var leaderless: Event?
        var waiters: [Waiter] = []
        var wakesThread = false
    }

    private func finish(_ state: inout State, _ reached: UInt64, _ failure: StorageError?, since start: UInt64) -> End {
        var end = End(served: ends[state.current])
        state.isSyncing = false
        state.failure = state.failure ?? failure
        if failure != nil { hasFailed.store(true, ordering: .releasing) }
        state.current = 1 - state.current
        state.expectedCount = state.servedThreadCount + state.followerCount + state.waiters.count
        let now = cstorage_monotonic_nanoseconds()
        state.gatheringEnd = now + min(now - start, Self.gatheringLimit)
        if !state.waiters.isEmpty {
            let isReady: (Waiter) -> Bool = { failure != nil || $0.sequence <= reached }
            end.waiters = state.waiters.filter(isReady)
            state.waiters.removeAll(where: isReady)
        }
        let isAwaited = state.followerCount > 0 || !state.waiters.isEmpty
        end.wakesThread = isAwaited && state.isThreadRunning
        if state.failure != nil || (state.followerCount > 0 && !state.isThreadRunning) {
            end.leaderless = ends[state.current]
        }
        return end
    }
}
