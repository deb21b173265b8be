// OfferedLoad.swift — load that keeps coming whatever the answers' speed.
//
// Each operation is due at a fixed instant and its latency runs from that instant, not from when it could be sent: a
// stall of 10 ms at 33,333 operations a second is seen by 333 operations, as it would be by 333 viewers. Measuring from
// the send would see it once ("coordinated omission").

internal import Dispatch
import StorageTypes
internal import Synchronization

/// Operations at a fixed rate, one after the other.
struct OfferedLoad {
    let operationsPerSecond: Double
    let seconds: Double
    let clock: any StorageClock

    var operationCount: Int { Int(operationsPerSecond * seconds) }

    /// Runs `operation` with 0, 1, 2, …; calls `progress` about every second with what has happened since the last call.
    ///
    /// Between operations it spins, since a sleeping thread wakes up later than the latencies it wants to see; long
    /// waits sleep.
    func run(
        progress: @escaping (LoadInterval) -> Void = { _ in }, _ operation: (Int) async throws -> Void
    ) async throws -> LoadOutcome {
        let start = clock.monotonicNanoseconds
        var recorder = LoadRecorder(start: start, progress: progress)
        for index in 0..<operationCount {
            let due = start + UInt64(Double(index) * 1e9 / operationsPerSecond)
            try await wait(until: due)
            let begin = clock.monotonicNanoseconds
            try await operation(index)
            recorder.record(due: due, begin: begin, end: clock.monotonicNanoseconds)
        }
        // The last operation's turn ends when the next one would be due.
        let end = start + UInt64(Double(operationCount) * 1e9 / operationsPerSecond)
        return recorder.finish(at: max(end, clock.monotonicNanoseconds))
    }

    /// Latencies at the same rate of operations that do nothing, beside a thread that keeps a processor busy, as flushes and
    /// compactions do. What scheduler, hypervisor and other processes take away shows here: no store on this machine can
    /// have better percentiles.
    func machineLatencies(seconds: Double) async throws -> LatencyHistogram {
        let neighbour = Neighbour()
        DispatchQueue.global().async { while !neighbour.isStopped.load(ordering: .relaxed) {} }
        defer { neighbour.isStopped.store(true, ordering: .relaxed) }
        return try await OfferedLoad(operationsPerSecond: operationsPerSecond, seconds: seconds, clock: clock)
            .run { _ in }.latencies
    }

    private final class Neighbour: Sendable {
        let isStopped = Atomic<Bool>(false)
    }

    private func wait(until due: UInt64) async throws {
        while true {
            let now = clock.monotonicNanoseconds
            guard now < due else { return }
            if due - now > 5_000_000 { try await Task.sleep(for: .nanoseconds(due - now - 3_000_000)) }
        }
    }
}

/// Operations as fast as one caller can send them: each is due when the one before has ended.
struct ClosedLoad {
    let operationCount: Int
    let clock: any StorageClock

    func run(
        progress: @escaping (LoadInterval) -> Void = { _ in }, _ operation: (Int) throws -> Void
    ) rethrows -> LoadOutcome {
        var begin = clock.monotonicNanoseconds
        var recorder = LoadRecorder(start: begin, progress: progress)
        for index in 0..<operationCount {
            try operation(index)
            let end = clock.monotonicNanoseconds
            recorder.record(due: begin, begin: begin, end: end)
            begin = end
        }
        return recorder.finish(at: begin)
    }
}
