// HaltingClock.swift — the system's clock, at which statements can be halted while they read.

import StorageCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A clock that makes whoever looks at it wait. A SELECT looks when it begins, when it begins to read, and every thousand
/// rows or so, where it has a time-out; nothing else does while a small store is in use.
final class HaltingClock: StorageClock {
    private struct State {
        var isHalting = false
        /// Looks that are free.
        var passingCount = 0
        var lookCount = 0
        var haltedCount = 0
    }

    private let system = SystemClock()
    private let state = Mutex(State())

    var now: StorageInstant { system.now }

    var monotonicNanoseconds: UInt64 {
        let halts = state.withLock { state in
            state.lookCount += 1
            guard state.isHalting, state.lookCount > state.passingCount else { return false }
            state.haltedCount += 1
            return true
        }
        if halts {
            while state.withLock({ $0.isHalting }) { usleep(1000) }
            state.withLock { $0.haltedCount -= 1 }
        }
        return system.monotonicNanoseconds
    }

    /// From now on only so many looks are free.
    func halt(after passingCount: Int) {
        state.withLock { $0 = State(isHalting: true, passingCount: passingCount) }
    }

    /// Those who wait go on, and nobody waits any more.
    func goOn() { state.withLock { $0.isHalting = false } }

    /// Who waits now.
    var haltedCount: Int { state.withLock { $0.haltedCount } }

    /// Since `halt`.
    var lookCount: Int { state.withLock { $0.lookCount } }
}
