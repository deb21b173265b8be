// LatencyHistogram.swift — how long something took, many times over, in constant memory.
//
// Buckets are eighths of powers of two: a percentile is at most an eighth above the truth, never below it.

/// Nanoseconds, counted by bucket. Plain state; whoever shares it locks it.
struct LatencyHistogram {
    private static let bucketCount = 62 * 8

    private var counts = [UInt64](repeating: 0, count: Self.bucketCount)
    private(set) var count: UInt64 = 0
    private(set) var total: UInt64 = 0
    private(set) var maximum: UInt64 = 0

    mutating func record(_ nanoseconds: UInt64) {
        counts[Self.bucket(of: nanoseconds)] += 1
        count += 1
        total &+= nanoseconds
        maximum = max(maximum, nanoseconds)
    }

    /// The upper bound of the bucket below which `fraction` of what was recorded lies; 0 if nothing was.
    func percentile(_ fraction: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let wanted = min(max(UInt64((Double(count) * fraction).rounded(.up)), 1), count)
        var seen: UInt64 = 0
        for bucket in counts.indices {
            seen += counts[bucket]
            if seen >= wanted { return min(Self.upperBound(of: bucket), maximum) }
        }
        return maximum
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= 8 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 2) * 8 + Int(value >> UInt64(exponent - 3)) & 7
    }

    private static func upperBound(of bucket: Int) -> UInt64 {
        guard bucket >= 8 else { return UInt64(bucket) }
        let shift = UInt64(bucket / 8 - 1)
        return (UInt64(bucket % 8 + 8) << shift) + ((1 << shift) - 1)
    }
}

extension LatencySummary {
    init(_ histogram: LatencyHistogram) {
        count = Int(histogram.count)
        total = .nanoseconds(Int64(clamping: histogram.total))
        median = .nanoseconds(Int64(clamping: histogram.percentile(0.5)))
        p99 = .nanoseconds(Int64(clamping: histogram.percentile(0.99)))
        p999 = .nanoseconds(Int64(clamping: histogram.percentile(0.999)))
        maximum = .nanoseconds(Int64(clamping: histogram.maximum))
    }
}
