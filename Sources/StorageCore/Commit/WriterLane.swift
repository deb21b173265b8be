// WriterLane.swift — the queue through which every commit goes, one at a time.
//
// Invariants:
// (1) At most one caller is between `enter` and `leave`.
// (2) Bit 0 of `occupancy` is set while someone is in the lane; bit 1 while someone may stand in the queue. Bit 1 and the
//     queue change only under the queue's lock.
// (3) Who leaves while others wait wakes the first of them, one at a time, and that one tries again, ahead of the rest if
//     it fails. So whoever waits is woken by a later `leave`, at the latest by that of the caller who was faster.
// (4) A waiter older than `patience` is handed the lane, and nobody overtakes it.
//
// A commit holds the lane for a microsecond or two, and to wake a thread takes ten times as long. Handing the lane to
// whoever has waited longest would leave it idle for that time at every step once a queue has formed (a lock convoy:
// measured with 64 writers, each waited a millisecond for the other 63). So who happens to be running may go first, and
// the queue keeps its order among those who wait.

internal import CStorage
internal import DequeModule
internal import Synchronization

final class WriterLane: Sendable {
    /// What a waiter is told.
    private enum Call { case enter, tryAgain }

    @safe private enum Sleeper {
        case thread(ConditionLock<Call?>)
        case task(UnsafeContinuation<Call, Never>)
    }

    private struct Waiter {
        var sleeper: Sleeper
        /// Monotonic nanoseconds at which it began to wait.
        var since: UInt64
    }

    private struct Queue {
        var waiters: Deque<Waiter> = []
        /// One was told to try again and has not done so yet.
        var isCalling = false
    }

    private let occupancy = Atomic<UInt32>(0)
    private let queue = Mutex(Queue())
    /// The thread whose body runs now, to refuse a write inside a write.
    private let owner = Atomic<UInt>(0)

    private static let occupied: UInt32 = 1
    private static let awaited: UInt32 = 2
    private static let spinLimit = 100
    /// Nanoseconds.
    private static let patience: UInt64 = 2_000_000

    /// Callers that wait for the lane now.
    var waiterCount: Int { queue.withLock { $0.waiters.count } }

    // MARK: Entering

    /// Waits for the lane on this thread.
    @inline(__always)
    func enter() {
        checkNotReentered()
        if !claim() { enterSlowly() }
    }

    private func enterSlowly() {
        for _ in 0..<Self.spinLimit {
            cstorage_spin_hint()
            if claim() { return }
        }
        let since = cstorage_monotonic_nanoseconds()
        var wasCalled = false
        while true {
            let call = ConditionLock<Call?>(nil)
            if join(.thread(call), since: since, wasCalled: wasCalled) { return }
            if call.wait(until: { $0 }) == .enter { return }
            wasCalled = true
        }
    }

    /// Waits for the lane without holding a thread.
    func enterSuspending() async {
        checkNotReentered()
        if claim() { return }
        let since = cstorage_monotonic_nanoseconds()
        var wasCalled = false
        while true {
            let call = unsafe await withUnsafeContinuation { continuation in
                if unsafe join(.task(continuation), since: since, wasCalled: wasCalled) {
                    unsafe continuation.resume(returning: Call.enter)
                }
            }
            if call == .enter { return }
            wasCalled = true
        }
    }

    @inline(__always)
    private func claim() -> Bool {
        let seen = occupancy.load(ordering: .relaxed)
        guard seen & Self.occupied == 0 else { return false }
        return occupancy.compareExchange(
            expected: seen, desired: seen | Self.occupied, successOrdering: .acquiring, failureOrdering: .relaxed
        ).exchanged
    }

    /// Takes the lane if it is free (true), or a place in the queue: the first for who was called and came too late.
    private func join(_ sleeper: Sleeper, since: UInt64, wasCalled: Bool) -> Bool {
        queue.withLock { queue in
            if wasCalled { queue.isCalling = false }
            // From here on who leaves looks at the queue, under this lock.
            let seen = occupancy.bitwiseOr(Self.occupied | Self.awaited, ordering: .acquiringAndReleasing).oldValue
            if seen & Self.occupied == 0 { return true }
            let waiter = Waiter(sleeper: sleeper, since: since)
            if wasCalled { queue.waiters.prepend(waiter) } else { queue.waiters.append(waiter) }
            return false
        }
    }

    // MARK: Leaving

    @inline(__always)
    func leave() {
        let left = occupancy.compareExchange(
            expected: Self.occupied, desired: 0, successOrdering: .releasing, failureOrdering: .relaxed
        ).exchanged
        if !left { leaveAwaited() }
    }

    private func leaveAwaited() {
        let next: (sleeper: Sleeper, call: Call)? = queue.withLock { queue in
            guard let first = queue.waiters.first else {
                occupancy.store(0, ordering: .releasing)
                return nil
            }
            if cstorage_monotonic_nanoseconds() &- first.since > Self.patience {
                queue.waiters.removeFirst()
                return (first.sleeper, .enter)
            }
            occupancy.store(Self.awaited, ordering: .releasing)
            guard !queue.isCalling else { return nil }
            queue.isCalling = true
            queue.waiters.removeFirst()
            return (first.sleeper, .tryAgain)
        }
        guard let next else { return }
        switch next.sleeper {
        case .thread(let call): call.withLockAndSignal { $0 = next.call }
        case .task(let continuation): unsafe continuation.resume(returning: next.call)
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

    func checkNotReentered() {
        precondition(
            owner.load(ordering: .relaxed) != UInt(cstorage_thread_identity()),
            "A write inside the body of a write would wait for itself; use the transaction that the body was given.")
    }
}
