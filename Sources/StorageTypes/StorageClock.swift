// StorageClock.swift — time as a parameter, so that every rule about time is testable in microseconds.

internal import CStorage
internal import Synchronization

/// Where a storage and its engines read time.
public protocol StorageClock: Sendable {
    /// Wall-clock time. It may jump; commit times are kept strictly increasing above it.
    var now: StorageInstant { get }

    /// Nanoseconds that never run backwards, from an arbitrary origin.
    var monotonicNanoseconds: UInt64 { get }
}

/// The operating system's clocks.
public struct SystemClock: StorageClock {
    public init() {}

    public var now: StorageInstant { StorageInstant(microseconds: cstorage_wall_clock_microseconds()) }

    public var monotonicNanoseconds: UInt64 { cstorage_monotonic_nanoseconds() }
}

/// A clock that moves only when it is told to.
public final class ManualClock: StorageClock {
    private let state: Mutex<(now: StorageInstant, monotonic: UInt64)>

    public init(now: StorageInstant = StorageInstant(seconds: 1_700_000_000)) {
        state = Mutex((now, 1_000_000_000))
    }

    public var now: StorageInstant { state.withLock { $0.now } }

    public var monotonicNanoseconds: UInt64 { state.withLock { $0.monotonic } }

    /// Lets time pass: both the wall clock and the monotonic clock move.
    public func advance(by duration: Duration) {
        let microseconds = StorageInstant(microseconds: 0).advanced(by: duration).microseconds
        precondition(microseconds >= 0, "Time passes forwards; use set(_:) to turn the wall clock back.")
        state.withLock {
            $0.now = $0.now.advanced(by: duration)
            $0.monotonic += UInt64(microseconds) * 1000
        }
    }

    /// Turns the wall clock, as an administrator would; the monotonic clock does not move.
    public func set(_ now: StorageInstant) {
        state.withLock { $0.now = now }
    }
}
