// LatencyHistogram.swift — the latencies of a load, and how they are written.

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

    func nanoseconds(atPercentile percentile: Double) -> UInt64 {
        histogram.valueAtPercentile(percentile)
    }

    var maximumNanoseconds: UInt64 { count == 0 ? 0 : histogram.max }

    /// `p50 2.1 µs, p99 8.4 µs, p99.9 31.0 µs, max 1.2 ms`
    var summary: String {
        guard count > 0 else { return "nothing recorded" }
        let percentiles = [("p50", 50.0), ("p99", 99.0), ("p99.9", 99.9)].map { label, percentile in
            "\(label) \(describe(nanoseconds: nanoseconds(atPercentile: percentile)))"
        }
        return (percentiles + ["max \(describe(nanoseconds: maximumNanoseconds))"]).joined(separator: ", ")
    }
}

/// A time with its fitting unit and one decimal: `850 ns`, `2.1 µs`, `14.0 ms`, `1.5 s`.
func describe(nanoseconds: UInt64) -> String {
    switch nanoseconds {
    case ..<1_000: "\(nanoseconds) ns"
    case ..<1_000_000: "\(tenths(nanoseconds, per: 1_000)) µs"
    case ..<1_000_000_000: "\(tenths(nanoseconds, per: 1_000_000)) ms"
    default: "\(tenths(nanoseconds, per: 1_000_000_000)) s"
    }
}

private func tenths(_ value: UInt64, per unit: UInt64) -> String {
    let tenths = (value * 10 + unit / 2) / unit
    return "\(tenths / 10).\(tenths % 10)"
}
