// ConcurrentThreads.swift — threads that really run side by side, however few cores there are.

import Foundation

/// Calls `body` in so many threads, with the number of each, and waits for all of them. `DispatchQueue.concurrentPerform` has no
/// more threads than cores, so what its last iterations do may begin when the first have ended.
func performInThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        let thread = Thread {
            body(number)
            group.leave()
        }
        // As large as that of the main thread.
        thread.stackSize = 8 << 20
        thread.start()
    }
    group.wait()
}
