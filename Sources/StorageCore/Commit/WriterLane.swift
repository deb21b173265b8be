// WriterLane.swift — the queue through which every commit goes, one at a time, in order of arrival.
//
// Invariant: at most one caller is between `enter` and `leave`. `leave` hands the lane straight to the first in the
// queue, so nobody overtakes who waits.

internal import CStorage
internal import DequeModule
internal import Synchronization

final class WriterLane: Sendable {
    @safe private enum Waiter {
        case thread(ConditionLock<Bool>)
        case task(UnsafeContinuation<Void, Never>)
    }

    private struct State {
        var isBusy = false
        var waiters: Deque<Waiter> = []
    }

    private let state = Mutex(State())
    /// The thread whose body runs now, to refuse a write inside a write.
    private let owner = Atomic<UInt>(0)

    private static let spinLimit = 100

    /// Callers that wait for the lane now.
    var waiterCount: Int { state.withLock { $0.waiters.count } }

    /// Waits for the lane on this thread.
    func enter() {
        checkNotReentered()
        for _ in 0..<Self.spinLimit {
            if claim() { return }
            cstorage_spin_hint()
        }
        let isMine = ConditionLock(false)
        let claimed = state.withLock { state in
            if !state.isBusy {
                state.isBusy = true
                return true
            }
            state.waiters.append(.thread(isMine))
            return false
        }
        if !claimed { isMine.wait { $0 ? () : nil } }
    }

    /// Waits for the lane without holding a thread.
    func enterSuspending() async {
        checkNotReentered()
        if claim() { return }
        unsafe await withUnsafeContinuation { continuation in
            let claimed = state.withLock { state in
                if !state.isBusy {
                    state.isBusy = true
                    return true
                }
                unsafe state.waiters.append(.task(continuation))
                return false
            }
            if claimed { unsafe continuation.resume() }
        }
    }

    func leave() {
        let next: Waiter? = state.withLock { state in
            guard let next = state.waiters.popFirst() else {
                state.isBusy = false
                return nil
            }
            return next
        }
        switch next {
        case .thread(let isMine): isMine.withLockAndSignal { $0 = true }
        case .task(let continuation): unsafe continuation.resume()
        case nil: break
        }
    }

    /// Marks this thread as the one whose body runs, for as long as it does.
    func asOwner<R>(_ body: () throws -> R) rethrows -> R {
        owner.store(UInt(cstorage_thread_identity()), ordering: .relaxed)
        defer { owner.store(0, ordering: .relaxed) }
        return try body()
    }

    /// Whether the body that runs now runs on this thread.
    var isOwnedByThisThread: Bool {
        owner.load(ordering: .relaxed) == UInt(cstorage_thread_identity())
    }

    private func claim() -> Bool {
        state.withLock { state in
            guard !state.isBusy, state.waiters.isEmpty else { return false }
            state.isBusy = true
            return true
        }
    }

    func checkNotReentered() {
        precondition(
            owner.load(ordering: .relaxed) != UInt(cstorage_thread_identity()),
            "A write inside the body of a write would wait for itself; use the transaction that the body was given.")
    }
}
