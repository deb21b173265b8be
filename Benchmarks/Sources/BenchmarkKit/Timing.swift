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
    /// Keys and values that the operations wrote; zero where they only read.
    public let userByteCount: Int
    /// What the process wrote meanwhile.
    public let writes: WriteCounters
    /// How the operations spread over the time.
    public let marks: [Meter.Mark]
    /// What the files take on disk after the line, and the keys and values in them; nil where that says nothing.
    public var space: Space?

    public struct Space: Sendable {
        public let fileByteCount: Int
        public let liveByteCount: Int

        public init(fileByteCount: Int, liveByteCount: Int) {
            self.fileByteCount = fileByteCount
            self.liveByteCount = liveByteCount
        }

        public var amplification: Double { Double(fileByteCount) / Double(max(liveByteCount, 1)) }
    }

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

    /// Microseconds; nil where single operations are not timed.
    public var maximumLatency: Double? {
        latencies.totalCount > 0 ? Double(latencies.max) / 1e3 : nil
    }

    /// Bytes handed to write calls for each byte of keys and values; nil where nothing was written, or nobody counts.
    public var writeAmplification: Double? {
        userByteCount > 0 && writes.written > 0 ? Double(writes.written) / Double(userByteCount) : nil
    }

    /// Bytes of dirtied pages for each byte of keys and values.
    public var dirtyAmplification: Double? {
        userByteCount > 0 && writes.dirtied > 0 ? Double(writes.dirtied) / Double(userByteCount) : nil
    }
}

/// Runs `body`, which laps the meter per operation and returns the digest of its results. Everything it does is timed.
public func measure(_ body: (inout Meter) throws -> UInt64) rethrows -> Timing {
    let start = Start()
    var meter = Meter()
    let hash = try body(&meter)
    return start.timing(meter, hash: hash)
}

/// The same with an asynchronous body.
public func measure(_ body: (inout Meter) async throws -> UInt64) async rethrows -> Timing {
    let start = Start()
    var meter = Meter()
    let hash = try await body(&meter)
    return start.timing(meter, hash: hash)
}

/// Where the clocks and counters stood when a measurement began.
private struct Start {
    let writes = WriteCounters.now
    let processor = Clocks.processorNanoseconds
    let wall = Clocks.wallNanoseconds

    func timing(_ meter: Meter, hash: UInt64) -> Timing {
        let elapsed = Clocks.wallNanoseconds - wall
        let processor = Clocks.processorNanoseconds - processor
        return Timing(
            operations: meter.operations, elapsedNanoseconds: elapsed, processorNanoseconds: processor,
            latencies: meter.latencies, resultHash: hash, userByteCount: meter.userByteCount,
            writes: WriteCounters.now - writes, marks: meter.marks)
    }
}
