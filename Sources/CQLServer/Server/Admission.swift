// Admission.swift — the server's bound on requests under way, over all connections.
//
// A connection that finds it full waits unread, and is called when there is room again: back-pressure instead of errors.

internal import Synchronization

/// Counts the bytes of requests that were handed to the engine and not answered yet.
final class Admission: Sendable {
    private struct State {
        var byteCount = 0
        var waiting: [@Sendable () -> Void] = []
    }

    private let largestByteCount: Int
    private let state = Mutex(State())

    init(largestByteCount: Int) {
        self.largestByteCount = largestByteCount
    }

    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Counts a request in. A connection may exceed the bound by one request, so that large ones pass too.
    func enter(_ byteCount: Int) {
        state.withLock { $0.byteCount += byteCount }
    }

    /// Whether there is room; if not, `body` is called once there is.
    func hasRoom(orCall body: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            if state.byteCount < largestByteCount { return true }
            state.waiting.append(body)
            return false
        }
    }

    func leave(_ byteCount: Int) {
        let woken = state.withLock { state -> [@Sendable () -> Void] in
            state.byteCount -= byteCount
            guard state.byteCount < largestByteCount else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for body in woken { body() }
    }
}
