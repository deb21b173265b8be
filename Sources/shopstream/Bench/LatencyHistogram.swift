// LatencyHistogram.swift — the latencies of a load.

import Histogram

/// Latencies up to a minute with three significant digits.
struct LatencyHistogram {
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)

    var count: UInt64 { histogram.totalCount }

    /// A latency beyond a minute counts as a minute.
    mutating func record(nanoseconds: UInt64) {
        histogram.record(min(nanoseconds, 60_000_000_000))
    }

    mutating func add(_ other: LatencyHistogram) {
        histogram.add(other.histogram)
    }

    /// Zero where nothing was recorded.
    func microseconds(atPercentile percentile: Double) -> Double {
        count == 0 ? 0 : Double(histogram.valueAtPercentile(percentile)) / 1e3
    }

    var maximumMicroseconds: Double { count == 0 ? 0 : Double(histogram.max) / 1e3 }
}
