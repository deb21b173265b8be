// Many callers at once: threads where the call blocks, tasks where it suspends. Both start their callers together.

import Foundation
import Synchronization

/// Runs `body` on `count` threads of their own at once; returns their meters, and throws the first error.
public func onThreads(_ count: Int, _ body: @escaping @Sendable (Int, inout Meter) throws -> Void) throws -> Meter {
    let outcomes = Outcomes()
    let start = DispatchSemaphore(value: 0)
    let end = DispatchGroup()
    for index in 0..<count {
        end.enter()
        let thread = Thread {
            start.wait()
            outcomes.add { meter in try body(index, &meter) }
            end.leave()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }
    for _ in 0..<count { start.signal() }
    end.wait()
    return try outcomes.merged()
}

/// Runs `body` in `count` tasks at once; returns their meters, and throws the first error.
public func inTasks(
    _ count: Int, _ body: @escaping @Sendable (Int, inout Meter) async throws -> Void
) async throws -> Meter {
    try await withThrowingTaskGroup(of: Meter.self) { group in
        for index in 0..<count {
            group.addTask {
                var meter = Meter()
                try await body(index, &meter)
                return meter
            }
        }
        var merged = Meter()
        for try await meter in group { merged.add(meter) }
        return merged
    }
}

/// What the threads came to.
private final class Outcomes: Sendable {
    private let results = Mutex<[Result<Meter, any Error>]>([])

    func add(_ body: (inout Meter) throws -> Void) {
        let result = Result {
            var meter = Meter()
            try body(&meter)
            return meter
        }
        results.withLock { $0.append(result) }
    }

    func merged() throws -> Meter {
        try results.withLock { results in
            var merged = Meter()
            for result in results { merged.add(try result.get()) }
            return merged
        }
    }
}
