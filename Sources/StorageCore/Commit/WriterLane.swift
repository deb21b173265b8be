// WriterLane.swift — the queue through which every commit goes, one at a time, in order of arrival.
//
// Invariants:
// (1) At most one caller is between `enter` and `leave`.
// (2) `occupancy` is 0 while nobody is in the lane, 1 while someone is and nobody waits, 2 while someone may wait. It
//     becomes 2 and the queue changes only under `queue`.
// (3) `leave` hands the lane straight to the first in the queue, `occupancy` staying above 0: so nobody overtakes who
//     waits, and who finds nobody pays for one compare-and-swap to enter and one to leave.

internal import CStorage
internal import DequeModule
internal import Synchronization

final class WriterLane: Sendable {
    @safe private enum Waiter {
        case thread(ConditionLock<Bool>)
        case task(UnsafeContinuation<Void, Never>)
    }

    private let occupancy = Atomic<UInt32>(0)
    private let queue = Mutex<Deque<Waiter>>([])
    /// The thread whose body runs now, to refuse a write inside a write.
    private let owner = Atomic<UInt>(0)

    private static let spinLimit = 100

    /// Callers that wait for the lane now.
    var waiterCount: Int { queue.withLock { $0.count } }

    /// Waits for the lane on this thread.
    @inline(__always)
    func enter() {
        checkNotReentered()
        if !claim() { enterSlowly() }
    }

    private func enterSlowly() {
        for _ in 0..<Self.spinLimit {
            if claim() { return }
            cstorage_spin_hint()
        }
        let isMine = ConditionLock(false)
        if !join(.thread(isMine)) { isMine.wait { $0 ? () : nil } }
    }

    /// Waits for the lane without holding a thread.
    func enterSuspending() async {
        checkNotReentered()
        if claim() { return }
        unsafe await withUnsafeContinuation { continuation in
            if unsafe join(.task(continuation)) { unsafe continuation.resume() }
        }
    }

    /// Stands in the queue; true if the lane became free instead, and is the caller's now.
    private func join(_ waiter: Waiter) -> Bool {
        queue.withLock { queue in
            // From here on who leaves looks at the queue, under this lock.
            if occupancy.exchange(2, ordering: .acquiringAndReleasing) == 0 { return true }
            queue.append(waiter)
            return false
        }
    }

    @inline(__always)
    func leave() {
        let (left, _) = occupancy.compareExchange(
            expected: 1, desired: 0, successOrdering: .releasing, failureOrdering: .relaxed)
        if !left { handOver() }
    }

    private func handOver() {
        let next: Waiter? = queue.withLock { queue in
            guard let next = queue.popFirst() else {
                occupancy.store(0, ordering: .releasing)
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

    @inline(__always)
    private func claim() -> Bool {
        occupancy.compareExchange(
            expected: 0, desired: 1, successOrdering: .acquiring, failureOrdering: .relaxed
        ).exchanged
    }

    func checkNotReentered() {
        precondition(
            owner.load(ordering: .relaxed) != UInt(cstorage_thread_identity()),
            "A write inside the body of a write would wait for itself; use the transaction that the body was given.")
    }
}
