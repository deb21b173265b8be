// OfferedLoad.swift — load that keeps coming whatever the answers' speed.
//
// Each operation is due at a fixed instant and its latency runs from that instant, not from when it could be sent: a
// stall of 10 ms at 33,333 operations a second is seen by 333 operations, as it would be by 333 viewers. Measuring from
// the send would see it once ("coordinated omission").

import StorageTypes

/// Operations at a fixed rate, one after the other.
struct OfferedLoad {
    let operationsPerSecond: Double
    let seconds: Double
    let clock: any StorageClock

    struct Outcome {
        var operations = 0
        /// From the instant an operation was due to its end.
        var latencies = LatencyHistogram()
        /// From its start to its end.
        var serviceTimes = LatencyHistogram()
        var elapsedNanoseconds: UInt64 = 0
        /// What the operations took, all together.
        var busyNanoseconds: UInt64 = 0
    }

    private var operationCount: Int { Int(operationsPerSecond * seconds) }

    /// Runs `operation` with 0, 1, 2, …; calls `progress` about every second with what has happened since the last call.
    ///
    /// Between operations it spins, since a sleeping thread wakes up later than the latencies it wants to see; long
    /// waits sleep.
    func run(
        progress: (Outcome) -> Void = { _ in }, _ operation: (Int) async throws -> Void
    ) async throws -> Outcome {
        let start = clock.monotonicNanoseconds
        var total = Outcome()
        var interval = Outcome()
        var intervalStart = start
        for index in 0..<operationCount {
            let due = start + UInt64(Double(index) * 1e9 / operationsPerSecond)
            try await wait(until: due)
            let begin = clock.monotonicNanoseconds
            try await operation(index)
            let end = clock.monotonicNanoseconds
            interval.record(due: due, begin: begin, end: end)
            if end - intervalStart >= 1_000_000_000 {
                interval.elapsedNanoseconds = end - intervalStart
                progress(interval)
                total.add(interval)
                interval = Outcome()
                intervalStart = end
            }
        }
        total.add(interval)
        total.elapsedNanoseconds = clock.monotonicNanoseconds - start
        return total
    }

    private func wait(until due: UInt64) async throws {
        while true {
            let now = clock.monotonicNanoseconds
            guard now < due else { return }
            if due - now > 5_000_000 { try await Task.sleep(for: .nanoseconds(due - now - 3_000_000)) }
        }
    }
}

extension OfferedLoad.Outcome {
    mutating func record(due: UInt64, begin: UInt64, end: UInt64) {
        operations += 1
        latencies.record(nanoseconds: end - due)
        serviceTimes.record(nanoseconds: end - begin)
        busyNanoseconds += end - begin
    }

    mutating func add(_ other: Self) {
        operations += other.operations
        latencies.add(other.latencies)
        serviceTimes.add(other.serviceTimes)
        busyNanoseconds += other.busyNanoseconds
    }

    var operationsPerSecond: Int {
        elapsedNanoseconds == 0 ? 0 : Int(Double(operations) * 1e9 / Double(elapsedNanoseconds))
    }

    /// Operations that were running at a moment, to two decimals. For a single caller, the part of its time in calls.
    var averageInFlight: Double {
        elapsedNanoseconds == 0 ? 0 : Double(100 * busyNanoseconds / elapsedNanoseconds) / 100
    }
}
