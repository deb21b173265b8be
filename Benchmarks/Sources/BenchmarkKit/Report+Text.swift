// How a line looks on the terminal.

import Foundation
import Histogram

extension Report {
    static func summary(of result: LineResult) -> [String] {
        let ours = result.figure(of: result.ours)
        var text = ["\(padded(result.name, 44)) \(Figure.of(ours, result.unit)) \(result.unit.rawValue)"]
        text.append(details(of: result.ours.timing, named: result.ours.name))
        for peer in result.peers {
            let factor = String(format: "%.2f", result.ratio(to: peer))
            let figure = Figure.of(result.figure(of: peer), result.unit)
            text.append("  × \(factor)  \(peer.name) \(figure) \(result.unit.rawValue)")
            text.append(details(of: peer.timing, named: ""))
        }
        return text
    }

    private static func details(of timing: Timing, named name: String) -> String {
        var text = "    \(padded(name, 8)) \(timing.operations) ops"
        text += ", CPU \(Figure.ofMicroseconds(timing.processorMicrosecondsPerOperation))/op"
        for (label, value) in timing.percentiles {
            text += ", \(label) \(Figure.ofMicroseconds(value))"
        }
        if let amplification = timing.writeAmplification { text += String(format: ", write × %.2f", amplification) }
        if let amplification = timing.dirtyAmplification { text += String(format: ", dirty × %.2f", amplification) }
        if let space = timing.space { text += String(format: ", space × %.2f", space.amplification) }
        return text + ", hash \(String(timing.resultHash, radix: 16))"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension Timing {
    /// The percentiles that reports show, in microseconds; none where single operations are not timed.
    var percentiles: [(label: String, microseconds: Double)] {
        guard let maximumLatency else { return [] }
        return [("p50", 50.0), ("p99", 99.0), ("p99.9", 99.9)].map { ($0, latency(percentile: $1)) }
            + [("max", maximumLatency)]
    }
}

/// Numbers as people read them.
enum Figure {
    static func of(_ value: Double, _ unit: LineUnit) -> String {
        switch unit {
        case .operationsPerSecond where value >= 1e6: String(format: "%.2f M", value / 1e6)
        case .operationsPerSecond where value >= 1e3: String(format: "%.1f k", value / 1e3)
        case .operationsPerSecond: String(format: "%.0f", value)
        case .microseconds, .milliseconds: String(format: "%.2f", value)
        }
    }

    static func ofMicroseconds(_ value: Double) -> String {
        switch value {
        case 1e6...: String(format: "%.2f s", value / 1e6)
        case 1e3...: String(format: "%.2f ms", value / 1e3)
        default: String(format: "%.2f µs", value)
        }
    }
}
