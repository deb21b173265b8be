// ConditionLock.swift — a lock that threads can wait under, and the thread that background work runs on.
//
// Everything else uses `Mutex`. These two exist because a dedicated thread has to sleep until there is work.

internal import CStorage

/// A value under a lock, with one condition to wait for.
@safe final class ConditionLock<State>: @unchecked Sendable {  // guarded by `condition`
    private let condition = unsafe cstorage_condition_create()
    private var state: State

    init(_ state: State) {
        self.state = state
    }

    deinit {
        unsafe cstorage_condition_destroy(condition)
    }

    func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
        unsafe cstorage_condition_lock(condition)
        defer { unsafe cstorage_condition_unlock(condition) }
        return try body(&state)
    }

    /// Changes the state and wakes every thread that waits.
    func withLockAndSignal<R>(_ body: (inout State) throws -> R) rethrows -> R {
        unsafe cstorage_condition_lock(condition)
        defer { unsafe cstorage_condition_unlock(condition) }
        defer { unsafe cstorage_condition_signal_all(condition) }
        return try body(&state)
    }

    /// Wakes every thread that waits, after a change that was made `withLock`.
    func signal() { unsafe cstorage_condition_signal_all(condition) }

    /// Calls `body` under the lock until it returns a value, sleeping until the next signal in between.
    func wait<R>(until body: (inout State) throws -> R?) rethrows -> R {
        unsafe cstorage_condition_lock(condition)
        defer { unsafe cstorage_condition_unlock(condition) }
        while true {
            if let result = try body(&state) { return result }
            unsafe cstorage_condition_wait(condition)
        }
    }

    /// As `wait(until:)`, but gives up after `nanoseconds` without a result, however many signals come meanwhile.
    func wait<R>(nanoseconds: UInt64, until body: (inout State) throws -> R?) rethrows -> R? {
        unsafe cstorage_condition_lock(condition)
        defer { unsafe cstorage_condition_unlock(condition) }
        let start = cstorage_monotonic_nanoseconds()
        while true {
            if let result = try body(&state) { return result }
            let elapsed = cstorage_monotonic_nanoseconds() &- start
            guard elapsed < nanoseconds else { return nil }
            _ = unsafe cstorage_condition_wait_for(condition, nanoseconds - elapsed)
        }
    }
}

/// A dedicated thread: sync, flush and compaction block in system calls and must not hold a thread of the task pool.
enum BackgroundThread {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Runs `body` on a thread of its own, which ends with it.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws {
        let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let started = unsafe cstorage_thread_start(
            name, { context in unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }, context)
        guard started else {
            unsafe Unmanaged<Body>.fromOpaque(context).release()
            throw StorageError(
                .ioFailure, "The thread \"\(name)\" could not be started; the process has too many threads.")
        }
    }

    /// Has the calling thread run after others, where there are fewer processors than threads that want to run.
    static func letOthersGoFirst() { cstorage_thread_let_others_go_first() }
}
