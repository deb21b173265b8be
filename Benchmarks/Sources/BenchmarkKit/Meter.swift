// Counts and times operations that follow one another on one thread.

public import Histogram

/// The end of one operation is the start of the next, so each costs one clock read.
public struct Meter: Sendable {
    /// How many operations were done by when.
    public struct Mark: Sendable {
        /// Since the meter was made.
        public let nanoseconds: UInt64
        public let operations: Int
    }

    public private(set) var operations = 0
    public private(set) var latencies = Meter.emptyHistogram()
    /// Bytes of keys and values that the caller wrote.
    public private(set) var userByteCount = 0
    /// At most one for each ``markInterval``, in order.
    public private(set) var marks: [Mark] = []
    private let start = Clocks.wallNanoseconds
    private var lastLap: UInt64
    private var nextMark: UInt64

    static let markInterval: UInt64 = 250_000_000

    public init() {
        lastLap = start
        nextMark = start + Self.markInterval
    }

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
        if now >= nextMark { mark(now) }
    }

    /// Counts without timing single operations: scans and the like.
    public mutating func count(operations count: Int) {
        operations += count
    }

    public mutating func count(userBytes: Int) {
        userByteCount += userBytes
    }

    /// Leaves what happened since the last lap out of the next operation.
    public mutating func restart() {
        lastLap = Clocks.wallNanoseconds
    }

    /// Takes over what another thread's meter has seen.
    public mutating func add(_ other: Meter) {
        operations += other.operations
        userByteCount += other.userByteCount
        latencies.add(other.latencies)
    }

    private mutating func mark(_ now: UInt64) {
        marks.append(Mark(nanoseconds: now - start, operations: operations))
        nextMark = now + Self.markInterval
    }

    /// Up to a minute, with three significant digits.
    static func emptyHistogram() -> Histogram<UInt64> {
        Histogram(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    }
}
