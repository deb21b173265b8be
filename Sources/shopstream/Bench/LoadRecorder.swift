// LoadRecorder.swift — gathers a load's latencies, in whole and second by second.

import StorageTypes

/// What became of a load.
struct LoadOutcome {
    var operations = 0
    /// From the instant an operation was due to its end.
    var latencies = LatencyHistogram()
    /// From its start to its end.
    var serviceTimes = LatencyHistogram()
    var elapsedNanoseconds: UInt64 = 0
    /// What the operations took, all together.
    var busyNanoseconds: UInt64 = 0
    /// About one for each second, in order.
    var intervals: [LoadInterval] = []

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

    var seconds: Double { Double(elapsedNanoseconds) / 1e9 }

    var operationsPerSecond: Double { elapsedNanoseconds == 0 ? 0 : Double(operations) / seconds }

    /// Operations that were running at a moment. For a single caller, the part of its time in calls.
    var averageInFlight: Double {
        elapsedNanoseconds == 0 ? 0 : Double(busyNanoseconds) / Double(elapsedNanoseconds)
    }
}

/// About a second of a load.
struct LoadInterval: Equatable {
    /// When it ended, since the load began.
    var seconds: Double
    var operationsPerSecond: Double
    /// From when each operation was due.
    var p99Microseconds: Double
}

/// Takes operations one by one; tells about each second when it is over.
struct LoadRecorder {
    private let start: UInt64
    private let progress: (LoadInterval) -> Void
    private var total = LoadOutcome()
    private var current = LoadOutcome()
    private var currentStart: UInt64

    init(start: UInt64, progress: @escaping (LoadInterval) -> Void) {
        self.start = start
        self.progress = progress
        currentStart = start
    }

    mutating func record(due: UInt64, begin: UInt64, end: UInt64) {
        current.record(due: due, begin: begin, end: end)
        if end - currentStart >= 1_000_000_000 { endInterval(at: end) }
    }

    /// A rest of less than a tenth of a second is too short to be an interval of its own.
    mutating func finish(at end: UInt64) -> LoadOutcome {
        if total.intervals.isEmpty || end - currentStart >= 100_000_000 {
            endInterval(at: end)
        } else {
            total.add(current)
        }
        total.elapsedNanoseconds = end - start
        return total
    }

    private mutating func endInterval(at end: UInt64) {
        current.elapsedNanoseconds = end - currentStart
        let interval = LoadInterval(
            seconds: Double(end - start) / 1e9, operationsPerSecond: current.operationsPerSecond,
            p99Microseconds: current.latencies.microseconds(atPercentile: 99))
        total.intervals.append(interval)
        total.add(current)
        current = LoadOutcome()
        currentStart = end
        progress(interval)
    }
}
