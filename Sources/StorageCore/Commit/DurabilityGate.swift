// DurabilityGate.swift — who waits for the device, and the one sync that serves them all.
//
// A thread that waits becomes the leader if nobody syncs: it syncs for everyone who had committed by then. Tasks never
// block: the sync thread leads for them. `durableSequence` moves forward only, after a sync that began after the commit
// was appended. The first failure is final: what a failed sync left on the device is unknown.

internal import Synchronization

final class DurabilityGate: Sendable {
    @safe private struct Waiter {
        var sequence: UInt64
        var continuation: UnsafeContinuation<StorageError?, Never>
    }

    private struct State {
        var isSyncing = false
        var failure: StorageError?
        var waiters: [Waiter] = []
        var isStopped = false
    }

    private let state = ConditionLock(State())
    private let durable: Atomic<UInt64>
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

    var failure: StorageError? { state.withLock { $0.failure } }

    /// Returns once `sequence` is on the device, syncing on this thread if nobody else does.
    func wait(for sequence: UInt64) throws {
        while durableSequence < sequence {
            let isLeader: Bool = try state.wait { state in
                if let failure = state.failure { throw failure }
                if self.durableSequence >= sequence { return false }
                guard !state.isSyncing else { return nil }
                state.isSyncing = true
                return true
            }
            if isLeader { lead() }
        }
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

    /// The sync thread: syncs when a task waits, and every `interval` for commits that nobody waits for.
    func run(interval: UInt64) {
        while true {
            enum Step { case sync, stop }
            let step: Step? = state.wait(nanoseconds: interval) { state in
                if state.isStopped { return .stop }
                guard !state.waiters.isEmpty, !state.isSyncing, state.failure == nil else { return nil }
                state.isSyncing = true
                return .sync
            }
            switch step {
            case .stop: return
            case .sync: lead()
            case nil:
                let claimed = state.withLock { state in
                    guard !state.isSyncing, state.failure == nil, self.durableSequence < self.target() else {
                        return false
                    }
                    state.isSyncing = true
                    return true
                }
                if claimed { lead() }
            }
        }
    }

    /// Ends the sync thread and refuses tasks that come later.
    func stop() {
        let waiters = state.withLockAndSignal { state in
            state.isStopped = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            // The last sync may have served it without having got round to saying so.
            let isServed = waiter.sequence <= durableSequence
            unsafe waiter.continuation.resume(
                returning: isServed ? nil : StorageError(.closed, "The storage was closed."))
        }
    }

    /// Syncs as the leader that `isSyncing` announces.
    private func lead() {
        let reached = target()
        var failure: StorageError?
        do {
            try sync()
            durable.store(reached, ordering: .releasing)
        } catch {
            failure = StorageError(
                .commitOutcomeUnknown,
                "A sync of the log failed: commits that were waiting for it may or may not survive. Writes are refused "
                    + "until the storage is opened again.", cause: error)
        }
        let ready = state.withLockAndSignal { state in
            state.isSyncing = false
            state.failure = state.failure ?? failure
            let isReady: (Waiter) -> Bool = { failure != nil || $0.sequence <= reached }
            defer { state.waiters.removeAll(where: isReady) }
            return state.waiters.filter(isReady)
        }
        for waiter in ready { unsafe waiter.continuation.resume(returning: failure) }
        if failure == nil { didAdvance(reached) }
    }
}
