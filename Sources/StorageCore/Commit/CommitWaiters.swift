// CommitWaiters.swift — tasks that sleep until a newer commit can be read.

internal import Synchronization

/// Tasks waiting for a sequence to pass a bound.
final class CommitWaiters: Sendable {
    private struct Waiter {
        var after: UInt64
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var nextID: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
        var cancelled: Set<UInt64> = []
        var closed = false
    }

    private let state = Mutex(State())
    private let hasWaiters = Atomic<Bool>(false)

    /// Returns once `current()` is above `after`.
    /// - Throws: `CancellationError`, or `StorageError.closed`.
    func wait(after: UInt64, current: @escaping @Sendable () -> UInt64) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        // A task that is cancelled after it was woken leaves its mark behind.
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                park(id, Waiter(after: after, continuation: continuation))
                // A commit may have been published between the caller's look and the parking. Either this look sees it, or
                // the one who published it sees the waiter: each of the two has a fence between its store and its load.
                atomicMemoryFence(ordering: .sequentiallyConsistent)
                signal(current())
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func park(_ id: UInt64, _ waiter: Waiter) {
        let failure: (any Error)? = state.withLock { state in
            if state.closed { return StorageError(.closed, "The storage was closed while waiting for a commit.") }
            if state.cancelled.remove(id) != nil { return CancellationError() }
            state.waiters[id] = waiter
            hasWaiters.store(true, ordering: .sequentiallyConsistent)
            return nil
        }
        if let failure { waiter.continuation.resume(throwing: failure) }
    }

    private func cancel(_ id: UInt64) {
        let waiter = state.withLock { state in
            let waiter = state.waiters.removeValue(forKey: id)
            if waiter == nil { state.cancelled.insert(id) }
            return waiter
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    /// Wakes those whom `sequence` satisfies. Never called under a lock.
    func signal(_ sequence: UInt64) {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard hasWaiters.load(ordering: .relaxed) else { return }
        let satisfied = state.withLock { state in
            let satisfied = state.waiters.filter { $0.value.after < sequence }
            for id in satisfied.keys { state.waiters.removeValue(forKey: id) }
            hasWaiters.store(!state.waiters.isEmpty, ordering: .sequentiallyConsistent)
            return satisfied
        }
        for waiter in satisfied.values { waiter.continuation.resume() }
    }

    func close() {
        let waiters = state.withLock { state in
            state.closed = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values {
            waiter.continuation.resume(
                throwing: StorageError(.closed, "The storage was closed while waiting for a commit."))
        }
    }
}
