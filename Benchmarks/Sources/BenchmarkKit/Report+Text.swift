// How a line looks on the terminal.

import Foundation
import Histogram

extension Report {
    static func summary(of line: Line) -> String {
        let ours = "\(figure(line.ours, line.unit)) \(line.unit.rawValue)"
        guard let peer = line.peer, let ratio = line.ratio, let peerName = line.peerName else {
            return "\(padded(line.name, 52)) \(ours)"
        }
        let factor = String(format: "%.2f", ratio)
        return "\(padded(line.name, 52)) \(ours)   \(peerName) \(figure(peer, line.unit))   ratio \(factor)"
    }

    static func details(of timing: Timing, named name: String) -> String {
        var text = "    \(padded(name, 8)) \(timing.operations) ops"
        text += ", CPU \(microseconds(timing.processorMicrosecondsPerOperation))/op"
        if timing.latencies.totalCount > 0 {
            for (label, percentile) in [("p50", 50.0), ("p99", 99.0), ("p99.9", 99.9)] {
                text += ", \(label) \(microseconds(timing.latency(percentile: percentile)))"
            }
            text += ", max \(microseconds(Double(timing.latencies.max) / 1e3))"
        }
        return text + ", hash \(String(timing.resultHash, radix: 16))"
    }

    private static func figure(_ value: Double, _ unit: LineUnit) -> String {
        switch unit {
        case .operationsPerSecond where value >= 1e6: String(format: "%.2f M", value / 1e6)
        case .operationsPerSecond where value >= 1e3: String(format: "%.1f k", value / 1e3)
        case .operationsPerSecond: String(format: "%.0f", value)
        case .microseconds: String(format: "%.2f", value)
        }
    }

    private static func microseconds(_ value: Double) -> String {
        switch value {
        case 1e6...: String(format: "%.2f s", value / 1e6)
        case 1e3...: String(format: "%.2f ms", value / 1e3)
        default: String(format: "%.2f µs", value)
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
