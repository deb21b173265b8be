// What one side of one line came to.

public import Histogram

public struct Timing: Sendable {
    public let operations: Int
    public let elapsedNanoseconds: UInt64
    /// Of all threads of the process, background work included.
    public let processorNanoseconds: UInt64
    /// Nanoseconds of each operation; empty where single operations are not timed.
    public let latencies: Histogram<UInt64>
    /// A digest of the results, the same on every run and on both sides.
    public let resultHash: UInt64

    public var operationsPerSecond: Double {
        Double(operations) / (Double(max(elapsedNanoseconds, 1)) / 1e9)
    }

    public var microsecondsPerOperation: Double {
        Double(elapsedNanoseconds) / 1e3 / Double(max(operations, 1))
    }

    public var processorMicrosecondsPerOperation: Double {
        Double(processorNanoseconds) / 1e3 / Double(max(operations, 1))
    }

    /// Microseconds.
    public func latency(percentile: Double) -> Double {
        Double(latencies.valueAtPercentile(percentile)) / 1e3
    }
}

/// Times operations that follow one another: the end of one is the start of the next, so each costs one clock read.
public struct Meter: Sendable {
    public private(set) var operations = 0
    public private(set) var latencies = Meter.emptyHistogram()
    private var lastLap = Clocks.wallNanoseconds

    public init() {}

    /// One operation has ended.
    public mutating func lap() {
        lap(operations: 1)
    }

    /// A batch has ended. Its latency is recorded once, as the caller waited once.
    public mutating func lap(operations count: Int) {
        let now = Clocks.wallNanoseconds
        latencies.record(now &- lastLap)
        lastLap = now
        operations &+= count
    }

    /// Counts without timing single operations: scans and the like.
    public mutating func count(operations count: Int) {
        operations += count
    }

    /// Leaves what happened since the last lap out of the next operation.
    public mutating func restart() {
        lastLap = Clocks.wallNanoseconds
    }

    /// Takes over what another thread's meter has seen.
    public mutating func add(_ other: Meter) {
        operations += other.operations
        latencies.add(other.latencies)
    }

    /// Up to a minute, with three significant digits.
    static func emptyHistogram() -> Histogram<UInt64> {
        Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }
}

/// Runs `body`, which laps the meter per operation and returns the digest of its results. Everything it does is timed.
public func measure(_ body: (inout Meter) throws -> UInt64) rethrows -> Timing {
    let processor = Clocks.processorNanoseconds
    let start = Clocks.wallNanoseconds
    var meter = Meter()
    let hash = try body(&meter)
    return Timing(
        operations: meter.operations,
        elapsedNanoseconds: Clocks.wallNanoseconds - start,
        processorNanoseconds: Clocks.processorNanoseconds - processor,
        latencies: meter.latencies,
        resultHash: hash)
}

/// The same with an asynchronous body.
public func measure(_ body: (inout Meter) async throws -> UInt64) async rethrows -> Timing {
    let processor = Clocks.processorNanoseconds
    let start = Clocks.wallNanoseconds
    var meter = Meter()
    let hash = try await body(&meter)
    return Timing(
        operations: meter.operations,
        elapsedNanoseconds: Clocks.wallNanoseconds - start,
        processorNanoseconds: Clocks.processorNanoseconds - processor,
        latencies: meter.latencies,
        resultHash: hash)
}
